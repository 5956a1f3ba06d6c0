// Grouping in lanes: the order of appearance whatever the order of the parts, filtered inputs, groups without rows, and its memory.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { schemaOf } from '../../src/columnar/schema.js'
import { float64, int32, int64, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { resolve, typeOf } from '../../src/expressions/typing.js'
import { createAggregate } from '../../src/operators/aggregate.js'
import type { Breaker, Morsel } from '../../src/operators/operator.js'
import type { AccumulatorSpec } from '../../src/plan/physical.js'
import { batchOf, type Context, emitted, handedOver, makeContext, morselOf, thrown } from './support.js'

const shape = { key: nullable(utf8()), n: nullable(int64()), x: float64() } satisfies SchemaShape
const column = (name: string): Expression => ({ op: 'column', name })

type Given = [key: string | null, n: bigint | null, x?: number]
const rows = (given: readonly Given[]) =>
  batchOf({ key: given.map(([key]) => key), n: given.map(([, n]) => n), x: given.map(([, , x]) => x ?? 0) }, shape)

const call = (name: string, what: AccumulatorSpec['function'], input: Expression | null, where?: Expression) => {
  const inputs = input === null ? [] : [resolve(input, shape)]
  return {
    name,
    function: what,
    inputs,
    inputTypes: inputs.map(each => typeOf(each, shape)),
    parameters: {},
    where: where === undefined ? null : resolve(where, shape),
    label: what,
  } satisfies AccumulatorSpec
}

const ACCUMULATORS = [
  call('rows', 'count', null),
  call('total', 'sum', column('n')),
  call('least', 'min', column('key')),
  call('mean', 'mean', column('x')),
]
const OUTPUT = {
  key: shape.key,
  rows: int64(),
  total: nullable(int64()),
  least: nullable(utf8()),
  mean: nullable(float64()),
} satisfies SchemaShape

const aggregate = (
  context: Context,
  keys: readonly string[] = ['key'],
  accumulators: readonly AccumulatorSpec[] = ACCUMULATORS,
  output: SchemaShape = OUTPUT,
) => createAggregate(context, { kind: 'aggregate', keys, sets: null, panes: null, accumulators, output }, shape)

const consume = (context: Context, operator: Breaker, given: readonly Given[], split = 0) => {
  const mark = context.k.memory.mark()
  try {
    operator.consume(morselOf(context, rows(given)), split)
  } finally {
    context.k.memory.reset(mark)
  }
}

function expectEmpty(context: Context, ...operators: Breaker[]): void {
  for (const operator of operators) operator.free()
  context.loader.close()
  expect(context.usedBytes()).toBe(0)
}

describe('an aggregate', () => {
  it('gives a row a group, in order of first appearance, null keys among them', async () => {
    const context = await makeContext()
    const operator = aggregate(context)
    consume(context, operator, [
      ['b', 1n, 1],
      [null, 2n, 2],
      ['b', null, 3],
    ])
    consume(context, operator, [
      ['a', null, 4],
      ['b', 5n, 5],
    ])
    expect(emitted(context, operator, OUTPUT)).toEqual([
      { key: 'b', rows: 3, total: 6, least: 'b', mean: 3 },
      { key: null, rows: 1, total: 2, least: null, mean: 2 },
      { key: 'a', rows: 1, total: null, least: 'a', mean: 4 },
    ])
    expectEmpty(context, operator)
  })

  it('groups come in order of first appearance, whichever lane had their splits and whichever part came first', async () => {
    const contexts = [await makeContext(), await makeContext(), await makeContext()]
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', null]
    const split = fc.record({
      lane: fc.nat({ max: 2 }),
      keys: fc.array(fc.constantFrom(...names), { maxLength: 6 }),
    })
    fc.assert(
      fc.property(fc.array(split, { maxLength: 12 }), fc.boolean(), (splits, reversed) => {
        const lanes = contexts.map(context => aggregate(context))
        const expected = new Map<string | null, number>()
        splits.forEach(({ lane, keys }, i) => {
          if (keys.length === 0) return
          consume(
            contexts[lane],
            lanes[lane],
            keys.map(key => [key, 1n]),
            i,
          )
          for (const key of keys) expected.set(key, (expected.get(key) ?? 0) + 1)
        })
        const parts = [1, 2].map(lane => handedOver(contexts[lane], lanes[lane]))
        if (reversed) parts.reverse()
        for (const part of parts.flat()) lanes[0].absorb(part)
        const found = emitted(contexts[0], lanes[0], OUTPUT)
        expect(found.map(({ key, rows, total, least }) => [key, rows, total, least])).toEqual(
          [...expected].map(([key, count]) => [key, count, count, key]),
        )
        for (const lane of lanes) lane.free()
        for (const { k } of contexts) k.memory.reset(0)
      }),
      { numRuns: 60 },
    )
    for (const context of contexts) expectEmpty(context)
  })

  it('without keys there is one row, rows or none, alone or merged with lanes that had none', async () => {
    const output = { rows: int64(), total: nullable(int64()), least: nullable(utf8()), mean: nullable(float64()) }
    const none = { rows: 0, total: null, least: null, mean: null }
    const [first, other] = [await makeContext(), await makeContext()]
    const make = (context: Context) => aggregate(context, [], ACCUMULATORS, output)
    const alone = make(first)
    expect(emitted(first, alone, output)).toEqual([none])
    const [here, there] = [make(first), make(other)]
    for (const part of handedOver(other, there)) here.absorb(part)
    expect(emitted(first, here, output)).toEqual([none])
    consume(other, there, [
      ['x', 3n, 1],
      [null, null, 2],
    ])
    for (const part of handedOver(other, there)) here.absorb(part)
    expect(emitted(first, here, output)).toEqual([{ rows: 2, total: 3, least: 'x', mean: 1.5 }])
    expectEmpty(first, alone, here)
    expectEmpty(other, there)
  })

  it('with keys and no rows there is nothing, and empty parts add nothing', async () => {
    const [first, other] = [await makeContext(), await makeContext()]
    const [here, there] = [aggregate(first), aggregate(other)]
    for (const part of handedOver(other, there)) here.absorb(part)
    expect(emitted(first, here, OUTPUT)).toEqual([])
    expectEmpty(first, here)
    expectEmpty(other, there)
  })

  it('rows that where refuses cannot fail, whatever the input would come to', async () => {
    const context = await makeContext()
    const doubled: Expression = { op: 'add', left: column('n'), right: column('n') }
    const small: Expression = { op: 'lt', left: column('n'), right: { op: 'literal', value: 100 } }
    const output = { sum: nullable(int64()), count: int64() }
    const make = (where?: Expression) =>
      aggregate(context, [], [call('sum', 'sum', doubled, where), call('count', 'count', doubled, where)], output)
    const given: Given[] = [
      ['a', 1n],
      ['a', 2n ** 62n],
      ['b', null],
      ['b', 5n],
    ]
    const filtered = make(small)
    consume(context, filtered, given)
    expect(emitted(context, filtered, output)).toEqual([{ sum: 12, count: 2 }])
    const all = make()
    expect(thrown(() => consume(context, all, given))).toMatchObject({ row: 1, error: { code: 'MR_INTEGER_OVERFLOW' } })
    expectEmpty(context, filtered, all)
  })

  it('a filter that fails does so at its least row, before any input', async () => {
    const context = await makeContext()
    const where: Expression = {
      op: 'gt',
      left: { op: 'mul', left: column('n'), right: column('n') },
      right: { op: 'literal', value: 0 },
    }
    const output = { count: int64() }
    const operator = aggregate(context, [], [call('count', 'count', null, where)], output)
    const given: Given[] = [
      ['a', 1n],
      ['a', 2n],
      ['a', 2n ** 40n],
    ]
    expect(thrown(() => consume(context, operator, given))).toMatchObject({ row: 2 })
    expectEmpty(context, operator)
  })

  it('a total is judged whole: halves that overflow in different lanes may cancel out', async () => {
    const [first, other] = [await makeContext(), await makeContext()]
    const output = { total: nullable(int64()) }
    const make = (context: Context) => aggregate(context, [], [call('total', 'sum', column('n'))], output)
    const [here, there] = [make(first), make(other)]
    const most = 2n ** 63n - 1n
    consume(first, here, [
      ['a', most],
      ['a', most],
    ])
    consume(other, there, [
      ['a', -most],
      ['a', 7n - most],
    ])
    for (const part of handedOver(other, there)) here.absorb(part)
    expect(emitted(first, here, output)).toEqual([{ total: 7 }])
    consume(first, here, [['a', most]])
    expect(thrown(() => emitted(first, here, output))).toMatchObject({ code: 'MR_INTEGER_OVERFLOW' })
    expectEmpty(first, here)
    expectEmpty(other, there)
  })

  it('columns come in the order of the schema, also where names look like integers', async () => {
    const context = await makeContext()
    const output = schemaOf([
      { name: 'key', type: shape.key },
      { name: '7', type: int64() },
    ])
    const operator = aggregate(context, ['key'], [call('7', 'count', null)], output)
    consume(context, operator, [['a', 1n]])
    expect(Object.keys(output)).toEqual(['7', 'key'])
    expect(emitted(context, operator, output)).toEqual([{ 7: 1, key: 'a' }])
    expectEmpty(context, operator)
  })

  it('equal inputs under equal filters are evaluated once', async () => {
    const context = await makeContext()
    const where: Expression = { op: 'gt', left: column('x'), right: { op: 'literal', value: 1 } }
    const output = { a: nullable(int64()), b: nullable(int64()), c: nullable(int64()) }
    const operator = aggregate(
      context,
      [],
      [call('a', 'sum', column('n'), where), call('b', 'max', column('n'), where), call('c', 'sum', column('n'))],
      output,
    )
    consume(context, operator, [
      ['a', 1n, 1],
      ['a', 2n, 2],
      ['a', 4n, 3],
    ])
    expect(emitted(context, operator, output)).toEqual([{ a: 6, b: 4, c: 7 }])
    expectEmpty(context, operator)
  })

  it('more groups than a morsel has rows come morsel by morsel, also after a merge', async () => {
    const [first, other] = [await makeContext(), await makeContext()]
    for (const context of [first, other]) Object.assign(context, { mostGroups: Infinity })
    const input = { id: int32() }
    const make = (context: Context) =>
      createAggregate(
        context,
        {
          kind: 'aggregate',
          panes: null,
          keys: ['id'],
          sets: null,
          accumulators: [call('rows', 'count', null)],
          output: { id: int32(), rows: int64() },
        },
        input,
      )
    const [here, there] = [make(first), make(other)]
    const give = (context: Context, operator: Breaker, split: number, from: number) => {
      const mark = context.k.memory.mark()
      // Far apart, so that they are hashed.
      const id = Int32Array.from({ length: 60_000 }, (_, i) => (from + i) * 7919)
      operator.consume(morselOf(context, batchOf({ id })), split)
      context.k.memory.reset(mark)
    }
    give(first, here, 1, 60_000)
    give(other, there, 0, 0)
    give(other, there, 2, 100_000)
    for (const part of handedOver(other, there)) here.absorb(part)
    let next = 0
    for (const morsel of here.emit()) {
      const { rowCount, columns } = morsel as Morsel
      expect(rowCount).toBeLessThanOrEqual(65_536)
      const found = first.k.memory.i32.subarray(columns[0].data >>> 2, (columns[0].data >>> 2) + rowCount)
      expect(found).toEqual(Int32Array.from({ length: rowCount }, (_, i) => (next + i) * 7919))
      next += rowCount
    }
    expect(next).toBe(160_000)
    const morsels = here.emit()[Symbol.iterator]()
    morsels.next()
    morsels.return?.()
    expectEmpty(first, here)
    expectEmpty(other, there)
  })
})

describe('memory that is refused', () => {
  const many = (from: number) => Array.from({ length: 5_000 }, (_, i): Given => [`key ${from + i}`, BigInt(i), i / 3])

  it('while rows are taken, leaves nothing behind', async () => {
    const context = await makeContext({ maximumBytes: 2 ** 21 })
    const operator = aggregate(context)
    const error = thrown(() => {
      for (let i = 0; ; i++) consume(context, operator, many(5_000 * i), i)
    })
    expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
    expectEmpty(context, operator)
  })

  it('while a part is merged, leaves scratch as it was and nothing behind', async () => {
    const other = await makeContext()
    const there = aggregate(other)
    for (let i = 0; i < 8; i++) consume(other, there, many(5_000 * i), i)
    const parts = handedOver(other, there)
    const context = await makeContext({ maximumBytes: 2 ** 21 })
    const here = aggregate(context)
    expect(thrown(() => here.absorb(parts[0]))).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
    expect(context.k.memory.mark()).toBe(0)
    expectEmpty(context, here)
    expectEmpty(other, there)
  })

  it('while results are made, leaves nothing behind', async () => {
    const outcomes = new Set<string>()
    for (const maximumBytes of Array.from({ length: 8 }, (_, i) => (48 + 12 * i) * 65_536)) {
      const context = await makeContext({ maximumBytes })
      const operator = aggregate(context)
      try {
        for (let i = 0; i < 4; i++) consume(context, operator, many(5_000 * i), i)
        outcomes.add('kept')
        emitted(context, operator, OUTPUT)
        outcomes.add('made')
      } catch (error) {
        expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
        outcomes.add('refused')
      }
      expectEmpty(context, operator)
    }
    expect([...outcomes].sort()).toEqual(['kept', 'made', 'refused'])
  })

  it('from the start, leaves nothing behind', async () => {
    const outcomes = new Set<string>()
    for (const pages of [2, 3, 4, 5, 6, 8, 12]) {
      const context = await makeContext({ maximumBytes: pages * 65_536 })
      const output = { rows: int64(), total: nullable(int64()), least: nullable(utf8()), mean: nullable(float64()) }
      try {
        aggregate(context, [], ACCUMULATORS, output).free()
        outcomes.add('made')
      } catch (error) {
        expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
        outcomes.add('refused')
      }
      expectEmpty(context)
    }
    expect([...outcomes].sort()).toEqual(['made', 'refused'])
  })
})
