/**
 * Strings in a lane: a growing dictionary of distinct byte strings in WebAssembly memory, and predicates over its entries.
 * A column of strings is a column of codes, so what is asked of a string is asked once per distinct string. The layout is
 * drawn in assembly/text.ts, how entries are put in order in assembly/rank.ts.
 */
import { Dictionary, shifted } from '../columnar/dictionary.js'
import { decodeUtf8 } from '../columnar/utf8.js'
import { MillraceError } from '../errors.js'
import { bitmapBytes } from './bitmap.js'
import type { Kernels } from './instance.js'
import { withBlocks } from './memory.js'
import { type CompareOp, OUTCOMES } from './operand.js'

const HEADER_BYTES = 36
/** Word indices in the header: see `StringTable` in assembly/text.ts. */
const OFFSETS = 0
const BYTES = 1
const SLOTS = 2
const COUNT = 3
const CAPACITY = 4
const BYTE_CAPACITY = 5
const SLOT_MASK = 6

/** Offsets leave a lane as int32. */
const MOST_BYTES = 2 ** 31 - 1
/** What an entry takes beside its bytes: an offset, and slots. */
export const ENTRY_BYTES = 20
const MOST_MAPS = 8
const MOST_TABLES = 16
const ENTRIES_AT_ONCE = 65_536
/** Of a dictionary with at least so many entries for each row of a batch, those are mapped that lie in the same blocks as the batch's own. */
const SPARSE_ENTRIES = 4
const BLOCK_ENTRIES = 1024

interface CodeMap {
  readonly dictionary: Dictionary
  /** u32 per entry of `dictionary`; 0 while every entry has the same code here as there. */
  pointer: number
  capacity: number
  /** Entries of `dictionary` that have been mapped. */
  length: number
  /** Where not all up to some entry are: how many have been mapped of each block. */
  blocks: Uint16Array | null
}

interface Lookup {
  pointer: number
  capacity: number
  length: number
}

const encoder = new TextEncoder()

let made = 0

/**
 * The distinct strings of one column of one lane. It only grows: a code stays good, and equal strings have equal codes.
 * It owns its blocks until `free`.
 */
export class LaneDictionary {
  /** No other of this thread has it. */
  readonly id = made++
  private readonly k: Kernels
  private readonly header: number
  private readonly maps: CodeMap[] = []
  /** Insertion order is recency: the first is the next to go. */
  private readonly lookups = new Map<string, Lookup>()
  private mirror: Dictionary | null = null
  private hashPointer = 0
  private hashLength = 0
  private hashCapacity = 0
  private printed: { readonly length: number; readonly mixed: number } | null = null
  private rankPointer = 0
  private rankLength = 0
  /** Entries were taken over as they are, and slots have none of them yet. */
  private isUnentered = false

  constructor(k: Kernels) {
    this.k = k
    const { memory } = k
    const slotCount = 32
    const blocks: number[] = []
    try {
      for (const byteLength of [HEADER_BYTES, 4 * 17, 256, 8 * slotCount]) blocks.push(memory.allocate(byteLength))
    } catch (error) {
      for (const block of blocks) memory.free(block)
      throw error
    }
    const [header, offsets, bytes, slots] = blocks
    this.header = header
    memory.bytes(slots, 8 * slotCount).fill(0)
    // Entry 0 of an empty dictionary is what a null row's code names: it must be harmless to read.
    memory.u32.fill(0, offsets >>> 2, (offsets >>> 2) + 2)
    memory.u32.set([offsets, bytes, slots, 0, 16, 256, slotCount - 1, k.seed], this.header >>> 2)
  }

  /** Where its StringTable is, for kernels that intern; moves never. */
  get table(): number {
    this.enter()
    return this.header
  }

  /** Entries so far; codes are below it. */
  get length(): number {
    return this.field(COUNT)
  }

  /** Pointer to `length + 1` u32 offsets; moves as the dictionary grows. */
  get offsets(): number {
    return this.field(OFFSETS)
  }

  /** Pointer to all entries' bytes, end to end; moves as the dictionary grows. */
  get bytes(): number {
    return this.field(BYTES)
  }

  get byteLength(): number {
    return this.k.memory.u32[(this.offsets >>> 2) + this.length]
  }

  /** Of its strings and what finds them, about. */
  get storedBytes(): number {
    return this.byteLength + ENTRY_BYTES * this.length
  }

  /** Bytes that one more entry may call for: its largest block is then there twice over, beside itself. */
  get growthBytes(): number {
    return 2 * Math.max(this.field(BYTE_CAPACITY), 8 * (this.field(SLOT_MASK) + 1))
  }

  /**
   * Writes one code per string to `codes` (u32, caller's), adding the strings that are new. `offsets` (u32, rowCount + 1)
   * and `bytes` lie in the lane's memory with 16 readable bytes behind; rows that `validity` (or 0) calls null get code 0.
   * @throws MillraceError `MR_MEMORY_LIMIT`
   */
  intern(offsets: number, bytes: number, validity: number, rowCount: number, codes: number): void {
    const { exports, memory } = this.k
    this.internBy(
      rowCount,
      (header, row) => exports.textIntern(header, offsets, bytes, validity, row, rowCount, codes),
      row => memory.u32[(offsets >>> 2) + row + 1] - memory.u32[(offsets >>> 2) + row],
    )
  }

  /**
   * For kernels that intern what they read: `step` is given the header's pointer and the row to begin with, and returns the row whose string found no
   * room, or `rowCount`; `lengthOf` such a row is the most bytes that it can have.
   * @throws MillraceError `MR_MEMORY_LIMIT`
   */
  internBy(rowCount: number, step: (header: number, row: number) => number, lengthOf: (row: number) => number): void {
    this.enter()
    for (let row = 0; row < rowCount; ) {
      row = step(this.header, row) >>> 0
      if (row < rowCount) this.makeRoom(lengthOf(row))
    }
  }

  /** Writes one code per string to `codes` (i32, caller's), -1 for a string that is not here; adds nothing. */
  find(offsets: number, bytes: number, count: number, codes: number): void {
    this.enter()
    this.k.exports.textFind(this.header, offsets, bytes, count, codes)
  }

  /** The codes of JavaScript strings, added where new: for literals, not for columns. */
  internStrings(values: readonly string[]): Uint32Array {
    const { memory } = this.k
    const mark = memory.mark()
    const { offsets, bytes } = this.encode(values)
    const codes = memory.scratch(4 * values.length)
    this.intern(offsets, bytes, 0, values.length, codes)
    const result = memory.u32.slice(codes >>> 2, (codes >>> 2) + values.length)
    memory.reset(mark)
    return result
  }

  /**
   * Where each entry of `dictionary` is here: a pointer to u32 codes (owned by this, good until the next call), or 0 where all
   * codes are the same, so that a column of codes can be copied as it is. Entries are interned once; what was mapped is
   * remembered for the few dictionaries seen last, and only their new entries are mapped again.
   * @param codes those that are wanted, where not all are
   */
  codeMap(dictionary: Dictionary, codes: Int32Array | null = null): number {
    const index = this.maps.findIndex(map => map.dictionary === dictionary)
    let map = this.maps[index]
    if (map === undefined) {
      map = { dictionary, pointer: 0, capacity: 0, length: 0, blocks: null }
      if (this.maps.length === MOST_MAPS) this.k.memory.free((this.maps.pop() as CodeMap).pointer)
      this.maps.unshift(map)
    } else if (index > 0) {
      this.maps.splice(index, 1)
      this.maps.unshift(map)
    }
    if (codes !== null && (map.blocks !== null || this.isSparse(map, codes.length))) {
      this.extendBlocks(map, codes)
      return map.pointer
    }
    while (map.length < dictionary.length)
      this.extendMap(map, Math.min(map.length + ENTRIES_AT_ONCE, dictionary.length))
    return map.pointer
  }

  /** Lets go of the dictionaries that were mapped, which whoever made them may be done with: one that comes again is mapped anew. */
  forgetMaps(): void {
    for (const { pointer } of this.maps.splice(0)) this.k.memory.free(pointer)
  }

  /** Entry `code` as a JavaScript string, decoded anew. */
  get(code: number): string {
    const { u8, u32 } = this.k.memory
    const at = (this.offsets >>> 2) + code
    const { bytes } = this
    return decodeUtf8(u8, bytes + u32[at], bytes + u32[at + 1])
  }

  /** Entries `from` to `to` as fresh JavaScript buffers (offsets begin at 0): what a peer that has the first `from` lacks. */
  entries(from: number, to = this.length): { offsets: Int32Array<ArrayBuffer>; bytes: Uint8Array<ArrayBuffer> } {
    const { memory } = this.k
    const at = this.offsets >>> 2
    const start = memory.u32[at + from]
    const offsets = shifted(memory.i32.slice(at + from, at + to + 1), -start) as Int32Array<ArrayBuffer>
    return { offsets, bytes: memory.bytes(this.bytes + start, offsets[to - from]).slice() }
  }

  /** One JavaScript dictionary with the same codes, brought up to date by each call: for results that stay in this thread. */
  toDictionary(): Dictionary {
    if (this.mirror === null) {
      this.mirror = new Dictionary()
      this.mirror.isDistinct = true
      this.mirror.laneId = this.id
    }
    const { length } = this.mirror
    if (length < this.length) {
      const { memory } = this.k
      const at = this.offsets >>> 2
      // What they are copied to is the mirror's.
      this.mirror.append(
        memory.i32.subarray(at + length, at + this.length + 1),
        memory.bytes(this.bytes, this.byteLength),
      )
    }
    return this.mirror
  }

  /** A byte per entry (pointer, good until the next call): 1 where `entry <op> literal` by unsigned bytes. Kept and extended. */
  matches(op: CompareOp, literal: string): number {
    return this.lookup(`${op} ${literal}`, (from, to, lut) => {
      const { memory, exports } = this.k
      const mark = memory.mark()
      const text = this.encode([literal])
      const length = memory.u32[(text.offsets >>> 2) + 1]
      exports.textMatch(this.offsets, this.bytes, from, to, text.bytes, length, OUTCOMES[op], lut)
      memory.reset(mark)
    })
  }

  /** A byte per entry (pointer, good until the next call): 1 where the entry is among `values`. Kept and extended. */
  memberOf(values: readonly string[]): number {
    return this.lookup(`in ${JSON.stringify(values)}`, (from, to, lut) => {
      const { memory, exports } = this.k
      const mark = memory.mark()
      const set = new LaneDictionary(this.k)
      set.internStrings(values)
      const codes = memory.scratch(4 * (to - from))
      set.find(this.offsets + 4 * from, this.bytes, to - from, codes)
      exports.textFound(codes, to - from, lut + from)
      set.free()
      memory.reset(mark)
    })
  }

  /** A bitmap in scratch over `count` codes: bit i is lut[codes[i]]. */
  lookupBits(codes: number, lut: number, count: number): number {
    const { memory, exports } = this.k
    const bits = memory.scratch(bitmapBytes(count))
    exports.textLookup(codes, count, lut, bits)
    return bits
  }

  /** The place of each entry in the order of unsigned bytes: u32 pointer, good until the dictionary grows. Kept until then. */
  ranks(): number {
    const { memory, exports } = this.k
    const count = this.length
    if (this.rankPointer !== 0 && this.rankLength === count) return this.rankPointer
    // Until they are all there, none are: running out of memory halfway must not leave wrong ranks behind.
    this.rankLength = -1
    this.rankPointer = memory.reallocate(this.rankPointer, 4 * count)
    const runs = Math.floor(count / 48) + 2
    const sizes = [4 * count, 4 * count, 8 * count, 8 * count, 8 * 256 * 4, 12 * runs]
    withBlocks(memory, sizes, ([entries, otherEntries, keys, otherKeys, counts, pending]) => {
      const room = [entries, otherEntries, keys, otherKeys, counts, pending] as const
      exports.rankEntries(this.offsets, this.bytes, count, this.rankPointer, ...room)
    })
    this.rankLength = count
    return this.rankPointer
  }

  /** A hash of each entry's bytes (u32 pointer, good until the dictionary grows), seeded: the same in every lane of an engine. Kept, and extended. */
  hashes(): number {
    const { length } = this
    if (this.hashCapacity < length || this.hashPointer === 0) {
      const capacity = this.field(CAPACITY)
      this.hashPointer = this.k.memory.reallocate(this.hashPointer, 4 * capacity)
      this.hashCapacity = capacity
    }
    if (this.hashLength < length) this.k.exports.textHashes(this.header, this.hashLength, this.hashPointer)
    this.hashLength = length
    return this.hashPointer
  }

  /** Equal for dictionaries of an engine's lanes that have the same entries under the same codes, and hardly for others. */
  fingerprint(): number {
    const { length, printed } = this
    if (printed?.length === length) return printed.mixed
    const at = this.hashes() >>> 2
    const { u32 } = this.k.memory
    let mixed = 0
    for (let code = 0; code < length; code++) mixed = (Math.imul(mixed, 31) + u32[at + code]) | 0
    this.printed = { length, mixed }
    return mixed
  }

  /** Gives all blocks back; columns of these codes must not be used any more. */
  free(): void {
    const { memory } = this.k
    for (const field of [OFFSETS, BYTES, SLOTS]) memory.free(this.field(field))
    this.forgetMaps()
    for (const { pointer } of this.lookups.values()) memory.free(pointer)
    memory.free(this.hashPointer)
    memory.free(this.rankPointer)
    memory.free(this.header)
    this.hashPointer = 0
    this.rankPointer = 0
    this.lookups.clear()
  }

  private field(word: number): number {
    return this.k.memory.u32[(this.header >>> 2) + word]
  }

  private setField(word: number, value: number): void {
    this.k.memory.u32[(this.header >>> 2) + word] = value
  }

  /**
   * Room for one more entry of so many bytes, for a kernel that found none.
   * @throws MillraceError `MR_MEMORY_LIMIT`
   */
  makeRoom(byteLength: number): void {
    const { memory } = this.k
    const count = this.length
    const capacity = this.field(CAPACITY)
    if (count === capacity) {
      this.setField(OFFSETS, memory.reallocate(this.offsets, 4 * (capacity * 2 + 1)))
      this.setField(CAPACITY, capacity * 2)
    }
    if (count * 2 >= this.field(SLOT_MASK)) this.growSlots()
    const least = this.byteLength + byteLength
    this.makeBytes(least)
  }

  private makeBytes(least: number): void {
    const { memory } = this.k
    const byteCapacity = this.field(BYTE_CAPACITY)
    if (least > byteCapacity) {
      if (least > MOST_BYTES) {
        throw new MillraceError(
          'MR_MEMORY_LIMIT',
          `the distinct strings of one column come to more than ${MOST_BYTES} bytes in one lane; use more lanes, or drop the column`,
          { requestedBytes: least, maximumBytes: MOST_BYTES },
        )
      }
      const larger = Math.min(MOST_BYTES, Math.max(least, byteCapacity * 2))
      this.setField(BYTES, memory.reallocate(this.bytes, larger))
      this.setField(BYTE_CAPACITY, larger)
    }
  }

  /** Entries that follow on from those there are, distinct from them and from one another. */
  private takeOver(offsets: number, bytes: number, count: number): void {
    const { memory } = this.k
    const before = this.length
    const end = this.byteLength
    const byteLength = memory.u32[(offsets >>> 2) + count]
    const capacity = this.field(CAPACITY)
    if (before + count > capacity) {
      const larger = Math.max(before + count, capacity * 2)
      this.setField(OFFSETS, memory.reallocate(this.offsets, 4 * (larger + 1)))
      this.setField(CAPACITY, larger)
    }
    this.makeBytes(end + byteLength)
    memory.u8.copyWithin(this.bytes + end, bytes, bytes + byteLength)
    const { u32 } = memory
    const [from, to] = [offsets >>> 2, (this.offsets >>> 2) + before]
    for (let i = 1; i <= count; i++) u32[to + i] = end + u32[from + i]
    this.setField(COUNT, before + count)
    this.isUnentered = true
  }

  /** Entries that were taken over are looked up from now on. */
  private enter(): void {
    if (!this.isUnentered) return
    const { memory, exports } = this.k
    let slotCount = this.field(SLOT_MASK) + 1
    while (slotCount <= 2 * this.length + 1) slotCount *= 2
    if (slotCount > this.field(SLOT_MASK) + 1) {
      const slots = memory.allocate(8 * slotCount)
      memory.free(this.field(SLOTS))
      this.setField(SLOTS, slots)
      this.setField(SLOT_MASK, slotCount - 1)
      memory.bytes(slots, 8 * slotCount).fill(0)
    }
    exports.textEnter(this.header)
    this.isUnentered = false
  }

  private growSlots(): void {
    const { memory, exports } = this.k
    const oldSlots = this.field(SLOTS)
    const oldCount = this.field(SLOT_MASK) + 1
    const newCount = oldCount * 2
    const slots = memory.allocate(8 * newCount)
    memory.bytes(slots, 8 * newCount).fill(0)
    exports.textRehash(oldSlots, oldCount, slots, newCount - 1)
    memory.free(oldSlots)
    this.setField(SLOTS, slots)
    this.setField(SLOT_MASK, newCount - 1)
  }

  private encode(values: readonly string[]): { offsets: number; bytes: number } {
    const { memory } = this.k
    const encoded = values.map(value => encoder.encode(value))
    const offsets = memory.scratch(4 * (values.length + 1))
    const bytes = memory.scratch(encoded.reduce((sum, { length }) => sum + length, 16))
    let end = 0
    for (const [i, text] of encoded.entries()) {
      memory.u32[(offsets >>> 2) + i] = end
      memory.u8.set(text, bytes + end)
      end += text.length
    }
    memory.u32[(offsets >>> 2) + values.length] = end
    return { offsets, bytes }
  }

  private extendMap(map: CodeMap, to: number): void {
    const { memory } = this.k
    const from = map.length
    const mark = memory.mark()
    const codes = memory.scratch(4 * (to - from))
    const { offsets, bytes } = this.copyEntries(map.dictionary, from, to)
    // Lanes that were fed from one dictionary have the same entries: comparing them costs a fraction of looking each one up.
    if (map.pointer === 0 && to <= this.length && this.hasEntries(offsets, bytes, from, to)) {
      map.length = to
      memory.reset(mark)
      return
    }
    const isAll = map.pointer === 0 && from === this.length && (from === 0 || this.isUnentered)
    if (isAll && map.dictionary.isDistinct) {
      this.takeOver(offsets, bytes, to - from)
      map.length = to
      memory.reset(mark)
      return
    }
    this.intern(offsets, bytes, 0, to - from, codes)
    if (map.pointer === 0 && !isIota(memory.u32, codes >>> 2, to - from, from)) {
      // The first code that differs: from here on the map is written out.
      map.capacity = Math.max(to, map.dictionary.length)
      map.pointer = memory.allocate(4 * map.capacity)
      for (let code = 0; code < from; code++) memory.u32[(map.pointer >>> 2) + code] = code
    }
    if (map.pointer !== 0) {
      if (map.capacity < to) {
        const capacity = Math.max(map.dictionary.length, map.capacity * 2)
        map.pointer = memory.reallocate(map.pointer, 4 * capacity)
        map.capacity = capacity
      }
      memory.u32.copyWithin((map.pointer >>> 2) + from, codes >>> 2, (codes >>> 2) + to - from)
    }
    map.length = to
    memory.reset(mark)
  }

  /** Whether little of a dictionary comes with so many rows, and it has other entries than this. */
  private isSparse({ dictionary, length }: CodeMap, rowCount: number): boolean {
    if (length > 0 || this.length === 0 || dictionary.length < SPARSE_ENTRIES * rowCount) return false
    if (dictionary.length < ENTRIES_AT_ONCE) return false
    const { memory } = this.k
    const mark = memory.mark()
    const count = Math.min(this.length, BLOCK_ENTRIES)
    const { offsets, bytes } = this.copyEntries(dictionary, 0, count)
    const isOther = !this.hasEntries(offsets, bytes, 0, count)
    memory.reset(mark)
    return isOther
  }

  private extendBlocks(map: CodeMap, codes: Int32Array): void {
    const { memory } = this.k
    const { dictionary } = map
    const { length } = dictionary
    const blockCount = Math.ceil(length / BLOCK_ENTRIES)
    if (map.capacity < length) {
      const capacity = Math.max(length, 2 * map.capacity)
      map.pointer = memory.reallocate(map.pointer, 4 * capacity)
      map.capacity = capacity
      const blocks = new Uint16Array(Math.ceil(capacity / BLOCK_ENTRIES))
      blocks.set(map.blocks ?? [])
      map.blocks = blocks
    }
    const blocks = map.blocks as Uint16Array
    const wanted = new Uint8Array(blockCount)
    for (let i = 0; i < codes.length; i++) wanted[Math.floor(codes[i] / BLOCK_ENTRIES)] = 1
    for (let block = 0; block < blockCount; block++) {
      const from = block * BLOCK_ENTRIES + blocks[block]
      const to = Math.min(length, (block + 1) * BLOCK_ENTRIES)
      if (wanted[block] === 0 || from >= to) continue
      const mark = memory.mark()
      const { offsets, bytes } = this.copyEntries(dictionary, from, to)
      this.intern(offsets, bytes, 0, to - from, map.pointer + 4 * from)
      memory.reset(mark)
      blocks[block] += to - from
    }
  }

  private hasEntries(offsets: number, bytes: number, from: number, to: number): boolean {
    return Boolean(this.k.exports.textSame(this.offsets + 4 * from, this.bytes, offsets, bytes, to - from))
  }

  private copyEntries(dictionary: Dictionary, from: number, to: number): { offsets: number; bytes: number } {
    const { memory } = this.k
    const source = dictionary.offsets
    const start = source[from]
    const offsets = memory.scratch(4 * (to - from + 1))
    const bytes = memory.scratch(source[to] - start + 16)
    memory.u8.set(dictionary.bytes.subarray(start, source[to]), bytes)
    const { u32 } = memory
    for (let i = 0; i <= to - from; i++) u32[(offsets >>> 2) + i] = source[from + i] - start
    return { offsets, bytes }
  }

  private lookup(key: string, fill: (from: number, to: number, lut: number) => void): number {
    const { memory } = this.k
    let lookup = this.lookups.get(key)
    this.lookups.delete(key)
    lookup ??= { pointer: 0, capacity: 0, length: 0 }
    if (this.lookups.size === MOST_TABLES) {
      const [oldest] = this.lookups.keys()
      memory.free(this.lookups.get(oldest)?.pointer ?? 0)
      this.lookups.delete(oldest)
    }
    this.lookups.set(key, lookup)
    const { length } = this
    if (lookup.capacity < length || lookup.pointer === 0) {
      const capacity = Math.max(64, length, lookup.capacity * 2)
      lookup.pointer = memory.reallocate(lookup.pointer, capacity)
      lookup.capacity = capacity
    }
    if (lookup.length < length) fill(lookup.length, length, lookup.pointer)
    lookup.length = length
    return lookup.pointer
  }
}

function isIota(values: Uint32Array, at: number, count: number, first: number): boolean {
  for (let i = 0; i < count; i++) if (values[at + i] !== first + i) return false
  return true
}
