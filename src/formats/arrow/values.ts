/** Numbers, times and bools of an array's rows: views where Arrow's values are ours, copies where they are not. vectors.ts asks for them. */
import type { DataType } from '../../columnar/type.js'
import { getBit, sliceBits } from '../../columnar/validity.js'
import { ARRAY_OF_KIND, type VectorData } from '../../columnar/vector.js'
import { MillraceError } from '../../errors.js'
import { corrupt } from '../fault.js'
import type { ArrowArray } from './arrays.js'
import type { Storage } from './field.js'

/** Rows [from, from + rowCount) of an array; for errors, whether they are items of lists. */
export interface Rows {
  readonly array: ArrowArray
  readonly from: number
  readonly rowCount: number
  readonly isItem: boolean
}

interface TypedArrayOf<T> {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T
}

const DAY_MS = 86_400_000

/** A fault in a row's bytes. */
export function rowFault(what: string, rows: Rows, row: number): MillraceError {
  const { byteOffset } = rows.array
  return new MillraceError('MR_FORMAT_ERROR', what, {
    ...rowDetails(rows, row),
    ...(byteOffset === undefined ? {} : { byteOffset }),
  })
}

/** An item's row is not known. */
const rowDetails = ({ isItem }: Rows, row: number) => (isItem ? {} : { row })

export const isValid = (validity: Uint8Array | null, row: number): boolean => validity === null || getBit(validity, row)

export function valuesOf({ array: { values, byteOffset } }: Rows): Uint8Array {
  if (values === null) throw corrupt('it has no values', byteOffset)
  return values
}

/** The rows' elements of `bytes`, and `more` behind them: a view, or a copy where the bytes lie as no array can. */
export function typed<T>(ArrayType: TypedArrayOf<T>, rows: Rows, bytes = valuesOf(rows), more = 0): T {
  const width = ArrayType.BYTES_PER_ELEMENT
  const count = rows.rowCount + more
  const start = rows.from * width
  const end = start + count * width
  if (end > bytes.length) throw corrupt(`it has ${bytes.length} bytes where ${end} are needed`, rows.array.byteOffset)
  const begin = bytes.byteOffset + start
  if (begin % width === 0) return new ArrayType(bytes.buffer, begin, count)
  return new ArrayType(bytes.slice(start, end).buffer, 0, count)
}

/** The rows' bits of a bitmap. */
export function bitsOf({ array: { firstBit, byteOffset }, from, rowCount }: Rows, bitmap: Uint8Array): Uint8Array {
  const [start, end] = [firstBit + from, firstBit + from + rowCount]
  if (end > 8 * bitmap.length) throw corrupt(`it has ${8 * bitmap.length} bits where ${end} are needed`, byteOffset)
  return sliceBits(bitmap, start, end)
}

/** What lies in one array, of a column of `type`. @throws MillraceError `MR_INTEGER_OVERFLOW`, `MR_INEXACT_VALUE` */
export function fixedValues(storage: Storage, type: DataType, validity: Uint8Array | null, rows: Rows): VectorData {
  if (storage === 'bool') return bitsOf(rows, valuesOf(rows))
  if (storage === 'uint64') return uint64s(validity, rows)
  if (storage === 'float16') return Float32Array.from(typed(Uint16Array, rows), halfToNumber)
  if (storage === 'date64') return days(validity, rows)
  return typed<VectorData>(arrayOf(type), rows)
}

function arrayOf({ kind }: DataType): TypedArrayOf<VectorData> {
  if (kind === 'timestamp') return BigInt64Array
  return kind === 'date' ? Int32Array : ARRAY_OF_KIND[kind as keyof typeof ARRAY_OF_KIND]
}

function uint64s(validity: Uint8Array | null, rows: Rows): BigInt64Array {
  const values = typed(BigInt64Array, rows)
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as bigint
    if (value >= 0n || !isValid(validity, row)) continue
    throw new MillraceError(
      'MR_INTEGER_OVERFLOW',
      `${BigInt.asUintN(64, value)} is beyond int64, as which uint64 is read; leave the column out with select or drop`,
      rowDetails(rows, row),
    )
  }
  return values
}

/** Dates that are told in milliseconds. */
function days(validity: Uint8Array | null, rows: Rows): Int32Array {
  const milliseconds = typed(BigInt64Array, rows)
  const data = new Int32Array(rows.rowCount)
  for (let row = 0; row < data.length; row++) {
    const value = milliseconds[row] as bigint
    // BigInt arithmetic takes its time, and few dates need it.
    const near = Number(value)
    const isWhole = Number.isSafeInteger(near) ? near % DAY_MS === 0 : value % BigInt(DAY_MS) === 0n
    const day = near / DAY_MS
    data[row] = day
    if ((isWhole && data[row] === Math.round(day)) || !isValid(validity, row)) continue
    throw new MillraceError(
      isWhole ? 'MR_INTEGER_OVERFLOW' : 'MR_INEXACT_VALUE',
      isWhole
        ? `the date at ${value} ms is beyond int32 days`
        : `the date at ${value} ms is no whole day; write the column as a timestamp`,
      rowDetails(rows, row),
    )
  }
  return data
}

/** Exact: every half is a float32 too. */
function halfToNumber(half: number): number {
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  const sign = half >> 15 === 0 ? 1 : -1
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}
