/**
 * Grouping sets (`rollup`, `cube`) of which the finest has spilled: while its shares are finished their groups, states and all, are written anew by the
 * keys of each coarser set that is derived from it, whose shares are then finished in turn. grouping-sets.ts does the same where all is in memory.
 *
 * ```
 *   by a, b   share, share, ...   each: results, and its groups by a ──┐
 *   by a      share, share, ...   each: results, and its groups by nothing ──┐
 *   by nothing                    one group, in memory
 * ```
 */
import { type DataType, int64, type SchemaShape } from '../columnar/type.js'
import { type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import { filled } from '../kernels/bitmap.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { dataBytes } from '../kernels/operand.js'
import { rangeIndices, take } from '../kernels/select.js'
import type { Stage } from '../plan/physical.js'
import type { AggregateInputs } from './aggregate-inputs.js'
import type { OperatorContext } from './build.js'
import { createSortedRuns } from './sorted-runs.js'
import { addSpilled, type Spill, type Spilled } from './spill.js'
import {
  createSpilledGroups,
  type DerivedGroups,
  type FoundGroups,
  SHARES,
  type SpilledGroups,
} from './spilled-groups.js'

/** Groups that are written anew at a time. */
const GROUPS_AT_ONCE = 16_384

interface SpilledSet {
  readonly set: readonly string[]
  readonly groups: SpilledGroups
  /** Those derived from it. */
  readonly coarser: SpilledSet[]
}

/** @param finest the groups of the first set, all of them. */
export function createSpilledSets(
  context: OperatorContext,
  spill: Spill,
  { sets, accumulators, output }: Stage & { kind: 'aggregate' },
  input: SchemaShape,
  inputs: AggregateInputs,
  finest: SpilledGroups,
): DerivedGroups {
  const { k } = context
  const { memory } = k
  const { specs } = inputs
  const [first, ...others] = sets ?? []
  const all: SpilledSet[] = [{ set: first, groups: finest, coarser: [] }]
  for (const set of others) {
    if (set.length === 0) continue
    const keyTypes = set.map(name => input[name])
    const made = { set, groups: createSpilledGroups(context, spill, keyTypes, specs, inputs.types), coarser: [] }
    // Sets come in descending size, so the last that has all its keys has the fewest others.
    parentOf(all, set).coarser.push(made)
    all.push(made)
  }
  const hasTotal = others.some(set => set.length === 0)
  let total: Aggregation | null = null
  let written: Spilled = { bytes: 0, pieces: 0, times: 0 }
  let results: ReturnType<typeof createSortedRuns> | null = null

  /** Adds groups to the one that has no keys. */
  const addToTotal = ({ rowCount, aggregation }: FoundGroups) => {
    const mark = memory.mark()
    if (total === null) {
      total = createAggregation(context, specs)
      total.resize(1)
    }
    const map = memory.scratch(4 * rowCount)
    memory.u32.fill(0, map >>> 2, (map >>> 2) + rowCount)
    total.merge(aggregation.laneState(0, rowCount), map, rowCount, rowCount)
    total.open(0, 1)
    memory.reset(mark)
  }

  const derive = ({ set, coarser }: SpilledSet, found: FoundGroups) => {
    for (const each of coarser) {
      for (let from = 0; from < found.rowCount; from += GROUPS_AT_ONCE) {
        const mark = memory.mark()
        const count = Math.min(GROUPS_AT_ONCE, found.rowCount - from)
        const rows = rangeIndices(k, from, from + count)
        const keys = each.set.map(name => take(k, found.keys[set.indexOf(name)], rows, count))
        each.groups.add(found, [{ keys, indices: rows, count }])
        memory.reset(mark)
      }
    }
  }

  /** Columns of the output: keys that the set leaves out are null. */
  const columnsOf = (set: readonly string[], columns: readonly LaneVector[], rowCount: number): LaneVector[] =>
    Object.entries(output).map(([name, type]) => {
      const key = set.indexOf(name)
      if (key >= 0) return columns[key]
      const result = accumulators.findIndex(each => each.name === name)
      return result < 0 ? nulls(k, type, rowCount) : columns[set.length + result]
    })

  const types = (set: readonly string[]): DataType[] => [
    int64(),
    ...[...set, ...accumulators.map(({ name }) => name)].map(name => output[name]),
  ]

  function* emitSet(one: SpilledSet): Generator<LaneBatch | null> {
    const sorted = createSortedRuns(context, spill, types(one.set), [{ column: 0, descending: false, nulls: 'last' }])
    results = sorted
    try {
      for (let share = 0; share < SHARES; share++) {
        yield* one.groups.finish(
          share,
          batch => sorted.add(batch, 0),
          found => {
            derive(one, found)
            if (hasTotal && one === all[0]) addToTotal(found)
          },
        )
      }
      for (const batch of sorted.sorted()) {
        if (batch === null) yield null
        else yield { ...batch, columns: columnsOf(one.set, batch.columns.slice(1), batch.rowCount) }
      }
    } finally {
      written = addSpilled(written, sorted.spilled)
      sorted.free()
      results = null
    }
  }

  function* emitTotal(): Generator<LaneBatch> {
    total ??= createAggregation(context, specs)
    total.resize(1)
    yield { rowCount: 1, columns: columnsOf([], total.evaluate(1), 1) }
  }

  return {
    get spilled() {
      const own = all.slice(1).reduce((so, { groups }) => addSpilled(so, groups.spilled), written)
      return results === null ? own : addSpilled(own, results.spilled)
    },
    *emit() {
      for (const one of all) yield* emitSet(one)
      if (hasTotal) yield* emitTotal()
    },
    free() {
      results?.free()
      total?.free()
      total = null
    },
  }
}

const parentOf = (all: readonly SpilledSet[], set: readonly string[]): SpilledSet =>
  all.findLast(each => set.every(name => each.set.includes(name))) as SpilledSet

/** A key that a set leaves out. */
function nulls(k: Kernels, type: DataType, length: number): LaneVector {
  const byteLength = dataBytes(type.kind, length)
  const data = k.memory.scratch(byteLength)
  k.memory.bytes(data, byteLength).fill(0)
  return { type, length, data, validity: filled(k, false, length), dictionary: null, range: null }
}
