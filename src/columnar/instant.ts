/**
 * Instants, int64 counts of a unit since 1970-01-01T00:00:00Z, as JavaScript `Date`s and as ISO 8601 text. Plain days
 * are day.ts's.
 */
import { MillraceError, quote } from '../errors.js'
import { dayText, twoDigits } from './day.js'
import { isSafe, numberAt } from './int64.js'
import type { TimeUnit } from './type.js'

/** Counts of the unit in one second. */
export const UNITS_PER_SECOND: Readonly<Record<TimeUnit, number>> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 }
const FRACTION_DIGITS: Readonly<Record<TimeUnit, number>> = { s: 0, ms: 3, us: 6, ns: 9 }

/** The furthest that a `Date` reaches from 1970, in milliseconds. */
const DATE_RANGE_MS = 8.64e15

/**
 * The milliseconds since the epoch of element i of a timestamp column, given its values and the same memory as words;
 * NaN where a `Date` cannot hold it: finer than a millisecond, or beyond the range.
 */
export function epochMs(data: BigInt64Array, words: Int32Array, i: number, unit: TimeUnit): number {
  const count = numberAt(words, i)
  if (!isSafe(count)) return unit === 's' || unit === 'ms' ? Number.NaN : bigEpochMs(data[i], unit)
  const ms = unit === 'ms' ? count : unit === 's' ? count * 1e3 : wholeQuotient(count, unit === 'us' ? 1e3 : 1e6)
  return Math.abs(ms) <= DATE_RANGE_MS ? ms : Number.NaN
}

const wholeQuotient = (count: number, divisor: number): number => (count % divisor === 0 ? count / divisor : Number.NaN)

function bigEpochMs(count: bigint, unit: TimeUnit): number {
  const divisor = BigInt(UNITS_PER_SECOND[unit] / 1e3)
  const ms = Number(count / divisor)
  return count % divisor === 0n && Math.abs(ms) <= DATE_RANGE_MS ? ms : Number.NaN
}

/** Why a timestamp cannot be had as a `Date`. `row` is the row of the table. */
export function inexactDate(column: string, row: number, count: bigint, unit: TimeUnit): MillraceError {
  return new MillraceError(
    'MR_INEXACT_VALUE',
    `column ${quote(column)}, row ${row}: a Date cannot hold ${instantText(count, unit)} (it counts milliseconds, to ±8.64e15); read it with toRows({ bigint: true }), or a column of them with toBigInt64Array()`,
    { column, row, value: count },
  )
}

/** `'2024-02-29T12:00:00.000123Z'`, with as many digits as the unit has; any int64 has a text. */
export function instantText(count: bigint, unit: TimeUnit): string {
  const perDay = BigInt(UNITS_PER_SECOND[unit]) * 86_400n
  let ofDay = count % perDay
  if (ofDay < 0n) ofDay += perDay
  const day = Number((count - ofDay) / perDay)
  const perSecond = BigInt(UNITS_PER_SECOND[unit])
  const second = Number(ofDay / perSecond)
  const digits = FRACTION_DIGITS[unit]
  const fraction = digits === 0 ? '' : `.${String(ofDay % perSecond).padStart(digits, '0')}`
  const clock = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60].map(twoDigits).join(':')
  return `${dayText(day)}T${clock}${fraction}Z`
}
