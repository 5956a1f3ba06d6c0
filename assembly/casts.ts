// Conversions that may find a value that the other type does not hold. Such a value clears its bit in `fits`, a bitmap in whole bytes of 8 rows; what is
// written for it is unspecified. They return whether all fit, null rows too, which the caller looks at only where not.

import { parseBool } from './parse/bool'
import { parseFloat64 } from './parse/float'
import { parseFloat32 } from './parse/float32'
import { parseInt64 } from './parse/int'
import { parseDate, parseTimestamp } from './parse/time'
import { isValid, mulOverflows } from './inline'
import { afterSpaces, beforeSpaces } from './strings/scan'
import { internBytes, NO_ROOM, StringTable } from './text'

/** Adds the bits of rows `row` and the next to those of their byte, and stores it where it is complete. */
// @ts-ignore: decorator
@inline
function stored(bits: u32, pair: i32, row: u32, rowCount: u32, fits: usize): u32 {
  bits |= u32(pair) << (row & 7)
  if ((row & 7) != 6 && row + 2 < rowCount) return bits
  store<u8>(fits + usize(row >> 3), u8(bits))
  return 0
}

/** Whether the pair is 3, or for the last of an odd count at least 1. */
// @ts-ignore: decorator
@inline
function bothFit(pair: i32, row: u32, rowCount: u32): bool {
  return (pair | i32(row + 1 == rowCount) << 1) == 3
}

/** int64 between two bounds, both included. */
export function castsWithin(values: usize, least: i64, most: i64, rowCount: u32, fits: usize): bool {
  const low = i64x2.splat(least)
  const high = i64x2.splat(most)
  let bits: u32 = 0
  let all = true
  for (let row: u32 = 0; row < rowCount; row += 2) {
    const pair = v128.load(values + (usize(row) << 3))
    const within = i64x2.bitmask(v128.and(i64x2.ge_s(pair, low), i64x2.le_s(pair, high)))
    all = all && bothFit(within, row, rowCount)
    bits = stored(bits, within, row, rowCount, fits)
  }
  return all
}

/** The lower 1, 2 or 4 bytes of each int64. */
export function castsNarrow(values: usize, width: u32, rowCount: u32, out: usize): void {
  if (width == 1) for (let row: usize = 0; row < usize(rowCount); row++) store<u8>(out + row, load<u8>(values + (row << 3)))
  else if (width == 2) for (let row: usize = 0; row < usize(rowCount); row++) store<u16>(out + (row << 1), load<u16>(values + (row << 3)))
  else for (let row: usize = 0; row < usize(rowCount); row++) store<u32>(out + (row << 2), load<u32>(values + (row << 3)))
}

/** float64 without its fraction, as int64; what is above `below` and below `above` fits, and so no NaN. */
export function castsTruncate(values: usize, below: f64, above: f64, rowCount: u32, out: usize, fits: usize): bool {
  const low = f64x2.splat(below)
  const high = f64x2.splat(above)
  let bits: u32 = 0
  let all = true
  for (let row: u32 = 0; row < rowCount; row += 2) {
    const pair = v128.load(values + (usize(row) << 3))
    const within = i64x2.bitmask(v128.and(f64x2.gt(pair, low), f64x2.lt(pair, high)))
    all = all && bothFit(within, row, rowCount)
    bits = stored(bits, within, row, rowCount, fits)
    const to = out + (usize(row) << 3)
    store<i64>(to, i64(f64x2.extract_lane(pair, 0)))
    store<i64>(to, i64(f64x2.extract_lane(pair, 1)), 8)
  }
  return all
}

/** The nearest float32; a finite value whose nearest is infinite does not fit. */
export function castsToFloat32(values: usize, rowCount: u32, out: usize, fits: usize): bool {
  const infinity = f64x2.splat(Infinity)
  let bits: u32 = 0
  let all = true
  for (let row: u32 = 0; row < rowCount; row += 2) {
    const pair = v128.load(values + (usize(row) << 3))
    const near = f32x4.demote_f64x2_zero(pair)
    v128.store64_lane(out + (usize(row) << 2), near, 0)
    const isLost = v128.andnot(f64x2.eq(f64x2.abs(f64x2.promote_low_f32x4(near)), infinity), f64x2.eq(f64x2.abs(pair), infinity))
    const within = ~i64x2.bitmask(isLost) & 3
    all = all && bothFit(within, row, rowCount)
    bits = stored(bits, within, row, rowCount, fits)
  }
  return all
}

/** int64 to the nearest float32, by one rounding. */
export function castsInt64ToFloat32(values: usize, rowCount: u32, out: usize): void {
  for (let row: usize = 0; row < usize(rowCount); row++) store<f32>(out + (row << 2), f32(load<i64>(values + (row << 3))))
}

/** 0 or 1 of each bit, as int64. */
export function castsOfBits(bitmap: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<i64>(out + (usize(row) << 3), i64((load<u8>(bitmap + usize(row >> 3)) >> u8(row & 7)) & 1))
  }
}

/** A bit of each int64: whether it is not 0. */
export function castsNonZeroInt64(values: usize, rowCount: u32, out: usize): void {
  let bits: u32 = 0
  for (let row: u32 = 0; row < rowCount; row += 2) {
    bits = stored(bits, i64x2.bitmask(i64x2.ne(v128.load(values + (usize(row) << 3)), i64x2.splat(0))), row, rowCount, out)
  }
}

/** The same of float64; NaN does not fit. */
export function castsNonZeroFloat64(values: usize, rowCount: u32, out: usize, fits: usize): bool {
  let bits: u32 = 0
  let fitting: u32 = 0
  let all = true
  for (let row: u32 = 0; row < rowCount; row += 2) {
    const pair = v128.load(values + (usize(row) << 3))
    const within = i64x2.bitmask(f64x2.eq(pair, pair))
    all = all && bothFit(within, row, rowCount)
    fitting = stored(fitting, within, row, rowCount, fits)
    bits = stored(bits, i64x2.bitmask(f64x2.ne(pair, f64x2.splat(0))), row, rowCount, out)
  }
  return all
}

/** The floor of each int64 by `divisor`, which is above 0. */
export function castsFloorDivide(values: usize, divisor: i64, rowCount: u32, out: usize): void {
  for (let row: usize = 0; row < usize(rowCount); row++) {
    const value = load<i64>(values + (row << 3))
    const quotient = value / divisor
    store<i64>(out + (row << 3), quotient - i64(value < quotient * divisor))
  }
}

/** Each int64 times `factor`, where that is an int64. */
export function castsMultiply(values: usize, factor: i64, rowCount: u32, out: usize, fits: usize): bool {
  let bits: u32 = 0
  let all = true
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(values + (usize(row) << 3))
    const isWithin = !mulOverflows(value, factor)
    store<i64>(out + (usize(row) << 3), value * factor)
    all = all && isWithin
    bits |= u32(isWithin) << (row & 7)
    if ((row & 7) == 7 || row + 1 == rowCount) {
      store<u8>(fits + usize(row >> 3), u8(bits))
      bits = 0
    }
  }
  return all
}

/**
 * Entries `from` to `to` of a dictionary, without the whitespace around them: as int64 (`kind` 0), float64 (1), a float32 in float64 (2), 0 or 1 of truths (3),
 * int32 days (4), or ticks (5), 8 bytes an entry. `status` gets a byte an entry: 1 where there is a value, 0 where the text is none, 2 where it is one that the
 * type does not hold.
 */
export function castsParse(kind: u32, ticksPerSecond: i64, offsets: usize, bytes: usize, from: u32, to: u32, values: usize, status: usize): void {
  for (let entry = from; entry < to; entry++) {
    const all = bytes + usize(load<u32>(offsets + (usize(entry) << 2), 4))
    const at = afterSpaces(bytes + usize(load<u32>(offsets + (usize(entry) << 2))), all)
    const end = beforeSpaces(at, all)
    const out = values + (usize(entry) << 3)
    store<u64>(out, 0)
    const outcome = at == end ? 1 : parsed(kind, ticksPerSecond, at, end, out)
    if (outcome) store<u64>(out, 0)
    store<u8>(status + usize(entry), outcome == 0 ? 1 : outcome == 1 ? 0 : 2)
  }
}

/** 0 stored, 1 no such text, 2 beyond the type. */
function parsed(kind: u32, ticksPerSecond: i64, at: usize, end: usize, out: usize): u32 {
  if (kind == 0) return parseInt64(at, end, out)
  if (kind == 1) return parseFloat64(at, end, out)
  if (kind == 2) {
    const outcome = parseFloat32(at, end, out)
    if (outcome == 0) store<f64>(out, load<f32>(out))
    return outcome
  }
  if (kind == 3) {
    const truth = parseBool(at, end)
    store<u64>(out, truth)
    return truth == 2 ? 1 : 0
  }
  if (kind == 4) {
    const outcome = parseDate(at, end, out)
    if (outcome == 0) store<i64>(out, load<i32>(out))
    return outcome
  }
  return parseTimestamp(at, end, ticksPerSecond, out)
}

/** out = values[codes[row]], 8 bytes each, and the bit of each row whose entry has status 1; whether all have. */
export function castsTake(codes: usize, values: usize, status: usize, rowCount: u32, out: usize, fits: usize): bool {
  let bits: u32 = 0
  let all = true
  for (let row: u32 = 0; row < rowCount; row++) {
    const code = usize(load<u32>(codes + (usize(row) << 2)))
    store<u64>(out + (usize(row) << 3), load<u64>(values + (code << 3)))
    const isKnown = load<u8>(status + code) == 1
    all = all && isKnown
    bits |= u32(isKnown) << (row & 7)
    if ((row & 7) == 7 || row + 1 == rowCount) {
      store<u8>(fits + usize(row >> 3), u8(bits))
      bits = 0
    }
  }
  return all
}

/** The first row that is valid and whose bit in `fits` is clear, or -1. */
export function castsFirstUnfit(validity: usize, fits: usize, rowCount: u32): i32 {
  for (let row: u32 = 0; row < rowCount; row += 8) {
    let bits = ~u32(load<u8>(fits + usize(row >> 3))) & 255
    if (validity) bits &= u32(load<u8>(validity + usize(row >> 3)))
    if (rowCount - row < 8) bits &= (1 << (rowCount - row)) - 1
    if (bits) return i32(row + ctz(bits))
  }
  return -1
}

/** The most characters of an int64. */
const MOST_DIGITS: usize = 20

/**
 * Writes the codes of int64 values from `row` on as they are written in decimal, adding strings that are new; a null row gets code 0. Returns `rowCount`, or the row that found no room.
 *
 * @param room 32 bytes to write one in, with 16 readable ones behind
 */
export function castsDecimals(tablePointer: usize, values: usize, validity: usize, row: u32, rowCount: u32, room: usize, codes: usize): u32 {
  const table = changetype<StringTable>(tablePointer)
  const end = room + MOST_DIGITS
  for (; row < rowCount; row++) {
    let code: u32 = 0
    if (isValid(validity, row)) {
      const value = load<i64>(values + (usize(row) << 3))
      let at = writeDigits(value < 0 ? u64(-value) : u64(value), end)
      if (value < 0) store<u8>(--at, 0x2d)
      code = internBytes(table, at, u32(end - at))
      if (code == NO_ROOM) return row
    }
    store<u32>(codes + (usize(row) << 2), code)
  }
  return rowCount
}

/** In the place of a code: not written. */
const LONG: u32 = 0xffffffff

/** Digits behind the point of doubles that are written here, at most, and what all digits together are below: fifteen name one double at most, so that the fewest that do are those. */
const MOST_PLACES: u32 = 9
const LEAST_WRITTEN: f64 = 1e-6
const MOST_WRITTEN: f64 = 1e15

/** The same of float64 values of few digits, as JavaScript writes them; others get the code 0xffffffff. `room`: 48 bytes, with 16 readable ones behind. */
export function castsShortFloats(tablePointer: usize, values: usize, validity: usize, row: u32, rowCount: u32, room: usize, codes: usize): u32 {
  const table = changetype<StringTable>(tablePointer)
  const end = room + 40
  for (; row < rowCount; row++) {
    let code: u32 = 0
    if (isValid(validity, row)) {
      const value = load<f64>(values + (usize(row) << 3))
      const at = writeShort(value, end)
      code = at == end ? LONG : internBytes(table, at, u32(end - at))
      if (at != end && code == NO_ROOM) return row
    }
    store<u32>(codes + (usize(row) << 2), code)
  }
  return rowCount
}

/** A double's digits and sign before `end`; returns where they begin, or `end`: they are not few. */
function writeShort(value: f64, end: usize): usize {
  const size = abs(value)
  if (size != 0 && !(size >= LEAST_WRITTEN && size < MOST_WRITTEN)) return end
  let unit: f64 = 1
  let places: u32 = 0
  let digits = size
  // The product may be rounded; the quotient is the double that the digits name.
  while (nearest(digits) / unit != size) {
    if (++places > MOST_PLACES) return end
    unit *= 10
    digits = size * unit
    if (digits >= MOST_WRITTEN) return end
  }
  const whole = u64(nearest(digits))
  let at = end
  if (places == 0) at = writeDigits(whole, end)
  else {
    const scale = u64(unit)
    const front = whole / scale
    at = writeDigits(whole - front * scale, end)
    while (u32(end - at) < places) store<u8>(--at, 0x30)
    store<u8>(--at, 0x2e)
    at = writeDigits(front, at)
  }
  if (value < 0) store<u8>(--at, 0x2d)
  return at
}

/** Decimal digits that end before `at`; returns where they begin. */
function writeDigits(value: u64, at: usize): usize {
  while (value > u64(u32.MAX_VALUE)) {
    const rest = value / 10
    store<u8>(--at, 0x30 + u8(value - rest * 10))
    value = rest
  }
  let left = u32(value)
  do {
    const rest = left / 10
    store<u8>(--at, 0x30 + u8(left - rest * 10))
    left = rest
  } while (left != 0)
  return at
}
