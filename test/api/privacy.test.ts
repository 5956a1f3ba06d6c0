/** Privacy: small groups left out, noise of the right size in the right place, and a budget that is kept. The distribution of noise is test/sources/discrete-noise.test.ts's. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  collectAll,
  columns,
  count,
  createEngine,
  defineAggregate,
  type Engine,
  type Flow,
  float64,
  int32,
  mean,
  minGroupSize,
  nullable,
  type PrivacyBudgetOptions,
  privacyBudget,
  publicGroups,
  rows,
  schema,
  sum,
  typeName,
  utf8,
} from '../../src/index.js'
import { refusal } from '../flow/env.js'
import { seededBytes } from '../sources/seeded-bytes.js'

const lanesList = [0, 1, 2]
const engines: Engine[] = []
beforeAll(async () => {
  for (const lanes of lanesList) engines.push(await createEngine({ lanes }))
})
afterAll(() => Promise.all(engines.map(engine => engine.close())))

const seededBudget = (seed: number, options: Partial<PrivacyBudgetOptions> = {}) =>
  privacyBudget({ epsilon: 1e6, delta: 0.5, random: seededBytes(seed), ...options })

const spread = (values: readonly number[], at: number): number =>
  Math.sqrt(values.reduce((total, value) => total + (value - at) ** 2, 0) / values.length)
const middle = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0) / values.length

describe('minGroupSize', () => {
  const cell = fc.record({
    key: fc.option(fc.constantFrom('a', 'b', 'c', 'd')),
    who: fc.option(fc.integer({ min: 0, max: 5 })),
    x: fc.integer({ min: -9, max: 9 }),
  })
  const shape = schema({ key: nullable(utf8()), who: nullable(int32()), x: int32() })

  it('leaves out groups of fewer rows, or of fewer of something, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(cell, { maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        fc.constantFrom(...lanesList.keys()),
        async (given, least, byPeople, e) => {
          const flow = rows(given, shape)
          const groups = new Map<string | null, typeof given>()
          for (const row of given) groups.set(row.key, [...(groups.get(row.key) ?? []), row])
          const sizes = (some: typeof given) =>
            byPeople ? new Set(some.flatMap(({ who }) => (who === null ? [] : [who]))).size : some.length
          const expected = [...groups]
            .filter(([, some]) => sizes(some) >= least)
            .map(([key, some]) => ({ key, total: some.reduce((t, { x }) => t + x, 0), '#size': some.length }))
          const kept = flow
            .groupBy('key')
            .aggregate(t => ({ total: sum(t.x), '#size': count() }), minGroupSize(least, byPeople ? 'who' : undefined))
          expect((await kept.collect({ engine: engines[e] })).toRows()).toEqual(expected)
          const whole = await flow
            .aggregate(() => ({ n: count() }), minGroupSize(least, byPeople ? 'who' : undefined))
            .collect({ engine: engines[e] })
          expect(whole.toRows()).toEqual(sizes(given) >= least ? [{ n: given.length }] : [])
        },
      ),
      { numRuns: 40, seed: 11 },
    )
  })

  it('does so with subtotals, and with aggregates of users', async () => {
    const flow = columns({ a: ['x', 'x', 'y'], b: [1, 1, 2], v: [1, 2, 3] })
    const list = defineAggregate({
      init: () => '',
      update: (s, v: number) => `${s}${v}`,
      merge: (a, b) => a + b,
      evaluate: s => s,
      type: utf8(),
    })
    const rolled = await flow
      .rollup('a', 'b')
      .aggregate(t => ({ all: list(t.v) }), minGroupSize(2))
      .collect({ lanes: 0 })
    expect(rolled.toRows()).toEqual([
      { a: 'x', b: 1, all: '12' },
      { a: 'x', b: null, all: '12' },
      { a: null, b: null, all: '123' },
    ])
  })

  it('refuses what is no size', async () => {
    const flow = columns({ a: ['x'], v: [1] })
    await refusal(() => minGroupSize(0), 'MR_INVALID_OPTION')
    await refusal(() => minGroupSize(2.5), 'MR_INVALID_OPTION')
    await refusal(() => minGroupSize(2, 5 as never), 'MR_TYPE_MISMATCH')
    await refusal(() => flow.groupBy('a').aggregate(() => ({ n: count() }), minGroupSize(2, 'z')), 'MR_UNKNOWN_COLUMN')
    await refusal(() => flow.groupBy('a').aggregate(() => ({ n: count() }), { least: 2 } as never), 'MR_TYPE_MISMATCH')
  })
})

describe('private aggregates', () => {
  const GROUPS = 4000
  /** Three rows a group: 1, 2 and 9, of which the last is beyond the bounds; and one null. */
  const data = columns(
    {
      g: Array.from({ length: GROUPS * 4 }, (_, i) => i % GROUPS),
      x: Array.from({ length: GROUPS * 4 }, (_, i) => [1, 2, 9, null][Math.floor(i / GROUPS)] as number | null),
    },
    schema({ g: int32(), x: nullable(float64()) }),
  )
  const everyGroup = publicGroups(columns({ g: Int32Array.from({ length: GROUPS }, (_, i) => GROUPS - 1 - i) }))

  it('count, sum and mean have noise of the size that their cost says, around what is true', async () => {
    const { dpCount, dpSum, dpMean } = seededBudget(1)
    const table = await data
      .groupBy('g')
      .aggregate(
        t => ({
          n: dpCount({ epsilon: 0.5 }),
          total: dpSum(t.x, { lower: -1, upper: 4, epsilon: 0.5 }),
          gauss: dpSum(t.x, { lower: -1, upper: 4, epsilon: 0.5, delta: 1e-5 }),
          mean: dpMean(t.x, { lower: 0, upper: 4, epsilon: 40 }),
        }),
        everyGroup,
      )
      .collect({ lanes: 0 })
    expect(Object.entries(table.schema).map(([name, type]) => `${name} ${typeName(type)}`)).toEqual([
      'g int32',
      'n int64',
      'total float64',
      'gauss float64',
      'mean float64',
    ])
    expect(table.at(0)?.g).toBe(GROUPS - 1)
    const [n, total, gauss, means] = (['n', 'total', 'gauss', 'mean'] as const).map(name => [
      ...(table.column(name).toArray() as Float64Array),
    ])
    // Rows with null count; the sum is 1 + 2 + 4.
    const laplace = Math.sqrt((2 * Math.exp(-0.5)) / (1 - Math.exp(-0.5)) ** 2)
    expect(n.every(Number.isInteger)).toBe(true)
    expect(n.some(value => value < 0)).toBe(true)
    expect(Math.abs(middle(n) - 4)).toBeLessThan(0.2)
    expect(Math.abs(spread(n, 4) / laplace - 1)).toBeLessThan(0.07)
    expect(Math.abs(middle(total) - 7)).toBeLessThan(0.8)
    expect(Math.abs(spread(total, 7) / ((4 / 0.5) * Math.SQRT2) - 1)).toBeLessThan(0.07)
    // rho = (sqrt(L + eps) - sqrt(L))^2
    const L = -Math.log(1e-5)
    const sigma = 4 / (Math.SQRT2 * (Math.sqrt(L + 0.5) - Math.sqrt(L)))
    expect(Math.abs(spread(gauss, 7) / sigma - 1)).toBeLessThan(0.05)
    expect(Math.abs(middle(means) - 7 / 3)).toBeLessThan(0.02)
    expect(means.every(value => value >= 0 && value <= 4)).toBe(true)
    expect(spread(means, 7 / 3)).toBeGreaterThan(0.01)
  })

  it('has noise for public groups without rows, and leaves other groups out, in the order of the public ones', async () => {
    const { dpCount, dpSum } = seededBudget(2)
    const flow = columns({ k: ['a', 'b', 'b', null], v: [1, 2, 3, 4] })
    const answer = flow
      .groupBy('k')
      .aggregate(
        t => ({ n: dpCount({ epsilon: 50 }), s: dpSum(t.v, { lower: 0, upper: 5, epsilon: 1000 }) }),
        publicGroups(columns({ other: [1, 2, 3, 4], k: ['z', 'b', 'z', 'c'] })),
      )
    const table = await answer.collect({ lanes: 0 })
    expect(table.column('k').toArray()).toEqual(['z', 'b', 'c'])
    // An epsilon of 50 is no noise to speak of.
    expect([...table.column('n').toArray()]).toEqual([0, 2, 0])
    const sums = [...table.column('s').toArray()] as number[]
    for (const [i, s] of sums.entries()) expect(Math.abs(s - [0, 5, 0][i])).toBeLessThan(0.1)
    expect(sums[0]).not.toBe(0)
  })

  it('lets groups out by a count with noise, in the order of their keys, seldom small ones', async () => {
    // Group k has k + 1 rows.
    const key: number[] = []
    for (let k = 0; k < 60; k++) for (let i = 0; i <= k; i++) key.push(59 - k)
    const flow = columns({ key })
    const budget = seededBudget(3)
    const { dpCount, dpGroups } = budget
    const grouped = flow
      .groupBy('key')
      .aggregate(() => ({ n: dpCount({ epsilon: 1 }) }), dpGroups({ epsilon: 0.5, delta: 0.001 }))
    expect(Object.keys(grouped.schema ?? {})).toEqual(['key', 'n'])
    const times = new Array(60).fill(0)
    for (let run = 0; run < 40; run++) {
      const keys = (await grouped.collect({ lanes: 0 })).column('key').toArray() as Float64Array
      expect([...keys]).toEqual([...keys].sort((a, b) => a - b))
      for (const k of keys) times[59 - k]++
    }
    // ln(1 / (0.001 (1 + e^-0.5))) / 0.5 is 12.9: as many as fourteen rows come out half of the time.
    expect(times.slice(0, 4)).toEqual([0, 0, 0, 0])
    expect(times.slice(30)).toEqual(new Array(30).fill(40))
    expect(times[13]).toBeGreaterThan(8)
    expect(times[13]).toBeLessThan(36)
    expect(budget.spent.epsilon).toBeCloseTo(60, 9)
    expect(budget.spent.delta).toBeCloseTo(0.04, 9)
  })

  it('computes with what has noise already, once for what stands twice', async () => {
    const budget = seededBudget(4)
    const flow = columns({ x: Float64Array.from({ length: 500 }, (_, i) => i % 5) })
    const answer = flow.aggregate(t => {
      const n = budget.dpCount({ epsilon: 0.5 })
      const s = budget.dpSum(t.x, { lower: 0, upper: 4, epsilon: 0.5 }).where(t.x.gt(0))
      return { n, ratio: s.div(n), twice: n.mul(2) }
    })
    const { n, ratio, twice } = (await answer.collect({ lanes: 0 })).at(0) as Record<string, number>
    expect(twice).toBe(2 * n)
    expect(Math.abs(ratio - 2)).toBeLessThan(0.5)
    expect(budget.spent.epsilon).toBe(1)
    expect(budget.releases).toEqual([
      {
        label: 'n = dpCount(), ratio = (dpSum(x) where x > 0) / dpCount(), twice = dpCount() * 2',
        epsilon: 1,
        delta: 0,
      },
    ])
  })

  it('is the same on any number of lanes, by the same seed, over many rows', async () => {
    const size = 150_000
    const flow = columns({
      k: Int32Array.from({ length: size }, (_, i) => (i * 7919) % 13),
      x: Float64Array.from({ length: size }, (_, i) => ((i * 31) % 1000) / 7),
    })
    const answers = await Promise.all(
      engines.map(async engine => {
        const { dpMean, dpSum, dpGroups } = seededBudget(5)
        const bounds = { lower: -3, upper: 100, epsilon: 0.1 }
        const table = await flow
          .groupBy('k')
          .aggregate(t => ({ m: dpMean(t.x, bounds), s: dpSum(t.x, bounds) }), dpGroups({ epsilon: 1, delta: 1e-6 }))
          .collect({ engine })
        return table.toRows()
      }),
    )
    expect(answers[0].length).toBe(13)
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toEqual(answers[0])
  })

  it('takes infinities as the bounds and NaN as null, and integers of any size', async () => {
    const { dpSum } = seededBudget(6)
    const flow = columns({ x: [Infinity, -Infinity, NaN, 1], y: [2n ** 62n, 5n, -(2n ** 62n), 3n] })
    const { a, b } = (
      await flow
        .aggregate(t => ({
          a: dpSum(t.x, { lower: -2, upper: 5, epsilon: 1e5 }),
          b: dpSum(t.y, { lower: -10, upper: 1000, epsilon: 1e5 }),
        }))
        .collect({ lanes: 0 })
    ).at(0) as { a: number; b: number }
    expect(a).toBeCloseTo(4, 2)
    expect(Math.abs(b - 998)).toBeLessThan(0.5)
  })

  it('says in explain where noise is added, and what it costs', () => {
    const { dpCount } = seededBudget(7)
    const text = columns({ x: [1] })
      .aggregate(() => ({ n: dpCount({ epsilon: 0.25 }) }))
      .explain()
    expect(text).toContain('calling thread\n  noise for n = dpCount(), at epsilon 0.25')
  })
})

describe('a privacy budget', () => {
  const flow = columns({ k: ['a', 'b'], x: [1, 2] })

  it('is spent by each run, and what costs more than is left is refused before anything is read', async () => {
    const budget = privacyBudget({ epsilon: 0.3 })
    const answer = flow.aggregate(() => ({ n: budget.dpCount({ epsilon: 0.1 }) }))
    expect(budget.spent).toEqual({ epsilon: 0, delta: 0 })
    for (let i = 0; i < 3; i++) await answer.collect({ lanes: 0 })
    expect(budget.remaining.epsilon).toBeCloseTo(0, 12)
    expect(String(budget)).toBe('epsilon 0.3 of 0.3 and delta 0 of 0 are spent')
    const error = await refusal(() => answer.collect({ lanes: 0 }), 'MR_PRIVACY_BUDGET')
    expect(error.message).toContain('n = dpCount() costs epsilon 0.1, and of 0.3 there is 0 left')
    expect(error.details.epsilon).toBe(0.1)
    expect(budget.releases.length).toBe(3)
  })

  it('goes on where another ended', async () => {
    const budget = privacyBudget({ epsilon: 1, delta: 1e-6, spent: { epsilon: 0.95, delta: 0 } })
    const answer = flow.aggregate(() => ({ n: budget.dpCount({ epsilon: 0.1 }) }))
    await refusal(() => answer.collect({ lanes: 0 }), 'MR_PRIVACY_BUDGET')
    const gauss = flow.aggregate(() => ({ n: budget.dpCount({ epsilon: 0.01, delta: 1e-5 }) }))
    expect((await refusal(() => gauss.collect({ lanes: 0 }), 'MR_PRIVACY_BUDGET')).message).toContain(
      'costs delta 0.00001',
    )
  })

  it('is not overspent by jobs at a time, and gets back what came to nothing', async () => {
    const budget = privacyBudget({ epsilon: 0.25 })
    const answer = (from: Flow<any>) => from.aggregate(() => ({ n: budget.dpCount({ epsilon: 0.1 }) }))
    const ends = await Promise.allSettled(Array.from({ length: 4 }, () => answer(flow).collect({ lanes: 0 })))
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected'])
    const fresh = privacyBudget({ epsilon: 0.1 })
    const failing = columns({ x: ['1', 'one'] }).derive(t => ({ y: t.x.cast(float64()) }))
    const total = failing.aggregate(t => ({ s: fresh.dpSum(t.y, { lower: 0, upper: 1, epsilon: 0.1 }) }))
    await expect(total.collect({ lanes: 0 })).rejects.toThrow()
    expect(fresh.spent.epsilon).toBe(0)
    expect(fresh.releases).toEqual([])
  })

  it('pays once for flows that are run together and share an answer, and for rows that are held', async () => {
    const budget = privacyBudget({ epsilon: 5 })
    const noisy = flow
      .groupBy('k')
      .aggregate(() => ({ n: budget.dpCount({ epsilon: 1 }) }), publicGroups(columns({ k: ['a', 'b'] })))
    const { all, a } = await collectAll({ all: noisy, a: noisy.filter(t => t.k.eq('a')) }, { lanes: 0 })
    expect(a.at(0)).toEqual(all.at(0))
    expect(budget.spent.epsilon).toBe(1)
    await using held = await noisy.load({ lanes: 0 })
    const first = await held.collect()
    expect((await held.collect()).toRows()).toEqual(first.toRows())
    expect(budget.spent.epsilon).toBe(2)
  })

  it('costs as many times as there are sets of keys', async () => {
    const budget = privacyBudget({ epsilon: 5, delta: 0.1 })
    await flow
      .rollup('k', 'x')
      .aggregate(() => ({ n: budget.dpCount({ epsilon: 0.25 }) }), budget.dpGroups({ epsilon: 0.25, delta: 0.01 }))
      .collect({ lanes: 0 })
    expect(budget.spent.epsilon).toBe(1.5)
    expect(budget.spent.delta).toBeCloseTo(0.03, 12)
  })

  it('refuses what would give rows away, or is no budget', async () => {
    const budget = privacyBudget({ epsilon: 1, delta: 1e-3 })
    const { dpCount, dpSum, dpGroups } = budget
    const n = () => ({ n: dpCount({ epsilon: 0.1 }) })
    const byKey = flow.groupBy('k')
    expect((await refusal(() => byKey.aggregate(n), 'MR_INVALID_OPTION')).message).toContain('publicGroups(flow)')
    await refusal(() => flow.aggregate(n, dpGroups({ epsilon: 0.1, delta: 1e-6 })), 'MR_INVALID_OPTION')
    const beside = await refusal(() => flow.aggregate(t => ({ ...n(), m: mean(t.x) })), 'MR_INVALID_OPTION')
    expect(beside.message).toContain('mean(x) would give away')
    await refusal(() => byKey.aggregate(n, minGroupSize(2)), 'MR_INVALID_OPTION')
    await refusal(
      () => byKey.aggregate(() => ({ n: count() }), dpGroups({ epsilon: 0.1, delta: 1e-6 })),
      'MR_INVALID_OPTION',
    )
    await refusal(() => flow.rollup('k').aggregate(n, publicGroups(columns({ k: ['a'] }))), 'MR_INVALID_OPTION')
    const other = privacyBudget({ epsilon: 1 })
    await refusal(() => flow.aggregate(() => ({ ...n(), m: other.dpCount({ epsilon: 0.1 }) })), 'MR_INVALID_OPTION')
    const nulls = publicGroups(columns({ k: ['a', null] }))
    await refusal(() => byKey.aggregate(n, nulls).collect({ lanes: 0 }), 'MR_INVALID_OPTION')
    await refusal(() => byKey.aggregate(n, publicGroups(columns({ z: ['a'] }))), 'MR_UNKNOWN_COLUMN')
    expect(budget.spent.epsilon).toBe(0)
    for (const epsilon of [0, -1, NaN, Infinity, '1', undefined]) {
      await refusal(() => privacyBudget({ epsilon } as never), 'MR_INVALID_OPTION')
      await refusal(() => dpCount({ epsilon } as never), 'MR_INVALID_OPTION')
    }
    await refusal(() => privacyBudget({ epsilon: 1, delta: 1 }), 'MR_INVALID_OPTION')
    await refusal(() => privacyBudget({ epsilon: 1, budget: 2 } as never), 'MR_INVALID_OPTION')
    await refusal(() => dpGroups({ epsilon: 1, delta: 0 }), 'MR_INVALID_OPTION')
    for (const [lower, upper] of [
      [1, 1],
      [2, 1],
      [0, Infinity],
      [NaN, 1],
      [undefined, 1],
      [0, 5e-324],
    ]) {
      await refusal(
        () => flow.aggregate(t => ({ s: dpSum(t.x, { lower, upper, epsilon: 1 } as never) })),
        'MR_INVALID_OPTION',
      )
    }
    await refusal(
      () => flow.aggregate(t => ({ s: dpSum(t.k as never, { lower: 0, upper: 1, epsilon: 1 }) })),
      'MR_TYPE_MISMATCH',
    )
  })
})
