// Numbers as most are written. These loops call nothing, so that all they need stays in registers, and end where something else has to be done: each
// returns the row that it has not read, and numbers.ts goes on from there. It calls each from two places, so that the compiler does not put them into a
// function that does call.
//
// `at` is the place of the separator before the first row's field, `step` the bytes from row to row, `skip` those from a separator to the field.

import { areDigits, digitsAt, numberOf } from '../parse/digits'
import { Csv } from './context'
import { clearBit } from './field'
import { HUNDRED_MILLIONS, HUNDREDS, LOW_BYTES, NINES, POINTS, POWERS, TEN_THOUSANDS, TENS, ZEROS } from './tables'

/**
 * Integers. `atOnce`: of 4 or 8 bytes, 1 to 8 digits and no sign, four at a time; `inQuotes` (0 or 1) all in quotes. Else one at a time: of 1 to 16
 * digits and a minus, in quotes or not, or empty where that is a null.
 */
export function quickIntegers(
  csv: Csv, atOnce: bool, inQuotes: usize, kind: i32, skip: usize, at: usize, step: usize, row: u32, count: u32, data: usize, validity: usize, first: u32,
): u32 {
  const size = usize(abs(kind))
  const quote = csv.quote
  at += usize(row) * step
  data += usize(row) * size
  if (!atOnce) return oneByOne(csv, kind, size, quote, skip, at, step, row, count, data, validity, first)
  const tables = csv.tables
  const zeros = load<u64>(tables, ZEROS)
  const nines = v128.load(tables, NINES)
  const low = v128.load(tables, LOW_BYTES)
  const tens = v128.load(tables, TENS)
  const hundreds = v128.load(tables, HUNDREDS)
  const tenThousands = v128.load(tables, TEN_THOUSANDS)
  skip += inQuotes
  while (row + 4 <= count) {
    const start0 = usize(load<u32>(at)) + skip
    // The length, negative: a left shift by it times eight leaves its bytes, at the upper end.
    const less0 = start0 + inQuotes - usize(load<u32>(at, 4))
    at += step
    const start1 = usize(load<u32>(at)) + skip
    const less1 = start1 + inQuotes - usize(load<u32>(at, 4))
    at += step
    const start2 = usize(load<u32>(at)) + skip
    const less2 = start2 + inQuotes - usize(load<u32>(at, 4))
    at += step
    const start3 = usize(load<u32>(at)) + skip
    const less3 = start3 + inQuotes - usize(load<u32>(at, 4))
    at += step
    if ((~less0 | ~less1 | ~less2 | ~less3) > 7) break
    if (inQuotes) {
      const others =
        (u32(load<u8>(start0 - 1)) ^ quote) | (u32(load<u8>(start1 - 1)) ^ quote) |
        (u32(load<u8>(start2 - 1)) ^ quote) | (u32(load<u8>(start3 - 1)) ^ quote)
      if (others) break
    }
    const a = i64x2.replace_lane(
      i64x2.splat((load<u64>(start0) ^ zeros) << (u64(less0) << 3)), 1, (load<u64>(start1) ^ zeros) << (u64(less1) << 3),
    )
    const b = i64x2.replace_lane(
      i64x2.splat((load<u64>(start2) ^ zeros) << (u64(less2) << 3)), 1, (load<u64>(start3) ^ zeros) << (u64(less3) << 3),
    )
    if (v128.any_true(i8x16.sub_sat_u(i8x16.max_u(a, b), nines))) break
    const fours = i16x8.narrow_i32x4_u(foursOf(a, low, tens, hundreds), foursOf(b, low, tens, hundreds))
    const eights = i32x4.dot_i16x8_s(fours, tenThousands)
    if (size == 4) v128.store(data, eights)
    else {
      v128.store(data, i64x2.extend_low_i32x4_u(eights))
      v128.store(data, i64x2.extend_high_i32x4_u(eights), 16)
    }
    data += size << 2
    row += 4
  }
  return row
}

/** The four numbers of four digits each that sixteen digits spell. */
// @ts-ignore: decorator
@inline
function foursOf(digits: v128, low: v128, tens: v128, hundreds: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.add(i16x8.mul(v128.and(digits, low), tens), i16x8.shr_u(digits, 8)), hundreds)
}

/** Whether an empty field is a null that may be. */
// @ts-ignore: decorator
@inline
function mayBeEmpty(csv: Csv, validity: usize): bool {
  return validity != 0 && (csv.tokenLengths & 1) != 0
}

// @ts-ignore: decorator
@inline
function oneByOne(
  csv: Csv, kind: i32, size: usize, quote: u32, skip: usize, at: usize, step: usize, row: u32, count: u32, data: usize, validity: usize, first: u32,
): u32 {
  const empties = mayBeEmpty(csv, validity)
  let nulls: u32 = 0
  for (; row < count; row++) {
    let start = usize(load<u32>(at)) + skip
    let end = usize(load<u32>(at, 4))
    let value: i64 = 0
    if (start == end) {
      if (!empties) break
      clearBit(validity, first + row)
      nulls++
    } else {
      let byte = u32(load<u8>(start))
      if (byte == quote) {
        start++
        end--
        byte = load<u8>(start)
      }
      const minus = u64(byte == 45)
      start += usize(minus)
      const length = end - start
      if (length - 1 < 8) {
        const digits = digitsAt(start, length)
        if (!areDigits(digits)) break
        value = i64((numberOf(digits) ^ (0 - minus)) + minus)
      } else {
        if (length - 9 >= 8) break
        const upper = digitsAt(start, length - 8)
        const lower = digitsAt(end - 8, 8)
        if (!areDigits(upper) || !areDigits(lower)) break
        value = i64(((numberOf(upper) * 100000000 + numberOf(lower)) ^ (0 - minus)) + minus)
      }
    }
    if (size == 8) store<i64>(data, value)
    else if (size == 4) {
      if (value != (kind == 4 ? i64(i32(value)) : i64(u32(value)))) break
      store<i32>(data, i32(value))
    } else if (size == 2) {
      if (value != (kind == 2 ? i64(i16(value)) : i64(u16(value)))) break
      store<i16>(data, i16(value))
    } else {
      if (value != (kind == 1 ? i64(i8(value)) : i64(u8(value)))) break
      store<i8>(data, i8(value))
    }
    at += step
    data += size
  }
  csv.nulls += nulls
  return row
}

/**
 * Floats of up to 15 characters, digits and a point, and a minus before them. `atOnce`: two at a time, `inQuotes` (0 or 1) all in quotes. Else one at a
 * time, in quotes or not, or empty where that is a null.
 */
export function quickFloats(
  csv: Csv, atOnce: bool, inQuotes: usize, size: usize, skip: usize, at: usize, step: usize, row: u32, count: u32, data: usize, validity: usize, first: u32,
): u32 {
  const tables = csv.tables
  const quote = csv.quote
  const nines = v128.load(tables, NINES)
  const low = v128.load(tables, LOW_BYTES)
  const tens = v128.load(tables, TENS)
  const hundreds = v128.load(tables, HUNDREDS)
  const tenThousands = v128.load(tables, TEN_THOUSANDS)
  const zeros = v128.load(tables, ZEROS)
  const points = v128.load(tables, POINTS)
  const hundredMillions = v128.load(tables, HUNDRED_MILLIONS)
  at += usize(row) * step
  data += usize(row) * size
  if (atOnce) {
    skip += inQuotes
    while (row + 2 <= count) {
      let startA = usize(load<u32>(at)) + skip
      const minusA = usize(load<u8>(startA) == 45)
      if (inQuotes && u32(load<u8>(startA - 1)) != quote) break
      startA += minusA
      const lengthA = usize(load<u32>(at, 4)) - inQuotes - startA
      at += step
      let startB = usize(load<u32>(at)) + skip
      const minusB = usize(load<u8>(startB) == 45)
      if (inQuotes && u32(load<u8>(startB - 1)) != quote) break
      startB += minusB
      const lengthB = usize(load<u32>(at, 4)) - inQuotes - startB
      at += step
      if (lengthA - 1 >= 15 || lengthB - 1 >= 15) break
      const textA = v128.load(startA)
      const textB = v128.load(startB)
      const entryA = (lengthA << 5) + pointIn(textA, points)
      const entryB = (lengthB << 5) + pointIn(textB, points)
      const digitsA = i8x16.swizzle(i8x16.sub(textA, zeros), v128.load(tables + (entryA << 4)))
      const digitsB = i8x16.swizzle(i8x16.sub(textB, zeros), v128.load(tables + (entryB << 4)))
      if (v128.any_true(i8x16.sub_sat_u(i8x16.max_u(digitsA, digitsB), nines))) break
      const fours = i16x8.narrow_i32x4_u(foursOf(digitsA, low, tens, hundreds), foursOf(digitsB, low, tens, hundreds))
      const values = quotients(
        i32x4.dot_i16x8_s(fours, tenThousands), hundredMillions,
        v128.load64_lane(tables + (minusB << 12) + POWERS + (entryB << 3), v128.load64_zero(tables + (minusA << 12) + POWERS + (entryA << 3)), 1),
      )
      if (size == 8) v128.store(data, values)
      else {
        if (isMiddle(values)) break
        v128.store64_lane(data, f32x4.demote_f64x2_zero(values), 0)
      }
      data += size << 1
      row += 2
    }
    return row
  }
  const empties = mayBeEmpty(csv, validity)
  let nulls: u32 = 0
  for (; row < count; row++) {
    let start = usize(load<u32>(at)) + skip
    let end = usize(load<u32>(at, 4))
    let value = f64x2.splat(0)
    if (start == end) {
      if (!empties) break
      clearBit(validity, first + row)
      nulls++
    } else {
      let byte = u32(load<u8>(start))
      if (byte == quote) {
        start++
        end--
        byte = load<u8>(start)
      }
      const minus = usize(byte == 45)
      start += minus
      const length = end - start
      if (length - 1 >= 15) break
      const text = v128.load(start)
      const entry = (length << 5) + pointIn(text, points)
      const digits = i8x16.swizzle(i8x16.sub(text, zeros), v128.load(tables + (entry << 4)))
      if (v128.any_true(i8x16.sub_sat_u(digits, nines))) break
      const fours = foursOf(digits, low, tens, hundreds)
      value = quotients(
        i32x4.dot_i16x8_s(i16x8.narrow_i32x4_u(fours, fours), tenThousands), hundredMillions,
        v128.load64_splat(tables + (minus << 12) + POWERS + (entry << 3)),
      )
    }
    if (size == 8) v128.store64_lane(data, value, 0)
    else {
      if (isMiddle(value)) break
      v128.store32_lane(data, f32x4.demote_f64x2_zero(value), 0)
    }
    at += step
    data += size
  }
  csv.nulls += nulls
  return row
}

/** Which of 16 bytes is the first point, 16 where none is. */
// @ts-ignore: decorator
@inline
function pointIn(text: v128, points: v128): usize {
  return usize(ctz(i8x16.bitmask(i8x16.eq(text, points)) | 0x10000))
}

/** Whether one of two float64s is in the middle of two float32s: then it is the digits that say which is nearer. */
// @ts-ignore: decorator
@inline
function isMiddle(values: v128): bool {
  return v128.any_true(i64x2.eq(v128.and(values, i64x2.splat(0x1fffffff)), i64x2.splat(0x10000000)))
}

/** Two numbers of sixteen digits, as four of eight, by powers of ten: of fifteen digits at most, and so exact, as the powers are; rounded once. */
// @ts-ignore: decorator
@inline
function quotients(eights: v128, hundredMillions: v128, powers: v128): v128 {
  const upper = f64x2.convert_low_i32x4_s(i32x4.shuffle(eights, eights, 0, 2, 0, 2))
  const lower = f64x2.convert_low_i32x4_s(i32x4.shuffle(eights, eights, 1, 3, 1, 3))
  return f64x2.div(f64x2.add(f64x2.mul(upper, hundredMillions), lower), powers)
}
