/**
 * Comparisons to bitmaps in scratch. Of null rows the bit is unspecified: the validity of the result is `bothValid` of bitmap.ts.
 * Order: numbers by value, NaN equal to itself and greatest, -0 equal to 0, int64 against float64 exactly; false before true;
 * strings by unsigned bytes; instants of one unit and days as integers.
 */
import { type Kind, typeName } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import { andNot, bitmapBytes, filled, not, or, xor } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { type CompareOp, type Operand, OUTCOMES, type Scalar, type ScalarValue } from './operand.js'
import { constant, isScalar, walk } from './scalar.js'

/**
 * Bit i: `left[i] op right[i]`. Kinds, the same on both sides but for the mix: int32 or date; int64 or timestamp; float64; int64
 * with float64; bool; utf8. At least one side is a column; constants are not null.
 * @throws MillraceError `MR_TYPE_MISMATCH`
 */
export function compare(k: Kernels, op: CompareOp, left: Operand, right: Operand, rowCount: number): number {
  if (isScalar(left)) {
    if (isScalar(right)) return compare(k, op, constant(k, left, rowCount), right, rowCount)
    return compare(k, MIRRORED[op], right, left, rowCount)
  }
  const leftKind = left.type.kind
  const rightKind = right.type.kind
  if (leftKind === 'utf8' && rightKind === 'utf8') return strings(k, op, left, right, rowCount)
  if (leftKind === 'bool' && rightKind === 'bool') return booleans(k, op, left, right, rowCount)
  const [l, r] = [storage(leftKind), storage(rightKind)]
  if (l !== null && l === r) return numbers(k, op, l, left, right, rowCount)
  if (l === 'Int64' && r === 'Float64') return mixed(k, op, left, right, rowCount)
  if (l === 'Float64' && r === 'Int64') return mixed(k, MIRRORED[op], right, left, rowCount)
  throw new MillraceError(
    'MR_TYPE_MISMATCH',
    `${op}: no kernel for ${typeName(left.type)} with ${typeName(right.type)}`,
  )
}

/** Bit i: whether `vector[i]` is among `values`, which are not null and of the vector's type. */
export function inSet(k: Kernels, vector: LaneVector, values: readonly NonNullable<ScalarValue>[]): number {
  const { type, length, data, dictionary } = vector
  if (values.length === 0) return filled(k, false, length)
  if (type.kind === 'utf8') {
    return dictionary === null
      ? filled(k, false, length)
      : dictionary.lookupBits(data, dictionary.memberOf(values.map(String)), length)
  }
  if (type.kind === 'bool' || values.length <= 4) {
    return values
      .map(value => compare(k, 'eq', vector, { type, value }, length))
      .reduce((some, next) => or(k, some, next, length))
  }
  const { exports, memory } = k
  const out = memory.scratch(bitmapBytes(length))
  const set = memory.scratch(8 * values.length)
  switch (storage(type.kind)) {
    case 'Int32':
      memory.i32.set(Int32Array.from(values, Number).sort(), set >>> 2)
      exports.compareInInt32(data, length, set, values.length, out)
      return out
    case 'Int64':
      memory.i64.set(BigInt64Array.from(values, value => BigInt(value)).sort(), set >>> 3)
      exports.compareInInt64(data, length, set, values.length, out)
      return out
    case 'Float64':
      // A typed array's own order puts NaN last, and -0 beside 0, which the kernel takes for equal.
      memory.f64.set(Float64Array.from(values, Number).sort(), set >>> 3)
      exports.compareInFloat64(data, length, set, values.length, out)
      return out
    default:
      throw new MillraceError('MR_TYPE_MISMATCH', `in: no kernel for ${typeName(type)}`)
  }
}

const MIRRORED: Readonly<Record<CompareOp, CompareOp>> = {
  eq: 'eq',
  ne: 'ne',
  lt: 'gt',
  lte: 'gte',
  gt: 'lt',
  gte: 'lte',
}

type Storage = 'Int32' | 'Int64' | 'Float64'

function storage(kind: Kind): Storage | null {
  if (kind === 'int32' || kind === 'date') return 'Int32'
  if (kind === 'int64' || kind === 'timestamp') return 'Int64'
  return kind === 'float64' ? 'Float64' : null
}

function numbers(k: Kernels, op: CompareOp, kind: Storage, left: LaneVector, right: Operand, rowCount: number): number {
  const out = k.memory.scratch(bitmapBytes(rowCount))
  const a = walk(k, left)
  const b = walk(k, right)
  const { equal, less } = comparersOf(k, kind)
  if (op === 'eq' || op === 'ne') equal(...a, ...b, op === 'ne' ? 1 : 0, rowCount, out)
  else if (op === 'lt' || op === 'gte') less(...a, ...b, op === 'gte' ? 1 : 0, rowCount, out)
  else less(...b, ...a, op === 'lte' ? 1 : 0, rowCount, out)
  return out
}

function comparersOf({ exports }: Kernels, kind: Storage) {
  if (kind === 'Int32') return { equal: exports.compareEqualInt32, less: exports.compareLessInt32 }
  if (kind === 'Int64') return { equal: exports.compareEqualInt64, less: exports.compareLessInt64 }
  return { equal: exports.compareEqualFloat64, less: exports.compareLessFloat64 }
}

function mixed(k: Kernels, op: CompareOp, integers: Operand, floats: Operand, rowCount: number): number {
  const out = k.memory.scratch(bitmapBytes(rowCount))
  k.exports.compareMixed(...walk(k, integers), ...walk(k, floats), OUTCOMES[op], rowCount, out)
  return out
}

function booleans(k: Kernels, op: CompareOp, left: LaneVector, right: Operand, rowCount: number): number {
  const a = left.data
  const b = isScalar(right) ? filled(k, right.value === true, rowCount) : right.data
  switch (op) {
    case 'eq':
      return not(k, xor(k, a, b, rowCount), rowCount)
    case 'ne':
      return xor(k, a, b, rowCount)
    case 'lt':
      return andNot(k, b, a, rowCount)
    case 'gt':
      return andNot(k, a, b, rowCount)
    case 'lte':
      return not(k, andNot(k, a, b, rowCount), rowCount)
    case 'gte':
      return not(k, andNot(k, b, a, rowCount), rowCount)
  }
}

function strings(k: Kernels, op: CompareOp, left: LaneVector, right: Operand, rowCount: number): number {
  const a = left.dictionary
  const b = isScalar(right) ? null : right.dictionary
  // A column without a dictionary holds only nulls.
  if (a === null || (!isScalar(right) && b === null)) return filled(k, false, rowCount)
  if (isScalar(right)) return a.lookupBits(left.data, a.matches(op, stringOf(right)), rowCount)
  if (a === b && (op === 'eq' || op === 'ne')) return numbers(k, op, 'Int32', left, right, rowCount)
  const out = k.memory.scratch(bitmapBytes(rowCount))
  const { offsets, bytes } = b as NonNullable<typeof b>
  k.exports.textCompareColumns(left.data, a.offsets, a.bytes, right.data, offsets, bytes, rowCount, OUTCOMES[op], out)
  return out
}

function stringOf({ value }: Scalar): string {
  return String(value)
}
