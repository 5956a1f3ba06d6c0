// Days as dates and back: proleptic Gregorian, any int64 of days that a clock has. Inlined; kernels of calendar.ts and times/ share it.
// Days to year and month: C. Neri and L. Schneider, "Euclidean affine functions and their application to calendar algorithms" (2023),
// which counts years from March so that the leap day is the last of its year, and replaces most divisions by one multiplication.

import { daysOfYears } from './parse/time'

/** Days from 0000-03-01, where the count of civil() begins, to 1970-01-01. */
// @ts-ignore: decorator
@inline
export const EPOCH: i64 = 719468

// @ts-ignore: decorator
@inline
export function floorDiv(a: i64, b: i64): i64 {
  const quotient = a / b
  return quotient - i64(a - quotient * b < 0)
}

/**
 * The same for quotients below 2^51 without a 64-bit division, which is slow on many processors: the quotient by way of doubles
 * is off by one at most, which the remainder shows. `inverse` is 1 / b.
 */
// @ts-ignore: decorator
@inline
export function floorDivBy(a: i64, b: i64, inverse: f64): i64 {
  const quotient = i64(floor(f64(a) * inverse))
  const rest = a - quotient * b
  return quotient + (rest >> 63) + i64(rest >= b)
}

/** Year times 16, plus the month, of a day counted from 0000-03-01, below 2^30. */
// @ts-ignore: decorator
@inline
export function civil(day: u32): u32 {
  const quarters: u32 = day * 4 + 3
  const century = quarters / 146097
  const yearAndRest = u64(2939745) * u64((quarters - century * 146097) | 3)
  const year = century * 100 + u32(yearAndRest >> 32)
  const dayOfYear = (u32(yearAndRest) / 2939745) >> 2
  const month = (dayOfYear * 2141 + 197913) >> 16
  const isNextYear = u32(dayOfYear >= 306)
  return ((year + isNextYear) << 4) + month - 12 * isNextYear
}

/** A date: its year times 512, plus 32 for each month (1 to 12), plus the day of the month. */
// @ts-ignore: decorator
@inline
export function dateOf(days: i64): i64 {
  const shifted = days + EPOCH
  // Years 0 to some 2.9 million; others are moved there by whole cycles of 400 years.
  const cycle = u64(shifted) < 0x40000000 ? 0 : floorDiv(shifted, 146097)
  const quarters: u32 = u32(shifted - cycle * 146097) * 4 + 3
  const century = quarters / 146097
  const yearAndRest = u64(2939745) * u64((quarters - century * 146097) | 3)
  const month = ((u32(yearAndRest) / 2939745) >> 2) * 2141 + 197913
  const isNextYear = u32(month >= 13 << 16)
  const year = i64(century * 100 + u32(yearAndRest >> 32) + isNextYear) + cycle * 400
  return (year << 9) + i64((((month >> 16) - 12 * isNextYear) << 5) + (month & 0xffff) / 2141 + 1)
}

/** Days from 1970-01-01 to a date. */
// @ts-ignore: decorator
@inline
export function daysOfDate(year: i64, month: u32, day: u32): i64 {
  if (u64(year) < 10000000) return daysOfYears(u32(year), month, day)
  const cycle = floorDiv(year, 400)
  return cycle * 146097 + daysOfYears(u32(year - cycle * 400), month, day)
}

// @ts-ignore: decorator
@inline
export function isLeap(year: i64): bool {
  return (year & 3) == 0 && (year % 100 != 0 || (year & 15) == 0)
}

/** `month` is 1 to 12. */
// @ts-ignore: decorator
@inline
export function daysInMonth(year: i64, month: u32): u32 {
  return month == 2 ? 28 + u32(isLeap(year)) : 30 | (month ^ (month >> 3))
}

/** Months since January 1970 of the date that `dateOf` gives. */
// @ts-ignore: decorator
@inline
export function monthsOf(date: i64): i64 {
  return ((date >> 9) - 1970) * 12 + ((date >> 5) & 15) - 1
}

/** Days from 1970-01-01 to the `day`th of that month, or to the month's last where it is shorter. */
// @ts-ignore: decorator
@inline
export function daysOfMonths(months: i64, day: u32): i64 {
  const years = floorDiv(months, 12)
  const year = years + 1970
  const month = u32(months - years * 12) + 1
  return daysOfDate(year, month, min(day, daysInMonth(year, month)))
}
