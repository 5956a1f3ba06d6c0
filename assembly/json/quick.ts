// Values in their usual shape, without a call where that can be. Each answers where the value ends, or 0: then value.ts reads it.

import { numberOf, smallPowerOfTen } from '../parse/digits'
import { Column, Op } from './layout'
import { scanText } from './scan'

/** A string without escapes, known to be UTF-8. */
// @ts-ignore: decorator
@inline
export function quickText(column: Column, row: u32, at: usize, end: usize, textLimit: usize): usize {
  if (load<u8>(at) != 0x22) return 0
  const from = at + 1
  const to = scanText(from, end)
  if (to > textLimit || load<u8>(to) != 0x22) return 0
  store<u64>(column.spans + (usize(row) << 3), u64(from) | (u64(to - from) << 32))
  return to + 1
}

/** An integer of up to 16 digits in a column of 32 or 64 bits. */
// @ts-ignore: decorator
@inline
export function quickInteger(column: Column, op: Op, row: u32, at: usize): usize {
  const word = load<u64>(at)
  const first = word ^ 0x3030303030303030
  const others = ((first + 0x7676767676767676) | first) & 0x8080808080808080
  const count = u64(ctz(others)) & ~7
  // No digit, eight and more, or a zero that leads others.
  if (count - 8 > 48 || ((first & 0xff) == 0 && count != 8)) return longInteger(column, op, row, at)
  const behind = u32(word >> count) & 0xff
  if (behind == 0x2e || (behind | 0x20) == 0x65) return 0
  // Up to seven digits fit any column.
  const number = numberOf(first << (64 - count))
  if (op == Op.INT32) store<u32>(column.data + (usize(row) << 2), u32(number))
  else store<u64>(column.data + (usize(row) << 3), number)
  return at + usize(count >> 3)
}

/** The same with a sign, or with more digits. */
// @ts-ignore: decorator
@inline
function longInteger(column: Column, op: Op, row: u32, at: usize): usize {
  const isNegative = u32(load<u8>(at) == 0x2d)
  let from = at + usize(isNegative)
  const first = load<u64>(from) ^ 0x3030303030303030
  let others = ((first + 0x7676767676767676) | first) & 0x8080808080808080
  let number: u64
  let count: u64
  if (others) {
    count = u64(ctz(others)) & ~7
    if (count == 0 || ((first & 0xff) == 0 && count != 8)) return 0
    number = numberOf(first << (64 - count))
  } else {
    if ((first & 0xff) == 0) return 0
    from += 8
    const second = load<u64>(from) ^ 0x3030303030303030
    others = ((second + 0x7676767676767676) | second) & 0x8080808080808080
    if (others == 0) return 0
    count = u64(ctz(others)) & ~7
    number = numberOf(first)
    if (count) number = number * smallPowerOfTen(count >> 3) + numberOf(second << (64 - count))
  }
  from += usize(count >> 3)
  const behind = u32(load<u8>(from))
  if (behind == 0x2e || (behind | 0x20) == 0x65) return 0
  const sign = -i64(isNegative)
  const value = (i64(number) ^ sign) - sign
  if (value < column.least || value > column.greatest) return 0
  if (op == Op.INT32) store<i32>(column.data + (usize(row) << 2), i32(value))
  else store<i64>(column.data + (usize(row) << 3), value)
  return from
}

/** A number of up to 15 characters; what is behind may be an exponent. `powers` has those of ten as float64s. */
// @ts-ignore: decorator
@inline
export function quickFloat(at: usize, out: usize, powers: usize): usize {
  const isNegative = u32(load<u8>(at) == 0x2d)
  const from = at + usize(isNegative)
  const text = v128.load(from)
  const digits = i8x16.sub(text, i8x16.splat(0x30))
  const points = i8x16.bitmask(i8x16.eq(text, i8x16.splat(0x2e)))
  // A second point is not one of the number.
  const length = ctz(~(i8x16.bitmask(i8x16.eq(i8x16.min_u(digits, i8x16.splat(9)), digits)) | (points & -points)))
  const point = min(ctz(points), length)
  const count = length - i32(point != length)
  // At most 15 characters; digits before a point and behind it; a zero leads no other digit.
  const first = i32(load<u8>(from)) - 0x31
  if (((15 - length) | (point - 1) | (count - point - i32(point != length)) | (first & (1 - point))) < 0) return 0
  // Lane i takes digit i - (16 - count), so that zeros lead; behind the point it is the character after that.
  const places = i8x16.sub(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(i8(16 - count)))
  const sixteen = i8x16.swizzle(digits, i8x16.sub(places, i8x16.ge_s(places, i8x16.splat(i8(point)))))
  const twos = i16x8.add(i16x8.mul(v128.and(sixteen, i16x8.splat(255)), i16x8.splat(10)), i16x8.shr_u(sixteen, 8))
  const fours = i32x4.dot_i16x8_s(twos, i16x8(100, 1, 100, 1, 100, 1, 100, 1))
  const eights = i32x4.dot_i16x8_s(
    i16x8.narrow_i32x4_u(fours, fours),
    i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1),
  )
  const number = i64(i32x4.extract_lane(eights, 0)) * 100000000 + i64(i32x4.extract_lane(eights, 1))
  const value = f64(number) / load<f64>(powers + (usize(count - point) << 3))
  store<u64>(out, reinterpret<u64>(value) | (u64(isNegative) << 63))
  return from + usize(length)
}

// @ts-ignore: decorator
@inline
export function quickBool(column: Column, row: u32, at: usize): usize {
  const word = load<u32>(at)
  const isTrue = word == 0x65757274
  if (!isTrue && (word != 0x736c6166 || load<u8>(at, 4) != 0x65)) return 0
  const bit = u8(1) << u8(row & 7)
  const place = column.data + usize(row >> 3)
  store<u8>(place, isTrue ? load<u8>(place) | bit : load<u8>(place) & ~bit)
  return at + (isTrue ? 4 : 5)
}

/** What nobody wants: a string without escapes, or a number. */
// @ts-ignore: decorator
@inline
export function quickSkip(at: usize, end: usize): usize {
  const word = load<u64>(at)
  const first = u32(word) & 0xff
  if (first == 0x22) {
    const to = scanText(at + 1, end)
    return to < end && load<u8>(to) == 0x22 ? to + 1 : 0
  }
  const digits = word ^ 0x3030303030303030
  const others = ((digits + 0x7676767676767676) | digits) & 0x8080808080808080
  const count = u64(ctz(others)) & ~7
  if (count - 8 <= 48 && (first != 0x30 || count == 8)) {
    const behind = u32(word >> count) & 0xff
    if (behind != 0x2e && (behind | 0x20) != 0x65) return at + usize(count >> 3)
  }
  return quickNumberEnd(at)
}

/** Behind a number of up to 15 characters, without exponent. */
// @ts-ignore: decorator
@inline
function quickNumberEnd(at: usize): usize {
  const from = at + usize(load<u8>(at) == 0x2d)
  const text = v128.load(from)
  const points = u32(i8x16.bitmask(i8x16.eq(text, i8x16.splat(0x2e))))
  const digits = i8x16.sub(text, i8x16.splat(0x30))
  const known = u32(i8x16.bitmask(i8x16.eq(i8x16.min_u(digits, i8x16.splat(9)), digits))) | points
  const length = ctz(~known)
  if (length >= 16) return 0
  const to = from + usize(length)
  const point = points & ((1 << length) - 1)
  const whole = ctz(point | (1 << length))
  if (whole == 0 || (point != 0 && whole + 1 == length) || (whole > 1 && load<u8>(from) == 0x30) || point & (point - 1)) return 0
  return (load<u8>(to) | 0x20) == 0x65 ? 0 : to
}
