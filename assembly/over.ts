// What is said of rows that lie in the order of their partitions, place by place: where keys change, and sums of frames.
//
//   rows     u32 a place     the row there; 0: place and row are the same
//   begins   u8 a place      1 where something begins
//   sums     [low i64 | high i64] a place, and one behind the last: of all rows before it, low + high * 2^width with 0 <= low < 2^width
//   counts   u32 likewise    how many of these rows count
//
// A frame is places `from` to before `to`, and its sum the difference of two: limbs of exact.ts, so that nothing is lost.

import { isValid } from './inline'

// @ts-ignore: decorator
@inline
function changes<T>(data: usize, validity: usize, rows: usize, count: u32, begins: usize): void {
  let before: T = 0 as T
  let wasThere = false
  for (let place: u32 = 0; place < count; place++) {
    const row = rows ? load<u32>(rows + (usize(place) << 2)) : place
    const isThere = isValid(validity, row)
    const value = isBoolean<T>() ? (isValid(data, row) as T) : load<T>(data + usize(row) * sizeof<T>())
    let isSame = value == before
    // NaN is one key, and so is zero.
    if (isFloat<T>()) isSame = isSame || (value != value && before != before)
    if (isThere != wasThere || (isThere && !isSame)) store<u8>(begins + usize(place), 1)
    before = value
    wasThere = isThere
  }
}

/** Sets `begins` wherever a column's value is another key than that at the place before. `kind` is the values' size in bytes, 0 of bits, 12 and 16 of float32 and float64. */
export function overChanges(kind: u32, data: usize, validity: usize, rows: usize, count: u32, begins: usize): void {
  switch (kind) {
    case 1: return changes<u8>(data, validity, rows, count, begins)
    case 2: return changes<u16>(data, validity, rows, count, begins)
    case 4: return changes<u32>(data, validity, rows, count, begins)
    case 8: return changes<u64>(data, validity, rows, count, begins)
    case 12: return changes<f32>(data, validity, rows, count, begins)
    case 16: return changes<f64>(data, validity, rows, count, begins)
    default: changes<bool>(data, validity, rows, count, begins)
  }
}

/** The places where something begins; returns how many. */
export function overStarts(begins: usize, count: u32, out: usize): u32 {
  const first = out
  for (let place: u32 = 0; place < count; place++) {
    store<u32>(out, place)
    out += usize(load<u8>(begins + usize(place))) << 2
  }
  return u32((out - first) >> 2)
}

/** Goes on with the sums from the one at `sums`, by two limbs a row. */
export function overSums(addends: usize, width: u32, count: u32, sums: usize): void {
  let low = load<i64>(sums)
  let high = load<i64>(sums, 8)
  const mask = (i64(1) << width) - 1
  for (const end = addends + (usize(count) << 4); addends < end; addends += 16) {
    low += load<i64>(addends)
    high += load<i64>(addends, 8) + (low >> width)
    low &= mask
    sums += 16
    store<i64>(sums, low)
    store<i64>(sums, high, 8)
  }
}

/** Goes on with the counts from the one at `counts`; with `validity` 0 all rows count. */
export function overCounts(validity: usize, count: u32, counts: usize): void {
  let sum = load<u32>(counts)
  for (let i: u32 = 0; i < count; i++) {
    sum += u32(isValid(validity, i))
    counts += 4
    store<u32>(counts, sum)
  }
}

/** Two limbs a frame. */
export function overFrameSums(sums: usize, from: usize, to: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const start = sums + (usize(load<u32>(from + (usize(i) << 2))) << 4)
    const end = sums + (usize(load<u32>(to + (usize(i) << 2))) << 4)
    v128.store(out, i64x2.sub(v128.load(end), v128.load(start)))
    out += 16
  }
}

/** A u64 a frame; with `counts` 0 all rows count. */
export function overFrameCounts(counts: usize, from: usize, to: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const start = load<u32>(from + (usize(i) << 2))
    const end = load<u32>(to + (usize(i) << 2))
    const found = counts ? load<u32>(counts + (usize(end) << 2)) - load<u32>(counts + (usize(start) << 2)) : end - start
    store<u64>(out, u64(found))
    out += 8
  }
}

/** 8 bytes a place to the row there, or from row `first` on. */
export function overPut(values: usize, rows: usize, first: u32, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const row = rows ? load<u32>(rows + (usize(i) << 2)) : first + i
    store<u64>(out + (usize(row) << 3), load<u64>(values + (usize(i) << 3)))
  }
}
