// float32s from text. The nearest float64 is rounded once more, which is right unless it is the middle between two float32s: then the text says
// on which side of it the number lies.

import { endOfDigits } from './digits'
import { parseFloat64 } from './float'
import { isAboveHalf } from './float-exact'
import { exponentOf } from './float-long'

/** Where the float64 lies for the time of a call: in page 0, behind what float-exact.ts uses. */
// @ts-ignore: decorator
@inline
const DOUBLE: usize = 0xf400

/** As parseFloat64 (float.ts), but stores the nearest float32. */
// @ts-ignore: decorator
@inline
export function parseFloat32(at: usize, end: usize, out: usize): u32 {
  if (parseFloat64(at, end, DOUBLE)) return 1
  const bits = load<u64>(DOUBLE)
  // The 29 bits that a float32 lacks are half of its last one; or it may be subnormal and lack more.
  const isClose = (bits & 0x1fffffff) == 0x10000000 || (bits & 0x7fffffffffffffff) < 0x3810000000000000
  store<f32>(out, isClose ? nearestFloat32(at, end, bits) : f32(reinterpret<f64>(bits)))
  return 0
}

/** The float32 nearest to what [at, end) spells, to which `bits` are the nearest float64. */
function nearestFloat32(at: usize, end: usize, bits: u64): f32 {
  const exponent = i32((bits >> 52) & 2047) - 1023
  const dropped = 29 + max(0, -126 - exponent)
  const whole = (bits & 0xfffffffffffff) | 0x10000000000000
  const half = u64(1) << (dropped - 1)
  // Below 2^-150, beyond 2^128, and what is no middle at all.
  if (dropped > 53 || exponent > 127 || (whole & (half * 2 - 1)) != half) return f32(reinterpret<f64>(bits))
  const kept = whole >> dropped
  const order = isAboveDigits(kept, exponent - 53 + dropped, at, end)
  const sign = u32(bits >> 32) & 0x80000000
  return reinterpret<f32>(sign | ((u32(max(0, exponent + 126)) << 23) + u32(kept) + order))
}

function isAboveDigits(kept: u64, scale: i32, at: usize, end: usize): u32 {
  const first = load<u8>(at)
  const from = at + usize(u32(first == 43) | u32(first == 45))
  let digitsEnd = endOfDigits(from, end)
  let places: i64 = 0
  if (digitsEnd < end && load<u8>(digitsEnd) == 46) {
    const part = digitsEnd + 1
    digitsEnd = endOfDigits(part, end)
    places = i64(digitsEnd - part)
  }
  const exponent: i64 = digitsEnd < end ? exponentOf(digitsEnd + 1, end) : 0
  return isAboveHalf(kept, scale, from, digitsEnd, exponent - places)
}
