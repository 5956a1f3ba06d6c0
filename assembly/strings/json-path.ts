// One value out of strings of JSON (RFC 8259), by a path: checked from its first byte to its last, then walked again without a check.
//
//   path    u32 how many keys, then 12 bytes each:
//             of a member   0, bytes of its name, where they are
//             of an element 1, its place (i32), below 0 from the end, nothing
//
// What it takes more to say of is left to others: names and strings with escapes, and values within more than 64 others.

import { isValid } from '../inline'
import { hexDigit, scanText } from '../json/scan'
import { endOfDigits } from '../parse/digits'
import { internBytes, NO_ROOM, StringTable } from '../text'
import { endOf, inputAt, startOf } from './items'
import { isSame } from './scan'

/** In the place of a pointer: no JSON, or nothing there; and what is for others. */
// @ts-ignore: decorator
@inline
const NONE: usize = 0
// @ts-ignore: decorator
@inline
const OTHERS: usize = 1

// @ts-ignore: decorator
@inline
function afterSpaces(at: usize, end: usize): usize {
  while (at < end) {
    const byte = load<u8>(at)
    if (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09) break
    at++
  }
  return at
}

/** Behind a string's closing quote; `at` is behind the opening one. */
function afterString(at: usize, end: usize): usize {
  while (true) {
    at = scanText(at, end)
    if (at >= end) return NONE
    const byte = load<u8>(at++)
    if (byte == 0x22) return at
    if (byte != 0x5c || at == end) return NONE
    const escaped = load<u8>(at++)
    if (escaped == 0x75) {
      if (at + 4 > end) return NONE
      for (const to = at + 4; at < to; at++) if (hexDigit(load<u8>(at)) < 0) return NONE
    } else if (
      escaped != 0x22 && escaped != 0x5c && escaped != 0x2f && escaped != 0x62 && escaped != 0x66 && escaped != 0x6e &&
      escaped != 0x72 && escaped != 0x74
    ) return NONE
  }
}

function afterNumber(at: usize, end: usize): usize {
  if (load<u8>(at) == 0x2d) at++
  let digits = at
  at = endOfDigits(digits, end)
  if (at == digits || (load<u8>(digits) == 0x30 && at > digits + 1)) return NONE
  if (at < end && load<u8>(at) == 0x2e) {
    digits = at + 1
    at = endOfDigits(digits, end)
    if (at == digits) return NONE
  }
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at++
    if (at < end && (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d)) at++
    digits = at
    at = endOfDigits(digits, end)
    if (at == digits) return NONE
  }
  return at
}

/** Behind what is no object and no array. */
// @ts-ignore: decorator
@inline
function afterScalar(at: usize, end: usize): usize {
  const byte = load<u8>(at)
  if (byte == 0x22) return afterString(at + 1, end)
  // Bytes behind the end are read, and told apart by it.
  if (byte == 0x74) return at + 4 <= end && load<u32>(at) == 0x65757274 ? at + 4 : NONE
  if (byte == 0x66) return at + 5 <= end && load<u32>(at, 1) == 0x65736c61 ? at + 5 : NONE
  if (byte == 0x6e) return at + 4 <= end && load<u32>(at) == 0x6c6c756e ? at + 4 : NONE
  return afterNumber(at, end)
}

/** Behind a member's colon and the spaces there; `at` is where its name should begin. */
// @ts-ignore: decorator
@inline
function afterName(at: usize, end: usize): usize {
  if (at >= end || load<u8>(at) != 0x22) return NONE
  const quoted = afterString(at + 1, end)
  if (quoted == NONE) return NONE
  const colon = afterSpaces(quoted, end)
  if (colon >= end || load<u8>(colon) != 0x3a) return NONE
  return afterSpaces(colon + 1, end)
}

/** Behind a value that begins at `at`. */
function afterValue(at: usize, end: usize): usize {
  /** A bit for each value that this one is in: whether it is an object; bit 0 is of the innermost. */
  let kinds: u64 = 0
  let depth: u32 = 0
  while (true) {
    if (at >= end) return NONE
    const byte = load<u8>(at)
    const isObject = byte == 0x7b
    if (isObject || byte == 0x5b) {
      if (depth == 64) return OTHERS
      kinds = (kinds << 1) | u64(isObject)
      depth++
      at = afterSpaces(at + 1, end)
      if (at >= end) return NONE
      if (load<u8>(at) != (isObject ? 0x7d : 0x5d)) {
        if (isObject) {
          at = afterName(at, end)
          if (at == NONE) return NONE
        }
        continue
      }
      // Nothing is in it: its end is seen below.
    } else {
      at = afterScalar(at, end)
      if (at == NONE || depth == 0) return at
      at = afterSpaces(at, end)
    }
    while (true) {
      if (at >= end) return NONE
      const next = load<u8>(at)
      if (next == 0x2c) {
        at = afterSpaces(at + 1, end)
        if (kinds & 1) {
          at = afterName(at, end)
          if (at == NONE) return NONE
        }
        break
      }
      if (next != (kinds & 1 ? 0x7d : 0x5d)) return NONE
      at++
      kinds >>= 1
      if (--depth == 0) return at
      at = afterSpaces(at, end)
    }
  }
}

/** Whether a checked string has escapes; `at` is behind its opening quote. */
// @ts-ignore: decorator
@inline
function hasEscape(at: usize, end: usize): bool {
  return load<u8>(scanText(at, end)) == 0x5c
}

/** Where the member of a checked object begins; of several of one name the last. */
function memberAt(at: usize, end: usize, name: usize, length: usize): usize {
  let found = NONE
  at = afterSpaces(at + 1, end)
  while (load<u8>(at) != 0x7d) {
    const behind = afterString(at + 1, end)
    const isLong = behind - at - 2 == length
    if (hasEscape(at + 1, behind)) return OTHERS
    const value = afterName(at, end)
    if (isLong && isSame(at + 1, name, length)) found = value
    at = afterSpaces(afterValue(value, end), end)
    if (load<u8>(at) == 0x2c) at = afterSpaces(at + 1, end)
  }
  return found
}

/** Where an element of a checked array begins. */
function elementAt(at: usize, end: usize, place: i32): usize {
  const first = afterSpaces(at + 1, end)
  if (place < 0) {
    at = first
    while (load<u8>(at) != 0x5d) {
      place++
      at = afterSpaces(afterValue(at, end), end)
      if (load<u8>(at) == 0x2c) at = afterSpaces(at + 1, end)
    }
    // So far `place` went up by all there are.
    if (place < 0) return NONE
  }
  at = first
  while (load<u8>(at) != 0x5d) {
    if (place-- == 0) return at
    at = afterSpaces(afterValue(at, end), end)
    if (load<u8>(at) == 0x2c) at = afterSpaces(at + 1, end)
  }
  return NONE
}

/** Where the value begins that a path leads to. */
function valueAt(at: usize, end: usize, path: usize): usize {
  for (let left = load<u32>(path); left > 0; left--) {
    const isElement = load<u32>(path, 4) != 0
    const kind = load<u8>(at)
    if (isElement ? kind != 0x5b : kind != 0x7b) return NONE
    at = isElement
      ? elementAt(at, end, load<i32>(path, 8))
      : memberAt(at, end, usize(load<u32>(path, 12)), usize(load<u32>(path, 8)))
    if (at <= OTHERS) return at
    path += 12
  }
  return at
}

/** A byte per item says whether the path leads to a value that is not null: 0, 1, or 2 where others are to say it. */
export function stringsJson(path: usize, table: usize, inputs: usize, validity: usize, from: u32, count: u32, codes: usize, known: usize): u32 {
  const input = inputAt(inputs, 0)
  for (let item = from; item < count; item++) {
    let code: u32 = 0
    let says: u8 = 0
    if (isValid(validity, item)) {
      const all = endOf(input, item)
      const first = afterSpaces(startOf(input, item), all)
      const behind = afterValue(first, all)
      if (behind == OTHERS) says = 2
      else if (behind != NONE && afterSpaces(behind, all) == all) {
        let at = valueAt(first, all, path)
        if (at == OTHERS) says = 2
        else if (at != NONE) {
          let end = afterValue(at, all)
          const byte = load<u8>(at)
          if (byte == 0x22) {
            at++
            end--
            says = hasEscape(at, end) ? 2 : 1
          } else says = byte != 0x6e ? 1 : 0
          if (says == 1) {
            code = internBytes(changetype<StringTable>(table), at, u32(end - at))
            if (code == NO_ROOM) return item
          }
        }
      }
    }
    store<u32>(codes + (usize(item) << 2), code)
    store<u8>(known + usize(item), says)
  }
  return count
}
