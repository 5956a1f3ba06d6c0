// Codes for the strings of rows read: some rows at a time, while their text is still in the cache.

import { internBytes, NO_ROOM, StringTable } from '../text'
import { Column, Op, Parser } from './layout'
import { columnAt } from './null'

/** False where a dictionary has no room: `needColumn` and `needBytes` say for what, and the next call goes on there. */
export function giveCodes(parser: Parser): bool {
  const count = parser.columnCount + parser.itemCount
  const row = parser.row
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
        parser.needBytes = load<u32>(column.spans + (usize(at - from) << 3), 4)
        return false
      }
      column.spansFrom = to
    }
    parser.coding++
    parser.codingRow = 0
  }
  parser.coding = 0
  parser.groupFrom = row
  parser.poolUsed = 0
  return true
}

/** Returns `to`, or the row for whose string there is no room. */
function codeSpans(column: Column, from: u32, to: u32): u32 {
  const table = changetype<StringTable>(column.table)
  const codes = column.data
  let span = column.spans + (usize(from - column.spansFrom) << 3)
  for (let row = from; row < to; row++) {
    const length = load<u32>(span, 4)
    let code: u32 = 0
    if (length != u32.MAX_VALUE) {
      code = internBytes(table, usize(load<u32>(span)), length)
      if (code == NO_ROOM) return row
    }
    store<u32>(codes + (usize(row) << 2), code)
    span += 8
  }
  return to
}
