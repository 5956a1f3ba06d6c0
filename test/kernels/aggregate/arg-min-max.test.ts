// The value at the least and the greatest of another column, over lanes, against a model over rows in order.

import * as fc from 'fast-check'
import { beforeEach } from 'vitest'
import type { DataType } from '../../../src/columnar/type.js'
import type { AggregateFunction, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { makeKernels } from '../support.js'
import { anyDealing, compareValues, oneZero, type Some, testDealings } from './dealing.js'

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

testDealings('argMin and argMax of every two types', () => k, dealing, model, 600)
