/**
 * Rows in the order of their positions, dealt to several lanes that hand over in any order: what aggregates that go by position, or whose results
 * are lists, are held against. A model gets the rows of a group in order; the accumulators must give the same whatever the dealing.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
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
import type { Accumulator, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import { createAggregation } from '../../../src/kernels/aggregate/aggregation.js'
import { FAMILIES } from '../../../src/kernels/aggregate/families.js'
import { createStateReader, createStateWriter } from '../../../src/kernels/aggregate/state-bytes.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import type { LaneVector } from '../../../src/kernels/lane-vector.js'
import { LaneDictionary } from '../../../src/kernels/text.js'
import { accumulatorContext, anyDouble, anyInt32, anyInt64, bitmap, valuesOf } from '../support.js'
import { bitsOfDouble, columnOf, compareBytes, compareNumbers, groupPointer, type Value } from './model.js'

/** A value that is not null. */
export type Some = Exclude<Value, null>

/** Every scalar type, with values of it. Few of them are often equal. */
export const anyTyped: readonly (readonly [DataType, fc.Arbitrary<Some>])[] = [
  [bool(), fc.boolean()],
  [int8(), fc.oneof(fc.integer({ min: -128, max: 127 }), fc.constantFrom(-128, 127, 0))],
  [uint8(), fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(255, 0))],
  [int16(), fc.oneof(fc.integer({ min: -32768, max: 32767 }), fc.constantFrom(-32768, 32767))],
  [uint16(), fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constantFrom(65535, 0))],
  [int32(), anyInt32],
  [uint32(), fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(2 ** 32 - 1, 2 ** 31, 0))],
  [date(), anyInt32],
  [int64(), anyInt64],
  [timestamp('us'), anyInt64],
  [float32(), anyDouble.map(Math.fround)],
  [float64(), anyDouble],
  [utf8(), fc.oneof(fc.constantFrom('', 'a', 'ab', 'b', '\u{10000}', '\uffff'), fc.string({ unit: 'grapheme' }))],
]

export const compareValues = (a: Some, b: Some): number =>
  typeof a === 'string' ? compareBytes(a, b as string) : compareNumbers(a, b as number)

/** A value that is equal to itself where NaN; there is one zero. */
export const shown = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(shown)
    : typeof value === 'number' && !Number.isInteger(value)
      ? bitsOfDouble(value).toString(16)
      : value === 0
        ? Object.is(value, -0) && '-0'
        : value

/** What the model is to give for `value`: results hold one zero. */
export const oneZero = (value: Some): Some => (value === 0 ? 0 : value)

interface Row {
  readonly group: number
  readonly values: readonly Value[]
  readonly kept: boolean
}

/** Rows side by side in order, which one lane takes; `gap` positions lie before them. */
interface Batch {
  readonly lane: number
  readonly gap: number
  readonly rows: readonly Row[]
}

export interface Dealing {
  readonly specs: readonly AggregateSpec[]
  readonly batches: readonly Batch[]
  readonly keyed: boolean
  readonly filtered: boolean
  readonly start: number
  /** Lane 0 takes the other lanes' states, each in two halves, after so many of its own batches. */
  readonly mergesAfter: number
  /** By which the order of merges is shuffled. */
  readonly shuffle: readonly number[]
}

export const LANES = 4

/** Of which some groups have results by themselves. */
const PICKED: readonly string[] = ['first', 'last', 'any', 'argMin', 'argMax']

/** `specs` gives the aggregates, of input 0, for one type of each input. */
export const anyDealing = (
  inputCount: number,
  specs: (inputs: readonly DataType[]) => fc.Arbitrary<readonly AggregateSpec[]>,
  only: (type: DataType) => boolean = () => true,
): fc.Arbitrary<Dealing> => {
  const typed = anyTyped.filter(([type]) => only(type))
  return fc
    .array(fc.tuple(fc.constantFrom(...typed), fc.boolean()), { minLength: inputCount, maxLength: inputCount })
    .chain(inputs => {
      const types = inputs.map(([[type], nulls]) => (nulls ? nullable(type) : type))
      const values = inputs.map(([[, value], nulls]) => (nulls ? fc.option(value, { freq: 3 }) : value))
      return fc.boolean().chain(keyed =>
        fc.record({
          specs: specs(types),
          keyed: fc.constant(keyed),
          filtered: fc.boolean(),
          start: fc.constantFrom(0, 7, 2 ** 32 - 20, 2 ** 52),
          mergesAfter: fc.nat({ max: 3 }),
          shuffle: fc.array(fc.nat(), { minLength: 2 * LANES, maxLength: 2 * LANES }),
          batches: fc.array(
            fc.record({
              lane: fc.nat({ max: LANES - 1 }),
              gap: fc.constantFrom(0, 0, 5, 70_000, 2 ** 32),
              rows: fc.array(
                fc.record({
                  group: keyed ? fc.nat({ max: 5 }) : fc.constant(0),
                  values: fc.tuple(...values) as fc.Arbitrary<Value[]>,
                  kept: fc.boolean(),
                }),
                { minLength: 1, maxLength: 140 },
              ),
            }),
            { maxLength: 8 },
          ),
        }),
      )
    })
}

/** One lane's: its own groups, in order of appearance, and its own dictionaries. */
class Lane {
  readonly groups: number[] = []
  private readonly k: Kernels
  private readonly dealing: Dealing
  private readonly aggregation
  private readonly accumulators: readonly Accumulator[]
  private readonly dictionaries: readonly LaneDictionary[]

  constructor(k: Kernels, dealing: Dealing) {
    this.k = k
    this.dealing = dealing
    const context = accumulatorContext(k)
    const { specs } = dealing
    this.aggregation = createAggregation(context, specs)
    this.accumulators = specs.map(spec => FAMILIES[spec.function]!.create(context, spec))
    this.dictionaries = specs[0].inputs.map(() => new LaneDictionary(k))
    if (!dealing.keyed) this.index(0)
    this.resize()
  }

  index(group: number): number {
    return this.groups.includes(group) ? this.groups.indexOf(group) : this.groups.push(group) - 1
  }

  update(rows: readonly Row[], position: number): void {
    const { k } = this
    const { specs, filtered, keyed } = this.dealing
    const mark = k.memory.mark()
    const vectors = specs[0].inputs.map((type, i) =>
      columnOf(
        k,
        type,
        rows.map(({ values }) => values[i]),
        this.dictionaries[i],
      ),
    )
    const counts = rows.map(row => counted(row, filtered))
    const valueCount = counts.filter(Boolean).length
    const validity = valueCount === rows.length ? 0 : bitmap(k, counts)
    const groups = groupPointer(
      k,
      rows.map(({ group }) => this.index(group)),
    )
    this.resize()
    this.aggregation.update(keyed ? groups : 0, [{ vectors, validity }], rows.length, position)
    this.aggregation.open(0, this.groups.length)
    if (valueCount > 0) {
      const taken = { groups: keyed ? groups : 0, rowCount: rows.length, vectors, validity, valueCount, position }
      for (const accumulator of this.accumulators) accumulator.update(taken)
    }
    k.memory.reset(mark)
  }

  /** Takes some groups of another lane. */
  merge(other: Lane, groups: readonly number[], forLane: boolean): void {
    const { k } = this
    const mark = k.memory.mark()
    const from = groupPointer(
      k,
      groups.map(group => other.index(group)),
    )
    const to = groupPointer(
      k,
      groups.map(group => this.index(group)),
    )
    this.resize()
    this.aggregation.merge(
      forLane
        ? other.aggregation.laneState(from, groups.length, groups.length === other.groups.length)
        : other.aggregation.state(from, groups.length),
      to,
      groups.length,
      1,
    )
    this.aggregation.open(0, this.groups.length)
    const reader = createStateReader(other.bytes(groups))
    for (const accumulator of this.accumulators) accumulator.merge(reader, to, groups.length, 1)
    k.memory.reset(mark)
  }

  /** The states of some groups, without what else an aggregation keeps. */
  bytes(groups: readonly number[]): Uint8Array<ArrayBuffer> {
    const { k } = this
    const writer = createStateWriter(false)
    const mark = k.memory.mark()
    const from = groupPointer(
      k,
      groups.map(group => this.index(group)),
    )
    for (const accumulator of this.accumulators) accumulator.write(writer, from, groups.length)
    k.memory.reset(mark)
    return writer.finish()
  }

  results(): unknown[] {
    const { k, aggregation, groups } = this
    const results = aggregation.evaluate(groups.length).map(vector => shown(resultsOf(k, vector))) as unknown[][]
    const some = groups.map((_, i) => i).filter(i => i % 2 === 0)
    const places = some.reverse().concat(some.slice(0, 1))
    const picked = aggregation.evaluateAt(groupPointer(k, places), places.length)
    expect(picked !== null).toBe(this.dealing.specs.every(({ function: name }) => PICKED.includes(name)))
    for (const [i, vector] of (picked ?? []).entries())
      expect(shown(resultsOf(k, vector))).toEqual(places.map(place => results[i][place]))
    k.memory.reset(0)
    return results
  }

  free(): void {
    this.aggregation.free()
    for (const accumulator of this.accumulators) accumulator.free()
    for (const dictionary of this.dictionaries) dictionary.free()
  }

  private resize(): void {
    this.aggregation.resize(this.groups.length)
    for (const accumulator of this.accumulators) accumulator.resize(this.groups.length)
  }
}

const counted = ({ values, kept }: Row, filtered: boolean) => !values.includes(null) && (kept || !filtered)

/** Of a list its items, null where it is null itself. */
function resultsOf(k: Kernels, vector: LaneVector): unknown[] {
  const { child, length, data, validity } = vector
  if (!child) return valuesOf(k, vector)
  const items = valuesOf(k, child)
  const offsets = k.memory.u32.slice(data >>> 2, (data >>> 2) + length + 1)
  expect(offsets[length]).toBe(items.length)
  return Array.from({ length }, (_, i) =>
    validity === 0 || ((k.memory.u8[validity + (i >> 3)] >> (i & 7)) & 1) === 1
      ? items.slice(offsets[i], offsets[i + 1])
      : null,
  )
}

/** `model` gives an aggregate's result of a group's rows that count, of which there is at least one, in order: a value per input for each. */
export function checkDealing(
  k: Kernels,
  dealing: Dealing,
  model: (spec: AggregateSpec, rows: readonly (readonly Some[])[]) => unknown,
): void {
  const { specs, batches, filtered, shuffle } = dealing
  const lanes = Array.from({ length: LANES }, () => new Lane(k, dealing))
  const alone = new Lane(k, dealing)
  const [target, ...others] = lanes

  let position = dealing.start
  const placed = batches.map(batch => {
    position += batch.gap
    const from = position
    position += batch.rows.length
    return { ...batch, from }
  })
  for (const { lane, rows, from } of placed) {
    if (lane !== 0) lanes[lane].update(rows, from)
    // One row at a time: chunks are not to be seen.
    for (const [i, row] of rows.entries()) alone.update([row], from + i)
    // Looking at results on the way changes nothing either.
    alone.results()
  }
  const own = placed.filter(({ lane }) => lane === 0)
  for (const { rows, from } of own.slice(0, dealing.mergesAfter)) target.update(rows, from)
  const merges = others.flatMap(other => {
    const half = other.groups.length >> 1
    return [other.groups.slice(0, half), other.groups.slice(half)].map(groups => ({ other, groups }))
  })
  const order = merges.map((_, i) => i).sort((a, b) => shuffle[a] - shuffle[b])
  for (const i of order) target.merge(merges[i].other, merges[i].groups, i % 2 === 0)
  for (const { rows, from } of own.slice(dealing.mergesAfter)) target.update(rows, from)

  const rows = batches.flatMap(batch => batch.rows)
  const expected = specs.map(spec =>
    target.groups.map(group => {
      const mine = rows.filter(row => row.group === group && counted(row, filtered))
      return mine.length === 0 ? null : shown(model(spec, mine.map(({ values }) => values) as Some[][]))
    }),
  )
  expect(target.results()).toEqual(expected)
  // Evaluating leaves states as they are.
  expect(target.results()).toEqual(expected)
  expect([...target.bytes(target.groups)]).toEqual([...alone.bytes(target.groups)])
  for (const lane of [...lanes, alone]) lane.free()
  k.memory.reset(0)
}

/** What every family that `checkDealing` serves is held to; `kernels` gives the test's own. */
export function testDealings(
  name: string,
  kernels: () => Kernels,
  dealings: fc.Arbitrary<Dealing>,
  model: Parameters<typeof checkDealing>[2],
  numRuns: number,
): void {
  test(`${name}, dealt to lanes in any way`, () => {
    fc.assert(
      fc.property(dealings, each => checkDealing(kernels(), each, model)),
      { numRuns },
    )
  })

  test(`${name}: everything is given back`, () => {
    const { memory } = kernels()
    const before = memory.usedBytes
    for (const each of fc.sample(dealings, { numRuns: 20, seed: 7 })) checkDealing(kernels(), each, model)
    memory.trim()
    expect(memory.usedBytes).toBe(before)
  })

  test(`${name}: pointers beyond 2 GiB are as good as any`, () => {
    kernels().memory.allocate(2 ** 31)
    for (const each of fc.sample(dealings, { numRuns: 20, seed: 8 })) checkDealing(kernels(), each, model)
  })
}
