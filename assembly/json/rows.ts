// Rows from records one by one, as fast as what they look like allows: what stands between two values is compared with what stood there last time in
// one go (layout.ts, Entry), and values are read as what their columns mostly have (quick.ts). All else is record.ts's and value.ts's. Records
// that are alike are read many at a time: batch.ts.

import { readBatch } from './batch'
import { giveCodes } from './codes'
import { Entry, Fault, Flag, Op, Parser, State, Status } from './layout'
import { clearRow, fillMissing } from './null'
import { quickBool, quickFloat, quickInteger, quickSkip, quickText } from './quick'
import { From, nextValue } from './record'
import { skipSpace } from './scan'
import { skipRow } from './skip-row'
import { readValue } from './value'

/** So many keys that are missing here are looked behind. */
// @ts-ignore: decorator
@inline
const MOST_MISSING: u32 = 8

/** Where readAlike has come to. */
const enum Stood {
  /** At a value. */
  BEFORE = 0,
  /** Behind one. */
  BEHIND = 1,
  /** At the first value of a record. */
  FIRST = 2,
}

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
  let stood = Stood.BEFORE
  while (at) {
    if (stood == Stood.FIRST) at = readBatch(parser, at)
    stood = readAlike(parser, at, stood == Stood.BEHIND)
    at = parser.place
    const entry = parser.entry
    if (stood == Stood.BEHIND) {
      at = nextValue(parser, entry, entry.node, at, From.VALUE)
      stood = Stood.BEFORE
    } else if (stood == Stood.BEFORE) {
      at = readValue(parser, entry, skipSpace(parser, at))
      stood = Stood.BEHIND
      const inside = parser.entered
      if (at != 0 && changetype<usize>(inside) != 0) {
        at = nextValue(parser, changetype<Entry>(0), inside, at, From.BRACE)
        stood = Stood.BEFORE
      }
    }
  }
  return ended(parser)
}

/** Reads from the value of `parser.entry`, at `at`, or from behind it where `isBehind`, as far as all is as it mostly is: up to `parser.place`. */
function readAlike(parser: Parser, at: usize, isBehind: bool): Stood {
  const end = parser.end
  const textLimit = parser.textLimit
  let stood = isBehind ? Stood.BEHIND : Stood.BEFORE
  let entry = parser.entry
  let row = parser.row
  let serial = parser.serial
  let seen = parser.seen
  while (true) {
    if (stood == Stood.BEFORE) {
      const op = entry.op
      let behind: usize = 0
      if (op == Op.SKIP) {
        behind = quickSkip(at, end)
        if (behind == 0) break
      } else {
        if (op > Op.BOOL) break
        const column = entry.column
        if (column.serial == serial) break
        if (op == Op.TEXT) behind = quickText(column, row, at, end, textLimit)
        else if (op == Op.FLOAT64) behind = quickFloat(at, column.data + (usize(row) << 3), parser.powers)
        else if (op == Op.BOOL) behind = quickBool(column, row, at)
        else behind = quickInteger(column, op, row, at)
        if (behind == 0 || (load<u8>(behind) | 0x20) == 0x65) break
        column.serial = serial
        seen++
      }
      at = behind
      stood = Stood.BEHIND
    }
    if (at >= end) break
    // What was there last time, or what was behind a key that is missing now: what may follow depends on the object alone.
    let way = entry
    let tries = MOST_MISSING
    while (!isThere(way, at)) {
      way = way.next
      tries--
      if (tries == 0 || way.node != entry.node) break
    }
    if (tries == 0 || way.node != entry.node) break
    const next = way.next
    const behind = at + usize(way.length)
    if (way.crossing) {
      if (way.recordAt) {
        if (behind >= parser.stop || row + 1 >= parser.groupEnd || (parser.flags & Flag.IS_FATAL && behind > textLimit)) break
        if (seen != parser.columnCount) {
          parser.row = row
          parser.serial = serial
          parser.seen = seen
          fillMissing(parser, lastBrace(at + usize(way.recordAt)))
          seen = parser.seen
        }
        if (parser.hasMisfits | u32(parser.halfAt)) break
      }
      const following = serial + u32(way.recordAt != 0)
      let node = next.node
      let entered = way.entered
      while (entered && node.serial != following) {
        node = node.parent
        entered--
      }
      // An object that the record has had already.
      if (entered) break
      serial = following
      node = next.node
      for (entered = way.entered; entered; entered--) {
        node.serial = serial
        node = node.parent
      }
    }
    const start = at
    at = behind
    entry = next
    stood = Stood.BEFORE
    if (way.recordAt) {
      parser.at = start + usize(way.recordAt)
      parser.state = State.BEHIND_COMMA
      row++
      seen = 0
      if (parser.mayBatch) {
        if (parser.pause == 0) {
          stood = Stood.FIRST
          break
        }
        parser.pause--
      }
    }
  }
  parser.entry = entry
  parser.row = row
  parser.serial = serial
  parser.seen = seen
  parser.place = at
  return stood
}

/** Whether behind a value, at `at`, is what was behind that of the entry last time. */
// @ts-ignore: decorator
@inline
function isThere(entry: Entry, at: usize): bool {
  const expected = changetype<usize>(entry)
  if ((load<u64>(at) ^ load<u64>(expected)) & entry.mask) return false
  const length = usize(entry.length)
  if (length <= 8) return true
  let rest = load<u64>(at + length - 8) ^ load<u64>(expected + length - 8)
  for (let i: usize = 8; i + 8 < length; i += 8) rest |= load<u64>(at + i) ^ load<u64>(expected + i)
  return rest == 0
}

/** The brace that ends a record before `at`. */
function lastBrace(at: usize): usize {
  while (load<u8>(at) != 0x7d) at--
  return at
}

/** Why there is no next value. */
function ended(parser: Parser): Status {
  const status = parser.status
  if (status == Status.GROUP_FULL) return status
  // There is no row to clear where all there is room for have been read.
  if (parser.row < parser.rowEnd) clearRow(parser)
  if (status != Status.BAD) {
    // Begun again, the row has again what was to be repaired in it.
    parser.textLimit = min(parser.textLimit, parser.at)
    return status
  }
  if (parser.faultAt >= parser.end) {
    if (!(parser.flags & Flag.IS_END)) return Status.DONE
    if (parser.fault != Fault.UNCLOSED_ARRAY) parser.fault = Fault.CUT_OFF
    parser.faultAt = parser.end
    parser.faultColumn = 0
  } else if (!(parser.flags & Flag.IS_ARRAY) && load<u8>(parser.faultAt) == 10 && parser.fault != Fault.CONTROL) {
    parser.fault = Fault.CUT_OFF
  }
  return skipRow(parser) ? Status.BAD : Status.DONE
}
