// Numbers and truths of strings, one per item. Null items are computed like others where that is harmless.

import { parseFloat64 } from '../parse/float'
import { parseTimestamp } from '../parse/time'
import { endOf, inputAt, startOf } from './items'
import { afterSpaces, beforeSpaces, codePoints, find, isSame } from './scan'

/** int32: the code points of each string. */
export function stringsLength(inputs: usize, count: u32, out: usize): void {
  const input = inputAt(inputs, 0)
  for (let item: u32 = 0; item < count; item++) {
    store<u32>(out + (usize(item) << 2), codePoints(startOf(input, item), endOf(input, item)))
  }
}

/** int32: the code points before the first place where the second string is in the first, or -1. */
export function stringsIndexOf(inputs: usize, count: u32, out: usize): void {
  const text = inputAt(inputs, 0)
  const part = inputAt(inputs, 1)
  for (let item: u32 = 0; item < count; item++) {
    const at = startOf(text, item)
    const needle = startOf(part, item)
    const place = find(at, endOf(text, item), needle, endOf(part, item) - needle)
    store<i32>(out + (usize(item) << 2), place == 0 ? -1 : i32(codePoints(at, place)))
  }
}

/** A byte, 0 or 1: whether the first string has the second one; `where` 0 anywhere, 1 at its start, 2 at its end. */
export function stringsHas(where: u32, inputs: usize, count: u32, out: usize): void {
  const text = inputAt(inputs, 0)
  const part = inputAt(inputs, 1)
  for (let item: u32 = 0; item < count; item++) {
    const at = startOf(text, item)
    const end = endOf(text, item)
    const needle = startOf(part, item)
    const length = endOf(part, item) - needle
    let has = length <= end - at
    if (has) has = where == 0 ? find(at, end, needle, length) != 0 : isSame(where == 1 ? at : end - length, needle, length)
    store<u8>(out + usize(item), u8(has))
  }
}

/** float64, and a byte 0 where the string without the whitespace around it is no number (parse/float.ts), else 1. */
export function stringsToNumber(inputs: usize, count: u32, out: usize, known: usize): void {
  const input = inputAt(inputs, 0)
  for (let item: u32 = 0; item < count; item++) {
    const all = endOf(input, item)
    const at = afterSpaces(startOf(input, item), all)
    const end = beforeSpaces(at, all)
    const to = out + (usize(item) << 3)
    const isNumber = at < end && parseFloat64(at, end, to) == 0
    if (!isNumber) store<u64>(to, 0)
    store<u8>(known + usize(item), u8(isNumber))
  }
}

/** int64 ticks, and a byte 0 where the string without the whitespace around it is no instant (parse/time.ts) or none of the unit, else 1. */
export function stringsToInstant(ticksPerSecond: i64, inputs: usize, count: u32, out: usize, known: usize): void {
  const input = inputAt(inputs, 0)
  for (let item: u32 = 0; item < count; item++) {
    const all = endOf(input, item)
    const at = afterSpaces(startOf(input, item), all)
    const end = beforeSpaces(at, all)
    const to = out + (usize(item) << 3)
    const isInstant = at < end && parseTimestamp(at, end, ticksPerSecond, to) == 0
    if (!isInstant) store<u64>(to, 0)
    store<u8>(known + usize(item), u8(isInstant))
  }
}
