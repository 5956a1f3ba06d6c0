// Finds the separators of a window of text, 64 bytes at a time: bitmaps of delimiters, line breaks and quotes, the state between quotes as the
// prefix xor of the latter, and from these the addresses of all separators outside.
//
// That holds as long as a quote opens where a field begins and closes where one ends. Where one does not, and at a comment, the scan stops for a
// row, which is read by row.ts, and goes on behind it.

import { Csv, find, INDEX, SKIPPED } from './context'
import { readRow } from './row'

// @ts-ignore: decorator
@inline
function bits(a: v128, b: v128, c: v128, d: v128, byte: v128): u64 {
  return (
    u64(u32(i8x16.bitmask(i8x16.eq(a, byte))) | (u32(i8x16.bitmask(i8x16.eq(b, byte))) << 16)) |
    (u64(u32(i8x16.bitmask(i8x16.eq(c, byte))) | (u32(i8x16.bitmask(i8x16.eq(d, byte))) << 16)) << 32)
  )
}

/** Bit i: whether an odd number of bits up to and with i are set. */
// @ts-ignore: decorator
@inline
function prefixXor(x: u64): u64 {
  x ^= x << 1
  x ^= x << 2
  x ^= x << 4
  x ^= x << 8
  x ^= x << 16
  return x ^ (x << 32)
}

/** Writes the address of each bit. Four may be written beyond the last. */
// @ts-ignore: decorator
@inline
function writePlaces(at: usize, mask: u64, out: usize): void {
  let left = i32(popcnt(mask))
  while (true) {
    store<u32>(out, u32(at + usize(ctz(mask))))
    mask &= mask - 1
    store<u32>(out, u32(at + usize(ctz(mask))), 4)
    mask &= mask - 1
    store<u32>(out, u32(at + usize(ctz(mask))), 8)
    mask &= mask - 1
    store<u32>(out, u32(at + usize(ctz(mask))), 12)
    mask &= mask - 1
    if (left <= 4) return
    left -= 4
    out += 16
  }
}

/**
 * Scans [at, end), which begins a row; `isEnd` where no bytes follow. At most `most` records that begin before `limit`; returns how many, none where
 * the first does not end in the window. Both arrays have room for as many entries as there are bytes, and 16 more.
 */
export function csvScan(pointer: usize, at: usize, end: usize, isEnd: bool, limit: usize, most: u32): u32 {
  const csv = changetype<Csv>(pointer)
  const fieldCount = csv.fieldCount
  const separators = csv.separators
  const ends = csv.ends
  const delimiter = i8x16.splat(i8(csv.delimiter))
  const quote = i8x16.splat(i8(csv.quote))
  const comment = i8x16.splat(i8(csv.comment))
  const newline = i8x16.splat(10)
  const hasQuotes: u64 = csv.quote < 256 ? u64.MAX_VALUE : 0
  const hasComments: u64 = csv.comment < 256 ? u64.MAX_VALUE : 0
  let high = i64x2.splat(0)
  /** Separators written, and where the next record's end goes. */
  let index: u32 = 0
  let record = ends
  let expected: u32 = fieldCount
  let irregular: u32 = 0
  let returns: u32 = 0
  // Of the byte before the block: all ones inside quotes; 1 where a quote may open; 1 behind a closing quote; 1 behind that and a CR; 1 where a row begins.
  let inside: u64 = 0
  let opens: u64 = 1
  let closed: u64 = 0
  let closedReturn: u64 = 0
  let begins: u64 = 1

  store<u32>(separators, u32(at - 1))
  while (at < end) {
    const a = v128.load(at)
    const b = v128.load(at, 16)
    const c = v128.load(at, 32)
    const d = v128.load(at, 48)
    let within: u64 = u64.MAX_VALUE
    if (end - at < 64) within >>= u64(64 - (end - at))
    high = v128.or(high, v128.or(v128.or(a, b), v128.or(c, d)))
    let lines = bits(a, b, c, d, newline) & within
    let found = (bits(a, b, c, d, delimiter) & within) | lines
    const quotes = bits(a, b, c, d, quote) & within & hasQuotes
    let event: u64 = 0
    if (quotes | inside | closed | closedReturn) {
      const state = prefixXor(quotes) ^ inside
      const closing = quotes & ~state
      found &= ~state
      lines &= ~state
      const returnBits = bits(a, b, c, d, i8x16.splat(13))
      const behind = (closing << 1) | closed
      const behindReturn = ((behind & returnBits) << 1) | closedReturn
      event = quotes & state & ~(((found | closing) << 1) | opens)
      event |= behind & ~(found | quotes | returnBits)
      event |= behindReturn & ~lines
      event &= within
      inside = u64(i64(state) >> 63)
      closed = closing >> 63
      closedReturn = (behind & returnBits) >> 63
      opens = (found | closing) >> 63
    } else opens = found >> 63
    if (hasComments) {
      event |= ((lines << 1) | begins) & bits(a, b, c, d, comment) & within
      begins = lines >> 63
    }
    if (event) {
      const before = (event & (0 - event)) - 1
      found &= before
      lines &= before
    }
    writePlaces(at, found, separators + (usize(index + 1) << 2))
    while (lines) {
      const last = lines ^ (lines - 1)
      const place = index + u32(popcnt(found & last))
      irregular |= place ^ expected
      expected += fieldCount
      returns += u32(load<u8>(at + usize(ctz(lines)) - 1) == 13)
      store<u32>(record, place)
      record += 4
      lines &= lines - 1
    }
    index += u32(popcnt(found))
    if (event == 0) {
      at += 64
      continue
    }
    // A row by itself, or a comment.
    irregular = 1
    index = record == ends ? 0 : load<u32>(record - 4) & INDEX
    const start = usize(load<u32>(separators + (usize(index) << 2))) + 1
    const stop = special(csv, start, end, isEnd, separators + (usize(index + 1) << 2), u32.MAX_VALUE)
    if (stop == 0) break
    index += csv.found
    store<u32>(record, index | csv.fault)
    record += 4
    at = stop + 1
    inside = 0
    opens = 1
    closed = 0
    closedReturn = 0
    begins = 1
  }

  if (isEnd) {
    index = record == ends ? 0 : load<u32>(record - 4) & INDEX
    const start = usize(load<u32>(separators + (usize(index) << 2))) + 1
    if (start < end) {
      special(csv, start, end, true, separators + (usize(index + 1) << 2), u32.MAX_VALUE)
      index += csv.found
      irregular |= (index ^ expected) | csv.fault | u32(load<u8>(end - 1) == 13)
      store<u32>(record, index | csv.fault)
      record += 4
    }
  }

  csv.found = 0
  let count = u32((record - ends) >> 2)
  // All in CRLF, or all in LF; the last row of a file need not end in either.
  const allReturns = returns == count
  if (returns && !allReturns) irregular = 1
  count = min(count, most)
  while (count > 1 && usize(load<u32>(separators + (usize(load<u32>(ends + (usize(count - 2) << 2)) & INDEX) << 2))) + 1 >= limit) count--
  return finish(csv, count, irregular, allReturns, end, isEnd, high)
}

/** The one record at `at`, however long: 1, or 0 where it does not end in [at, end). */
export function csvLong(pointer: usize, at: usize, end: usize, isEnd: bool): u32 {
  const csv = changetype<Csv>(pointer)
  store<u32>(csv.separators, u32(at - 1))
  const most = csv.fieldCount + 1
  if (special(csv, at, end, isEnd, csv.separators + 4, most) == 0) return 0
  store<u32>(csv.ends, min(csv.found, most) | csv.fault)
  return finish(csv, 1, 1, 0, end, isEnd, i64x2.splat(-1))
}

/** Passes the comment or reads the row at `at`, as `readRow`. */
function special(csv: Csv, at: usize, end: usize, isEnd: bool, separators: usize, most: u32): usize {
  if (u32(load<u8>(at)) != csv.comment) return readRow(csv, at, end, isEnd, separators, most)
  const stop = find(at, end, 10, 10)
  if (stop == end && !isEnd) return 0
  store<u32>(separators, u32(stop))
  csv.found = 1
  csv.fault = SKIPPED
  return stop
}

function finish(csv: Csv, count: u32, irregular: u32, returns: bool, end: usize, isEnd: bool, high: v128): u32 {
  csv.dataEnd = isEnd ? end : 0
  csv.nonAscii = i8x16.bitmask(high)
  csv.irregular = irregular
  csv.skip = 1
  if (count == 0) return 0
  const last = usize(load<u32>(csv.separators + (usize(load<u32>(csv.ends + (usize(count - 1) << 2)) & INDEX) << 2)))
  csv.next = min(last + 1, end)
  if (irregular || !returns) return count
  csv.skip = 2
  const step = usize(csv.fieldCount) << 2
  store<u32>(csv.separators, load<u32>(csv.separators) - 1)
  for (let at = csv.separators + step, stop = at + usize(count) * step; at < stop; at += step) store<u32>(at, load<u32>(at) - 1)
  return count
}
