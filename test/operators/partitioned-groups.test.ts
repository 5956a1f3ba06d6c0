// More groups than one table is given: rows are parted, and the answer is what one table gives, in the same order and to the last bit.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { float64, int8, int32, int64, list, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import type { LaneBatch } from '../../src/kernels/lane-vector.js'
import { unloadBatch } from '../../src/kernels/transfer-batch.js'
import { createAggregate } from '../../src/operators/aggregate.js'
import type { RowsHeld } from '../../src/operators/build.js'
import type { Breaker, Exchange, Part } from '../../src/operators/operator.js'
import type { AccumulatorSpec } from '../../src/plan/physical.js'
import { agree } from '../../src/workers/exchange.js'
import { createInbox, createOutbox, type Inbox, type Outbox } from '../../src/workers/transfer.js'
import { decodePart, encodePart } from '../../src/workers/transfer-part.js'
import {
  batchOf,
  type Context,
  emitted,
  handedOver,
  makeContext,
  morselOf,
  rowsOf,
  withNullBatches,
} from './support.js'

const shape = {
  a: nullable(int32()),
  b: nullable(utf8()),
  c: float64(),
  n: nullable(int64()),
  x: nullable(float64()),
  s: nullable(utf8()),
  t: int8(),
  l: nullable(list(utf8())),
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
  call('lists', 'count', ['l']),
]
const RESULTS = {
  rows: int64(),
  empty: int64(),
  total: nullable(int64()),
  mean: nullable(float64()),
  least: nullable(utf8()),
  most: nullable(float64()),
  lists: int64(),
}

/** One table has up to so many groups. */
const FEW = 3

const keySets = [['a'], ['b'], ['a', 'b'], ['c', 'a'], ['a', 'b', 'c']] as const

const aggregate = (
  context: Context,
  keys: readonly (keyof typeof shape)[],
  held: RowsHeld | null = null,
  accumulators = ACCUMULATORS,
): [Breaker, SchemaShape] => {
  const results = accumulators.map(({ name }) => [name, RESULTS[name as keyof typeof RESULTS]] as const)
  const output = { ...Object.fromEntries(keys.map(key => [key, shape[key]])), ...Object.fromEntries(results) }
  return [
    createAggregate(
      context,
      { kind: 'aggregate', keys, accumulators, sets: null, panes: null, output },
      shape,
      null,
      held,
    ),
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
  l: fc.option(fc.array(fc.constantFrom('u', 'v'), { maxLength: 2 })),
})
const batches = withNullBatches(
  fc.array(fc.array(row, { minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 6 }),
  ['a', 'b', 'n', 'x', 's', 'l'],
)

const feed = (context: Context, operator: Breaker, given: readonly (readonly Row[])[]) => {
  for (const [i, rows] of given.entries()) {
    feedSplit(context, operator, rows, Math.floor(i / 2))
  }
}

describe('rows that are parted', () => {
  it('give what one table gives', async () => {
    const [plain, small] = [await makeContext(), { ...(await makeContext()), mostGroups: FEW }]
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
      { numRuns: 30 },
    )
    expect(partings).toBeGreaterThan(8)
    for (const context of [plain, small]) {
      context.loader.close()
      expect(context.usedBytes()).toBe(0)
    }
  })

  it('are shared by lanes, which together give what one table gives', async () => {
    const plain = await makeContext()
    const contexts = await Promise.all([0, 1, 2].map(async () => ({ ...(await makeContext()), mostGroups: FEW })))
    let exchanges = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...keySets),
        withNullBatches(fc.array(fc.array(row, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 9 }), [
          'a',
          'b',
          'n',
          'x',
          's',
        ]),
        fc.array(fc.nat({ max: 2 }), { minLength: 9, maxLength: 9 }),
        (keys, splits, laneOf) => {
          const [one, output] = aggregate(plain, keys)
          const lanes = contexts.map(context => aggregate(context, keys)[0])
          for (const [split, rows] of splits.entries()) {
            const lane = laneOf[split] as number
            feedSplit(plain, one, rows, split)
            feedSplit(contexts[lane], lanes[lane], rows, split)
          }
          const found = together(contexts, lanes, output, () => exchanges++)
          expect(found).toEqual(emitted(plain, one, output))
          for (const operator of [one, ...lanes]) operator.free()
        },
      ),
      { numRuns: 30 },
    )
    expect(exchanges).toBeGreaterThan(3)
    for (const context of [plain, ...contexts]) {
      context.loader.close()
      expect(context.usedBytes()).toBe(0)
    }
  })

  it('are not where so many rows are known to come that there may be as many slots, and lanes hand over or exchange', async () => {
    const plain = { ...(await makeContext()), mostGroups: Infinity, mostSlots: 0 }
    const contexts = await Promise.all([0, 1, 2].map(async () => ({ ...(await makeContext()), mostGroups: 16 })))
    const seen = { spread: 0, handed: 0, parted: 0, exchanged: 0 }
    const ofNumbers = ACCUMULATORS.filter(({ name }) => name !== 'least')
    fc.assert(
      fc.property(
        fc.constantFrom(['a'], ['a', 'b'], ['b'], ['t', 'a']) as fc.Arbitrary<(keyof typeof shape)[]>,
        withNullBatches(
          fc.tuple(fc.constantFrom(30, 4_000, 20_000), fc.constantFrom(-9, 0, 1e9)).chain(([size, from]) => {
            const a = fc.option(
              fc.nat({ max: 2 ** 30 }).map(n => from + (n % size)),
              { freq: 9 },
            )
            const inDomain = fc.tuple(row, a).map(([each, key]) => ({ ...each, a: key }))
            const rows = fc.oneof({ weight: 499, arbitrary: inDomain }, { weight: 1, arbitrary: row })
            return fc.array(fc.array(rows, { minLength: 10, maxLength: 60 }), { minLength: 1, maxLength: 9 })
          }),
          ['a', 'b', 'n', 'x', 's'],
        ),
        fc.array(fc.nat({ max: 2 }), { minLength: 9, maxLength: 9 }),
        fc.constantFrom(1, 2, 3),
        fc.array(fc.constantFrom(0, 1_000, 200_000, 200_000, 200_000), { minLength: 3, maxLength: 3 }),
        fc.constantFrom(ACCUMULATORS, ofNumbers),
        (keys, splits, laneOf, laneCount, rowCounts, accumulators) => {
          const [one, output] = aggregate(plain, keys, null, accumulators)
          const lanes = contexts.slice(0, laneCount).map((context, i) => {
            const held = { rowCount: rowCounts[i], lanes: laneCount }
            return aggregate(context, keys, held, accumulators)[0]
          })
          for (const [split, rows] of splits.entries()) {
            const lane = (laneOf[split] as number) % laneCount
            feedSplit(plain, one, rows, split)
            feedSplit(contexts[lane], lanes[lane], rows, split)
            const kernel = lanes[lane].kernels()[0]
            // So few rows have at most 1,024 slots otherwise.
            const isSpread = keys.includes('a') && kernel.startsWith('group: direct') && spanOf(rows) > 1_500
            if (isSpread) seen[laneCount === 1 ? 'spread' : 'handed']++
            if (kernel.endsWith('parted')) seen.parted++
          }
          const found =
            laneCount === 1
              ? emitted(contexts[0], lanes[0], output)
              : together(contexts.slice(0, laneCount), lanes, output, () => seen.exchanged++)
          expect(found).toEqual(emitted(plain, one, output))
          for (const operator of [one, ...lanes]) operator.free()
        },
      ),
      { numRuns: 120 },
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5)
    for (const context of [plain, ...contexts]) {
      context.loader.close()
      expect(context.usedBytes()).toBe(0)
    }
  })

  it('are not where rows that are not held, or very many, have few groups, whatever the first of them tell', async () => {
    const context = { ...(await makeContext()), mostGroups: 64 }
    const rows = Array.from(
      { length: 50 },
      (_, i): Row => ({ ...fc.sample(row, { numRuns: 1, seed: i })[0], a: i * 1_000_003 }),
    )
    for (const [held, isParted] of [
      [null, false],
      [{ rowCount: 200, lanes: 1 }, true],
      [{ rowCount: 2 ** 22, lanes: 1 }, false],
      // Of all lanes: where each decided by its own, lanes that hold unequal shares would go different ways.
      [{ rowCount: 2 ** 21, lanes: 2 }, true],
    ] as const) {
      const [operator] = aggregate(context, ['a'], held)
      for (let split = 0; split < 4; split++) feedSplit(context, operator, rows, split)
      expect(operator.kernels()[0].endsWith('parted')).toBe(isParted)
      operator.free()
    }
    context.loader.close()
  })

  it('by strings of which each lane has met many others', async () => {
    const plain = await makeContext()
    const contexts = await Promise.all([0, 1].map(async () => ({ ...(await makeContext()), mostGroups: FEW })))
    const [one, output] = aggregate(plain, ['c', 'b'])
    const lanes = contexts.map(context => aggregate(context, ['c', 'b'])[0])
    for (let split = 0; split < 4; split++) {
      const rows = Array.from(
        { length: 1500 },
        (_, i): Row => ({
          a: null,
          b: `${(split * 1000 + 7 * i) % 3500}`,
          c: 1,
          n: BigInt(i),
          x: null,
          s: null,
          t: 1,
          l: null,
        }),
      )
      feedSplit(plain, one, rows, split)
      feedSplit(contexts[split % 2], lanes[split % 2], rows, split)
    }
    let exchanges = 0
    expect(together(contexts, lanes, output, () => exchanges++)).toEqual(emitted(plain, one, output))
    expect(exchanges).toBe(1)
    for (const operator of [one, ...lanes]) operator.free()
  })

  it('and groups of another lane whose keys need more bits than any row had', async () => {
    const [plain, ...contexts] = await Promise.all(
      [0, 1, 2].map(async () => ({ ...(await makeContext()), mostGroups: FEW })),
    )
    Object.assign(plain, { mostGroups: Infinity })
    const [one, output] = aggregate(plain, ['a', 'b'])
    const lanes = contexts.map(context => aggregate(context, ['a', 'b'])[0])
    const row = (a: number, b: string): Row => ({ a, b, c: 1, n: 1n, x: null, s: null, t: 1, l: null })
    const few = Array.from({ length: 8 }, (_, i) => row(i * 1_000_000, `${i}`))
    const others = [row(2e9, 'other'), row(-3, '8')]
    for (const [split, [rows, lane]] of (
      [
        [few, 0],
        [few, 0],
        [others, 1],
      ] as const
    ).entries()) {
      feedSplit(plain, one, rows, split)
      feedSplit(contexts[lane], lanes[lane], rows, split)
    }
    expect(together(contexts, lanes, output, () => {})).toEqual(emitted(plain, one, output))
    expect(lanes[0].kernels()[0]).toMatch(/parted$/)
    for (const operator of [one, ...lanes]) operator.free()
  })
})

const spanOf = (rows: readonly Row[]): number => {
  const keys = rows.flatMap(({ a }) => (a === null ? [] : [Number(a)]))
  return Math.max(...keys) - Math.min(...keys)
}

const feedSplit = (context: Context, operator: Breaker, rows: readonly Row[], split: number) => {
  const mark = context.k.memory.mark()
  const data = Object.fromEntries(Object.keys(shape).map(name => [name, rows.map(each => each[name as keyof Row])]))
  operator.consume(morselOf(context, batchOf(data as never, shape)), split)
  context.k.memory.reset(mark)
}

/** What lanes do after their rows, one after another: hand over or exchange. */
function together(
  contexts: readonly Context[],
  lanes: readonly Breaker[],
  output: SchemaShape,
  onExchange: () => void,
): unknown[] {
  const ready = new Map(
    lanes.flatMap((lane, i) => (i > 0 && lane.exchange?.wanted ? [[i, lane.exchange] as const] : [])),
  )
  for (const [i, lane] of lanes.entries()) {
    if (i > 0 && !ready.has(i)) for (const part of handedOver(contexts[i], lane)) lanes[0].absorb(part)
  }
  if (ready.size === 0) return emitted(contexts[0], lanes[0], output)
  onExchange()
  const terms = agree(
    lanes[0].exchange as Exchange,
    new Map(
      [...ready].map(([i, each]) => [
        i,
        { fingerprint: each.fingerprint(), splits: each.splits(), size: each.size, spilled: false, states: undefined },
      ]),
    ),
  )
  const exchanges = new Map(terms.lanes.map(lane => [lane, lanes[lane].exchange as Exchange]))
  const share = (lane: number): [number, number] => {
    const i = terms.lanes.indexOf(lane)
    return [Math.floor((shares * i) / terms.lanes.length), Math.floor((shares * (i + 1)) / terms.lanes.length)]
  }
  const ports = new Map(
    terms.lanes.flatMap(a => terms.lanes.map(b => [`${a} ${b}`, { outbox: createOutbox(), inbox: createInbox() }])),
  )
  const send = (from: number, to: number, parts: Iterable<Part<LaneBatch>>) => {
    const { k } = contexts[from]
    const { outbox, inbox } = ports.get(`${from} ${to}`) as { outbox: Outbox; inbox: Inbox }
    for (const part of parts) {
      const { message } = encodePart(part, batch => unloadBatch(k, batch), outbox)
      exchanges.get(to)?.receive(decodePart(structuredClone(message), inbox))
    }
  }
  const each = (act: (lane: number, exchange: Exchange) => void) => {
    for (const [lane, exchange] of exchanges) act(lane, exchange)
  }
  // Tests have few rows, which would be one share.
  let shares = 0
  each((_, exchange) => {
    shares = exchange.begin(terms.common, 2_000_000)
  })
  each((from, exchange) => {
    for (const to of terms.lanes) if (to !== from) send(from, to, exchange.parts(...share(to)))
  })
  each((lane, exchange) => void [...exchange.finish(...share(lane))])
  each((from, exchange) => {
    for (const to of terms.lanes) if (to !== from) send(from, to, exchange.results(to, terms.laneOfSplit))
  })
  const rows: { split: number; rows: unknown[] }[] = []
  each((lane, exchange) => {
    for (const { split, morsel } of exchange.emit(lane, terms.laneOfSplit)) {
      rows.push({ split, rows: rowsOf(contexts[lane], morsel, output) })
    }
  })
  for (const { k } of contexts) k.memory.reset(0)
  return rows.sort((a, b) => a.split - b.split).flatMap(({ rows: these }) => these)
}
