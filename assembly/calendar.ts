// Calendar parts of dates and instants: proleptic Gregorian, UTC, floored before 1970.
// Days to year and month: Howard Hinnant, "chrono-compatible low-level date algorithms" (civil_from_days), which counts years from
// March so that the leap day is the last of its year, in cycles ("eras") of 400 years or 146,097 days.

// @ts-ignore: decorator
@inline
function floorDiv(a: i64, b: i64): i64 {
  const quotient = a / b
  return quotient - i64(a - quotient * b < 0)
}

/** Year (as int64: instants in seconds reach beyond int32) times 16, plus the month. */
// @ts-ignore: decorator
@inline
function yearAndMonth(days: i64): i64 {
  const shifted = days + 719468
  const era = floorDiv(shifted, 146097)
  const dayOfEra = u32(shifted - era * 146097)
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  const monthFromMarch = (5 * dayOfYear + 2) / 153
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return ((i64(yearOfEra) + era * 400 + i64(month <= 2)) << 4) | i64(month)
}

// @ts-ignore: decorator
@inline
function part<T>(which: i32, data: usize, validity: usize, perDay: i64, rowCount: u32, out: usize): i32 {
  let failed: i32 = -1
  const perHour = perDay / 24
  // Rows of a feed or a file come in runs of one day: the same day again costs no division by the calendar.
  let lastDays = i64.MIN_VALUE
  let lastParts: i64 = 0
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = i64(load<T>(data))
    data += sizeof<T>()
    const days = sizeof<T>() == 4 ? value : floorDiv(value, perDay)
    let result: i64
    if (which == 3) {
      result = (value - days * perDay) / perHour
    } else if (which == 2) {
      // 1970-01-01 was a Thursday.
      result = days + 3 - floorDiv(days + 3, 7) * 7 + 1
    } else {
      if (days != lastDays) {
        lastDays = days
        lastParts = yearAndMonth(days)
      }
      result = which == 0 ? lastParts >> 4 : lastParts & 15
    }
    if (i64(i32(result)) != result && failed < 0) {
      if (validity == 0 || (load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1) failed = row
    }
    store<i32>(out + (usize(row) << 2), i32(result))
  }
  return failed
}

/** int32 parts of days: `which` is 0 year, 1 month, 2 day of the week (Monday 1 to Sunday 7). */
export function calendarOfDays(which: i32, data: usize, rowCount: u32, out: usize): void {
  part<i32>(which, data, 0, 24, rowCount, out)
}

/** int32 parts of instants with `perDay` units in a day, also 3 hour; returns the least valid row whose year leaves int32, or -1. */
export function calendarOfInstants(which: i32, data: usize, validity: usize, perDay: i64, rowCount: u32, out: usize): i32 {
  return part<i64>(which, data, validity, perDay, rowCount, out)
}
