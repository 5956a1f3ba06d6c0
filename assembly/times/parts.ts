// Calendar and clock parts of instants, and of days, which are instants of one tick a day. What zone a clock is in is zones.ts's: what comes here is
// what the clock shows.

import { dateOf, daysOfDate, floorDivBy, isLeap } from '../civil'
import { isValid } from '../inline'

// Parts by number, as src/kernels/times.ts has them.
// @ts-ignore: decorator
@inline
const YEAR: u32 = 0
// @ts-ignore: decorator
@inline
const QUARTER: u32 = 1
// @ts-ignore: decorator
@inline
const MONTH: u32 = 2
// @ts-ignore: decorator
@inline
const WEEK: u32 = 3
// @ts-ignore: decorator
@inline
const DAY: u32 = 4
// @ts-ignore: decorator
@inline
const DAY_OF_WEEK: u32 = 5
// @ts-ignore: decorator
@inline
const DAY_OF_YEAR: u32 = 6
// @ts-ignore: decorator
@inline
const HOUR: u32 = 7
// @ts-ignore: decorator
@inline
const MINUTE: u32 = 8
// @ts-ignore: decorator
@inline
const SECOND: u32 = 9

/** int32; the last part is the millisecond. Returns the least valid row whose year leaves int32, or -1. */
export function timesPart(which: u32, data: usize, validity: usize, perDay: i64, rowCount: u32, out: usize): i32 {
  if (which >= HOUR) {
    clock(which, data, perDay, rowCount, out)
    return -1
  }
  const daysPerTick = 1 / f64(perDay)
  let failed: i32 = -1
  for (let row: u32 = 0; row < rowCount; row++) {
    const days = floorDivBy(load<i64>(data + (usize(row) << 3)), perDay, daysPerTick)
    const part = partOfDay(which, days)
    if (i64(i32(part)) != part && failed < 0 && isValid(validity, row)) failed = row
    store<i32>(out + (usize(row) << 2), i32(part))
  }
  return failed
}

// @ts-ignore: decorator
@inline
function partOfDay(which: u32, days: i64): i64 {
  if (which == DAY_OF_WEEK) return weekday(days) + 1
  if (which == WEEK) {
    // A week is of the year that its Thursday is in.
    const thursday = days - weekday(days) + 3
    return (dayOfYear(thursday, dateOf(thursday)) - 1) / 7 + 1
  }
  const date = dateOf(days)
  if (which == YEAR) return date >> 9
  if (which == QUARTER) return (((date >> 5) & 15) + 2) / 3
  if (which == MONTH) return (date >> 5) & 15
  return which == DAY ? date & 31 : dayOfYear(days, date)
}

/** 0 for Monday: 1970-01-01 was a Thursday. */
// @ts-ignore: decorator
@inline
function weekday(days: i64): i64 {
  const shifted = (days + 3) % 7
  return shifted + ((shifted >> 63) & 7)
}

// @ts-ignore: decorator
@inline
function dayOfYear(days: i64, date: i64): i64 {
  const month = i32((date >> 5) & 15)
  // Days before each month in steps of 30.6, from March on, so that only the first two months know of leap years.
  const before = month < 3 ? (month - 1) * 31 : (979 * month - 2919 >> 5) + 59 + i32(isLeap(date >> 9))
  return i64(before) + (date & 31)
}

function clock(which: u32, data: usize, perDay: i64, rowCount: u32, out: usize): void {
  const perSecond = perDay / 86400
  const daysPerTick = 1 / f64(perDay)
  const secondsPerTick = 1 / f64(perSecond)
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(data + (usize(row) << 3))
    const rest = value - floorDivBy(value, perDay, daysPerTick) * perDay
    const seconds = floorDivBy(rest, perSecond, secondsPerTick)
    const second = u32(seconds)
    let part: u32
    if (which == HOUR) part = second / 3600
    else if (which == MINUTE) part = second / 60 % 60
    else if (which == SECOND) part = second % 60
    else part = u32((rest - seconds * perSecond) * 1000 / perSecond)
    store<u32>(out + (usize(row) << 2), part)
  }
}
