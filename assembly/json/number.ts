// Integers of JSON, which may be written 1.0 or 1e2. Numbers of float columns are assembly/parse/float.ts's.

import { parseInt64 } from '../parse/int'
import { Column, Fault, Parser } from './layout'

/** Stores the int64 that the valid JSON number [at, to) is, into `parser.number`; or says why it does not fit the column. */
export function readInteger(parser: Parser, column: Column, at: usize, to: usize): Fault {
  let kind = parseInt64(at, to, parser.number)
  if (kind == 1) kind = parseWhole(at, to, parser.number)
  if (kind == 1) return Fault.MISMATCH
  if (kind == 2) return Fault.OVERFLOW
  const value = load<i64>(parser.number)
  return value < column.least || value > column.greatest ? Fault.OVERFLOW : Fault.NONE
}

/** Of any valid JSON number: 0 stored, 1 not whole, 2 beyond int64. */
function parseWhole(at: usize, to: usize, out: usize): u32 {
  const isNegative = load<u8>(at) == 0x2d
  if (isNegative) at++
  // The number is `number` * 10^(`zeros` - `places`), and a power of its own; `number` ends in no zero.
  let number: u64 = 0
  let zeros: i64 = 0
  let places: i64 = 0
  let isInFraction = false
  let isLong = false
  while (at < to) {
    const byte = u32(load<u8>(at))
    if (byte == 0x2e) {
      isInFraction = true
    } else {
      const digit = byte - 0x30
      if (digit > 9) break
      if (isInFraction) places++
      if (digit == 0) {
        zeros++
      } else {
        isLong = isLong || (number != 0 && zeros > 19)
        for (; zeros >= 0 && !isLong; zeros--) {
          isLong = number > (u64.MAX_VALUE - 9) / 10
          number = number * 10
        }
        number += u64(digit)
        zeros = 0
      }
    }
    at++
  }
  if (number == 0 && !isLong) {
    store<i64>(out, 0)
    return 0
  }
  let exponent = zeros - places
  if (at < to) {
    const sign = load<u8>(at, 1)
    at += sign == 0x2b || sign == 0x2d ? 2 : 1
    let given: i64 = 0
    for (; at < to; at++) given = min(given * 10 + i64(load<u8>(at) - 0x30), 1000000000000)
    exponent += sign == 0x2d ? -given : given
  }
  if (exponent < 0) return 1
  if (isLong || exponent > 19) return 2
  for (; exponent > 0; exponent--) {
    if (number > u64.MAX_VALUE / 10) return 2
    number *= 10
  }
  if (number > u64(i64.MAX_VALUE) + u64(isNegative)) return 2
  const sign = -i64(isNegative)
  store<i64>(out, (i64(number) ^ sign) - sign)
  return 0
}
