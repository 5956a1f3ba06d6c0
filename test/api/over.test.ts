import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  approxCountDistinct,
  approxQuantile,
  approxTopK,
  bottomK,
  collectList,
  columns,
  count,
  countDistinct,
  createEngine,
  date,
  defineAggregate,
  denseRank,
  desc,
  type Engine,
  ewma,
  first,
  float64,
  int32,
  int64,
  json,
  lag,
  last,
  lead,
  MillraceError,
  max,
  mean,
  min,
  mode,
  ntile,
  percentRank,
  rank,
  rowNumber,
  rows,
  schema,
  sum,
  timestamp,
  topK,
} from '../../src/index.js'

const engines: Engine[] = []
beforeAll(async () => {
  for (const lanes of [0, 1, 2, 3]) engines.push(await createEngine({ lanes }))
})
afterAll(async () => {
  await Promise.all(engines.map(engine => engine.close()))
})

const code = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return error instanceof MillraceError ? error.code : String(error)
  }
  return 'nothing'
}

describe('over', () => {
  const trades = columns({
    symbol: ['A', 'B', 'A', 'A', 'B', 'A'],
    price: [3, 1, 5, 5, null, 1],
    at: [0, 60, 120, 180, 240, 1000].map(s => new Date(s * 1000)),
  })

  it('ranks rows with their peers', async () => {
    const table = await trades
      .over({ partitionBy: 'symbol', orderBy: desc('price') }, () => ({
        n: rowNumber(),
        r: rank(),
        d: denseRank(),
        p: percentRank(),
        half: ntile(2),
      }))
      .select('n', 'r', 'd', 'p', 'half')
      .collect()
    expect(table.toRows()).toEqual([
      { n: 3, r: 3, d: 2, p: 2 / 3, half: 2 },
      { n: 1, r: 1, d: 1, p: 0, half: 1 },
      { n: 1, r: 1, d: 1, p: 0, half: 1 },
      { n: 2, r: 1, d: 1, p: 0, half: 1 },
      { n: 2, r: 2, d: 2, p: 1, half: 2 },
      { n: 4, r: 4, d: 3, p: 1, half: 2 },
    ])
  })

  it('reaches for rows before and after, and computes with them', async () => {
    const table = await trades
      .over({ partitionBy: 'symbol' }, t => ({
        before: lag(t.price),
        next: lead(t.symbol, 2, '-'),
        change: sum(t.price.mul(2)).sub(lag(t.price, 1, 0)),
        smooth: ewma(t.price, { alpha: 0.5 }),
      }))
      .select('before', 'next', 'change', 'smooth')
      .collect()
    expect(table.toRows()).toEqual([
      { before: null, next: 'A', change: 28, smooth: 3 },
      { before: null, next: '-', change: 2, smooth: 1 },
      { before: 3, next: 'A', change: 25, smooth: 4 },
      { before: 5, next: '-', change: 23, smooth: 4.5 },
      { before: 1, next: '-', change: 1, smooth: 1 },
      { before: 5, next: '-', change: 23, smooth: 2.75 },
    ])
    expect(table.schema.next.nullable).toBe(false)
    expect(table.schema.before.nullable).toBe(true)
  })

  it('has frames as SQL has them, in rows, and in values and durations', async () => {
    const counts = async (options: Parameters<typeof trades.over>[0]) =>
      (await trades.over(options, () => ({ n: count() })).collect()).column('n').toArray()
    expect([...(await counts({}))]).toEqual([6, 6, 6, 6, 6, 6])
    expect([...(await counts({ orderBy: 'price' }))]).toEqual([3, 2, 5, 5, 6, 2])
    expect([...(await counts({ rows: [-1, 1] }))]).toEqual([2, 3, 3, 3, 3, 2])
    expect([...(await counts({ rows: [1, 2] }))]).toEqual([2, 2, 2, 2, 1, 0])
    expect([...(await counts({ orderBy: 'at', range: ['-2m', 0] }))]).toEqual([1, 2, 3, 3, 3, 1])
    expect([...(await counts({ orderBy: desc('at'), range: ['-1m', null] }))]).toEqual([2, 3, 4, 5, 5, 6])
    expect([...(await counts({ orderBy: 'price', range: [-2, 2] }))]).toEqual([5, 3, 3, 3, 1, 3])
    const empty = trades.over({ rows: [5, 9] }, t => ({ total: sum(t.price), last: max(t.symbol), none: count() }))
    expect((await empty.limit(2).collect()).toRows()).toEqual([
      { symbol: 'A', price: 3, at: new Date(0), total: 1, last: 'A', none: 1 },
      { symbol: 'B', price: 1, at: new Date(60_000), total: null, last: null, none: 0 },
    ])
  })

  it('counts days in dates', async () => {
    const flow = rows([{ d: '2024-01-01' }, { d: '2024-01-08' }, { d: '2024-01-09' }], schema({ d: date() }))
    const table = await flow.over({ orderBy: 'd', range: ['-1w', 0] }, () => ({ n: count() })).collect()
    expect([...(table.column('n').toArray() as Iterable<number>)]).toEqual([1, 2, 2])
    expect(code(() => flow.over({ orderBy: 'd', range: ['-1h', 0] }, () => ({ n: count() })))).toBe('MR_INVALID_OPTION')
  })

  it('gives the same on every number of lanes, and within a budget, for more rows than are computed at once', async () => {
    const n = 70_000
    const flow = columns({
      g: Int32Array.from({ length: n }, (_, i) => Math.floor(i / 30_000)),
      x: Int32Array.from({ length: n }, (_, i) => (i * 7919) % 1013),
      s: Array.from({ length: n }, (_, i) => `s${(i * 31) % 97}`),
    }).over({ partitionBy: 'g', rows: [null, 0] }, t => ({
      total: sum(t.x),
      least: min(t.s),
      mean: mean(t.x),
      first: first(t.s),
      last: last(t.x),
    }))
    const expected = { total: new Float64Array(n), mean: new Float64Array(n), least: [] as string[] }
    for (let i = 0, total = 0, least = '~'; i < n; i++) {
      if (i % 30_000 === 0) [total, least] = [0, '~']
      const s = `s${(i * 31) % 97}`
      total += (i * 7919) % 1013
      if (s < least) least = s
      expected.total[i] = total
      expected.mean[i] = total / ((i % 30_000) + 1)
      expected.least.push(least)
    }
    for (const options of [
      ...engines.map(engine => ({ engine })),
      { engine: engines[2] as Engine, memory: 256 * 2 ** 20 },
    ]) {
      const table = await flow.collect(options)
      const differs = (name: string, values: ArrayLike<unknown>) => {
        const found = table.column(name as 'x').toArray()
        return Array.prototype.findIndex.call(values, (value, i) => value !== found[i])
      }
      expect(differs('total', expected.total)).toBe(-1)
      expect(differs('mean', expected.mean)).toBe(-1)
      expect(differs('least', expected.least)).toBe(-1)
      expect(table.column('first').at(-1)).toBe(`s${(60_000 * 31) % 97}`)
      expect(table.column('last').toArray()).toEqual(table.column('x').toArray())
    }
  }, 60_000)

  it('is exact: what comes and goes leaves nothing behind', async () => {
    const values = [1e300, 1, -1e300, 0.1, 0.2, 1e-300]
    const table = await columns({ x: Float64Array.from(values) })
      .over({ rows: [-2, 0] }, t => ({ s: sum(t.x) }))
      .collect()
    expect([...(table.column('s').toArray() as Float64Array)]).toEqual([
      1e300, 1e300, 1, -1e300, -1e300, 0.30000000000000004,
    ])
  })

  it('has the least of values that are as frequent in a long frame, NaN last and one zero', async () => {
    const of = async (first: number, second: number) => {
      const flow = rows(
        Array.from({ length: 60 }, (_, i) => ({ i, x: i % 2 === 0 ? first : second })),
        schema({ i: int32(), x: float64() }),
      )
      const table = await flow
        .over({ orderBy: 'i', rows: [-39, 0] }, t => ({ m: mode(t.x), n: countDistinct(t.x) }))
        .collect()
      return [table.column('m').at(59), table.column('n').at(59)]
    }
    expect(await of(Number.NaN, 5)).toEqual([5, 2])
    expect(await of(5, Number.NaN)).toEqual([5, 2])
    expect(await of(-0, -0)).toEqual([0, 1])
    expect(await of(3, -2)).toEqual([-2, 2])
  })

  it('has of frames that grow what the one before had, whatever states keep', async () => {
    const half = 30_000
    const values = Int32Array.from({ length: 2 * half }, (_, i) => (i * 7919) % 1000)
    const flow = columns({ part: Int32Array.from(values, (_, i) => Number(i >= half)), x: values })
    const table = await flow
      .over({ partitionBy: 'part', rows: [null, 0] }, t => ({
        most: topK(t.x, 2),
        least: bottomK(t.x, 1),
        middle: approxQuantile(t.x, 0.5),
      }))
      .collect({ engine: engines[0] })
    const { most, least, middle } = table.toColumns() as Record<string, any>
    for (const part of [0, half]) {
      for (const count of [1, 2, 500, 4999, 12_345, half]) {
        const sorted = values.slice(part, part + count).sort()
        const at = part + count - 1
        expect([most[at], least[at]]).toEqual([[...sorted.slice(-2)].reverse(), [sorted[0]]])
        const exact = sorted[Math.floor((count - 1) / 2)]
        expect(Math.abs(middle[at] - exact)).toBeLessThanOrEqual(0.0101 * exact)
      }
    }
    const few = flow.limit(3000).over({ rows: [null, 0] }, t => ({
      all: collectList(t.x),
      distinct: approxCountDistinct(t.x),
      often: approxTopK(t.x, 1),
    }))
    for (const at of [0, 700, 1500, 2999]) {
      const { all, distinct, often } = (await few.collect({ engine: engines[0] })).at(at) as any
      expect(all).toEqual([...values.subarray(0, at + 1)])
      expect(Math.abs(distinct - Math.min(1000, at + 1))).toBeLessThan(30)
      expect(all).toContain(often[0])
    }
  }, 15_000)

  it('fails with a sum beyond int64', async () => {
    const flow = rows([{ a: 2n ** 62n }, { a: 2n ** 62n }], schema({ a: int64() }))
    await expect(flow.over({}, t => ({ s: sum(t.a) })).collect()).rejects.toMatchObject({ code: 'MR_INTEGER_OVERFLOW' })
    const table = await flow.over({ rows: [0, 0] }, t => ({ s: sum(t.a) })).collect()
    expect(table.column('s').toBigInt64Array()).toEqual(BigInt64Array.of(2n ** 62n, 2n ** 62n))
  })

  it('takes files whose columns are known once they open, and filters', async () => {
    const flow = json({ text: '[{"k":"x","p":1},{"k":"y","p":2},{"k":"x","p":4}]' })
    const table = await flow
      .over({ partitionBy: 'k', orderBy: 'p' }, t => ({ p: sum(t.p), big: count().where(t.p.gt(1)) }))
      .collect()
    expect(table.toRows()).toEqual([
      { k: 'x', p: 1, big: 0 },
      { k: 'y', p: 2, big: 1 },
      { k: 'x', p: 5, big: 1 },
    ])
    await expect(flow.over({ orderBy: 'k', range: [-1, 0] }, () => ({ n: count() })).collect()).rejects.toMatchObject({
      code: 'MR_TYPE_MISMATCH',
    })
  })

  it('of no rows is none', async () => {
    const table = await rows([], schema({ x: float64(), at: timestamp() }))
      .over({ orderBy: 'at' }, t => ({ s: sum(t.x), r: rank(), l: lag(t.x) }))
      .collect()
    expect(table.rowCount).toBe(0)
  })

  it('is refused with a reason', () => {
    const over = (options: object, define: (t: any) => object) =>
      code(() => trades.over(options as never, define as never))
    const one = () => ({ n: count() })
    expect(over({}, () => ({ r: rank() }))).toBe('MR_INVALID_OPTION')
    expect(over({ rows: [1, 0] }, one)).toBe('MR_INVALID_OPTION')
    expect(over({ rows: [0.5, 1] }, one)).toBe('MR_INVALID_OPTION')
    expect(over({ rows: [0] }, one)).toBe('MR_INVALID_OPTION')
    expect(over({ rows: [0, 1], range: [0, 1] }, one)).toBe('MR_INVALID_OPTION')
    expect(over({ range: [-1, 0] }, one)).toBe('MR_INVALID_OPTION')
    expect(over({ orderBy: ['price', 'at'], range: [-1, 0] }, one)).toBe('MR_INVALID_OPTION')
    expect(over({ orderBy: 'symbol', range: [-1, 0] }, one)).toBe('MR_TYPE_MISMATCH')
    expect(over({ orderBy: 'price', range: ['-1m', 0] }, one)).toBe('MR_TYPE_MISMATCH')
    expect(over({ orderBy: 'at', range: ['soon', 0] }, one)).toBe('MR_INVALID_OPTION')
    expect(over({ orderBy: 'at', range: ['-0.0001s', 0] }, one)).toBe('MR_INVALID_OPTION')
    expect(over({ orderBy: 'at', range: [0, '-1m'] }, one)).toBe('MR_INVALID_OPTION')
    expect(over({ partitionBy: 'nope' }, one)).toBe('MR_UNKNOWN_COLUMN')
    expect(over({ by: 'price' }, one)).toBe('MR_INVALID_OPTION')
    expect(over({}, () => ({}))).toBe('MR_INVALID_OPTION')
    expect(over({}, t => ({ x: t.price }))).toBe('MR_TYPE_MISMATCH')
    expect(over({}, t => ({ x: lag(t.price, -1) }))).toBe('MR_INVALID_OPTION')
    expect(over({}, t => ({ x: lag(t.price, 1, 'x') }))).toBe('MR_TYPE_MISMATCH')
    expect(over({}, t => ({ x: lag(t.price).where(t.price.gt(1)) }))).toBe('MR_INVALID_OPTION')
    expect(over({}, t => ({ x: ewma(t.price, { alpha: 2 }) }))).toBe('MR_INVALID_OPTION')
    expect(over({}, t => ({ x: ewma(t.price, { alpha: 1, span: 2 } as never) }))).toBe('MR_INVALID_OPTION')
    expect(over({}, () => ({ x: ntile(0) }))).toBe('MR_INVALID_OPTION')
    const own = defineAggregate({
      init: () => 0,
      update: (state, x: number) => state + x,
      merge: (a, b) => a + b,
      evaluate: x => x,
    })
    expect(over({}, t => ({ x: own(t.price) }))).toBe('MR_INVALID_OPTION')
    expect(code(() => trades.aggregate(() => ({ x: rowNumber() })))).toBe('MR_TYPE_MISMATCH')
  })
})
