/**
 * What expression kernels take and give: columns or constants in, a column and perhaps a failing row out. Columns alone are
 * said in lane-vector.ts; scalar.ts writes constants where kernels read them.
 */
import type { DataType, Kind } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import { bitmapBytes } from './bitmap.js'
import type { LaneVector } from './lane-vector.js'

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

/** Bytes of `rowCount` elements; a bitmap's in whole 16-byte blocks, a list's offsets. */
export function dataBytes(kind: Kind, rowCount: number): number {
  if (kind === 'list') return 4 * (rowCount + 1)
  return kind === 'bool' ? bitmapBytes(rowCount) : elementBytes(kind) * rowCount
}

/** How kernels are told an integer's width: its bytes, negative where unsigned; 0 for a bitmap. */
export function integerKind(kind: Kind): number {
  return kind.startsWith('u') && kind !== 'utf8' ? -elementBytes(kind) : elementBytes(kind)
}

/** `type`, nullable where `validity` says that there can be nulls. */
export const nullableIf = (type: DataType, validity: number): DataType =>
  validity === 0 || type.nullable ? type : { ...type, nullable: true }
