/**
 * One column of one batch: Arrow's layout in ordinary JavaScript buffers. `Column` (column.ts) is what users read,
 * values.ts how its values become JavaScript's; a lane's own form, inside WebAssembly memory, is `LaneVector` in
 * kernels/.
 *
 * ```
 * validity   null, or a bitmap: bit (i & 7) of byte (i >> 3) is 1 where row i has a value; at least ceil(length / 8) bytes
 * data       bool            Uint8Array, a bitmap like validity
 *            int8..float64   the typed array of that kind, `length` elements
 *            date            Int32Array, days since 1970-01-01
 *            timestamp       BigInt64Array, counts of the unit since the epoch
 *            utf8            Int32Array of codes into `dictionary`, or a narrower array that holds them all (dictionary set, offsets null)
 *                            Uint8Array of bytes, `offsets` of length + 1  (dictionary null, offsets set)
 *            list            empty; row i is rows [offsets[i], offsets[i + 1]) of `child`, a vector of `type.item`
 * ```
 * A null row's data is unspecified but harmless: a code is in range, an offset does not decrease. Offsets may start at
 * any base.
 */
import { MillraceError, quote } from '../errors.js'
import { type Dictionary, shifted } from './dictionary.js'
import { type DataType, type Kind, type NumberKind, typeName } from './type.js'
import { bitmapBytes, countBits, getBit, sliceBits } from './validity.js'

export type VectorData =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array

/** Codes of strings. Where a dictionary has few entries, what comes out of a lane has narrow ones. */
export type Codes = Int32Array | Uint16Array | Uint8Array

/** The same codes as others are told them, and as they are written; they are copied only where they are narrow. */
export const wideCodes = (codes: Codes): Int32Array =>
  codes.BYTES_PER_ELEMENT === 4 ? (codes as Int32Array) : Int32Array.from(codes)

/** Rows of a morsel, and the most rows that a chunk of a table has. A multiple of 8, so that whole chunks slice without copying. */
export const MORSEL_ROWS = 65_536

/** Vectors of one length, without names: what moves between threads. A `RecordBatch` is one with a schema. */
export interface VectorBatch {
  readonly rowCount: number
  readonly vectors: readonly Vector[]
}

export interface Vector {
  readonly type: DataType
  readonly length: number
  readonly nullCount: number
  readonly validity: Uint8Array | null
  readonly data: VectorData
  readonly dictionary: Dictionary | null
  readonly offsets: Int32Array | null
  /** Of a list, all lists' items; else null or absent. */
  readonly child?: Vector | null
}

/** The array that holds each numeric kind. */
export const ARRAY_OF_KIND = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const satisfies Record<NumberKind, unknown>

/**
 * The class of a typed array by name, whichever realm it is from (an iframe's, a vm context's); of anything else, no
 * such name.
 */
export const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1)

/** The class of a kind's data. */
function arrayOf(kind: Kind) {
  if (kind === 'bool' || kind === 'list') return Uint8Array
  if (kind === 'date' || kind === 'utf8') return Int32Array
  return kind === 'timestamp' ? BigInt64Array : ARRAY_OF_KIND[kind as NumberKind]
}

/** Data over a buffer that holds it. */
export const dataOver = (kind: Kind, buffer: ArrayBuffer): VectorData => new (arrayOf(kind))(buffer)

/** New zeroed data for `length` rows of a type: for utf8 codes, for a list none. */
export const allocateData = (kind: Kind, length: number): VectorData =>
  new (arrayOf(kind))(kind === 'bool' ? bitmapBytes(length) : kind === 'list' ? 0 : length)

export interface VectorParts {
  /** A bitmap, or null where every row has a value. */
  readonly validity?: Uint8Array | null
  /** Counted where it is not told. */
  readonly nullCount?: number
  readonly dictionary?: Dictionary | null
  readonly offsets?: Int32Array | null
  readonly child?: Vector | null
}

/** A vector over these very buffers. A bitmap without a zero is left out, so `validity === null` says "no nulls". */
export function makeVector(type: DataType, length: number, data: VectorData, parts: VectorParts = {}): Vector {
  const { validity = null, dictionary = null, offsets = null, child = null } = parts
  const nullCount = parts.nullCount ?? (validity === null ? 0 : length - countBits(validity, length))
  return { type, length, nullCount, validity: nullCount === 0 ? null : validity, data, dictionary, offsets, child }
}

export const isNullAt = ({ validity }: Vector, i: number): boolean => validity !== null && !getBit(validity, i)

/**
 * Rows `[from, to)`, `0 <= from <= to <= length`. Buffers are views of the same memory; only bitmaps whose `from` is
 * not a multiple of 8 are copied.
 */
export function sliceVector(vector: Vector, from: number, to: number): Vector {
  if (from === 0 && to === vector.length) return vector
  const { type, validity, data, dictionary, offsets, child } = vector
  return makeVector(
    type,
    to - from,
    type.kind === 'bool' ? sliceBits(data as Uint8Array, from, to) : offsets === null ? data.subarray(from, to) : data,
    {
      validity: validity === null ? null : sliceBits(validity, from, to),
      dictionary,
      offsets: offsets === null ? null : offsets.subarray(from, to + 1),
      child,
    },
  )
}

/** The items of a list's rows, no more, and the rows' offsets into them, which begin at 0. */
export function itemsOf({ length, offsets, child }: Vector): { readonly offsets: Int32Array; readonly items: Vector } {
  const own = (offsets as Int32Array).subarray(0, length + 1)
  return { offsets: shifted(own, -own[0]), items: sliceVector(child as Vector, own[0], own[length]) }
}

/** The vector's data cut to its rows. Not for plain strings, whose data are bytes. */
export function dataOf(vector: Vector): VectorData {
  const length = vector.type.kind === 'bool' ? bitmapBytes(vector.length) : vector.length
  return vector.data.length === length ? vector.data : vector.data.subarray(0, length)
}

const NARROW_CODES = ['Uint16Array', 'Uint8Array']

/**
 * Asserts the relations drawn above, where a vector enters a batch: lengths, buffers and nullability agree with the
 * type.
 * @throws MillraceError `MR_COLUMN_LENGTH` or `MR_TYPE_MISMATCH`.
 */
export function checkVector(vector: Vector, column: string, type: DataType, rowCount: number): void {
  const { length, nullCount, validity, data, dictionary, offsets, child } = vector
  const fail = (code: 'MR_COLUMN_LENGTH' | 'MR_TYPE_MISMATCH', what: string): never => {
    throw new MillraceError(code, `record batch: column ${quote(column)} ${what}`, { column })
  }
  if (length !== rowCount) fail('MR_COLUMN_LENGTH', `has ${length} rows where the batch has ${rowCount}`)
  if (vector.type.kind !== type.kind || vector.type.unit !== type.unit) {
    fail('MR_TYPE_MISMATCH', `holds ${typeName(vector.type)} where the schema says ${typeName(type)}`)
  }
  if (nullCount > 0 && !type.nullable)
    fail('MR_TYPE_MISMATCH', `holds ${nullCount} nulls, but ${typeName(type)} allows none`)
  if (nullCount > 0 !== (validity !== null))
    fail('MR_COLUMN_LENGTH', `has ${nullCount} nulls and ${validity === null ? 'no' : 'a'} bitmap`)
  if (validity !== null && validity.length < bitmapBytes(length))
    fail('MR_COLUMN_LENGTH', `has a bitmap too short for ${length} rows`)
  if (type.kind === 'list') {
    if (offsets === null || !child) fail('MR_TYPE_MISMATCH', 'is a list column, and needs offsets and a child')
    const [ends, items] = [offsets as Int32Array, child as Vector]
    if (ends.length < length + 1 || ends[length] > items.length)
      fail('MR_COLUMN_LENGTH', `has offsets that do not fit ${length} rows and ${items.length} items`)
    checkVector(items, column, type.item as DataType, items.length)
    return
  }
  const isText = type.kind === 'utf8'
  if (isText !== (dictionary !== null || offsets !== null) || (dictionary !== null && offsets !== null)) {
    fail(
      'MR_TYPE_MISMATCH',
      isText ? 'needs either a dictionary or offsets' : 'is no string column, yet has a dictionary or offsets',
    )
  }
  if (offsets !== null) {
    if (tagOf(data) !== 'Uint8Array' || offsets.length < length + 1 || offsets[length] > data.length)
      fail('MR_COLUMN_LENGTH', `has offsets that do not fit ${length} rows and ${data.length} bytes`)
  } else {
    const needed = arrayOf(type.kind)
    if (!(data instanceof needed) && tagOf(data) !== needed.name && !(isText && NARROW_CODES.includes(tagOf(data))))
      fail('MR_TYPE_MISMATCH', `needs data in ${needed.name}`)
    if (data.length < (type.kind === 'bool' ? bitmapBytes(length) : length))
      fail('MR_COLUMN_LENGTH', `has data for ${data.length} of ${length} rows`)
  }
}
