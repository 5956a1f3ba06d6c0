/**
 * What an aggregation adds where its lanes share what comes after all rows: groups that outnumber the caches are parted (partitioned-groups.ts); where groups
 * are few and their states hold values, these are shared out, and each lane then hands over what is left of its groups.
 */
import type { SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import type { Share } from '../kernels/aggregate/accumulator.js'
import type { Aggregation } from '../kernels/aggregate/aggregation.js'
import { createStateReader, createStateWriter } from '../kernels/aggregate/state-bytes.js'
import { type Appearance, ranksOfGroups } from '../kernels/appearance.js'
import type { GroupTable } from '../kernels/group.js'
import { layoutKeys } from '../kernels/key-words.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import type { Stage } from '../plan/physical.js'
import type { SplitRows } from './aggregate.js'
import type { AggregateInputs } from './aggregate-inputs.js'
import type { OperatorContext } from './build.js'
import type { Exchange, Morsel, StatesToShare } from './operator.js'
import { createPartitionedGroups, type PartitionedGroups } from './partitioned-groups.js'

/** What the aggregation lends. */
export interface Grouped {
  readonly stage: Stage & { kind: 'aggregate' }
  readonly input: SchemaShape
  readonly inputs: AggregateInputs
  readonly table: GroupTable
  /** That of now. */
  readonly aggregation: Aggregation
  /** Rows so far of each split, ascending, and where rows go on, if others have been taken before. */
  readonly splits: readonly SplitRows[]
  readonly start: SplitRows | null
  /** Pairs (split, first group that appeared in it). */
  readonly appearance: number[]
  /** Once another lane's groups have been merged. */
  readonly merged: Appearance | null
  /** Finds the groups of another lane, and adds those that are new; `merge` is given the index of each (u32 pointer). */
  join(keys: VectorBatch, ranks: () => number, merge: (map: number) => void): void
  inOutputOrder(batch: LaneBatch): Morsel
}

export interface AggregateExchange extends Exchange {
  /** Where rows go once there are too many groups for one table. */
  readonly parted: PartitionedGroups | null
  /** Begins that. */
  part(): PartitionedGroups
  /** All that has been parted, in the only lane. */
  emitAll(): Iterable<Morsel | null>
  free(): void
}

/** Behind all splits: no row of a group has been met in this lane. Ranks are positive int64s. */
const NO_SPLIT = 2 ** 31 - 1

export function createAggregateExchange(context: OperatorContext, grouped: Grouped): AggregateExchange {
  const { k } = context
  const { memory } = k
  const { stage, input, inputs, table, splits, start, appearance } = grouped
  let parted: PartitionedGroups | null = null
  let common = true

  const part = () => {
    parted ??= createPartitionedGroups(context, table.layout, inputs.specs, inputs.types, table.dictionaries)
    return parted
  }

  // Other sets, and windows made of panes, are derived from the states of all groups in one place.
  const mayShare = stage.sets === null && stage.panes === null

  const shareOf = (share: number, shares: number): Share => ({
    share,
    shares,
    groups: table.order,
    count: table.length,
  })

  const states: StatesToShare = {
    *parts(share, shares) {
      const writer = createStateWriter(true)
      const one = shareOf(share, shares)
      for (const each of grouped.aggregation.shares) each.write(writer, one)
      yield {
        kind: 'groups',
        groupCount: table.length,
        appearance: new Float64Array(),
        keys: { rowCount: table.length, columns: table.keys() },
        state: writer.pieces(),
      }
    },
    receive(given) {
      if (given.kind !== 'groups') throw new Error(`states are shared out here, not ${given.kind}`)
      const { keys, state, groupCount } = given
      if (appearance[appearance.length - 2] !== NO_SPLIT) appearance.push(NO_SPLIT, table.length)
      grouped.aggregation.admit()
      const ranks = () => ranksOfGroups(k, [NO_SPLIT, 0], groupCount)
      grouped.join(keys, ranks, map => {
        const reader = createStateReader(state)
        reader.forLane = true
        for (const each of grouped.aggregation.shares) each.merge(reader, map)
      })
    },
    end(share, shares, handsOver) {
      const one = shareOf(share, shares)
      for (const each of grouped.aggregation.shares) each.end(one, handsOver)
    },
  }

  return {
    get parted() {
      return parted
    },
    part,
    get wanted() {
      return parted !== null || (mayShare && grouped.aggregation.shares.some(({ isMuch }) => isMuch))
    },
    get states() {
      return parted === null && mayShare ? states : null
    },
    fingerprint: () =>
      JSON.stringify(
        table.layout.fields.map(({ bits, base, word, shift }, i) => {
          const dictionary = table.dictionaries[i]
          return [bits, String(base), word, shift, dictionary?.length, dictionary?.fingerprint()]
        }),
      ),
    splits: () => splits.map(({ split }) => split),
    get size() {
      return table.length + (parted?.rowCount ?? 0)
    },
    begin(equal, size) {
      common = equal
      const groups = part()
      groups.share(size)
      const mark = memory.mark()
      // Codes of other lanes' dictionaries may need more bits, and so may groups that have been absorbed since rows were parted.
      groups.layOut(common ? table.layout : layoutKeys(stage.keys.map(name => input[name])))
      groups.begin({
        count: table.length,
        keys: table.keys(),
        ranks: grouped.merged?.ranks ?? ranksOfGroups(k, appearance, table.length, start),
        order: table.order,
        aggregation: grouped.aggregation,
      })
      memory.reset(mark)
      return groups.shares
    },
    *parts(first, end) {
      for (let partition = first; partition < end; partition++) {
        for (const each of part().send(partition, common)) yield { kind: 'partition', ...each }
      }
    },
    receive(given) {
      if (given.kind === 'partition') part().receive(given)
      else if (given.kind === 'results') part().receiveResults(given)
      else throw new Error(`partitions are exchanged here, not ${given.kind}`)
    },
    *finish(first, end) {
      for (let partition = first; partition < end; partition++) {
        part().group(partition)
        yield
      }
    },
    *results(lane, lanes) {
      for (const each of part().resultsOf(lane, lanes, common)) yield { kind: 'results', ...each }
    },
    *emit(lane, lanes) {
      part().keepResultsOf(lane, lanes)
      for (const { split, batch } of part().emit(splits)) yield { split, morsel: grouped.inOutputOrder(batch) }
    },
    *emitAll() {
      const shares = this.begin(true, this.size)
      for (const _ of this.finish(0, shares)) yield null
      for (const { batch } of part().emit(splits)) yield grouped.inOutputOrder(batch)
    },
    free: () => parted?.free(),
  }
}
