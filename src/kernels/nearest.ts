/** The nearest of the other side's times, or numbers, to each row's own: drawn in assembly/join.ts. Which rows have the row's keys is join.ts's. */
import { type DataType, isFloat } from '../columnar/type.js'
import { widen } from './cast.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'

export type Direction = 'before' | 'after' | 'either'

const DIRECTIONS: readonly Direction[] = ['before', 'after', 'either']

export interface NearestOf {
  /** In scratch or heap, ascending within each id: int64, or doubles. */
  readonly times: number
  /** How many there are. */
  readonly count: number
  /** u32[ids + 1]: where the times of each id begin; 0: all are of one. */
  readonly starts: number
}

/** A column as int64 or float64, for comparison. @returns the least row that leaves int64 too, or -1 */
export function comparableTimes(
  k: Kernels,
  column: LaneVector,
  type: DataType,
): { vector: LaneVector; failedRow: number } {
  if (column.type.kind !== 'date') return widen(k, column, type)
  const data = k.memory.scratch(8 * column.length)
  k.exports.castToInt64(4, column.data, column.length, data)
  return { vector: { ...column, type, data }, failedRow: -1 }
}

/**
 * For each row the place in `of.times` of the nearest, NONE where there is none; u32 in scratch.
 * @param ids u32 pointer; 0 where there are no keys.
 * @param tolerance bigint of whole numbers, number of floats; null: however far it is.
 */
export function findNearest(
  k: Kernels,
  { type, data, validity, length }: LaneVector,
  ids: number,
  of: NearestOf,
  direction: Direction,
  tolerance: bigint | number | null,
): number {
  const out = k.memory.scratch(4 * length)
  const how = DIRECTIONS.indexOf(direction)
  const { times, count, starts } = of
  if (isFloat(type.kind)) {
    const most = tolerance === null ? Infinity : Number(tolerance)
    k.exports.joinNearestFloats(data, validity, ids, starts, count, times, how, most, length, out)
  } else {
    const most = tolerance === null ? 2n ** 64n - 1n : BigInt(tolerance)
    k.exports.joinNearestInts(data, validity, ids, starts, count, times, how, most, length, out)
  }
  return out
}

/** rows[places[i]], NONE for NONE, in place; `rows` 0: places are rows. */
export function rowsAt({ exports }: Kernels, places: number, rows: number, count: number): number {
  if (rows !== 0) exports.joinLookUp(places, rows, count, places)
  return places
}

/** How many of the first rows are neither null nor NaN, where those are the last. */
export function countKnown(k: Kernels, { type, data, validity, length }: LaneVector): number {
  const { u8, f64, f32 } = k.memory
  let known = length
  const isNull = (row: number) => validity !== 0 && ((u8[validity + (row >> 3)] >> (row & 7)) & 1) === 0
  const hasNoOrder = (row: number) =>
    type.kind === 'float64'
      ? Number.isNaN(f64[(data >>> 3) + row])
      : type.kind === 'float32' && Number.isNaN(f32[(data >>> 2) + row])
  while (known > 0 && (isNull(known - 1) || hasNoOrder(known - 1))) known--
  return known
}
