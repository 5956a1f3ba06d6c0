// The value at the least and the greatest of another column, over lanes, against a model over rows in order.

import * as fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import type { DataType } from '../../../src/columnar/type.js'
import type { AggregateFunction, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { makeKernels } from '../support.js'
import { anyDealing, checkDealing, compareValues, oneZero, type Some } from './dealing.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const specs = (inputs: readonly DataType[]) =>
  fc
    .subarray<AggregateFunction>(['argMin', 'argMax'], { minLength: 1 })
    .map(names =>
      names.map(name => ({ function: name, inputs, inputIndex: 0, parameters: {}, label: `${name}(x, y)` })),
    )

const dealing = anyDealing(2, specs)

const model = ({ function: name }: AggregateSpec, rows: readonly (readonly Some[])[]) => {
  const wanted = name === 'argMax' ? 1 : -1
  // Of rows that tie, the first stays.
  return oneZero(rows.reduce((best, row) => (Math.sign(compareValues(row[1], best[1])) === wanted ? row : best))[0])
}

test('argMin and argMax of every two types, dealt to lanes in any way', () => {
  fc.assert(
    fc.property(dealing, each => checkDealing(k, each, model)),
    { numRuns: 600 },
  )
})

test('everything is given back', () => {
  const before = k.memory.usedBytes
  for (const each of fc.sample(dealing, { numRuns: 20, seed: 7 })) checkDealing(k, each, model)
  k.memory.trim()
  expect(k.memory.usedBytes).toBe(before)
})

test('pointers beyond 2 GiB are as good as any', () => {
  k.memory.allocate(2 ** 31)
  for (const each of fc.sample(dealing, { numRuns: 20, seed: 8 })) checkDealing(k, each, model)
})
