/**
 * `groupBy().aggregate()`, and `aggregate()` without keys: a group table over the keys and the accumulators over its indices.
 *
 * Every lane groups its own rows. The others hand their groups and states to the first, which merges them by key. Groups come out in
 * order of first appearance, which costs nothing per row: a lane's indices ascend in the order in which it met the groups, so it is enough to
 * note at which index each split began.
 */

import { float64, type SchemaShape } from '../columnar/type.js'
import { MORSEL_ROWS, type VectorBatch } from '../columnar/vector.js'
import { createAggregation } from '../kernels/aggregate/aggregation.js'
import { createGroupTable } from '../kernels/group.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { takeBatch } from '../kernels/select.js'
import { argsort } from '../kernels/sort.js'
import type { Stage } from '../plan/physical.js'
import { createAggregateInputs } from './aggregate-inputs.js'
import { createBatchLoader } from './batch-loader.js'
import type { OperatorContext } from './build.js'
import { copyToHeap, freeHeapBatch, sliceBatch } from './heap-batch.js'
import type { Breaker, Morsel, Part } from './operator.js'

/** Order of appearance as one float64: exact while there are fewer than 2^21 splits. */
const SPLIT_WEIGHT = 2 ** 32

export function createAggregate(
  context: OperatorContext,
  stage: Stage & { kind: 'aggregate' },
  input: SchemaShape,
): Breaker {
  const { k } = context
  const { memory } = k
  const names = Object.keys(input)
  const keyColumns = stage.keys.map(name => names.indexOf(name))
  const inputs = createAggregateInputs(context, stage.accumulators, input)
  const table = createGroupTable(
    k,
    stage.keys.map(name => input[name]),
  )
  const aggregation = createAggregation(context, inputs.specs)
  // In the schema's order, which is not always this one: JavaScript puts integer-like names first.
  const made = [...stage.keys, ...stage.accumulators.map(({ name }) => name)]
  const outputOrder = Object.keys(stage.output).map(name => made.indexOf(name))
  const keyLoader = createBatchLoader(context)
  let isFreed = false
  let current = { split: -1, rowCount: 0 }
  /** Pairs (split, first group that appeared in it). */
  const appearance: number[] = []
  /** Rank in order of appearance per group, once another lane's groups have been merged. */
  let ranks: Float64Array | null = null

  /** Place of the first of so many rows that come next: (split, rows of it before), as one number. */
  function place(split: number, rowCount: number): number {
    if (split !== current.split) current = { split, rowCount: 0 }
    const before = current.rowCount
    current.rowCount += rowCount
    return split * SPLIT_WEIGHT + before
  }

  function consume(morsel: Morsel, split: number): void {
    const keys = keyColumns.map(i => morsel.columns[i])
    for (const [i, { dictionary }] of keys.entries()) if (dictionary !== null) keyLoader.adopt(i, dictionary)
    if (appearance.length === 0 || appearance[appearance.length - 2] !== split) appearance.push(split, table.length)
    const values = inputs.evaluate(morsel)
    const groups = table.find(keys, morsel.rowCount)
    aggregation.resize(table.length)
    aggregation.update(groups, values, morsel.rowCount, place(split, morsel.rowCount))
  }

  /** My group for each of theirs, in scratch. */
  function mapGroups(keys: LaneBatch): number {
    const map = memory.scratch(4 * keys.rowCount)
    for (let from = 0; from < keys.rowCount; from += MORSEL_ROWS) {
      const mark = memory.mark()
      const slice = sliceBatch(keys, from, Math.min(MORSEL_ROWS, keys.rowCount - from))
      const found = table.find(slice.columns, slice.rowCount)
      if (found === 0) memory.u32.fill(0, map >>> 2, (map >>> 2) + keys.rowCount)
      else memory.u8.copyWithin(map + 4 * from, found, found + 4 * slice.rowCount)
      memory.reset(mark)
    }
    return map
  }

  function absorb(part: Part<VectorBatch>): void {
    if (part.kind !== 'groups') throw new Error(`groups are absorbed here, not ${part.kind}`)
    const mark = memory.mark()
    try {
      const own = table.length
      const map = mapGroups({ ...keyLoader.load(part.keys), rowCount: part.groupCount })
      aggregation.resize(table.length)
      aggregation.merge(part.state, map, part.groupCount, 1)
      const merged = new Float64Array(table.length).fill(Infinity)
      merged.set(ranks ?? ranksOf(appearance, own))
      const theirs = ranksOf(part.appearance, part.groupCount)
      const mine = memory.u32.subarray(map >>> 2, (map >>> 2) + part.groupCount)
      for (let i = 0; i < mine.length; i++) merged[mine[i]] = Math.min(merged[mine[i]], theirs[i])
      ranks = merged
    } finally {
      memory.reset(mark)
    }
  }

  /** All groups with their results in order of appearance, in scratch. */
  function evaluate(): LaneBatch {
    const rowCount = table.length
    const results = [...table.keys(), ...aggregation.evaluate(rowCount)]
    const all = { rowCount, columns: outputOrder.map(i => results[i]) }
    if (ranks === null) return all
    const data = memory.scratch(8 * rowCount)
    memory.f64.set(ranks, data >>> 3)
    const vector: LaneVector = { type: float64(), length: rowCount, data, validity: 0, dictionary: null, range: null }
    return takeBatch(k, all, argsort(k, [{ vector, descending: false, nulls: 'last' }], rowCount), rowCount)
  }

  function free(): void {
    if (isFreed) return
    isFreed = true
    inputs.free()
    table.free()
    aggregation.free()
    keyLoader.close()
  }

  try {
    // Without keys there is one group from the start, rows or none.
    aggregation.resize(table.length)
  } catch (error) {
    free()
    throw error
  }
  return {
    label: `aggregate by ${stage.keys.length === 0 ? 'nothing' : stage.keys.join(', ')}`,
    kernels: () => [`group: ${table.kernel}`, ...aggregation.kernels],
    consume,
    wants: () => true,
    *handOver() {
      const keys = { rowCount: table.length, columns: table.keys() }
      yield {
        kind: 'groups',
        groupCount: table.length,
        appearance: Float64Array.from(appearance),
        keys,
        state: aggregation.state(0, table.length),
      }
    },
    absorb,
    *emit() {
      const all = evaluate()
      if (all.rowCount <= MORSEL_ROWS) {
        if (all.rowCount > 0) yield { ...all, rows: 0 }
        return
      }
      const kept = copyToHeap(k, all)
      try {
        for (let from = 0; from < kept.rowCount; from += MORSEL_ROWS) {
          yield { ...sliceBatch(kept, from, Math.min(MORSEL_ROWS, kept.rowCount - from)), rows: 0 }
        }
      } finally {
        freeHeapBatch(k, kept)
      }
    },
    free,
  }
}

/** (split, index within its lane) of each group as one ascending number: a split belongs to one lane, so these order all groups. */
function ranksOf(appearance: ArrayLike<number>, groupCount: number): Float64Array {
  const ranks = new Float64Array(groupCount)
  for (let i = 0; i < appearance.length; i += 2) {
    const end = appearance[i + 3] ?? groupCount
    for (let group = appearance[i + 1]; group < end; group++) ranks[group] = appearance[i] * SPLIT_WEIGHT + group
  }
  return ranks
}
