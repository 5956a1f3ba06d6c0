/** Bounds of integers, of what an expression may give: exact, beyond int64 too. */
import type { DataType } from '../columnar/type.js'
import { INT64_MAX, INT64_MIN } from './literal.js'

export interface Range {
  readonly min: bigint
  readonly max: bigint
}

const FULL: Range = { min: INT64_MIN, max: INT64_MAX }

/** Of types. */
export const RANGES: Readonly<Partial<Record<DataType['kind'], Range>>> = {
  int8: { min: -128n, max: 127n },
  int16: { min: -32_768n, max: 32_767n },
  int32: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  uint8: { min: 0n, max: 255n },
  uint16: { min: 0n, max: 65_535n },
  uint32: { min: 0n, max: 2n ** 32n - 1n },
  int64: FULL,
  timestamp: FULL,
}

/** The bounds of all; null where one has none. */
export function hull(ranges: readonly (Range | null)[]): Range | null {
  return ranges.reduce((a, b) => a && b && { min: a.min < b.min ? a.min : b.min, max: a.max > b.max ? a.max : b.max })
}

export const isWithin = (inner: Range, outer: Range): boolean => inner.min >= outer.min && inner.max <= outer.max
