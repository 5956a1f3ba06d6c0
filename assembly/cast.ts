// Widening conversions of whole columns. They cannot fail, but for changes of time unit, which can leave int64.

import { isValid, mulOverflows } from './inline'

// @ts-ignore: decorator
@inline
function cast<From, To>(data: usize, rowCount: u32, out: usize): void {
  const end = out + usize(rowCount) * sizeof<To>()
  while (out < end) {
    store<To>(out, <To>load<From>(data))
    data += sizeof<From>()
    out += sizeof<To>()
  }
}

/** To int32, from an integer of 1 or 2 bytes: `kind` is its size, negative where it is unsigned. */
export function castToInt32(kind: i32, data: usize, rowCount: u32, out: usize): void {
  switch (kind) {
    case 1: return cast<i8, i32>(data, rowCount, out)
    case -1: return cast<u8, i32>(data, rowCount, out)
    case 2: return cast<i16, i32>(data, rowCount, out)
    default: cast<u16, i32>(data, rowCount, out)
  }
}

/** To int64, from an integer of 1, 2 or 4 bytes. */
export function castToInt64(kind: i32, data: usize, rowCount: u32, out: usize): void {
  switch (kind) {
    case 1: return cast<i8, i64>(data, rowCount, out)
    case -1: return cast<u8, i64>(data, rowCount, out)
    case 2: return cast<i16, i64>(data, rowCount, out)
    case -2: return cast<u16, i64>(data, rowCount, out)
    case 4: return cast<i32, i64>(data, rowCount, out)
    default: cast<u32, i64>(data, rowCount, out)
  }
}

/** To float64, from an integer of any size; int64 is rounded to nearest even. */
export function castToFloat64(kind: i32, data: usize, rowCount: u32, out: usize): void {
  switch (kind) {
    case 1: return cast<i8, f64>(data, rowCount, out)
    case -1: return cast<u8, f64>(data, rowCount, out)
    case 2: return cast<i16, f64>(data, rowCount, out)
    case -2: return cast<u16, f64>(data, rowCount, out)
    case 4: return cast<i32, f64>(data, rowCount, out)
    case -4: return cast<u32, f64>(data, rowCount, out)
    default: cast<i64, f64>(data, rowCount, out)
  }
}

export function castFloat32ToFloat64(data: usize, rowCount: u32, out: usize): void {
  cast<f32, f64>(data, rowCount, out)
}

// @ts-ignore: decorator
@inline
function scale<From>(data: usize, validity: usize, factor: i64, rowCount: u32, out: usize): i32 {
  const most = i64.MAX_VALUE / factor
  let beyond = false
  for (let at = data, end = out + (usize(rowCount) << 3); out < end; out += 8) {
    const value = i64(load<From>(at))
    beyond = beyond || value > most || value < -most
    store<i64>(out, value * factor)
    at += sizeof<From>()
  }
  if (beyond) {
    for (let row: u32 = 0; row < rowCount; row++) {
      if (mulOverflows(i64(load<From>(data)), factor) && isValid(validity, row)) return row
      data += sizeof<From>()
    }
  }
  return -1
}

/** out[i] = data[i] * factor over int64; returns the least non-null row where that leaves int64, or -1. */
export function castScaleInt64(data: usize, validity: usize, factor: i64, rowCount: u32, out: usize): i32 {
  return scale<i64>(data, validity, factor, rowCount, out)
}

/** The same from int32. */
export function castScaleInt32(data: usize, validity: usize, factor: i64, rowCount: u32, out: usize): i32 {
  return scale<i32>(data, validity, factor, rowCount, out)
}
