/** What groupBy and the aggregates give, types and nullability included, as a user writes them. Exact sums at large are test/laws. */
import { describe, expect, it } from 'vitest'
import type { SchemaShape } from '../../src/columnar/type.js'
import {
  collectList,
  columns,
  count,
  date,
  dictionary,
  float32,
  int8,
  int64,
  join,
  max,
  mean,
  median,
  min,
  nullable,
  rows,
  schema,
  sum,
  type Table,
  timestamp,
  typeName,
  uint32,
  utf8,
} from '../../src/index.js'
import { expectSame } from '../arrays.js'
import { counted, type FlowEnv, onLanes, refusal } from './env.js'

/** Bit for bit. */
function sameColumns<S extends SchemaShape>(found: Table<S>, wanted: Table<S>): void {
  expect(found.schema).toEqual(wanted.schema)
  for (const name of Object.keys(wanted.schema)) expectSame([...found.column(name)], [...wanted.column(name)])
}

export function aggregateSuite(lanesList: readonly number[], _env: FlowEnv): void {
  describe('aggregates', () => {
    onLanes(lanesList, engine => {
      const collect = <T>(flow: { collect(options: object): Promise<T> }) => flow.collect({ engine: engine() })

      it('groups come out in order of first appearance, across splits', async () => {
        const rowCount = 600_000
        const late = Int32Array.from({ length: rowCount }, (_, i) => (i < 550_000 ? 5 - (i % 3) : (i * 7) % 11))
        const table = await collect(
          columns({ late })
            .groupBy('late')
            .aggregate(() => ({ n: count() })),
        )
        const seen = [...new Set(late)]
        expect([...table.column('late')]).toEqual(seen)
        expect(table.toRows().reduce((total, row) => total + row.n, 0)).toBe(rowCount)
      })

      it('strings of which most come once are groups like any others', async () => {
        // Those that come again do so in other chunks, and next to one another.
        const k = Array.from({ length: 200_000 }, (_, i) => (i % 9 === 0 ? null : `key ${i % 4 < 3 ? i : i % 70_000}`))
        const expected = new Map<string | null, number>()
        for (const each of k) expected.set(each, (expected.get(each) ?? 0) + 1)
        const flow = columns({ k })
        const grouped = flow.groupBy('k').aggregate(() => ({ n: count() }))
        const table = await collect(grouped)
        expectSame([...table.column('k')], [...expected.keys()])
        expectSame([...table.column('n')], [...expected.values()])
        expectSame([...(await collect(flow)).column('k')], k)
      })

      it('nulls are one key, NaNs are one key, and so are the zeros, which come out as +0', async () => {
        const k = [NaN, -0, null, 0, NaN, null, 1]
        const table = await collect(
          columns({ k })
            .groupBy('k')
            .aggregate(() => ({ n: count() })),
        )
        expect(table.toRows()).toEqual([
          { k: NaN, n: 2 },
          { k: 0, n: 2 },
          { k: null, n: 2 },
          { k: 1, n: 1 },
        ])
        expect(Object.is(table.at(1)?.k, 0)).toBe(true)
      })

      it('keys may be several, of any types, dictionaries among them', async () => {
        const flow = columns({
          city: dictionary(Int32Array.of(0, 1, 2, 0, 1), ['Rome', 'Oslo', 'Rome']),
          day: new BigInt64Array([1n, 1n, 1n, 1n, 2n]),
          flag: [true, false, true, true, false],
          x: Float64Array.of(1, 2, 4, 8, 16),
        })
        const table = await collect(flow.groupBy('city', 'flag', 'day').aggregate(t => ({ total: sum(t.x) })))
        expect(table.toRows()).toEqual([
          { city: 'Rome', flag: true, day: 1, total: 13 },
          { city: 'Oslo', flag: false, day: 1, total: 2 },
          { city: 'Oslo', flag: false, day: 2, total: 16 },
        ])
        expect(Object.keys(table.schema)).toEqual(['city', 'flag', 'day', 'total'])
      })

      it('over no rows a count is 0 and the rest are null; with a key there is no group', async () => {
        const none = () => columns({ x: new Float64Array(0) })
        const of = (t: any) => ({
          all: count(),
          n: count(t.x),
          s: sum(t.x),
          m: mean(t.x),
          least: min(t.x),
          most: max(t.x),
        })
        expect((await collect(none().aggregate(of))).toRows()).toEqual([
          { all: 0, n: 0, s: null, m: null, least: null, most: null },
        ])
        const keyed = await collect(
          none()
            .groupBy('x')
            .aggregate(() => ({ n: count() })),
        )
        expect([keyed.rowCount, Object.keys(keyed.schema)]).toEqual([0, ['x', 'n']])
      })

      it('nulls are skipped, and all nulls make null', async () => {
        const flow = rows(
          [
            { k: 'a', x: null },
            { k: 'b', x: 2n },
            { k: 'b', x: null },
          ],
          schema({ k: utf8(), x: nullable(int64()) }),
        )
        const table = await collect(
          flow
            .groupBy('k')
            .aggregate(t => ({ all: count(), n: count(t.x), s: sum(t.x), m: mean(t.x), least: min(t.x) })),
        )
        expect(table.toRows()).toEqual([
          { k: 'a', all: 1, n: 0, s: null, m: null, least: null },
          { k: 'b', all: 2, n: 1, s: 2, m: 2, least: 2 },
        ])
      })

      it('results have the types that are documented', async () => {
        const flow = rows(
          [{ k: 1, i: 5, u: 4_000_000_000, f: 1.5, t: new Date(0), d: '2024-02-29', s: 'x' }],
          schema({ k: int8(), i: int8(), u: uint32(), f: float32(), t: timestamp(), d: date(), s: nullable(utf8()) }),
        )
        const keyed = flow.groupBy('k').aggregate(t => ({
          n: count(),
          i: sum(t.i),
          u: sum(t.u),
          f: sum(t.f),
          mean: mean(t.i),
          least: min(t.i),
          most: max(t.f),
          t: max(t.t),
          d: min(t.d),
          s: min(t.s),
          where: sum(t.i).where(t.i.gt(0)),
          ratio: sum(t.i).div(count()),
        }))
        const table = await collect(keyed)
        const types = Object.entries(table.schema).map(([name, type]) => `${name} ${typeName(type)}`)
        expect(types).toEqual([
          'k int8',
          'n int64',
          'i int64',
          'u int64',
          'f float64',
          'mean float64',
          'least int8',
          'most float32',
          "t timestamp('ms')",
          'd date',
          's nullable(utf8)',
          'where nullable(int64)',
          'ratio nullable(float64)',
        ])
        expect(table.toRows()).toEqual([
          {
            k: 1,
            n: 1,
            i: 5,
            u: 4_000_000_000,
            f: 1.5,
            mean: 5,
            least: 5,
            most: 1.5,
            t: new Date(0),
            d: '2024-02-29',
            s: 'x',
            where: 5,
            ratio: 5,
          },
        ])
      })

      it('sums of floats are exact, whatever cancels', async () => {
        const x = Float64Array.of(1e308, 0.1, 1e308, 0.2, -1e308, 0.3, -1e308, 5e-324)
        const table = await collect(columns({ x }).aggregate(t => ({ s: sum(t.x), m: mean(t.x) })))
        expect(table.toRows()).toEqual([{ s: 0.6, m: 0.075 }])
      })

      it('a mean is right where the sum would overflow', async () => {
        const x = Float64Array.of(Number.MAX_VALUE, Number.MAX_VALUE)
        const i = BigInt64Array.of(2n ** 63n - 1n, 2n ** 63n - 1n)
        const table = await collect(columns({ x, i }).aggregate(t => ({ s: sum(t.x), m: mean(t.x), i: mean(t.i) })))
        expect(table.toRows()).toEqual([{ s: Infinity, m: Number.MAX_VALUE, i: 2 ** 63 }])
      })

      it('a sum of integers is judged on its exact total, and says which', async () => {
        const most = 2n ** 63n - 1n
        const total = (...i: bigint[]) =>
          collect(columns({ i: BigInt64Array.from(i) }).aggregate(t => ({ total: sum(t.i) })))
        expect((await total(most, 1n, -1n)).toRows({ bigint: true })).toEqual([{ total: most }])
        const error = await refusal(() => total(most, 1n), 'MR_INTEGER_OVERFLOW')
        expect(error.message).toContain('sum(i)')
      })

      it('arithmetic between aggregates that overflows is told as it was written', async () => {
        const flow = columns({ a: BigInt64Array.of(2n ** 62n), b: BigInt64Array.of(2n ** 62n), k: ['x'] })
        const overflows = [
          flow.aggregate(t => ({ c: count(), x: sum(t.a).add(max(t.b).where(t.b.gt(0))) })),
          flow.groupBy('k').aggregate(t => ({ c: count(), x: sum(t.a).add(max(t.b).where(t.b.gt(0))) })),
        ]
        for (const grouped of overflows) {
          for (const run of [
            () => grouped.collect({ engine: engine() }),
            () => grouped.run({ engine: engine() }).finished,
          ]) {
            expect((await refusal(run, 'MR_INTEGER_OVERFLOW')).message).toMatch(
              /: sum\(a\) \+ \(max\(b\) where b > 0\) is beyond int64;/,
            )
          }
        }
        const over = flow.over({}, t => ({ x: sum(t.a).mul(count()).add(max(t.b)) }))
        const error = await refusal(() => collect(over), 'MR_INTEGER_OVERFLOW')
        expect(error.message).toMatch(/: \(sum\(a\) \* count\(\)\) \+ max\(b\) is beyond int64;/)
      })

      it('min and max go by bytes, instants and flags; NaN is greatest', async () => {
        const flow = columns({
          s: ['😀', '\uFF5E', 'b', ''],
          f: [NaN, 1, -0, 0],
          b: [true, true, false, true],
          t: [new Date(5), new Date(-5), new Date(0), new Date(1)],
        })
        const table = await collect(
          flow.aggregate(t => ({
            s: max(t.s),
            s0: min(t.s),
            f: max(t.f),
            f0: min(t.f),
            b: max(t.b),
            b0: min(t.b),
            t: max(t.t),
            t0: min(t.t),
          })),
        )
        expect(table.toRows()).toEqual([
          { s: '😀', s0: '', f: NaN, f0: 0, b: true, b0: false, t: new Date(5), t0: new Date(-5) },
        ])
      })

      it('where counts only the rows in which its predicate is true', async () => {
        const table = await collect(
          columns(counted(10)).aggregate(t => ({
            n: count().where(t.id.gte(8)),
            s: sum(t.value).where(t.key.eq(1)),
            none: max(t.id).where(t.id.lt(0)),
          })),
        )
        expect(table.toRows()).toEqual([{ n: 2, s: 0.25 + 2, none: null }])
      })

      it('aggregates take expressions and do arithmetic with each other', async () => {
        const table = await collect(
          columns(counted(8)).aggregate(t => ({
            vwap: sum(t.value.mul(t.key)).div(sum(t.key)),
            spread: max(t.id).sub(min(t.id)),
            percent: count().where(t.key.eq(0)).mul(100).div(count()),
            nothing: sum(t.id).div(count().where(t.id.gt(99))),
          })),
        )
        // keys 0 to 6, 0; values a quarter of 0 to 7.
        expect(table.toRows()).toEqual([{ vwap: 91 / 4 / 21, spread: 7, percent: 25, nothing: null }])
      })

      it('many groups keep their order and their sums', async () => {
        const rowCount = 400_000
        const k = Int32Array.from({ length: rowCount }, (_, i) => Math.imul(i, 7919) % 100_000)
        const table = await collect(
          columns({ k })
            .groupBy('k')
            .aggregate(t => ({ n: count(), s: sum(t.k) })),
        )
        const expected = new Map<number, number>()
        for (const key of k) expected.set(key, (expected.get(key) ?? 0) + 1)
        expectSame([...table.column('k')], [...expected.keys()])
        expectSame([...table.column('n')], [...expected.values()])
        expectSame(
          [...table.column('s')],
          [...expected].map(([key, n]) => key * n + 0),
        )
      })

      it('sums and rows of few groups are exact whether or not they fit side by side', async () => {
        const rowCount = 70_001
        const k = Int32Array.from({ length: rowCount }, (_, i) => (i * i) % 7)
        for (const [a, b] of [
          [5, 15],
          [-1, 1000],
          [2 ** 20, -(2 ** 21)],
          [2 ** 31 - 1, -(2 ** 31)],
        ]) {
          const values = (most: number) =>
            Int32Array.from(
              { length: rowCount },
              (_, i) => Math.trunc(most * ((i % 101) / 100)) * (i % 3 === 0 ? -1 : 1),
            )
          const x = values(a)
          const y = values(b)
          const table = await collect(
            columns({ k, x, y })
              .groupBy('k')
              .aggregate(t => ({ x: sum(t.x), y: mean(t.y), n: count() })),
          )
          const places = [...new Set(k)]
          const wanted = places.map(key => ({ k: key, x: 0, y: 0, n: 0 }))
          for (let i = 0; i < rowCount; i++) {
            const group = wanted[places.indexOf(k[i])]
            group.x += x[i]
            group.y += y[i]
            group.n++
          }
          expect(table.toRows()).toEqual(wanted.map(group => ({ ...group, y: group.y / group.n })))
        }
      })

      it('rows that lanes hold give the same bits as those that are read, of many groups too', async () => {
        // Long enough for chunks of several morsels, with what changes how sums are kept in the midst of one.
        const rowCount = 300_000
        const text = (i: number) => `key ${(i * 48_271) % 17_011}`
        const odd = (i: number) => (i % 90_001 === 5 ? NaN : i % 77_777 === 3 ? 1e300 : null)
        const flow = columns({
          k: dictionary(
            Int32Array.from({ length: rowCount }, (_, i) => (i * 7919) % 20_000),
            Array.from({ length: 20_000 }, (_, i) => text(i)),
          ),
          a: Int32Array.from({ length: rowCount }, (_, i) => (i < 160_000 ? i % 5 : Math.imul(i, 65_599))),
          b: Array.from({ length: rowCount }, (_, i) => (i % 11 === 0 ? odd(i) : (i % 1000) / 8 - 1e-9 * i)),
        })
        const sums = (of: typeof flow) =>
          of.groupBy('k').aggregate(t => ({
            n: count(),
            a: sum(t.a),
            b: sum(t.b),
            mean: mean(t.b),
            least: min(t.b),
            most: max(t.a),
          }))
        const read = await collect(sums(flow))
        await using loaded = await flow.load({ engine: engine() })
        sameColumns(await collect(sums(loaded)), read)
        expect(read.rowCount).toBe(new Set(Array.from({ length: 20_000 }, (_, i) => text(i))).size)
        const middle = await collect(loaded.groupBy('k').aggregate(t => ({ m: median(t.b) })))
        sameColumns(middle, await collect(flow.groupBy('k').aggregate(t => ({ m: median(t.b) }))))
      })

      it('groups that are nearly as many as rows come in the order of their first ones', async () => {
        const rowCount = 900_000
        const k = Float64Array.from({ length: rowCount }, (_, i) => (Math.imul(i, 0x9e3779b1) >>> 0) % 1_500_000)
        const table = await collect(
          columns({ k, x: Int32Array.from(k, (_, i) => i) })
            .groupBy('k')
            .aggregate(t => ({ n: count(), x: sum(t.x), all: collectList(t.x) })),
        )
        const wanted = new Map<number, number[]>()
        for (const [i, key] of k.entries()) {
          const rows = wanted.get(key)
          if (rows === undefined) wanted.set(key, [i])
          else rows.push(i)
        }
        expect(table.rowCount).toBe(wanted.size)
        const all = [...wanted.values()]
        expectSame(table.column('k').toArray(), Float64Array.from(wanted.keys()))
        expectSame(
          table.column('n').toArray(),
          all.map(({ length }) => length),
        )
        expectSame(
          table.column('x').toArray(),
          all.map(rows => rows.reduce((total, row) => total + row, 0)),
        )
        const lists = table.column('all').toArray()
        expect(lists.findIndex((list, i) => String(list) !== String(all[i]))).toBe(-1)
      })

      it('strings of many lanes are one key', async () => {
        const rowCount = 560_000
        const s = Array.from({ length: rowCount }, (_, i) => `name ${(i * 31) % 1000}`)
        const table = await collect(
          columns({ s })
            .groupBy('s')
            .aggregate(() => ({ n: count() })),
        )
        expect(table.rowCount).toBe(1000)
        expect(table.column('s').toArray()).toEqual(s.slice(0, 1000))
        expect(new Set(table.column('n').toArray())).toEqual(new Set([560]))
      })

      it('strings that an aggregate made are ordered, grouped and aggregated by what follows it', async () => {
        const flow = columns({ k: Int32Array.of(1, 2, 3, 1, 2), s: ['b', 'a', 'a', 'c', ''] })
          .groupBy('k')
          .aggregate(t => ({ joined: join(t.s, '+'), least: min(t.s) }))
        expect((await collect(flow.orderBy('joined'))).toRows()).toEqual([
          { k: 3, joined: 'a', least: 'a' },
          { k: 2, joined: 'a+', least: '' },
          { k: 1, joined: 'b+c', least: 'b' },
        ])
        const again = flow.groupBy('joined').aggregate(t => ({ most: max(t.joined), all: join(t.least, '|') }))
        expect((await collect(again.orderBy('most'))).toRows()).toEqual([
          { joined: 'a', most: 'a', all: 'a' },
          { joined: 'a+', most: 'a+', all: '' },
          { joined: 'b+c', most: 'b+c', all: 'b' },
        ])
        expect((await collect(again.aggregate(t => ({ s: join(t.all, '|'), m: max(t.most) })))).toRows()).toEqual([
          { s: 'b||a', m: 'b+c' },
        ])
      })

      it('rollup and cube give the groups of every set, keys that it leaves out null, and flow on', async () => {
        const rowCount = 600_000
        const a = Array.from({ length: rowCount }, (_, i) => `name ${i % 3}`)
        const b = Int32Array.from({ length: rowCount }, (_, i) => i % 2)
        const flow = columns({ a, b })
        const rolled = await collect(flow.rollup('a', 'b').aggregate(t => ({ n: count(), s: max(t.a) })))
        expect(rolled.toRows()).toEqual([
          ...[0, 1, 2, 3, 4, 5].map(i => ({ a: `name ${i % 3}`, b: i % 2, n: 100_000, s: `name ${i % 3}` })),
          ...[0, 1, 2].map(i => ({ a: `name ${i}`, b: null, n: 200_000, s: `name ${i}` })),
          { a: null, b: null, n: 600_000, s: 'name 2' },
        ])
        const cubed = flow.cube('a', 'b').aggregate(t => ({ s: max(t.a) }))
        expect((await collect(cubed)).rowCount).toBe(12)
        const counted = await collect(
          cubed
            .orderBy('s')
            .groupBy('s')
            .aggregate(() => ({ n: count() })),
        )
        expect(counted.toRows()).toEqual([
          { s: 'name 0', n: 3 },
          { s: 'name 1', n: 3 },
          { s: 'name 2', n: 6 },
        ])
      })
    })
  })
}
