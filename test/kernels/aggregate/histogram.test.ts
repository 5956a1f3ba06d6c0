// Histograms against a count of each value between each two edges, in exact arithmetic.

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
import type { Accumulator, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import { createAggregation } from '../../../src/kernels/aggregate/aggregation.js'
import { histogram } from '../../../src/kernels/aggregate/histogram.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import type { LaneVector } from '../../../src/kernels/lane-vector.js'
import { accumulatorContext, anyDouble, anyInt32, anyInt64, laneVector, makeKernels, valuesOf } from '../support.js'
import { anyLanes, expectedGroups, runLanes } from './lanes.js'
import { groupPointer, type Value } from './model.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const specOf = (type: DataType, edges: readonly number[]): AggregateSpec => ({
  function: 'histogram',
  inputs: [type],
  inputIndex: 0,
  parameters: { edges },
  label: 'histogram(x)',
})

/** JavaScript compares a bigint with a number exactly. */
function binsOf(values: readonly Value[], edges: readonly number[]): bigint[] {
  const bins = edges.length - 1
  return Array.from({ length: bins }, (_, i) => {
    const inside = (values as (number | bigint)[]).filter(
      x => x >= edges[i] && (x < edges[i + 1] || (i === bins - 1 && x <= edges[i + 1])),
    )
    return BigInt(inside.length)
  })
}

function listsOf(vector: LaneVector): (bigint[] | null)[] {
  const items = valuesOf(k, vector.child as LaneVector) as bigint[]
  const { u8, u32 } = k.memory
  return Array.from({ length: vector.length }, (_, i) => {
    if (vector.validity !== 0 && ((u8[vector.validity + (i >> 3)] >> (i & 7)) & 1) === 0) return null
    return items.slice(u32[(vector.data >>> 2) + i], u32[(vector.data >>> 2) + i + 1])
  })
}

/** Ascending, by values that columns have too. */
const edgesOf = (value: fc.Arbitrary<Value>): fc.Arbitrary<number[]> =>
  fc
    .uniqueArray(
      fc.oneof(value.map(Number), anyDouble).filter(x => !Number.isNaN(x)),
      { minLength: 2, maxLength: 12, comparator: (a, b) => a === b },
    )
    .map(edges => edges.sort((a, b) => a - b))

const equalEdges = fc
  .record({
    first: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    width: fc.double({ min: 1e-9, max: 1e5, noNaN: true }),
    bins: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ first, width, bins }) => Array.from({ length: bins + 1 }, (_, i) => first + i * width))
  .filter(edges => edges.every((edge, i) => i === 0 || edge > edges[i - 1]))

const types: readonly (readonly [DataType, fc.Arbitrary<Value>])[] = [
  [int8(), fc.integer({ min: -128, max: 127 })],
  [uint8(), fc.integer({ min: 0, max: 255 })],
  [int16(), fc.integer({ min: -32768, max: 32767 })],
  [uint16(), fc.integer({ min: 0, max: 65535 })],
  [int32(), anyInt32],
  [uint32(), fc.integer({ min: 0, max: 2 ** 32 - 1 })],
  [
    int64(),
    fc.oneof(
      anyInt64,
      fc.bigInt({ min: -4n, max: 4n }).chain(d => fc.integer({ min: 53, max: 62 }).map(e => 2n ** BigInt(e) + d)),
    ),
  ],
  [float32(), anyDouble.map(Math.fround)],
  [float64(), anyDouble],
]

describe('histograms', () => {
  test('of any numbers between any edges, of batches, filters and lanes', () => {
    const anyCase = fc
      .constantFrom(...types)
      .chain(([type, value]) => fc.tuple(fc.constant(type), anyLanes(value), edgesOf(value)))
    fc.assert(
      fc.property(anyCase, ([type, lanes, edges]) => {
        runLanes(k, type, [specOf(type, edges)], lanes, ({ aggregation, groups }) => {
          expect(listsOf(aggregation.evaluate(groups.length)[0])).toEqual(
            expectedGroups(lanes, groups).map(values => (values.length === 0 ? null : binsOf(values, edges))),
          )
        })
      }),
      { numRuns: 250 },
    )
  })

  test('of values on and next to equally wide edges', () => {
    const next = new DataView(new ArrayBuffer(8))
    const beside = (x: number, by: bigint) => {
      next.setFloat64(0, x)
      next.setBigInt64(0, next.getBigInt64(0) + by)
      return next.getFloat64(0)
    }
    let guessed = 0
    fc.assert(
      fc.property(equalEdges, edges => {
        const values = edges.flatMap(edge => [edge, beside(edge, 1n), beside(edge, -1n)])
        const aggregation = createAggregation(accumulatorContext(k), [specOf(float64(), edges)])
        aggregation.resize(1)
        const vector = laneVector(k, float64(), values)
        aggregation.update(0, [{ vectors: [vector], validity: 0 }], values.length, 0)
        aggregation.open(0, 1)
        expect(listsOf(aggregation.evaluate(1)[0])).toEqual([binsOf(values, edges)])
        if (aggregation.kernels[0].endsWith('equal bins')) guessed++
        aggregation.free()
        k.memory.reset(0)
      }),
      { numRuns: 100 },
    )
    expect(guessed).toBeGreaterThan(60)
  })

  test('a group whose values are in no bin has zeros, one without values has none', () => {
    const aggregation = createAggregation(accumulatorContext(k), [specOf(float64(), [0, 1, 2])])
    aggregation.resize(3)
    const vector = laneVector(k, float64(), [-1, NaN, 3, null, 2, 0, -0, 0.5])
    const { length, validity } = vector
    aggregation.update(groupPointer(k, [0, 0, 0, 1, 2, 2, 2, 2]), [{ vectors: [vector], validity }], length, 0)
    aggregation.open(0, 3)
    expect(listsOf(aggregation.evaluate(3)[0])).toEqual([[0n, 0n], null, [3n, 1n]])
  })

  test('with the same edges are kept once', () => {
    expect(histogram.share(specOf(int8(), [0, 1]))).toBe(histogram.share(specOf(int8(), [0, 1])))
    expect(histogram.share(specOf(int8(), [0, 1]))).not.toBe(histogram.share(specOf(int8(), [0, 2])))
  })
})

test('rows can be taken back, in any order', () => {
  const anyRows = fc.array(fc.record({ group: fc.integer({ min: 0, max: 3 }), value: anyDouble, gone: fc.boolean() }))
  fc.assert(
    fc.property(anyRows, fc.boolean(), edgesOf(anyDouble), (rows, keyed, edges) => {
      const spec = specOf(float64(), edges)
      const accumulator = histogram.create(accumulatorContext(k), spec) as Required<Accumulator>
      accumulator.resize(4)
      const pass = (some: typeof rows, apply: 'update' | 'retract') => {
        if (some.length === 0) return
        const vectors = [
          laneVector(
            k,
            float64(),
            some.map(({ value }) => value),
          ),
        ]
        const groups = keyed
          ? groupPointer(
              k,
              some.map(({ group }) => group),
            )
          : 0
        accumulator[apply]({
          groups,
          rowCount: some.length,
          vectors,
          validity: 0,
          valueCount: some.length,
          position: 0,
        })
      }
      pass(rows, 'update')
      pass(rows.filter(({ gone }) => gone).reverse(), 'retract')
      const left = rows.filter(({ gone }) => !gone)
      expect(listsOf(accumulator.evaluate(spec, 0))).toEqual(
        [0, 1, 2, 3].map(group =>
          binsOf(
            left.filter(row => (keyed ? row.group : 0) === group).map(({ value }) => value),
            edges,
          ),
        ),
      )
      accumulator.free()
      k.memory.reset(0)
    }),
    { numRuns: 70 },
  )
})

test('everything is given back', () => {
  k.memory.trim()
  const before = k.memory.usedBytes
  for (const lanes of fc.sample(anyLanes(anyDouble), { numRuns: 20, seed: 7 })) {
    runLanes(k, float64(), [specOf(float64(), [0, 1, 5])], lanes, ({ aggregation, groups }) => {
      aggregation.evaluate(groups.length)
    })
  }
  k.memory.trim()
  expect(k.memory.usedBytes).toBe(before)
})
