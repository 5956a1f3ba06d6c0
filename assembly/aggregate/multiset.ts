// Distinct values of a group and how often each came: what a count of distinct values and a mode are made of. A pair of a group and a value is a
// key of a group table like any other (../hash.ts, ../direct.ts); here is what is kept for each pair.
//
//   counts   i64 for each index of the table, 0 where there is no pair, or no more: its rows were taken back
//
// Pairs are listed in order of first appearance: groups u32 (or 0: all of group 0), counts i64, and values or their images (min-max.ts). Where there are
// many they are dealt to 256 tables by a hash, and rows wait, parted like that (../partition.ts), until there are enough for each table.

import { textCompare } from '../text'

/**
 * counts[pairs[i]] += weights[i], or with `weights` 0 `weight`; distinct[groups[i]] (u32, with `groups` 0 that of group 0; `distinct` may be 0) says of how many
 * pairs of a group the count is not 0. Returns how many more there are of these: negative where fewer.
 */
export function multisetAdd(
  counts: usize, pairs: usize, count: u32, weights: usize, weight: i64, groups: usize, distinct: usize,
): i32 {
  let more: i32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const at = counts + (usize(load<u32>(pairs + (usize(i) << 2))) << 3)
    const before = load<i64>(at)
    const after = before + (weights ? load<i64>(weights + (usize(i) << 3)) : weight)
    store<i64>(at, after)
    const change = i32(after != 0) - i32(before != 0)
    more += change
    if (distinct) {
      const slot = distinct + (groupAt(groups, i) << 2)
      store<i32>(slot, load<i32>(slot) + change)
    }
  }
  return more
}

/** to[toPairs[i]] = from[fromPairs[i]]; 0 for a list stands for i. */
export function multisetMove(from: usize, fromPairs: usize, to: usize, toPairs: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const source = usize(fromPairs ? load<u32>(fromPairs + (usize(i) << 2)) : i)
    const target = usize(toPairs ? load<u32>(toPairs + (usize(i) << 2)) : i)
    store<i64>(to + (target << 3), load<i64>(from + (source << 3)))
  }
}

// @ts-ignore: decorator
@inline
function groupAt(groups: usize, i: u32): usize {
  return groups ? usize(load<u32>(groups + (usize(i) << 2))) : 0
}

/** distinct[g] (u32) += how many pairs there are of group g. */
export function multisetDistinct(groups: usize, counts: usize, count: u32, distinct: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = distinct + (groupAt(groups, i) << 2)
    store<u32>(at, load<u32>(at) + u32(load<i64>(counts + (usize(i) << 3)) != 0))
  }
}

/**
 * Lists (u32) the pairs whose group has a place; with `places` 0 every group has. Writes the places of their groups (u32) to `out`, and returns how
 * many pairs there are. Both lists have room for one more.
 */
export function multisetChoose(groups: usize, counts: usize, count: u32, places: usize, order: usize, out: usize): u32 {
  let chosen: usize = 0
  for (let i: u32 = 0; i < count; i++) {
    const group = groupAt(groups, i)
    const place = places ? load<u32>(places + (group << 2)) : u32(group)
    store<u32>(order + chosen, i)
    store<u32>(out + chosen, place)
    chosen += usize(place != u32.MAX_VALUE && load<i64>(counts + (usize(i) << 3)) != 0) << 2
  }
  return u32(chosen >> 2)
}

/**
 * least[g] = the image of the value that came most often in group g, of several the least; most[g] (i64, 0 at first) = how often. `images` begins with
 * that of pair `from`, the other lists with pair 0.
 */
// @ts-ignore: decorator
@inline
function best<I>(groups: usize, counts: usize, images: usize, from: u32, count: u32, most: usize, least: usize): void {
  for (let i: u32 = from; i < from + count; i++) {
    const group = groupAt(groups, i)
    const occurrences = load<i64>(counts + (usize(i) << 3))
    const greatest = load<i64>(most + (group << 3))
    const image = load<I>(images)
    images += sizeof<I>()
    if (occurrences < greatest || occurrences == 0) continue
    const at = least + group * sizeof<I>()
    if (occurrences == greatest && image >= load<I>(at)) continue
    store<I>(at, image)
    store<i64>(most + (group << 3), occurrences)
  }
}

export function multisetBest32(groups: usize, counts: usize, images: usize, from: u32, count: u32, most: usize, least: usize): void {
  best<i32>(groups, counts, images, from, count, most, least)
}

export function multisetBest64(groups: usize, counts: usize, images: usize, from: u32, count: u32, most: usize, least: usize): void {
  best<i64>(groups, counts, images, from, count, most, least)
}

/** The same of strings, by their bytes: least[g] is a code. */
export function multisetBestText(
  groups: usize, counts: usize, codes: usize, count: u32, most: usize, least: usize, offsets: usize, bytes: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const group = groupAt(groups, i)
    const occurrences = load<i64>(counts + (usize(i) << 3))
    const greatest = load<i64>(most + (group << 3))
    if (occurrences < greatest || occurrences == 0) continue
    const code = load<u32>(codes + (usize(i) << 2))
    const at = least + (group << 2)
    if (occurrences == greatest) {
      const mine = offsets + (usize(code) << 2)
      const other = offsets + (usize(load<u32>(at)) << 2)
      const mineAt = load<u32>(mine)
      const otherAt = load<u32>(other)
      const order = textCompare(
        bytes + usize(mineAt), load<u32>(mine, 4) - mineAt, bytes + usize(otherAt), load<u32>(other, 4) - otherAt,
      )
      if (order >= 0) continue
    }
    store<u32>(at, code)
    store<i64>(most + (group << 3), occurrences)
  }
}

/**
 * What ../partition.ts takes for a group: group << 8 | the partition, four bits of which are of a hash of the value, which other lanes find as well, and four of
 * one of group and value. Values are of 4 or 8 bytes; equal floats need equal hashes.
 */
export function multisetDeal(values: usize, bytes: u32, isFloat: bool, groups: usize, count: u32, seed: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    let word: u64
    if (bytes == 8) {
      word = load<u64>(values)
      if (isFloat) word = reinterpret<u64>(reinterpret<f64>(word) + 0.0)
    } else {
      word = u64(load<u32>(values))
      if (isFloat) word = u64(reinterpret<u32>(reinterpret<f32>(u32(word)) + f32(0)))
    }
    const isNaN = isFloat && (bytes == 8 ? (word & 0x7fffffffffffffff) > 0x7ff0000000000000 : (word & 0x7fffffff) > 0x7f800000)
    if (isNaN) word = 0
    const group = u32(groupAt(groups, i))
    // Not the hash by which a table finds its slots: all pairs of a table would begin in the same few.
    let hash = (word + u64(seed)) * 0xff51afd7ed558ccd
    hash = (hash ^ (hash >> 32)) * 0xc4ceb9fe1a85ec53
    const mixed = ((hash << 4 >> 4) ^ u64(group)) * 0x9e3779b97f4a7c15
    store<u32>(out, (group << 8) | (u32(hash >> 60) << 4) | u32(mixed >> 60))
    values += usize(bytes)
    out += 4
  }
}
