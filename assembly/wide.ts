// Exact sums of any range of doubles: a superaccumulator (after Neal 2015) over a window of 32-bit chunks. exact.ts holds sums of
// one or two limbs; this is the last resort where a column's bits span more than those hold.
//
//   chunks   i64[groups * count], group after group
//   value  = sum of chunk j * 2^(base + 32 j)         base is on the grid of exact.ts: a multiple of 32 from 2^-1088
//
// An addition touches three chunks and adds less than 2^32 to each, so that 2^29 additions leave room before carries must be
// propagated. The top chunk is above all that can be added, so that it holds only the sign and carries.

import { roundQuotient } from './rounding'

/**
 * Adds doubles to chunks: row i to group groups[i] (or 0 where `groups` is 0), from row `from` on, only rows whose `mask` bit is
 * set where there is a mask; all of these are finite. Returns `count`, or the first row whose bits the window does not hold.
 */
// @ts-ignore: decorator
@inline
function add<T>(chunks: usize, chunkCount: u32, base: i32, groups: usize, data: usize, mask: usize, from: u32, count: u32): u32 {
  const stride = usize(chunkCount) << 3
  const bias = 1075 + base
  const end = i32(chunkCount - 2) << 5
  for (let row = from; row < count; row++) {
    if (mask && ((load<u8>(mask + usize(row >> 3)) >> u8(row & 7)) & 1) == 0) continue
    const bits = reinterpret<u64>(f64(load<T>(data + usize(row) * sizeof<T>())))
    const exponent = i32(bits >> 52) & 0x7ff
    const mantissa = (bits & 0xfffffffffffff) | (u64(exponent != 0) << 52)
    if (mantissa == 0) continue
    const at = exponent + i32(exponent == 0) - bias
    if (at < 0 || at + 53 > end) return row
    const shift = u64(at & 31)
    const high = mantissa >> (32 - shift)
    const sign = i64(bits) >> 63
    const group = groups ? usize(load<u32>(groups + (usize(row) << 2))) : 0
    const chunk = chunks + group * stride + (usize(at >> 5) << 3)
    store<i64>(chunk, load<i64>(chunk) + ((i64((mantissa << shift) & 0xffffffff) ^ sign) - sign))
    store<i64>(chunk, load<i64>(chunk, 8) + ((i64(high & 0xffffffff) ^ sign) - sign), 8)
    store<i64>(chunk, load<i64>(chunk, 16) + ((i64(high >> 32) ^ sign) - sign), 16)
  }
  return count
}

export function wideAddF64(
  chunks: usize, chunkCount: u32, base: i32, groups: usize, data: usize, mask: usize, from: u32, count: u32,
): u32 {
  return add<f64>(chunks, chunkCount, base, groups, data, mask, from, count)
}

export function wideAddF32(
  chunks: usize, chunkCount: u32, base: i32, groups: usize, data: usize, mask: usize, from: u32, count: u32,
): u32 {
  return add<f32>(chunks, chunkCount, base, groups, data, mask, from, count)
}

/** Propagates carries: every chunk but the last, which keeps the sign, becomes 0 to 2^32 - 1. */
export function wideNormalise(chunks: usize, chunkCount: u32, groupCount: u32): void {
  const last = usize(chunkCount - 1) << 3
  for (let group: u32 = 0; group < groupCount; group++) {
    normalise(chunks, last)
    chunks += last + 8
  }
}

// @ts-ignore: decorator
@inline
function normalise(chunk: usize, last: usize): void {
  const end = chunk + last
  let carry: i64 = 0
  while (chunk < end) {
    const value = load<i64>(chunk) + carry
    store<i64>(chunk, value & 0xffffffff)
    carry = value >> 32
    chunk += 8
  }
  store<i64>(chunk, load<i64>(chunk) + carry)
}

/** Copies every group into a window of `toCount` chunks that begins `lower` chunks further down; the new chunks lie elsewhere. */
export function wideMove(from: usize, fromCount: u32, to: usize, toCount: u32, lower: u32, groupCount: u32): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    memory.fill(to, 0, usize(toCount) << 3)
    memory.copy(to + (usize(lower) << 3), from, usize(fromCount) << 3)
    from += usize(fromCount) << 3
    to += usize(toCount) << 3
  }
}

/** Adds digits (layout in exact.ts) to chunks: group g's to groupMap[g]'s, or with `groupMap` 0 to group g's; digit 0 to chunk `first`. */
export function wideAddDigits(
  chunks: usize, chunkCount: u32, first: u32, groupMap: usize, digits: usize, count: u32, groupCount: u32,
): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const to = groupMap ? usize(load<u32>(groupMap + (usize(group) << 2))) : usize(group)
    let chunk = chunks + ((to * usize(chunkCount) + usize(first)) << 3)
    for (let j: u32 = 0; j < count; j++) {
      const digit = j == count - 1 ? i64(load<i32>(digits)) : i64(load<u32>(digits))
      store<i64>(chunk, load<i64>(chunk) + digit)
      chunk += 8
      digits += 4
    }
  }
}

/** Writes `chunkCount` digits a group; normalises the chunks. */
export function wideDigits(chunks: usize, chunkCount: u32, groupCount: u32, digits: usize): void {
  wideNormalise(chunks, chunkCount, groupCount)
  const end = digits + ((usize(chunkCount) * usize(groupCount)) << 2)
  while (digits < end) {
    store<u32>(digits, u32(load<u64>(chunks)))
    digits += 4
    chunks += 8
  }
}

/** out[g] = the double nearest to value / counts[g], where `counts` is 0 for the sum itself; 0 where a count is. Normalises. */
export function wideRound(chunks: usize, chunkCount: u32, base: i32, counts: usize, groupCount: u32, out: usize): void {
  const last = usize(chunkCount - 1) << 3
  for (let group: u32 = 0; group < groupCount; group++) {
    const divisor = counts ? load<u64>(counts + (usize(group) << 3)) : 1
    normalise(chunks, last)
    store<f64>(out, divisor ? roundChunks(chunks, last, base, divisor) : 0)
    chunks += last + 8
    out += 8
  }
}

/** Rounds one group's normalised chunks: the leading 128 bits of the magnitude, and whether anything is below them. */
function roundChunks(chunks: usize, last: usize, base: i32, divisor: u64): f64 {
  const negative = load<i64>(chunks + last) < 0
  let lowest: usize = 0
  while (lowest < last && load<i64>(chunks + lowest) == 0) lowest += 8
  let top = last
  while (top > lowest && digitAt(chunks, top, lowest, negative) == 0) top -= 8
  const lead = u64(clz(u32(digitAt(chunks, top, lowest, negative))))
  let high = (digitAt(chunks, top, lowest, negative) << 32) | digitAt(chunks, top - 8, lowest, negative)
  let low = (digitAt(chunks, top - 16, lowest, negative) << 32) | digitAt(chunks, top - 24, lowest, negative)
  const next = digitAt(chunks, top - 32, lowest, negative) << 32
  if (lead) {
    high = (high << lead) | (low >> (64 - lead))
    low = (low << lead) | (next >> (64 - lead))
  }
  const more = next << lead != 0 || isize(top) - 32 > isize(lowest)
  return roundQuotient(negative, high, low, more, base + (i32(top >> 3) << 5) - 96 - i32(lead), divisor)
}

/** Digit of the magnitude at byte `at` of normalised chunks, the lowest that is not 0 being at `lowest`; 0 below. */
// @ts-ignore: decorator
@inline
function digitAt(chunks: usize, at: usize, lowest: usize, negative: bool): u64 {
  if (isize(at) < isize(lowest)) return 0
  const digit = load<u64>(chunks + at)
  if (!negative) return digit
  return (at == lowest ? 0 - digit : ~digit) & 0xffffffff
}
