// First, last and any over lanes against a model over rows in order.

import * as fc from 'fast-check'
import { beforeEach, test } from 'vitest'
import { type DataType, int32, nullable } from '../../../src/columnar/type.js'
import type { AggregateFunction, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { makeKernels } from '../support.js'
import { anyDealing, checkDealing, oneZero, type Some, testDealings } from './dealing.js'

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

testDealings('first, last and any of every type', () => k, dealing, model, 400)

test('without groups, wherever the few rows lie that count', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 399 }), { minLength: 1, maxLength: 3 }), places => {
      const rows = Array.from({ length: 400 }, (_, i) => ({
        group: 0,
        values: [places.includes(i) ? i : null],
        kept: true,
      }))
      const inputs = [nullable(int32())]
      const specs = (['first', 'last'] as const).map(name => ({
        function: name,
        inputs,
        inputIndex: 0,
        parameters: {},
        label: `${name}(x)`,
      }))
      const batches = [{ lane: 0, gap: 0, rows }]
      checkDealing(
        k,
        { specs, batches, keyed: false, filtered: false, start: 0, mergesAfter: 0, shuffle: [0, 1, 2, 3, 4, 5] },
        model,
      )
    }),
    { numRuns: 30 },
  )
})
