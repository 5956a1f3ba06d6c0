/**
 * The rows that have a word, of very many: rows are parted by a hash as they come and entered part by part, so that what is written to is in the caches.
 * Layout in assembly/parted-index.ts; what keys are as words is join-keys.ts's.
 */
import { count as countBits } from './bitmap.js'
import { secretOf } from './hash.js'
import type { Kernels } from './instance.js'
import type { KeyWords } from './join-keys.js'

/** Rows of a part, where there may be as many parts as that takes: some 200 KB of the table, which second caches have. */
export const PART_ROWS = 8192
const MOST_BITS = 8
const HEADER_BYTES = 16
const SLOT_BYTES = 12
const STATE_BYTES = 20
/** A row's word and its place in a block. */
const ROW_BYTES = 10
/** Slots for each entry to begin with, and entries for each slot at most. */
const SLOTS_PER_ENTRY = 2
const MOST_LOAD = 0.625
/** Parts that are looked at to tell how many words there are. */
const SAMPLES = 4
/** Words are few where the first rows have so many to a word. */
const FEW_WORDS = 8
/** The value of an empty slot. */
const NONE = 0xffffffff
/** What `partedInsert` returns. */
const FULL = 0
const ALL = 1

export interface PartedIndex {
  /** Rows `first` to `first + count`, at most 65,536, behind those before. */
  add(words: KeyWords, first: number, count: number): void
  /**
   * Once all have come; a step at a time.
   * @param wants whether values of words are their first rows, or ids of lists; with `either`, rows if no word has two. `values`: first rows, and those of all rows too.
   */
  finish(wants: 'lists' | 'first' | 'either' | 'values'): Iterable<undefined>
  /** Whether values are rows. */
  readonly hasRows: boolean
  /** Where they are ids: every one is below, and where lists are, as join.ts has them. */
  readonly idCount: number
  readonly starts: number
  readonly rows: number
  /** The value of each row's word, NONE where it has none: where that was asked for, until they are dropped. */
  readonly values: number
  dropValues(): void
  /** The value of each word in scratch; NONE where there is none. */
  find(words: KeyWords, count: number): number
  free(): void
}

/** @param rowCount of all rows that are to come. @param partRows for tests, which have no millions of rows */
export function createPartedIndex(k: Kernels, rowCount: number, partRows = PART_ROWS): PartedIndex {
  const { exports, memory } = k
  let bits = Math.min(MOST_BITS, Math.max(0, Math.floor(Math.log2(rowCount / partRows))))
  let parts = 2 ** bits
  const { a, b } = secretOf(k)
  let blocks: number[] = []
  let known = 0
  /** Words of the first rows, where they are few. */
  let fewWords = 0
  let slots = 0
  let size = 0
  /** Slots that have been made empty to be entered in: those of a part shortly before its rows are, so that they are in the caches then. */
  let emptied = 0
  let hasRows = false
  let entries = 0
  let starts = 0
  let rows = 0
  let values = 0
  /** Blocks that are needed while the table is filled. */
  const work: number[] = []

  const borrow = (byteLength: number): number => {
    const pointer = memory.allocate(byteLength)
    work.push(pointer)
    return pointer
  }
  const empty = (pointer: number, from: number, to: number) => {
    if (from < to) memory.u8.fill(0xff, pointer + SLOT_BYTES * from, pointer + SLOT_BYTES * to)
  }
  const open = (slotCount: number): number => {
    const pointer = memory.allocate(SLOT_BYTES * slotCount)
    empty(pointer, 0, slotCount)
    return pointer
  }
  const most = () => Math.floor(MOST_LOAD * size)

  /** About how many words there are, by those of some parts: no fewer than these have. */
  function estimate(counts: Uint32Array, state: number): number {
    if (fewWords > 0) return Math.min(known, 2 * fewWords)
    if (parts < 4 * SAMPLES) return known
    let [seen, found] = [0, 0]
    for (let i = 0; i < SAMPLES; i++) {
      const part = i * (parts / SAMPLES)
      const count = counts[part]
      // Of a word that very many rows have there is no more to learn.
      if (count === 0 || count > (4 * known) / parts) continue
      const own = 2 * count
      const pointer = open(own)
      memory.u32.set([blocks[0], 0, 0, count, 0], state >>> 2)
      while (exports.partedInsert(state, part, bits, a, b, pointer, own, bits, 0, 0) !== ALL);
      memory.free(pointer)
      seen += count
      found += memory.u32[(state >>> 2) + 2]
    }
    return seen === 0 ? known : Math.ceil(known * (found / seen))
  }

  /** Those that the rows of a part may come to: its stretch, what entries of the one before have taken of that, and as many slots behind it as there are rows. */
  function makeReady(part: number, count: number): void {
    const start = Math.floor((part * size) / parts)
    const end = Math.floor(((part + 1) * size) / parts)
    let over = 0
    while (start + over < emptied && memory.u32[(slots + SLOT_BYTES * (start + over)) / 4 + 2] !== NONE) over++
    const to = Math.min(size, end + over + count + 2)
    empty(slots, emptied, to)
    emptied = Math.max(emptied, to)
  }

  function grow(): void {
    const larger = 2 * size
    const pointer = open(larger)
    exports.partedMove(slots, emptied, a, b, pointer, larger)
    memory.free(slots)
    slots = pointer
    size = larger
    emptied = size
  }

  /** Whether all are in; not if a word has two rows and `stops`. */
  function* enter(counts: Uint32Array, state: number, ids: number, stops: boolean): Generator<undefined, boolean> {
    memory.u32.fill(0, state >>> 2, (state + STATE_BYTES) >>> 2)
    let place = 0
    let room = 0
    for (let part = 0; part < parts; part++) {
      const at = state >>> 2
      const base = memory.u32[at + 2]
      memory.u32[at] = blocks[0] ?? 0
      memory.u32[at + 1] = 0
      memory.u32[at + 3] = most()
      makeReady(part, counts[part])
      for (;;) {
        const before = memory.u32[at + 2] + memory.u32[at + 4] - place
        const done = exports.partedInsert(state, part, bits, a, b, slots, size, 0, ids && ids + 4 * before, values)
        if (done === ALL) break
        if (done === FULL) {
          grow()
          memory.u32[at + 3] = most()
        }
        yield
      }
      entries = memory.u32[at + 2]
      if (stops && memory.u32[at + 4] > 0) return false
      if (ids !== 0) {
        if (entries > room) {
          room = Math.min(known, Math.max(Math.ceil(1.1 * entries * (known / (place + counts[part]))), entries))
          starts = memory.reallocate(starts, 4 * room + 4)
        }
        exports.partedLists(blocks[0] ?? 0, part, bits, ids, counts[part], base, entries, place, starts, rows)
      }
      place += counts[part]
      yield
    }
    return true
  }

  function putBlock({ words, valid }: KeyWords, first: number, count: number): number {
    const mark = memory.mark()
    const having = valid === 0 ? count : countBits(k, valid, count)
    const room = memory.scratch(count)
    const block = memory.allocate(HEADER_BYTES + 4 * parts + ROW_BYTES * having)
    exports.partedSort(words, valid, count, bits, a, b, first, room, block)
    memory.reset(mark)
    return block
  }

  /** Takes the first rows as those of the only part, if their words are few: to part rows would then be in vain. */
  function takeFew(words: KeyWords, first: number, count: number): boolean {
    const wanted = bits
    bits = 0
    parts = 1
    const block = putBlock(words, first, count)
    const most = Math.ceil(count / FEW_WORDS)
    const own = SLOTS_PER_ENTRY * most + 16
    const state = memory.allocate(STATE_BYTES)
    const pointer = open(own)
    memory.u32.set([block, 0, 0, most, 0], state >>> 2)
    const isFew = exports.partedInsert(state, 0, 0, a, b, pointer, own, 0, 0, 0) === ALL
    if (isFew) {
      fewWords = memory.u32[(state >>> 2) + 2]
      blocks.push(block)
    } else {
      bits = wanted
      parts = 2 ** bits
      memory.free(block)
    }
    memory.free(pointer)
    memory.free(state)
    return isFew
  }

  const release = () => {
    for (const pointer of [...blocks, ...work]) memory.free(pointer)
    blocks = []
    work.length = 0
  }

  return {
    add(words, first, count) {
      if (blocks.length > 0 || bits === 0 || !takeFew(words, first, count)) {
        const block = putBlock(words, first, count)
        const last = blocks[blocks.length - 1]
        if (last !== undefined) memory.u32[last >>> 2] = block
        blocks.push(block)
      }
      known += memory.u32[(blocks[blocks.length - 1] + HEADER_BYTES + 4 * (parts - 1)) >>> 2]
    },
    *finish(wants) {
      const state = borrow(STATE_BYTES)
      const counted = borrow(4 * parts)
      exports.partedCounts(blocks[0] ?? 0, bits, counted)
      const counts = memory.u32.slice(counted >>> 2, (counted >>> 2) + parts)
      const expected = known === 0 ? 0 : estimate(counts, state)
      yield
      size = SLOTS_PER_ENTRY * expected + 16
      slots = memory.allocate(SLOT_BYTES * size)
      if (wants === 'values') {
        values = memory.allocate(4 * rowCount)
        memory.u8.fill(0xff, values, values + 4 * rowCount)
      }
      hasRows = wants === 'first' || wants === 'values' || (wants === 'either' && expected === known)
      if (hasRows && !(yield* enter(counts, state, 0, wants === 'either'))) {
        hasRows = false
        emptied = 0
      }
      if (!hasRows) {
        const most = counts.reduce((most, count) => Math.max(most, count), 0)
        rows = memory.allocate(4 * known + 4)
        starts = memory.allocate(4)
        memory.u32[starts >>> 2] = 0
        yield* enter(counts, state, borrow(4 * most + 4), false)
      }
      release()
    },
    get hasRows() {
      return hasRows
    },
    get idCount() {
      return entries
    },
    get starts() {
      return starts
    },
    get rows() {
      return rows
    },
    get values() {
      return values
    },
    dropValues() {
      memory.free(values)
      values = 0
    },
    find({ words, valid }, count) {
      const out = memory.scratch(4 * count)
      exports.partedFind(slots, size, a, b, words, valid, count, out)
      return out
    },
    free() {
      release()
      for (const pointer of [slots, starts, rows, values]) memory.free(pointer)
      slots = starts = rows = values = 0
    },
  }
}
