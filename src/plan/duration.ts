/** Durations as distances between times, in the unit of a column: days have 24 hours, and months, which have no one length, are refused. */
import { type DataType, type TimeUnit, typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { parseDuration } from '../expressions/duration.js'
import { unitRatio } from '../expressions/literal.js'

const DAY = 86_400_000_000_000n

/** @throws MillraceError `MR_INVALID_OPTION` for what is no duration, or has no fixed length */
export function nanosecondsOf(text: string, operator: string): bigint {
  const { months, days, nanoseconds } = parseDuration(text, operator)
  if (months === 0) return BigInt(days) * DAY + nanoseconds
  throw new MillraceError(
    'MR_INVALID_OPTION',
    `${operator}: ${quote(text)} has no fixed length; say it in days or shorter units`,
    { operator },
  )
}

/** Nanoseconds of what a column of times counts. */
export const nanosecondsPer = (type: DataType): bigint =>
  type.kind === 'date' ? DAY : unitRatio(type.unit as TimeUnit, 'ns')

/** @throws MillraceError `MR_INVALID_OPTION` too for what is no whole number of the column's unit */
export function durationIn(text: string, type: DataType, column: string): bigint {
  const nanoseconds = nanosecondsOf(text, 'over')
  const per = nanosecondsPer(type)
  if (nanoseconds % per === 0n) return nanoseconds / per
  throw new MillraceError(
    'MR_INVALID_OPTION',
    `over: ${quote(text)} is no whole number of what ${quote(column)}, a ${typeName(type)}, counts`,
    { operator: 'over', column },
  )
}
