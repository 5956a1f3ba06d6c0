// Calendar parts of dates and instants: proleptic Gregorian, UTC, floored before 1970.

import { civil, EPOCH, floorDiv, floorDivBy } from './civil'
import { isValid } from './inline'

/** Year (as int64: instants in seconds reach beyond int32) times 16, plus the month. */
// @ts-ignore: decorator
@inline
function yearAndMonth(days: i64): i64 {
  const shifted = days + EPOCH
  // Years 0 to some 2.9 million; others are moved there by whole cycles of 400 years.
  if (u64(shifted) < 0x40000000) return i64(civil(u32(shifted)))
  const cycle = floorDiv(shifted, 146097)
  return i64(civil(u32(shifted - cycle * 146097))) + ((cycle * 400) << 4)
}

/** 1970-01-01 was a Thursday, 0000-03-01 a Wednesday. */
// @ts-ignore: decorator
@inline
function dayOfWeek(days: i64): i64 {
  const shifted = days + EPOCH + 2
  return (u64(shifted) < 0x7fffffff ? i64(u32(shifted) % 7) : shifted - floorDiv(shifted, 7) * 7) + 1
}

// @ts-ignore: decorator
@inline
function part<T, Which>(data: usize, validity: usize, perDay: i64, rowCount: u32, out: usize): i32 {
  const perHour = perDay / 24
  const daysPerUnit = 1 / f64(perDay)
  const hoursPerUnit = 1 / f64(perHour)
  let failed: i32 = -1
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = i64(load<T>(data))
    data += sizeof<T>()
    const days = sizeof<T>() == 4 ? value : floorDivBy(value, perDay, daysPerUnit)
    let result: i64
    if (sizeof<Which>() == 8) result = floorDivBy(value - days * perDay, perHour, hoursPerUnit)
    else if (sizeof<Which>() == 4) result = dayOfWeek(days)
    else if (sizeof<Which>() == 2) result = yearAndMonth(days) & 15
    else {
      result = yearAndMonth(days) >> 4
      if (i64(i32(result)) != result && failed < 0 && isValid(validity, row)) failed = row
    }
    store<i32>(out + (usize(row) << 2), i32(result))
  }
  return failed
}

// @ts-ignore: decorator
@inline
function choose<T>(which: i32, data: usize, validity: usize, perDay: i64, rowCount: u32, out: usize): i32 {
  if (which == 0) return part<T, u8>(data, validity, perDay, rowCount, out)
  if (which == 1) return part<T, u16>(data, validity, perDay, rowCount, out)
  if (which == 2) return part<T, u32>(data, validity, perDay, rowCount, out)
  return part<T, u64>(data, validity, perDay, rowCount, out)
}

/** int32 parts of days: `which` is 0 year, 1 month, 2 day of the week (Monday 1 to Sunday 7). */
export function calendarOfDays(which: i32, data: usize, rowCount: u32, out: usize): void {
  choose<i32>(which, data, 0, 24, rowCount, out)
}

/** int32 parts of instants with `perDay` units in a day, also 3 hour; returns the least valid row whose year leaves int32, or -1. */
export function calendarOfInstants(which: i32, data: usize, validity: usize, perDay: i64, rowCount: u32, out: usize): i32 {
  return choose<i64>(which, data, validity, perDay, rowCount, out)
}
