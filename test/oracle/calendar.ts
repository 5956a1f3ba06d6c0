/**
 * Days and instants to calendar parts by counting, in bigint: slow and plain. Proleptic Gregorian calendar, UTC, floor for
 * what lies before 1970. What a part means is said by SEMANTICS; which columns have one, by expression.ts.
 */
import { type ModelType, NANOSECONDS_PER } from './value.js'

export type TimePart = 'year' | 'month' | 'dayOfWeek' | 'hour'

export interface CivilDate {
  readonly year: bigint
  /** 1 to 12. */
  readonly month: number
  /** 1 to 31. */
  readonly day: number
}

const SECONDS_PER_DAY = 86_400n
const DAYS_PER_CYCLE = 146_097n // of 400 years

export function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}

/** The part of a date (days) or a timestamp (counts of its unit), as the engine's int32. */
export function timePart(part: TimePart, value: bigint, type: ModelType): bigint {
  const perDay = type.kind === 'date' ? 1n : (SECONDS_PER_DAY * NANOSECONDS_PER.s) / NANOSECONDS_PER[type.unit ?? 'ms']
  const days = floorDiv(value, perDay)
  if (part === 'hour') return ((value - days * perDay) * 24n) / perDay
  // 1970-01-01 was a Thursday: day 4 of a week that begins with Monday as 1.
  if (part === 'dayOfWeek') return days + 3n - floorDiv(days + 3n, 7n) * 7n + 1n
  const { year, month } = civilOfDays(days)
  return part === 'year' ? year : BigInt(month)
}

/** The date of a day counted from 1970-01-01, by walking years and months from the start of its 400-year cycle. */
export function civilOfDays(days: bigint): CivilDate {
  const sinceMillennium = days - 10_957n // 2000-01-01, the start of a cycle
  const cycle = floorDiv(sinceMillennium, DAYS_PER_CYCLE)
  let left = Number(sinceMillennium - cycle * DAYS_PER_CYCLE)
  let yearOfCycle = 0
  while (left >= daysInYear(yearOfCycle)) left -= daysInYear(yearOfCycle++)
  let month = 1
  while (left >= daysInMonth(yearOfCycle, month)) left -= daysInMonth(yearOfCycle, month++)
  return { year: 2000n + cycle * 400n + BigInt(yearOfCycle), month, day: left + 1 }
}

function isLeap(yearOfCycle: number): boolean {
  return yearOfCycle % 4 === 0 && (yearOfCycle % 100 !== 0 || yearOfCycle === 0)
}

function daysInYear(yearOfCycle: number): number {
  return isLeap(yearOfCycle) ? 366 : 365
}

function daysInMonth(yearOfCycle: number, month: number): number {
  if (month === 2) return isLeap(yearOfCycle) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}
