// Distinct values of a group and how often each came: what a count of distinct values and a mode are made of. A pair of a group and a value is a
// key of a group table like any other (../hash.ts, ../direct.ts); here is what is kept for each pair.
//
//   counts   i64 for each index of the table, 0 where there is no pair, or no more: its rows were taken back
//
// Pairs are listed in order of first appearance: groups u32 (or 0: all of group 0), counts i64, and values or their images (min-max.ts).

import { textCompare } from '../text'

/**
 * counts[pairs[i]] += weights[i], or with `weights` 0 `weight`. Returns how many more pairs have a count that is not 0: negative where fewer.
 */
export function multisetAdd(counts: usize, pairs: usize, count: u32, weights: usize, weight: i64): i32 {
  let more: i32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const at = counts + (usize(load<u32>(pairs + (usize(i) << 2))) << 3)
    const before = load<i64>(at)
    const after = before + (weights ? load<i64>(weights + (usize(i) << 3)) : weight)
    store<i64>(at, after)
    more += i32(after != 0) - i32(before != 0)
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

/** distinct[g] (u32, zeros) = how many pairs there are of group g. */
export function multisetDistinct(groups: usize, counts: usize, count: u32, distinct: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = distinct + (groupAt(groups, i) << 2)
    store<u32>(at, load<u32>(at) + u32(load<i64>(counts + (usize(i) << 3)) != 0))
  }
}

/** order[starts[g]++] = i for each pair of group g; groups whose start is 0xffffffff are passed over. */
export function multisetOrder(groups: usize, counts: usize, count: u32, starts: usize, order: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = starts + (groupAt(groups, i) << 2)
    const start = load<u32>(at)
    if (start == u32.MAX_VALUE || load<i64>(counts + (usize(i) << 3)) == 0) continue
    store<u32>(order + (usize(start) << 2), i)
    store<u32>(at, start + 1)
  }
}

/**
 * best[g] (u32, zeros) = the pair of group g with the greatest count, of several the least image; most[g] (i64, zeros) = its count, least[g] its image.
 * `images` begins with that of pair `from`, the other lists with pair 0.
 */
// @ts-ignore: decorator
@inline
function best<I>(groups: usize, counts: usize, images: usize, from: u32, count: u32, most: usize, best: usize, least: usize): void {
  for (let i: u32 = from; i < from + count; i++) {
    const group = groupAt(groups, i)
    const occurrences = load<i64>(counts + (usize(i) << 3))
    const greatest = load<i64>(most + (group << 3))
    const image = load<I>(images)
    images += sizeof<I>()
    if (occurrences < greatest || occurrences == 0) continue
    if (occurrences == greatest && image >= load<I>(least + group * sizeof<I>())) continue
    store<I>(least + group * sizeof<I>(), image)
    store<u32>(best + (group << 2), i)
    store<i64>(most + (group << 3), occurrences)
  }
}

export function multisetBest32(
  groups: usize, counts: usize, images: usize, from: u32, count: u32, most: usize, bests: usize, least: usize,
): void {
  best<i32>(groups, counts, images, from, count, most, bests, least)
}

export function multisetBest64(
  groups: usize, counts: usize, images: usize, from: u32, count: u32, most: usize, bests: usize, least: usize,
): void {
  best<i64>(groups, counts, images, from, count, most, bests, least)
}

/** The same of strings, by their bytes. */
export function multisetBestText(
  groups: usize, counts: usize, codes: usize, count: u32, most: usize, best: usize, offsets: usize, bytes: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const group = groupAt(groups, i)
    const occurrences = load<i64>(counts + (usize(i) << 3))
    const greatest = load<i64>(most + (group << 3))
    if (occurrences < greatest || occurrences == 0) continue
    const at = best + (group << 2)
    if (occurrences == greatest) {
      const mine = offsets + (usize(load<u32>(codes + (usize(i) << 2))) << 2)
      const other = offsets + (usize(load<u32>(codes + (usize(load<u32>(at)) << 2))) << 2)
      const mineAt = load<u32>(mine)
      const otherAt = load<u32>(other)
      const order = textCompare(
        bytes + usize(mineAt), load<u32>(mine, 4) - mineAt, bytes + usize(otherAt), load<u32>(other, 4) - otherAt,
      )
      if (order >= 0) continue
    }
    store<u32>(at, i)
    store<i64>(most + (group << 3), occurrences)
  }
}
