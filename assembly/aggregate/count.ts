// Counting values: rows are counted in slots (slots.ts), once for all aggregates; here are the nulls to take off, and for those
// that need no number whether a group has a value at all.
//
//   nulls     i64[groups]   rows whose validity bit is 0
//   present   u8[groups]    1 where a row with its validity bit set was seen

import { wordAt } from '../inline'

/** How many of the first `count` bits are set. */
export function countValid(validity: usize, count: u32): u32 {
  let set: u64 = 0
  for (let row: u32 = 0; row < count; row += 64) set += popcnt(wordAt(validity, row, count))
  return u32(set)
}

/** nulls[groups[i]] += 1 for each null row: what is rare is what is walked. */
export function countNulls(nulls: usize, groups: usize, validity: usize, count: u32): void {
  for (let row: u32 = 0; row < count; row += 64) {
    let word = ~load<u64>(validity + usize(row >> 3))
    if (count - row < 64) word &= u64.MAX_VALUE >> u64(64 - (count - row))
    while (word) {
      const at = nulls + (usize(load<u32>(groups + (usize(row + u32(ctz(word))) << 2))) << 3)
      store<i64>(at, load<i64>(at) + 1)
      word &= word - 1
    }
  }
}

/** present[groups[i]] = 1 for each row that is not null; all rows where `validity` is 0. */
export function countPresent(present: usize, groups: usize, validity: usize, count: u32): void {
  for (let row: u32 = 0; row < count; row += 64) {
    let word = wordAt(validity, row, count)
    while (word) {
      store<u8>(present + usize(load<u32>(groups + (usize(row + u32(ctz(word))) << 2))), 1)
      word &= word - 1
    }
  }
}

/** present[groupMap[g]] |= from[g] */
export function countMergePresent(present: usize, groupMap: usize, from: usize, groupCount: u32): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const at = present + usize(load<u32>(groupMap + (usize(group) << 2)))
    store<u8>(at, load<u8>(at) | load<u8>(from + usize(group)))
  }
}

/** out[g] = rows[g] - nulls[g], `stride` bytes from one count of rows to the next; `nulls` may be 0. */
export function countEvaluate(rows: usize, stride: usize, nulls: usize, groupCount: u32, out: usize): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    store<i64>(out, load<i64>(rows) - (nulls ? load<i64>(nulls + (usize(group) << 3)) : 0))
    rows += stride
    out += 8
  }
}

/** A bitmap of which counts are not 0. Returns how many. */
export function countBits(counts: usize, groupCount: u32, out: usize): u32 {
  let set: u32 = 0
  for (let group: u32 = 0; group < groupCount; group += 8) {
    let byte: u32 = 0
    for (let j: u32 = 0, end = min(8, groupCount - group); j < end; j++) {
      byte |= u32(load<i64>(counts) != 0) << j
      counts += 8
    }
    set += popcnt(byte)
    store<u8>(out++, u8(byte))
  }
  return set
}

/** A bitmap of which groups are present. Returns how many. */
export function countPresentBits(present: usize, groupCount: u32, out: usize): u32 {
  let set: u32 = 0
  for (let group: u32 = 0; group < groupCount; group += 8) {
    let byte: u32 = 0
    for (let j: u32 = 0, end = min(8, groupCount - group); j < end; j++) byte |= u32(load<u8>(present++)) << j
    set += popcnt(byte)
    store<u8>(out++, u8(byte))
  }
  return set
}
