// Which rows have a key of one word. Rows are parted by a hash of their words as they come, and entered part by part: as the hash also tells the slot, those of a part are all in
// one stretch of the table, which is then in the caches.
//
//   block   | next block | first row | 0 | 0 | ends u32[parts] | words u64[count] | rows u16[count]: less the first |
//           rows that have a word, by part and then in their order; the stretch of part p is from the end before its own to its end
//   slots   { word u64 | value u32 }, 12 bytes each, value NONE where empty; linear probing, behind the last comes the first
//   state   | block | row of its stretch that is next | entries of the table | the most that it may have | rows whose word was there already |
//
// A value is the first row that has the word; or an id, and the rows of ids are lists as join.ts draws them. The top `bits` of a hash are the part; what follows the top `skipped`
// tells the slot: none of a table of all parts, and of one part's the bits that all its rows have.

import { hashWord } from './hash-table'

// @ts-ignore: decorator
@inline
const NONE: u32 = 0xffffffff
// @ts-ignore: decorator
@inline
const HEADER: usize = 16
// @ts-ignore: decorator
@inline
const SLOT: usize = 12
// @ts-ignore: decorator
@inline
const AT_ONCE: u32 = 100_000

// @ts-ignore: decorator
@inline
function isSet(bitmap: usize, row: u32): bool {
  return bitmap == 0 || ((load<u8>(bitmap + usize(row >> 3)) >> u8(row & 7)) & 1) != 0
}

// @ts-ignore: decorator
@inline
function slotOf(hash: u64, skipped: u32, slots: usize, size: u64): usize {
  return slots + usize((((hash << u64(skipped)) >> 32) * size) >> 32) * SLOT
}

/** Makes a block of at most 65,536 rows from row `first` on. `parts` is room for a byte a row. Returns how many of them have a word. */
export function partedSort(
  words: usize, valid: usize, count: u32, bits: u32, a: u64, b: u64, first: u32, parts: usize, block: usize,
): u32 {
  const shift = u64(63 - bits)
  const ends = block + HEADER
  const out = ends + (usize(4) << bits)
  store<u32>(block, 0)
  store<u32>(block, first, 4)
  memory.fill(ends, 0, out - ends)
  for (let i: u32 = 0; i < count; i++) {
    const part = u8((hashWord(load<u64>(words + (usize(i) << 3)), a, b) >> 1) >> shift)
    store<u8>(parts + usize(i), part)
    const slot = ends + (usize(part) << 2)
    store<u32>(slot, load<u32>(slot) + u32(isSet(valid, i)))
  }
  let total: u32 = 0
  for (let slot = ends; slot < out; slot += 4) {
    const own = load<u32>(slot)
    store<u32>(slot, total)
    total += own
  }
  const rows = out + (usize(total) << 3)
  for (let i: u32 = 0; i < count; i++) {
    if (!isSet(valid, i)) continue
    const slot = ends + (usize(load<u8>(parts + usize(i))) << 2)
    const to = usize(load<u32>(slot))
    store<u32>(slot, u32(to) + 1)
    store<u64>(out + (to << 3), load<u64>(words + (usize(i) << 3)))
    store<u16>(rows + (to << 1), u16(i))
  }
  return total
}

/** counts[p] = the rows of each part. */
export function partedCounts(block: usize, bits: u32, counts: usize): void {
  const bytes = usize(4) << bits
  memory.fill(counts, 0, bytes)
  for (; block; block = usize(load<u32>(block))) {
    let start: u32 = 0
    for (let at: usize = 0; at < bytes; at += 4) {
      const end = load<u32>(block + HEADER + at)
      store<u32>(counts + at, load<u32>(counts + at) + end - start)
      start = end
    }
  }
}

/**
 * Enters the rows of a part, from where `state` says on. With `ids` values are ids, in the order in which words are entered, and ids[i] is that of the part's row i; with
 * `values` values[row] is that of each row.
 * Returns 0 where the table has the most entries that it may have, 1 where all have been entered, and 2 after some 100,000 of them: others may have a turn.
 */
export function partedInsert(
  state: usize, part: u32, bits: u32, a: u64, b: u64, slots: usize, size: u32, skipped: u32, ids: usize, values: usize,
): u32 {
  const last = slots + (usize(size) - 1) * SLOT
  const most = load<u32>(state, 12)
  let block = usize(load<u32>(state))
  let done = load<u32>(state, 4)
  let entries = load<u32>(state, 8)
  let met = load<u32>(state, 16)
  const enough = entries + met + AT_ONCE
  for (; block && entries + met < enough; block = usize(load<u32>(block))) {
    const end = block + HEADER + (usize(part) << 2)
    const words = block + HEADER + (usize(4) << bits)
    const rows = words + (usize(load<u32>(words - 4)) << 3)
    const first = load<u32>(block, 4)
    const start = part ? load<u32>(end - 4) : 0
    for (let i = start + done, to = load<u32>(end); i < to; i++) {
      const word = load<u64>(words + (usize(i) << 3))
      let slot = slotOf(hashWord(word, a, b), skipped, slots, u64(size))
      let value = load<u32>(slot, 8)
      while (value != NONE && load<u64>(slot) != word) {
        slot = slot == last ? slots : slot + SLOT
        value = load<u32>(slot, 8)
      }
      const row = first + u32(load<u16>(rows + (usize(i) << 1)))
      if (value != NONE) met++
      else {
        if (entries == most) {
          store<u32>(state, u32(block))
          store<u32>(state, i - start, 4)
          store<u32>(state, entries, 8)
          store<u32>(state, met, 16)
          return 0
        }
        value = ids ? entries : row
        entries++
        store<u64>(slot, word)
        store<u32>(slot, value, 8)
      }
      if (ids) {
        store<u32>(ids, value)
        ids += 4
      }
      if (values) store<u32>(values + (usize(row) << 2), value)
    }
    done = 0
  }
  store<u32>(state, u32(block))
  store<u32>(state, 0, 4)
  store<u32>(state, entries, 8)
  store<u32>(state, met, 16)
  return block ? 2 : 1
}

/** What a table has, to another that is larger and empty. */
export function partedMove(from: usize, fromSize: u32, a: u64, b: u64, slots: usize, size: u32): void {
  const last = slots + (usize(size) - 1) * SLOT
  for (const end = from + usize(fromSize) * SLOT; from < end; from += SLOT) {
    const value = load<u32>(from, 8)
    if (value == NONE) continue
    const word = load<u64>(from)
    let slot = slotOf(hashWord(word, a, b), 0, slots, u64(size))
    while (load<u32>(slot, 8) != NONE) slot = slot == last ? slots : slot + SLOT
    store<u64>(slot, word)
    store<u32>(slot, value, 8)
  }
}

/** The lists of the ids [base, end), which are those of a part: its rows go to rows[place] and on. `ids` as `partedInsert` gives them. */
export function partedLists(
  block: usize, part: u32, bits: u32, ids: usize, count: u32, base: u32, end: u32, place: u32, starts: usize, rows: usize,
): void {
  // Where id i begins is counted in the place of i + 1, so that it is where i ends once its rows are there.
  const firstId = starts + (usize(base) << 2)
  const lastId = starts + (usize(end) << 2)
  memory.fill(firstId + 4, 0, lastId - firstId)
  for (let at = ids, to = ids + (usize(count) << 2); at < to; at += 4) {
    const slot = starts + (usize(load<u32>(at)) << 2)
    store<u32>(slot, load<u32>(slot, 4) + 1, 4)
  }
  for (let slot = firstId; slot < lastId; slot += 4) {
    const own = load<u32>(slot, 4)
    store<u32>(slot, place, 4)
    place += own
  }
  for (; block; block = usize(load<u32>(block))) {
    const end = block + HEADER + (usize(part) << 2)
    const words = block + HEADER + (usize(4) << bits)
    const numbers = words + (usize(load<u32>(words - 4)) << 3)
    const first = load<u32>(block, 4)
    for (let i = part ? load<u32>(end - 4) : 0, to = load<u32>(end); i < to; i++) {
      const slot = starts + (usize(load<u32>(ids)) << 2)
      ids += 4
      const at = load<u32>(slot, 4)
      store<u32>(rows + (usize(at) << 2), first + u32(load<u16>(numbers + (usize(i) << 1))))
      store<u32>(slot, at + 1, 4)
    }
  }
}

/** The value of each word; NONE for words that the table does not have, and rows without one. */
export function partedFind(
  slots: usize, size: u32, a: u64, b: u64, words: usize, valid: usize, count: u32, out: usize,
): void {
  const last = slots + (usize(size) - 1) * SLOT
  for (let i: u32 = 0; i < count; i++) {
    let value = NONE
    if (isSet(valid, i)) {
      const word = load<u64>(words + (usize(i) << 3))
      let slot = slotOf(hashWord(word, a, b), 0, slots, u64(size))
      value = load<u32>(slot, 8)
      while (value != NONE && load<u64>(slot) != word) {
        slot = slot == last ? slots : slot + SLOT
        value = load<u32>(slot, 8)
      }
    }
    store<u32>(out + (usize(i) << 2), value)
  }
}
