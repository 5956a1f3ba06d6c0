// Columns of integers and floats. What is written plainly is read by quick.ts; all else here, one by one, by assembly/parse/.

import { parseFloat64 } from '../parse/float'
import { parseInt64 } from '../parse/int'
import { Csv, FAULT_OVERFLOW, FAULT_VALUE } from './context'
import { NULL_NOTED, noteNull, prepare } from './field'
import { csvQuickFloats, csvQuickIntegers, csvQuickLong } from './quick'

// @ts-ignore: decorator
@inline
function store64(kind: i32, data: usize, value: i64): bool {
  switch (kind) {
    case 1: store<i8>(data, i8(value)); return value == i64(i8(value))
    case -1: store<u8>(data, u8(value)); return value == i64(u8(value))
    case 2: store<i16>(data, i16(value)); return value == i64(i16(value))
    case -2: store<u16>(data, u16(value)); return value == i64(u16(value))
    case 4: store<i32>(data, i32(value)); return value == i64(i32(value))
    case -4: store<u32>(data, u32(value)); return value == i64(u32(value))
    default: store<i64>(data, value); return true
  }
}

/**
 * Writes a column of integers: `kind` is the bytes of each, negative where unsigned. `at` is the separator before the first field, `step` the bytes
 * from row to row, `data` the place of the first value, and `first` the row that it is in the morsel, for `validity`. Returns how many are at fault.
 */
export function csvIntegers(pointer: usize, kind: i32, at: usize, step: usize, count: u32, data: usize, validity: usize, first: u32): u32 {
  const csv = changetype<Csv>(pointer)
  const skip = usize(csv.skip)
  const size = usize(abs(kind))
  let faultCount: u32 = 0
  let row: u32 = 0
  let run: u32 = 4
  while (row < count) {
    if (csv.quickDigits) {
      const before = row
      if (size >= 4) {
        row = csvQuickIntegers(skip, size, at, step, row, count, data)
        if (row == count) break
        run = row == before ? min(run << 1, 1024) : 4
      } else run = count
      const stop = min(row + run, count)
      row = csvQuickLong(skip, kind, at, step, row, stop, data)
      if (row == stop) continue
    }
    const place = at + usize(row) * step
    const out = data + usize(row) * size
    let fault: u32 = 0
    if (prepare(csv, usize(load<u32>(place)) + skip, usize(load<u32>(place, 4)))) {
      const status = parseInt64(csv.at, csv.end, changetype<usize>(csv) + offsetof<Csv>('value'))
      if (status == 1) fault = FAULT_VALUE
      else if (status == 2 || !store64(kind, out, i64(csv.value))) fault = FAULT_OVERFLOW
    } else fault = noteNull(csv, validity, first + row)
    if (fault) {
      store64(kind, out, 0)
      if (fault != NULL_NOTED) store<u32>(csv.faults + (usize(faultCount++) << 2), row | (fault << 24))
    }
    row++
  }
  return faultCount
}

/** The same of floats of `size` bytes; a float32 is the nearest to the nearest float64. */
export function csvFloats(pointer: usize, size: usize, at: usize, step: usize, count: u32, data: usize, validity: usize, first: u32): u32 {
  const csv = changetype<Csv>(pointer)
  const skip = usize(csv.skip)
  const out = changetype<usize>(csv) + offsetof<Csv>('value')
  let faultCount: u32 = 0
  let row: u32 = 0
  while (row < count) {
    if (csv.quickDigits) {
      row = csvQuickFloats(csv.floats, skip, size, at, step, row, count, data)
      if (row == count) break
    }
    const place = at + usize(row) * step
    let fault: u32 = 0
    if (prepare(csv, usize(load<u32>(place)) + skip, usize(load<u32>(place, 4)))) {
      if (parseFloat64(csv.at, csv.end, out)) fault = FAULT_VALUE
    } else fault = noteNull(csv, validity, first + row)
    if (fault) csv.value = 0
    if (fault && fault != NULL_NOTED) store<u32>(csv.faults + (usize(faultCount++) << 2), row | (fault << 24))
    if (size == 8) store<f64>(data + (usize(row) << 3), load<f64>(out))
    else store<f32>(data + (usize(row) << 2), f32(load<f64>(out)))
    row++
  }
  return faultCount
}
