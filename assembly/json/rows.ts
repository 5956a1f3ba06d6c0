// Rows from records, as fast as what they look like allows: what stands between two values is compared with what stood there last time in one
// go (layout.ts, Entry), and values are read as what their columns mostly have (quick.ts). All else is record.ts's and value.ts's.

import { giveCodes } from './codes'
import { Entry, Fault, Flag, Node, Op, Parser, State, Status } from './layout'
import { clearRow } from './null'
import { quickBool, quickFloat, quickInteger, quickSkip, quickText } from './quick'
import { From, nextValue } from './record'
import { skipSpace } from './scan'
import { skipRow } from './skip-row'
import { readValue } from './value'

/** Reads rows from `parser.at` on until something is wanted of the caller, who then calls again; to the end where the answer is DONE. */
export function jsonParse(parserPointer: usize): u32 {
  const parser = changetype<Parser>(parserPointer)
  let status = parser.after
  while (true) {
    // No row is read while codes are not all given: a group that is full stays so.
    if (status == Status.GROUP_FULL) {
      status = readRows(parser)
      if (status == Status.BAD || status == Status.ITEMS_FULL) return status
      if (status == Status.POOL_FULL && parser.row == parser.groupFrom) return status
    }
    parser.after = status
    if (!giveCodes(parser)) return Status.TABLE_FULL
    parser.after = Status.GROUP_FULL
    if (status == Status.DONE) return status
    status = Status.GROUP_FULL
  }
}

function readRows(parser: Parser): Status {
  let at = nextValue(parser, changetype<Entry>(0), parser.root, parser.at, From.RECORD)
  if (at == 0) return ended(parser)
  const end = parser.end
  const stop = parser.stop
  const columnCount = parser.columnCount
  const lastRow = min(parser.rowEnd, parser.groupFrom + parser.groupRows) - 1
  const isFatal = (parser.flags & Flag.IS_FATAL) != 0
  let entry = parser.entry
  let row = parser.row
  let serial = parser.serial
  let textLimit = parser.textLimit
  let seen: u32 = 0
  while (true) {
    const op = entry.op
    let behind: usize = 0
    if (op == Op.SKIP) {
      behind = quickSkip(parser, at, end)
    } else if (op <= Op.BOOL) {
      const column = entry.column
      if (column.serial != serial) {
        if (op == Op.TEXT) behind = quickText(column, row, at, end, textLimit)
        else if (op == Op.FLOAT64) behind = quickFloat(column, row, at)
        else if (op == Op.BOOL) behind = quickBool(column, row, at)
        else behind = quickInteger(column, op, row, at)
        if (behind) {
          column.serial = serial
          seen++
        }
      }
    }
    if (behind == 0) {
      parser.seen = seen
      behind = readValue(parser, entry, skipSpace(parser, at))
      if (behind == 0) return ended(parser)
      seen = parser.seen
      textLimit = parser.textLimit
      const inside = parser.entered
      if (changetype<usize>(inside)) {
        at = nextValue(parser, changetype<Entry>(0), inside, behind, From.BRACE)
        if (at == 0) return ended(parser)
        entry = parser.entry
        row = parser.row
        serial = parser.serial
        seen = parser.seen
        textLimit = parser.textLimit
        continue
      }
    }
    at = behind
    if (at < end && isAsBefore(entry, at)) {
      const next = entry.next
      const length = usize(entry.length)
      if ((entry.recordAt | entry.entered) == 0) {
        at += length
        entry = next
        continue
      }
      let mayPass = true
      if (entry.recordAt) {
        mayPass = seen == columnCount && at + length < stop && row < lastRow && (parser.hasMisfits | u32(parser.halfAt)) == 0 &&
          !(isFatal && at + length > textLimit)
        if (mayPass) {
          parser.at = at + usize(entry.recordAt)
          parser.row = ++row
          parser.serial = ++serial
          parser.state = State.BEHIND_COMMA
          seen = 0
        }
      }
      if (mayPass) {
        let node = next.node
        for (let i = entry.entered; i && mayPass; i--) {
          if (node.serial == serial) mayPass = false
          node = node.parent
        }
        if (mayPass) {
          node = next.node
          for (let i = entry.entered; i; i--) {
            node.serial = serial
            node = node.parent
          }
          at += length
          entry = next
          continue
        }
      }
    }
    parser.seen = seen
    at = nextValue(parser, entry, entry.node, at, From.VALUE)
    if (at == 0) return ended(parser)
    entry = parser.entry
    row = parser.row
    serial = parser.serial
    seen = parser.seen
    textLimit = parser.textLimit
  }
}

/** Whether the bytes behind a value are what they were last time. */
// @ts-ignore: decorator
@inline
function isAsBefore(entry: Entry, at: usize): bool {
  const expected = changetype<usize>(entry)
  const other = v128.and(v128.xor(v128.load(at), v128.load(expected)), v128.load(expected, offsetof<Entry>('mask0')))
  if (v128.any_true(other)) return false
  const length = usize(entry.length)
  if (length <= 16) return length != 0
  for (let i: usize = 16; i + 8 <= length; i += 8) if (load<u64>(at + i) != load<u64>(expected + i)) return false
  return load<u64>(at + length - 8) == load<u64>(expected + length - 8)
}

/** Why there is no next value. */
function ended(parser: Parser): Status {
  const status = parser.status
  if (status == Status.GROUP_FULL) return status
  clearRow(parser)
  if (status != Status.BAD) return status
  if (parser.faultAt >= parser.end) {
    if (!(parser.flags & Flag.IS_END)) return Status.DONE
    if (parser.fault != Fault.UNCLOSED_ARRAY) parser.fault = Fault.CUT_OFF
    parser.faultAt = parser.end
    parser.faultColumn = 0
  }
  return skipRow(parser) ? Status.BAD : Status.DONE
}
