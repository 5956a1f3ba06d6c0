// Columns of integers and floats. What is written plainly is read by quick.ts; all else here, one by one, by assembly/parse/.

import { parseFloat64 } from '../parse/float'
import { parseFloat32 } from '../parse/float32'
import { parseInt64 } from '../parse/int'
import { Csv, FAULT_OVERFLOW, FAULT_VALUE } from './context'
import { NULL_NOTED, noteNull, prepare } from './field'
import { quickFloats, quickIntegers } from './quick'

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
 * Writes a column of integers: `kind` is the bytes of each, negative where unsigned. `at` is the place of the separator before the first field, `step`
 * the bytes from row to row, `skip` those from the separator to the field in the text; `data` is the place of the first value, and `first` the row that
 * it is in the morsel, for `validity`. Returns how many are at fault.
 */
export function csvIntegers(
  pointer: usize, kind: i32, skip: usize, at: usize, step: usize, count: u32, data: usize, validity: usize, first: u32,
): u32 {
  const csv = changetype<Csv>(pointer)
  const size = usize(abs(kind))
  const quick = csv.quickDigits != 0
  let faultCount: u32 = 0
  let row: u32 = 0
  // How many rows are read one by one before more at once are tried again.
  let run: u32 = 4
  while (row < count) {
    if (quick) {
      if (size >= 4) {
        const before = row
        row = quickIntegers(csv, true, inQuotes(csv, at + usize(row) * step, skip), kind, skip, at, step, row, count, data, validity, first)
        run = row == before ? min(run << 1, 1024) : 4
      } else run = count
      const stop = min(row + run, count)
      row = quickIntegers(csv, false, 0, kind, skip, at, step, row, stop, data, validity, first)
      if (row == stop) continue
    }
    const fault = readInteger(csv, kind, skip, at + usize(row) * step, data + usize(row) * size, validity, first + row)
    if (fault && fault != NULL_NOTED) store<u32>(csv.faults + (usize(faultCount++) << 2), row | (fault << 24))
    row++
  }
  return faultCount
}

/** 1 where the field behind a separator begins with a quote. */
// @ts-ignore: decorator
@inline
function inQuotes(csv: Csv, place: usize, skip: usize): usize {
  return usize(u32(load<u8>(usize(load<u32>(place)) + skip)) == csv.quote)
}

function readInteger(csv: Csv, kind: i32, skip: usize, place: usize, out: usize, validity: usize, row: u32): u32 {
  let fault: u32 = 0
  if (prepare(csv, usize(load<u32>(place)) + skip, usize(load<u32>(place, 4)))) {
    const status = parseInt64(csv.at, csv.end, changetype<usize>(csv) + offsetof<Csv>('value'))
    if (status == 1) fault = FAULT_VALUE
    else if (status == 2 || !store64(kind, out, i64(csv.value))) fault = FAULT_OVERFLOW
  } else fault = noteNull(csv, validity, row)
  if (fault) store64(kind, out, 0)
  return fault
}

/** The same of floats of `size` bytes. */
export function csvFloats(
  pointer: usize, size: usize, skip: usize, at: usize, step: usize, count: u32, data: usize, validity: usize, first: u32,
): u32 {
  const csv = changetype<Csv>(pointer)
  const quick = csv.quickDigits != 0
  let faultCount: u32 = 0
  let row: u32 = 0
  let run: u32 = 2
  while (row < count) {
    if (quick) {
      const before = row
      row = quickFloats(csv, true, inQuotes(csv, at + usize(row) * step, skip), size, skip, at, step, row, count, data, validity, first)
      run = row == before ? min(run << 1, 1024) : 2
      const stop = min(row + run, count)
      row = quickFloats(csv, false, 0, size, skip, at, step, row, stop, data, validity, first)
      if (row == stop) continue
    }
    const fault = readFloat(csv, size, skip, at + usize(row) * step, data + usize(row) * size, validity, first + row)
    if (fault && fault != NULL_NOTED) store<u32>(csv.faults + (usize(faultCount++) << 2), row | (fault << 24))
    row++
  }
  return faultCount
}

function parseFloat(size: usize, at: usize, end: usize, out: usize): u32 {
  return size == 8 ? parseFloat64(at, end, out) : parseFloat32(at, end, out)
}

function readFloat(csv: Csv, size: usize, skip: usize, place: usize, out: usize, validity: usize, row: u32): u32 {
  const value = changetype<usize>(csv) + offsetof<Csv>('value')
  const start = usize(load<u32>(place)) + skip
  const end = usize(load<u32>(place, 4))
  let fault: u32 = 0
  if (csv.quickDigits == 0 || start >= end || parseFloat(size, start, end, value)) {
    if (!prepare(csv, start, end)) fault = noteNull(csv, validity, row)
    else if (parseFloat(size, csv.at, csv.end, value)) fault = FAULT_VALUE
    if (fault) csv.value = 0
  }
  if (size == 8) store<f64>(out, load<f64>(value))
  else store<f32>(out, load<f32>(value))
  return fault
}
