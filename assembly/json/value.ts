// Any value, into a column or a list's items: what rows.ts does not do at once.

import { parseFloat64 } from '../parse/float'
import { parseFloat32 } from '../parse/float32'
import { parseDate, parseTimestamp } from '../parse/time'
import { Column, Entry, Fault, Flag, Node, Op, Parser, Status } from './layout'
import { skipValue } from './nested'
import { enter, noteMisfit, putBelow, putNull, see, setBit } from './null'
import { readInteger } from './number'
import { fail, skipNumber, skipScalar, skipSpace } from './scan'
import { isWellFormed, readText, takeText } from './text'

/**
 * Reads the value of `entry` into the row, and answers where it ends. Of an object on the way to columns only the brace is passed, and
 * `parser.entered` says so.
 */
export function readValue(parser: Parser, entry: Entry, at: usize): usize {
  parser.entered = changetype<Node>(0)
  const depth = entry.node.depth
  let behind: usize = 0
  for (let column = entry.column; changetype<usize>(column); column = column.next) {
    see(parser, column)
    behind = storeValue(parser, column, at, parser.row, depth)
    if (behind == 0) return 0
    if (parser.misfit != Fault.NONE) noteMisfit(parser, column, parser.misfit, parser.misfitAt)
  }
  const child = entry.child
  if (changetype<usize>(child)) {
    const byte = load<u8>(at)
    if (byte == 0x7b) {
      enter(parser, child)
      parser.entered = child
      return at + 1
    }
    if (behind == 0) behind = skipValue(parser, at, depth)
    if (behind) putBelow(parser, child, byte == 0x6e ? Fault.NONE : Fault.MISMATCH, at)
  } else if (behind == 0) {
    behind = skipValue(parser, at, depth)
  }
  return behind
}

/** Reads a value into element `index`; `parser.misfit` says why it does not fit, or is NONE. Answers where the value ends. */
export function storeValue(parser: Parser, column: Column, at: usize, index: u32, depth: u32): usize {
  const op = column.op
  const byte = u32(load<u8>(at))
  parser.misfit = Fault.NONE
  parser.misfitAt = at
  if (byte == 0x6e) {
    const behind = skipScalar(parser, at)
    if (behind && !putNull(column, index)) parser.misfit = Fault.NULL
    return behind
  }
  if (column.validity) setBit(column.validity, index)
  if (op == Op.TEXT) return storeText(parser, column, at, index, depth)
  if (op == Op.LIST && byte == 0x5b) return storeList(parser, column, at, index, depth)
  if (op == Op.BOOL && (byte == 0x74 || byte == 0x66)) {
    const bit = u8(1) << u8(index & 7)
    const place = column.data + usize(index >> 3)
    store<u8>(place, byte == 0x74 ? load<u8>(place) | bit : load<u8>(place) & ~bit)
    return skipScalar(parser, at)
  }
  const isNumber = byte == 0x2d || byte - 0x30 < 10
  if (isNumber && op != Op.BOOL && op != Op.LIST) return storeNumber(parser, column, at, index)
  if (byte == 0x22 && (op == Op.DATE || op == Op.TIMESTAMP)) return storeTime(parser, column, at, index)
  parser.misfit = Fault.MISMATCH
  return skipValue(parser, at, depth)
}

function storeText(parser: Parser, column: Column, at: usize, index: u32, depth: u32): usize {
  let behind: usize
  if (load<u8>(at) == 0x22) {
    behind = readText(parser, at + 1)
    if (behind == 0) return 0
  } else {
    behind = skipValue(parser, at, depth)
    // What ends beyond the bytes is in a row that is not complete.
    if (behind == 0 || behind > parser.end) return behind
    parser.textAt = at
    parser.textLength = u32(behind - at)
    if (behind > parser.textLimit && !(parser.flags & Flag.IS_FATAL) && !isWellFormed(parser, at, behind)) {
      if (!takeText(parser, at, behind, false)) return 0
    }
  }
  store<u64>(column.spans + (usize(index) << 3), u64(parser.textAt) | (u64(parser.textLength) << 32))
  return behind
}

function storeNumber(parser: Parser, column: Column, at: usize, index: u32): usize {
  const op = column.op
  const behind = skipNumber(parser, at)
  if (behind == 0 || behind > parser.end) return behind
  const number = parser.number
  if (op == Op.FLOAT64) {
    parseFloat64(at, behind, column.data + (usize(index) << 3))
  } else if (op == Op.FLOAT32) {
    parseFloat32(at, behind, column.data + (usize(index) << 2))
  } else {
    parser.misfit = readInteger(parser, column, at, behind)
    if (op == Op.INT64 || op == Op.TIMESTAMP) store<i64>(column.data + (usize(index) << 3), load<i64>(number))
    else if (op == Op.INT32 || op == Op.DATE) store<i32>(column.data + (usize(index) << 2), load<i32>(number))
    else if (op == Op.INT16) store<i16>(column.data + (usize(index) << 1), load<i16>(number))
    else store<i8>(column.data + usize(index), load<i8>(number))
  }
  return behind
}

function storeTime(parser: Parser, column: Column, at: usize, index: u32): usize {
  const used = parser.poolUsed
  const behind = readText(parser, at + 1)
  if (behind == 0) return 0
  parser.poolUsed = used
  const from = parser.textAt
  const to = from + usize(parser.textLength)
  let result: u32
  if (column.op == Op.DATE) {
    result = parseDate(from, to, column.data + (usize(index) << 2))
    if (result == 2) parser.misfit = Fault.OVERFLOW
  } else {
    result = parseTimestamp(from, to, column.ticksPerSecond, column.data + (usize(index) << 3))
    if (result == 2) parser.misfit = Fault.INEXACT
  }
  if (result == 1) parser.misfit = Fault.MISMATCH
  return behind
}

function storeList(parser: Parser, column: Column, at: usize, index: u32, depth: u32): usize {
  const items = column.items
  const offset = column.data + (usize(index) << 2)
  let misfit = Fault.NONE
  let misfitAt = at
  items.count = load<u32>(offset)
  at = skipSpace(parser, at + 1)
  if (load<u8>(at) == 0x5d) {
    at++
  } else {
    while (true) {
      if (at >= parser.end) return fail(parser, Fault.CUT_OFF, at)
      if (items.count == items.capacity) {
        parser.status = Status.ITEMS_FULL
        parser.needColumn = changetype<usize>(items)
        return 0
      }
      at = storeValue(parser, items, at, items.count, depth + 1)
      if (at == 0) return 0
      if (misfit == Fault.NONE && parser.misfit != Fault.NONE) {
        misfit = parser.misfit == Fault.NULL ? Fault.NULL_ITEM : parser.misfit
        misfitAt = parser.misfitAt
      }
      items.count++
      at = skipSpace(parser, at)
      const byte = load<u8>(at)
      at++
      if (byte == 0x5d) break
      if (byte != 0x2c) return fail(parser, Fault.AFTER_ITEM, at - 1)
      at = skipSpace(parser, at)
    }
  }
  store<u32>(offset, items.count, 4)
  parser.misfit = misfit
  parser.misfitAt = misfitAt
  return at
}
