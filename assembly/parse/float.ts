// Floating point numbers from text, correctly rounded whatever their length: what a reader with unlimited precision would store.
//
//   up to 8 characters, digits and one point      here: the digits are one word, their number is divided once by an exact power of ten
//   up to 16 such characters                      float-plain.ts: the same by SIMD
//   all else                                      float-long.ts: a product of factors of 64 bits, which leaves one of some hundreds in doubt
//   what is in doubt                              float-exact.ts: integers of any size, in a stretch of page 0 that is nobody else's

import { digitsAt, numberOf, othersIn, smallPowerOfTen } from './digits'
import { parseLongFloat64 } from './float-long'

/**
 * Stores the float64 nearest to what the whole of [at, end) spells, `[+-]?(digits[.digits]|.digits)([eE][+-]?digits)?` (also `digits.`), or
 * nan, inf or infinity in any case, with a sign; beyond the range are infinity and 0. 0 stored, 1 no number. Up to 16 bytes behind `end` are
 * read.
 */
// @ts-ignore: decorator
@inline
export function parseFloat64(at: usize, end: usize, out: usize): u32 {
  const first = load<u8>(at)
  const isNegative = u32(first == 45)
  const from = at + usize(isNegative | u32(first == 43))
  const length = end - from
  if (length - 1 < 8) {
    const digits = digitsAt(from, length)
    const others = othersIn(digits)
    if (others == 0) {
      store<u64>(out, reinterpret<u64>(f64(i64(numberOf(digits)))) | (u64(isNegative) << 63))
      return 0
    }
    // One byte is no digit: if it is a point, what is before it moves up over it.
    const before = ctz(others) - 7
    const upper = digits >> before
    if ((others & (others - 1)) == 0 && (upper & 255) == 30 && length > 1) {
      const joined = (upper & ~u64(255)) << before | (digits & ((u64(1) << before) - 1)) << 8
      const value = f64(i64(numberOf(joined))) / f64(i64(smallPowerOfTen(7 - (before >> 3))))
      store<u64>(out, reinterpret<u64>(value) | (u64(isNegative) << 63))
      return 0
    }
  }
  return parseLongFloat64(from, end, isNegative, out)
}
