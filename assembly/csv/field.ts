// A value that is not read at once: is it null, and what of it is the value, without quotes and spaces?

import { Csv, FAULT_NULL } from './context'

/** Whether the unquoted text is a null token. */
export function isToken(csv: Csv, at: usize, length: u32): bool {
  if (((csv.tokenLengths >> u64(min(length, 63))) & 1) == 0) return false
  let token = csv.tokens
  while (true) {
    const tokenLength = load<u32>(token)
    token += 4
    if (tokenLength == u32.MAX_VALUE) return false
    if (tokenLength == length && memory.compare(token, at, usize(length)) == 0) return true
    token += usize(tokenLength)
  }
}

// @ts-ignore: decorator
@inline
function isSpace(byte: u32): bool {
  return byte == 32 || byte == 9
}

/** Sets `at` and `end` to what is the value of a field that is no string; false where the field is null. */
export function prepare(csv: Csv, at: usize, end: usize): bool {
  // A field that its row lacks.
  if (end < at) return false
  if (at < end && u32(load<u8>(at)) == csv.quote) {
    at++
    end--
    while (at < end && isSpace(load<u8>(at))) at++
    while (at < end && isSpace(load<u8>(end - 1))) end--
  } else {
    if (isToken(csv, at, u32(end - at))) return false
    const length = end - at
    while (at < end && isSpace(load<u8>(at))) at++
    while (at < end && isSpace(load<u8>(end - 1))) end--
    if (end - at != length && isToken(csv, at, u32(end - at))) return false
  }
  csv.at = at
  csv.end = end
  return true
}

/** What readers of values tell beside faults. */
export const NULL_NOTED: u32 = 255

// @ts-ignore: decorator
@inline
export function clearBit(bitmap: usize, bit: u32): void {
  const at = bitmap + usize(bit >> 3)
  store<u8>(at, load<u8>(at) & ~(u8(1) << u8(bit & 7)))
}

/** A null in a row of the morsel: noted in its validity, a fault where there is none. */
// @ts-ignore: decorator
@inline
export function noteNull(csv: Csv, validity: usize, row: u32): u32 {
  if (validity == 0) return FAULT_NULL
  clearBit(validity, row)
  csv.nulls++
  return NULL_NOTED
}
