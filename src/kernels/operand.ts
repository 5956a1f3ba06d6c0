/**
 * What expression kernels take and give: columns or constants in, a column and perhaps a failing row out. Columns alone are
 * said in lane-vector.ts.
 */
import type { DataType, Kind } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import { bitmapBytes } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import type { LaneDictionary } from './text.js'

/** What kernels are asked to do. The expression tree (expressions/node.ts) has the same words; neither floor imports the other. */
export type ArithmeticOp = 'add' | 'sub' | 'mul' | 'div' | 'intDiv' | 'mod'
export type CompareOp = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte'
export type TimePart = 'year' | 'month' | 'dayOfWeek' | 'hour'

/** The outcomes of an order that satisfy a comparison: bit 0 less, bit 1 equal, bit 2 greater. */
export const OUTCOMES: Readonly<Record<CompareOp, number>> = { lt: 1, eq: 2, lte: 3, gt: 4, ne: 5, gte: 6 }

export type ScalarValue = boolean | number | bigint | string | null

/** One value for every row. int64 and timestamp are bigint (a safe number will do), a date is days. */
export interface Scalar {
  readonly type: DataType
  readonly value: ScalarValue
}

export type Operand = LaneVector | Scalar

export interface Computed {
  /** In scratch; its type is nullable where it has validity or an input was nullable. */
  readonly vector: LaneVector
  /** The least non-null row whose value cannot be told (int64 overflow), or -1; its data is then unspecified. */
  readonly failedRow: number
}

export const isScalar = (operand: Operand): operand is Scalar => !('data' in operand)

export const validityOf = (operand: Operand): number => (isScalar(operand) ? 0 : operand.validity)

/** Bytes of one element in a lane; 0 for bool, which is a bitmap. */
export function elementBytes(kind: Kind): number {
  switch (kind) {
    case 'bool':
      return 0
    case 'int8':
    case 'uint8':
      return 1
    case 'int16':
    case 'uint16':
      return 2
    case 'int32':
    case 'uint32':
    case 'float32':
    case 'date':
    case 'utf8':
      return 4
    case 'int64':
    case 'float64':
    case 'timestamp':
      return 8
    default:
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `columns of ${kind} cannot be computed with in this version; drop the column first`,
      )
  }
}

/** Bytes of `rowCount` elements; a bitmap's in whole 16-byte blocks. */
export function dataBytes(kind: Kind, rowCount: number): number {
  return kind === 'bool' ? bitmapBytes(rowCount) : elementBytes(kind) * rowCount
}

/** How kernels are told an integer's width: its bytes, negative where unsigned; 0 for a bitmap. */
export function integerKind(kind: Kind): number {
  return kind.startsWith('u') && kind !== 'utf8' ? -elementBytes(kind) : elementBytes(kind)
}

/** A scalar of a fixed-width type as 16 bytes of copies in scratch, so that a loop walks it with step 0. */
export function writeScalar(k: Kernels, { type, value }: Scalar): number {
  const { memory } = k
  const pointer = memory.scratch(16)
  if (type.kind === 'float64') memory.f64.fill(Number(value), pointer >>> 3, (pointer >>> 3) + 2)
  else if (elementBytes(type.kind) === 8) memory.i64.fill(BigInt(value as bigint), pointer >>> 3, (pointer >>> 3) + 2)
  else memory.i32.fill(Number(value), pointer >>> 2, (pointer >>> 2) + 4)
  return pointer
}

/** Where kernels read an operand of 8-byte or 4-byte elements, and by how many bytes they step for 16 bytes of result. */
export type Walk = readonly [pointer: number, step: number]

export function walk(k: Kernels, operand: Operand): Walk {
  return isScalar(operand) ? [writeScalar(k, operand), 0] : [operand.data, 16]
}

/** A column of one value, in scratch. A string needs the dictionary that its code is to come from. */
export function constant(
  k: Kernels,
  { type, value }: Scalar,
  rowCount: number,
  dictionary: LaneDictionary | null = null,
): LaneVector {
  const { memory } = k
  const code = type.kind === 'utf8' && value !== null ? dictionary?.internStrings([String(value)])[0] : 0
  if (code === undefined || (type.kind === 'utf8' && dictionary === null)) {
    throw new MillraceError('MR_TYPE_MISMATCH', 'constant: a column of strings needs a dictionary')
  }
  const validity = value === null ? memory.scratch(bitmapBytes(rowCount)) : 0
  if (validity !== 0) memory.bytes(validity, bitmapBytes(rowCount)).fill(0)
  const { kind } = type
  const data = memory.scratch(dataBytes(kind, rowCount))
  const width = elementBytes(kind)
  const at = data / (width || 1)
  const end = at + rowCount
  if (kind === 'bool') memory.bytes(data, bitmapBytes(rowCount)).fill(value === true ? 0xff : 0)
  else if (kind === 'float64') memory.f64.fill(Number(value), at, end)
  else if (kind === 'float32') memory.f32.fill(Number(value), at, end)
  else if (width === 8) memory.i64.fill(BigInt((value ?? 0) as bigint), at, end)
  else if (width === 4) memory.i32.fill(kind === 'utf8' ? code : Number(value), at, end)
  else if (width === 2) memory.i16.fill(Number(value), at, end)
  else memory.i8.fill(Number(value), at, end)
  return { type, length: rowCount, data, validity, dictionary: kind === 'utf8' ? dictionary : null, range: null }
}

/** `type`, nullable where `validity` says that there can be nulls. */
export const nullableIf = (type: DataType, validity: number): DataType =>
  validity === 0 || type.nullable ? type : { ...type, nullable: true }
