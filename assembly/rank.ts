// The order of a dictionary's entries by unsigned bytes. Most significant first: entries are sorted by seven bytes and a length at a
// time, and only runs that these leave tied go on to the next seven.
//
//   key   byte 7 .. 1: the next seven bytes of the entry, zeros beyond its end     byte 0: bytes left, at most 8
//
// The length in the last byte tells "a" from "a\0"; only entries with more than seven bytes left can tie.

import { sortIota, sortPairs } from './sort'
import { textCompare } from './text'

/** Runs up to this long are sorted by comparing, longer ones by their next bytes. */
// @ts-ignore: decorator
@inline
const SHORT_RUN: u32 = 48

/**
 * Writes the rank of every entry to `ranks`. Room to work: `entries` and `otherEntries` u32[count], `keys` and `otherKeys` u64[count],
 * `counts` 8 KiB, `pending` 12 bytes for each 48 entries and 12 more.
 */
export function rankEntries(
  offsets: usize, bytes: usize, count: u32, ranks: usize,
  entries: usize, otherEntries: usize, keys: usize, otherKeys: usize, counts: usize, pending: usize,
): void {
  sortIota(count, entries)
  let top = push(pending, 0, count, 0)
  while (top > pending) {
    top -= 12
    const from = load<u32>(top)
    const length = load<u32>(top, 4)
    const depth = load<u32>(top, 8)
    const wide = usize(from) << 3
    const narrow = usize(from) << 2
    for (let i: usize = 0; i < usize(length); i++) {
      store<u64>(keys + wide + (i << 3), keyOf(offsets, bytes, load<u32>(entries + narrow + (i << 2)), depth))
    }
    if (sortPairs(keys + wide, entries + narrow, otherKeys + wide, otherEntries + narrow, length, counts)) {
      memory.copy(keys + wide, otherKeys + wide, usize(length) << 3)
      memory.copy(entries + narrow, otherEntries + narrow, usize(length) << 2)
    }
    for (let i: u32 = 0; i < length; ) {
      const key = load<u64>(keys + wide + (usize(i) << 3))
      let next = i + 1
      while (next < length && load<u64>(keys + wide + (usize(next) << 3)) == key) next++
      const tied = next - i
      if (tied > SHORT_RUN) top = push(top, from + i, tied, depth + 7)
      else if (tied > 1) insertionSort(offsets, bytes, entries + narrow + (usize(i) << 2), tied, depth + 7)
      i = next
    }
  }
  for (let rank: u32 = 0; rank < count; rank++) {
    store<u32>(ranks + (usize(load<u32>(entries + (usize(rank) << 2))) << 2), rank)
  }
}

// @ts-ignore: decorator
@inline
function push(top: usize, from: u32, length: u32, depth: u32): usize {
  store<u32>(top, from)
  store<u32>(top, length, 4)
  store<u32>(top, depth, 8)
  return top + 12
}

// @ts-ignore: decorator
@inline
function keyOf(offsets: usize, bytes: usize, entry: u32, depth: u32): u64 {
  const at = offsets + (usize(entry) << 2)
  const start = load<u32>(at) + depth
  const left = load<u32>(at, 4) - start
  const word = bswap(load<u64>(bytes + usize(start)))
  const used = min<u32>(left, 7)
  const kept = used ? word & (u64.MAX_VALUE << (64 - (u64(used) << 3))) : 0
  return kept | u64(min<u32>(left, 8))
}

/** Sorts a run of entries that have their first `depth` bytes in common. */
function insertionSort(offsets: usize, bytes: usize, entries: usize, count: u32, depth: u32): void {
  for (let i: u32 = 1; i < count; i++) {
    const entry = load<u32>(entries + (usize(i) << 2))
    const at = offsets + (usize(entry) << 2)
    const start = load<u32>(at) + depth
    const left = load<u32>(at, 4) - start
    let j = i
    while (j > 0) {
      const before = load<u32>(entries + (usize(j - 1) << 2))
      const other = offsets + (usize(before) << 2)
      const otherStart = load<u32>(other) + depth
      if (textCompare(bytes + usize(otherStart), load<u32>(other, 4) - otherStart, bytes + usize(start), left) <= 0) break
      store<u32>(entries + (usize(j) << 2), before)
      j--
    }
    store<u32>(entries + (usize(j) << 2), entry)
  }
}
