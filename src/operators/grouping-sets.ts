/**
 * Grouping sets (`rollup`, `cube`): lanes group by all keys, and once these groups are merged those of every other set are derived from
 * them, by merging their states. What states hold is exact, so that makes the same bits as grouping the rows.
 */
import type { SchemaShape } from '../columnar/type.js'
import { type Aggregation, createAggregation } from '../kernels/aggregate/aggregation.js'
import { filled } from '../kernels/bitmap.js'
import { createGroupTable } from '../kernels/group.js'
import type { Kernels } from '../kernels/instance.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import { dataBytes } from '../kernels/operand.js'
import { recodeText } from '../kernels/transfer-batch.js'
import type { Stage } from '../plan/physical.js'
import type { AggregateInputs } from './aggregate-inputs.js'
import type { OperatorContext } from './build.js'
import { type Grouping, groupColumns, groupsInOrder } from './group-columns.js'

/**
 * The groups of every set but the first, set by set, each in order of first appearance, in scratch that is good until the next is asked for.
 * @param finest the groups of the first set, which has all keys; the caller's to free, after this has ended.
 * @param first what they came to: columns keep the dictionaries that they have there.
 */
export function* coarserGroups(
  context: OperatorContext,
  { sets, keys, accumulators, output }: Stage & { kind: 'aggregate' },
  input: SchemaShape,
  specs: AggregateInputs['specs'],
  finest: Grouping,
  first: LaneBatch,
): Generator<LaneBatch> {
  const { k } = context
  const names = Object.keys(output)
  let derived: Grouping[] = []
  try {
    for (const set of sets?.slice(1) ?? []) {
      const from = derived
        .filter(each => set.every(name => each.set.includes(name)))
        .reduce((least, each) => (each.table.length < least.table.length ? each : least), finest)
      const grouping = derive(context, set, input, specs, from)
      derived.push(grouping)
      const { keys: values, results } = groupColumns(k, grouping)
      const rowCount = grouping.table.length
      const columns = names.map((name, i) => {
        const result = accumulators.findIndex(each => each.name === name)
        if (!keys.includes(name)) return recoded(k, results[result], first.columns[i])
        return values[set.indexOf(name)] ?? nulls(k, first.columns[i], rowCount)
      })
      yield { rowCount, columns }
      // Sets come in descending size: the next ones are derived from those of one key more.
      derived = derived.filter(each => {
        const serves = each.set.length <= set.length + 1
        if (!serves) freeGrouping(each)
        return serves
      })
    }
  } finally {
    for (const each of derived) freeGrouping(each)
  }
}

function derive(
  context: OperatorContext,
  set: readonly string[],
  input: SchemaShape,
  specs: AggregateInputs['specs'],
  from: Grouping,
): Grouping {
  const { k } = context
  const { memory } = k
  const { length } = from.table
  const table = createGroupTable(
    k,
    set.map(name => input[name]),
  )
  let aggregation: Aggregation | null = null
  const mark = memory.mark()
  try {
    aggregation = createAggregation(context, specs)
    const { keys, indices } = groupsInOrder(k, from)
    const columns = set.map(name => keys[from.set.indexOf(name)])
    // Of no rows there is but the empty set's group, which then has no state to be merged.
    if (length > 0) {
      table.cover(columns, length)
      const found = table.find(columns, length)
      aggregation.resize(table.indexCount)
      const map = found === 0 ? constantIndices(k, length) : found
      const most = mostOf(memory.u32.subarray(map >>> 2, (map >>> 2) + length), table.indexCount)
      aggregation.merge(from.aggregation.laneState(indices, length), map, length, most)
      aggregation.open(table.order, table.length)
    } else aggregation.resize(table.indexCount)
  } catch (error) {
    table.free()
    aggregation?.free()
    throw error
  } finally {
    memory.reset(mark)
  }
  return { set, table, aggregation, sortedPlaces: () => 0 }
}

function freeGrouping({ table, aggregation }: Grouping): void {
  table.free()
  aggregation.free()
}

/** For rows that are all of group 0. */
function constantIndices({ memory }: Kernels, count: number): number {
  const indices = memory.scratch(4 * count)
  memory.u32.fill(0, indices >>> 2, (indices >>> 2) + count)
  return indices
}

/** How often the most frequent index is there. */
function mostOf(indices: Uint32Array, indexCount: number): number {
  const counts = new Uint32Array(indexCount)
  let most = 0
  for (const index of indices) most = Math.max(most, ++counts[index])
  return most
}

/** A key that a set leaves out. */
function nulls(k: Kernels, key: LaneVector, length: number): LaneVector {
  const byteLength = dataBytes(key.type.kind, length)
  const data = k.memory.scratch(byteLength)
  k.memory.bytes(data, byteLength).fill(0)
  return { ...key, length, data, validity: filled(k, false, length), range: null }
}

/** Strings by the codes of `like`'s dictionary, which a column keeps; where that has none no string has come. */
function recoded(k: Kernels, column: LaneVector, like: LaneVector): LaneVector {
  const dictionary = dictionaryOf(like)
  if (dictionary !== null) return recodeText(k, column, dictionary)
  return { ...column, dictionary, ...(column.child ? { child: { ...column.child, dictionary } } : {}) }
}
