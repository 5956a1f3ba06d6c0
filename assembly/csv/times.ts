// Columns of dates, timestamps and booleans.

import { parseBool } from '../parse/bool'
import { parseDate, parseTimestamp } from '../parse/time'
import { Csv, FAULT_BEYOND, FAULT_VALUE } from './context'
import { NULL_NOTED, noteNull, prepare } from './field'

// @ts-ignore: decorator
@inline
function faultOf(status: u32): u32 {
  return status == 0 ? 0 : status == 1 ? FAULT_VALUE : FAULT_BEYOND
}

/** Dates where `ticksPerSecond` is 0, else timestamps; arguments as those of `csvIntegers`. */
export function csvTimes(
  pointer: usize, ticksPerSecond: i64, skip: usize, at: usize, step: usize, count: u32, data: usize, validity: usize, first: u32,
): u32 {
  const csv = changetype<Csv>(pointer)
  const quick = csv.quickDigits
  const size: usize = ticksPerSecond ? 8 : 4
  let faultCount: u32 = 0
  for (let row: u32 = 0; row < count; row++, data += size) {
    let start = usize(load<u32>(at)) + skip
    let end = usize(load<u32>(at, 4))
    at += step
    let fault: u32 = 1
    // Most are what they are at once.
    if (quick && start < end) fault = ticksPerSecond ? parseTimestamp(start, end, ticksPerSecond, data) : parseDate(start, end, data)
    if (fault == 0) continue
    if (prepare(csv, start, end)) {
      fault = faultOf(ticksPerSecond ? parseTimestamp(csv.at, csv.end, ticksPerSecond, data) : parseDate(csv.at, csv.end, data))
    } else fault = noteNull(csv, validity, first + row)
    if (fault == 0) continue
    if (ticksPerSecond) store<u64>(data, 0)
    else store<u32>(data, 0)
    if (fault != NULL_NOTED) store<u32>(csv.faults + (usize(faultCount++) << 2), row | (fault << 24))
  }
  return faultCount
}

/** Booleans, into the bitmap at `data` from bit `first` on, where all bits are 0. */
export function csvBools(
  pointer: usize, skip: usize, at: usize, step: usize, count: u32, data: usize, validity: usize, first: u32,
): u32 {
  const csv = changetype<Csv>(pointer)
  let faultCount: u32 = 0
  for (let row = first; row < first + count; row++, at += step) {
    let fault = NULL_NOTED
    if (prepare(csv, usize(load<u32>(at)) + skip, usize(load<u32>(at, 4)))) {
      const value = parseBool(csv.at, csv.end)
      if (value == 1) {
        const bits = data + usize(row >> 3)
        store<u8>(bits, load<u8>(bits) | (u8(1) << u8(row & 7)))
      }
      if (value < 2) continue
      fault = FAULT_VALUE
    } else fault = noteNull(csv, validity, row)
    if (fault != NULL_NOTED) store<u32>(csv.faults + (usize(faultCount++) << 2), (row - first) | (fault << 24))
  }
  return faultCount
}
