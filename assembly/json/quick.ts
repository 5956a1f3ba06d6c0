// Values in their usual shape, without a call where that can be. Each answers where the value ends, or 0: then value.ts reads it.

import { parseFloat64 } from '../parse/float'
import { numberOf } from '../parse/digits'
import { powerOfFive } from '../parse/powers'
import { Column, Op, Parser } from './layout'
import { scanText, skipNumber } from './scan'

/** A string without escapes, known to be UTF-8. */
// @ts-ignore: decorator
@inline
export function quickText(column: Column, row: u32, at: usize, end: usize, textLimit: usize): usize {
  if (load<u8>(at) != 0x22) return 0
  const from = at + 1
  const to = scanText(from, end)
  if (to > textLimit || load<u8>(to) != 0x22) return 0
  store<u64>(column.spans + (usize(row - column.spansFrom) << 3), u64(from) | (u64(to - from) << 32))
  return to + 1
}

/** An integer of up to 16 digits in a column of 32 or 64 bits. */
// @ts-ignore: decorator
@inline
export function quickInteger(column: Column, op: Op, row: u32, at: usize): usize {
  const isNegative = u32(load<u8>(at) == 0x2d)
  let from = at + usize(isNegative)
  const first = load<u64>(from) ^ 0x3030303030303030
  let others = ((first + 0x7676767676767676) | first) & 0x8080808080808080
  let number: u64
  let count: u64
  if (others) {
    count = u64(ctz(others)) & ~7
    // No digit, or a zero that leads others.
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
    if (count) number = number * (powerOfFive(u32(count >> 3)) << (count >> 3)) + numberOf(second << (64 - count))
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

/** A number of up to 15 characters, without exponent. */
// @ts-ignore: decorator
@inline
export function quickFloat(column: Column, row: u32, at: usize): usize {
  const from = at + usize(load<u8>(at) == 0x2d)
  const text = v128.load(from)
  const points = u32(i8x16.bitmask(i8x16.eq(text, i8x16.splat(0x2e))))
  const known = u32(i8x16.bitmask(i8x16.lt_u(i8x16.sub(text, i8x16.splat(0x30)), i8x16.splat(10)))) | points
  const length = ctz(~known)
  if (length >= 16) return 0
  const to = from + usize(length)
  const point = points & ((1 << length) - 1)
  const whole = ctz(point | (1 << length))
  // No digit before the point, none behind it, or a zero that leads others; a second point is parseFloat64's to refuse.
  if (whole == 0 || (point != 0 && whole + 1 == length) || (whole > 1 && load<u8>(from) == 0x30)) return 0
  if ((load<u8>(to) | 0x20) == 0x65) return 0
  return parseFloat64(at, to, column.data + (usize(row) << 3)) ? 0 : to
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
export function quickSkip(parser: Parser, at: usize, end: usize): usize {
  const first = u32(load<u8>(at))
  if (first == 0x22) {
    const to = scanText(at + 1, end)
    return to < end && load<u8>(to) == 0x22 ? to + 1 : 0
  }
  return first == 0x2d || first - 0x30 < 10 ? skipNumber(parser, at) : 0
}
