// First, last and any over lanes against a model over rows in order.

import * as fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import type { DataType } from '../../../src/columnar/type.js'
import type { AggregateFunction, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { makeKernels } from '../support.js'
import { anyDealing, checkDealing, oneZero, type Some } from './dealing.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const specs = (inputs: readonly DataType[]) =>
  fc
    .subarray<AggregateFunction>(['first', 'last', 'any'], { minLength: 1 })
    .map(names => names.map(name => ({ function: name, inputs, inputIndex: 0, parameters: {}, label: `${name}(x)` })))

const dealing = anyDealing(1, specs)

const model = ({ function: name }: AggregateSpec, rows: readonly (readonly Some[])[]) =>
  oneZero(rows[name === 'last' ? rows.length - 1 : 0][0])

test('first, last and any of every type, dealt to lanes in any way', () => {
  fc.assert(
    fc.property(dealing, each => checkDealing(k, each, model)),
    { numRuns: 400 },
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
