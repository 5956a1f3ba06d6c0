// Approximate quantiles: DDSketch (Masson, Rim, Lee 2019, arXiv:1908.10693), which counts values in buckets that are each at most
// gamma = (1 + error) / (1 - error) wide. Counts add and subtract, so a state is a function of the multiset of values alone, and rows
// can be taken back.
//
//   index    floor(multiplier * (e + p(s))) of a magnitude 2^e * (1 + s): p(s) = ((6/35 s - 3/5) s + 10/7) s is near log2(1 + s), from 0 to 1,
//            and p'(s) (1 + s) is at least 10/7, so that multiplier = 7/10 / ln(gamma) makes no bucket too wide (1% more buckets than with a
//            logarithm). Nothing but +, * and floor of doubles: the same index in every runtime. The multiplier is a millionth greater, which
//            is more than all rounding comes to.
//   bucket   index + bias, from 1 up, of a positive value; its negative of a negative one
//            0 of zeros and subnormals (below 2^-1022)     +-(2^30 - 2) of infinities     2^30 - 1 of NaN
//   key      u32   (bucket + 2^30) * 2
//   state    a group table (group-tables.ts): keys u32 | counts i32, above -2^30 and below 2^30; a slot of key + 1 counts what is beyond, in
//            steps of 2^30

import { isValid } from '../inline'
import {
  AHEAD, bucketOf, chosenTable, countOf, findSlot, GroupTable, insertKey, matches, readAhead, setCount, slotAt, slotCount, sortEntries, tableAt,
} from './group-tables'

// @ts-ignore: decorator
@inline
const STEP: i32 = 0x40000000
// @ts-ignore: decorator
@inline
const INFINITE: i32 = 0x3ffffffe
// @ts-ignore: decorator
@inline
const NOT_A_NUMBER: i32 = 0x3fffffff
// @ts-ignore: decorator
@inline
const A: f64 = 6.0 / 35.0
// @ts-ignore: decorator
@inline
const B: f64 = -3.0 / 5.0
// @ts-ignore: decorator
@inline
const C: f64 = 10.0 / 7.0

/** The keys of `count` doubles. Reads a double, and writes a key, past an odd count. */
export function ddSketchKeys(values: usize, count: u32, multiplier: f64, bias: f64, out: usize): void {
  const infinity = i64x2.splat(0x7ff0000000000000)
  for (const end = out + (usize(count) << 2); out < end; out += 8) {
    const bits = v128.load(values)
    const sign = v128.and(bits, i64x2.splat(i64.MIN_VALUE))
    const magnitude = v128.xor(bits, sign)
    // The exponent becomes a double as the low bits of 2^52.
    const e = f64x2.sub(
      v128.or(i64x2.shr_u(magnitude, 52), i64x2.splat(0x4330000000000000)), f64x2.splat(4503599627370496.0 + 1023.0),
    )
    const s = f64x2.sub(
      v128.or(v128.and(magnitude, i64x2.splat(0xfffffffffffff)), i64x2.splat(0x3ff0000000000000)), f64x2.splat(1),
    )
    const p = f64x2.mul(
      f64x2.add(f64x2.mul(f64x2.add(f64x2.mul(f64x2.splat(A), s), f64x2.splat(B)), s), f64x2.splat(C)), s,
    )
    let bucket = f64x2.add(f64x2.floor(f64x2.mul(f64x2.add(e, p), f64x2.splat(multiplier))), f64x2.splat(bias))
    bucket = v128.bitselect(f64x2.splat(f64(INFINITE)), bucket, i64x2.eq(magnitude, infinity))
    bucket = v128.and(bucket, i64x2.ge_s(magnitude, i64x2.splat(0x10000000000000)))
    bucket = v128.bitselect(f64x2.splat(f64(NOT_A_NUMBER)), v128.or(bucket, sign), i64x2.gt_s(magnitude, infinity))
    const keys = i32x4.shl(i32x4.add(i32x4.trunc_sat_f64x2_s_zero(bucket), i32x4.splat(STEP)), 1)
    v128.store64_lane(out, keys, 0)
    values += 16
  }
}

/**
 * Adds `by`, 1 or -1, to the count of keys[row] in the group of each row that is valid; `groups` and `validity` may be 0. Returns `count`, or
 * the row that it stopped before because the pool has no room.
 */
export function ddSketchAdd(
  pool: usize, tables: usize, groups: usize, keys: usize, validity: usize, from: u32, count: u32, by: i32,
): u32 {
  for (let row = from; row < count; row++) {
    if (groups && (row & (AHEAD - 1)) == 0) readAhead(tables, groups, keys, row, count, 2, 0)
    if (!isValid(validity, row)) continue
    const key = load<u32>(keys + (usize(row) << 2))
    const table = tableAt(tables, groups, row)
    const block = table.block
    if (block) {
      const bucket = bucketOf<u32>(block, table.shift, 2, key)
      const found = matches<u32>(bucket, key)
      if (found) {
        const slot = bucket + (usize(ctz(found)) << 2)
        const sum = i32(countOf<u32>(slot)) + by
        if (sum << 1 != i32.MIN_VALUE) {
          setCount<u32>(slot, sum)
          continue
        }
      }
    }
    if (!addCount(pool, table, key, by)) return row
  }
  return count
}

/** Adds entries, count i32 and key u32, to groups[i]; returns as `ddSketchAdd` does. */
export function ddSketchMerge(pool: usize, tables: usize, groups: usize, entries: usize, from: u32, count: u32): u32 {
  for (let i = from; i < count; i++) {
    const entry = entries + (usize(i) << 3)
    if (!addCount(pool, tableAt(tables, groups, i), load<u32>(entry, 4), load<i32>(entry))) return i
  }
  return count
}

/** Adds `by`, above -2^30 and below 2^30; false, and nothing is added, where the pool has no room. */
function addCount(pool: usize, table: GroupTable, key: u32, by: i32): bool {
  let slot: usize = 0
  if (table.block) slot = findSlot<u32>(table.block, table.shift, 2, key)
  if (slot == 0 || load<u32>(slot) != key) {
    slot = insertKey<u32>(pool, table, 2, slot, key)
    if (slot == 0) return false
  }
  let sum = i32(countOf<u32>(slot)) + by
  if (sum >= STEP || sum <= -STEP) {
    const step = sum < 0 ? -1 : 1
    if (!addCount(pool, table, key ^ 1, step)) return false
    sum -= step * STEP
    // The slot may be elsewhere now; it is there, since its count was not 0.
    slot = findSlot<u32>(table.block, table.shift, 2, key)
  }
  setCount<u32>(slot, sum)
  return true
}

/**
 * A table's entries that are not 0 to `out`, each key << 32 | count, and where `sorted` by key, a count and its steps of one sign.
 * Returns where they end; as many as the table uses are written to.
 */
function takeEntries(table: GroupTable, out: usize, sorted: bool): usize {
  const first = out
  for (let i: u32 = 0, slots = slotCount(table); i < slots; i++) {
    const slot = slotAt<u32>(table.block, 2, i)
    const count = countOf<u32>(slot)
    if (count == 0) continue
    store<u64>(out, (u64(load<u32>(slot)) << 32) | u64(count))
    out += 8
  }
  if (!sorted) return out
  sortEntries<u64, u64>(first, u32(out - first) >> 3)
  let to = first
  for (let at = first; at < out; ) {
    const key = load<u32>(at, 4) & ~1
    let count: i64 = 0
    for (; at < out && (load<u32>(at, 4) & ~1) == key; at += 8) count += totalOf(at)
    to = put(to, key, i32(count % STEP))
    to = put(to, key | 1, i32(count / STEP))
  }
  return to
}

// @ts-ignore: decorator
@inline
function put(at: usize, key: u32, count: i32): usize {
  if (count == 0) return at
  store<i32>(at, count)
  store<u32>(at, key, 4)
  return at + 8
}

/** The entries of each chosen group to `out`, end to end, and to lengths[i] how many. Returns how many in all. */
export function ddSketchTake(tables: usize, groups: usize, count: u32, lengths: usize, out: usize, sorted: bool): u32 {
  let to = out
  for (let i: u32 = 0; i < count; i++) {
    const end = takeEntries(chosenTable(tables, groups, i), to, sorted)
    store<u32>(lengths + (usize(i) << 2), u32(end - to) >> 3)
    to = end
  }
  return u32(to - out) >> 3
}

/**
 * For each group the value in the middle of the bucket that has the value of rank floor(q (n - 1)) of n; `room` is for the entries of the group
 * that has most. Of no values it is 0.
 */
export function ddSketchQuantiles(
  tables: usize, groupCount: u32, q: f64, multiplier: f64, bias: i32, room: usize, out: usize,
): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const end = takeEntries(chosenTable(tables, 0, group), room, true)
    let rest: i64 = 0
    for (let at = room; at < end; at += 8) rest += totalOf(at)
    rest = i64(floor<f64>(q * f64(rest - 1)))
    let at = room
    while (at < end && rest >= totalOf(at)) {
      rest -= totalOf(at)
      at += 8
    }
    const value = at < end ? valueOf(i32(load<u32>(at, 4) >> 1) - STEP, multiplier, bias) : 0
    store<f64>(out + (usize(group) << 3), value)
  }
}

// @ts-ignore: decorator
@inline
function totalOf(entry: usize): i64 {
  return i64(load<i32>(entry)) << ((load<u32>(entry, 4) & 1) * 30)
}

/** The value whose relative error is the same at both ends of a bucket: their harmonic mean. */
function valueOf(bucket: i32, multiplier: f64, bias: i32): f64 {
  if (bucket == 0) return 0
  if (bucket == NOT_A_NUMBER) return NaN
  const magnitude = abs(bucket)
  let value = Infinity
  if (magnitude != INFINITE) {
    const least = leastOf(magnitude - bias, multiplier)
    value = least / (0.5 + (0.5 * least) / leastOf(magnitude - bias + 1, multiplier))
  }
  return bucket < 0 ? -value : value
}

/** Where the bucket of an index begins, within the normal doubles. */
function leastOf(index: i32, multiplier: f64): f64 {
  const y = f64(index) / multiplier
  const e = floor<f64>(y)
  if (e < -1022) return reinterpret<f64>(0x10000000000000)
  if (e >= 1024) return f64.MAX_VALUE
  // Newton's steps to p(s) = y - e.
  let s = y - e
  for (let step = 0; step < 6; step++) {
    s -= (((A * s + B) * s + C) * s - (y - e)) / ((3 * A * s + 2 * B) * s + C)
  }
  return min(reinterpret<f64>(i64(e + 1023) << 52) * (1 + s), f64.MAX_VALUE)
}
