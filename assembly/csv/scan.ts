// Finds the separators of a window of text, 64 bytes at a time: bitmaps of delimiters, line breaks and quotes, the state between quotes as the
// prefix xor of the latter, and from these the addresses of all separators outside.
//
// That holds as long as a quote opens where a field begins and closes where one ends. Most windows are rows that are all alike (`scanAlike`), of which
// nothing but the separators need be noted. Of others (`scanRecords`) the end of each record is noted too; where a quote is somewhere else, and at a
// comment, the scan stops for a row, which is read by row.ts, and goes on behind it.

import { bitsOf, placesOf, prefixXor, writePlaces } from './blocks'
import { Csv, find, INDEX, SKIPPED } from './context'
import { readRow } from './row'

/**
 * Scans [at, end), which begins a record, for records that begin before `limit`, `most` at most; `isEnd` where no bytes follow. Returns how many, none
 * where the first does not end in the window. `separators` and `ends` have room for as many entries as there are bytes, and 16 more.
 */
export function csvScan(pointer: usize, at: usize, end: usize, isEnd: bool, limit: usize, most: u32): u32 {
  const csv = changetype<Csv>(pointer)
  csv.found = 0
  csv.dataEnd = isEnd ? end : 0
  store<u32>(csv.separators, u32(at - 1))
  if (csv.wait) csv.wait--
  else {
    const count = min(scanAlike(csv, at, end), most)
    if (count) {
      csv.patience = 0
      return finishAlike(csv, at, count, limit)
    }
    csv.patience = min((csv.patience << 1) + 1, 15)
    csv.wait = csv.patience
  }
  return finish(csv, min(scanRecords(csv, at, end, isEnd), most), end, limit)
}

/** The one record at `at`, however long: 1, or 0 where it does not end in [at, end). */
export function csvLong(pointer: usize, at: usize, end: usize, isEnd: bool): u32 {
  const csv = changetype<Csv>(pointer)
  store<u32>(csv.separators, u32(at - 1))
  csv.dataEnd = isEnd ? end : 0
  csv.nonAscii = 1
  const most = csv.fieldCount + 1
  if (readRecord(csv, at, end, isEnd, csv.separators + 4, most) == 0) return 0
  store<u32>(csv.ends, min(csv.found, most) | csv.fault)
  return finish(csv, 1, end, end)
}

// Between two blocks the state is that of the byte before: `inside` all ones between quotes; `opens` 1 where a quote may open; `closed` 1 behind a quote
// that closes; `closedReturn` 1 behind that and a CR. In a block, `state` has the bits between quotes, the opening one included; `found` and `lines`
// those of separators and line breaks outside; `behind` those behind closing quotes.

/** Quotes where none may open, and what may not stand behind one that closes, but for CRs. */
// @ts-ignore: decorator
@inline
function wrongAt(quotes: u64, state: u64, found: u64, opens: u64, behind: u64): u64 {
  const closing = quotes & ~state
  return (quotes & state & ~(((found | closing) << 1) | opens)) | (behind & ~(found | quotes))
}

// @ts-ignore: decorator
@inline
function highBits(at: usize): u32 {
  return u32(i8x16.bitmask(v128.or(v128.or(v128.load(at), v128.load(at, 16)), v128.or(v128.load(at, 32), v128.load(at, 48)))))
}

/**
 * Blocks without a quote, as many as there are whole ones in [at, end); returns the address behind them. Writes from `csv.out` on, and counts line
 * breaks in `csv.lines`. It calls nothing, so that all it needs stays in registers, and is called from two places, so that it remains a function.
 */
function plainBlocks(csv: Csv, at: usize, end: usize): usize {
  const delimiter = i8x16.splat(i8(csv.delimiter))
  const newline = i8x16.splat(i8(csv.newline))
  const quote = i8x16.splat(i8(csv.quote < 256 ? csv.quote : csv.delimiter))
  const quotesMatter = i8x16.splat(csv.quote < 256 ? -1 : 0)
  let out = csv.out
  let high = i64x2.splat(0)
  let counts = i64x2.splat(0)
  let lines: u32 = 0
  let blocks: u32 = 0
  while (at + 64 <= end) {
    const a = v128.load(at)
    const b = v128.load(at, 16)
    const c = v128.load(at, 32)
    const d = v128.load(at, 48)
    const quotes = v128.or(v128.or(i8x16.eq(a, quote), i8x16.eq(b, quote)), v128.or(i8x16.eq(c, quote), i8x16.eq(d, quote)))
    if (v128.any_true(v128.and(quotes, quotesMatter))) break
    high = v128.or(high, v128.or(v128.or(a, b), v128.or(c, d)))
    const lineA = i8x16.eq(a, newline)
    const lineB = i8x16.eq(b, newline)
    const lineC = i8x16.eq(c, newline)
    const lineD = i8x16.eq(d, newline)
    counts = i8x16.sub(counts, i8x16.add(i8x16.add(lineA, lineB), i8x16.add(lineC, lineD)))
    if ((++blocks & 31) == 0) {
      lines += sum8(counts)
      counts = i64x2.splat(0)
    }
    const found = bitsOf(
      v128.or(lineA, i8x16.eq(a, delimiter)), v128.or(lineB, i8x16.eq(b, delimiter)),
      v128.or(lineC, i8x16.eq(c, delimiter)), v128.or(lineD, i8x16.eq(d, delimiter)),
    )
    const count = u32(popcnt(found))
    writePlaces(at, found, count, out)
    out += usize(count) << 2
    at += 64
  }
  csv.out = out
  csv.lines += lines + sum8(counts)
  csv.nonAscii |= u32(i8x16.bitmask(high))
  return at
}

// @ts-ignore: decorator
@inline
function sum8(counts: v128): u32 {
  const sums = i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(counts))
  return i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3)
}

// @ts-ignore: decorator
@inline
function isSeparator(csv: Csv, at: usize): bool {
  const byte = u32(load<u8>(at))
  return byte == csv.delimiter || byte == 10
}

/** How many blocks without a quote make it worth to look for more of them. */
// @ts-ignore: decorator
@inline
const PLAIN_BLOCKS: u32 = 3

/** Any blocks, to `end` or where some have no quote; 0 where a quote is not where it should be. As `plainBlocks`, which is to go on. */
function mixedBlocks(csv: Csv, at: usize, end: usize, opens: u64): usize {
  const delimiter = i8x16.splat(i8(csv.delimiter))
  const newline = i8x16.splat(i8(csv.newline))
  const quote = i8x16.splat(i8(csv.quote))
  const quotesMatter: u64 = csv.quote < 256 ? u64.MAX_VALUE : 0
  let out = csv.out
  let inside: u64 = 0
  let closed: u64 = 0
  let closedReturn: u64 = 0
  let lineCount: u64 = 0
  let nonAscii: u32 = 0
  let plain: u32 = 0
  while (at < end) {
    let within: u64 = u64.MAX_VALUE
    if (end - at < 64) within >>= u64(64 - (end - at))
    let lines = placesOf(at, newline) & within
    let found = (placesOf(at, delimiter) & within) | lines
    const quotes = placesOf(at, quote) & within & quotesMatter
    if (quotes | inside | closed | closedReturn) {
      const state = prefixXor(quotes) ^ inside
      const behind = (closed | ((quotes & ~state) << 1)) & within
      found &= ~state
      lines &= ~state
      let wrong = wrongAt(quotes, state, found, opens, behind) & within
      let returns: u64 = 0
      if (wrong | closedReturn) {
        // Only a CR may stand there, and only before LF.
        returns = placesOf(at, i8x16.splat(13)) & behind
        wrong = (wrong & ~returns) | (((returns << 1) | closedReturn) & ~lines & within)
        if (wrong) return 0
      }
      inside = u64(i64(state) >> 63)
      closed = (quotes & ~state) >> 63
      closedReturn = returns >> 63
      opens = (found | (quotes & ~state)) >> 63
      plain = 0
    } else {
      opens = found >> 63
      plain++
    }
    lineCount += popcnt(lines)
    nonAscii |= highBits(at)
    const count = u32(popcnt(found))
    writePlaces(at, found, count, out)
    out += usize(count) << 2
    at += 64
    if (plain == PLAIN_BLOCKS) break
  }
  csv.out = out
  csv.lines += u32(lineCount)
  csv.nonAscii |= nonAscii
  return at
}

/** The rows of [at, end) where all have `fieldCount` fields and end in LF, or all in CRLF, and there are no comments; 0 where they are not. */
function scanAlike(csv: Csv, at: usize, end: usize): u32 {
  csv.nonAscii = 0
  csv.lines = 0
  csv.out = csv.separators + 4
  const first = at
  at = plainBlocks(csv, at, end)
  while (at < end) {
    const opens = at == first || isSeparator(csv, at - 1)
    at = mixedBlocks(csv, at, end, u64(opens))
    if (at == 0) return 0
    if (at < end) at = plainBlocks(csv, at, end)
  }
  // The last separator of each row is a line break, and there are no others.
  const step = usize(csv.fieldCount) << 2
  let count: u32 = 0
  let returns: u32 = 0
  let before = first - 1
  for (let separator = csv.separators + step; separator < csv.out; separator += step) {
    const place = usize(load<u32>(separator))
    if (load<u8>(place) != 10 || u32(load<u8>(before, 1)) == csv.comment) return 0
    returns += u32(load<u8>(place - 1) == 13) & u32(place - before > 1)
    before = place
    count++
  }
  if (count != csv.lines || (returns && returns != count)) return 0
  csv.skip = returns ? 2 : 1
  return count
}

function finishAlike(csv: Csv, at: usize, count: u32, limit: usize): u32 {
  csv.irregular = 0
  const step = usize(csv.fieldCount) << 2
  let last = csv.separators + usize(count) * step
  while (count > 1 && usize(load<u32>(last - step)) + 1 >= limit) {
    count--
    last -= step
  }
  csv.next = usize(load<u32>(last)) + 1
  if (csv.skip == 2) {
    for (let separator = csv.separators; separator <= last; separator += step) store<u32>(separator, load<u32>(separator) - 1)
  }
  return count
}

/** All records of [at, end). */
function scanRecords(csv: Csv, at: usize, end: usize, isEnd: bool): u32 {
  const separators = csv.separators
  const ends = csv.ends
  const delimiter = i8x16.splat(i8(csv.delimiter))
  const quote = i8x16.splat(i8(csv.quote))
  const comment = i8x16.splat(i8(csv.comment))
  const quotesMatter: u64 = csv.quote < 256 ? u64.MAX_VALUE : 0
  const commentsMatter: u64 = csv.comment < 256 ? u64.MAX_VALUE : 0
  /** Separators written, and where the next record's end goes. */
  let index: u32 = 0
  let record = ends
  let begins: u64 = 1
  let inside: u64 = 0
  let opens: u64 = 1
  let closed: u64 = 0
  let closedReturn: u64 = 0
  csv.nonAscii = 0
  while (at < end) {
    let within: u64 = u64.MAX_VALUE
    if (end - at < 64) within >>= u64(64 - (end - at))
    let lines = placesOf(at, i8x16.splat(10)) & within
    let found = (placesOf(at, delimiter) & within) | lines
    const quotes = placesOf(at, quote) & within & quotesMatter
    let event: u64 = 0
    if (quotes | inside | closed | closedReturn) {
      const state = prefixXor(quotes) ^ inside
      const behind = (closed | ((quotes & ~state) << 1)) & within
      const returns = placesOf(at, i8x16.splat(13)) & behind
      found &= ~state
      lines &= ~state
      event = ((wrongAt(quotes, state, found, opens, behind) & ~returns) | (((returns << 1) | closedReturn) & ~lines)) & within
      inside = u64(i64(state) >> 63)
      closed = (quotes & ~state) >> 63
      closedReturn = returns >> 63
      opens = (found | (quotes & ~state)) >> 63
    } else opens = found >> 63
    if (commentsMatter) {
      event |= ((lines << 1) | begins) & placesOf(at, comment) & within
      begins = lines >> 63
    }
    if (event) {
      const before = (event & (0 - event)) - 1
      found &= before
      lines &= before
    }
    csv.nonAscii |= highBits(at)
    const count = u32(popcnt(found))
    writePlaces(at, found, count, separators + (usize(index + 1) << 2))
    while (lines) {
      store<u32>(record, index + u32(popcnt(found & (lines ^ (lines - 1)))))
      record += 4
      lines &= lines - 1
    }
    index += count
    if (event == 0) {
      at += 64
      continue
    }
    // A row by itself, or a comment.
    index = record == ends ? 0 : load<u32>(record - 4) & INDEX
    const start = usize(load<u32>(separators + (usize(index) << 2))) + 1
    // It may go on beyond this block, and what is behind it is not looked at again.
    csv.nonAscii = 1
    const stop = readRecord(csv, start, end, isEnd, separators + (usize(index + 1) << 2), u32.MAX_VALUE)
    if (stop == 0) break
    index += csv.found
    store<u32>(record, index | csv.fault)
    record += 4
    at = stop + 1
    begins = 1
    inside = 0
    opens = 1
    closed = 0
    closedReturn = 0
  }
  if (isEnd) {
    index = record == ends ? 0 : load<u32>(record - 4) & INDEX
    const start = usize(load<u32>(separators + (usize(index) << 2))) + 1
    if (start < end) {
      readRecord(csv, start, end, true, separators + (usize(index + 1) << 2), u32.MAX_VALUE)
      store<u32>(record, (index + csv.found) | csv.fault)
      record += 4
    }
  }
  csv.found = 0
  return u32((record - ends) >> 2)
}

/** Passes the comment, or reads the row at `at` as `readRow` does. */
function readRecord(csv: Csv, at: usize, end: usize, isEnd: bool, separators: usize, most: u32): usize {
  if (u32(load<u8>(at)) != csv.comment) return readRow(csv, at, end, isEnd, separators, most)
  const stop = find(at, end, 10, 10)
  if (stop == end && !isEnd) return 0
  store<u32>(separators, u32(stop))
  csv.found = 1
  csv.fault = SKIPPED
  return stop
}

function finish(csv: Csv, count: u32, end: usize, limit: usize): u32 {
  csv.irregular = 1
  csv.skip = 1
  while (count > 1 && placeAt(csv, count - 2) + 1 >= limit) count--
  if (count) csv.next = min(placeAt(csv, count - 1) + 1, end)
  return count
}

/** Where a record ends. */
// @ts-ignore: decorator
@inline
function placeAt(csv: Csv, record: u32): usize {
  return usize(load<u32>(csv.separators + (usize(load<u32>(csv.ends + (usize(record) << 2)) & INDEX) << 2)))
}
