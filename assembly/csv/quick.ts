// Numbers as most are written, several at once. These loops call nothing, so that all they need stays in registers, and end where something else has
// to be done: each returns the row that it has not read, and numbers.ts goes on from there. It calls each from two places, so that the compiler does
// not put them into a function that does call. Fields are given as there; `skip` is the bytes from a separator to the field behind it.

import { areDigits, digitsAt, numberOf } from '../parse/digits'
import { HUNDRED_MILLIONS, HUNDREDS, LOW_BYTES, NINES, POINTS, POWERS, TEN_THOUSANDS, TENS, ZEROS } from './tables'

/** Integers of 4 or 8 bytes, of 1 to 8 digits and no sign, four at a time. */
export function quickIntegers(
  tables: usize, skip: usize, size: usize, at: usize, step: usize, row: u32, count: u32, data: usize,
): u32 {
  const zeros = load<u64>(tables, ZEROS)
  const nines = v128.load(tables, NINES)
  const low = v128.load(tables, LOW_BYTES)
  const tens = v128.load(tables, TENS)
  const hundreds = v128.load(tables, HUNDREDS)
  const tenThousands = v128.load(tables, TEN_THOUSANDS)
  at += usize(row) * step
  data += usize(row) * size
  while (row + 4 <= count) {
    const start0 = usize(load<u32>(at)) + skip
    // The length, negative: a left shift by it times eight leaves its bytes, at the upper end.
    const less0 = start0 - usize(load<u32>(at, 4))
    at += step
    const start1 = usize(load<u32>(at)) + skip
    const less1 = start1 - usize(load<u32>(at, 4))
    at += step
    const start2 = usize(load<u32>(at)) + skip
    const less2 = start2 - usize(load<u32>(at, 4))
    at += step
    const start3 = usize(load<u32>(at)) + skip
    const less3 = start3 - usize(load<u32>(at, 4))
    at += step
    if ((~less0 | ~less1 | ~less2 | ~less3) > 7) return row
    const a = i64x2.replace_lane(
      i64x2.splat((load<u64>(start0) ^ zeros) << (u64(less0) << 3)), 1, (load<u64>(start1) ^ zeros) << (u64(less1) << 3),
    )
    const b = i64x2.replace_lane(
      i64x2.splat((load<u64>(start2) ^ zeros) << (u64(less2) << 3)), 1, (load<u64>(start3) ^ zeros) << (u64(less3) << 3),
    )
    if (v128.any_true(i8x16.sub_sat_u(i8x16.max_u(a, b), nines))) return row
    const twosA = i16x8.add(i16x8.mul(v128.and(a, low), tens), i16x8.shr_u(a, 8))
    const twosB = i16x8.add(i16x8.mul(v128.and(b, low), tens), i16x8.shr_u(b, 8))
    const fours = i16x8.narrow_i32x4_u(i32x4.dot_i16x8_s(twosA, hundreds), i32x4.dot_i16x8_s(twosB, hundreds))
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

/** Integers of any size, of 1 to 16 digits, and a minus. */
export function quickLong(skip: usize, kind: i32, at: usize, step: usize, row: u32, count: u32, data: usize): u32 {
  const size = usize(abs(kind))
  at += usize(row) * step
  data += usize(row) * size
  for (; row < count; row++) {
    let start = usize(load<u32>(at)) + skip
    const end = usize(load<u32>(at, 4))
    const minus = u64(load<u8>(start) == 45)
    start += usize(minus)
    const length = end - start
    let value: i64
    if (length - 1 < 8) {
      const digits = digitsAt(start, length)
      if (!areDigits(digits)) return row
      value = i64((numberOf(digits) ^ (0 - minus)) + minus)
    } else {
      if (length - 9 >= 8) return row
      const upper = digitsAt(start, length - 8)
      const lower = digitsAt(end - 8, 8)
      if (!areDigits(upper) || !areDigits(lower)) return row
      value = i64(((numberOf(upper) * 100000000 + numberOf(lower)) ^ (0 - minus)) + minus)
    }
    if (size == 8) store<i64>(data, value)
    else if (size == 4) {
      if (value != (kind == 4 ? i64(i32(value)) : i64(u32(value)))) return row
      store<i32>(data, i32(value))
    } else if (size == 2) {
      if (value != (kind == 2 ? i64(i16(value)) : i64(u16(value)))) return row
      store<i16>(data, i16(value))
    } else {
      if (value != (kind == 1 ? i64(i8(value)) : i64(u8(value)))) return row
      store<i8>(data, i8(value))
    }
    at += step
    data += size
  }
  return row
}

// @ts-ignore: decorator
@inline
function pairsOf(digits: v128, low: v128, tens: v128, hundreds: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.add(i16x8.mul(v128.and(digits, low), tens), i16x8.shr_u(digits, 8)), hundreds)
}

/** Floats of up to 15 characters, digits and a point, and a minus before them; two at a time. */
export function quickFloats(
  tables: usize, skip: usize, size: usize, at: usize, step: usize, row: u32, count: u32, data: usize,
): u32 {
  const nines = v128.load(tables, NINES)
  const low = v128.load(tables, LOW_BYTES)
  const tens = v128.load(tables, TENS)
  const hundreds = v128.load(tables, HUNDREDS)
  const tenThousands = v128.load(tables, TEN_THOUSANDS)
  const zeros = v128.load(tables, ZEROS)
  const points = v128.load(tables, POINTS)
  const millions = v128.load(tables, HUNDRED_MILLIONS)
  at += usize(row) * step
  data += usize(row) * size
  while (row + 2 <= count) {
    let startA = usize(load<u32>(at)) + skip
    const minusA = usize(load<u8>(startA) == 45)
    startA += minusA
    const lengthA = usize(load<u32>(at, 4)) - startA
    at += step
    let startB = usize(load<u32>(at)) + skip
    const minusB = usize(load<u8>(startB) == 45)
    startB += minusB
    const lengthB = usize(load<u32>(at, 4)) - startB
    if (lengthA - 1 >= 15 || lengthB - 1 >= 15) return row
    at += step
    const textA = v128.load(startA)
    const textB = v128.load(startB)
    const entryA = (lengthA << 5) + usize(ctz(i8x16.bitmask(i8x16.eq(textA, points)) | 0x10000))
    const entryB = (lengthB << 5) + usize(ctz(i8x16.bitmask(i8x16.eq(textB, points)) | 0x10000))
    const digitsA = i8x16.swizzle(i8x16.sub(textA, zeros), v128.load(tables + (entryA << 4)))
    const digitsB = i8x16.swizzle(i8x16.sub(textB, zeros), v128.load(tables + (entryB << 4)))
    if (v128.any_true(i8x16.sub_sat_u(i8x16.max_u(digitsA, digitsB), nines))) return row
    const fours = i16x8.narrow_i32x4_u(pairsOf(digitsA, low, tens, hundreds), pairsOf(digitsB, low, tens, hundreds))
    const eights = i32x4.dot_i16x8_s(fours, tenThousands)
    const upper = f64x2.convert_low_i32x4_s(i32x4.shuffle(eights, eights, 0, 2, 0, 2))
    const lower = f64x2.convert_low_i32x4_s(i32x4.shuffle(eights, eights, 1, 3, 1, 3))
    const powers = v128.load64_lane(
      tables + (minusB << 12) + POWERS + (entryB << 3), v128.load64_zero(tables + (minusA << 12) + POWERS + (entryA << 3)), 1,
    )
    // Both are exact: fifteen digits at most, and a power that is one; so their quotient is rounded once.
    const values = f64x2.div(f64x2.add(f64x2.mul(upper, millions), lower), powers)
    if (size == 8) v128.store(data, values)
    else {
      // In the middle of two float32s it is the digits that say which is nearer.
      const rest = v128.and(values, i64x2.splat(0x1fffffff))
      if (v128.any_true(i64x2.eq(rest, i64x2.splat(0x10000000)))) return row
      v128.store64_lane(data, f32x4.demote_f64x2_zero(values), 0)
    }
    data += size << 1
    row += 2
  }
  return row
}
