import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { copyToHeap, freeHeapBatch } from './heap-batch.js'

/** Has the columns of kept batches be others of the same values, each in the place of the one before. */
export function recodeKept(
  k: Kernels,
  kept: Iterable<{ batch: LaneBatch }>,
  change: (column: LaneVector) => LaneVector,
): void {
  for (const each of kept) {
    const mark = k.memory.mark()
    const { rowCount, columns } = each.batch
    const batch = copyToHeap(k, { rowCount, columns: columns.map(change) })
    freeHeapBatch(k, each.batch)
    each.batch = batch
    k.memory.reset(mark)
  }
}
