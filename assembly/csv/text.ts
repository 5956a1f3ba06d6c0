// Columns of strings, as codes of a dictionary.
//
// In front of the dictionary is an index of its short strings, with the bytes in the slots: one miss of the cache where the dictionary has three.
//
//   slot (16 bytes)   | 12 bytes of the string, zeros behind | code, and its length in the highest 4 bits |   all zero: empty
//   probing is linear; at most half of the slots are in use

import { firstIllFormed } from '../parse/utf8'
import { internBytes, NO_ROOM, StringTable } from '../text'
import { Csv, FAULT_NULL, find } from './context'
import { isToken, NULL_NOTED, noteNull } from './field'

// @ts-ignore: decorator
@inline
const MOST_BYTES: u32 = 12

/** Where to begin looking for a key, of which the last four bytes are not hashed. */
// @ts-ignore: decorator
@inline
function slotOf(key: v128, shift: u64): usize {
  const low = u64(i64x2.extract_lane(key, 0))
  const high = u64(u32(i32x4.extract_lane(key, 2)))
  return usize((((low ^ (high * 0xd6e8feb86659fd93)) * 0x9e3779b97f4a7c15) >> shift) << 4)
}

/**
 * Writes the codes of rows `from` to `to` to `codes`, adding strings that are new. Returns `to`, or the row whose string found no room in the
 * dictionary. `index` has 2^(64 - shift) slots; 0 where there is none. `repair`: there are bytes that are no UTF-8.
 */
export function csvText(
  pointer: usize, tablePointer: usize, index: usize, shift: u32, repair: bool,
  at: usize, step: usize, from: u32, to: u32, codes: usize, validity: usize, first: u32,
): u32 {
  const csv = changetype<Csv>(pointer)
  const table = changetype<StringTable>(tablePointer)
  const skip = usize(csv.skip)
  const quote = csv.quote
  const tokenLengths = csv.tokenLengths
  const mask = (usize(1) << usize(64 - shift)) - 1 << 4
  const quick: u32 = index && !repair ? MOST_BYTES : 0
  for (let row = from; row < to; row++) {
    const place = at + usize(row) * step
    let start = usize(load<u32>(place)) + skip
    let end = usize(load<u32>(place, 4))
    const quoted = start < end && u32(load<u8>(start)) == quote
    if (quoted) {
      start++
      end--
    }
    const length = u32(end - start)
    if (length - 1 < quick && (quoted || ((tokenLengths >> u64(length)) & 1) == 0)) {
      const kept = i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(i8(length)))
      const text = v128.and(v128.load(start), kept)
      if (!quoted || !v128.any_true(i8x16.eq(text, i8x16.splat(i8(quote))))) {
        const key = i32x4.replace_lane(text, 3, length << 28)
        let slot = slotOf(text, u64(shift))
        while (true) {
          const entry = v128.load(index + slot)
          const rest = v128.xor(entry, key)
          if (!v128.any_true(v128.and(rest, i32x4(-1, -1, -1, 0xf0000000)))) {
            store<i32>(codes + (usize(row) << 2), i32x4.extract_lane(rest, 3))
            break
          }
          if (i32x4.extract_lane(entry, 3) == 0) {
            const code = internBytes(table, start, length)
            if (code == NO_ROOM) return row
            store<u32>(codes + (usize(row) << 2), code)
            if (code < 0x10000000) {
              v128.store(index + slot, i32x4.replace_lane(text, 3, code | (length << 28)))
              csv.added++
            }
            break
          }
          slot = (slot + 16) & mask
        }
        continue
      }
    }
    const code = readText(csv, table, start, end, quoted, repair, validity, first + row, row)
    if (code == NO_ROOM) return row
    store<u32>(codes + (usize(row) << 2), code)
  }
  return to
}

/** The code of any field; of one that is null, or must not be, 0. */
function readText(
  csv: Csv, table: StringTable, at: usize, end: usize, quoted: bool, repair: bool, validity: usize, bit: u32, row: u32,
): u32 {
  let length = u32(end - at)
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
    length = replaceIllFormed(at, length, repaired)
    at = repaired
  }
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

/** Fills new, zeroed slots of an index from the old ones. */
export function csvGrowIndex(old: usize, oldCount: u32, index: usize, shift: u32): void {
  const mask = (usize(1) << usize(64 - shift)) - 1 << 4
  for (const end = old + (usize(oldCount) << 4); old < end; old += 16) {
    const entry = v128.load(old)
    if (i32x4.extract_lane(entry, 3) == 0) continue
    let slot = slotOf(entry, u64(shift))
    while (load<u32>(index + slot, 12)) slot = (slot + 16) & mask
    v128.store(index + slot, entry)
  }
}
