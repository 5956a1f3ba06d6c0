// Floating point numbers of any shape: finds digits and exponent, and rounds those of up to 19 digits by one product of 64-bit factors where
// that leaves no doubt. The idea is D. Lemire's ("Number parsing at a gigabyte per second", 2021, after M. Eisel), with a bound on
// the error instead of a table of exact powers: see `round`.

import { appendDigits, endOfDigits, endOfZeros, numberOf, othersIn, smallPowerOfTen } from './digits'
import { isAboveHalf, significantFrom } from './float-exact'
import { parsePlainFloat64 } from './float-plain'
import { powerOfFive, powerOfTen, strideBits, strideExponent } from './powers'

/** As parseFloat64 (float.ts), behind the sign. */
export function parseLongFloat64(from: usize, end: usize, isNegative: u32, out: usize): u32 {
  const sign = u64(isNegative) << 63
  if (end - from - 9 < 8 && parsePlainFloat64(from, end, sign, out)) return 0
  let number: u64 = 0
  let next = from
  let part: usize = 0
  while (next < end) {
    const digits = load<u64>(next) ^ 0x3030303030303030
    const others = othersIn(digits)
    if (others == 0 && end - next >= 8) {
      number = number * 100000000 + numberOf(digits)
      next += 8
      continue
    }
    const count = min(usize(ctz(others) >> 3), end - next)
    if (count) number = number * smallPowerOfTen(u64(count)) + numberOf(digits << (64 - (u64(count) << 3)))
    next += count
    if (part || next >= end || load<u8>(next) != 46) break
    next++
    part = next
  }
  const digitsEnd = next
  const count = digitsEnd - from - usize(part != 0)
  if (from >= end || count == 0) return parseName(from, end, sign, out)
  let exponent: i64 = 0
  if (next < end) {
    if ((load<u8>(next) | 0x20) != 0x65) return 1
    exponent = exponentOf(next + 1, end)
    if (exponent == i64.MIN_VALUE) return 1
  }
  if (part) exponent -= i64(digitsEnd - part)
  // 19 digits are below 2^64.
  const isExact = count - usize(load<u8>(from) == 48) <= 19
  const bits = isExact ? round(number, exponent, false, from, digitsEnd, exponent) : roundMany(from, digitsEnd, exponent)
  store<u64>(out, sign | bits)
  return 0
}

/** What `[+-]?digits` spells, cut to 10^11 as nothing that fits in memory outweighs that; i64.MIN_VALUE where it is something else. */
export function exponentOf(at: usize, end: usize): i64 {
  const first = load<u8>(at)
  at += usize(u32(first == 43) | u32(first == 45))
  if (at >= end || endOfDigits(at, end) != end) return i64.MIN_VALUE
  at = endOfZeros(at, end)
  const exponent: i64 = end - at > 11 ? 100000000000 : i64(appendDigits(0, at, end - at))
  return first == 45 ? -exponent : exponent
}

/** The bits of the float64 nearest to the digits of [at, end), a point among them or not, times 10^`exponent`. */
function roundMany(at: usize, end: usize, exponent: i64): u64 {
  at = significantFrom(at, end)
  const wholeEnd = endOfDigits(at, end)
  const inWhole = min(wholeEnd - at, 19)
  let number = appendDigits(0, at, inWhole)
  let cut = wholeEnd - at - inWhole
  if (wholeEnd < end) {
    const inPart = min(end - wholeEnd - 1, 19 - inWhole)
    number = appendDigits(number, wholeEnd + 1, inPart)
    cut += end - wholeEnd - 1 - inPart
  }
  return round(number, exponent + i64(cut), cut != 0, at, end, exponent)
}

/** inf, infinity or nan. */
function parseName(from: usize, end: usize, sign: u64, out: usize): u32 {
  const word = load<u64>(from) | 0x2020202020202020
  const length = end - from
  if (length == 8 ? word == 0x7974696e69666e69 : length == 3 && (word & 0xffffff) == 0x666e69) {
    store<u64>(out, sign | 0x7ff0000000000000)
    return 0
  }
  if (length != 3 || (word & 0xffffff) != 0x6e616e) return 1
  store<u64>(out, 0x7ff8000000000000)
  return 0
}

/**
 * The bits of the float64 nearest to `number` * 10^`exponent`; with `isCut` to anything above that and below (`number` + 1) * 10^`exponent`,
 * where `number` has 19 digits. The rest says where the digits are (float-exact.ts), in case they must be looked at.
 *
 *   number * 5^small                 the upper 64 of 128 bits, moved up by one where the first is not set: less than 2 cut off
 *   power = 10^(27 * stride - 351)   its first 64 bits: less than 1 cut off
 *   high = upper 64 of the product   so the true one is from `high` to `high` + 4: 1 cut off here, 2 and 1 from the factors (each below 2^64)
 *                                    with `isCut` to `high` + 23: (number + 1) / number is at most 1 + 10^-18, and 2^64 / 10^18 is 18.4...
 *
 *   high  | 53 bits of the result, fewer where it is subnormal | dropped |       the result is known unless half of what the last bit stands
 *                                                                                for is among the values that `dropped` may have
 */
function round(number: u64, exponent: i64, isCut: bool, at: usize, end: usize, digitsExponent: i64): u64 {
  if (number == 0) return 0
  if (!isCut) {
    if (exponent == 0) return reinterpret<u64>(f64(number))
    if (number <= 0x20000000000000 && exponent >= -22 && exponent <= 22) {
      const exact = f64(i64(number))
      const power = powerOfTen(u32(abs(exponent)))
      return reinterpret<u64>(exponent < 0 ? exact / power : exact * power)
    }
  }
  // Below 2^64 * 10^-343, which is below half the least number; from 10^309.
  if (exponent < -342) return 0
  if (exponent > 308) return 0x7ff0000000000000
  const stride = u32(exponent + 351) / 27
  const small = u32(exponent + 351) - stride * 27
  const five = powerOfFive(small)
  const numberZeros = clz(number)
  const fiveZeros = clz(five)
  // Both have their first bit set, so the product has its first or its second.
  const product = upperHalf(number << numberZeros, five << fiveZeros)
  const isShort = ~product >> 63
  const high = upperHalf(product << isShort, strideBits(stride))
  // The value is high * 2^scale, and a little.
  const scale = 128 - i32(numberZeros + fiveZeros + isShort) + i32(small) + strideExponent(stride)
  const width = 64 - i32(clz(high))
  const biased = scale + width + 1022
  if (biased > 2046) return 0x7ff0000000000000
  const dropped = width - 53 + max(0, 1 - biased)
  let result: u64 = 0
  // At 64 and more nothing is left but a value near the least one or half of it.
  if (dropped < 64) {
    const low = high & ((u64(1) << dropped) - 1)
    const half = u64(1) << (dropped - 1)
    result = (u64(max(0, biased - 1)) << 52) + (high >> dropped)
    // Wraps where `low` is above.
    if (half - low >= (isCut ? 23 : 4)) return result + u64(low > half)
  }
  const kept = dropped < 64 ? high >> dropped : 0
  const order = isAboveHalf(kept, scale + dropped - 1, at, end, digitsExponent)
  return result + u64(order)
}

/** The upper 64 bits of a product. */
function upperHalf(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff
  const bLow = b & 0xffffffff
  const aHigh = a >> 32
  const bHigh = b >> 32
  const middle = aHigh * bLow + ((aLow * bLow) >> 32)
  return aHigh * bHigh + (middle >> 32) + ((aLow * bHigh + (middle & 0xffffffff)) >> 32)
}
