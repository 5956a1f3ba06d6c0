// Rows from records, as fast as what they look like allows: what stands between two values is compared with what stood there last time in one
// go (layout.ts, Entry), and values are read as what their columns mostly have (quick.ts). All else is record.ts's and value.ts's.

import { readBatch } from './batch'
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
  let isBehind = false
  parser.hasBegun = 0
  while (at) {
    if (parser.hasBegun) {
      readBatch(parser, at)
      at = parser.place
    }
    isBehind = readAlike(parser, at, isBehind)
    at = parser.place
    const entry = parser.entry
    if (isBehind) {
      at = nextValue(parser, entry, entry.node, at, From.VALUE)
      isBehind = false
    } else if (parser.hasBegun == 0) {
      at = readValue(parser, entry, skipSpace(parser, at))
      isBehind = true
      const inside = parser.entered
      if (at != 0 && changetype<usize>(inside) != 0) {
        at = nextValue(parser, changetype<Entry>(0), inside, at, From.BRACE)
        isBehind = false
      }
    }
  }
  return ended(parser)
}

/**
 * Reads from the value of `parser.entry`, at `at`, or from behind it where `isBehind`, as far as all is as it mostly is: up to `parser.place`, a
 * value of `parser.entry`, or behind it where the answer is true. No function is called here, so that all stays in registers.
 */
function readAlike(parser: Parser, at: usize, isBehind: bool): bool {
  const end = parser.end
  const textLimit = parser.textLimit
  let entry = parser.entry
  let row = parser.row
  let serial = parser.serial
  let seen = parser.seen
  parser.hasBegun = 0
  while (true) {
    if (!isBehind) {
      const op = entry.op
      if (op == Op.SKIP) {
        const behind = quickSkip(at, end)
        if (behind == 0) break
        at = behind
      } else {
        if (op > Op.BOOL) break
        const column = entry.column
        if (column.serial == serial) break
        let behind: usize
        if (op == Op.TEXT) behind = quickText(column, row, at, end, textLimit)
        else if (op == Op.FLOAT64) {
          behind = quickFloat(at, column.data + (usize(row) << 3))
          if ((load<u8>(behind) | 0x20) == 0x65) behind = 0
        }
        else if (op == Op.BOOL) behind = quickBool(column, row, at)
        else behind = quickInteger(column, op, row, at)
        if (behind == 0) break
        column.serial = serial
        seen++
        at = behind
      }
    }
    isBehind = true
    if (at >= end) break
    const expected = changetype<usize>(entry)
    if ((load<u64>(at) ^ load<u64>(expected)) & entry.mask) break
    const length = usize(entry.length)
    if (length > 8) {
      let i: usize = 8
      while (i + 8 <= length && load<u64>(at + i) == load<u64>(expected + i)) i += 8
      if (i + 8 <= length || load<u64>(at + length - 8) != load<u64>(expected + length - 8)) break
    }
    const next = entry.next
    const hasEnded = entry.recordAt != 0
    if (entry.crossing) {
      if (entry.recordAt) {
        if (
          seen != parser.columnCount || at + length >= parser.stop || row + 1 >= parser.groupEnd || (parser.hasMisfits | u32(parser.halfAt)) != 0 ||
          (parser.flags & Flag.IS_FATAL && at + length > textLimit)
        ) break
      }
      const following = serial + u32(entry.recordAt != 0)
      let node = next.node
      let entered = entry.entered
      while (entered && node.serial != following) {
        node = node.parent
        entered--
      }
      if (entered) break
      if (entry.recordAt) {
        parser.at = at + usize(entry.recordAt)
        parser.state = State.BEHIND_COMMA
        row++
        seen = 0
      }
      serial = following
      node = next.node
      for (entered = entry.entered; entered; entered--) {
        node.serial = serial
        node = node.parent
      }
    }
    at += length
    entry = next
    isBehind = false
    if (hasEnded && parser.mayBatch) {
      if (parser.pause == 0) {
        parser.hasBegun = 1
        break
      }
      parser.pause--
    }
  }
  parser.entry = entry
  parser.row = row
  parser.serial = serial
  parser.seen = seen
  parser.place = at
  return isBehind
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
