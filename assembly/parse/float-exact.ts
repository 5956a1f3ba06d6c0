// The last resort of float-long.ts and float32.ts: on which side of the middle between two neighbours a number of any length lies, by
// integers of any size.
//
// Both sides are multiplied until they are integers. They lie in page 0 of the lane's memory, which is never handed out (src/kernels/memory.ts),
// for the time of one call: u32 limbs, the lowest first, with zeros nowhere above the highest.
//
//   0xf000   limbs of the number: of 800 digits 84, moved up to meet the middle never above 128        512 bytes
//   0xf200   limbs of the middle, the like                                                             512 bytes
//   0xf400   float32.ts's                                                                                8 bytes

import { endOfDigits, endOfZeros } from './digits'

// @ts-ignore: decorator
@inline
const NUMBER: usize = 0xf000
// @ts-ignore: decorator
@inline
const MIDDLE: usize = 0xf200

/** No middle between two float64s has more digits than 768. */
// @ts-ignore: decorator
@inline
const MOST_DIGITS: i32 = 800

/**
 * Whether the number rounds up: 1 where it is above (2 * `kept` + 1) * 2^`scale`, or equal to that and `kept` is odd. The digits of [at, end), a point
 * among them or not, spell an integer, which is to be taken times 10^`exponent`; it is not 0. The number must be within a factor of two or so of the
 * middle, or below it and above 10^-343.
 */
export function isAboveHalf(kept: u64, scale: i32, at: usize, end: usize, exponent: i64): u32 {
  let length: u32 = 0
  let nine: u32 = 0
  let factor: u32 = 1
  let room = MOST_DIGITS
  at = significantFrom(at, end)
  while (room > 0 && at < end) {
    const digit = u32(load<u8>(at)) - 48
    at++
    if (digit > 9) continue
    room--
    nine = nine * 10 + digit
    factor *= 10
    if (factor == 1000000000) {
      length = multiplyAdd(NUMBER, length, factor, nine)
      nine = 0
      factor = 1
    }
  }
  length = multiplyAdd(NUMBER, length, factor, nine)
  const hasPoint = usize(endOfDigits(at, end) != end)
  const tens = i32(exponent + i64(end - at - hasPoint))
  const middle = kept * 2 + 1
  store<u64>(MIDDLE, middle)
  let middleLength: u32 = middle >> 32 ? 2 : 1
  if (tens > 0) length = multiplyByFives(NUMBER, length, tens)
  else middleLength = multiplyByFives(MIDDLE, middleLength, -tens)
  const twos = tens - scale
  if (twos > 0) length = shiftUp(NUMBER, length, twos)
  else middleLength = shiftUp(MIDDLE, middleLength, -twos)
  const order = compare(length, middleLength)
  if (order) return u32(order > 0)
  return u32(significantFrom(at, end) != end) | u32(kept & 1)
}

/** The first digit of [at, end) that is not 0, or `end`; a point may stand among the digits. */
export function significantFrom(at: usize, end: usize): usize {
  at = endOfZeros(at, end)
  return at < end && load<u8>(at) == 46 ? endOfZeros(at + 1, end) : at
}

/** limbs = limbs * factor + addend; returns their count. */
function multiplyAdd(limbs: usize, length: u32, factor: u32, addend: u32): u32 {
  const end = limbs + (usize(length) << 2)
  let carry = u64(addend)
  for (let at = limbs; at < end; at += 4) {
    carry += u64(load<u32>(at)) * u64(factor)
    store<u32>(at, u32(carry))
    carry >>= 32
  }
  if (carry == 0) return length
  store<u32>(end, u32(carry))
  return length + 1
}

function multiplyByFives(limbs: usize, length: u32, count: i32): u32 {
  while (count >= 13) {
    length = multiplyAdd(limbs, length, 1220703125, 0)
    count -= 13
  }
  let factor: u32 = 1
  while (count > 0) {
    factor *= 5
    count--
  }
  return multiplyAdd(limbs, length, factor, 0)
}

/** limbs = limbs * 2^count. */
function shiftUp(limbs: usize, length: u32, count: i32): u32 {
  length = multiplyAdd(limbs, length, 1 << (count & 31), 0)
  const whole = count >> 5
  if (whole == 0) return length
  memory.copy(limbs + (usize(whole) << 2), limbs, usize(length) << 2)
  memory.fill(limbs, 0, usize(whole) << 2)
  return length + u32(whole)
}

/** Below, at or above 0 as the number is below, at or above the middle. */
function compare(length: u32, middleLength: u32): i32 {
  if (length != middleLength) return length > middleLength ? 1 : -1
  for (let at = usize(length) << 2; at > 0; ) {
    at -= 4
    const a = load<u32>(NUMBER + at)
    const b = load<u32>(MIDDLE + at)
    if (a != b) return a > b ? 1 : -1
  }
  return 0
}
