// Days and instants from text, ISO 8601: the calendar is checked, nothing is rounded. What text they are written as is src/columnar/instant.ts's.

import { mulOverflows } from '../inline'
import { appendDigits, areDigits, endOfDigits, endOfZeros, smallPowerOfTen } from './digits'

/** What `daysOf` answers for no date, and for one that is beyond all units. */
// @ts-ignore: decorator
@inline
const NONE: i64 = i64.MIN_VALUE
// @ts-ignore: decorator
@inline
const BEYOND: i64 = i64.MAX_VALUE

/** No unit reaches further: 2^63 seconds are 106,751,991,167,300 days and some, and the clock and an offset may take back almost two. */
// @ts-ignore: decorator
@inline
const MOST_DAYS: i64 = 106751991167302

/**
 * Stores the int32 days from 1970-01-01 to the day that the whole of [at, end) names, YYYY-MM-DD, or with a sign and four or more digits of
 * the year (which is needed outside 0000 to 9999; the year before 0001 is 0000, and -0000 is refused): 0 stored, 1 no date, 2 beyond int32. Up
 * to 16 bytes behind `end` are read.
 */
export function parseDate(at: usize, end: usize, out: usize): u32 {
  const yearEnd = endOfYear(at, end)
  if (yearEnd + 6 != end) return 1
  const days = daysOf(at, yearEnd)
  if (days == NONE) return 1
  if (days != i64(i32(days))) return 2
  store<i32>(out, i32(days))
  return 0
}

/**
 * Stores the int64 ticks from 1970-01-01T00:00Z to the instant that the whole of [at, end) names: a date as above, then nothing for its midnight,
 * or T or a space and HH:MM, HH:MM:SS or HH:MM:SS.f with any number of digits f (or a comma for the point), and behind these nothing for UTC, Z,
 * +HH, -HH, +HH:MM or -HH:MM. `ticksPerSecond` is 1, 10^3, 10^6 or 10^9. 0 stored, 1 no instant (24:00 and second 60 are none), 2 beyond int64 or
 * between two ticks. Up to 16 bytes behind `end` are read.
 */
export function parseTimestamp(at: usize, end: usize, ticksPerSecond: i64, out: usize): u32 {
  const yearEnd = endOfYear(at, end)
  let next = yearEnd + 6
  if (next > end) return 1
  const days = daysOf(at, yearEnd)
  if (days == NONE) return 1
  let seconds: i64 = 0
  let ticks: i64 = 0
  if (next < end) {
    const mark = load<u8>(next)
    next++
    if ((mark != 84 && mark != 32) || end - next < 5) return 1
    const hasSeconds = end - next >= 8 && load<u8>(next, 5) == 58
    let clock = load<u64>(next) ^ 0x30303a30303a3030
    if (!hasSeconds) clock &= 0xffffffffff
    if (!areDigits(clock) || clock & 0xff0000ff0000) return 1
    const pairs = clock * 10 + (clock >> 8)
    const hour = i32(pairs & 255)
    const minute = i32((pairs >> 24) & 255)
    const second = i32((pairs >> 48) & 255)
    if (hour > 23 || minute > 59 || second > 59) return 1
    seconds = i64((hour * 60 + minute) * 60 + second)
    next += hasSeconds ? 8 : 5
    if (hasSeconds && next < end && (load<u8>(next) == 46 || load<u8>(next) == 44)) {
      const fraction = next + 1
      next = endOfDigits(fraction, end)
      if (next == fraction) return 1
      ticks = ticksOf(fraction, next, ticksPerSecond)
    }
    if (next < end && !(load<u8>(next) == 90 && next + 1 == end)) {
      const offset = offsetSeconds(next, end)
      if (offset == i32.MAX_VALUE) return 1
      seconds -= i64(offset)
    }
  }
  if (ticks < 0 || days < -MOST_DAYS || days > MOST_DAYS) return 2
  // At the very edges the sum may pass int64 and so change its sign.
  const midnight = days * 86400
  seconds += midnight
  if (days > 100 ? seconds < 0 : days < -100 && seconds > 0) return 2
  return storeTicks(seconds, ticks, ticksPerSecond, out)
}

// @ts-ignore: decorator
@inline
function endOfYear(at: usize, end: usize): usize {
  const first = load<u8>(at)
  return first == 45 || first == 43 ? endOfDigits(at + 1, end) : at + 4
}

/** Days from 1970-01-01 to the date at `at`, whose month and day are the six bytes at `yearEnd`; NONE or BEYOND. */
function daysOf(at: usize, yearEnd: usize): i64 {
  const rest = (load<u64>(yearEnd) & 0xffffffffffff) ^ 0x30302d30302d
  const four = u64(load<u32>(yearEnd - 4) ^ 0x30303030)
  if (!areDigits(rest) || !areDigits(four) || rest & 0xff0000ff) return NONE
  const month = u32((rest >> 8) & 255) * 10 + u32((rest >> 16) & 255)
  const day = u32((rest >> 32) & 255) * 10 + u32(rest >> 40)
  const pairs = four * 10 + (four >> 8)
  // 400 divides 10,000: the last four digits know all about leap years, whatever stands before them.
  const year = u32(pairs & 255) * 100 + u32((pairs >> 16) & 255)
  if (month - 1 > 11 || day - 1 >= daysInMonth(year, month)) return NONE
  const first = load<u8>(at)
  if (first == 45 || first == 43) {
    if (yearEnd - at < 5) return NONE
    const digits = endOfZeros(at + 1, yearEnd)
    if (first == 45 && digits == yearEnd) return NONE
    if (yearEnd - digits > 12) return BEYOND
    const number = i64(appendDigits(0, digits, yearEnd - digits))
    const signed = first == 45 ? -number : number
    // Whole cycles of 400 years apart, rounded down.
    const cycle = (signed >= 0 ? signed : signed - 399) / 400
    return cycle * 146097 + daysOfYears(u32(signed - cycle * 400), month, day)
  }
  return daysOfYears(year, month, day)
}

// @ts-ignore: decorator
@inline
function daysInMonth(year: u32, month: u32): u32 {
  if (month != 2) return 30 | (month ^ (month >> 3))
  return 28 + u32((year & 3) == 0 && (year % 100 != 0 || (year & 15) == 0))
}

/** From March on, so that the leap day is the last of its year; months by Neri and Schneider (calendar.ts). */
// @ts-ignore: decorator
@inline
export function daysOfYears(year: u32, month: u32, day: u32): i64 {
  const isEarly = u32(month < 3)
  const years = year + 400 - isEarly
  const century = years / 100
  const dayOfYear = ((979 * (month + 12 * isEarly) - 2919) >> 5) + day - 1
  return i64(years * 365 + (years >> 2) - century + (century >> 2) + dayOfYear) - 865565
}

/** Ticks of the fraction of a second whose digits are [at, end), one at least; -1 where it is finer. */
// @ts-ignore: decorator
@inline
function ticksOf(at: usize, end: usize, ticksPerSecond: i64): i64 {
  const places: usize = 3 * (usize(ticksPerSecond > 1) + usize(ticksPerSecond > 1000) + usize(ticksPerSecond > 1000000))
  const count: usize = min<usize>(end - at, places)
  if (count == places && endOfZeros(at + places, end) != end) return -1
  return i64(appendDigits(0, at, count) * smallPowerOfTen(u64(places - count)))
}

/** +HH, -HH, +HH:MM or -HH:MM in seconds; i32.MAX_VALUE where [at, end) is something else. */
function offsetSeconds(at: usize, end: usize): i32 {
  const sign = load<u8>(at)
  const length = end - at
  if ((sign != 43 && sign != 45) || (length != 3 && length != 6)) return i32.MAX_VALUE
  const clock = (load<u64>(at, 1) ^ 0x30303a3030) & (length == 3 ? 0xffff : 0xffffffffff)
  if (!areDigits(clock) || clock & 0xff0000) return i32.MAX_VALUE
  const pairs = clock * 10 + (clock >> 8)
  const hour = i32(pairs & 255)
  const minute = i32((pairs >> 24) & 255)
  if (hour > 23 || minute > 59) return i32.MAX_VALUE
  const seconds = (hour * 60 + minute) * 60
  return sign == 45 ? -seconds : seconds
}

// @ts-ignore: decorator
@inline
function storeTicks(seconds: i64, ticks: i64, ticksPerSecond: i64, out: usize): u32 {
  // Before 1970 the fraction is counted from the second above, so that the product alone is never further out than the sum.
  if (seconds < 0 && ticks > 0) {
    seconds++
    ticks -= ticksPerSecond
  }
  if (mulOverflows(seconds, ticksPerSecond)) return 2
  const whole = seconds * ticksPerSecond
  const sum = whole + ticks
  if (ticks < 0 ? sum > whole : sum < whole) return 2
  store<i64>(out, sum)
  return 0
}
