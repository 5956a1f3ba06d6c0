// Floating point numbers from text, correctly rounded whatever their length: what a reader with unlimited precision would store.
//
//   up to 16 characters, digits and one point      here, by SIMD: all digits are one integer below 2^53, divided once by an exact power
//   all else of up to 19 digits, exponents, names  float-long.ts: the product with a power of ten of 64 bits, which leaves 1 of some 700 in doubt
//   what is in doubt                               float-exact.ts: integers of any size

import { parseLongFloat64 } from './float-long'
import { powerOfTen } from './powers'

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
  const length = u32(end - from)
  if (length - 1 < 16) {
    const text = v128.load(from)
    const digits = i8x16.sub(text, i8x16.splat(48))
    const points = u32(i8x16.bitmask(i8x16.eq(text, i8x16.splat(46))))
    const all = (u32(1) << length) - 1
    const point = points & all
    const known = u32(i8x16.bitmask(i8x16.lt_u(digits, i8x16.splat(10)))) | points
    const count = length - u32(point != 0)
    if ((known & all) == all && (point & (point - 1)) == 0 && count != 0) {
      // Lane i takes digit i - (16 - count), so that zeros lead; behind the point it is the character after that.
      const pointAt = ctz(point | (u32(1) << length))
      const places = i8x16.sub(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(i8(16 - count)))
      const lanes = i8x16.sub(places, i8x16.ge_s(places, i8x16.splat(i8(pointAt))))
      const sixteen = i8x16.swizzle(digits, lanes)
      const twos = i16x8.add(i16x8.mul(v128.and(sixteen, i16x8.splat(255)), i16x8.splat(10)), i16x8.shr_u(sixteen, 8))
      const fours = i32x4.dot_i16x8_s(twos, i16x8(100, 1, 100, 1, 100, 1, 100, 1))
      const eights = i32x4.dot_i16x8_s(
        i16x8.narrow_i32x4_u(fours, fours),
        i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1),
      )
      const number = i64(i32x4.extract_lane(eights, 0)) * 100000000 + i64(i32x4.extract_lane(eights, 1))
      if (number <= 0x20000000000000) {
        const value = f64(number) / powerOfTen(count - pointAt)
        store<u64>(out, reinterpret<u64>(value) | (u64(isNegative) << 63))
        return 0
      }
    }
  }
  return parseLongFloat64(from, end, isNegative, out)
}
