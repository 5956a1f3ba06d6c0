/**
 * Calendar parts of a date or a timestamp column, in UTC and the proleptic Gregorian calendar. Zones, and durations that
 * follow them, are not kernels.
 */
import { int32, isTime, type TimeUnit, typeName } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import { unitsPerDay } from './cast.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { type Computed, nullableIf, type TimePart } from './operand.js'

const PARTS: Readonly<Record<TimePart, number>> = { year: 0, month: 1, dayOfWeek: 2, hour: 3 }

/**
 * int32: the year (0 is 1 BC), the month 1 to 12, the day of the week from Monday 1 to Sunday 7, or, of timestamps only, the
 * hour 0 to 23. What lies before 1970 is floored. Only a year can fail, of a timestamp in seconds, beyond int32.
 * @throws MillraceError `MR_TYPE_MISMATCH`
 */
export function part(k: Kernels, which: TimePart, vector: LaneVector): Computed {
  const { type, length, data, validity } = vector
  if (!isTime(type.kind) || (type.kind === 'date' && which === 'hour')) {
    throw new MillraceError('MR_TYPE_MISMATCH', `${which}: a column of ${typeName(type)} has none`)
  }
  const out = k.memory.scratch(4 * length)
  let failedRow = -1
  if (type.kind === 'date') k.exports.calendarOfDays(PARTS[which], data, length, out)
  else {
    const perDay = unitsPerDay(type.unit as TimeUnit)
    failedRow = k.exports.calendarOfInstants(PARTS[which], data, validity, perDay, length, out)
  }
  const range = RANGES[which] ?? null
  return {
    vector: { type: nullableIf(int32(), validity), length, data: out, validity, dictionary: null, range },
    failedRow,
  }
}

/** Known without looking, so that a group-by of these can index directly. */
const RANGES: Partial<Record<TimePart, { readonly min: bigint; readonly max: bigint }>> = {
  month: { min: 1n, max: 12n },
  dayOfWeek: { min: 1n, max: 7n },
  hour: { min: 0n, max: 23n },
}
