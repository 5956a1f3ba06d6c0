/** Counts of distinct values over frames that have most of their rows in common (over-sliding.ts): how many rows of the window have each value is all that is kept. */
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { type Frames, type OverOrder, validityOf, valuesOf } from './over-order.js'
import { slide, trueIn } from './over-sliding.js'

/** By row. @param mask column of the rows that count, null where all do; yields where others may have a turn */
export function* frameDistincts(
  k: Kernels,
  column: LaneVector,
  mask: LaneVector | null,
  order: OverOrder,
  frames: Frames,
): Generator<null, Uint32Array> {
  const { rowCount, rows } = order
  const rowAt = (place: number) => (rows === null ? place : rows[place])
  const ids = idsOf(k, column, mask, rowCount, rowAt)
  yield null
  const counts = new Uint32Array(rowCount)
  const results = new Uint32Array(rowCount)
  let distinct = 0
  const move = (place: number, by: 1 | -1) => {
    const id = ids[place]
    if (id < 0) return
    if (by === 1 && counts[id] === 0) distinct++
    counts[id] += by
    if (by === -1 && counts[id] === 0) distinct--
  }
  yield* slide(frames, move, place => {
    results[rowAt(place)] = distinct
  })
  return results
}

/** A number for each value, by place; -1 where none counts. One zero, and one NaN. */
function idsOf(
  k: Kernels,
  column: LaneVector,
  mask: LaneVector | null,
  rowCount: number,
  rowAt: (place: number) => number,
): Int32Array {
  const values = valuesOf(k, column)
  const isValid = validityOf(k, column)
  const isTrue = trueIn(k, mask)
  const known = new Map<number | bigint, number>()
  return Int32Array.from({ length: rowCount }, (_, place) => {
    const row = rowAt(place)
    if (!isValid(row) || !isTrue(row)) return -1
    const value = values[row]
    const id = known.get(value) ?? known.size
    if (id === known.size) known.set(value, id)
    return id
  })
}
