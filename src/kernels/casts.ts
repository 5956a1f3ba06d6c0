/**
 * A column as another type, where values may not fit: numbers, truths, dates and timestamps among themselves. All go by way of int64 or float64, the
 * widening to which is cast.ts's. Strings are cast-text.ts's.
 */
import { type DataType, float64, int32, int64, type Kind, type TimeUnit } from '../columnar/type.js'
import { bitmapBytes } from './bitmap.js'
import { UNITS_PER_SECOND, unitsPerDay, widen } from './cast.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { dataBytes, elementBytes } from './operand.js'

export interface Conversion {
  /** In scratch, or the input's own buffers; its validity is the input's. */
  readonly vector: LaneVector
  /** A bitmap of the rows whose value fits; 0 where all do. Of null rows nothing is said. */
  readonly fits: number
}

/** `vector` as `type`. Fractions are cut off, a coarser unit of time gets the floor, floats the nearest value. */
export function convert(k: Kernels, vector: LaneVector, type: DataType): Conversion {
  const from = vector.type
  if (from.kind === type.kind && from.unit === type.unit) return { vector: { ...vector, type }, fits: 0 }
  if (from.kind === 'float32' || from.kind === 'float64') return ofFloats(k, widen(k, vector, float64()).vector, type)
  if (from.kind === 'timestamp' && type.kind === 'timestamp') {
    return rescaled(k, vector, type, UNITS_PER_SECOND[from.unit as TimeUnit], UNITS_PER_SECOND[type.unit as TimeUnit])
  }
  if (from.kind === 'date' && type.kind === 'timestamp') {
    return rescaled(k, counts(k, vector), type, 1n, unitsPerDay(type.unit as TimeUnit))
  }
  if (from.kind === 'timestamp' && type.kind === 'date') {
    const { vector: days } = rescaled(k, vector, int64(), unitsPerDay(from.unit as TimeUnit), 1n)
    return ofIntegers(k, days, type)
  }
  return ofIntegers(k, counts(k, vector), type)
}

/** Integers, truths, days and ticks as int64. */
export function counts(k: Kernels, vector: LaneVector): LaneVector {
  const { type, length, data } = vector
  if (type.kind === 'timestamp') return { ...vector, type: int64() }
  if (type.kind === 'date') return widen(k, { ...vector, type: int32() }, int64()).vector
  if (type.kind !== 'bool') return widen(k, vector, int64()).vector
  const out = k.memory.scratch(8 * length + 8)
  k.exports.castsOfBits(data, length, out)
  return { ...vector, type: int64(), data: out, range: { min: 0n, max: 1n } }
}

/** The bounds of what a kind of integers, or of days, holds. */
function boundsOf(kind: Kind): { readonly min: bigint; readonly max: bigint } {
  const bits = BigInt(8 * elementBytes(kind))
  if (kind.startsWith('u')) return { min: 0n, max: (1n << bits) - 1n }
  return { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n }
}

/** From int64. */
function ofIntegers(k: Kernels, vector: LaneVector, type: DataType): Conversion {
  const { exports, memory } = k
  const { data, length, range } = vector
  const { kind } = type
  const as = (out: number, fits = 0, bounds = range): Conversion => ({
    vector: { ...vector, type, data: out, range: bounds },
    fits,
  })
  if (kind === 'int64' || kind === 'timestamp') return as(data)
  if (kind === 'float64') return { vector: { ...widen(k, vector, type).vector, type }, fits: 0 }
  const out = memory.scratch(dataBytes(kind, length) + 16)
  if (kind === 'float32') {
    exports.castsInt64ToFloat32(data, length, out)
    return as(out, 0, null)
  }
  if (kind === 'bool') {
    exports.castsNonZeroInt64(data, length, out)
    return as(out, 0, null)
  }
  const { min, max } = boundsOf(kind)
  let fits = 0
  if (range === null || range.min < min || range.max > max) {
    fits = memory.scratch(bitmapBytes(length))
    if (exports.castsWithin(data, min, max, length, fits)) fits = 0
  }
  exports.castsNarrow(data, elementBytes(kind), length, out)
  return as(out, fits, range && { min: range.min < min ? min : range.min, max: range.max > max ? max : range.max })
}

/** From float64. */
function ofFloats(k: Kernels, vector: LaneVector, type: DataType): Conversion {
  const { exports, memory } = k
  const { data, length } = vector
  const { kind } = type
  if (kind === 'float64') return { vector, fits: 0 }
  const fits = memory.scratch(bitmapBytes(length))
  const out = memory.scratch(Math.max(dataBytes(kind, length), 8 * length) + 16)
  const as = (to: DataType, all: number): Conversion => ({
    vector: { ...vector, type: to, data: out, range: null },
    fits: all ? 0 : fits,
  })
  if (kind === 'float32') return as(type, Number(exports.castsToFloat32(data, length, out, fits)))
  if (kind === 'bool') return as(type, Number(exports.castsNonZeroFloat64(data, length, out, fits)))
  // The doubles next to what is cut off to something that fits; those of int64 lie further away.
  const { min, max } = boundsOf(kind)
  const below = kind === 'int64' ? -(2 ** 63 + 2048) : Number(min) - 1
  const cut = as(int64(), Number(exports.castsTruncate(data, below, Number(max + 1n), length, out, fits)))
  if (kind === 'int64') return cut
  const narrow = memory.scratch(dataBytes(kind, length) + 16)
  exports.castsNarrow(out, elementBytes(kind), length, narrow)
  return { ...cut, vector: { ...cut.vector, type, data: narrow } }
}

/** Counts of `from` to a second (or of one day) as counts of `to`. */
function rescaled(k: Kernels, vector: LaneVector, type: DataType, from: bigint, to: bigint): Conversion {
  const { exports, memory } = k
  const { data, length, range } = vector
  const out = memory.scratch(8 * length + 16)
  if (to <= from) {
    const divisor = from / to
    exports.castsFloorDivide(data, divisor, length, out)
    const bounds = range && { min: floorDivide(range.min, divisor), max: floorDivide(range.max, divisor) }
    return { vector: { ...vector, type, data: out, range: bounds }, fits: 0 }
  }
  const fits = memory.scratch(bitmapBytes(length))
  const all = exports.castsMultiply(data, to / from, length, out, fits)
  const bounds = all && range ? { min: (range.min * to) / from, max: (range.max * to) / from } : null
  return { vector: { ...vector, type, data: out, range: bounds }, fits: all ? 0 : fits }
}

const floorDivide = (value: bigint, divisor: bigint): bigint =>
  value / divisor - (value < 0n && value % divisor !== 0n ? 1n : 0n)

/** The least row that is not null and does not fit, or -1. */
export const firstUnfit = (k: Kernels, validity: number, fits: number, length: number): number =>
  k.exports.castsFirstUnfit(validity, fits, length)
