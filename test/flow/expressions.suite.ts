/** What expressions give, as a user writes them. Random expressions are test/laws. */
import { describe, expect, it } from 'vitest'
import {
  bool,
  columns,
  date,
  int8,
  int32,
  int64,
  nullable,
  rows,
  schema,
  timestamp,
  typeName,
  utf8,
} from '../../src/index.js'
import { type FlowEnv, onLanes, refusal } from './env.js'

export function expressionSuite(lanesList: readonly number[], _env: FlowEnv): void {
  describe('expressions', () => {
    onLanes(lanesList, engine => {
      const collect = <T>(flow: { collect(options: object): Promise<T> }) => flow.collect({ engine: engine() })
      const numbers = () =>
        rows(
          [
            { i: 7, n: 2 },
            { i: -7, n: null },
            { i: 7, n: 0 },
          ],
          schema({ i: int32(), n: nullable(int64()) }),
        )

      it('arithmetic of integers is int64, division is true, and a zero divisor gives null', async () => {
        const table = await collect(
          numbers().derive(t => ({
            add: t.i.add(t.n),
            mul: t.i.mul(-3),
            div: t.i.div(t.n),
            floor: t.i.intDiv(2),
            mod: t.i.mod(2),
            by: t.i.intDiv(t.n),
            half: t.i.add(0.5),
            neg: t.i.neg(),
          })),
        )
        expect(table.toRows()).toEqual([
          { i: 7, n: 2, add: 9, mul: -21, div: 3.5, floor: 3, mod: 1, by: 3, half: 7.5, neg: -7 },
          { i: -7, n: null, add: null, mul: 21, div: null, floor: -4, mod: 1, by: null, half: -6.5, neg: 7 },
          { i: 7, n: 0, add: 7, mul: -21, div: null, floor: 3, mod: 1, by: null, half: 7.5, neg: -7 },
        ])
        const types = Object.entries(table.schema).map(([name, type]) => `${name} ${typeName(type)}`)
        expect(types.slice(2)).toEqual([
          'add nullable(int64)',
          'mul int64',
          'div nullable(float64)',
          'floor int64',
          'mod int64',
          'by nullable(int64)',
          'half float64',
          'neg int64',
        ])
      })

      it('an int64 overflow is an error that names the row, the least of several', async () => {
        const i = new BigInt64Array(600_000)
        i[599_999] = i[300_001] = i[299_999] = 2n ** 63n - 1n
        const error = await refusal(
          () => collect(columns({ i }).derive(t => ({ next: t.i.add(1) }))),
          'MR_INTEGER_OVERFLOW',
        )
        expect(error.details).toMatchObject({ row: 299_999 })
        expect(error.message).toContain('299999')
      })

      it('a filter keeps failing rows from what follows it', async () => {
        const i = BigInt64Array.of(1n, 2n ** 63n - 1n, 3n)
        const flow = columns({ i })
          .filter(t => t.i.lt(100))
          .derive(t => ({ next: t.i.add(1) }))
          .filter(t => t.next.gt(2))
        expect((await collect(flow)).toRows()).toEqual([{ i: 3, next: 4 }])
      })

      it('a limit keeps failing rows from what it cuts off', async () => {
        const i = BigInt64Array.of(1n, 2n, 2n ** 63n - 1n)
        const after = columns({ i })
          .limit(2)
          .derive(t => ({ next: t.i.add(1) }))
        expect((await collect(after)).column('next').toBigInt64Array()).toEqual(BigInt64Array.of(2n, 3n))
        const before = columns({ i })
          .derive(t => ({ next: t.i.add(1) }))
          .limit(2)
        expect((await collect(before)).column('next').toBigInt64Array()).toEqual(BigInt64Array.of(2n, 3n))
      })

      it('comparisons take NaN for the greatest and equal to itself, and the zeros for equal', async () => {
        const f = Float64Array.of(NaN, -0, 1, Infinity)
        const table = await collect(
          columns({ f })
            .derive(t => ({ nan: t.f.eq(NaN), top: t.f.gt(Infinity), zero: t.f.eq(0), low: t.f.lt(NaN) }))
            .drop('f'),
        )
        expect(table.toColumns()).toEqual({
          nan: [true, false, false, false],
          top: [true, false, false, false],
          zero: [false, true, false, false],
          low: [false, true, true, true],
        })
      })

      it('integers compare exactly with floats', async () => {
        const i = BigInt64Array.of(2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n)
        const f = Float64Array.of(2 ** 53, 2 ** 53, 2 ** 63)
        const table = await collect(
          columns({ i, f })
            .derive(t => ({
              eq: t.i.eq(t.f),
              gt: t.i.gt(t.f),
              lit: t.i.gt(2 ** 53 + 0.5),
              top: t.i.lt(2 ** 63),
              big: t.i.eq(2n ** 63n - 1n),
            }))
            .drop('i', 'f'),
        )
        expect(table.toColumns()).toEqual({
          eq: [true, false, false],
          gt: [false, true, false],
          lit: [false, true, true],
          top: [true, true, true],
          big: [false, false, true],
        })
      })

      it('small integers compare with literals that they cannot hold', async () => {
        const flow = rows([{ b: -128 }, { b: 127 }], schema({ b: int8() }))
        const table = await collect(
          flow
            .derive(t => ({
              big: t.b.lt(1000),
              none: t.b.eq(-1000),
              between: t.b.between(-127.5, 1e300),
              half: t.b.gt(126.5),
            }))
            .drop('b'),
        )
        expect(table.toColumns()).toEqual({
          big: [true, true],
          none: [false, false],
          between: [false, true],
          half: [false, true],
        })
      })

      it('logic has three values', async () => {
        const values = [true, false, null]
        const pairs = values.flatMap(a => values.map(b => ({ a, b })))
        const flow = rows(pairs, schema({ a: nullable(bool()), b: nullable(bool()) }))
        const table = await collect(
          flow.derive(t => ({ and: t.a.and(t.b), or: t.a.or(t.b), not: t.a.not(), eq: t.a.eq(t.b) })),
        )
        expect(table.column('and').toArray()).toEqual([true, false, null, false, false, false, null, false, null])
        expect(table.column('or').toArray()).toEqual([true, true, true, true, false, null, true, null, null])
        expect(table.column('not').toArray()).toEqual([false, false, false, true, true, true, null, null, null])
        expect(table.column('eq').toArray()).toEqual([true, false, null, false, true, null, null, null, null])
      })

      it('isNull, between and in, where nothing is in an empty list', async () => {
        const flow = rows([{ x: 1 }, { x: 5 }, { x: null }], schema({ x: nullable(int32()) }))
        const table = await collect(
          flow
            .derive(t => ({ no: t.x.isNull(), mid: t.x.between(1, 4), one: t.x.in([1, 9]), none: t.x.in([]) }))
            .drop('x'),
        )
        expect(table.toColumns()).toEqual({
          no: [false, false, true],
          mid: [true, false, null],
          one: [true, false, null],
          none: [false, false, false],
        })
      })

      it('strings compare by their UTF-8 bytes', async () => {
        const s = ['a', '', '😀', '\uFF5E', 'ab']
        const table = await collect(
          columns({ s, u: ['a', 'b', '\uFF5E', '😀', 'a'] })
            .derive(t => ({
              lt: t.s.lt('ab'),
              gt: t.s.gt('\uFF5E'),
              eq: t.s.eq(t.u),
              after: t.s.gt(t.u),
              in: t.s.in(['', '😀']),
            }))
            .drop('s', 'u'),
        )
        expect(table.toColumns()).toEqual({
          lt: [true, true, false, false, false],
          gt: [false, false, true, false, false],
          eq: [true, false, false, false, false],
          after: [false, false, true, false, true],
          in: [false, true, true, false, false],
        })
      })

      it('time parts are of UTC, and floor before 1970', async () => {
        const shape = schema({ ms: timestamp(), us: timestamp('us'), s: timestamp('s'), d: date() })
        const leap = Date.UTC(2024, 1, 29, 23, 59, 59, 999)
        const flow = rows(
          [
            {
              ms: new Date(leap),
              us: BigInt(leap) * 1000n + 999n,
              s: BigInt(Math.floor(leap / 1000)),
              d: '2024-02-29',
            },
            { ms: new Date(-1), us: -1n, s: -1n, d: '1969-12-31' },
          ],
          shape,
        )
        const table = await collect(
          flow
            .derive(t => ({
              year: t.ms.year(),
              month: t.us.month(),
              day: t.s.dayOfWeek(),
              hour: t.us.hour(),
              dateDay: t.d.dayOfWeek(),
              dateYear: t.d.year(),
            }))
            .drop('ms', 'us', 's', 'd'),
        )
        expect(table.toRows()).toEqual([
          { year: 2024, month: 2, day: 4, hour: 23, dateDay: 4, dateYear: 2024 },
          { year: 1969, month: 12, day: 3, hour: 23, dateDay: 3, dateYear: 1969 },
        ])
        expect(Object.values(table.schema).map(typeName)).toEqual(Array(6).fill('int32'))
      })

      it('instants compare with dates of JavaScript and with other units', async () => {
        const flow = rows(
          [
            { us: 1_000_000n, s: 1n, d: '2024-02-29' },
            { us: 1_000_001n, s: 1n, d: '2024-03-01' },
          ],
          schema({ us: timestamp('us'), s: timestamp('s'), d: date() }),
        )
        const table = await collect(
          flow
            .derive(t => ({
              at: t.us.eq(new Date(1000)),
              units: t.us.gt(t.s),
              leap: t.d.eq('2024-02-29'),
              to: t.d.between('2024-03-01', '2024-12-31'),
            }))
            .drop('us', 's', 'd'),
        )
        expect(table.toColumns()).toEqual({
          at: [true, false],
          units: [false, true],
          leap: [true, false],
          to: [false, true],
        })
      })

      it('columns of any name are reached as such', async () => {
        const names = ['__proto__', 'constructor', '', 'then', 'toString', 'two words']
        const shape = schema(Object.fromEntries(names.map(name => [name, utf8()])))
        const row = Object.fromEntries(names.map(name => [name, `of ${name}`]))
        const flow = rows([row], shape)
        const kept = await collect(
          names.reduce((each, name) => each.filter((t: any) => t[name].eq(`of ${name}`)), flow as any) as typeof flow,
        )
        expect(Object.entries(kept.toRows()[0] ?? {})).toEqual(Object.entries(row))
        const derived = await collect(flow.derive((t: any) => ({ ['__proto__']: t.constructor })) as typeof flow)
        expect(Object.entries(derived.toRows()[0] ?? {})[0]).toEqual(['__proto__', 'of constructor'])
      })
    })
  })
}
