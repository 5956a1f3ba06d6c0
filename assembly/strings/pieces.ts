// Strings that are pieces of the first input's: interned where they lie. A kernel that finds no room for a piece says of which item it is; the piece
// is no longer than that item's string.

import { isValid } from '../inline'
import { internBytes, NO_ROOM, StringTable } from '../text'
import { endOf, inputAt, startOf } from './items'
import { afterSpaces, backward, beforeSpaces, find, forward } from './scan'

/** Without the whitespace at its start (`ends` 1), its end (2) or both (3). Null items get code 0. */
export function stringsTrim(ends: u32, table: usize, inputs: usize, validity: usize, from: u32, count: u32, codes: usize): u32 {
  const input = inputAt(inputs, 0)
  for (let item = from; item < count; item++) {
    let code: u32 = 0
    if (isValid(validity, item)) {
      const all = endOf(input, item)
      const at = ends & 1 ? afterSpaces(startOf(input, item), all) : startOf(input, item)
      const end = ends & 2 ? beforeSpaces(at, all) : all
      code = internBytes(changetype<StringTable>(table), at, u32(end - at))
      if (code == NO_ROOM) return item
    }
    store<u32>(codes + (usize(item) << 2), code)
  }
  return count
}

/** From code point `first` to before code point `last`; below 0 they count from the end. */
export function stringsSlice(first: i32, last: i32, table: usize, inputs: usize, validity: usize, from: u32, count: u32, codes: usize): u32 {
  const input = inputAt(inputs, 0)
  for (let item = from; item < count; item++) {
    let code: u32 = 0
    if (isValid(validity, item)) {
      const all = startOf(input, item)
      const end = endOf(input, item)
      const at = first < 0 ? backward(all, end, u32(-first)) : forward(all, end, u32(first))
      // What has no more bytes than code points are wanted needs no walk.
      const to = last < 0 ? backward(all, end, u32(-last)) : end - all <= usize(last) ? end : forward(all, end, u32(last))
      code = internBytes(changetype<StringTable>(table), at, to > at ? u32(to - at) : 0)
      if (code == NO_ROOM) return item
    }
    store<u32>(codes + (usize(item) << 2), code)
  }
  return count
}

/**
 * Piece `index` of those between the second input's strings, which are not empty; below 0 it counts from the last. A byte per item says whether there is such a piece.
 */
export function stringsSplit(index: i32, table: usize, inputs: usize, validity: usize, from: u32, count: u32, codes: usize, known: usize): u32 {
  const input = inputAt(inputs, 0)
  const separators = inputAt(inputs, 1)
  for (let item = from; item < count; item++) {
    let code: u32 = 0
    let isThere = false
    if (isValid(validity, item)) {
      const end = endOf(input, item)
      const separator = startOf(separators, item)
      const length = endOf(separators, item) - separator
      let at = startOf(input, item)
      let left = index < 0 ? index + i32(pieces(at, end, separator, length)) : index
      let to = find(at, end, separator, length)
      while (left > 0 && to != 0) {
        at = to + length
        to = find(at, end, separator, length)
        left--
      }
      isThere = left == 0
      if (isThere) {
        code = internBytes(changetype<StringTable>(table), at, u32((to == 0 ? end : to) - at))
        if (code == NO_ROOM) return item
      }
    }
    store<u32>(codes + (usize(item) << 2), code)
    store<u8>(known + usize(item), u8(isThere))
  }
  return count
}

function pieces(at: usize, end: usize, separator: usize, length: usize): u32 {
  let count: u32 = 1
  while (true) {
    const to = find(at, end, separator, length)
    if (to == 0) return count
    count++
    at = to + length
  }
}
