/** One accumulator of a sketch as a lane drives it: rows in, rows out, states of chosen groups written and merged, results read. */
import * as fc from 'fast-check'
import {
  bool,
  type DataType,
  date,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  nullable,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../../src/columnar/type.js'
import {
  type Accumulator,
  type AggregateFunction,
  type AggregateParameters,
  type AggregateSpec,
  SPLIT_WEIGHT,
} from '../../../src/kernels/aggregate/accumulator.js'
import { FAMILIES } from '../../../src/kernels/aggregate/families.js'
import { createStateReader, createStateWriter } from '../../../src/kernels/aggregate/state-bytes.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import type { LaneVector } from '../../../src/kernels/lane-vector.js'
import { LaneDictionary } from '../../../src/kernels/text.js'
import { accumulatorContext, anyDouble, anyInt32, anyInt64, valuesOf } from '../support.js'
import { columnOf, groupPointer, type Value } from './model.js'

export type Row = readonly [group: number, value: Value]

/** Every scalar type with values of it, those that break things often. */
export const SCALARS: readonly (readonly [DataType, fc.Arbitrary<Value>])[] = [
  [bool(), fc.boolean()],
  [int8(), fc.integer({ min: -128, max: 127 })],
  [uint8(), fc.integer({ min: 0, max: 255 })],
  [int16(), fc.integer({ min: -32768, max: 32767 })],
  [uint16(), fc.integer({ min: 0, max: 65535 })],
  [int32(), anyInt32],
  [uint32(), fc.integer({ min: 0, max: 2 ** 32 - 1 })],
  [date(), anyInt32],
  [int64(), anyInt64],
  [timestamp('us'), anyInt64],
  [float32(), anyDouble.map(Math.fround)],
  [float64(), anyDouble],
  [utf8(), fc.oneof(fc.constantFrom('', 'a', 'ab', 'b', '\u{10000}', '\uffff'), fc.string({ unit: 'grapheme' }))],
]

export class SketchLane {
  readonly spec: AggregateSpec
  readonly accumulator: Accumulator
  private readonly k: Kernels
  private readonly dictionary: LaneDictionary
  private groupCount = 0

  constructor(k: Kernels, name: AggregateFunction, type: DataType, parameters: AggregateParameters) {
    this.k = k
    this.dictionary = new LaneDictionary(k)
    this.spec = { function: name, inputs: [nullable(type)], inputIndex: 0, parameters, label: `${name}(x)` }
    this.accumulator = FAMILIES[name]!.create(accumulatorContext(k), this.spec)
  }

  resize(groupCount: number): this {
    this.groupCount = Math.max(this.groupCount, groupCount)
    this.accumulator.resize(this.groupCount)
    return this
  }

  /** Rows of groups below the count of `resize`, from `place` of a split on; with `keyless` all of group 0, and no pointer to groups. */
  add(rows: readonly Row[], { keyless = false, retract = false, split = 0, place = 0 } = {}): this {
    const { memory } = this.k
    const mark = memory.mark()
    const vector = columnOf(
      this.k,
      this.spec.inputs[0],
      rows.map(([, value]) => value),
      this.dictionary,
    )
    const groups = keyless
      ? 0
      : groupPointer(
          this.k,
          rows.map(([group]) => group),
        )
    const valueCount = rows.filter(([, value]) => value !== null).length
    this.addVector(vector, groups, valueCount, retract, split * SPLIT_WEIGHT + place)
    memory.reset(mark)
    return this
  }

  addVector(vector: LaneVector, groups: number, valueCount = vector.length, retract = false, position = 0): void {
    if (valueCount === 0) return
    const { validity, length: rowCount } = vector
    const rows = { groups, rowCount, vectors: [vector], validity, valueCount, position }
    if (retract) this.accumulator.retract!(rows)
    else this.accumulator.update(rows)
  }

  /** The states of groups, by default of all; `forLane` as they go to another lane. */
  state(groups?: readonly number[], forLane = false): Uint8Array {
    const writer = createStateWriter(forLane)
    const mark = this.k.memory.mark()
    const pointer = groups === undefined ? 0 : groupPointer(this.k, groups)
    this.accumulator.write(writer, pointer, groups?.length ?? this.groupCount)
    this.k.memory.reset(mark)
    return writer.finish()
  }

  merge(state: Uint8Array, groupMap: readonly number[]): this {
    const mark = this.k.memory.mark()
    const most = Math.max(0, ...groupMap.map(group => groupMap.filter(other => other === group).length))
    this.accumulator.merge(createStateReader(state), groupPointer(this.k, groupMap), groupMap.length, most)
    this.k.memory.reset(mark)
    return this
  }

  results(parameters: AggregateParameters = this.spec.parameters): Value[] {
    const mark = this.k.memory.mark()
    const values = valuesOf(this.k, this.accumulator.evaluate({ ...this.spec, parameters }, 0))
    this.k.memory.reset(mark)
    return values
  }

  /** Results that are lists. */
  lists(parameters: AggregateParameters = this.spec.parameters): Value[][] {
    const mark = this.k.memory.mark()
    const { data, child, length } = this.accumulator.evaluate({ ...this.spec, parameters }, 0)
    const items = valuesOf(this.k, child!)
    const offsets = this.k.memory.u32.slice(data >>> 2, (data >>> 2) + length + 1)
    this.k.memory.reset(mark)
    return Array.from({ length }, (_, i) => items.slice(offsets[i], offsets[i + 1]))
  }

  free(): void {
    this.accumulator.free()
    this.dictionary.free()
  }
}

/** Rows dealt to lanes, each lane's cut into batches; one lane may be empty. */
export const anyDeal = (rows: readonly Row[]): fc.Arbitrary<Row[][][]> =>
  fc
    .tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat(), { minLength: rows.length, maxLength: rows.length }),
      fc.shuffledSubarray([...rows.keys()], { minLength: rows.length }),
    )
    .map(([laneCount, draws, order]) => {
      const lanes: Row[][][] = Array.from({ length: laneCount }, () => [])
      order.forEach((row, i) => {
        const batches = lanes[draws[i] % laneCount]
        if (batches.length === 0 || draws[i] % 5 === 0) batches.push([])
        batches[batches.length - 1].push(rows[row])
      })
      return lanes
    })

/** All lanes' states merged into the first, some before it had its rows. */
export function mergedLane(
  make: () => SketchLane,
  groupCount: number,
  lanes: readonly (readonly Row[][])[],
): SketchLane {
  const all = Array.from({ length: groupCount }, (_, group) => group)
  const [first, ...others] = lanes.map(() => make().resize(groupCount))
  others.forEach((lane, i) => {
    for (const batch of lanes[i + 1]) lane.add(batch)
    if (i % 2 === 0) first.merge(lane.state(all, i % 4 === 0), all)
  })
  for (const batch of lanes[0]) first.add(batch)
  others.forEach((lane, i) => {
    // A part of the groups, in another order, and the rest.
    if (i % 2 === 1) {
      const some = all.filter(group => group % 2 === 0).reverse()
      const rest = all.filter(group => group % 2 === 1)
      first.merge(lane.state(some), some).merge(lane.state(rest), rest)
    }
    lane.free()
  })
  return first
}
