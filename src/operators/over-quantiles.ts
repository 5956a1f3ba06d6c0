/**
 * Quantiles over frames that have most of their rows in common (over-sliding.ts). How many rows of the window have each value is kept in a Fenwick tree (Fenwick 1994),
 * so that a row costs the logarithm of the number of values, and so does a quantile. What one is, is said at the head of kernels/aggregate/kept-values.ts; results have
 * the very same bits.
 */
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { type Frames, type OverOrder, validityOf, valuesOf } from './over-order.js'
import { slide, trueIn } from './over-sliding.js'

/** Results by row: quantiles, and whether a frame had a value at all. */
export interface FrameQuantiles {
  readonly values: Float64Array
  readonly isThere: Uint8Array
}

/** @param mask column of the rows that count, null where all do; yields where others may have a turn */
export function* frameQuantiles(
  k: Kernels,
  column: LaneVector,
  mask: LaneVector | null,
  q: number,
  order: OverOrder,
  frames: Frames,
): Generator<null, FrameQuantiles> {
  const { rowCount, rows } = order
  const { distinct, ranks } = rankedValues(k, column, mask, order)
  yield null
  const window = countedRanks(distinct.length)
  const values = new Float64Array(rowCount)
  const isThere = new Uint8Array(rowCount)
  const move = (place: number, by: 1 | -1) => {
    if (ranks[place] >= 0) window.add(ranks[place], by)
  }
  yield* slide(frames, move, place => {
    if (window.count() === 0) return
    const row = rows === null ? place : rows[place]
    values[row] = quantileOf(window, distinct, q)
    isThere[row] = 1
  })
  return { values, isThere }
}

/** All values that count, ascending, each once; and which of them each place has, -1 where none. */
function rankedValues(
  k: Kernels,
  column: LaneVector,
  mask: LaneVector | null,
  { rowCount, rows }: OverOrder,
): { readonly distinct: Float64Array; readonly ranks: Int32Array } {
  const given = valuesOf(k, column)
  const isValid = validityOf(k, column)
  const isTrue = trueIn(k, mask)
  const placed = new Float64Array(rowCount)
  const ranks = new Int32Array(rowCount)
  let count = 0
  for (let place = 0; place < rowCount; place++) {
    const row = rows === null ? place : rows[place]
    ranks[place] = isValid(row) && isTrue(row) ? 0 : -1
    if (ranks[place] < 0) continue
    const value = Number(given[row])
    // One zero, and one NaN.
    placed[place] = Number.isNaN(value) ? Number.NaN : value + 0
    count++
  }
  const distinct = new Float64Array(count)
  for (let place = 0, at = 0; place < rowCount; place++) if (ranks[place] === 0) distinct[at++] = placed[place]
  distinct.sort()
  let length = 0
  for (const value of distinct) {
    if (length === 0 || !Object.is(value, distinct[length - 1])) distinct[length++] = value
  }
  for (let place = 0; place < rowCount; place++) {
    if (ranks[place] === 0) ranks[place] = rankOf(placed[place], distinct, length)
  }
  return { distinct: distinct.subarray(0, length), ranks }
}

/** NaN is the last. */
function rankOf(value: number, distinct: Float64Array, length: number): number {
  if (Number.isNaN(value)) return length - 1
  let [low, high] = [0, length - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (distinct[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}

interface CountedRanks {
  count(): number
  add(rank: number, by: 1 | -1): void
  /** The rank of the value that has so many before it. */
  at(nth: number): number
}

/** tree[i] has the counts of ranks i - (i & -i) to i - 1. */
function countedRanks(size: number): CountedRanks {
  const tree = new Int32Array(size + 1)
  const top = size === 0 ? 0 : 2 ** (31 - Math.clz32(size))
  let count = 0
  return {
    count: () => count,
    add(rank, by) {
      count += by
      for (let i = rank + 1; i <= size; i += i & -i) tree[i] += by
    },
    at(nth) {
      let rank = 0
      let left = nth
      for (let step = top; step > 0; step >>>= 1) {
        if (rank + step > size || tree[rank + step] > left) continue
        rank += step
        left -= tree[rank]
      }
      return rank
    },
  }
}

function quantileOf(window: CountedRanks, distinct: Float64Array, q: number): number {
  const height = (window.count() - 1) * q
  const nth = Math.floor(height)
  const a = distinct[window.at(nth)]
  return height === nth ? a : between(a, distinct[window.at(nth + 1)], height - nth)
}

function between(a: number, b: number, t: number): number {
  if (a === b) return a
  if (t === 0.5) {
    const sum = a + b
    // Half of the least number is a zero, which has no sign.
    return (Math.abs(sum) === Infinity ? a / 2 + b / 2 : sum / 2) + 0
  }
  const distance = b - a
  return (distance < Infinity ? Math.min(a + t * distance, b) : a * (1 - t) + b * t) + 0
}
