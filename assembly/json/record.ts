// From one value to the next: what is between them in an object, the ends of objects, and the next record. What was found is remembered,
// so that rows.ts need only compare it next time.

import { findEntry } from './keys'
import { Column, Entry, Fault, Flag, MOST_TEXT, Node, Parser, State, Status } from './layout'
import { enter, fillMissing, firstMisfit } from './null'
import { fail, skipSpace } from './scan'
import { isWellFormed, readText } from './text'

/** Where nextValue sets out from. */
export const enum From {
  /** Behind a value of the node. */
  VALUE = 0,
  /** Behind the brace that opens the node. */
  BRACE = 1,
  /** Where a record begins. */
  RECORD = 2,
}

/**
 * The first byte of the next value, and `parser.entry` is that of its key; across the end of the record, which is a row then. 0 where there is
 * none. What was on the way is remembered for `entry`, unless that is 0.
 */
export function nextValue(parser: Parser, entry: Entry, node: Node, at: usize, from: From): usize {
  const start = at
  let entered: u32 = 0
  let recordAt: u32 = 0
  let mayRemember = changetype<usize>(entry) != 0
  while (true) {
    if (from == From.RECORD) {
      at = beginRecord(parser, at)
      if (at == 0) return 0
      recordAt = u32(parser.at - start)
      node = parser.root
      from = From.BRACE
    }
    at = skipSpace(parser, at)
    if (at >= parser.end) return fail(parser, Fault.CUT_OFF, at)
    const byte = load<u8>(at)
    if (byte == 0x7d) {
      // What was entered on this way only to be left again is not to be passed unseen.
      if (from == From.BRACE) mayRemember = false
      at++
      from = From.VALUE
      if (node != parser.root) {
        node = node.parent
        continue
      }
      at = endRecord(parser, at)
      if (at == 0) return 0
      from = From.RECORD
      continue
    }
    if (from == From.VALUE) {
      if (byte != 0x2c) return fail(parser, Fault.AFTER_MEMBER, at)
      at = skipSpace(parser, at + 1)
    }
    if (load<u8>(at) != 0x22) return fail(parser, Fault.KEY, at)
    const used = parser.poolUsed
    const key = at + 1
    at = readText(parser, key)
    if (at == 0) return 0
    if (parser.textAt != key) mayRemember = false
    const found = findEntry(parser, node, parser.textAt, parser.textLength)
    parser.poolUsed = used
    at = skipSpace(parser, at)
    if (load<u8>(at) != 0x3a) return fail(parser, Fault.COLON, at)
    at = skipSpace(parser, at + 1)
    if (at >= parser.end) return fail(parser, Fault.CUT_OFF, at)
    if (changetype<usize>(found.child) && changetype<usize>(found.column) == 0 && load<u8>(at) == 0x7b) {
      node = found.child
      if (!enter(parser, node)) mayRemember = false
      entered++
      at++
      from = From.BRACE
      continue
    }
    parser.entry = found
    if (mayRemember) remember(entry, start, at, found, entered, recordAt)
    return at
  }
}

function remember(entry: Entry, start: usize, at: usize, next: Entry, entered: u32, recordAt: u32): void {
  const length = u32(at - start)
  // A record that ends early says nothing about those that do not.
  if (length > MOST_TEXT || (recordAt && entry.length && !entry.recordAt)) return
  const to = changetype<usize>(entry)
  memory.copy(to, start, usize(length))
  entry.mask = length < 8 ? (u64(1) << u64(length << 3)) - 1 : u64.MAX_VALUE
  entry.length = length
  entry.next = next
  entry.entered = entered
  entry.recordAt = recordAt
  entry.crossing = entered | recordAt
}

/** From where a record begins, or blank lines, to behind its brace. */
function beginRecord(parser: Parser, at: usize): usize {
  const end = parser.end
  const isArray = (parser.flags & Flag.IS_ARRAY) != 0
  while (true) {
    parser.at = at
    parser.status = Status.DONE
    if (at >= parser.stop && at < end) return 0
    const first = skipSpace(parser, at)
    if (first >= end) {
      if (parser.flags & Flag.IS_END) {
        if (isArray && parser.state < State.CLOSED) return fail(parser, Fault.UNCLOSED_ARRAY, end)
        parser.at = end
      }
      return 0
    }
    if (parser.row == parser.groupEnd) {
      if (parser.row < parser.rowEnd) parser.status = Status.GROUP_FULL
      return 0
    }
    const byte = load<u8>(first)
    if (isArray) {
      if (parser.state == State.CLOSED) return fail(parser, Fault.BEHIND_ARRAY, first)
      if (byte == 0x5d) {
        if (parser.state == State.BEHIND_COMMA) return fail(parser, Fault.TRAILING_COMMA, first)
        parser.state = State.CLOSED
        at = first + 1
        continue
      }
    } else if (byte == 10) {
      at = first + 1
      continue
    }
    parser.serial++
    parser.seen = 0
    parser.hasMisfits = 0
    parser.halfAt = 0
    return byte == 0x7b ? first + 1 : fail(parser, Fault.RECORD, first)
  }
}

/** From behind the last brace of a record to where the next begins. The record is a row now. */
function endRecord(parser: Parser, at: usize): usize {
  const brace = at - 1
  const end = parser.end
  const isArray = (parser.flags & Flag.IS_ARRAY) != 0
  at = skipSpace(parser, at)
  let isClosed = false
  if (at >= end) {
    if (isArray) return fail(parser, Fault.UNCLOSED_ARRAY, end)
    if (!(parser.flags & Flag.IS_END)) return fail(parser, Fault.CUT_OFF, end)
    at = end
  } else {
    const byte = load<u8>(at)
    isClosed = byte == 0x5d
    if (isArray ? byte != 0x2c && !isClosed : byte != 10) return fail(parser, Fault.BEHIND_RECORD, at)
    at++
  }
  if (parser.flags & Flag.IS_FATAL) {
    const isGood = isWellFormed(parser, parser.at, brace)
    if (parser.halfAt && (isGood || parser.halfAt < parser.textLimit)) return fail(parser, Fault.HALF_PAIR, parser.halfAt)
    if (!isGood) return fail(parser, Fault.ILL_FORMED, parser.textLimit)
  }
  if (parser.seen != parser.columnCount) fillMissing(parser, brace)
  if (parser.hasMisfits) {
    const misfit = firstMisfit(parser)
    if (misfit) {
      const column = changetype<Column>(misfit)
      fail(parser, column.misfit, column.misfitAt)
      parser.faultColumn = misfit
      return 0
    }
  }
  if (isArray) parser.state = isClosed ? State.CLOSED : State.BEHIND_COMMA
  parser.row++
  return at
}
