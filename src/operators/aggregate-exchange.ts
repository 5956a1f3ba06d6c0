/**
 * What an aggregation adds where its lanes share what comes after all rows: groups that outnumber the caches are parted (partitioned-groups.ts); where groups
 * are few and their states hold values, these are shared out, and each lane then hands over what is left of its groups.
 */
import { type DataType, int32, type SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import type { AggregateFunction, AggregateSpec, Share } from '../kernels/aggregate/accumulator.js'
import type { Aggregation } from '../kernels/aggregate/aggregation.js'
import { createStateReader, createStateWriter } from '../kernels/aggregate/state-bytes.js'
import { type Appearance, ranksOfGroups } from '../kernels/appearance.js'
import { createDirectIndex, mayIndexDirectly } from '../kernels/direct.js'
import { createGroupTable, type GroupTable } from '../kernels/group.js'
import { layoutKeys } from '../kernels/key-words.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { rangeOf } from '../kernels/stats.js'
import { MOST_GROUPS } from '../plan/needs.js'
import type { Stage } from '../plan/physical.js'
import type { SplitRows } from './aggregate.js'
import type { AggregateInputs } from './aggregate-inputs.js'
import type { OperatorContext, RowsHeld } from './build.js'
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
  /** Where rows come from: those that are filtered out are among them. */
  readonly held: RowsHeld | null
  /** Pairs (split, first group that appeared in it). */
  readonly appearance: number[]
  /** Once another lane's groups have been merged. */
  readonly merged: Appearance | null
  /** Finds the groups of another lane, and adds those that are new; `merge` is given the index of each (u32 pointer). */
  join(keys: VectorBatch, ranks: () => number, merge: (map: number) => void): void
  inOutputOrder(batch: LaneBatch): Morsel
}

export interface AggregateExchange extends Exchange {
  /** Keys of another lane with what their codes span, not all that a dictionary has: it may have grown since groups were given the slots that lanes share out by. */
  asTheyAre(keys: readonly LaneVector[]): readonly LaneVector[]
  /** Where rows go once there are too many groups for one table. */
  readonly parted: PartitionedGroups | null
  /** Where these rows go, if not to the table: where the first of all tell of very many groups, there are slots for all, or rows are parted at once. */
  partedFor(keys: readonly LaneVector[], rowCount: number): PartitionedGroups | null
  /** After rows have been grouped: begins to part those that follow, where there are too many groups. */
  partIfMany(): void
  /** All that has been parted, in the only lane. */
  emitAll(): Iterable<Morsel | null>
  free(): void
}

/**
 * Aggregates that must see the rows of a group in order, and one after another. `first` and `last` could be told the place of each row where rows are parted: with two lanes
 * and millions of groups that took a tenth to a third longer.
 */
const ORDERED: readonly AggregateFunction[] = [
  'first',
  'last',
  'any',
  'argMin',
  'argMax',
  'collectList',
  'join',
  'approxTopK',
  'lastPlace',
]

/** Aggregates whose states are soon handed over, but those of strings. */
const SOON_HANDED: readonly AggregateFunction[] = ['count', 'sum', 'mean', 'min', 'max']
/** More take more room than rows that are parted, and other lanes had better share them. */
const MOST_SLOTS = 2 ** 21

/** Rows before which nothing is foreseen. */
const LEAST_FORESEEN = 3 / 8

/** Rows of which all are parted at once, whatever follows: more of them may be of the groups of the first, in turn, and would all be kept. */
const MOST_FORESEEN = 2 ** 21

/** Whether the first rows have as many groups as if each were of any of `most` groups, or more: then there will be more than that. */
const foreseesMore = (rowCount: number, groupCount: number, most: number): boolean =>
  rowCount >= LEAST_FORESEEN * most && groupCount >= most * (1 - Math.exp(-rowCount / most))

/** Whether a slot for each row is not too much, and states are soon handed over where there are other lanes. */
const hasSmallStates = (specs: readonly AggregateSpec[], isAlone: boolean): boolean =>
  specs.every(({ function: name, inputs: [type] }) =>
    isAlone ? name !== 'histogram' : SOON_HANDED.includes(name) && type?.kind !== 'utf8',
  )

const typesOf = (keys: readonly LaneVector[]): DataType[] => keys.map(({ type }) => type)

/** Behind all splits: no row of a group has been met in this lane. Ranks are positive int64s. */
const NO_SPLIT = 2 ** 31 - 1

export function createAggregateExchange(context: OperatorContext, grouped: Grouped): AggregateExchange {
  const { k, mostGroups = MOST_GROUPS } = context
  const { memory } = k
  const { stage, input, inputs, table, splits, start, held, appearance } = grouped
  let parted: PartitionedGroups | null = null
  let common = true

  const part = () => {
    parted ??= createPartitionedGroups(context, table.layout, inputs.specs, inputs.types, table.dictionaries)
    return parted
  }

  // Other sets, and windows made of panes, are derived from the states of all groups in one place.
  const mayShare = stage.sets === null && stage.panes === null
  const mayPart = mayShare && stage.keys.length > 0 && !inputs.specs.some(spec => ORDERED.includes(spec.function))
  const rowsHeld = context.mostSlots === undefined && held !== null ? held.rowCount : 0
  const slots = hasSmallStates(inputs.specs, held?.lanes === 1) ? Math.min(rowsHeld, MOST_SLOTS) : 0

  const shareOf = (share: number, shares: number, common: boolean): Share => ({
    share,
    shares,
    areAlike: common && table.direct !== null,
    groups: table.order,
    count: table.length,
  })

  /** Has the table find these groups by slots, where they are many, and rows to come enough for so many slots. */
  const spread = (keys: readonly LaneVector[], rowCount: number): boolean => {
    if (slots === 0 || !mayIndexDirectly(typesOf(keys))) return false
    const index = createDirectIndex(k, typesOf(keys), slots)
    const mark = memory.mark()
    let isAdopted = false
    try {
      if (index.cover(keys, slots) === 'refused') return false
      index.find(keys, rowCount)
      isAdopted = foreseesMore(rowCount, index.length, mostGroups)
      if (isAdopted) table.adopt(index)
      return isAdopted
    } finally {
      memory.reset(mark)
      if (!isAdopted) index.free()
    }
  }

  const foresee = (keys: readonly LaneVector[], rowCount: number): void => {
    if (spread(keys, rowCount) || !mayPart || rowsHeld > MOST_FORESEEN) return
    const tried = createGroupTable(k, typesOf(keys), 0)
    const mark = memory.mark()
    try {
      tried.cover(keys, rowCount)
      tried.find(keys, rowCount)
      if (foreseesMore(rowCount, tried.length, mostGroups)) part()
    } finally {
      memory.reset(mark)
      tried.free()
    }
  }

  const states: StatesToShare = {
    get offer() {
      const keys = table.direct?.domains.map((domain, i) => {
        const dictionary = table.dictionaries[i]
        return [String(domain?.base), domain?.size, dictionary?.length, dictionary?.fingerprint()]
      })
      const goesByIndex = grouped.aggregation.shares.every(each => each.goByIndex || !each.isMuch)
      return { fingerprint: JSON.stringify(keys ?? null), goesByIndex }
    },
    *parts(share, shares, common) {
      const writer = createStateWriter(true)
      const one = shareOf(share, shares, common)
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
    end(share, shares, common, handsOver) {
      const one = shareOf(share, shares, common)
      for (const each of grouped.aggregation.shares) each.end(one, handsOver)
    },
  }

  /** Whether some values are worth sharing out, as far as is to be seen from here. */
  const hasMuch = (): boolean =>
    grouped.aggregation.shares.some(({ isMuch, goByIndex }) => isMuch && !(goByIndex && table.direct === null))

  return {
    asTheyAre: keys =>
      keys.map(key =>
        key.dictionary === null
          ? key
          : { ...key, range: rangeOf(k, { ...key, type: int32() }) ?? { min: 0n, max: 0n } },
      ),
    get parted() {
      return parted
    },
    partedFor(keys, rowCount) {
      const areFirst = parted === null && table.length === 0 && table.order === 0
      if (areFirst && rowsHeld > 0 && foreseesMore(rowCount, rowCount, mostGroups)) foresee(keys, rowCount)
      return parted
    },
    partIfMany() {
      if (mayPart && table.order === 0 && table.length > mostGroups) part()
    },
    get wanted() {
      return parted !== null || (mayShare && hasMuch())
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
