/**
 * The bounds that a footer keeps of each column chunk, as exact values, and only where they can be trusted; prune.ts uses them.
 */
import type { Encoded } from './column-type.js'
import { type Decimal, decimalBound } from './decimal.js'
import { type Cursor, readBinary, readI64, readStruct, WIRE } from './thrift.js'

/** In the column's unit: bigint for int64 and timestamps, days for dates. Not necessarily attained: long strings are cut to bounds. */
export type Bound = bigint | number | string | boolean

export interface ColumnStatistics {
  /** Of all non-null values; null where unknown, and where there are none. */
  readonly min: Bound | null
  /** Of a float column: of its values other than NaN, which is greater than every bound; see `mayHoldNaN`. */
  readonly max: Bound | null
  readonly nullCount: number | null
  /** False where the values cannot be NaN, or none is known to be. */
  readonly mayHoldNaN: boolean
}

export interface RawStatistics {
  max: Uint8Array | null
  min: Uint8Array | null
  maxValue: Uint8Array | null
  minValue: Uint8Array | null
  nullCount: bigint | null
  nanCount: bigint | null
}

/** `parquet.thrift`, struct Statistics. */
export function readStatistics(cursor: Cursor): RawStatistics {
  const raw: RawStatistics = { max: null, min: null, maxValue: null, minValue: null, nullCount: null, nanCount: null }
  readStruct(cursor, (id, type) => {
    if (type === WIRE.BINARY && id === 1) raw.max = readBinary(cursor)
    else if (type === WIRE.BINARY && id === 2) raw.min = readBinary(cursor)
    else if (type === WIRE.BINARY && id === 5) raw.maxValue = readBinary(cursor)
    else if (type === WIRE.BINARY && id === 6) raw.minValue = readBinary(cursor)
    else if (type === WIRE.I64 && id === 3) raw.nullCount = readI64(cursor)
    else if (type === WIRE.I64 && id === 9) raw.nanCount = readI64(cursor)
    else return false
    return true
  })
  return raw
}

interface StatisticsColumn {
  readonly encoded: Encoded
  readonly decimal: Decimal | null
  readonly isText: boolean
  readonly type: { readonly kind: string }
}

/**
 * @param ordered whether the footer declares the type's own order for `min_value` and `max_value`. Signed numbers have only one order that
 * writers use; the deprecated `min` and `max` are good for those alone. Bounds that contradict each other are none.
 */
export function statisticsOf(
  raw: RawStatistics | null,
  column: StatisticsColumn,
  rowCount: number,
  ordered: boolean,
): ColumnStatistics {
  const isFloat = column.encoded === 'float32' || column.encoded === 'float64'
  const counted = raw?.nullCount
  const nullCount = counted != null && counted >= 0n && counted <= BigInt(rowCount) ? Number(counted) : null
  const none = { min: null, max: null, nullCount, mayHoldNaN: isFloat && raw?.nanCount !== 0n }
  if (raw === null) return none
  const isBytes = column.encoded === 'bytes' || column.decimal?.physical.endsWith('BYTE_ARRAY')
  const hasOneOrder = !isBytes && !column.type.kind.startsWith('uint')
  const min = boundOf(ordered || hasOneOrder ? (raw.minValue ?? (hasOneOrder ? raw.min : null)) : null, column)
  const max = boundOf(ordered || hasOneOrder ? (raw.maxValue ?? (hasOneOrder ? raw.max : null)) : null, column)
  if (min !== null && max !== null && compareBounds(min, max) > 0) return none
  return { ...none, min, max }
}

/** PLAIN, without a length. Null for what is no value of the column: a wrong length, NaN, text cut inside a character. */
function boundOf(bytes: Uint8Array | null, { encoded, decimal, isText, type }: StatisticsColumn): Bound | null {
  if (bytes === null) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { byteLength } = bytes
  if (encoded === 'bool') return byteLength === 1 ? bytes[0] !== 0 : null
  if (encoded === 'int32' && byteLength === 4)
    return type.kind.startsWith('uint') ? view.getUint32(0, true) : view.getInt32(0, true)
  if (encoded === 'int64' && byteLength === 8) return view.getBigInt64(0, true)
  if (encoded === 'float32' && byteLength === 4) return notNaN(view.getFloat32(0, true))
  if (encoded === 'float64' && byteLength === 8) return notNaN(view.getFloat64(0, true))
  if (decimal !== null) return decimalBound(decimal, bytes)
  if (encoded === 'bytes' && isText) return textOf(bytes)
  return null
}

const notNaN = (value: number): number | null => (Number.isNaN(value) ? null : value)

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
function textOf(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}

/** Of two bounds or literals of one column: negative, zero or positive. Strings by their UTF-8 bytes; numbers of any two kinds exactly. */
export function compareBounds(a: Bound, b: Bound): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

const encoder = new TextEncoder()
function compareText(a: string, b: string): number {
  let i = 0
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++
  if (i === a.length || i === b.length) return a.length - b.length
  const difference = a.charCodeAt(i) - b.charCodeAt(i)
  // Only surrogates are elsewhere among units than among bytes.
  if (a.charCodeAt(i) < 0xd800 || b.charCodeAt(i) < 0xd800) return difference
  const x = encoder.encode(a)
  const y = encoder.encode(b)
  const shared = Math.min(x.length, y.length)
  for (let i = 0; i < shared; i++) {
    const difference = (x[i] as number) - (y[i] as number)
    if (difference !== 0) return difference
  }
  return x.length - y.length
}
