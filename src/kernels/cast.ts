/**
 * Widening conversions of a column into scratch: small integers, floats, and units of time. Nothing is ever narrowed; what
 * may be converted to what is typing's business, in expressions/.
 */
import { type DataType, isInteger, isNumber, isTime, type TimeUnit, typeName } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { type Computed, dataBytes, integerKind } from './operand.js'

export const UNITS_PER_SECOND: Readonly<Record<TimeUnit, bigint>> = {
  s: 1n,
  ms: 1_000n,
  us: 1_000_000n,
  ns: 1_000_000_000n,
}

/** Counts of a timestamp's unit in a day. */
export const unitsPerDay = (unit: TimeUnit): bigint => 86_400n * UNITS_PER_SECOND[unit]

/**
 * `vector` as `type`: integers to int32, int64 or float64 (an int64 is rounded to nearest even), float32 to float64, a date to
 * a timestamp at midnight UTC, a timestamp to a finer unit. Only the last two can fail, on a row that leaves int64.
 * Where nothing changes in memory the buffers are the input's.
 * @throws MillraceError `MR_TYPE_MISMATCH` for any other pair of types
 */
export function widen(k: Kernels, vector: LaneVector, type: DataType): Computed {
  const { kind } = vector.type
  if (kind === type.kind && vector.type.unit === type.unit) return { vector: { ...vector, type }, failedRow: -1 }
  const { exports } = k
  const { data, length } = vector
  const out = k.memory.scratch(dataBytes(type.kind, length))
  const widened = (range = vector.range): Computed => ({ vector: { ...vector, type, data: out, range }, failedRow: -1 })
  if (kind === 'float32' && type.kind === 'float64') exports.castFloat32ToFloat64(data, length, out)
  else if (isInteger(kind) && type.kind === 'float64') {
    exports.castToFloat64(integerKind(kind), data, length, out)
    return widened(null)
  } else if (isInteger(kind) && type.kind === 'int64') exports.castToInt64(integerKind(kind), data, length, out)
  else if (isInteger(kind) && type.kind === 'int32' && Math.abs(integerKind(kind)) < 4) {
    exports.castToInt32(integerKind(kind), data, length, out)
  } else if (isTime(kind) && type.kind === 'timestamp') return scaled(k, vector, type, out)
  else throw unsupported(vector.type, type)
  return widened()
}

function scaled(k: Kernels, vector: LaneVector, type: DataType, out: number): Computed {
  const { data, validity, length, range } = vector
  const to = type.unit as TimeUnit
  const perSecond = UNITS_PER_SECOND[vector.type.unit ?? 's']
  const factor = vector.type.kind === 'date' ? unitsPerDay(to) : UNITS_PER_SECOND[to] / perSecond
  if (factor < 1n) throw unsupported(vector.type, type)
  const scale = vector.type.kind === 'date' ? k.exports.castScaleInt32 : k.exports.castScaleInt64
  const failedRow = scale(data, validity, factor, length, out)
  const scaledRange = range === null || failedRow >= 0 ? null : { min: range.min * factor, max: range.max * factor }
  return { vector: { ...vector, type, data: out, range: scaledRange }, failedRow }
}

function unsupported(from: DataType, to: DataType): MillraceError {
  const what = isNumber(from.kind) && isNumber(to.kind) ? 'that narrows' : 'there is no such conversion'
  return new MillraceError('MR_TYPE_MISMATCH', `a column of ${typeName(from)} cannot become ${typeName(to)}: ${what}`)
}
