// Rows parted by ranges of their first key and shared out among lanes: the order that one argsort gives, whatever the lanes, their splits and their dictionaries.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CellInput } from '../../src/columnar/infer.js'
import { bool, float64, int32, int64, list, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { OrderKey } from '../../src/expressions/node.js'
import { createSort } from '../../src/operators/sort.js'
import { exchanged, type TestLane } from './exchange-support.js'
import { batchOf, emitted, handedOver, makeContext, morselOf, type Row, withNullBatches } from './support.js'

const shape = {
  id: int32(),
  x: nullable(float64()),
  n: nullable(int32()),
  w: nullable(int64()),
  s: nullable(utf8()),
  b: nullable(bool()),
  l: nullable(list(nullable(utf8()))),
} satisfies SchemaShape

const cell: fc.Arbitrary<Row> = fc.record({
  x: fc.option(fc.oneof(fc.double(), fc.constantFrom(NaN, 0, -0, 1, 1, Infinity))),
  n: fc.option(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))),
  w: fc.option(fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n })),
  s: fc.option(fc.oneof(fc.constantFrom('', 'a', 'é', 'b'), fc.string())),
  b: fc.option(fc.boolean()),
  l: fc.option(fc.array(fc.option(fc.constantFrom('p', 'q', '')), { maxLength: 3 })),
})
const order = fc.record({
  name: fc.constantFrom('x', 'n', 'w', 's', 'b'),
  descending: fc.boolean(),
  nulls: fc.constantFrom('first' as const, 'last' as const),
})
const orders = fc.uniqueArray(order, { minLength: 1, maxLength: 2, selector: ({ name }) => name })

const sorted = (context: Parameters<typeof createSort>[0], by: OrderKey[]) =>
  createSort(context, { kind: 'sort', orders: by, top: null, output: shape }, shape)

const column = (rows: readonly Row[]) =>
  batchOf(Object.fromEntries(Object.keys(shape).map(name => [name, rows.map(row => row[name] as CellInput)])), shape)

/** What the plain operator gives of all rows in one lane. */
async function plain(splits: readonly (readonly Row[])[], by: OrderKey[]): Promise<Row[]> {
  const context = { ...(await makeContext()), mostGroups: Infinity }
  const operator = sorted(context, by)
  for (const [split, rows] of splits.entries()) operator.consume(morselOf(context, column(rows)), split)
  const found = emitted(context, operator, shape)
  operator.free()
  return found
}

async function inLanes(
  splits: readonly (readonly Row[])[],
  laneOf: readonly number[],
  laneCount: number,
  by: OrderKey[],
  mostGroups: number,
): Promise<Row[]> {
  const lanes: TestLane[] = []
  const splitsOf: number[][] = []
  for (let lane = 0; lane < laneCount; lane++) {
    const context = { ...(await makeContext()), mostGroups }
    const breaker = sorted(context, by)
    const own = splits.flatMap((_, split) => (laneOf[split] % laneCount === lane ? [split] : []))
    for (const split of own) {
      const mark = context.k.memory.mark()
      breaker.consume(morselOf(context, column(splits[split])), split)
      context.k.memory.reset(mark)
    }
    lanes.push({ context, breaker })
    splitsOf.push(own)
    if (lane > 0 && !breaker.exchange?.wanted)
      for (const part of handedOver(context, breaker)) lanes[0].breaker.absorb(part)
  }
  const found = await exchanged(lanes, shape, splitsOf)
  for (const { context, breaker } of lanes) {
    breaker.free()
    context.loader.close()
    expect(context.usedBytes()).toBe(0)
  }
  return found
}

describe('ranged sort', () => {
  it('gives what one argsort gives, in any lanes', async () => {
    await fc.assert(
      fc.asyncProperty(
        withNullBatches(fc.array(fc.array(cell, { maxLength: 12 }), { minLength: 1, maxLength: 5 }), [
          'x',
          'n',
          'w',
          's',
          'b',
        ]),
        fc.array(fc.nat(2), { minLength: 5, maxLength: 5 }),
        fc.integer({ min: 1, max: 3 }),
        orders,
        fc.constantFrom(0, 4),
        async (given, laneOf, laneCount, by, mostGroups) => {
          let id = 0
          const splits = given.map(rows => rows.map(row => ({ id: id++, ...row })))
          expect(await inLanes(splits, laneOf, laneCount, by, mostGroups)).toEqual(await plain(splits, by))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('rows with lists, which are no key and come along', async () => {
    const splits = [[2, 0], [1]].map(ids => ids.map(id => ({ id, n: id, l: id === 0 ? null : ['p', `${id}`] })))
    const found = [0, 1, 2].map(id => ({
      id,
      x: null,
      n: id,
      w: null,
      s: null,
      b: null,
      l: id === 0 ? null : ['p', `${id}`],
    }))
    for (const laneCount of [1, 2]) {
      const by: OrderKey[] = [{ name: 'n', descending: false, nulls: 'last' }]
      expect(await inLanes(splits, [0, 1], laneCount, by, 0)).toEqual(found)
    }
  })

  it('many rows, of which most have one key and some none, over many ranges', async () => {
    let seed = 1
    const next = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
      return seed
    }
    let id = 0
    const splits = Array.from({ length: 4 }, () =>
      Array.from({ length: 50_000 }, () => {
        const n = next() % 10 === 0 ? null : next() % 3 === 0 ? 7 : next()
        return { id: id++, x: null, n, w: null, s: null, b: null }
      }),
    )
    const by: OrderKey[] = [{ name: 'n', descending: true, nulls: 'first' }]
    const ids = (rows: Row[]) => rows.map(row => row.id)
    const expected = splits
      .flat()
      .sort((a, b) => (a.n === null || b.n === null ? Number(b.n === null) - Number(a.n === null) : b.n - a.n))
    expect(ids(await inLanes(splits, [0, 1, 0, 1], 2, by, 1000))).toEqual(ids(expected))
    expect(ids(await inLanes(splits, [0, 0, 0, 0], 1, by, 1000))).toEqual(ids(expected))
  })
})
