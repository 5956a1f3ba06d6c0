// Functions of columns of numbers. Results are written for every row, null ones too; whoever calls keeps the validity.

import { isValid } from './inline'

/** |value|; the least valid row that holds the least int64, or -1. */
export function numbersAbsInt64(values: usize, validity: usize, rowCount: u32, out: usize): i32 {
  const zero = i64x2.splat(0)
  let least = zero
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) {
    const magnitude = i64x2.abs(v128.load(values + at))
    least = v128.or(least, magnitude)
    v128.store(out + at, magnitude)
  }
  if ((i64x2.extract_lane(least, 0) | i64x2.extract_lane(least, 1)) >= 0) return -1
  for (let row: u32 = 0; row < rowCount; row++) {
    if (load<i64>(values + (usize(row) << 3)) == i64.MIN_VALUE && isValid(validity, row)) return row
  }
  return -1
}

export function numbersAbsFloat64(values: usize, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) v128.store(out + at, f64x2.abs(v128.load(values + at)))
}

/** Correctly rounded; NaN of what is negative. */
export function numbersSqrt(values: usize, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = (usize(rowCount) + 1) >> 1 << 4; at < end; at += 16) v128.store(out + at, f64x2.sqrt(v128.load(values + at)))
}

/** A bitmap of the rows that are NaN, in whole 16-byte blocks. */
export function numbersIsNaN(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row += 8) {
    let bits: u32 = 0
    for (let i: u32 = 0; i < 8; i += 2) {
      const pair = v128.load(values + (usize(row + i) << 3))
      bits |= u32(i64x2.bitmask(f64x2.ne(pair, pair))) << i
    }
    store<u8>(out + (row >> 3), u8(bits))
  }
}
