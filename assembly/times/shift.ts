// Instants moved, cut off and subtracted, and days as instants of one tick a day. All returned rows are the least valid one that leaves its type, or -1.

import { dateOf, daysOfMonths, floorDiv, floorDivBy, monthsOf } from '../civil'
import { isValid, mulOverflows } from '../inline'

/** int32 days as int64. */
export function timesFromDays(data: usize, rowCount: u32, out: usize): void {
  for (let row: usize = 0; row < usize(rowCount); row++) store<i64>(out + (row << 3), i64(load<i32>(data + (row << 2))))
}

/** And back. */
export function timesToDays(data: usize, validity: usize, rowCount: u32, out: usize): i32 {
  let failed: i32 = -1
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(data + (usize(row) << 3))
    if (i64(i32(value)) != value && failed < 0 && isValid(validity, row)) failed = row
    store<i32>(out + (usize(row) << 2), i32(value))
  }
  return failed
}

/** Multiplied by `times`, or where that is 1 divided by `by` and floored. */
export function timesScale(data: usize, validity: usize, times: i64, by: i64, rowCount: u32, out: usize): i32 {
  let failed: i32 = -1
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(data + (usize(row) << 3))
    if (times != 1 && mulOverflows(value, times) && failed < 0 && isValid(validity, row)) failed = row
    store<i64>(out + (usize(row) << 3), times != 1 ? value * times : by == 1 ? value : floorDiv(value, by))
  }
  return failed
}

/** So many months on, the day of the month cut to what there is, and then so many ticks. */
export function timesShift(data: usize, validity: usize, months: i64, ticks: i64, perDay: i64, rowCount: u32, out: usize): i32 {
  const daysPerTick = 1 / f64(perDay)
  let failed: i32 = -1
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(data + (usize(row) << 3))
    let moved = value
    let fails = false
    if (months != 0) {
      const days = floorDivBy(value, perDay, daysPerTick)
      const date = dateOf(days)
      const otherDays = daysOfMonths(monthsOf(date) + months, u32(date & 31)) - days
      fails = mulOverflows(otherDays, perDay)
      moved = value + otherDays * perDay
      fails = fails || ((value ^ moved) & (otherDays ^ moved)) < 0
    }
    const sum = moved + ticks
    fails = fails || ((moved ^ sum) & (ticks ^ sum)) < 0
    if (fails && failed < 0 && isValid(validity, row)) failed = row
    store<i64>(out + (usize(row) << 3), sum)
  }
  return failed
}

/** The last multiple of `size`, counted from `anchor` (0 to `size`), that is not behind the value. */
export function timesFloor(data: usize, validity: usize, size: i64, anchor: i64, rowCount: u32, out: usize): i32 {
  let failed: i32 = -1
  // Only then are quotients below 2^51.
  const isLarge = size > 4096
  const sizesPerTick = 1 / f64(size)
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(data + (usize(row) << 3))
    const quotient = isLarge ? floorDivBy(value, size, sizesPerTick) : floorDiv(value, size)
    const rest = value - quotient * size - anchor
    const floored = value - rest - (size & (rest >> 63))
    // What is below the least int64 comes out above.
    if (floored > value && failed < 0 && isValid(validity, row)) failed = row
    store<i64>(out + (usize(row) << 3), floored)
  }
  return failed
}

/** The first tick of the month that is the last multiple of `size` months since January 1970 not behind the value. */
export function timesFloorMonths(data: usize, validity: usize, size: i64, perDay: i64, rowCount: u32, out: usize): i32 {
  const daysPerTick = 1 / f64(perDay)
  let failed: i32 = -1
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(data + (usize(row) << 3))
    const months = monthsOf(dateOf(floorDivBy(value, perDay, daysPerTick)))
    const days = daysOfMonths(size == 1 ? months : floorDiv(months, size) * size, 1)
    const floored = days * perDay
    if ((floored > value || mulOverflows(days, perDay)) && failed < 0 && isValid(validity, row)) failed = row
    store<i64>(out + (usize(row) << 3), floored)
  }
  return failed
}

/** How many whole times `size` ticks are from b to a, below 0 where a is before b. */
export function timesDiff(a: usize, b: usize, validity: usize, size: i64, rowCount: u32, out: usize): i32 {
  let failed: i32 = -1
  for (let row: u32 = 0; row < rowCount; row++) {
    const to = load<i64>(a + (usize(row) << 3))
    const from = load<i64>(b + (usize(row) << 3))
    // Up to 2^64 ticks, so unsigned.
    const distance = to >= from ? u64(to) - u64(from) : u64(from) - u64(to)
    const count = distance / u64(size)
    if (count >> 63 && failed < 0 && isValid(validity, row)) failed = row
    store<i64>(out + (usize(row) << 3), to >= from ? i64(count) : -i64(count))
  }
  return failed
}

/** The most times `size` months that can be added to b, the day cut to what there is, without passing a; below 0 where a is before b. */
export function timesDiffMonths(a: usize, b: usize, size: i64, perDay: i64, rowCount: u32, out: usize): void {
  const daysPerTick = 1 / f64(perDay)
  for (let row: u32 = 0; row < rowCount; row++) {
    const to = load<i64>(a + (usize(row) << 3))
    const from = load<i64>(b + (usize(row) << 3))
    const toDays = floorDivBy(to, perDay, daysPerTick)
    const fromDays = floorDivBy(from, perDay, daysPerTick)
    const toMonths = monthsOf(dateOf(toDays))
    const date = dateOf(fromDays)
    let months = toMonths - monthsOf(date)
    // In the month of a already: whether that is too far is for the day and the clock to say.
    const reached = daysOfMonths(toMonths, u32(date & 31))
    const clocks = (from - fromDays * perDay) - (to - toDays * perDay)
    const isPast = reached > toDays || (reached == toDays && clocks > 0)
    const isShort = reached < toDays || (reached == toDays && clocks < 0)
    if (months > 0 && isPast) months--
    else if (months < 0 && isShort) months++
    store<i64>(out + (usize(row) << 3), months / size)
  }
}
