// Exact sums and means of doubles and floats against rationals, bit for bit: every form a sum can take, and every change of form.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { float32, float64, nullable } from '../../../src/columnar/type.js'
import { type Aggregation, createAggregation } from '../../../src/kernels/aggregate/aggregation.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { accumulatorContext, laneVector, makeKernels, valuesOf } from '../support.js'
import { bitsOfDouble, groupPointer, modelFloat } from './model.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

type Row = readonly [group: number, value: number | null]

const specs = (kind: 'float32' | 'float64') =>
  (['sum', 'mean', 'count'] as const).map(name => ({
    function: name,
    inputs: [nullable(kind === 'float64' ? float64() : float32())],
    inputIndex: 0,
    parameters: {},
    label: `${name}(x)`,
  }))

/** Groups are numbered as they come, as a group table would. */
class Feed {
  readonly aggregation: Aggregation
  readonly rows: Row[] = []
  readonly indices = new Map<number, number>()
  private readonly kind: 'float32' | 'float64'

  constructor(kind: 'float32' | 'float64' = 'float64') {
    this.kind = kind
    this.aggregation = createAggregation(accumulatorContext(k), specs(kind))
  }

  index(group: number): number {
    if (!this.indices.has(group)) this.indices.set(group, this.indices.size)
    return this.indices.get(group) as number
  }

  add(rows: readonly Row[]): this {
    const mark = k.memory.mark()
    this.rows.push(...rows)
    const vector = laneVector(
      k,
      nullable(this.kind === 'float64' ? float64() : float32()),
      rows.map(([, value]) => value),
    )
    const groups = groupPointer(
      k,
      rows.map(([group]) => this.index(group)),
    )
    this.aggregation.resize(this.indices.size)
    this.aggregation.update(groups, [{ vectors: [vector], validity: vector.validity }], rows.length, 0)
    this.aggregation.open(0, this.indices.size)
    k.memory.reset(mark)
    return this
  }

  merge(other: Feed, forLane = false): this {
    const mark = k.memory.mark()
    const groupMap = groupPointer(
      k,
      [...other.indices.keys()].map(group => this.index(group)),
    )
    this.rows.push(...other.rows)
    this.aggregation.resize(this.indices.size)
    const { size } = other.indices
    this.aggregation.merge(
      forLane ? other.aggregation.laneState(0, size) : other.aggregation.state(0, size),
      groupMap,
      size,
      1,
    )
    this.aggregation.open(0, this.indices.size)
    k.memory.reset(mark)
    return this
  }

  results(): (number | bigint | null)[][] {
    const mark = k.memory.mark()
    const results = this.aggregation.evaluate(this.indices.size).map(vector => valuesOf(k, vector))
    k.memory.reset(mark)
    return results as (number | bigint | null)[][]
  }

  check(): this {
    const [sums, means, counts] = this.results()
    for (const [group, index] of this.indices) {
      const values = this.rows.filter(([g, value]) => g === group && value !== null).map(([, value]) => value as number)
      const rounded = this.kind === 'float64' ? values : values.map(Math.fround)
      expect([counts[index], bits(sums[index]), bits(means[index])]).toEqual([
        BigInt(values.length),
        bits(modelFloat(rounded, false)),
        bits(modelFloat(rounded, true)),
      ])
    }
    return this
  }

  free(): void {
    this.aggregation.free()
  }
}

/** Doubles by their bits, so that -0 and NaN are told apart. */
const bits = (value: number | bigint | null) => (value === null ? null : bitsOfDouble(value as number).toString(16))

/** Families of values: what one batch holds chooses the form, what the next holds changes it. */
const families: readonly fc.Arbitrary<number>[] = [
  fc.integer({ min: -1000, max: 1000 }),
  fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map(n => n / 100),
  fc.integer({ min: 0, max: 10 ** 8 }).map(n => n / 10 ** 6),
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.double({ min: 2 ** 60, max: 2 ** 80, noNaN: true }),
  fc.constantFrom(1e308, -1e308, 1e-300, -1e-300, Number.MAX_VALUE, -Number.MAX_VALUE),
  fc.integer({ min: -5, max: 5 }).map(n => n * Number.MIN_VALUE),
  fc.constantFrom(
    2.2250738585072014e-308,
    2.225073858507201e-308,
    -2.2250738585072014e-308,
    2 ** -1060,
    2 ** -1023 * 3,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0),
  fc.constantFrom(NaN, Infinity, -Infinity, 1, -1, 0.1),
]
const value = fc.constantFrom(...families).chain(family => family)
const rowOf = (number: fc.Arbitrary<number>): fc.Arbitrary<Row> =>
  fc.tuple(fc.integer({ min: 0, max: 6 }), fc.oneof({ weight: 6, arbitrary: number }, fc.constant(null)))
const batch = fc.constantFrom(...families, value).chain(family => fc.array(rowOf(family), { maxLength: 40 }))
const batches = fc.array(batch, { maxLength: 6 })

describe('sums and means are the exact ones, rounded once', () => {
  test('of doubles, whatever batch follows whatever other', () => {
    fc.assert(
      fc.property(batches, all => {
        const feed = new Feed()
        for (const rows of all) feed.add(rows).check()
        feed.free()
      }),
      { numRuns: 400 },
    )
  })

  test('of floats', () => {
    fc.assert(
      fc.property(batches, all => {
        const feed = new Feed('float32')
        for (const rows of all) feed.add(rows)
        feed.check().free()
      }),
      { numRuns: 150 },
    )
  })

  test('after merges in any order, with the same bits as in one go', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(batches, fc.nat()), { minLength: 2, maxLength: 4 }), parts => {
        const feeds = parts.map(([all]) => all.reduce((feed, rows) => feed.add(rows), new Feed()))
        while (feeds.length > 1) {
          const [, at] = parts[feeds.length - 1]
          const [other] = feeds.splice(at % feeds.length, 1)
          feeds[at % feeds.length].merge(other, at % 2 === 0).check()
          other.free()
        }
        feeds[0].free()
      }),
      { numRuns: 150 },
    )
  })

  test('without groups', () => {
    fc.assert(
      fc.property(batches, all => {
        const aggregation = createAggregation(accumulatorContext(k), specs('float64'))
        aggregation.resize(1)
        for (const rows of all) {
          const vector = laneVector(
            k,
            nullable(float64()),
            rows.map(([, x]) => x),
          )
          aggregation.update(0, [{ vectors: [vector], validity: vector.validity }], rows.length, 0)
          aggregation.open(0, 1)
        }
        const values = all.flat().flatMap(([, x]) => (x === null ? [] : [x]))
        const [sums, means, counts] = aggregation.evaluate(1).map(vector => valuesOf(k, vector)[0])
        expect([counts, bits(sums as number), bits(means as number)]).toEqual([
          BigInt(values.length),
          bits(modelFloat(values, false)),
          bits(modelFloat(values, true)),
        ])
        aggregation.free()
        k.memory.reset(0)
      }),
      { numRuns: 200 },
    )
  })
})

describe('the cheapest form that holds the bits is chosen', () => {
  const kernelAfter = (...all: number[][]) => {
    const feed = new Feed()
    for (const values of all) feed.add(values.map((x, i) => [i % 3, x]))
    return feed.check().aggregation.kernels[0]
  }

  test('one limb for quarters', () => expect(kernelAfter([0.25, 100.5, -3])).toBe('sum float64 fixed 64'))
  test('two limbs for decimals', () => expect(kernelAfter([0.01, 1234.56])).toBe('sum float64 fixed 128'))
  test('two limbs once one does not do', () => expect(kernelAfter([1, 2], [0.1])).toBe('sum float64 fixed 128'))
  test('wide chunks for the full range', () =>
    expect(kernelAfter([1e300, 1e-300, 1])).toMatch(/^sum float64 wide \d+$/))
  test('wide chunks once limbs do not do', () =>
    expect(kernelAfter([1, 2], [0.1], [1e200])).toMatch(/^sum float64 wide \d+$/))
  test('one limb again where there are but zeros', () => expect(kernelAfter([0, -0, 0])).toBe('sum float64 fixed 64'))
})

test('a limb that might overflow is measured, and widened only where it must be', () => {
  // 2^39 each, a million of them: 2^59 if all were in one group.
  const rows = Array.from({ length: 60_000 }, (_, i): Row => [i % 5, 2 ** 39 - (i % 7)])
  const feed = new Feed()
  for (let i = 0; i < 20; i++) feed.add(rows)
  expect(feed.aggregation.kernels[0]).toBe('sum float64 fixed 64')
  feed.check().free()
})

test('limbs that would overflow are widened', () => {
  const aggregation = createAggregation(accumulatorContext(k), specs('float64').slice(0, 1))
  aggregation.resize(1)
  const vector = laneVector(k, float64(), [2 ** 40 - 1, 1])
  aggregation.update(0, [{ vectors: [vector], validity: 0 }], 2, 0)
  aggregation.open(0, 1)
  const doubled = (times: number) => {
    // A sum is doubled by merging its own state.
    for (let i = 0; i < times; i++) aggregation.merge(aggregation.state(0, 1), groupPointer(k, [0]), 1, 1)
    return [valuesOf(k, aggregation.evaluate(1)[0])[0], aggregation.kernels[0].replace(/\d+$/, '')]
  }
  expect(doubled(0)).toEqual([2 ** 40, 'sum float64 fixed '])
  expect(doubled(15)).toEqual([2 ** 55, 'sum float64 fixed '])
  expect(aggregation.kernels).toEqual(['sum float64 fixed 64'])
  expect(doubled(30)).toEqual([2 ** 85, 'sum float64 fixed '])
  expect(aggregation.kernels).toEqual(['sum float64 fixed 128'])
  expect(doubled(400)).toEqual([2 ** 485, 'sum float64 wide '])
})

test('the mean is exact where the sum overflows, and rounds to a subnormal once', () => {
  const feed = new Feed().add([
    [0, Number.MAX_VALUE],
    [0, Number.MAX_VALUE],
    [1, Number.MIN_VALUE],
    [1, Number.MIN_VALUE],
    [1, 0],
    [2, 1e308],
    [2, 1e308],
    [2, -1e308],
    [2, 1e-300],
  ])
  const [sums, means] = feed.check().results()
  expect(sums).toEqual([Infinity, 2 * Number.MIN_VALUE, 1e308])
  expect(means[0]).toBe(Number.MAX_VALUE)
  expect(means[1]).toBe(Number.MIN_VALUE)
})

test('many rows in few groups, and in many, are summed alike', () => {
  const rows = Array.from({ length: 50_000 }, (_, i): Row => [0, ((i * 7919) % 100_003) / 1000])
  for (const groupCount of [1, 2, 100, 256, 257, 20_000]) {
    const feed = new Feed()
    for (let from = 0; from < rows.length; from += 10_000) {
      feed.add(rows.slice(from, from + 10_000).map(([, x], i) => [(from + i) % groupCount, x]))
    }
    const mark = k.memory.mark()
    const [sums] = feed.results()
    const total = rows.reduce((sum, [, x]) => sum + BigInt(Math.round((x as number) * 1000)), 0n)
    expect(Math.round(sums.reduce<number>((sum, x) => sum + (x as number), 0) * 1000)).toBe(Number(total))
    for (const index of [0, groupCount >> 1, groupCount - 1]) {
      const values = rows.filter((_, i) => i % groupCount === index).map(([, x]) => x as number)
      expect(bits(sums[index])).toBe(bits(modelFloat(values, false)))
    }
    k.memory.reset(mark)
    feed.free()
  }
})

test('everything is given back', () => {
  const before = k.memory.usedBytes
  const feed = new Feed()
    .add([[0, 1]])
    .add([[1, 0.1]])
    .add([[2, 1e300]])
    .add([[0, NaN]])
    .check()
  new Feed().merge(feed).free()
  feed.free()
  k.memory.trim()
  expect(k.memory.usedBytes).toBe(before)
})
