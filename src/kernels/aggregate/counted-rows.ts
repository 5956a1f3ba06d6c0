/** The rows of an update that count, end to end, for accumulators that keep them. */
import type { Kernels } from '../instance.js'
import type { LaneVector } from '../lane-vector.js'
import { selection, take } from '../select.js'
import type { AccumulatorRows } from './accumulator.js'

/** The first input's values and their groups (u32 pointer, 0: all of group 0), in scratch or as they came; none is null. */
export function countedRows(
  k: Kernels,
  { vectors: [vector], groups, rowCount, validity }: AccumulatorRows,
): { vector: LaneVector; groups: number } {
  if (validity === 0) return { vector: { ...vector, validity: 0, length: rowCount }, groups }
  const { indices, count } = selection(k, validity, rowCount)
  const taken = take(k, { ...vector, validity: 0 }, indices, count)
  if (groups === 0) return { vector: taken, groups }
  const theirs = k.memory.scratch(4 * count)
  k.exports.selectTake32(groups, indices, count, theirs)
  return { vector: taken, groups: theirs }
}
