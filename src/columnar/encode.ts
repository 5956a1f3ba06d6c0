/**
 * Single JavaScript values checked against a type: exactly the number or int64 that lies in the vector, or a coded
 * error that says which row. Storing them is builder.ts; the way out is values.ts.
 */
import { type ErrorCode, MillraceError, quote } from '../errors.js'
import { parseDay } from './day.js'
import { UNITS_PER_SECOND } from './instant.js'
import { INT64_MAX, INT64_MIN } from './int64.js'
import { type DataType, type IntegerKind, type TimeUnit, typeName } from './type.js'

/** Where a value comes from. */
export interface Origin {
  /** The verb that reads it: `rows`, `columns`. */
  readonly operator: string
  readonly column: string
  /** Zero-based row in the source. */
  readonly row: number
  /** An item of the list in that row. */
  readonly isItem?: boolean
}

/** The least and the greatest value of each integer kind that a number holds exactly. */
const RANGE_OF_KIND: Readonly<Record<Exclude<IntegerKind, 'int64'>, readonly [least: number, greatest: number]>> = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 2 ** 8 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
}

/**
 * The value of an integer type other than int64. @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INEXACT_VALUE`,
 * `MR_INTEGER_OVERFLOW`
 */
export function encodeInteger(value: unknown, type: DataType, origin: Origin): number {
  const [least, greatest] = RANGE_OF_KIND[type.kind as keyof typeof RANGE_OF_KIND]
  if (typeof value !== 'number' && typeof value !== 'bigint') throw mismatch(value, type, origin)
  if (typeof value === 'number' && isFractional(value))
    throw inexact(value, type, origin, 'round it first, or declare float64')
  if (value < least || value > greatest) throw overflow(value, type, origin)
  return Number(value)
}

/**
 * An int64: a bigint, or a number within ±(2^53 - 1); one beyond may have been rounded before it came here.
 * @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INEXACT_VALUE`, `MR_UNSAFE_INTEGER`, `MR_INTEGER_OVERFLOW`
 */
export function encodeInt64(value: unknown, type: DataType, origin: Origin): number | bigint {
  if (typeof value === 'bigint') {
    if (value < INT64_MIN || value > INT64_MAX) throw overflow(value, type, origin)
    return value
  }
  if (typeof value !== 'number') throw mismatch(value, type, origin)
  if (isFractional(value)) throw inexact(value, type, origin, 'round it first, or declare float64')
  if (Math.abs(value) >= 2 ** 63) throw overflow(value, type, origin)
  if (!Number.isSafeInteger(value)) {
    throw failure(
      'MR_UNSAFE_INTEGER',
      origin,
      `${show(value)} is beyond ±(2^53 - 1), where a number may stand for several integers; pass a bigint`,
    )
  }
  return value
}

/** The value of a float type. @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INEXACT_VALUE` */
export function encodeFloat(value: unknown, type: DataType, origin: Origin): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw mismatch(value, type, origin)
  const float = type.kind === 'float32' ? Math.fround(Number(value)) : Number(value)
  const exact = typeof value === 'number' ? Object.is(float, value) : Number.isFinite(float) && BigInt(float) === value
  if (!exact)
    throw inexact(
      value,
      type,
      origin,
      type.kind === 'float32' ? 'round it with Math.fround, or declare float64' : 'declare int64',
    )
  return float
}

/** @throws MillraceError `MR_TYPE_MISMATCH` */
export function encodeBool(value: unknown, type: DataType, origin: Origin): boolean {
  if (typeof value !== 'boolean') throw mismatch(value, type, origin)
  return value
}

/** @throws MillraceError `MR_TYPE_MISMATCH` */
export function encodeText(value: unknown, type: DataType, origin: Origin): string {
  if (typeof value !== 'string') throw mismatch(value, type, origin)
  return value
}

/**
 * The int64 of a timestamp: from a `Date`, or from a bigint or safe integer that counts the type's unit.
 * @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INEXACT_VALUE`, `MR_UNSAFE_INTEGER`, `MR_INTEGER_OVERFLOW`
 */
export function encodeTimestamp(value: unknown, type: DataType, origin: Origin): number | bigint {
  if (!isDate(value)) return encodeInt64(value, type, origin)
  const ms = validTime(value, type, origin)
  const perSecond = UNITS_PER_SECOND[type.unit as TimeUnit]
  if (perSecond < 1e3) {
    if (ms % 1e3 !== 0) throw inexact(value, type, origin, "declare timestamp('ms')")
    return ms / 1e3
  }
  const count = ms * (perSecond / 1e3)
  if (Number.isSafeInteger(count)) return count
  const exact = BigInt(ms) * BigInt(perSecond / 1e3)
  if (exact < INT64_MIN || exact > INT64_MAX) throw overflow(value, type, origin)
  return exact
}

/**
 * The day of a date: from `'YYYY-MM-DD'`, from a `Date` at midnight UTC, or from an integer that counts days since
 * 1970-01-01.
 * @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INEXACT_VALUE`, `MR_INTEGER_OVERFLOW`
 */
export function encodeDate(value: unknown, type: DataType, origin: Origin): number {
  let day: unknown = value
  if (typeof value === 'string') {
    day = parseDay(value)
    if (day === null) throw mismatch(value, type, origin)
  } else if (isDate(value)) {
    day = validTime(value, type, origin) / 86_400_000
    if (!Number.isInteger(day)) throw inexact(value, type, origin, "cut it to midnight UTC, or declare timestamp('ms')")
  } else if (typeof value !== 'number') throw mismatch(value, type, origin)
  if (isFractional(day as number)) throw inexact(value, type, origin, 'days are integers')
  const [least, greatest] = RANGE_OF_KIND.int32
  if ((day as number) < least || (day as number) > greatest) throw overflow(value, type, origin)
  return day as number
}

function validTime(value: Date, type: DataType, origin: Origin): number {
  const ms = value.getTime()
  if (Number.isNaN(ms)) throw mismatch(value, type, origin)
  return ms
}

/** A `Date`, of this realm or of another (an iframe's, a vm context's). */
export const isDate = (value: unknown): value is Date =>
  value instanceof Date || Object.prototype.toString.call(value) === '[object Date]'

const isFractional = (value: number): boolean => !Number.isInteger(value) && Math.abs(value) !== Infinity

export function failure(code: ErrorCode, origin: Origin, message: string): MillraceError {
  const { operator, column, row } = origin
  return new MillraceError(code, `${operator}: column ${quote(column)}, row ${row}: ${message}`, {
    operator,
    column,
    row,
  })
}

/** A value of another family than the type's. */
export function mismatch(value: unknown, type: DataType, origin: Origin): MillraceError {
  if (value === null || value === undefined) {
    return failure(
      'MR_TYPE_MISMATCH',
      origin,
      `null in a ${origin.isItem ? 'list of items' : 'column'} declared ${typeName(type)}; declare nullable(${typeName(type)}) to allow nulls`,
    )
  }
  return failure(
    'MR_TYPE_MISMATCH',
    origin,
    `${show(value)} is not ${EXPECTED[type.kind] ?? 'a value'}, as ${typeName(type)} needs`,
  )
}

const inexact = (value: unknown, type: DataType, origin: Origin, hint: string): MillraceError =>
  failure('MR_INEXACT_VALUE', origin, `${show(value)} cannot be held exactly as ${typeName(type)}; ${hint}`)

const overflow = (value: unknown, type: DataType, origin: Origin): MillraceError =>
  failure(
    'MR_INTEGER_OVERFLOW',
    origin,
    `${show(value)} is out of range for ${typeName(type)}; ${type.kind === 'int64' ? 'no integer is wider: round it, and declare float64' : `declare a ${type.kind === 'timestamp' ? 'coarser unit' : 'wider type'}`}`,
  )

const INTEGER = 'an integer'
const EXPECTED: Readonly<Record<string, string>> = {
  bool: 'a boolean',
  int8: INTEGER,
  int16: INTEGER,
  int32: INTEGER,
  int64: 'an integer (number or bigint)',
  uint8: INTEGER,
  uint16: INTEGER,
  uint32: INTEGER,
  float32: 'a number',
  float64: 'a number',
  utf8: 'a string',
  timestamp: 'a valid Date',
  date: "a day as 'YYYY-MM-DD'",
  list: 'an array',
}

/** A value for a message: short, whatever it is. */
export function show(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'bigint') return value > -(10n ** 40n) && value < 10n ** 40n ? `${value}n` : 'a huge bigint'
  if (isDate(value)) {
    const ms = Date.prototype.getTime.call(value)
    return Number.isNaN(ms) ? 'an invalid Date' : `Date ${new Date(ms).toISOString()}`
  }
  if (ArrayBuffer.isView(value)) return `a ${Object.prototype.toString.call(value).slice(8, -1)}`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'function') return 'a function'
  return Object.is(value, -0) ? '-0' : String(value)
}
