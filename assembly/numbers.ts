// Functions of columns of numbers. Results are written for every row, null ones too; whoever calls keeps the validity.

import { isValid, maskAt } from './inline'

/** |value|; the least valid row that holds the least int64, or -1. */
export function numbersAbsInt64(values: usize, validity: usize, rowCount: u32, out: usize): i32 {
  const zero = i64x2.splat(0)
  let least = zero
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) {
    const magnitude = i64x2.abs(v128.load(values + at))
    least = v128.or(least, magnitude)
    v128.store(out + at, magnitude)
  }
  if ((i64x2.extract_lane(least, 0) | i64x2.extract_lane(least, 1)) >= 0) return -1
  for (let row: u32 = 0; row < rowCount; row++) {
    if (load<i64>(values + (usize(row) << 3)) == i64.MIN_VALUE && isValid(validity, row)) return row
  }
  return -1
}

export function numbersAbsFloat64(values: usize, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) v128.store(out + at, f64x2.abs(v128.load(values + at)))
}

/** Correctly rounded; NaN of what is negative. */
export function numbersSqrt(values: usize, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) v128.store(out + at, f64x2.sqrt(v128.load(values + at)))
}

/** A bitmap of the rows that are NaN, in whole 16-byte blocks. */
export function numbersIsNaN(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row += 8) {
    let bits: u32 = 0
    for (let i: u32 = 0; i < 8; i += 2) {
      const pair = v128.load(values + (usize(row + i) << 3))
      bits |= u32(i64x2.bitmask(f64x2.ne(pair, pair))) << i
    }
    store<u8>(out + (row >> 3), u8(bits))
  }
}

/** -1, 0 or 1. */
export function numbersSignInt64(values: usize, rowCount: u32, out: usize): void {
  const zero = i64x2.splat(0)
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) {
    const pair = v128.load(values + at)
    v128.store(out + at, i64x2.sub(i64x2.lt_s(pair, zero), i64x2.gt_s(pair, zero)))
  }
}

/** -1 or 1; zeros and NaN as they are. */
export function numbersSignFloat64(values: usize, rowCount: u32, out: usize): void {
  const zero = f64x2.splat(0)
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) {
    const pair = v128.load(values + at)
    const signed = v128.bitselect(f64x2.splat(1), pair, f64x2.gt(pair, zero))
    v128.store(out + at, v128.bitselect(f64x2.splat(-1), signed, f64x2.lt(pair, zero)))
  }
}

export function numbersFloor(values: usize, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) v128.store(out + at, f64x2.floor(v128.load(values + at)))
}

export function numbersCeil(values: usize, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) v128.store(out + at, f64x2.ceil(v128.load(values + at)))
}

/** To the nearest integer, halves away from zero; a zero keeps the sign. */
// @ts-ignore: decorator
@inline
function rounded(pair: v128): v128 {
  const sign = v128.and(pair, f64x2.splat(-0.0))
  const whole = f64x2.trunc(pair)
  const up = f64x2.ge(f64x2.abs(f64x2.sub(pair, whole)), f64x2.splat(0.5))
  return v128.or(f64x2.add(whole, v128.and(up, v128.or(f64x2.splat(1), sign))), sign)
}

export function numbersRound(values: usize, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) v128.store(out + at, rounded(v128.load(values + at)))
}

/**
 * To multiples of 1 / unit, a power of ten up to 10^22, by the exact value of the double; the result is the double nearest to the multiple. The product with
 * the unit is rounded, which matters only where it is then halfway between two integers, or too large to have halves: those rows are looked at one by one.
 */
export function numbersRoundDecimals(values: usize, unit: f64, rowCount: u32, out: usize): void {
  const units = f64x2.splat(unit)
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) {
    const pair = v128.load(values + at)
    const product = f64x2.mul(pair, units)
    const fraction = f64x2.abs(f64x2.sub(product, f64x2.trunc(product)))
    const isPlain = v128.and(f64x2.lt(f64x2.abs(product), f64x2.splat(4503599627370496)), f64x2.ne(fraction, f64x2.splat(0.5)))
    if (i64x2.bitmask(isPlain) == 3) v128.store(out + at, f64x2.div(rounded(product), units))
    else {
      store<f64>(out + at, roundedExactly(f64x2.extract_lane(pair, 0), unit))
      store<f64>(out + at, roundedExactly(f64x2.extract_lane(pair, 1), unit), 8)
    }
  }
}

function roundedExactly(value: f64, unit: f64): f64 {
  const product = abs(value) * unit
  // A double of that size has no digit that is rounded off, nor have infinities and NaN.
  if (!(product < 9007199254740992)) return value
  const error = productError(abs(value), unit, product)
  const whole = floor(product)
  const fraction = product - whole
  let nearest = whole + f64(fraction > 0.5 || (fraction == 0.5 && error >= 0))
  if (fraction == 0 && error >= 0.5) nearest += 1
  return copysign<f64>(nearest / unit, value)
}

/** a * b - product without rounding (Dekker 1971; Veltkamp's splitting); no part may overflow or be subnormal. */
// @ts-ignore: decorator
@inline
function productError(a: f64, b: f64, product: f64): f64 {
  const aScaled = a * 134217729
  const aHigh = aScaled - (aScaled - a)
  const aLow = a - aHigh
  const bScaled = b * 134217729
  const bHigh = bScaled - (bScaled - b)
  const bLow = b - bHigh
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
}

/** To multiples of `unit`, a power of ten up to 10^22, exactly so. */
export function numbersRoundUnits(values: usize, unit: f64, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = usize(rowCount) << 3; at < end; at += 8) {
    const value = load<f64>(values + at)
    const magnitude = abs(value)
    const quotient = magnitude / unit
    // A double of that size is nearest to the multiple that is nearest to it.
    if (!(quotient < 9007199254740992)) {
      store<f64>(out + at, value)
      continue
    }
    let whole = floor(quotient)
    const product = whole * unit
    let rest = magnitude - product - productError(whole, unit, product)
    // The quotient may have been rounded up to the next integer.
    if (rest < 0) {
      whole -= 1
      rest += unit
    }
    store<f64>(out + at, copysign<f64>((whole + f64(rest >= unit * 0.5)) * unit, value))
  }
}

/** To multiples of `unit`, halves away from zero; the least valid row whose multiple leaves int64, or -1. */
export function numbersRoundInt64(values: usize, validity: usize, unit: i64, rowCount: u32, out: usize): i32 {
  const half = unit >> 1
  let failed: i32 = -1
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(values + (usize(row) << 3))
    const rest = value % unit
    const whole = value - rest
    let result = whole
    if (rest >= half) result += unit
    else if (rest <= -half) result -= unit
    if (((whole ^ result) & (value ^ result)) < 0 && failed < 0 && isValid(validity, row)) failed = row
    store<i64>(out + (usize(row) << 3), result)
  }
  return failed
}

/** The least valid row that is further than `most` from zero, or -1. */
export function numbersBeyondInt64(values: usize, validity: usize, most: i64, rowCount: u32): i32 {
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(values + (usize(row) << 3))
    if ((value > most || value < -most) && isValid(validity, row)) return row
  }
  return -1
}

/**
 * The value between two bounds, the upper one where they cross; a bound that is null is none. An operand is walked by steps of 16 bytes, a constant by
 * steps of 0; validities are 0 or bitmaps.
 */
export function numbersClampInt64(
  values: usize, low: usize, lowStep: usize, lowValidity: usize, high: usize, highStep: usize, highValidity: usize, rowCount: u32, out: usize,
): void {
  for (let row: u32 = 0; row < rowCount; row += 2) {
    let pair = v128.load(values + (usize(row) << 3))
    const least = v128.load(low)
    let beyond = i64x2.lt_s(pair, least)
    if (lowValidity) beyond = v128.and(beyond, maskAt(lowValidity, row))
    pair = v128.bitselect(least, pair, beyond)
    const most = v128.load(high)
    beyond = i64x2.gt_s(pair, most)
    if (highValidity) beyond = v128.and(beyond, maskAt(highValidity, row))
    v128.store(out + (usize(row) << 3), v128.bitselect(most, pair, beyond))
    low += lowStep
    high += highStep
  }
}

/** The same of doubles: NaN stays NaN, and is no bound. */
export function numbersClampFloat64(
  values: usize, low: usize, lowStep: usize, lowValidity: usize, high: usize, highStep: usize, highValidity: usize, rowCount: u32, out: usize,
): void {
  for (let row: u32 = 0; row < rowCount; row += 2) {
    let pair = v128.load(values + (usize(row) << 3))
    const least = v128.load(low)
    let beyond = f64x2.lt(pair, least)
    if (lowValidity) beyond = v128.and(beyond, maskAt(lowValidity, row))
    pair = v128.bitselect(least, pair, beyond)
    const most = v128.load(high)
    beyond = f64x2.gt(pair, most)
    if (highValidity) beyond = v128.and(beyond, maskAt(highValidity, row))
    v128.store(out + (usize(row) << 3), v128.bitselect(most, pair, beyond))
    low += lowStep
    high += highStep
  }
}

/** The greatest offset + n * width that is not above the value; 0 <= offset < width. The least valid row where it leaves int64, or -1. */
export function numbersBucketInt64(values: usize, validity: usize, width: i64, offset: i64, rowCount: u32, out: usize): i32 {
  let failed: i32 = -1
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(values + (usize(row) << 3))
    let rest = value % width
    if (rest < 0) rest += width
    rest -= offset
    if (rest < 0) rest += width
    const result = value - rest
    if (result > value && failed < 0 && isValid(validity, row)) failed = row
    store<i64>(out + (usize(row) << 3), result)
  }
  return failed
}

/** floor((value - offset) / width) * width + offset, each step rounded. */
export function numbersBucketFloat64(values: usize, width: f64, offset: f64, rowCount: u32, out: usize): void {
  const widths = f64x2.splat(width)
  const offsets = f64x2.splat(offset)
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) {
    const places = f64x2.floor(f64x2.div(f64x2.sub(v128.load(values + at), offsets), widths))
    v128.store(out + at, f64x2.add(f64x2.mul(places, widths), offsets))
  }
}
