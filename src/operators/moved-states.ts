/** States that follow where a group table gives its groups other indices. */
import type { AggregateSpec } from '../kernels/aggregate/accumulator.js'
import { type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import type { GroupTable, Move } from '../kernels/group.js'
import { rangeIndices } from '../kernels/select.js'
import type { OperatorContext } from './build.js'

/** The same states at the indices of now; the old accumulators are freed, where all went well. */
export function movedStates(
  context: OperatorContext,
  specs: readonly AggregateSpec[],
  table: GroupTable,
  old: Aggregation,
  { from, to, count }: Move,
): Aggregation {
  const fresh = createAggregation(context, specs)
  try {
    fresh.resize(table.indexCount)
    fresh.merge(old.laneState(from, count), to === 0 ? rangeIndices(context.k, 0, count) : to, count, 1)
    fresh.open(table.order, count)
  } catch (error) {
    fresh.free()
    throw error
  }
  old.free()
  return fresh
}
