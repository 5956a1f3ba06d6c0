// All values of a group in the order of their rows, as lists and joined, over lanes.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type DataType, int32, utf8 } from '../../../src/columnar/type.js'
import type { AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import { createAggregation } from '../../../src/kernels/aggregate/aggregation.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { LaneDictionary } from '../../../src/kernels/text.js'
import { accumulatorContext, laneVector, makeKernels, valuesOf } from '../support.js'
import { anyDealing, oneZero, type Some, testDealings } from './dealing.js'
import { columnOf, groupPointer } from './model.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const spec = (name: 'collectList' | 'join', inputs: readonly DataType[], separator?: string): AggregateSpec => ({
  function: name,
  inputs,
  inputIndex: 0,
  parameters: separator === undefined ? {} : { separator },
  label: `${name}(x)`,
})

const collected = anyDealing(1, inputs => fc.constant([spec('collectList', inputs)]))

const separator = fc.oneof(fc.constantFrom('', ', ', ' and then '), fc.string({ unit: 'grapheme' }))

const joined = anyDealing(
  1,
  inputs =>
    fc
      .tuple(separator, separator)
      .map(([a, b]) => [spec('join', inputs, a), spec('collectList', inputs), spec('join', inputs, b)]),
  ({ kind }) => kind === 'utf8',
)

const model = ({ function: name, parameters }: AggregateSpec, rows: readonly (readonly Some[])[]) => {
  const values = rows.map(([value]) => oneZero(value))
  return name === 'join' ? values.join(parameters.separator) : values
}

testDealings('collectList of every type', () => k, collected, model, 400)

testDealings('strings joined by anything', () => k, joined, model, 200)

describe('many rows of one group', () => {
  /** Lanes take batches in turn, so that the rows of two lanes alternate; `step` positions lie between. */
  const lanesOf = (
    inputs: readonly AggregateSpec[],
    step: number,
    batch: (from: number) => Some[],
    asTheyLie: boolean,
  ) => {
    const dictionaries = [new LaneDictionary(k), new LaneDictionary(k)]
    const lanes = dictionaries.map(() => createAggregation(accumulatorContext(k), inputs))
    for (let i = 0; i < 40; i++) {
      const mark = k.memory.mark()
      const values = batch(i)
      lanes[i % 2].resize(1)
      const vector = columnOf(k, inputs[0].inputs[0], values, dictionaries[i % 2])
      lanes[i % 2].update(0, [{ vectors: [vector], validity: 0 }], values.length, i * step)
      lanes[i % 2].open(0, 1)
      k.memory.reset(mark)
    }
    const state = asTheyLie ? lanes[1].laneState(0, 1, true) : lanes[1].state(0, 1)
    lanes[0].merge(state, groupPointer(k, [0]), 1, 1)
    return lanes[0].evaluate(1)
  }

  test.each([
    [3000, false],
    [3000, true],
    [2 ** 32, true],
    [2 ** 40, false],
    [2 ** 40, true],
  ])(
    'are in order though lanes alternate, %d positions from batch to batch, handed over as they lie: %s',
    (step, asTheyLie) => {
      const batch = (i: number) => Array.from({ length: 2500 }, (_, j) => i * 2500 + j)
      const [result] = lanesOf([spec('collectList', [int32()])], step, batch, asTheyLie)
      expect(valuesOf(k, result.child!)).toEqual(Array.from({ length: 100_000 }, (_, i) => i))
    },
  )

  test.each([false, true])('are joined to one long string, handed over as they lie: %s', asTheyLie => {
    const batch = (i: number) => Array.from({ length: 500 }, (_, j) => 'x'.repeat((i * 500 + j) % 19))
    const [result] = lanesOf([spec('join', [utf8()], '|')], 500, batch, asTheyLie)
    expect(valuesOf(k, result)).toEqual([Array.from({ length: 20_000 }, (_, i) => 'x'.repeat(i % 19)).join('|')])
  })
})

test('groups that merged states repeat get the rows of all', () => {
  const make = () => {
    const aggregation = createAggregation(accumulatorContext(k), [spec('collectList', [int32()])])
    aggregation.resize(2)
    return aggregation
  }
  const from = make()
  const vector = laneVector(k, int32(), [1, 2, 3, 4])
  from.update(groupPointer(k, [0, 1, 1, 0]), [{ vectors: [vector], validity: 0 }], 4, 10)
  from.open(0, 2)
  const to = make()
  to.merge(from.laneState(0, 2), groupPointer(k, [1, 1]), 2, 2)
  to.open(0, 2)
  const [result] = to.evaluate(2)
  expect(valuesOf(k, result.child!)).toEqual([1, 2, 3, 4])
  expect([...k.memory.u32.slice(result.data >>> 2, (result.data >>> 2) + 3)]).toEqual([0, 0, 4])
})
