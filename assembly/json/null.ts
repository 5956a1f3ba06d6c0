// What a record does not have, and what does not fit: nulls, columns seen twice, misfits.

import { Column, Fault, Node, Op, Parser } from './layout'

// @ts-ignore: decorator
@inline
export function columnAt(columns: usize, i: u32): Column {
  return changetype<Column>(usize(load<u32>(columns + (usize(i) << 2))))
}

export function setBit(bitmap: usize, i: u32): void {
  const at = bitmap + usize(i >> 3)
  store<u8>(at, load<u8>(at) | (u8(1) << u8(i & 7)))
}

export function clearBit(bitmap: usize, i: u32): void {
  const at = bitmap + usize(i >> 3)
  store<u8>(at, load<u8>(at) & ~(u8(1) << u8(i & 7)))
}

/** False where the column may have no null. */
export function putNull(column: Column, index: u32): bool {
  if (column.op == Op.TEXT) store<i64>(column.spans + (usize(index - column.spansFrom) << 3), -1)
  else if (column.op == Op.LIST) {
    const offset = column.data + (usize(index) << 2)
    store<u32>(offset, load<u32>(offset), 4)
  }
  if (column.validity == 0) return false
  column.hasNulls = 1
  clearBit(column.validity, index)
  return true
}

/** Makes the column one that has not been seen in this record, if it has. */
function unsee(parser: Parser, column: Column): void {
  if (column.serial != parser.serial) return
  column.serial = 0
  column.misfitSerial = 0
  parser.seen--
  if (column.validity) setBit(column.validity, parser.row)
}

/** Before a value of the column is read. */
export function see(parser: Parser, column: Column): void {
  unsee(parser, column)
  column.serial = parser.serial
  parser.seen++
}

export function noteMisfit(parser: Parser, column: Column, misfit: Fault, at: usize): void {
  column.misfitSerial = parser.serial
  column.misfit = misfit
  column.misfitAt = at
  parser.hasMisfits = 1
}

/** Enters an object; where the record has it for a second time, what the first had below it is forgotten, and the answer false. */
export function enter(parser: Parser, node: Node): bool {
  const isFirst = node.serial != parser.serial
  node.serial = parser.serial
  if (isFirst) return true
  for (let i: u32 = 0; i < node.columnCount; i++) unsee(parser, columnAt(node.columns, i))
  return false
}

/** Null, or the misfit, for all columns below an object that there is not. */
export function putBelow(parser: Parser, node: Node, misfit: Fault, at: usize): void {
  enter(parser, node)
  for (let i: u32 = 0; i < node.columnCount; i++) {
    const column = columnAt(node.columns, i)
    see(parser, column)
    if (!putNull(column, parser.row) && misfit == Fault.NONE) noteMisfit(parser, column, Fault.NULL, at)
    if (misfit != Fault.NONE) noteMisfit(parser, column, misfit, at)
  }
}

/** At the end of a record: nulls for columns that have not been seen. */
export function fillMissing(parser: Parser, at: usize): void {
  for (let i: u32 = 0; i < parser.columnCount; i++) {
    const column = columnAt(parser.columns, i)
    if (column.serial == parser.serial) continue
    see(parser, column)
    if (!putNull(column, parser.row)) noteMisfit(parser, column, Fault.MISSING, at)
  }
}

/** The column whose value is the first that does not fit, or 0. */
export function firstMisfit(parser: Parser): usize {
  let first: usize = 0
  for (let i: u32 = 0; i < parser.columnCount; i++) {
    const column = columnAt(parser.columns, i)
    if (column.misfitSerial != parser.serial) continue
    if (first == 0 || column.misfitAt < changetype<Column>(first).misfitAt) first = changetype<usize>(column)
  }
  return first
}

/** Forgets the nulls of a row that is not to be, or to be read again. */
export function clearRow(parser: Parser): void {
  for (let i: u32 = 0; i < parser.columnCount; i++) {
    const validity = columnAt(parser.columns, i).validity
    if (validity) setBit(validity, parser.row)
  }
}
