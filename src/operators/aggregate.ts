/**
 * `groupBy().aggregate()`, and `aggregate()` without keys: a group table over the keys and the accumulators over its indices.
 *
 * Every lane groups its own rows. The others hand their groups and states to the first, which merges them by key. Groups come out in
 * order of first appearance, which costs nothing per row: a lane's indices ascend in the order in which it met the groups, so it is enough to
 * note at which index each split began.
 */

import type { SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import { type AggregateFunction, SPLIT_WEIGHT } from '../kernels/aggregate/accumulator.js'
import { createAggregation } from '../kernels/aggregate/aggregation.js'
import { type Appearance, createAppearance, ranksOfGroups } from '../kernels/appearance.js'
import { createGroupTable } from '../kernels/group.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { rangeIndices } from '../kernels/select.js'
import type { Panes } from '../plan/logical.js'
import type { Stage } from '../plan/physical.js'
import { createAggregateInputs } from './aggregate-inputs.js'
import { createBatchLoader } from './batch-loader.js'
import type { OperatorContext, OperatorParts, RowsHeld } from './build.js'
import { type Grouping, groupColumns } from './group-columns.js'
import { morselsOf } from './heap-batch.js'
import { movedStates } from './moved-states.js'
import { createOneDictionary, type OneDictionary } from './one-dictionary.js'
import type { Breaker, Morsel, Part } from './operator.js'

/** The end of a window, which comes after its beginning: plan/event-time.ts has the names. */
const END = '#windowEnd'
/**
 * Where the states of so many groups are more than a core's second cache holds, accumulator after accumulator throws out those of the one before:
 * the more rows at a time, the less often.
 */
const LEAST_SLOTS_OF_LONG = 2 ** 14
/** Aggregates that take any number of rows at a time without room for each. */
const TAKES_LONG: readonly AggregateFunction[] = ['count', 'sum', 'mean', 'min', 'max']

/** Rows of a split that have been taken. */
export interface SplitRows {
  readonly split: number
  readonly rowCount: number
}

/** What an aggregation makes: keys, of which the end of a window comes after its beginning, then accumulators. */
export const columnsMade = ({ keys, panes, accumulators }: Stage & { kind: 'aggregate' }): string[] => [
  ...(panes === null ? keys : [keys[0], END, ...keys.slice(1)]),
  ...accumulators.map(({ name }) => name),
]

/**
 * @param start where rows go on, if others have been taken before: their split, and how many of it.
 * @param held where rows come from, if lanes hold them: those that are filtered out are among them.
 */
export function createAggregate(
  context: OperatorContext,
  stage: Stage & { kind: 'aggregate' },
  input: SchemaShape,
  start: SplitRows | null = null,
  held: RowsHeld | null = null,
): Breaker {
  const { k } = context
  const { partitions } = context.parts
  const { memory } = k
  const names = Object.keys(input)
  const keyColumns = stage.keys.map(name => names.indexOf(name))
  const inputs = createAggregateInputs(context, stage.accumulators, input)
  const table = createGroupTable(
    k,
    stage.keys.map(name => input[name]),
    context.mostSlots,
  )
  let aggregation = createAggregation(context, inputs.specs)
  // In the schema's order, which is not always this one: JavaScript puts integer-like names first.
  const made = columnsMade(stage)
  const outputOrder = Object.keys(stage.output).map(name => made.indexOf(name))
  const keyLoader = createBatchLoader(context)
  /** Of windows that are made of panes. */
  const oneDictionary = stage.panes === null ? null : createOneDictionary(context)
  const mayTakeLong = stage.accumulators.every(
    each => TAKES_LONG.includes(each.function) && each.where === null && each.inputs.every(({ op }) => op === 'column'),
  )
  let isFreed = false
  /** Rows so far of each split, ascending. */
  const splits: { readonly split: number; rowCount: number }[] = start === null ? [] : [{ ...start }]
  /** Pairs (split, first group that appeared in it). */
  const appearance: number[] = []
  /** Once another lane's groups have been merged. */
  let merged: Appearance | null = null

  /** Place of the first of so many rows that come next: (split, rows of it before), as one number. */
  function place(split: number, rowCount: number): number {
    const last = splits.at(-1)
    if (last?.split !== split) {
      splits.push({ split, rowCount })
      return split * SPLIT_WEIGHT
    }
    const before = last.rowCount
    last.rowCount += rowCount
    return split * SPLIT_WEIGHT + before
  }

  /** States follow where groups get other indices. */
  function cover(keys: readonly LaneVector[], rowCount: number): void {
    const move = table.cover(keys, rowCount)
    if (move !== null) aggregation = movedStates(context, inputs.specs, table, aggregation, move)
  }

  /** Group indices of the rows, which have been covered. */
  function findGroups(keys: readonly LaneVector[], rowCount: number): number {
    const groups = table.find(keys, rowCount)
    aggregation.resize(table.indexCount)
    return groups
  }

  function consume(morsel: Morsel, given: number): void {
    if (morsel.rowCount === 0) return
    // What follows a gather has no split, and is all of one.
    const split = Math.max(0, given)
    const keys = keyColumns.map(i => morsel.columns[i])
    for (const [i, { dictionary }] of keys.entries()) if (dictionary !== null) keyLoader.adopt(i, dictionary)
    if (appearance.length === 0 || appearance[appearance.length - 2] !== split) appearance.push(split, table.length)
    const values = inputs.evaluate(morsel)
    const position = place(split, morsel.rowCount)
    cover(keys, morsel.rowCount)
    const parted = exchange?.partedFor(keys, morsel.rowCount)
    if (parted) {
      parted.layOut(table.layout)
      parted.add(keys, values, morsel.rowCount, position)
      return
    }
    const groups = findGroups(keys, morsel.rowCount)
    aggregation.update(groups, values, morsel.rowCount, position)
    aggregation.open(table.order, table.length)
    exchange?.partIfMany()
  }

  function absorb(part: Part<VectorBatch>): void {
    if (part.kind !== 'groups') throw new Error(`groups are absorbed here, not ${part.kind}`)
    const { groupCount, keys, appearance: theirs, state } = part
    merged ??= createAppearance(k, ranksOfGroups(k, appearance, table.length, start), table.length)
    join(
      keys,
      () => ranksOfGroups(k, theirs, groupCount),
      map => aggregation.merge(state, map, groupCount, 1),
    )
    adoptSplits(theirs, groupCount)
  }

  /** Another lane's groups, and their ranks; `merge` is given the index of each (u32 pointer). */
  function join(batch: VectorBatch, ranks: () => number, merge: (map: number) => void): void {
    const mark = memory.mark()
    try {
      const own = table.length
      const { columns: loaded, rowCount } = keyLoader.load(batch)
      for (const [i, { dictionary }] of loaded.entries()) if (dictionary !== null) keyLoader.adopt(i, dictionary)
      const columns = exchange?.asTheyAre(loaded) ?? loaded
      cover(columns, rowCount)
      const found = findGroups(columns, rowCount)
      const map = found === 0 ? rangeIndices(k, 0, rowCount) : found
      merge(map)
      aggregation.open(table.order, table.length)
      merged?.merge(own, table.length, ranks(), rowCount, map, table.order, table.indexCount)
    } finally {
      memory.reset(mark)
    }
  }

  /** Groups of these splits have become this lane's. */
  function adoptSplits(theirs: ArrayLike<number>, groupCount: number): void {
    for (let i = 0; i < theirs.length; i += 2) {
      splits.push({ split: theirs[i], rowCount: (theirs[i + 3] ?? groupCount) - theirs[i + 1] })
    }
    splits.sort((a, b) => a.split - b.split)
  }

  /** The places of the groups in order (u32 pointer), 0 where they are in order already. */
  const sortedPlaces = () => merged?.sequence ?? 0

  /** All groups with their results in order of appearance, in scratch. */
  function evaluate(): LaneBatch {
    const { keys, results } = groupColumns(k, finest())
    const columns = [...keys, ...results]
    return { rowCount: table.length, columns: outputOrder.map(i => columns[i]) }
  }

  function* emitWindows(panes: Panes): Iterable<Morsel> {
    const { windowGroups } = context.parts.windows as OperatorParts['windows']
    const [pane, ...keys] = stage.keys.map(name => input[name])
    const bound = { ...pane, nullable: false }
    for (const { rowCount, columns } of windowGroups(context, panes, [bound, bound, ...keys], inputs.specs, finest())) {
      const batch = { rowCount, columns: outputOrder.map(i => columns[i]) }
      yield* morselsOf(k, (oneDictionary as OneDictionary).recode(batch))
    }
  }

  function finest(): Grouping {
    return { set: stage.keys, table, aggregation, sortedPlaces }
  }

  const inOutputOrder = ({ rowCount, columns }: LaneBatch): Morsel => ({
    rowCount,
    columns: outputOrder.map(i => columns[i]),
    rows: 0,
  })

  const exchange = partitions?.createAggregateExchange(context, {
    stage,
    input,
    inputs,
    table,
    get aggregation() {
      return aggregation
    },
    splits,
    start,
    held,
    appearance,
    get merged() {
      return merged
    },
    join,
    inOutputOrder,
  })

  function free(): void {
    if (isFreed) return
    isFreed = true
    inputs.free()
    table.free()
    aggregation.free()
    merged?.free()
    exchange?.free()
    keyLoader.close()
    oneDictionary?.clear()
  }

  try {
    // Without keys there is one group from the start, rows or none.
    aggregation.resize(table.indexCount)
  } catch (error) {
    free()
    throw error
  }
  const sets = stage.sets === null ? '' : `${stage.sets.length} sets of `
  return {
    label: `aggregate by ${sets}${stage.keys.length === 0 ? 'nothing' : stage.keys.join(', ')}`,
    kernels: () => [`group: ${table.kernel}${exchange?.parted ? ', parted' : ''}`, ...aggregation.kernels],
    consume,
    get takesLong() {
      return mayTakeLong && table.order !== 0 && table.indexCount >= LEAST_SLOTS_OF_LONG
    },
    wants: () => true,
    *handOver() {
      const keys = { rowCount: table.length, columns: table.keys() }
      yield {
        kind: 'groups',
        groupCount: table.length,
        appearance: Float64Array.from(appearance),
        keys,
        state: aggregation.laneState(table.order, table.length, true),
      }
    },
    absorb,
    ...(exchange ? { exchange } : {}),
    *emit() {
      if (exchange?.parted) {
        yield* exchange.emitAll()
        return
      }
      if (stage.panes !== null) {
        yield* emitWindows(stage.panes)
        return
      }
      const all = evaluate()
      yield* morselsOf(k, all)
      if (stage.sets === null) return
      const { coarserGroups } = context.parts.sets as OperatorParts['sets']
      for (const batch of coarserGroups(context, stage, input, inputs.specs, finest(), all)) yield* morselsOf(k, batch)
    },
    free,
  }
}
