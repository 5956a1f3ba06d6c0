/** Joins of rows that lanes hold with so many others that each lane has a share of them: the same bits as in one lane, whatever the keys, and nothing is left when they end. */
import { describe, expect, it } from 'vitest'
import { columns, createEngine, type Flow, sum, type Table } from '../../src/index.js'
import { onLanes } from './env.js'

const MANY = 1_100_000
const FEW = 150_000

/** Keys that are neither dense nor in order. */
const key = (i: number) => Math.imul(i, 2654435761) | 0
const many = columns({
  k: Int32Array.from({ length: MANY }, (_, i) => key(i)),
  part: Array.from({ length: MANY }, (_, i) => (i % 1000 ? i % 3 : null)),
  w: Float64Array.from({ length: MANY }, (_, i) => -i),
  // Lanes read them in other orders, so that their codes are not the same.
  s: Array.from({ length: MANY }, (_, i) => (i % 7 ? `s${(i * 31) % 20_000}` : null)),
  few: Array.from({ length: MANY }, (_, i) => `f${i % 5}`),
})
const few = columns({
  // Every other one is of no row of the many.
  k: Array.from({ length: FEW }, (_, i) => (i % 11 ? key((i * 13) % (2 * MANY)) : null)),
  part: Int32Array.from({ length: FEW }, (_, i) => i % 3),
  v: Float64Array.from({ length: FEW }, (_, i) => i),
})

const flows = (a: Flow<any>, b: Flow<any>): Record<string, Flow<any>> => ({
  inner: a.join(b, 'k'),
  left: a.leftJoin(b, 'k'),
  semi: a.semiJoin(b, 'k'),
  anti: a.antiJoin(b, 'k'),
  'two keys': a.leftJoin(b.select('k', 'part', 's'), ['k', 'part']),
  'left rows that are not those held': a
    .filter(t => t.v.mod(3).lt(1))
    .derive(t => ({ k: t.k.add(0.0), half: t.v.div(2) }))
    .leftJoin(b, 'k')
    .derive(t => ({ z: t.half.sub(t.w) }))
    .filter(t => t.z.gt(100)),
  'one after another': a.leftJoin(b.select('k', 'w'), 'k').leftJoin(b.select('k', 's'), 'k'),
  groups: a
    .join(b, 'k')
    .groupBy('s')
    .aggregate(t => ({ w: sum(t.w), v: sum(t.v) })),
  sorted: a.join(b, 'k').orderBy('w', 'v').limit(1000),
  'the first rows': a.join(b, 'k').limit(1000),
  'keys of several rows each': a
    .leftJoin(
      b.select('part', 'k', 'w').filter(t => t.w.gt(-9000)),
      'part',
    )
    .limit(20_000),
})

const differing = (a: Table<any>, b: Table<any>): string | null => {
  if (a.rowCount !== b.rowCount) return `${a.rowCount} rows, ${b.rowCount} rows`
  for (const name of Object.keys(a.schema)) {
    const [own, other] = [a.column(name).toArray(), b.column(name).toArray()]
    for (let i = 0; i < a.rowCount; i++)
      if (!Object.is(own[i], other[i])) return `row ${i}, ${name}: ${own[i]}, ${other[i]}`
  }
  return null
}

describe('joins of which each lane has a share', () => {
  onLanes([3], engine => {
    const o = () => ({ engine: engine() })

    it('give what one lane gives', async () => {
      await using inline = await createEngine({ lanes: 0 })
      const one = flows((await few.load({ engine: inline })) as any, (await many.load({ engine: inline })) as any)
      await using a = await few.load(o())
      await using b = await many.load(o())
      for (const [name, flow] of Object.entries(flows(a as any, b as any))) {
        const expected = await one[name].collect({ engine: inline })
        expect([name, differing(await flow.collect(o()), expected)]).toEqual([name, null])
      }
      await using kept = await a.join(b as any, 'k').load(o())
      expect(differing(await kept.collect(o()), await one.inner.collect({ engine: inline }))).toBe(null)
      for (const how of ['inner', 'left', 'semi', 'anti', 'two keys', 'groups', 'sorted'])
        expect(await flows(a as any, b as any)[how].explain({ analyze: true }, o())).toContain('a share of keys a lane')
    })

    it('of keys that are of several rows give all of them, once every lane has these', async () => {
      const twice = columns({
        k: Int32Array.from({ length: MANY }, (_, i) => key(i >> 1)),
        w: Float64Array.from({ length: MANY }, (_, i) => i),
      })
      await using inline = await createEngine({ lanes: 0 })
      await using a = await few.load(o())
      await using b = await twice.load(o())
      const [one, two] = [await few.load({ engine: inline }), await twice.load({ engine: inline })]
      expect(
        differing(await a.leftJoin(b, 'k').collect(o()), await one.leftJoin(two, 'k').collect({ engine: inline })),
      ).toBe(null)
      expect(
        differing(await a.semiJoin(b, 'k').collect(o()), await one.semiJoin(two, 'k').collect({ engine: inline })),
      ).toBe(null)
    })

    it('end when they are told to, and those that come next have all', async () => {
      await using a = await few.load(o())
      await using b = await many.load(o())
      const flow = a.leftJoin(b, 'k').derive(t => ({ sum: t.v.add(t.w) }))
      const whole = await flow.collect(o())
      for (const milliseconds of [0, 5, 20, 40, 80, 120]) {
        const signal = AbortSignal.timeout(milliseconds)
        const error = await flow.collect({ ...o(), signal }).catch((error: unknown) => error)
        if (error instanceof Error) expect(signal.aborted).toBe(true)
      }
      expect(differing(await flow.collect(o()), whole)).toBe(null)
    })

    it('tell a row that fails before or behind them by its place, and other lanes do not wait for it', async () => {
      const at = 123_457
      const rows = columns({
        k: Int32Array.from({ length: FEW }, (_, i) => key(i)),
        n: Int32Array.from({ length: FEW }, (_, i) => (i === at ? 2 ** 31 - 1 : i % 1000)),
      })
      await using a = await rows.load(o())
      await using b = await many.load(o())
      const more = (flow: Flow<any>): Flow<any> => flow.derive(t => ({ more: t.n.mul(t.n).mul(t.n).mul(t.n) }))
      for (const failing of [more(a.join(b, 'k') as any), more(a as any).join(b as any, 'k')])
        await expect(failing.collect(o())).rejects.toMatchObject({ code: 'MR_INTEGER_OVERFLOW', details: { row: at } })
    })
  })
})
