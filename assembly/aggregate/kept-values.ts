// Medians and quantiles of all values of a group: rows are kept as they come, parted by group (../partition.ts); only results put a partition's
// values side by side, group by group, and look for their order statistics (../order-statistics.ts).
//
//   values of a partition   | group 0: images ... | group 1 ... |      ends u32[groups]: behind the last of each
//   image    i32 or i64     as aggregate/min-max.ts has them, but 4 bytes where the value has no more: a uint32 with its top bit turned, a float32

import { orderStatistics } from '../order-statistics'

/** Turns values into images in place. `kind`: 0 int32 or int64 (nothing to do), 1 uint32, 2 float32, 3 float64. May write up to 12 bytes more. */
export function keptImages(kind: u32, values: usize, count: u32): void {
  const end = values + (usize(count) << (kind == 3 ? 3 : 2))
  if (kind == 1) {
    for (; values < end; values += 16) v128.store(values, v128.xor(v128.load(values), i32x4.splat(i32.MIN_VALUE)))
  } else if (kind == 2) {
    for (; values < end; values += 16) {
      const x = v128.load(values)
      const bits = v128.bitselect(f32x4.add(x, f32x4.splat(0)), i32x4.splat(0x7fc00000), f32x4.eq(x, x))
      v128.store(values, v128.xor(bits, i32x4.shr_u(i32x4.shr_s(bits, 31), 1)))
    }
  } else if (kind == 3) {
    for (; values < end; values += 16) {
      const x = v128.load(values)
      const bits = v128.bitselect(f64x2.add(x, f64x2.splat(0)), i64x2.splat(0x7ff8000000000000), f64x2.eq(x, x))
      v128.store(values, v128.xor(bits, i64x2.shr_u(i64x2.shr_s(bits, 63), 1)))
    }
  }
}

// @ts-ignore: decorator
@inline
function valueOf<I>(kind: u32, image: I): f64 {
  if (sizeof<I>() == 8) return kind ? reinterpret<f64>(i64(image) ^ i64(u64(i64(image) >> 63) >> 1)) : f64(image)
  if (kind == 2) return f64(reinterpret<f32>(i32(image) ^ i32(u32(i32(image) >> 31) >> 1)))
  return kind ? f64(u32(image) ^ 0x80000000) : f64(image)
}

/** As src/kernels/aggregate/kept-values.ts defines it, for a <= b in the order where NaN is greatest, and 0 < t < 1. */
function between(a: f64, b: f64, t: f64): f64 {
  if (a == b) return a
  if (t == 0.5) {
    const sum = a + b
    return Math.abs(sum) == Infinity ? a / 2 + b / 2 : sum / 2
  }
  const distance = b - a
  return distance < Infinity ? min(a + t * distance, b) : a * (1 - t) + b * t
}

/**
 * out[q * column + g * stride] (bytes) = the quantile qs[q] of group g; what is there stays for groups without values. `qs` ascend. `room` is 16 bytes a q
 * for ranks and found values, 4 for places (both rounded up to 16), and what orderStatistics needs.
 */
// @ts-ignore: decorator
@inline
function quantiles<I>(
  kind: u32, values: usize, other: usize, ends: usize, groups: u32, qs: usize, qCount: u32, room: usize, budget: u32,
  out: usize, stride: usize, column: usize,
): void {
  const ranks = room
  const found = ranks + ((usize(qCount) << 3) + 15 & ~15)
  const places = found + (usize(qCount) << 4)
  const rest = places + ((usize(qCount) << 2) + 15 & ~15)
  let from: u32 = 0
  for (let group: u32 = 0; group < groups; group++) {
    const end = load<u32>(ends + (usize(group) << 2))
    const count = end - from
    if (count) {
      // Which ranks are wanted: one or two a q, each once.
      let rankCount: u32 = 0
      let known: i64 = -1
      for (let q: u32 = 0; q < qCount; q++) {
        const height = f64(count - 1) * load<f64>(qs + (usize(q) << 3))
        const rank = i64(height)
        if (rank > known) {
          store<u32>(ranks + (usize(rankCount++) << 2), u32(rank))
          known = rank
        }
        store<u32>(places + (usize(q) << 2), rankCount - 1 - u32(known - rank))
        if (height > f64(rank) && rank == known) {
          store<u32>(ranks + (usize(rankCount++) << 2), u32(++known))
        }
      }
      const start = usize(from) * sizeof<I>()
      orderStatistics<I>(values + start, other + start, count, ranks, rankCount, found, rest, budget)
      let to = out
      for (let q: u32 = 0; q < qCount; q++) {
        const height = f64(count - 1) * load<f64>(qs + (usize(q) << 3))
        const place = found + usize(load<u32>(places + (usize(q) << 2))) * sizeof<I>()
        let value = valueOf<I>(kind, load<I>(place))
        const t = height - Math.floor(height)
        if (t > 0) value = between(value, valueOf<I>(kind, load<I>(place, sizeof<I>())), t)
        store<f64>(to, value == value ? value + 0.0 : NaN)
        to += column
      }
    }
    out += stride
    from = end
  }
}

export function keptQuantiles32(
  kind: u32, values: usize, other: usize, ends: usize, groups: u32, qs: usize, qCount: u32, room: usize, budget: u32,
  out: usize, stride: usize, column: usize,
): void {
  quantiles<i32>(kind, values, other, ends, groups, qs, qCount, room, budget, out, stride, column)
}

export function keptQuantiles64(
  kind: u32, values: usize, other: usize, ends: usize, groups: u32, qs: usize, qCount: u32, room: usize, budget: u32,
  out: usize, stride: usize, column: usize,
): void {
  quantiles<i64>(kind, values, other, ends, groups, qs, qCount, room, budget, out, stride, column)
}
