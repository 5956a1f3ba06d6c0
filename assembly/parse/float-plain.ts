// Numbers of up to sixteen characters, digits and at most one point, by SIMD: the point is closed up, all digits are one integer, and that is divided
// once by an exact power of ten. Behind a point it has at most 15 digits, so it is exact; of 16 digits there is only the conversion to round.

import { powerOfTen } from './powers'

/** Stores the float64 that [at, end) spells, which is 1 to 16 bytes; false, and nothing stored, where it is of another shape. */
export function parsePlainFloat64(at: usize, end: usize, sign: u64, out: usize): bool {
  const length = u32(end - at)
  const text = v128.load(at)
  const digits = i8x16.sub(text, i8x16.splat(48))
  const points = u32(i8x16.bitmask(i8x16.eq(text, i8x16.splat(46))))
  const all = (u32(1) << length) - 1
  const point = points & all
  const known = u32(i8x16.bitmask(i8x16.lt_u(digits, i8x16.splat(10)))) | point
  const count = length - u32(point != 0)
  if ((known & all) != all || (point & (point - 1)) != 0 || count == 0) return false
  // Lane i takes digit i - (16 - count), of which those below 0 read as 0; behind the point that is a character further.
  const pointAt = ctz(point | (u32(1) << length))
  const places = i8x16.sub(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(i8(16 - count)))
  const lanes = i8x16.sub(places, i8x16.ge_s(places, i8x16.splat(i8(pointAt))))
  const number = f64(numberOfSixteen(i8x16.swizzle(digits, lanes)))
  store<u64>(out, sign | reinterpret<u64>(number / powerOfTen(count - pointAt)))
  return true
}

/** The number that sixteen digits 0 to 9 spell. */
// @ts-ignore: decorator
@inline
function numberOfSixteen(digits: v128): i64 {
  const twos = i16x8.add(i16x8.mul(v128.and(digits, i16x8.splat(255)), i16x8.splat(10)), i16x8.shr_u(digits, 8))
  const fours = i32x4.dot_i16x8_s(twos, i16x8(100, 1, 100, 1, 100, 1, 100, 1))
  const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_u(fours, fours), i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1))
  return i64(i32x4.extract_lane(eights, 0)) * 100000000 + i64(i32x4.extract_lane(eights, 1))
}
