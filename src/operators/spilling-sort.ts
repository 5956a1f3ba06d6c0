/** `orderBy` and `limit` of a job with a budget: the plain operators over rows of which some may be in the job's file. */
import type { DataType, SchemaShape } from '../columnar/type.js'
import type { Stage } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { createLimit } from './limit.js'
import type { Breaker } from './operator.js'
import { createSort } from './sort.js'
import { createSortedRuns, type SortedRuns } from './sorted-runs.js'
import type { Spill } from './spill.js'

export function createSpillingSort(
  context: OperatorContext,
  spill: Spill,
  stage: Stage & { kind: 'sort' },
  input: SchemaShape,
): Breaker {
  const names = Object.keys(input)
  const keys = stage.orders.map(({ name, descending, nulls }) => ({ column: names.indexOf(name), descending, nulls }))
  const runs = createSortedRuns(context, spill, Object.values(input), keys, stage.top)
  return {
    ...createSort(context, stage, input),
    exchange: undefined,
    consume: (morsel, split) => runs.add(morsel, split),
    handOver: () => runs.handOver(),
    absorb: part => runs.absorb(part),
    *emit() {
      for (const batch of runs.sorted()) yield batch === null ? null : { ...batch, rows: 0 }
    },
    get spilled() {
      return runs.spilled
    },
    free: () => runs.free(),
  }
}

/** Rows by split and arrival. */
export const createSpillingRows = (context: OperatorContext, spill: Spill, types: readonly DataType[]): SortedRuns =>
  createSortedRuns(context, spill, types, [])

export function createSpillingLimit(
  context: OperatorContext,
  spill: Spill,
  stage: Stage & { kind: 'limit' },
  input: SchemaShape,
): Breaker {
  const rows = createSpillingRows(context, spill, Object.values(input))
  const limit = createLimit(context, stage, rows)
  return Object.defineProperty(limit, 'spilled', { get: () => rows.spilled })
}
