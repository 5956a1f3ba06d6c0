/** Functions of int64 and float64 columns; typing has put in the casts. Results are in scratch, null where the input is. */
import { bool, float64, int64 } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import { bitmapBytes, booleans } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { type Computed, nullableIf } from './operand.js'

/** Of int64, where the least int64 fails, or float64. */
export function abs(k: Kernels, vector: LaneVector): Computed {
  const { type, length, data, validity } = vector
  const out = numbersOut(k, length)
  if (type.kind === 'float64') {
    k.exports.numbersAbsFloat64(data, length, out)
    return floats(vector, out)
  }
  const failedRow = k.exports.numbersAbsInt64(data, validity, length, out)
  return {
    vector: { type: nullableIf(int64(), validity), length, data: out, validity, dictionary: null, range: null },
    failedRow,
  }
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

const floats = ({ length, validity }: LaneVector, data: number): Computed => ({
  vector: { type: nullableIf(float64(), validity), length, data, validity, dictionary: null, range: null },
  failedRow: -1,
})

function float(vector: LaneVector): LaneVector {
  if (vector.type.kind === 'float64') return vector
  throw new MillraceError('MR_TYPE_MISMATCH', `no kernel for ${vector.type.kind}`)
}
