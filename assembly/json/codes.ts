// Codes for the strings of rows read: some rows at a time, while their text is still in the cache.
//
// In front of a column's dictionary is an index of short strings it has, their bytes in the slots: where the dictionary misses the cache three
// times, it does once. It is only so full, and searched only so far, that nothing is lost by those that are not in it.
//
//   slot (16 bytes)   | 12 bytes of the string, zeros behind | code, its length in the upper 4 bits |   all zeros: empty

import { internBytes, NO_ROOM, StringTable } from '../text'
import { Column, Op, Parser } from './layout'
import { columnAt } from './null'

// @ts-ignore: decorator
@inline
const MOST_BYTES: u32 = 12
// @ts-ignore: decorator
@inline
const MOST_CODE: u32 = 0x0fffffff
// @ts-ignore: decorator
@inline
const MOST_PROBES: u32 = 8

/** False where a dictionary has no room: `needColumn` and `needBytes` say for what, and the next call goes on there. */
export function giveCodes(parser: Parser): bool {
  const count = parser.columnCount + parser.itemCount
  const row = parser.row
  // Items of rows that were given up do not count.
  for (let i: u32 = 0; i < parser.columnCount; i++) {
    const column = columnAt(parser.columns, i)
    if (column.op == Op.LIST) column.items.count = load<u32>(column.data + (usize(row) << 2))
  }
  if (parser.hasRepairs) countRepaired(parser, count)
  while (parser.coding < count) {
    const column = columnAt(parser.columns, parser.coding)
    const isItems = parser.coding >= parser.columnCount
    if (column.op == Op.TEXT) {
      const from = column.spansFrom
      const to = isItems ? column.count : row
      const at = codeSpans(column, max(from, parser.codingRow), to)
      if (at < to) {
        parser.codingRow = at
        parser.needColumn = changetype<usize>(column)
        parser.needBytes = load<u32>(column.spans + (usize(at) << 3), 4)
        return false
      }
      column.spansFrom = to
      column.spans -= usize(to - from) << 3
    }
    parser.coding++
    parser.codingRow = 0
  }
  parser.coding = 0
  parser.groupFrom = row
  parser.groupEnd = min(row + parser.groupRows, parser.rowEnd)
  parser.poolUsed = 0
  return true
}

/** Of the strings that are given codes now, those that were repaired: a byte before them says so (text.ts). */
function countRepaired(parser: Parser, count: u32): void {
  const from = parser.pool
  const to = from + usize(parser.poolUsed)
  for (let i: u32 = 0; i < count; i++) {
    const column = columnAt(parser.columns, i)
    if (column.op != Op.TEXT) continue
    const last = i >= parser.columnCount ? column.count : parser.row
    for (let row = column.spansFrom; row < last; row++) {
      const span = column.spans + (usize(row) << 3)
      const at = usize(load<u32>(span))
      if (at > from && at <= to && load<u32>(span, 4) != u32.MAX_VALUE) parser.repaired += u32(load<u8>(at - 1))
    }
  }
  parser.hasRepairs = 0
}

// @ts-ignore: decorator
@inline
function isOther(difference: v128): bool {
  return v128.any_true(v128.and(difference, i32x4(-1, -1, -1, 0xf0000000)))
}

/** Returns `to`, or the row for whose string there is no room. */
function codeSpans(column: Column, from: u32, to: u32): u32 {
  const table = changetype<StringTable>(column.table)
  const codes = column.data
  const index = column.index
  const shift = u64(column.indexShift)
  const most = index ? MOST_BYTES : 0
  let span = column.spans + (usize(from) << 3)
  for (let row = from; row < to; row++) {
    const word = load<u64>(span)
    const at = usize(u32(word))
    const length = u32(word >> 32)
    let code: u32
    if (length - 1 < most) {
      const isText = i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(i8(length)))
      const text = v128.and(v128.load(at), isText)
      const low = u64(i64x2.extract_lane(text, 0))
      const high = u64(u32(i32x4.extract_lane(text, 2)))
      const slot = usize((((low ^ (high * 0xd6e8feb86659fd93)) * 0x9e3779b97f4a7c15) >> shift) << 4)
      const key = i32x4.replace_lane(text, 3, length << 28)
      const difference = v128.xor(v128.load(index + slot), key)
      code = isOther(difference) ? searchOn(column, slot, key, at, length) : u32(i32x4.extract_lane(difference, 3))
    } else {
      code = length == u32.MAX_VALUE ? 0 : internBytes(table, at, length)
    }
    if (code == NO_ROOM) return row
    store<u32>(codes + (usize(row) << 2), code)
    span += 8
  }
  return to
}

/** The code of a short string that is not in the first slot for it. */
function searchOn(column: Column, slot: usize, key: v128, at: usize, length: u32): u32 {
  const index = column.index
  const mask = ((usize(1) << (64 - column.indexShift)) - 1) << 4
  let probes = MOST_PROBES
  while (i32x4.extract_lane(v128.load(index + slot), 3) != 0) {
    probes--
    if (probes == 0) break
    slot = (slot + 16) & mask
    const difference = v128.xor(v128.load(index + slot), key)
    if (!isOther(difference)) return u32(i32x4.extract_lane(difference, 3))
  }
  const code = internBytes(changetype<StringTable>(column.table), at, length)
  // Not where there is no room for it in the dictionary either: that is more than the most.
  if (probes && code <= MOST_CODE && column.indexRoom) {
    column.indexRoom--
    v128.store(index + slot, i32x4.replace_lane(key, 3, code | (length << 28)))
  }
  return code
}
