/**
 * Aggregates of one input on several lanes, as they may really run: rows in any batches, a filter, groups in each lane's order of appearance,
 * states of all groups or of some handed over before, between and after rows.
 */

import * as fc from 'fast-check'
import { type DataType, nullable } from '../../../src/columnar/type.js'
import { MillraceError } from '../../../src/errors.js'
import type { AggregateSpec, Share } from '../../../src/kernels/aggregate/accumulator.js'
import { type Aggregation, createAggregation } from '../../../src/kernels/aggregate/aggregation.js'
import { createStateReader, createStateWriter } from '../../../src/kernels/aggregate/state-bytes.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { LaneDictionary } from '../../../src/kernels/text.js'
import { accumulatorContext, bitmap } from '../support.js'
import { bitsOfDouble, columnOf, groupPointer, type Value } from './model.js'

export interface Row {
  readonly group: number
  readonly value: Value
  /** Whether the filter lets it through. */
  readonly kept: boolean
}

export interface Lanes {
  /** Per lane its batches. */
  readonly parts: readonly (readonly (readonly Row[])[])[]
  /** When each lane but the first hands over: before the first one's batch of this number. */
  readonly handOver: readonly number[]
  /** Whether those that hand over in the end share out the values of their states with the first before. */
  readonly shares: boolean
  /** Whether lanes have the same index for a group. */
  readonly alike: boolean
  /** Whether groups are handed over in two states as between lanes, or in one portable one. */
  readonly halves: boolean
  /** Whether there are groups at all. */
  readonly keyed: boolean
  /** Whether nulls are in a bitmap even where there is none. */
  readonly filtered: boolean
}

export const anyLanes = (
  value: fc.Arbitrary<Value>,
  groups: fc.Arbitrary<number> = fc.integer({ min: 0, max: 5 }),
  most = 60,
): fc.Arbitrary<Lanes> => {
  const row = fc.record({
    group: groups,
    value: fc.oneof({ weight: 9, arbitrary: value }, fc.constant(null)),
    kept: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  })
  return fc.record({
    parts: fc.array(fc.array(fc.array(row, { minLength: 1, maxLength: most }), { maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    }),
    handOver: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 2 }),
    shares: fc.boolean(),
    alike: fc.boolean(),
    halves: fc.boolean(),
    keyed: fc.boolean(),
    filtered: fc.boolean(),
  })
}

/** Values that count, by group, in the order of the result. */
export const expectedGroups = ({ parts, keyed, filtered }: Lanes, groups: readonly number[]): Value[][] => {
  const rows = parts.flat(2).filter(({ value, kept }) => value !== null && (kept || !filtered))
  return groups.map(group => rows.filter(row => !keyed || row.group === group).map(({ value }) => value))
}

/** A value that tells -0 from 0 and is equal to itself where NaN. */
export const shown = (value: Value): Value => (typeof value === 'number' ? bitsOfDouble(value).toString(16) : value)

export class Lane {
  readonly groups: number[] = []
  readonly aggregation: Aggregation
  private readonly k: Kernels
  private readonly type: DataType
  private readonly lanes: Lanes
  private readonly dictionary: LaneDictionary
  /** Indices of the groups that it has, in order of appearance: not of all, where lanes are alike. */
  private readonly met = new Set<number>()
  /** The same for the aggregation, in lane memory. */
  private order = 0

  constructor(k: Kernels, type: DataType, specs: readonly AggregateSpec[], lanes: Lanes) {
    this.k = k
    this.type = type
    this.lanes = lanes
    this.aggregation = createAggregation(accumulatorContext(k), specs)
    this.dictionary = new LaneDictionary(k)
    if (!lanes.keyed) this.groups.push(0)
    else if (lanes.alike) {
      this.groups.push(...new Set(lanes.parts.flat(2).map(({ group }) => group)))
      this.order = k.memory.allocate(4 * this.groups.length)
    }
    this.aggregation.resize(this.groups.length)
  }

  index(group: number): number {
    if (!this.lanes.keyed) return 0
    const index = this.groups.includes(group) ? this.groups.indexOf(group) : this.groups.push(group) - 1
    if (this.order !== 0 && !this.met.has(index)) this.k.memory.u32[(this.order >>> 2) + this.met.size] = index
    this.met.add(index)
    return index
  }

  /** Tells the aggregation which groups there are. */
  private open(): void {
    if (this.order === 0) this.aggregation.open(0, this.groups.length)
    else this.aggregation.open(this.order, this.met.size)
  }

  /** Indices of the groups that there are, the last first. */
  private listed(): number[] {
    return (this.order === 0 ? this.groups.map((_, i) => i) : [...this.met]).reverse()
  }

  update(rows: readonly Row[]): void {
    const { k, lanes, type } = this
    const mark = k.memory.mark()
    const values = rows.map(({ value }) => value)
    const vector = columnOf(k, nullable(type), values, this.dictionary)
    const validity = lanes.filtered
      ? bitmap(
          k,
          rows.map(({ value, kept }) => value !== null && kept),
        )
      : vector.validity
    const indices = rows.map(({ group }) => this.index(group))
    this.aggregation.resize(this.groups.length)
    const groups = lanes.keyed ? groupPointer(k, indices) : 0
    this.aggregation.update(groups, [{ vectors: [vector], validity }], rows.length, 0)
    this.open()
    k.memory.reset(mark)
  }

  look(): void {
    const mark = this.k.memory.mark()
    try {
      this.aggregation.evaluate(this.groups.length)
    } catch (error) {
      // A total may be beyond int64 on the way.
      if (!(error instanceof MillraceError)) throw error
    }
    this.k.memory.reset(mark)
  }

  merge(other: Lane): void {
    const { memory } = this.k
    const mark = memory.mark()
    const all = other.listed()
    const chosen = this.lanes.halves ? [all.filter(i => i % 2 === 0), all.filter(i => i % 2 === 1)] : [all]
    for (const some of chosen) {
      const groups = groupPointer(this.k, some)
      const { aggregation } = other
      const { length } = some
      const { halves, shares } = this.lanes
      const state = halves || shares ? aggregation.laneState(groups, length) : aggregation.state(groups, length)
      const map = some.map(i => this.index(other.groups[i]))
      this.aggregation.resize(this.groups.length)
      this.aggregation.merge(state, groupPointer(this.k, map), some.length, 1)
      this.open()
    }
    memory.reset(mark)
  }

  share(share: number, shares: number): Share {
    const all = this.listed()
    return { share, shares, areAlike: this.lanes.alike, groups: groupPointer(this.k, all), count: all.length }
  }

  /** Sends another its share. */
  send(to: Lane, share: number, shares: number): void {
    const { memory } = this.k
    const mark = memory.mark()
    const writer = createStateWriter(true)
    for (const each of this.aggregation.shares) each.write(writer, this.share(share, shares))
    to.aggregation.admit()
    const map = this.listed().map(i => to.index(this.groups[i]))
    to.aggregation.resize(to.groups.length)
    const reader = createStateReader(writer.pieces())
    reader.forLane = true
    for (const each of to.aggregation.shares) each.merge(reader, groupPointer(this.k, map))
    to.open()
    memory.reset(mark)
  }

  free(): void {
    this.aggregation.free()
    this.k.memory.free(this.order)
    this.dictionary.free()
  }
}

/** Runs them, and gives the lane that has everything to `check`. */
export function runLanes(
  k: Kernels,
  type: DataType,
  specs: readonly AggregateSpec[],
  lanes: Lanes,
  check: (lane: Lane) => void,
): void {
  const all = lanes.parts.map(() => new Lane(k, type, specs, lanes))
  const [first, ...others] = all
  for (const [i, other] of others.entries()) for (const rows of lanes.parts[i + 1]) other.update(rows)
  const handOver = (batch: number) => {
    for (const [i, other] of others.entries()) {
      if (Math.min(lanes.handOver[i], lanes.parts[0].length) === batch) first.merge(other)
    }
  }
  for (const [batch, rows] of lanes.parts[0].entries()) {
    handOver(batch)
    first.update(rows)
    // Looking at results on the way changes nothing.
    if (lanes.halves) first.look()
  }
  if (lanes.shares) {
    const sharing = [first, ...others.filter((_, i) => lanes.handOver[i] >= lanes.parts[0].length)]
    shareOut(k, sharing)
  }
  handOver(lanes.parts[0].length)
  check(first)
  for (const lane of all) lane.free()
  k.memory.reset(0)
}

function shareOut(k: Kernels, lanes: readonly Lane[]): void {
  const mark = k.memory.mark()
  for (const [i, lane] of lanes.entries()) {
    for (const [j, to] of lanes.entries()) if (i !== j) lane.send(to, j, lanes.length)
  }
  for (const [i, lane] of lanes.entries())
    for (const each of lane.aggregation.shares) each.end(lane.share(i, lanes.length), i > 0)
  k.memory.reset(mark)
}
