// Limits: which rows are the first, in however many lanes, and which failures lie behind them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { int32, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import { createLimit } from '../../src/operators/limit.js'
import { type Breaker, PositionedFailure } from '../../src/operators/operator.js'
import { batchOf, type Context, emitted, handedOver, makeContext, morselOf, thrown } from './support.js'

const shape = { id: int32(), text: utf8() } satisfies SchemaShape
const limit = (context: Context, count: number, offset = 0) =>
  createLimit(context, { kind: 'limit', count, offset, output: shape })
const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const rows = (context: Context, given: number[]) =>
  morselOf(context, batchOf({ id: given, text: given.map(id => `text ${id % 3}`) }, shape))
const idsOf = (context: Context, operator: Breaker) => emitted(context, operator, shape).map(({ id }) => id)
const failing = (split: number, row = 0) => new PositionedFailure({ split, row }, new Error(`in split ${split}`))

function expectEmpty(context: Context, ...operators: Breaker[]): void {
  for (const operator of operators) operator.free()
  context.loader.close()
  expect(context.usedBytes()).toBe(0)
}

describe('limit', () => {
  it('gives the rows from its offset on, and reads no further than it must', async () => {
    const context = await makeContext()
    const operator = limit(context, 5, 3)
    expect(operator.wants(0)).toBe(true)
    operator.consume(rows(context, ids(0, 6)), 0)
    expect(operator.wants(0)).toBe(true)
    operator.consume(rows(context, ids(6, 20)), 0)
    expect(operator.wants(0)).toBe(false)
    expect(idsOf(context, operator)).toEqual([3, 4, 5, 6, 7])
    expectEmpty(context, operator)
  })

  it('of no rows, of none wanted and beyond the end there is nothing', async () => {
    const context = await makeContext()
    for (const [count, offset] of [
      [0, 0],
      [0, 5],
      [5, 100],
    ]) {
      const operator = limit(context, count, offset)
      expect(operator.wants(0)).toBe(count + offset > 0)
      operator.consume(rows(context, ids(0, 10)), 0)
      expect(idsOf(context, operator)).toEqual([])
      operator.free()
    }
    expectEmpty(context)
  })

  it('the first rows are those of the first splits, however splits fell to lanes', async () => {
    const [first, other] = [await makeContext(), await makeContext()]
    const sizes = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 8 })
    const owners = fc.array(fc.boolean(), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(sizes, owners, fc.nat({ max: 20 }), fc.nat({ max: 20 }), (counts, here, count, offset) => {
        const lanes = [limit(first, count, offset), limit(other, count, offset)]
        let row = 0
        counts.forEach((size, split) => {
          const lane = here[split] ? 0 : 1
          const operator = lanes[lane]
          if (operator.wants(split)) operator.consume(rows([first, other][lane], ids(row, row + size)), split)
          row += size
        })
        for (const part of handedOver(other, lanes[1])) lanes[0].absorb(part)
        expect(idsOf(first, lanes[0])).toEqual(ids(0, row).slice(offset, offset + count))
        for (const operator of lanes) operator.free()
        first.k.memory.reset(0)
        other.k.memory.reset(0)
      }),
      { numRuns: 60 },
    )
    expectEmpty(first)
    expectEmpty(other)
  })

  it('a failure behind enough rows is none', async () => {
    const context = await makeContext()
    const operator = limit(context, 3)
    operator.consume(rows(context, ids(0, 3)), 0)
    operator.defer?.(failing(0, 3), 0)
    expect(idsOf(context, operator)).toEqual([0, 1, 2])
    expectEmpty(context, operator)
  })

  it('a failure before enough rows is thrown, after which nothing is read', async () => {
    const context = await makeContext()
    const operator = limit(context, 3)
    operator.consume(rows(context, ids(0, 2)), 0)
    const failure = failing(0, 2)
    operator.defer?.(failure, 0)
    expect(operator.wants(0)).toBe(false)
    expect(thrown(() => idsOf(context, operator))).toBe(failure)
    expectEmpty(context, operator)
  })

  it('of failures in several lanes the first counts, if the rows before it do not suffice', async () => {
    for (const [count, told] of [
      [2, null],
      [3, 1],
      [9, 1],
    ] as const) {
      const [first, other] = [await makeContext(), await makeContext()]
      const here = limit(first, count)
      const there = limit(other, count)
      here.consume(rows(first, [0, 1]), 0)
      if (here.wants(2)) here.consume(rows(first, [20, 21, 22, 23, 24, 25, 26]), 2)
      here.defer?.(failing(4), 4)
      there.defer?.(failing(1), 1)
      const parts = handedOver(other, there)
      expect(parts).toMatchObject([{ kind: 'failure', split: 1, failure: { position: { split: 1, row: 0 } } }])
      for (const part of parts) here.absorb(part)
      if (told === null) expect(idsOf(first, here)).toEqual([0, 1])
      else expect(thrown(() => idsOf(first, here))).toMatchObject({ position: { split: told } })
      expectEmpty(first, here)
      expectEmpty(other, there)
    }
  })

  it('a failure leaves no rows behind in memory, nor does whoever stops reading', async () => {
    const context = await makeContext()
    const operator = limit(context, 100)
    for (let split = 0; split < 5; split++) operator.consume(rows(context, ids(split, split + 1)), split)
    const morsels = operator.emit()[Symbol.iterator]()
    morsels.next()
    morsels.return?.()
    expectEmpty(context, operator)
    const failed = limit(context, 100)
    for (let split = 0; split < 5; split++) failed.consume(rows(context, ids(split, split + 1)), 2 * split)
    failed.defer?.(failing(1), 1)
    expect(thrown(() => idsOf(context, failed))).toMatchObject({ position: { split: 1 } })
    expectEmpty(context, failed)
  })
})
