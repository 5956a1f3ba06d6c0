// Columns of integers and floats. What is written plainly is read by a few operations on all of its digits; all else by assembly/parse/.

import { areDigits, digitsAt, numberOf } from '../parse/digits'
import { parseFloat64 } from '../parse/float'
import { parseInt64 } from '../parse/int'
import { Csv, FAULT_OVERFLOW, FAULT_VALUE } from './context'
import { NULL_NOTED, noteNull, prepare } from './field'

// @ts-ignore: decorator
@inline
function fits<T>(value: i64): bool {
  if (sizeof<T>() == 8) return true
  return value == i64(<T>value)
}

// @ts-ignore: decorator
@inline
function integers<T>(csv: Csv, at: usize, step: usize, count: u32, data: usize, validity: usize, first: u32): u32 {
  const skip = usize(csv.skip)
  const quick = csv.quickDigits
  const faults = csv.faults
  let faultCount: u32 = 0
  for (let row: u32 = 0; row < count; row++) {
    let start = usize(load<u32>(at)) + skip
    const end = usize(load<u32>(at, 4))
    at += step
    let minus: u64 = 0
    if (isSigned<T>()) {
      minus = u64(load<u8>(start) == 45)
      start += usize(minus)
    }
    const length = u32(end - start)
    if (length - 1 < quick) {
      const digits = digitsAt(start, length)
      if (areDigits(digits)) {
        const value = i64((numberOf(digits) ^ (0 - minus)) + minus)
        if (sizeof<T>() >= 4 || fits<T>(value)) {
          store<T>(data, <T>value)
          data += sizeof<T>()
          continue
        }
      }
    } else if (sizeof<T>() >= 4 && length - 9 < quick) {
      const upper = digitsAt(start, length - 8)
      const lower = digitsAt(end - 8, 8)
      if (areDigits(upper) && areDigits(lower)) {
        const value = i64(((numberOf(upper) * 100000000 + numberOf(lower)) ^ (0 - minus)) + minus)
        if (fits<T>(value)) {
          store<T>(data, <T>value)
          data += sizeof<T>()
          continue
        }
      }
    }
    const fault = readInteger(csv, start - usize(minus), end, validity, first + row)
    const value = i64(csv.value)
    store<T>(data, fault ? 0 : <T>value)
    data += sizeof<T>()
    if (fault == 0 && fits<T>(value)) continue
    if (fault != NULL_NOTED) store<u32>(faults + (usize(faultCount++) << 2), row | ((fault ? fault : FAULT_OVERFLOW) << 24))
  }
  return faultCount
}

/** The value to `csv.value`. */
function readInteger(csv: Csv, at: usize, end: usize, validity: usize, row: u32): u32 {
  if (!prepare(csv, at, end)) return noteNull(csv, validity, row)
  const status = parseInt64(csv.at, csv.end, changetype<usize>(csv) + offsetof<Csv>('value'))
  return status == 0 ? 0 : status == 1 ? FAULT_VALUE : FAULT_OVERFLOW
}

/**
 * Writes a column of integers: `kind` is the bytes of each, negative where unsigned. `at` is the separator before the first field, `step` the bytes
 * from row to row, `data` the place of the first value, and `first` the row that it is in the morsel, for `validity`. Returns how many are at fault.
 */
export function csvIntegers(pointer: usize, kind: i32, at: usize, step: usize, count: u32, data: usize, validity: usize, first: u32): u32 {
  const csv = changetype<Csv>(pointer)
  switch (kind) {
    case 1: return integers<i8>(csv, at, step, count, data, validity, first)
    case -1: return integers<u8>(csv, at, step, count, data, validity, first)
    case 2: return integers<i16>(csv, at, step, count, data, validity, first)
    case -2: return integers<u16>(csv, at, step, count, data, validity, first)
    case 4: return integers<i32>(csv, at, step, count, data, validity, first)
    case -4: return integers<u32>(csv, at, step, count, data, validity, first)
    default: return integers<i64>(csv, at, step, count, data, validity, first)
  }
}

// @ts-ignore: decorator
@inline
function floats<T>(csv: Csv, at: usize, step: usize, count: u32, data: usize, validity: usize, first: u32): u32 {
  const skip = usize(csv.skip)
  const quick = csv.quickDigits
  const faults = csv.faults
  const out = changetype<usize>(csv) + offsetof<Csv>('value')
  let faultCount: u32 = 0
  for (let row: u32 = 0; row < count; row++, data += sizeof<T>()) {
    const start = usize(load<u32>(at)) + skip
    const end = usize(load<u32>(at, 4))
    at += step
    if (quick && start < end && parseFloat64(start, end, sizeof<T>() == 8 ? data : out) == 0) {
      if (sizeof<T>() == 4) store<T>(data, <T>load<f64>(out))
      continue
    }
    const fault = readFloat(csv, start, end, validity, first + row)
    store<T>(data, fault ? 0 : <T>load<f64>(out))
    if (fault && fault != NULL_NOTED) store<u32>(faults + (usize(faultCount++) << 2), row | (fault << 24))
  }
  return faultCount
}

function readFloat(csv: Csv, at: usize, end: usize, validity: usize, row: u32): u32 {
  if (!prepare(csv, at, end)) return noteNull(csv, validity, row)
  return parseFloat64(csv.at, csv.end, changetype<usize>(csv) + offsetof<Csv>('value')) ? FAULT_VALUE : 0
}

/** The same of floats of `size` bytes; a float32 is the nearest to the nearest float64. */
export function csvFloats(pointer: usize, size: i32, at: usize, step: usize, count: u32, data: usize, validity: usize, first: u32): u32 {
  const csv = changetype<Csv>(pointer)
  return size == 4
    ? floats<f32>(csv, at, step, count, data, validity, first)
    : floats<f64>(csv, at, step, count, data, validity, first)
}
