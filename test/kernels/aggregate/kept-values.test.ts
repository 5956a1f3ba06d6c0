// Medians and quantiles against sorted arrays, by the formula of src/kernels/aggregate/kept-values.ts.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  type DataType,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
} from '../../../src/columnar/type.js'
import type { AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import { createAggregation } from '../../../src/kernels/aggregate/aggregation.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { accumulatorContext, anyDouble, anyInt32, anyInt64, laneVector, makeKernels, valuesOf } from '../support.js'
import { anyLanes, expectedGroups, runLanes, shown } from './lanes.js'
import { compareNumbers, groupPointer, type Value } from './model.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const numbersOf: readonly (readonly [DataType, fc.Arbitrary<Value>])[] = [
  [int8(), fc.integer({ min: -128, max: 127 })],
  [uint8(), fc.integer({ min: 0, max: 255 })],
  [int16(), fc.integer({ min: -32768, max: 32767 })],
  [uint16(), fc.integer({ min: 0, max: 65535 })],
  [int32(), anyInt32],
  [uint32(), fc.integer({ min: 0, max: 2 ** 32 - 1 })],
  [int64(), anyInt64],
  [float32(), anyDouble.map(Math.fround)],
  [float64(), anyDouble],
]

const specOf = (type: DataType, q: number | null): AggregateSpec => ({
  function: q === null ? 'median' : 'quantile',
  inputs: [type],
  inputIndex: 0,
  parameters: q === null ? {} : { q },
  label: `quantile(x, ${q})`,
})

/** The definition, over arrays. */
function quantileOf(values: readonly Value[], q: number): number | null {
  if (values.length === 0) return null
  const sorted = [...(values as (number | bigint)[])].sort(compareNumbers).map(Number)
  const h = (sorted.length - 1) * q
  const t = h - Math.floor(h)
  const a = sorted[Math.floor(h)]
  const b = sorted[Math.min(Math.floor(h) + 1, sorted.length - 1)]
  const value = () => {
    if (t === 0 || a === b) return a
    if (t === 0.5) return Math.abs(a + b) === Infinity ? a / 2 + b / 2 : (a + b) / 2
    return b - a < Infinity ? Math.min(a + t * (b - a), b) : a * (1 - t) + b * t
  }
  // A computed NaN may have a sign.
  const result = value() + 0
  return Number.isNaN(result) ? NaN : result
}

const anyQ = fc.oneof(
  fc.constantFrom(null, 0, 1, 0.5, 0.25, 0.1, 0.9, 0.99),
  fc.double({ min: 0, max: 1, noNaN: true }),
)

describe('medians and quantiles', () => {
  test('of any numbers, batches, filters and lanes', () => {
    const anyCase = fc
      .constantFrom(...numbersOf)
      .chain(([type, value]) =>
        fc.tuple(
          fc.constant(type),
          anyLanes(value),
          fc.uniqueArray(anyQ, { minLength: 1, maxLength: 4, comparator: (a, b) => (a ?? 0.5) === (b ?? 0.5) }),
        ),
      )
    fc.assert(
      fc.property(anyCase, ([type, lanes, qs]) => {
        const specs = qs.map(q => specOf(type, q))
        runLanes(k, type, specs, lanes, ({ aggregation, groups }) => {
          const expected = qs.map(q => expectedGroups(lanes, groups).map(values => shown(quantileOf(values, q ?? 0.5))))
          const results = aggregation.evaluate(groups.length).map(vector => valuesOf(k, vector).map(shown))
          expect(results).toEqual(expected)
        })
      }),
      { numRuns: 600 },
    )
  })

  test('of several thousand groups, which come little by little', () => {
    const groups = fc.integer({ min: 0, max: 3000 })
    fc.assert(
      fc.property(anyLanes(fc.integer({ min: -5, max: 100 }), groups, 3000), lanes => {
        const keyed = { ...lanes, keyed: true }
        const specs = [specOf(int32(), null), specOf(int32(), 0.3)]
        runLanes(k, int32(), specs, keyed, ({ aggregation, groups }) => {
          const expected = expectedGroups(keyed, groups)
          expect(aggregation.evaluate(groups.length).map(vector => valuesOf(k, vector))).toEqual(
            [0.5, 0.3].map(q => expected.map(values => quantileOf(values, q))),
          )
        })
      }),
      { numRuns: 10 },
    )
  })
})

/** One aggregate of rows in one batch after another, all of one group or of these. */
function quantilesOf(type: DataType, values: readonly number[], qs: readonly number[], groups?: readonly number[]) {
  const aggregation = createAggregation(
    accumulatorContext(k),
    qs.map(q => specOf(type, q)),
  )
  const groupCount = groups === undefined ? 1 : groups.reduce((most, group) => Math.max(most, group + 1), 0)
  for (let from = 0; from < values.length; from += 65_536) {
    const mark = k.memory.mark()
    const batch = values.slice(from, from + 65_536)
    aggregation.resize(groupCount)
    const vector = laneVector(k, type, batch)
    const indices = groups === undefined ? 0 : groupPointer(k, groups.slice(from, from + 65_536))
    aggregation.update(indices, [{ vectors: [vector], validity: 0 }], batch.length, 0)
    aggregation.open(0, groupCount)
    k.memory.reset(mark)
  }
  const results = aggregation.evaluate(groupCount).map(vector => valuesOf(k, vector))
  aggregation.free()
  k.memory.reset(0)
  return results
}

const random = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

describe('long groups', () => {
  const next = random(7)
  const n = 100_000
  const shapes: Record<string, (i: number) => number> = {
    random: () => next() - 0.5,
    'few values': () => Math.floor(next() * 3),
    'all equal': () => 7,
    sorted: i => i,
    reversed: i => -i,
    'an organ pipe': i => Math.min(i, n - i),
    'a saw': i => i % 17,
    'powers of two': i => 2 ** ((i % 2000) - 1000),
    'a heavy tail': () => 1 / (next() + 1e-300) ** 9,
    NaN: i => (i % 3 === 0 ? NaN : i),
  }
  for (const [name, shape] of Object.entries(shapes)) {
    test(`in one group: ${name}`, () => {
      const values = Array.from({ length: n }, (_, i) => shape(i))
      const qs = [0, 0.001, 0.25, 0.5, 0.75, 0.9, 0.9999, 1]
      expect(quantilesOf(float64(), values, qs).flat().map(shown)).toEqual(qs.map(q => shown(quantileOf(values, q))))
      const integers = values.map(value => (Math.abs(value) < 2 ** 31 ? Math.trunc(value) : 5))
      expect(quantilesOf(int32(), integers, qs).flat()).toEqual(qs.map(q => quantileOf(integers, q)))
    })
  }

  test('beside short ones', () => {
    const values = Array.from({ length: n }, next)
    const groups = values.map((_, i) => (next() < 0.25 ? 300 : i % 700))
    const [medians] = quantilesOf(float64(), values, [0.5], groups)
    expect(medians).toEqual(
      Array.from({ length: 700 }, (_, group) =>
        quantileOf(
          values.filter((_, i) => groups[i] === group),
          0.5,
        ),
      ),
    )
  })
})

describe('order statistics by halving alone', () => {
  // What is left where every pivot was bad: the budget is used up at once.
  test('are the same', () => {
    const wide = fc.array(anyInt64, { minLength: 25, maxLength: 300 })
    fc.assert(
      fc.property(
        wide,
        fc.uniqueArray(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }),
        (values, some) => {
          const qs = [...some].sort((a, b) => a - b)
          const { memory } = k
          const data = laneVector(k, int64(), values).data
          const [other, room, ends] = [
            memory.scratch(8 * values.length),
            memory.scratch(112 * qs.length + 640),
            groupPointer(k, [values.length]),
          ]
          const wanted = laneVector(k, float64(), qs).data
          const out = memory.scratch(8 * qs.length)
          k.exports.keptQuantiles64(0, data, other, ends, 1, wanted, qs.length, room, 0, out, 0, 8)
          expect([...memory.f64.subarray(out >>> 3, (out >>> 3) + qs.length)].map(shown)).toEqual(
            qs.map(q => shown(quantileOf(values, q))),
          )
          memory.reset(0)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('between two values', () => {
  const q = (values: readonly number[], at: number) => quantilesOf(float64(), values, [at])[0][0]

  test('a median of an even count is half the sum, even of the greatest and the least doubles', () => {
    expect(q([1, 2], 0.5)).toBe(1.5)
    expect(q([Number.MAX_VALUE, -Number.MAX_VALUE], 0.5)).toBe(0)
    expect(q([Number.MAX_VALUE, 1e308], 0.5)).toBe(Number.MAX_VALUE / 2 + 5e307)
    expect(q([5e-324, 1e-323], 0.5)).toBe((5e-324 + 1e-323) / 2)
    expect(q([-5e-324, 0], 0.5)).toBe(0)
  })

  test('infinities and NaN', () => {
    expect(q([-Infinity, 3], 0.5)).toBe(-Infinity)
    expect(q([3, Infinity], 0.25)).toBe(Infinity)
    expect(q([Infinity, Infinity], 0.25)).toBe(Infinity)
    expect(q([-Infinity, Infinity], 0.5)).toBe(NaN)
    expect(q([1, 2, NaN], 0.5)).toBe(2)
    expect(q([1, NaN], 0.5)).toBe(NaN)
    expect(q([-Number.MAX_VALUE, Number.MAX_VALUE], 0.25)).toBe(-Number.MAX_VALUE * 0.75 + Number.MAX_VALUE * 0.25)
  })

  test('a quantile is never beyond the values', () => {
    expect(q([0.1, 0.30000000000000004], 1 - 2 ** -53)).toBeLessThanOrEqual(0.30000000000000004)
  })
})

test('all quantiles of one input are of the same kept values', () => {
  const used = (qs: readonly number[]) => {
    const before = k.memory.usedBytes
    const aggregation = createAggregation(
      accumulatorContext(k),
      qs.map(q => specOf(float64(), q)),
    )
    aggregation.resize(1)
    aggregation.update(0, [{ vectors: [laneVector(k, float64(), new Array(60_000).fill(1))], validity: 0 }], 60_000, 0)
    return k.memory.usedBytes - before
  }
  const once = used([0.5])
  expect(used([0.1, 0.5, 0.9])).toBeLessThanOrEqual(once)
})

test('everything is given back', () => {
  k.memory.trim()
  const before = k.memory.usedBytes
  for (const lanes of fc.sample(anyLanes(anyDouble), { numRuns: 20, seed: 7 })) {
    runLanes(k, float64(), [specOf(float64(), null), specOf(float64(), 0.3)], lanes, ({ aggregation, groups }) => {
      aggregation.evaluate(groups.length)
    })
  }
  k.memory.trim()
  expect(k.memory.usedBytes).toBe(before)
})
