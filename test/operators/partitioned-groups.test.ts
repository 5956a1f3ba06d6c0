// More groups than one table is given: rows are parted, and the answer is what one table gives, in the same order and to the last bit.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { float64, int8, int32, int64, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { createAggregate } from '../../src/operators/aggregate.js'
import type { Breaker } from '../../src/operators/operator.js'
import type { AccumulatorSpec } from '../../src/plan/physical.js'
import { batchOf, type Context, emitted, makeContext, morselOf } from './support.js'

const shape = {
  a: nullable(int32()),
  b: nullable(utf8()),
  c: float64(),
  n: nullable(int64()),
  x: nullable(float64()),
  s: nullable(utf8()),
  t: int8(),
} satisfies SchemaShape

type Row = { [K in keyof typeof shape]: unknown }

const column = (name: string): Expression => ({ op: 'column', name })
const call = (
  name: string,
  what: AccumulatorSpec['function'],
  inputs: readonly (keyof typeof shape)[],
  where: Expression | null = null,
): AccumulatorSpec => ({
  name,
  function: what,
  inputs: inputs.map(column),
  inputTypes: inputs.map(input => shape[input]),
  parameters: {},
  where,
  label: name,
})

const isNull: Expression = { op: 'isNull', input: column('n') }
const ACCUMULATORS = [
  call('rows', 'count', []),
  call('empty', 'count', [], isNull),
  call('total', 'sum', ['n']),
  call('mean', 'mean', ['x']),
  call('least', 'min', ['s']),
  call('most', 'max', ['x'], isNull),
]
const RESULTS = {
  rows: int64(),
  empty: int64(),
  total: nullable(int64()),
  mean: nullable(float64()),
  least: nullable(utf8()),
  most: nullable(float64()),
}

const keySets = [['a'], ['b'], ['a', 'b'], ['c', 'a'], ['a', 'b', 'c']] as const

const aggregate = (context: Context, keys: readonly (keyof typeof shape)[]): [Breaker, SchemaShape] => {
  const output = { ...Object.fromEntries(keys.map(key => [key, shape[key]])), ...RESULTS }
  return [
    createAggregate(context, { kind: 'aggregate', keys, accumulators: ACCUMULATORS, sets: null, output }, shape),
    output,
  ]
}

const row: fc.Arbitrary<Row> = fc.record({
  a: fc.option(fc.oneof(fc.integer({ min: -3, max: 40 }), fc.integer())),
  b: fc.option(fc.constantFrom('', 'x', 'y', 'ä', 'zz')),
  c: fc.constantFrom(0, -0, NaN, 1.5, Infinity),
  n: fc.option(fc.bigInt({ min: -100n, max: 100n })),
  x: fc.option(fc.oneof(fc.double(), fc.integer({ min: -9, max: 9 }))),
  s: fc.option(fc.constantFrom('p', 'q', 'r')),
  t: fc.constant(1),
})
const batches = fc.array(fc.array(row, { minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 6 })

const feed = (context: Context, operator: Breaker, given: readonly (readonly Row[])[]) => {
  for (const [i, rows] of given.entries()) {
    const mark = context.k.memory.mark()
    const data = Object.fromEntries(Object.keys(shape).map(name => [name, rows.map(each => each[name as keyof Row])]))
    operator.consume(morselOf(context, batchOf(data as never, shape)), Math.floor(i / 2))
    context.k.memory.reset(mark)
  }
}

describe('rows that are parted', () => {
  it('give what one table gives', async () => {
    const [plain, small] = [await makeContext(), { ...(await makeContext()), mostGroups: 3 }]
    let partings = 0
    fc.assert(
      fc.property(fc.constantFrom(...keySets), batches, (keys, given) => {
        const [one, output] = aggregate(plain, keys)
        const [other] = aggregate(small, keys)
        feed(plain, one, given)
        feed(small, other, given)
        if (other.kernels()[0].endsWith('parted')) partings++
        expect(emitted(small, other, output)).toEqual(emitted(plain, one, output))
        one.free()
        other.free()
      }),
      { numRuns: 60 },
    )
    expect(partings).toBeGreaterThan(20)
    for (const context of [plain, small]) {
      context.loader.close()
      expect(context.usedBytes()).toBe(0)
    }
  })
})
