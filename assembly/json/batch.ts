// Many records at once, while they are alike: line breaks are looked for first, and then the first value of all records is read, the second of
// all, and so on. So each loop reads values of one kind, none waits for another, and what to do is decided once.
//
//   places   u32 for each record: where its next value is       lines   u32 for each record and more: where its line break is
//
// A record that is not like the one before ends the batch: what has been read of it and of those behind it is read again.

import { numberOf } from '../parse/digits'
import { Column, Entry, Fault, Flag, Op, Parser } from './layout'
import { columnAt, putNull, setBit } from './null'
import { skipValue } from './nested'
import { quickBool, quickFloat, quickInteger, quickSkip } from './quick'
import { scanText, skipSpace } from './scan'
import { isWellFormed } from './text'
import { storeValue } from './value'

// @ts-ignore: decorator
@inline
const MOST_RECORDS: u32 = 64
/** What a batch takes in must stay in the first cache. */
// @ts-ignore: decorator
@inline
const MOST_BYTES: usize = 24576
// @ts-ignore: decorator
@inline
const FEW_RECORDS: u32 = 8
/** Line breaks are looked for in so many bytes at a time; there is room for so many, and those of 64 bytes more. */
// @ts-ignore: decorator
@inline
const BYTES_AHEAD: usize = 32768
// @ts-ignore: decorator
@inline
const LINES_AHEAD: u32 = 1024
/** With fewer it is looked for more. */
// @ts-ignore: decorator
@inline
const FEW_LINES: u32 = 16
/** After so many failures at most as many records are read one by one before the next try. */
// @ts-ignore: decorator
@inline
const LONGEST_PAUSE: u32 = 64

/** Reads records from the first value of one on, at `at`; answers where the first value of another is, or of the same. */
export function readBatch(parser: Parser, at: usize): usize {
  const wanted = layPlaces(parser, at)
  if (wanted < 2) return at
  const first = parser.entry
  const offset = at - parser.at
  const serial = parser.serial
  let entry = first
  let count = wanted
  let seen: u32 = 0
  parser.hadNull = 0
  while (true) {
    count = readLane(parser, entry, count)
    if (count == 0) break
    if (entry.op != Op.SKIP) seen++
    const next = entry.next
    let node = next.node
    const following = serial + u32(entry.recordAt != 0)
    let entered = entry.entered
    while (entered && node.serial != following) {
      node.serial = following
      node = node.parent
      entered--
    }
    if (entered) {
      count = 0
      break
    }
    if (entry.recordAt) {
      if (seen != parser.columnCount) count = missingLanes(parser, count)
      if (next != first || usize(entry.length - entry.recordAt) != offset) count = min(count, 1)
      count = endLane(parser, entry, count)
      break
    }
    entry = next
  }
  parser.serial = serial + 1
  if (count < wanted && parser.hadNull) clearNulls(parser, count, wanted)
  parser.entry = count ? entry.next : first
  for (let node = parser.entry.node; node != parser.root; node = node.parent) node.serial = serial + 1
  if (count) {
    parser.row += count
    at = placeAt(parser, count - 1)
    parser.at = at - usize(entry.length - entry.recordAt)
  }
  // What few records were read for many that were begun, one by one would have been as fast.
  if (count == wanted || count >= FEW_RECORDS) parser.tries = 0
  else parser.tries = min(parser.tries * 2 + 1, LONGEST_PAUSE)
  parser.pause = parser.tries
  return at
}

// @ts-ignore: decorator
@inline
function placeAt(parser: Parser, i: u32): usize {
  return usize(load<u32>(parser.places + (usize(i) << 2)))
}

// @ts-ignore: decorator
@inline
function lineAt(parser: Parser, i: u32): usize {
  return usize(load<u32>(parser.lines + (usize(i) << 2)))
}

/** Where the first values of records are, if they begin like the one whose first value is at `at`; returns of how many. */
function layPlaces(parser: Parser, at: usize): u32 {
  const offset = at - parser.at
  let line = parser.line
  while (line < parser.lineEnd && lineAt(parser, line) < at) line++
  if (parser.lineEnd - line < FEW_LINES && parser.scanned < parser.end) {
    findLines(parser, at)
    line = 0
  }
  parser.line = line
  // Not in text order: so there must be nothing to repair in what is read.
  if (parser.textLimit < parser.scanned) isWellFormed(parser, parser.at, parser.scanned)
  const most = min(min(MOST_RECORDS, parser.lineEnd - line), parser.groupEnd - parser.row - 1)
  const limit = min(at + MOST_BYTES, min(parser.stop, parser.textLimit))
  let place = at
  let count: u32 = 0
  while (count < most) {
    const lineBreak = lineAt(parser, line + count)
    if (place >= lineBreak || lineBreak >= limit) break
    store<u32>(parser.places + (usize(count) << 2), u32(place))
    place = lineBreak + 1 + offset
    count++
  }
  return count
}

/** Where lines end from `at` on, and whether they are all ASCII. */
function findLines(parser: Parser, at: usize): void {
  const to = min(at + BYTES_AHEAD, parser.end)
  const lines = parser.lines
  let out = lines
  const lineBreak = i8x16.splat(10)
  const start = at
  let high = i8x16.splat(0)
  for (const full = lines + (usize(LINES_AHEAD) << 2); at < to && out < full; at += 64) {
    const a = v128.load(at)
    const b = v128.load(at, 16)
    const c = v128.load(at, 32)
    const d = v128.load(at, 48)
    high = v128.or(high, v128.or(v128.or(a, b), v128.or(c, d)))
    let breaks =
      u64(u32(i8x16.bitmask(i8x16.eq(a, lineBreak))) | (u32(i8x16.bitmask(i8x16.eq(b, lineBreak))) << 16)) |
      (u64(u32(i8x16.bitmask(i8x16.eq(c, lineBreak))) | (u32(i8x16.bitmask(i8x16.eq(d, lineBreak))) << 16)) << 32)
    // Mostly there is one at most.
    store<u32>(out, u32(at + usize(ctz(breaks))))
    out += usize(breaks != 0) << 2
    breaks &= breaks - 1
    while (breaks) {
      store<u32>(out, u32(at + usize(ctz(breaks))))
      out += 4
      breaks &= breaks - 1
    }
  }
  at = min(at, parser.end)
  while (out > lines && usize(load<u32>(out - 4)) >= at) out -= 4
  parser.scanned = at
  parser.lineEnd = u32(out - lines) >> 2
  if (i8x16.bitmask(high) == 0 && parser.textLimit >= start) parser.textLimit = max(parser.textLimit, at)
}

/** Reads the value of one key in `count` records, and passes what is behind it; returns in how many that could be done. */
function readLane(parser: Parser, entry: Entry, count: u32): u32 {
  const op = entry.op
  if (op == Op.SKIP) return skipLane(parser, entry, count)
  if (op == Op.MANY) return 0
  const column = entry.column
  if (column.serial == parser.serial) return 0
  column.serial = parser.serial
  if (op == Op.TEXT) return textLane(parser, entry, column, count)
  if (op == Op.INT32) return integerLane<i32>(parser, entry, column, count)
  if (op == Op.INT64) return integerLane<i64>(parser, entry, column, count)
  if (op == Op.FLOAT64) return floatLane(parser, entry, column, count)
  if (op == Op.BOOL) return boolLane(parser, entry, column, count)
  return otherLane(parser, entry, count)
}

/** 0 where behind a value, at `at`, is what was there last time. */
// @ts-ignore: decorator
@inline
function difference(entry: Entry, text: u64, mask: u64, length: usize, at: usize): u64 {
  const first = (load<u64>(at) ^ text) & mask
  return length <= 8 ? first : first | restDifference(entry, length, at)
}

// @ts-ignore: decorator
@inline
function restDifference(entry: Entry, length: usize, at: usize): u64 {
  const expected = changetype<usize>(entry)
  let rest = load<u64>(at + length - 8) ^ load<u64>(expected + length - 8)
  for (let i: usize = 8; i + 8 < length; i += 8) rest |= load<u64>(at + i) ^ load<u64>(expected + i)
  return rest
}

function textLane(parser: Parser, entry: Entry, column: Column, count: u32): u32 {
  const text = entry.text0
  const mask = entry.mask
  const length = usize(entry.length)
  const textLimit = parser.textLimit
  const end = parser.end
  const places = parser.places
  const last = places + (usize(count) << 2)
  let span = column.spans + (usize(parser.row) << 3)
  for (let place = places; place < last; place += 4) {
    const at = usize(load<u32>(place))
    const to = scanText(at + 1, end)
    let next = to + 1 + length
    if (load<u8>(at) != 0x22 || load<u8>(to) != 0x22 || to > textLimit || difference(entry, text, mask, length, to + 1)) {
      next = anyLane(parser, entry, u32(place - places) >> 2)
      if (next == 0) return u32(place - places) >> 2
    } else {
      store<u64>(span, u64(at + 1) | (u64(to - at - 1) << 32))
    }
    store<u32>(place, u32(next))
    span += 8
  }
  return count
}

function integerLane<T>(parser: Parser, entry: Entry, column: Column, count: u32): u32 {
  const text = entry.text0
  const mask = entry.mask
  const length = usize(entry.length)
  const places = parser.places
  const last = places + (usize(count) << 2)
  let out = column.data + usize(parser.row) * sizeof<T>()
  for (let place = places; place < last; place += 4) {
    const at = usize(load<u32>(place))
    const digits = load<u64>(at) ^ 0x3030303030303030
    const others = ((digits + 0x7676767676767676) | digits) & 0x8080808080808080
    const count = i64(ctz(others)) & ~7
    const behind = at + usize(count >> 3)
    let next = behind + length
    // One to seven digits that no zero leads; that no point or exponent follows is in what does.
    const isOther = (((i64(digits & 0xff) - 1) & ~(count - 9)) | (count - 8) | (56 - count)) < 0
    if (isOther || difference(entry, text, mask, length, behind)) {
      next = integerNext(parser, entry, column, sizeof<T>(), u32(place - places) >> 2)
      if (next == 0) return u32(place - places) >> 2
    } else {
      store<T>(out, <T>numberOf(digits << (64 - count)))
    }
    store<u32>(place, u32(next))
    out += sizeof<T>()
  }
  return count
}

/** The same for one that is longer or has a sign, or is anything else. */
function integerNext(parser: Parser, entry: Entry, column: Column, size: usize, i: u32): usize {
  const behind = quickInteger(column, size == 4 ? Op.INT32 : Op.INT64, parser.row + i, placeAt(parser, i))
  const length = usize(entry.length)
  if (behind != 0 && difference(entry, entry.text0, entry.mask, length, behind) == 0) return behind + length
  return anyLane(parser, entry, i)
}

function floatLane(parser: Parser, entry: Entry, column: Column, count: u32): u32 {
  const text = entry.text0
  const mask = entry.mask
  const length = usize(entry.length)
  const places = parser.places
  const last = places + (usize(count) << 2)
  const powers = parser.powers
  let out = column.data + (usize(parser.row) << 3)
  for (let place = places; place < last; place += 4) {
    const at = usize(load<u32>(place))
    const behind = quickFloat(at, out, powers)
    let next = behind + length
    if (behind == 0 || difference(entry, text, mask, length, behind)) {
      next = anyLane(parser, entry, u32(place - places) >> 2)
      if (next == 0) return u32(place - places) >> 2
    }
    store<u32>(place, u32(next))
    out += 8
  }
  return count
}

function boolLane(parser: Parser, entry: Entry, column: Column, count: u32): u32 {
  const length = usize(entry.length)
  for (let i: u32 = 0; i < count; i++) {
    const behind = quickBool(column, parser.row + i, placeAt(parser, i))
    const isThere = behind != 0 && difference(entry, entry.text0, entry.mask, length, behind) == 0
    const next = isThere ? behind + length : anyLane(parser, entry, i)
    if (next == 0) return i
    store<u32>(parser.places + (usize(i) << 2), u32(next))
  }
  return count
}

function skipLane(parser: Parser, entry: Entry, count: u32): u32 {
  const text = entry.text0
  const mask = entry.mask
  const length = usize(entry.length)
  const end = parser.end
  const places = parser.places
  const last = places + (usize(count) << 2)
  for (let place = places; place < last; place += 4) {
    const at = usize(load<u32>(place))
    const behind = quickSkip(at, end)
    let next = behind + length
    if (behind == 0 || difference(entry, text, mask, length, behind)) {
      next = anyLane(parser, entry, u32(place - places) >> 2)
      if (next == 0) return u32(place - places) >> 2
    }
    store<u32>(place, u32(next))
  }
  return count
}

function otherLane(parser: Parser, entry: Entry, count: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const next = anyLane(parser, entry, i)
    if (next == 0) return i
    store<u32>(parser.places + (usize(i) << 2), u32(next))
  }
  return count
}

/** Reads any value of one record that fits its column, and passes what is behind it; 0 where that cannot be. */
function anyLane(parser: Parser, entry: Entry, i: u32): usize {
  const at = skipSpace(parser, placeAt(parser, i))
  let behind: usize
  parser.misfit = Fault.NONE
  if (entry.op == Op.SKIP) {
    behind = skipValue(parser, at, entry.node.depth)
  } else {
    if (load<u8>(at) == 0x6e) parser.hadNull = 1
    behind = storeValue(parser, entry.column, at, parser.row + i, entry.node.depth)
  }
  // Halves of surrogate pairs are for those who read record by record to tell.
  const isGood = behind != 0 && parser.misfit == Fault.NONE && (parser.halfAt == 0 || !(parser.flags & Flag.IS_FATAL))
  parser.halfAt = 0
  const length = usize(entry.length)
  return isGood && difference(entry, entry.text0, entry.mask, length, behind) == 0 ? behind + length : 0
}

/** Nulls for columns that none of these records has; 0 where one may have none. */
function missingLanes(parser: Parser, count: u32): u32 {
  parser.hadNull = 1
  for (let i: u32 = 0; i < parser.columnCount; i++) {
    const column = columnAt(parser.columns, i)
    if (column.serial == parser.serial) continue
    if (column.validity == 0) return 0
    for (let j: u32 = 0; j < count; j++) putNull(column, parser.row + j)
  }
  return count
}

/** Of `count` records whose last value has been passed, how many end where their lines do. */
function endLane(parser: Parser, entry: Entry, count: u32): u32 {
  const rest = usize(entry.length - entry.recordAt)
  for (let i: u32 = 0; i < count; i++) {
    const place = placeAt(parser, i)
    if (place - rest != lineAt(parser, parser.line + i) + 1 || place >= parser.stop) return i
  }
  return count
}

/** Forgets the nulls of records that were not read to the end. */
function clearNulls(parser: Parser, from: u32, to: u32): void {
  for (let i: u32 = 0; i < parser.columnCount; i++) {
    const validity = columnAt(parser.columns, i).validity
    if (validity) for (let j = from; j < to; j++) setBit(validity, parser.row + j)
  }
}
