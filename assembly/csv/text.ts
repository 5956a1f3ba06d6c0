// Columns of strings, as codes of a dictionary.
//
// In front of the dictionary is an index of its short strings, with the bytes in the slots: one miss of the cache where the dictionary has three.
//
//   bucket (64 bytes)   | slot | slot | slot | slot |      slots are filled in order, and a full bucket goes on in the next
//   slot                | 12 bytes of the string, ff behind | u32 code + 1, 0 where empty |
//
// A string has 1 to 12 bytes there, and none that is ff, which is in no UTF-8. At most four fifths of the slots are in use.

import { firstIllFormed } from '../parse/utf8'
import { internBytes, NO_ROOM, StringTable } from '../text'
import { Csv, FAULT_NULL, find } from './context'
import { clearBit, isToken, noteNull } from './field'
import { PADS } from './tables'

/** Of a string in the index. */
// @ts-ignore: decorator
@inline
const MOST_BYTES: u32 = 12

/** Stands for the code of a null token, so that it is looked at. */
// @ts-ignore: decorator
@inline
const TOKEN: u32 = u32.MAX_VALUE

/** The bucket of a key, as a distance; `mask` is that of the last. */
// @ts-ignore: decorator
@inline
function bucketOf(low: u64, high: u32, mask: u32): usize {
  return usize(u32(((low ^ (low >> 32) ^ (u64(high) * 0xd6e8feb86659fd93)) * 0x9e3779b97f4a7c15) >> 32) & mask)
}

/** The code of a key in a bucket and 1, or 0. */
// @ts-ignore: decorator
@inline
function codeIn(bucket: usize, key: v128): u32 {
  const pairs = i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(i32x4.eq(v128.load(bucket), key), i32x4.eq(v128.load(bucket, 16), key)),
    i16x8.narrow_i32x4_s(i32x4.eq(v128.load(bucket, 32), key), i32x4.eq(v128.load(bucket, 48), key)),
  )
  // Of the four bits of a slot the first three count.
  const equal = u32(i8x16.bitmask(pairs))
  const hit = equal & (equal >> 1) & (equal >> 2) & 0x1111
  return hit ? load<u32>(bucket + (usize(ctz(hit)) << 2), 12) : 0
}

/**
 * Writes the codes of rows from `row` on that are in the index, and returns the first that is not, or not a plain string. An empty field has the code
 * `empty`, and is a null where there is `validity`.
 */
function quickText(
  csv: Csv, index: usize, mask: u32, empty: u32, skip: usize, at: usize, step: usize, row: u32, count: u32, codes: usize, validity: usize, first: u32,
): u32 {
  const tables = csv.tables
  const quote = csv.quote
  let nulls: u32 = 0
  at += usize(row) * step
  for (; row < count; row++) {
    let start = usize(load<u32>(at)) + skip
    let length = load<u32>(at, 4) - u32(start)
    let code = empty + 1
    if (length) {
      const quoted = u32(load<u8>(start)) == quote
      if (quoted) {
        start++
        length -= 2
      }
      if (length - 1 >= MOST_BYTES) break
      const pads = tables + PADS + (usize(length) << 4)
      const key = v128.or(v128.load(start), v128.load(pads))
      if (quoted) {
        if (v128.any_true(i8x16.eq(key, i8x16.splat(i8(quote))))) break
      }
      let bucket = bucketOf(load<u64>(start) | load<u64>(pads), load<u32>(start, 8) | load<u32>(pads, 8), mask)
      code = codeIn(index + bucket, key)
      while (code == 0 && load<u32>(index + bucket, 60)) {
        bucket = (bucket + 64) & mask
        code = codeIn(index + bucket, key)
      }
      if (code == TOKEN) break
    } else if (validity) {
      clearBit(validity, first + row)
      nulls++
    }
    if (code == 0) break
    store<u32>(codes + (usize(row) << 2), code - 1)
    at += step
  }
  csv.nulls += nulls
  return row
}

/** The same where there are far more buckets than strings: nearly all are the first of theirs. */
function quickFew(
  csv: Csv, index: usize, mask: u32, empty: u32, skip: usize, at: usize, step: usize, row: u32, count: u32, codes: usize, validity: usize, first: u32,
): u32 {
  const tables = csv.tables
  const quote = csv.quote
  let nulls: u32 = 0
  at += usize(row) * step
  for (; row < count; row++) {
    let start = usize(load<u32>(at)) + skip
    let length = load<u32>(at, 4) - u32(start)
    let code = empty + 1
    if (length) {
      const quoted = u32(load<u8>(start)) == quote
      if (quoted) {
        start++
        length -= 2
      }
      if (length - 1 >= MOST_BYTES) break
      const pads = tables + PADS + (usize(length) << 4)
      const low = load<u64>(start) | load<u64>(pads)
      const high = load<u32>(start, 8) | load<u32>(pads, 8)
      if (quoted) {
        if (v128.any_true(i8x16.eq(v128.or(v128.load(start), v128.load(pads)), i8x16.splat(i8(quote))))) break
      }
      let slot = index + bucketOf(low, high, mask)
      if (load<u64>(slot) != low || load<u32>(slot, 8) != high) {
        slot += 16
        if (load<u64>(slot) != low || load<u32>(slot, 8) != high) {
          slot += 16
          if (load<u64>(slot) != low || load<u32>(slot, 8) != high) break
        }
      }
      code = load<u32>(slot, 12)
      if (code == TOKEN) break
    } else if (validity) {
      clearBit(validity, first + row)
      nulls++
    }
    if (code == 0) break
    store<u32>(codes + (usize(row) << 2), code - 1)
    at += step
  }
  csv.nulls += nulls
  return row
}

/** The code of a string as it stands in the text, and 1; 0 where it is not in the index. */
function codeOf(csv: Csv, index: usize, mask: u32, at: usize, length: u32, quoted: bool): u32 {
  if (length - 1 >= MOST_BYTES) return 0
  const key = keyOf(csv, at, length)
  if (quoted && v128.any_true(i8x16.eq(key, i8x16.splat(i8(csv.quote))))) return 0
  let bucket = bucketOf(u64(i64x2.extract_lane(key, 0)), u32(i32x4.extract_lane(key, 2)), mask)
  let code = codeIn(index + bucket, key)
  while (code == 0 && load<u32>(index + bucket, 60)) {
    bucket = (bucket + 64) & mask
    code = codeIn(index + bucket, key)
  }
  return code == TOKEN ? 0 : code
}

/** Puts in a string that is not there. */
function addToIndex(index: usize, mask: u32, key: v128, word: u32): void {
  let bucket = bucketOf(u64(i64x2.extract_lane(key, 0)), u32(i32x4.extract_lane(key, 2)), mask)
  while (load<u32>(index + bucket, 60)) bucket = (bucket + 64) & mask
  let slot = index + bucket
  while (load<u32>(slot, 12)) slot += 16
  v128.store(slot, i32x4.replace_lane(key, 3, word))
}

/** Without lane 3. */
// @ts-ignore: decorator
@inline
function keyOf(csv: Csv, at: usize, length: u32): v128 {
  return v128.or(v128.load(at), v128.load(csv.tables + PADS + (usize(length) << 4)))
}

/**
 * Writes the codes of rows `from` to `to` to `codes`, adding strings that are new. Returns `to`, or the row whose string found no room in the
 * dictionary. `index` is 0 where there is none. `repair`: there are bytes that are no UTF-8.
 */
export function csvText(
  pointer: usize, tablePointer: usize, index: usize, mask: u32, few: bool, repair: bool,
  skip: usize, at: usize, step: usize, from: u32, to: u32, codes: usize, validity: usize, first: u32,
): u32 {
  const csv = changetype<Csv>(pointer)
  const table = changetype<StringTable>(tablePointer)
  const quick = index != 0 && !repair
  const emptyIsNull = validity != 0 && (csv.tokenLengths & 1) != 0
  const clears = emptyIsNull ? validity : 0
  // Of an empty string it is not known until there is one.
  let empty = emptyIsNull ? 0 : NO_ROOM
  let row = from
  // From two places, so that the compiler does not put these into this function, which calls: they need all registers.
  if (quick) {
    row = few
      ? quickFew(csv, index, mask, empty, skip, at, step, row, to, codes, clears, first)
      : quickText(csv, index, mask, empty, skip, at, step, row, to, codes, clears, first)
  }
  while (row < to) {
    const place = at + usize(row) * step
    let start = usize(load<u32>(place)) + skip
    let end = usize(load<u32>(place, 4))
    const quoted = start < end && u32(load<u8>(start)) == csv.quote
    if (quoted) {
      start++
      end--
    }
    // `quickFew` looks in few places: it may be further on.
    const known = few && quick ? codeOf(csv, index, mask, start, u32(end - start), quoted) : 0
    const code = known ? known - 1 : readText(csv, table, start, end, quoted, repair, validity, first + row, row)
    if (code == NO_ROOM) return row
    store<u32>(codes + (usize(row) << 2), code)
    const length = u32(end - start)
    if (known == 0 && index && csv.isPlain && length - 1 < MOST_BYTES && !isToken(csv, start, length)) {
      addToIndex(index, mask, keyOf(csv, start, length), code + 1)
      csv.added++
    }
    if (length == 0 && !quoted && !emptyIsNull) empty = code
    row++
    if (quick) {
      row = few
        ? quickFew(csv, index, mask, empty, skip, at, step, row, to, codes, clears, first)
        : quickText(csv, index, mask, empty, skip, at, step, row, to, codes, clears, first)
    }
  }
  return to
}

/** The code of any field; of one that is null, or must not be, 0. Sets `isPlain` where it is the text as it stands there. */
function readText(
  csv: Csv, table: StringTable, at: usize, end: usize, quoted: bool, repair: bool, validity: usize, bit: u32, row: u32,
): u32 {
  let length = u32(end - at)
  csv.isPlain = 0
  if (quoted) {
    if (find(at, end, csv.quote, csv.quote) < end) {
      length = unescape(at, end, csv.quote, csv.work)
      at = csv.work
    }
  } else if (end < at || ((length || validity) && isToken(csv, at, length))) {
    if (noteNull(csv, validity, bit) == FAULT_NULL) store<u32>(csv.faults + (usize(csv.textFaults++) << 2), row | (FAULT_NULL << 24))
    return 0
  }
  if (repair && firstIllFormed(at, length) < length) {
    const repaired = csv.work + usize(length)
    const code = internBytes(table, repaired, replaceIllFormed(at, length, repaired))
    if (code != NO_ROOM) csv.repaired++
    return code
  }
  csv.isPlain = u32(at + usize(length) == end && !repair)
  return internBytes(table, at, length)
}

/** Copies what is between quotes, each two of them as one; returns its length. */
function unescape(at: usize, end: usize, quote: u32, out: usize): u32 {
  const begin = out
  while (true) {
    const next = min(find(at, end, quote, quote) + 1, end)
    memory.copy(out, at, next - at)
    out += next - at
    // The second quote of two.
    at = next + 1
    if (at >= end) return u32(out - begin)
  }
}

/** Copies bytes with U+FFFD for each maximal part of a character that is not one, at most three bytes for each; returns the length. */
function replaceIllFormed(at: usize, length: u32, out: usize): u32 {
  const begin = out
  const end = at + usize(length)
  while (at < end) {
    const right = usize(firstIllFormed(at, u32(end - at)))
    memory.copy(out, at, right)
    at += right
    out += right
    if (at == end) break
    store<u8>(out, 0xef)
    store<u16>(out, 0xbdbf, 1)
    out += 3
    at += partLength(at, end)
  }
  return u32(out - begin)
}

/** How many bytes at the beginning of what is no character could begin one, at least 1. */
function partLength(at: usize, end: usize): usize {
  const lead = load<u8>(at)
  if (lead < 0xc2 || lead > 0xf4) return 1
  const most: usize = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
  let least: u8 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80
  let greatest: u8 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf
  let length: usize = 1
  while (length < most && at + length < end) {
    const byte = load<u8>(at + length)
    if (byte < least || byte > greatest) break
    least = 0x80
    greatest = 0xbf
    length++
  }
  return length
}

/** Puts null tokens into a zeroed index: what is written like one is not to be found, for it depends on quotes what it is. */
export function csvStartIndex(pointer: usize, index: usize, mask: u32): void {
  const csv = changetype<Csv>(pointer)
  let token = csv.tokens
  while (true) {
    const length = load<u32>(token)
    if (length == u32.MAX_VALUE) return
    if (length - 1 < MOST_BYTES) addToIndex(index, mask, keyOf(csv, token + 4, length), TOKEN)
    token += 4 + usize(length)
  }
}

/** Fills a new, zeroed index from an old one. */
export function csvGrowIndex(old: usize, slotCount: u32, index: usize, mask: u32): void {
  for (const end = old + (usize(slotCount) << 4); old < end; old += 16) {
    const code = load<u32>(old, 12)
    if (code) addToIndex(index, mask, v128.load(old), code)
  }
}
