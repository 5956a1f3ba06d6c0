// Integers from text, `[+-]?[0-9]+`. Up to eight digits are one word; longer ones are a call.

import { appendDigits, areDigits, digitsAt, endOfDigits, endOfZeros, numberOf } from './digits'

/** Stores the int64 that the whole of [at, end) spells: 0 stored, 1 no integer, 2 beyond int64. Up to 16 bytes behind `end` are read. */
// @ts-ignore: decorator
@inline
export function parseInt64(at: usize, end: usize, out: usize): u32 {
  const first = load<u8>(at)
  const isNegative = u32(first == 45)
  const from = at + usize(isNegative | u32(first == 43))
  const length = end - from
  // Of an empty field the byte behind it may have been taken for a sign: `length` is then huge, like one that is 0 less 1.
  if (length - 1 >= 8) return parseLongInt64(from, end, isNegative, out)
  const digits = digitsAt(from, length)
  if (!areDigits(digits)) return 1
  const sign = -i64(isNegative)
  store<i64>(out, (i64(numberOf(digits)) ^ sign) - sign)
  return 0
}

function parseLongInt64(from: usize, end: usize, isNegative: u32, out: usize): u32 {
  const sign = -i64(isNegative)
  let number: u64
  if (end - from - 9 < 8) {
    const head = digitsAt(from, end - from - 8)
    const tail = load<u64>(end - 8) ^ 0x3030303030303030
    if (!areDigits(head) || !areDigits(tail)) return 1
    number = numberOf(head) * 100000000 + numberOf(tail)
  } else {
    if (from >= end || endOfDigits(from, end) != end) return 1
    const significant = endOfZeros(from, end)
    // 19 digits are below 2^64, and 20 of which the first is no zero are beyond 2^63.
    if (end - significant > 19) return 2
    number = appendDigits(0, significant, end - significant)
    if (number > u64(i64.MAX_VALUE) + u64(isNegative)) return 2
  }
  store<i64>(out, (i64(number) ^ sign) - sign)
  return 0
}
