/** All groups of one set of keys as columns: their keys and results, in order of first appearance. */
import type { Aggregation } from '../kernels/aggregate/aggregation.js'
import type { GroupTable } from '../kernels/group.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { take, takeIndices } from '../kernels/select.js'

/** The groups of one set of keys and their states. */
export interface Grouping {
  /** Names of the table's keys. */
  readonly set: readonly string[]
  readonly table: GroupTable
  readonly aggregation: Aggregation
  /** The places of the groups in order of first appearance (u32 pointer in scratch), 0 where the table has them in order. */
  sortedPlaces(): number
}

/** Columns of all groups in order of first appearance, in scratch: keys, and a result for each of the specs. */
export function groupColumns(k: Kernels, grouping: Grouping): { keys: LaneVector[]; results: LaneVector[] } {
  const { table, aggregation } = grouping
  const { keys, indices } = groupsInOrder(k, grouping)
  const results = aggregation
    .evaluate(table.indexCount)
    .map(each => (indices === 0 ? each : take(k, each, indices, table.length)))
  return { keys, results }
}

/** Keys and indices (u32 pointer, 0 where group g has index g) of all groups in order of first appearance, in scratch. */
export function groupsInOrder(k: Kernels, { table, sortedPlaces }: Grouping): { keys: LaneVector[]; indices: number } {
  const { length } = table
  const places = sortedPlaces()
  const keys = table.keys().map(key => (places === 0 ? key : take(k, key, places, length)))
  return { keys, indices: takeIndices(k, table.order, places, length) }
}
