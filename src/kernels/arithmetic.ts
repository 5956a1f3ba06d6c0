/**
 * Arithmetic of columns and constants, int64 with int64 or float64 with float64: the casts before it are cast.ts's work, and
 * have been put in by typing. Results are in scratch. Floats follow IEEE 754 and are not made canonical here: whoever makes a
 * key or a result of them folds -0 and the NaNs.
 */
import { type DataType, float64, int64 } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import { bitmapBytes, bothValid, count, filled } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { type ArithmeticOp, type Computed, nullableIf, type Operand } from './operand.js'
import { isScalar, validityOf, type Walk, walk, writeScalar } from './scalar.js'

/**
 * `left op right` row by row; null where either is null or a divisor (of div, intDiv, mod) is zero. `div` is of floats only.
 * `intDiv` and `mod` floor: the remainder has the divisor's sign. Integers never wrap: a row that leaves int64 is `failedRow`.
 */
export function arithmetic(k: Kernels, op: ArithmeticOp, left: Operand, right: Operand, rowCount: number): Computed {
  const kind = left.type.kind
  if (kind !== right.type.kind || (kind !== 'float64' && (kind !== 'int64' || op === 'div'))) {
    throw new MillraceError('MR_TYPE_MISMATCH', `${op}: no kernel for ${kind} with ${right.type.kind}`)
  }
  const type = kind === 'int64' ? int64() : float64()
  const data = k.memory.scratch(8 * rowCount + 8)
  if (isNullScalar(left) || isNullScalar(right)) return result(type, rowCount, data, filled(k, false, rowCount), -1)
  const a = walk(k, left)
  const b = walk(k, right)
  const validity = bothValid(k, validityOf(left), validityOf(right), rowCount)
  if (kind === 'float64') return floats(k, op, a, b, validity, rowCount, type, data)
  const { exports } = k
  if (op === 'intDiv' || op === 'mod') {
    const out = k.memory.scratch(bitmapBytes(rowCount))
    const failed = exports.arithmeticDivideInt64(op === 'mod', ...a, ...b, validity, rowCount, data, out)
    const isNeverNull = validity === 0 && isScalar(right) && BigInt(right.value as bigint) !== 0n
    return result(type, rowCount, data, isNeverNull ? 0 : out, failed)
  }
  const kernel =
    op === 'add' ? exports.arithmeticAddInt64 : op === 'sub' ? exports.arithmeticSubInt64 : exports.arithmeticMulInt64
  return result(type, rowCount, data, validity, kernel(...a, ...b, validity, rowCount, data))
}

/** `-vector` of int64 (where the least int64 fails) or float64. */
export function negate(k: Kernels, vector: LaneVector): Computed {
  const { type, length, validity } = vector
  const data = k.memory.scratch(8 * length + 8)
  if (type.kind === 'float64') {
    k.exports.arithmeticNegateFloat64(vector.data, length, data)
    return result(float64(), length, data, validity, -1)
  }
  if (type.kind !== 'int64') throw new MillraceError('MR_TYPE_MISMATCH', `neg: no kernel for ${type.kind}`)
  const zero = writeScalar(k, { type, value: 0n })
  return result(
    int64(),
    length,
    data,
    validity,
    k.exports.arithmeticNegateInt64(vector.data, zero, validity, length, data),
  )
}

function floats(
  k: Kernels,
  op: ArithmeticOp,
  a: Walk,
  b: Walk,
  validity: number,
  rowCount: number,
  type: DataType,
  data: number,
): Computed {
  const { exports } = k
  if (op === 'add') exports.arithmeticAddFloat64(...a, ...b, rowCount, data)
  else if (op === 'sub') exports.arithmeticSubFloat64(...a, ...b, rowCount, data)
  else if (op === 'mul') exports.arithmeticMulFloat64(...a, ...b, rowCount, data)
  else {
    const nonZero = k.memory.scratch(bitmapBytes(rowCount))
    const zero = writeScalar(k, { type, value: 0 })
    exports.compareEqualFloat64(...b, zero, 0, 1, rowCount, nonZero)
    if (count(k, nonZero, rowCount) < rowCount) validity = bothValid(k, validity, nonZero, rowCount)
    if (op === 'div') exports.arithmeticDivFloat64(...a, ...b, rowCount, data)
    else exports.arithmeticDivideFloat64(op === 'mod', ...a, ...b, rowCount, data)
  }
  return result(type, rowCount, data, validity, -1)
}

const isNullScalar = (operand: Operand): boolean => isScalar(operand) && operand.value === null

function result(type: DataType, length: number, data: number, validity: number, failedRow: number): Computed {
  return {
    vector: { type: nullableIf(type, validity), length, data, validity, dictionary: null, range: null },
    failedRow,
  }
}
