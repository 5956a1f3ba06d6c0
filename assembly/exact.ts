// Exact sums as fixed-point numbers of one or two limbs: results, carries, changes of layout, the portable form. Sums of any range
// are wide.ts's; what is added to the limbs row by row is aggregate/sum-int.ts's and aggregate/sum-float.ts's.
//
//   one limb     value = low * 2^base                                low, high: i64, `stride` bytes from group to group
//   two limbs    value = (low + high * 2^width) * 2^base             low carries into high only when it is normalised
//   digits       value = sum of u32 digit j * 2^(32 (first + j) - 1088), two's complement: the portable form of every sum,
//                on one grid for all, group after group
//
// A limb never overflows: the binding bounds what may have been added, and normalises, widens or promotes in time.

import { roundQuotient } from './rounding'

/** Exponent of bit 0 of digit 0 of the grid, a multiple of 32 below that of the least double, 2^-1074. */
// @ts-ignore: decorator
@inline
const GRID: i32 = -1088

/** 2^exponent, for -1074 to 1023. */
// @ts-ignore: decorator
@inline
function powerOfTwo(exponent: i32): f64 {
  return exponent >= -1022
    ? reinterpret<f64>(u64(exponent + 1023) << 52)
    : reinterpret<f64>(u64(1) << u64(exponent + 1074))
}

// @ts-ignore: decorator
@inline
function divisorAt(counts: usize, group: u32): u64 {
  return counts ? load<u64>(counts + (usize(group) << 3)) : 1
}

/** Whether a double holds the limb: it is 2^53 at most, either way. */
// @ts-ignore: decorator
@inline
function isSafe(limb: i64): bool {
  return u64(limb + 0x20000000000000) <= 0x40000000000000
}

/** out[g] = the double nearest to low * 2^base / counts[g], where `counts` is 0 for the sum itself; 0 where a count is. */
export function exactRoundOne(low: usize, stride: usize, base: i32, counts: usize, groupCount: u32, out: usize): void {
  const unit = powerOfTwo(base)
  const safeBase = counts == 0 || base > -960
  for (let group: u32 = 0; group < groupCount; group++) {
    const limb = load<i64>(low)
    const divisor = divisorAt(counts, group)
    let value: f64 = 0
    if (isSafe(limb) && isSafe(i64(divisor)) && safeBase) {
      // Numerator, divisor and unit are exact, so the division alone rounds.
      if (divisor) value = counts ? (f64(limb) / f64(divisor)) * unit : f64(limb) * unit
    } else if (divisor) {
      value = roundQuotient(limb < 0, 0, limb < 0 ? -limb : limb, false, base, divisor)
    }
    store<f64>(out, value)
    out += 8
    low += stride
  }
}

/** 2^27 + 1 splits a double in two halves of 26 bits, their signs apart (Dekker 1971). */
// @ts-ignore: decorator
@inline
function upperHalf(x: f64): f64 {
  const spread = x * 134217729
  return spread - (spread - x)
}

/**
 * The double nearest to (high + low) / divisor, or NaN where it takes more to say which that is: all three are exact, of moderate exponents, and `low`
 * is below the unit of `high`. A quotient q is mended by what is left of the sum, r / divisor, where r = sum - q * divisor is known to some 50 bits: q + r / divisor
 * rounds as the exact quotient does unless it lies that near to the middle between two doubles.
 */
// @ts-ignore: decorator
@inline
function divided(high: f64, low: f64, divisor: f64): f64 {
  const sum = high + low
  if (sum == 0) return 0
  const q = sum / divisor
  const p = q * divisor
  const qHigh = upperHalf(q)
  const qLow = q - qHigh
  const dHigh = upperHalf(divisor)
  const dLow = divisor - dHigh
  const e = qHigh * dHigh - p + qHigh * dLow + qLow * dHigh + qLow * dLow
  const more = (sum - p - e + (low - (sum - high))) / divisor
  const value = q + more
  const bits = reinterpret<u64>(value)
  // Of a power of two the double below is nearer than that above.
  if (!(bits & 0xfffffffffffff)) return NaN
  const halfUnit = reinterpret<f64>((((bits >> 52) & 0x7ff) - 53) << 52)
  return abs(more - (value - q)) < halfUnit * 0.999999 ? value : NaN
}

/** As `exactRoundOne`, for limbs at `low` and `low + 8`. */
export function exactRoundTwo(
  low: usize, stride: usize, base: i32, width: u32, counts: usize, groupCount: u32, out: usize,
): void {
  const unit = powerOfTwo(base)
  const highUnit = powerOfTwo(base + i32(width))
  const isModerate = base > -800 && base < 700
  for (let group: u32 = 0; group < groupCount; group++) {
    const divisor = divisorAt(counts, group)
    let lowLimb = load<i64>(low)
    const carry = (lowLimb + (i64(1) << (width - 1))) >> width
    const highLimb = load<i64>(low, 8) + carry
    lowLimb -= carry << width
    let value: f64 = 0
    const isPair = isSafe(highLimb)
    if (counts == 0 && isPair) {
      // Two exact doubles: their addition is the one rounding.
      value = f64(highLimb) * highUnit + f64(lowLimb) * unit
    } else if (divisor) {
      value = isPair && isModerate && isSafe(i64(divisor)) ? divided(f64(highLimb) * highUnit, f64(lowLimb) * unit, f64(divisor)) : NaN
    }
    if (value != value) {
      let l = u64(lowLimb) + (u64(highLimb) << width)
      let h = (highLimb >> (64 - width)) + (lowLimb >> 63) + i64(l < u64(lowLimb))
      const negative = h < 0
      if (negative) {
        l = 0 - l
        h = ~h + i64(l == 0)
      }
      value = roundQuotient(negative, u64(h), l, false, base, divisor)
    }
    store<f64>(out, value)
    out += 8
    low += stride
  }
}

/** Integers (base 0) of one or two limbs to int64. Returns the first group whose total does not fit, or -1. */
export function exactIntegers(low: usize, stride: usize, limbs: u32, width: u32, groupCount: u32, out: usize): i32 {
  for (let group: u32 = 0; group < groupCount; group++) {
    let value = load<i64>(low)
    if (limbs == 2) {
      const lowLimb = value
      const highLimb = load<i64>(low, 8)
      value += highLimb << width
      const high = (highLimb >> (64 - width)) + (lowLimb >> 63) + i64(u64(value) < u64(lowLimb))
      if (high != value >> 63) return i32(group)
    }
    store<i64>(out, value)
    out += 8
    low += stride
  }
  return -1
}

/** Carries each low limb into its high limb, so that 0 <= low < 2^width. */
export function exactNormalise(low: usize, stride: usize, width: u32, groupCount: u32): void {
  const mask = (i64(1) << width) - 1
  for (let group: u32 = 0; group < groupCount; group++) {
    const limb = load<i64>(low)
    store<i64>(low, limb & mask)
    store<i64>(low, load<i64>(low, 8) + (limb >> width), 8)
    low += stride
  }
}

/** How many bits the widest of these limbs has, its sign apart. */
export function exactLimbBits(limb: usize, stride: usize, groupCount: u32): u32 {
  let bits: u64 = 0
  for (let group: u32 = 0; group < groupCount; group++) {
    const value = load<i64>(limb)
    bits |= u64(value ^ (value >> 63))
    limb += stride
  }
  return 64 - u32(clz(bits))
}

/**
 * Rewrites sums of one or two limbs for a base that is `shift` (0 to 127) lower, as one or two limbs. May work in place where
 * the strides are equal.
 */
export function exactRelayout(
  from: usize, fromStride: usize, fromLimbs: u32, fromWidth: u32,
  to: usize, toStride: usize, toLimbs: u32, toWidth: u32, shift: u32, groupCount: u32,
): void {
  const mask = (u64(1) << toWidth) - 1
  for (let group: u32 = 0; group < groupCount; group++) {
    const lowLimb = load<i64>(from)
    const highLimb = fromLimbs == 2 ? load<i64>(from, 8) : 0
    let l = u64(lowLimb) + (u64(highLimb) << fromWidth)
    let h = (highLimb >> (64 - fromWidth)) + (lowLimb >> 63) + i64(l < u64(lowLimb))
    if (shift >= 64) {
      h = i64(l << (shift - 64))
      l = 0
    } else if (shift) {
      h = (h << shift) | i64(l >> (64 - shift))
      l <<= shift
    }
    if (toLimbs == 2) {
      store<u64>(to, l & mask)
      store<i64>(to, (h << (64 - toWidth)) | i64(l >> toWidth), 8)
    } else {
      store<u64>(to, l)
    }
    from += fromStride
    to += toStride
  }
}

/** Writes five digits a group, the first being number (base - GRID) >> 5 of the grid. */
export function exactDigits(low: usize, stride: usize, limbs: u32, width: u32, base: i32, groupCount: u32, digits: usize): void {
  const shift = u64((base - GRID) & 31)
  for (let group: u32 = 0; group < groupCount; group++) {
    const lowLimb = load<i64>(low)
    const highLimb = limbs == 2 ? load<i64>(low, 8) : 0
    const l = u64(lowLimb) + (u64(highLimb) << width)
    const h = (highLimb >> (64 - width)) + (lowLimb >> 63) + i64(l < u64(lowLimb))
    store<u64>(digits, l << shift)
    store<i64>(digits, shift ? (h << shift) | i64(l >> (64 - shift)) : h, 8)
    store<i32>(digits, i32(shift ? h >> (64 - shift) : h >> 63), 16)
    digits += 20
    low += stride
  }
}

/**
 * The bits that `count` digits a group span, counted from bit 0 of the first digit: out[0] the lowest that is set in any group,
 * out[1] the least b such that every value v has -2^b <= v < 2^b. Returns whether any value is not 0.
 */
export function exactSpan(digits: usize, count: u32, groupCount: u32, out: usize): bool {
  let lowest: u32 = u32.MAX_VALUE
  let highest: u32 = 0
  for (let group: u32 = 0; group < groupCount; group++) {
    const fill = load<i32>(digits + (usize(count - 1) << 2)) >> 31
    for (let j: u32 = 0; j < count; j++) {
      const digit = load<i32>(digits + (usize(j) << 2))
      if (digit) lowest = min(lowest, (j << 5) + u32(ctz(digit)))
      if (digit != fill) highest = max(highest, (j << 5) + 32 - u32(clz(digit ^ fill)))
    }
    digits += usize(count) << 2
  }
  store<u32>(out, lowest)
  store<u32>(out, highest, 4)
  return lowest != u32.MAX_VALUE
}

/** Copies `kept` of `count` digits a group, from digit `first` on. */
export function exactTrim(digits: usize, count: u32, first: u32, kept: u32, groupCount: u32, out: usize): void {
  digits += usize(first) << 2
  for (let group: u32 = 0; group < groupCount; group++) {
    // A call of memory.copy takes longer than the few digits there are.
    for (let i: usize = 0; i < usize(kept) << 2; i += 4) store<u32>(out + i, load<u32>(digits + i))
    digits += usize(count) << 2
    out += usize(kept) << 2
  }
}

/** out = -digits, one digit a group more than the `count` there are, so that every value has its negative. */
export function exactNegate(digits: usize, count: u32, groupCount: u32, out: usize): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    let carry: u64 = 1
    let last: u32 = 0
    for (let j: u32 = 0; j < count; j++) {
      last = load<u32>(digits)
      carry += u64(~last)
      store<u32>(out, u32(carry))
      carry >>= 32
      digits += 4
      out += 4
    }
    // The sign of what was there, negated with the rest.
    store<u32>(out, u32(carry + u64(~u32(i32(last) >> 31))))
    out += 4
  }
}

/** values[i] = -values[i] */
export function exactNegateCounts(values: usize, count: u32): void {
  for (const end = values + (usize(count) << 3); values < end; values += 8) store<i64>(values, -load<i64>(values))
}

/** Adds sums of one or two limbs, side by side, to others of the same layout: group g's to groupMap[g]'s. */
export function exactAddLimbs(low: usize, stride: usize, limbs: u32, groupMap: usize, from: usize, groupCount: u32): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const to = low + usize(load<u32>(groupMap + (usize(group) << 2))) * stride
    store<i64>(to, load<i64>(to) + load<i64>(from))
    if (limbs == 2) store<i64>(to, load<i64>(to, 8) + load<i64>(from, 8), 8)
    from += usize(limbs) << 3
  }
}

/** Adds digits to sums of one or two limbs: group g's to groupMap[g]'s, or with `groupMap` 0 to group g's. `shift` = exponent of the first digit's bit 0 - base. */
export function exactAddDigits(
  low: usize, stride: usize, limbs: u32, width: u32, shift: i32,
  groupMap: usize, digits: usize, count: u32, groupCount: u32,
): void {
  const mask = (u64(1) << width) - 1
  for (let group: u32 = 0; group < groupCount; group++) {
    let l: u64 = 0
    let h: i64 = 0
    for (let j: u32 = 0; j < count; j++) {
      const digit = j == count - 1 ? i64(load<i32>(digits)) : i64(load<u32>(digits))
      const at = shift + i32(j << 5)
      let partLow = digit
      let partHigh = digit >> 63
      if (at < 0) {
        partLow >>= i64(-at)
      } else if (at >= 64) {
        partHigh = at < 128 ? digit << i64(at - 64) : 0
        partLow = 0
      } else if (at) {
        partHigh = digit >> i64(64 - at)
        partLow = digit << i64(at)
      }
      l += u64(partLow)
      h += partHigh + i64(l < u64(partLow))
      digits += 4
    }
    const limb = low + (groupMap ? usize(load<u32>(groupMap + (usize(group) << 2))) : usize(group)) * stride
    if (limbs == 2) {
      store<i64>(limb, load<i64>(limb) + i64(l & mask))
      store<i64>(limb, load<i64>(limb, 8) + ((h << (64 - width)) | i64(l >> width)), 8)
    } else {
      store<i64>(limb, load<i64>(limb) + i64(l))
    }
  }
}
