/** Functions of int64 and float64 columns; typing has put in the casts. Results are in scratch, null where the input is. */
import { bool, float64, int64 } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import { bitmapBytes, booleans, bothValid, filled } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { type Computed, nullableIf, type Operand } from './operand.js'
import { isScalar, validityOf, type Walk, walk } from './scalar.js'

/** Of int64, where the least int64 fails, or float64. */
export function abs(k: Kernels, vector: LaneVector): Computed {
  const { type, length, data, validity } = vector
  const out = numbersOut(k, length)
  if (type.kind === 'float64') {
    k.exports.numbersAbsFloat64(data, length, out)
    return floats(vector, out)
  }
  return integers(vector, out, null, k.exports.numbersAbsInt64(data, validity, length, out))
}

/** -1, 0 or 1, of int64 or float64; of the latter zeros and NaN as they are. */
export function sign(k: Kernels, vector: LaneVector): Computed {
  const { type, length, data } = vector
  const out = numbersOut(k, length)
  if (type.kind === 'float64') {
    k.exports.numbersSignFloat64(data, length, out)
    return floats(vector, out)
  }
  k.exports.numbersSignInt64(data, length, out)
  return integers(vector, out, { min: -1n, max: 1n })
}

export const floor = (k: Kernels, vector: LaneVector): Computed => whole(k, vector, k.exports.numbersFloor)

export const ceil = (k: Kernels, vector: LaneVector): Computed => whole(k, vector, k.exports.numbersCeil)

function whole(k: Kernels, vector: LaneVector, kernel: typeof k.exports.numbersFloor): Computed {
  if (vector.type.kind !== 'float64') return { vector, failedRow: -1 }
  const out = numbersOut(k, vector.length)
  kernel(vector.data, vector.length, out)
  return floats(vector, out)
}

/** Halves away from zero, of the exact value of a double. @param decimals an integer from -22 to 22 */
export function round(k: Kernels, vector: LaneVector, decimals: number): Computed {
  const { type, length, data, validity } = vector
  const { exports } = k
  const unit = Number(`1e${Math.abs(decimals)}`)
  if (type.kind === 'float64') {
    const out = numbersOut(k, length)
    if (decimals === 0) exports.numbersRound(data, length, out)
    else if (decimals > 0) exports.numbersRoundDecimals(data, unit, length, out)
    else exports.numbersRoundUnits(data, unit, length, out)
    return floats(vector, out)
  }
  if (decimals >= 0) return { vector, failedRow: -1 }
  const out = numbersOut(k, length)
  if (decimals >= -18) {
    return integers(vector, out, null, exports.numbersRoundInt64(data, validity, BigInt(unit), length, out))
  }
  // Beyond int64 there are zero and, of halves of 10^19, nothing.
  k.memory.bytes(out, 8 * length).fill(0)
  const most = 5n * 10n ** 18n - 1n
  const failedRow = decimals === -19 ? exports.numbersBeyondInt64(data, validity, most, length) : -1
  return integers(vector, out, { min: 0n, max: 0n }, failedRow)
}

/** Between two bounds of its type, the upper one where they cross; a bound that is null, or NaN, is none, and NaN stays. */
export function clamp(k: Kernels, vector: LaneVector, low: Operand, high: Operand): Computed {
  const { type, length, data } = vector
  const out = numbersOut(k, length)
  const least = bound(k, vector, low, -1n)
  const most = bound(k, vector, high, 1n)
  const kernel = type.kind === 'float64' ? k.exports.numbersClampFloat64 : k.exports.numbersClampInt64
  kernel(data, ...least, validityOf(low), ...most, validityOf(high), length, out)
  return type.kind === 'float64' ? floats(vector, out) : integers(vector, out, null)
}

/** None is what nothing is beyond. */
function bound(k: Kernels, { type }: LaneVector, operand: Operand, sign: 1n | -1n): Walk {
  if (!isScalar(operand) || operand.value !== null) return walk(k, operand)
  const value = type.kind === 'float64' ? Number(sign) * Infinity : sign > 0n ? 2n ** 63n - 1n : -(2n ** 63n)
  return walk(k, { type, value })
}

/** Of int64 `width` (above 0) and `offset` are bigint, of float64 numbers. */
export function bucket(k: Kernels, vector: LaneVector, width: number | bigint, offset: number | bigint): Computed {
  const { type, length, data, validity, range } = vector
  const out = numbersOut(k, length)
  if (type.kind === 'float64') {
    k.exports.numbersBucketFloat64(data, Number(width), Number(offset), length, out)
    return floats(vector, out)
  }
  const wide = BigInt(width)
  const first = ((BigInt(offset) % wide) + wide) % wide
  const begin = (value: bigint) => value - ((((value - first) % wide) + wide) % wide)
  const bounds = range && { min: begin(range.min), max: begin(range.max) }
  return integers(vector, out, bounds, k.exports.numbersBucketInt64(data, validity, wide, first, length, out))
}

export const exp = (k: Kernels, vector: LaneVector): Computed => each(k, vector, k.exports.exponentialExp)

export const ln = (k: Kernels, vector: LaneVector): Computed => each(k, vector, k.exports.exponentialLn)

export const log10 = (k: Kernels, vector: LaneVector): Computed => each(k, vector, k.exports.exponentialLog10)

/** Of float64, as C has it: null where one is null. */
export function pow(k: Kernels, base: Operand, exponent: Operand, rowCount: number): Computed {
  const data = numbersOut(k, rowCount)
  if ([base, exponent].some(operand => isScalar(operand) && operand.value === null)) {
    return floats({ length: rowCount, validity: filled(k, false, rowCount) }, data)
  }
  const validity = bothValid(k, validityOf(base), validityOf(exponent), rowCount)
  const [a, aStep] = walk(k, base)
  const [b, bStep] = walk(k, exponent)
  k.exports.exponentialPow(a, aStep >> 1, b, bStep >> 1, rowCount, data)
  return floats({ length: rowCount, validity }, data)
}

function each(k: Kernels, vector: LaneVector, kernel: typeof k.exports.exponentialExp): Computed {
  const out = numbersOut(k, vector.length)
  kernel(float(vector).data, vector.length, out)
  return floats(vector, out)
}

/** Correctly rounded, NaN of what is below zero. */
export function sqrt(k: Kernels, vector: LaneVector): Computed {
  const out = numbersOut(k, vector.length)
  k.exports.numbersSqrt(float(vector).data, vector.length, out)
  return floats(vector, out)
}

/** True of NaN. */
export function whereNaN(k: Kernels, vector: LaneVector): Computed {
  const { length, data, validity } = float(vector)
  const out = k.memory.scratch(bitmapBytes(length))
  k.exports.numbersIsNaN(data, length, out)
  return { vector: { ...booleans(length, out, validity), type: nullableIf(bool(), validity) }, failedRow: -1 }
}

/** A pair more than there are rows at most is written. */
const numbersOut = (k: Kernels, length: number): number => k.memory.scratch(8 * length + 8)

function integers(
  { length, validity }: LaneVector,
  data: number,
  range: LaneVector['range'],
  failedRow = -1,
): Computed {
  return {
    vector: { type: nullableIf(int64(), validity), length, data, validity, dictionary: null, range },
    failedRow,
  }
}

const floats = ({ length, validity }: Pick<LaneVector, 'length' | 'validity'>, data: number): Computed => ({
  vector: { type: nullableIf(float64(), validity), length, data, validity, dictionary: null, range: null },
  failedRow: -1,
})

function float(vector: LaneVector): LaneVector {
  if (vector.type.kind === 'float64') return vector
  throw new MillraceError('MR_TYPE_MISMATCH', `no kernel for ${vector.type.kind}`)
}
