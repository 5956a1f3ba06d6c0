/** Groups in a table and accumulators of their own: those that are left of others, or the same with their strings in other dictionaries. */
import type { DataType } from '../columnar/type.js'
import type { AggregateSpec } from '../kernels/aggregate/accumulator.js'
import { type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import { createGroupTable, type GroupTable } from '../kernels/group.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { rangeIndices } from '../kernels/select.js'
import type { OperatorContext } from './build.js'

export interface Groups {
  readonly table: GroupTable
  readonly aggregation: Aggregation
}

/**
 * Takes `count` groups over, those with the indices `indices` (u32 pointer; 0: all, in order of first appearance), in that order; the old table and accumulators stay, for the caller to free.
 * @param recode what becomes of a column of keys
 */
export function movedGroups(
  context: OperatorContext,
  { table, aggregation }: Groups,
  indices: number,
  count: number,
  keyTypes: readonly DataType[],
  mostSlots: number,
  specs: readonly AggregateSpec[],
  isRetractable: boolean,
  recode: (column: LaneVector, key: number) => LaneVector = column => column,
): Groups {
  const { k } = context
  const mark = k.memory.mark()
  const next = createGroupTable(k, keyTypes, mostSlots)
  let fresh: Aggregation | null = null
  try {
    fresh = createAggregation(context, specs, isRetractable)
    if (count > 0) {
      const all = indices === 0 ? table.keys() : table.keysAt(indices, count)
      const keys = all.map((key, i) => recode({ ...key, range: null }, i))
      next.cover(keys, count)
      const found = next.find(keys, count)
      fresh.resize(next.indexCount)
      const states = aggregation.laneState(indices === 0 ? table.order : indices, count)
      fresh.merge(states, found === 0 ? rangeIndices(k, 0, count) : found, count, 1)
      fresh.open(next.order, next.length)
    }
  } catch (error) {
    next.free()
    fresh?.free()
    throw error
  }
  k.memory.reset(mark)
  return { table: next, aggregation: fresh }
}
