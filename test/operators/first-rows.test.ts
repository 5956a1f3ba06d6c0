// The first row of every group, with few groups and many, in any lanes: what a model says that walks the rows in order.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CellInput } from '../../src/columnar/infer.js'
import { bool, float64, int32, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { createFirstRows } from '../../src/operators/first-rows.js'
import type { Breaker } from '../../src/operators/operator.js'
import { exchanged, type TestLane } from './exchange-support.js'
import { batchOf, type Context, handedOver, makeContext, morselOf, type Row, withNullBatches } from './support.js'

const shape = {
  id: int32(),
  n: nullable(int32()),
  x: float64(),
  s: nullable(utf8()),
  b: nullable(bool()),
  t: utf8(),
} satisfies SchemaShape
type Key = 'n' | 'x' | 's' | 'b' | 't'
const VALUES = ['id', 't', 'x'] as const

const firstRows = (context: Context, keys: readonly Key[]): [Breaker, SchemaShape] => {
  const output = {
    ...Object.fromEntries(keys.map(key => [key, shape[key]])),
    ...Object.fromEntries(VALUES.map(name => [`first ${name}`, shape[name]])),
  }
  const accumulators = VALUES.map(name => ({
    name: `first ${name}`,
    function: 'first' as const,
    inputs: [{ op: 'column', name } satisfies Expression],
    inputTypes: [shape[name]],
    parameters: {},
    where: null,
    label: name,
  }))
  const made = createFirstRows(
    context,
    { kind: 'aggregate', keys, accumulators, sets: null, panes: null, output },
    shape,
  )
  if (made === null) throw new Error('these are first rows')
  return [made, output]
}

/** One zero and one NaN to a key and to a value, whatever the row has. */
function model(splits: readonly (readonly Row[])[], keys: readonly Key[]): Row[] {
  const seen = new Set<string>()
  const found: Row[] = []
  for (const row of splits.flat()) {
    const made = (name: string) => (row[name] === 0 ? 0 : row[name])
    const key = keys.map(made)
    const text = JSON.stringify(key.map(value => [typeof value, String(value)]))
    if (seen.has(text)) continue
    seen.add(text)
    found.push({
      ...Object.fromEntries(keys.map((name, i) => [name, key[i]])),
      ...Object.fromEntries(VALUES.map(name => [`first ${name}`, made(name)])),
    })
  }
  return found
}

const batch = (rows: readonly Row[]) =>
  batchOf(Object.fromEntries(Object.keys(shape).map(name => [name, rows.map(row => row[name] as CellInput)])), shape)

async function inLanes(
  splits: readonly (readonly Row[])[],
  laneOf: readonly number[],
  laneCount: number,
  keys: readonly Key[],
  mostGroups: number,
): Promise<Row[]> {
  const lanes: TestLane[] = []
  const splitsOf: number[][] = []
  let output: SchemaShape = {}
  for (let lane = 0; lane < laneCount; lane++) {
    const context = { ...(await makeContext({ seed: 7 })), mostGroups }
    const [breaker, made] = firstRows(context, keys)
    output = made
    const own = splits.flatMap((_, split) => (laneOf[split] % laneCount === lane ? [split] : []))
    for (const split of own) {
      // Two morsels a split.
      const half = splits[split].length >> 1
      for (const rows of [splits[split].slice(0, half), splits[split].slice(half)]) {
        const mark = context.k.memory.mark()
        breaker.consume(morselOf(context, batch(rows)), split)
        context.k.memory.reset(mark)
      }
    }
    lanes.push({ context, breaker })
    splitsOf.push(own)
    if (lane > 0 && !breaker.exchange?.wanted)
      for (const part of handedOver(context, breaker)) lanes[0].breaker.absorb(part)
  }
  const found = await exchanged(lanes, output, splitsOf)
  for (const { context, breaker } of lanes) {
    breaker.free()
    breaker.free()
    context.loader.close()
    expect(context.usedBytes()).toBe(0)
  }
  return found
}

const cell: fc.Arbitrary<Row> = fc.record({
  n: fc.option(fc.oneof(fc.integer({ min: -2, max: 5 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))),
  x: fc.constantFrom(0, -0, NaN, 1, 1.5),
  s: fc.option(fc.oneof(fc.constantFrom('', 'a', 'é'), fc.string({ maxLength: 2 }))),
  b: fc.option(fc.boolean()),
  t: fc.constantFrom('', 'x', 'y', 'xy'),
})

const KEYS: readonly (readonly Key[])[] = [['n'], ['x'], ['s'], ['b'], ['t', 'n'], ['n', 'x', 's', 'b', 't']]

describe('first rows', () => {
  it('are those of the model, in order, in any lanes', async () => {
    await fc.assert(
      fc.asyncProperty(
        withNullBatches(fc.array(fc.array(cell, { maxLength: 14 }), { minLength: 1, maxLength: 5 }), ['n', 's', 'b']),
        fc.array(fc.nat(2), { minLength: 5, maxLength: 5 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(...KEYS),
        fc.constantFrom(1, 3, 1000),
        async (given, laneOf, laneCount, keys, mostGroups) => {
          let id = 0
          const splits = given.map(rows => rows.map(row => ({ id: id++, ...row })))
          expect(await inLanes(splits, laneOf, laneCount, keys, mostGroups)).toEqual(model(splits, keys))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('of many rows, whose groups are in every partition', async () => {
    let seed = 1
    const next = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
      return seed >> 8
    }
    let id = 0
    const splits = Array.from({ length: 4 }, () =>
      Array.from({ length: 30_000 }, () => {
        const n = next() % 40_000
        return { id: id++, n: n === 0 ? null : n, x: n % 3, s: `${n % 1000}`, b: null, t: 't' }
      }),
    )
    for (const keys of [['n'], ['n', 's']] satisfies Key[][])
      expect(await inLanes(splits, [0, 1, 1, 0], 2, keys, 1000)).toEqual(model(splits, keys))
  })
})
