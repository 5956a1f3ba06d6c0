/**
 * Counts of distinct values, and modes, over frames that have most of their rows in common (over-sliding.ts): how many rows of the window have each value is what is
 * kept. The mode is the winner of a tournament of all values, of which a row that comes or goes plays the matches of its own value again.
 */
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
  const { ids, firstRows } = idsOf(k, column, mask, rowCount, rowAt)
  yield null
  const counts = new Uint32Array(firstRows.length)
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

/** A row that has the mode, by row, and whether there is one. Of values that are as frequent the least wins, of floats NaN last. */
export interface FrameModes {
  readonly rowOf: Uint32Array<ArrayBuffer>
  readonly isThere: Uint8Array
}

/** @param mask as above */
export function* frameModes(
  k: Kernels,
  column: LaneVector,
  mask: LaneVector | null,
  order: OverOrder,
  frames: Frames,
): Generator<null, FrameModes> {
  const { rowCount, rows } = order
  const rowAt = (place: number) => (rows === null ? place : rows[place])
  const { ids, firstRows } = idsOf(k, column, mask, rowCount, rowAt)
  const { seats, rowOfSeat } = seated(k, column, firstRows)
  yield null
  const half = 2 ** Math.ceil(Math.log2(Math.max(1, firstRows.length)))
  const counts = new Uint32Array(half)
  /** Winner of each match: that of 2 * i and 2 * i + 1 at i, the seats themselves from `half` on. */
  const winners = Uint32Array.from({ length: 2 * half }, (_, i) => Math.max(0, i - half))
  for (let i = half - 1; i > 0; i--) winners[i] = winners[2 * i]
  const rowOf = new Uint32Array(rowCount)
  const isThere = new Uint8Array(rowCount)
  const move = (place: number, by: 1 | -1) => {
    if (ids[place] < 0) return
    const seat = seats[ids[place]]
    counts[seat] += by
    for (let i = (half + seat) >>> 1; i > 0; i >>>= 1) {
      const [left, right] = [winners[2 * i], winners[2 * i + 1]]
      winners[i] = counts[right] > counts[left] ? right : left
    }
  }
  yield* slide(frames, move, place => {
    const winner = winners[1]
    if (counts[winner] === 0) return
    rowOf[rowAt(place)] = rowOfSeat[winner]
    isThere[rowAt(place)] = 1
  })
  return { rowOf, isThere }
}

/** Values in ascending order: the seat of each id, and a row of each seat's value. */
function seated(
  k: Kernels,
  column: LaneVector,
  firstRows: readonly number[],
): { readonly seats: Uint32Array; readonly rowOfSeat: Uint32Array } {
  const values = valuesOf(k, column)
  const ranks = column.dictionary === null ? 0 : column.dictionary.ranks() >>> 2
  const { u32 } = k.memory
  const keyOf = (row: number) => (column.dictionary === null ? values[row] : u32[ranks + (values[row] as number)])
  const ascending = firstRows.map((_, id) => id)
  ascending.sort((a, b) => {
    const [x, y] = [keyOf(firstRows[a]), keyOf(firstRows[b])]
    if (x < y) return -1
    // Only NaN is not itself, and there is one.
    return x > y || Number.isNaN(x) ? 1 : Number.isNaN(y) ? -1 : 0
  })
  const seats = new Uint32Array(firstRows.length)
  for (const [seat, id] of ascending.entries()) seats[id] = seat
  return { seats, rowOfSeat: Uint32Array.from(ascending, id => firstRows[id]) }
}

/** A number for each value, by place, -1 where none counts; and a row of each. One zero, and one NaN. */
function idsOf(
  k: Kernels,
  column: LaneVector,
  mask: LaneVector | null,
  rowCount: number,
  rowAt: (place: number) => number,
): { readonly ids: Int32Array; readonly firstRows: readonly number[] } {
  const values = valuesOf(k, column)
  const isValid = validityOf(k, column)
  const isTrue = trueIn(k, mask)
  const known = new Map<number | bigint, number>()
  const firstRows: number[] = []
  const ids = Int32Array.from({ length: rowCount }, (_, place) => {
    const row = rowAt(place)
    if (!isValid(row) || !isTrue(row)) return -1
    const value = values[row]
    const id = known.get(value) ?? firstRows.length
    if (id === firstRows.length) {
      known.set(value, id)
      firstRows.push(row)
    }
    return id
  })
  return { ids, firstRows }
}
