/**
 * Results of groups that were made partition by partition, put in the order of the groups' first rows: a column of them has the rank of each, the split in
 * its upper 32 bits and the row in the lower. All of them at once would need room twice, so it is done window by window, some splits at a time.
 */
import { MORSEL_ROWS } from '../columnar/vector.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import { placed, placeRanks, rowsOfLane } from '../kernels/radix.js'
import { takeBatch } from '../kernels/select.js'
import { concatenate, copyToHeap, freeHeapBatch } from './heap-batch.js'
import { inRounds } from './in-rounds.js'

/** A split of this lane's, and how many of its rows came. */
export interface LaneSplit {
  readonly split: number
  readonly rowCount: number
}

/** Rows of splits that are put in order at a time, or an eighth of all: each window looks at every rank. */
const WINDOW_ROWS = 2 ** 18
const MOST_WINDOWS = 8

const rowsOf = (splits: readonly LaneSplit[]): number => splits.reduce((sum, { rowCount }) => sum + rowCount, 0)

const lastOf = (splits: readonly LaneSplit[]): number => splits.reduce((last, { split }) => Math.max(last, split), 0)

/** Results whose ranks (column `rank`) are of splits that belong to a lane, in scratch: `lanes` has the lane of each split. */
function resultsOfLane(k: Kernels, batch: LaneBatch, rank: number, lane: number, lanes: Uint32Array): LaneBatch {
  const { memory } = k
  const table = memory.scratch(4 * lanes.length)
  memory.u32.set(lanes, table >>> 2)
  const { rows, count } = rowsOfLane(k, batch.columns[rank].data, batch.rowCount, table, lane)
  return takeBatch(k, batch, rows, count)
}

/**
 * Results in order, split by split, at most 65,536 rows at a time and in scratch.
 * @param results heap batches, which stay the caller's to free; of a single window they are taken.
 * @param splits ascending
 */
export function* resultsInOrder(
  k: Kernels,
  results: LaneBatch[],
  rank: number,
  splits: readonly LaneSplit[],
): Iterable<{ readonly split: number; readonly batch: LaneBatch }> {
  if (results.length === 0) return
  const most = Math.max(WINDOW_ROWS, rowsOf(splits) / MOST_WINDOWS)
  const windows = inRounds(splits, most, ({ rowCount }) => rowCount)
  if (windows.length === 1) {
    yield* ordered(k, concatenated(k, results.splice(0)), rank, splits)
    return
  }
  const table = new Uint32Array(1 + lastOf(splits))
  for (const [i, own] of windows.entries()) for (const { split } of own) table[split] = i
  for (const [i, own] of windows.entries()) {
    const all = copyOfLane(k, results, rank, i, table)
    if (all.length > 0) yield* ordered(k, concatenated(k, all), rank, own)
  }
}

const concatenated = (k: Kernels, parts: readonly LaneBatch[]): LaneBatch =>
  concatenate(
    k,
    parts.map(batch => ({ split: 0, batch })),
  )

/** Results whose ranks are of splits that belong to a lane (`lanes` has that of each split), in heap batches. */
export function copyOfLane(
  k: Kernels,
  results: readonly LaneBatch[],
  rank: number,
  lane: number,
  lanes: Uint32Array,
): LaneBatch[] {
  const { memory } = k
  const parts: LaneBatch[] = []
  try {
    for (const batch of results) {
      const mark = memory.mark()
      const rows = resultsOfLane(k, batch, rank, lane, lanes)
      if (rows.rowCount > 0) parts.push(copyToHeap(k, rows))
      memory.reset(mark)
    }
    return parts
  } catch (error) {
    for (const part of parts) freeHeapBatch(k, part)
    throw error
  }
}

/** Results of some splits by their ranks; frees them. */
function* ordered(
  k: Kernels,
  all: LaneBatch,
  rank: number,
  splits: readonly LaneSplit[],
): Iterable<{ readonly split: number; readonly batch: LaneBatch }> {
  const { memory } = k
  let at = 0
  let order = 0
  try {
    const total = rowsOf(splits)
    at = memory.allocate(4 * total + 16)
    order = memory.allocate(4 * all.rowCount + 16)
    memory.u8.fill(0xff, at, at + 4 * total)
    const mark = memory.mark()
    const firsts = memory.scratch(4 * (lastOf(splits) + 1))
    let first = 0
    for (const { split, rowCount } of splits) {
      memory.u32[(firsts >>> 2) + split] = first
      first += rowCount
    }
    placeRanks(k, all.columns[rank].data, all.rowCount, firsts, at)
    memory.reset(mark)
    first = 0
    for (const { split, rowCount } of splits) {
      const count = placed(k, at + 4 * first, rowCount, order)
      first += rowCount
      for (let from = 0; from < count; from += MORSEL_ROWS) {
        yield { split, batch: takeBatch(k, all, order + 4 * from, Math.min(MORSEL_ROWS, count - from)) }
      }
    }
  } finally {
    memory.free(at)
    memory.free(order)
    freeHeapBatch(k, all)
  }
}
