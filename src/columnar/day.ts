/**
 * Calendar days as counts since 1970-01-01 in the proleptic Gregorian calendar, and their ISO 8601 text. Instants are
 * instant.ts's. Day counts may be any integer below 2^52 in size: JavaScript's own `Date` ends some 270,000 years from
 * now.
 */

/**
 * `'2024-02-29'`; outside the years 0 to 9999 ISO's expanded form of a sign and at least six digits, as `Date` writes
 * it: `'-000001-12-31'`. The formula is Howard Hinnant's `civil_from_days`
 * (https://howardhinnant.github.io/date_algorithms.html).
 */
export function dayText(day: number): string {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const dayOfMonth = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${yearText(year)}-${twoDigits(month)}-${twoDigits(dayOfMonth)}`
}

const ISO_DAY = /^(\d{4}|[+-]\d{6,7})-(\d\d)-(\d\d)$/

/** The day that `text` names in the form `dayText` writes, or null where it names none (`'2023-02-29'`, `'today'`). */
export function parseDay(text: string): number | null {
  const match = ISO_DAY.exec(text)
  if (match === null) return null
  const day = dayOf(Number(match[1]), Number(match[2]), Number(match[3]))
  // The round trip refuses a thirteenth month, a thirtieth of February, and a second way to write a year.
  return dayText(day) === text ? day : null
}

/** Hinnant's `days_from_civil`. */
function dayOf(year: number, month: number, dayOfMonth: number): number {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + dayOfMonth - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0')
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`
}

export const twoDigits = (n: number): string => (n < 10 ? `0${n}` : String(n))
