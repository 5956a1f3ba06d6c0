// Choosing between two columns by a bitmap, and strings of several dictionaries coded by one.
//
// An operand of `Select` is a column, walked by steps of 16 bytes, or a constant: 16 bytes of copies, walked by steps of 0. Results are written in whole
// blocks of 16 bytes.

import { isValid } from './inline'
import { internBytes, NO_ROOM, StringTable } from './text'

/** out = mask ? a : b, bit by bit. */
export function conditionsSelectBits(mask: usize, a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  for (const end = out + ((usize(rowCount) + 127) >> 7 << 4); out < end; out += 16) {
    v128.store(out, v128.bitselect(v128.load(a), v128.load(b), v128.load(mask)))
    mask += 16
    a += aStep
    b += bStep
  }
}

/** The same for elements of one byte. */
export function conditionsSelect8(mask: usize, a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  const places = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128)
  for (const end = out + usize(rowCount); out < end; out += 16) {
    const bits = load<u16>(mask)
    const spread = i64x2(u64(bits & 255) * 0x0101010101010101, u64(bits >> 8) * 0x0101010101010101)
    v128.store(out, v128.bitselect(v128.load(a), v128.load(b), i8x16.eq(v128.and(spread, places), places)))
    mask += 2
    a += aStep
    b += bStep
  }
}

export function conditionsSelect16(mask: usize, a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  const places = i16x8(1, 2, 4, 8, 16, 32, 64, 128)
  for (const end = out + (usize(rowCount) << 1); out < end; out += 16) {
    const spread = i16x8.splat(load<u8>(mask++))
    v128.store(out, v128.bitselect(v128.load(a), v128.load(b), i16x8.eq(v128.and(spread, places), places)))
    a += aStep
    b += bStep
  }
}

export function conditionsSelect32(mask: usize, a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  const places = i32x4(1, 2, 4, 8)
  for (let row: u32 = 0; row < rowCount; row += 4) {
    const spread = i32x4.splat(load<u8>(mask + usize(row >> 3)) >> u8(row & 7))
    v128.store(out, v128.bitselect(v128.load(a), v128.load(b), i32x4.eq(v128.and(spread, places), places)))
    a += aStep
    b += bStep
    out += 16
  }
}

export function conditionsSelect64(mask: usize, a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  const places = i64x2(1, 2)
  for (let row: u32 = 0; row < rowCount; row += 2) {
    const spread = i64x2.splat(load<u8>(mask + usize(row >> 3)) >> u8(row & 7))
    v128.store(out, v128.bitselect(v128.load(a), v128.load(b), i64x2.eq(v128.and(spread, places), places)))
    a += aStep
    b += bStep
    out += 16
  }
}

/**
 * out[row] = map[codes[row]] for rows `from` to `to`, where an entry that the map does not know (-1) is interned first: it is copied from (offsets, bytes).
 * Null rows get code 0. Returns `to`, or the row whose string found no room.
 */
export function conditionsRecode(tablePointer: usize, codes: usize, validity: usize, from: u32, to: u32, offsets: usize, bytes: usize, map: usize, out: usize): u32 {
  const table = changetype<StringTable>(tablePointer)
  for (let row = from; row < to; row++) {
    const entry = usize(load<u32>(codes + (usize(row) << 2))) << 2
    let code = load<u32>(map + entry)
    if (code == u32.MAX_VALUE) {
      if (isValid(validity, row)) {
        const start = load<u32>(offsets + entry)
        code = internBytes(table, bytes + usize(start), load<u32>(offsets + entry, 4) - start)
        if (code == NO_ROOM) return row
        store<u32>(map + entry, code)
      } else code = 0
    }
    store<u32>(out + (usize(row) << 2), code)
  }
  return to
}
