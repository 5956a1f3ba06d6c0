// The n greatest and the n least of a group as lists, over lanes, against sorting all of its values.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type DataType, float64, int32 } from '../../../src/columnar/type.js'
import type { AggregateFunction, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import { topK } from '../../../src/kernels/aggregate/top-k.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { accumulatorContext, laneVector, makeKernels, valuesOf } from '../support.js'
import { anyDealing, compareValues, oneZero, type Some, testDealings } from './dealing.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const specs = (inputs: readonly DataType[]) =>
  fc.tuple(fc.constantFrom(1, 2, 3, 16, 17, 50, 5000), fc.constantFrom(1, 2, 20)).map(([most, least]) =>
    (['topK', 'bottomK'] as AggregateFunction[]).map((name, i) => ({
      function: name,
      inputs,
      inputIndex: 0,
      parameters: { n: [most, least][i] },
      label: `${name}(x)`,
    })),
  )

const dealing = anyDealing(1, specs)

const model = ({ function: name, parameters: { n } }: AggregateSpec, rows: readonly (readonly Some[])[]) => {
  const sign = name === 'topK' ? -1 : 1
  return rows
    .map(([value]) => oneZero(value))
    .sort((a, b) => sign * compareValues(a, b))
    .slice(0, n)
}

testDealings('topK and bottomK of every type', () => k, dealing, model, 500)

describe('a great n', () => {
  const run = (type: DataType, n: number, batches: readonly (readonly number[])[]) => {
    const spec = { function: 'topK' as const, inputs: [type], inputIndex: 0, parameters: { n }, label: 'topK(x)' }
    k.memory.reset(0)
    k.memory.trim()
    const before = k.memory.usedBytes
    const accumulator = topK.create(accumulatorContext(k), spec)
    accumulator.resize(1)
    const values = batches.flat()
    for (const batch of batches) {
      const mark = k.memory.mark()
      accumulator.update({
        groups: 0,
        rowCount: batch.length,
        vectors: [laneVector(k, type, batch)],
        validity: 0,
        valueCount: batch.length,
        position: 0,
      })
      k.memory.reset(mark)
    }
    k.memory.trim()
    const used = k.memory.usedBytes - before
    const counts = k.memory.scratch(8)
    k.memory.i64[counts >>> 3] = BigInt(values.length)
    const found = valuesOf(k, accumulator.evaluate(spec, counts).child!)
    expect(found).toEqual(values.sort((a, b) => b - a).slice(0, n))
    accumulator.free()
    return used
  }
  const batches = (order: (i: number) => number) =>
    Array.from({ length: 60 }, (_, batch) => Array.from({ length: 1000 }, (_, i) => order(batch * 1000 + i)))

  test.each([
    ['ascending', (i: number) => i],
    ['descending', (i: number) => -1 - i],
    ['mixed', (i: number) => (i * 7919) % 60_000],
    ['equal', () => 5],
    ['least of all', () => -(2 ** 31)],
  ])('of %s values takes room for what is wanted, not for what came', (_, order) => {
    for (const type of [int32(), float64()]) {
      for (const n of [17, 1000, 4000]) expect(run(type, n, batches(order))).toBeLessThan(300_000)
      // More than there are: all are kept.
      run(type, 100_000, batches(order))
    }
  })
})
