/** What is wrong is refused with a code and says what to do; what is merely odd is answered. Nothing hangs. */
import { describe, expect, it } from 'vitest'
import {
  asc,
  columns,
  count,
  createEngine,
  dictionary,
  float64,
  int8,
  int32,
  int64,
  max,
  mean,
  min,
  nullable,
  parquet,
  rows,
  schema,
  sum,
  timestamp,
  utf8,
} from '../../src/index.js'
import { counted, type FlowEnv, onLanes, refusal } from './env.js'

/** As a JavaScript user writes, whom no compiler stops. */
const untyped = (value: unknown) => value as any
const MEGABYTE = 'x'.repeat(2 ** 20)

export function badInputSuite(lanesList: readonly number[], env: FlowEnv): void {
  describe('bad input', () => {
    describe('what a verb refuses at once', () => {
      const flow = () => columns({ price: Float64Array.of(1), name: ['a'], flag: [true], at: [new Date(0)] })
      const misspelt = (act: () => unknown) => refusal(act, 'MR_UNKNOWN_COLUMN')

      it('an unknown column, with the nearest name', async () => {
        const verbs: (() => unknown)[] = [
          () => untyped(flow()).select('prise'),
          () => untyped(flow()).drop('prise'),
          () => untyped(flow()).rename({ prise: 'p' }),
          () => untyped(flow()).orderBy('prise'),
          () => untyped(flow()).orderBy(asc('prise')),
          () =>
            untyped(flow())
              .groupBy('prise')
              .aggregate(() => ({ n: count() })),
          () => untyped(flow()).filter((t: any) => t.prise.gt(1)),
          () => untyped(flow()).derive((t: any) => ({ x: t.prise })),
          () => untyped(flow()).aggregate((t: any) => ({ x: sum(t.prise) })),
        ]
        for (const verb of verbs) {
          const error = await misspelt(verb)
          expect(error.message).toContain('"price"')
          expect(error.details).toMatchObject({ column: 'prise', suggestion: 'price' })
        }
      })

      it('a name twice', async () => {
        const twice = (act: () => unknown) => refusal(act, 'MR_DUPLICATE_COLUMN')
        await twice(() => untyped(flow()).select('name', 'name'))
        await twice(() => untyped(flow()).rename({ name: 'price' }))
        await twice(() => untyped(flow()).rename({ name: 'x', price: 'x' }))
        await twice(() =>
          untyped(flow())
            .groupBy('name', 'name')
            .aggregate(() => ({ n: count() })),
        )
        await twice(() =>
          untyped(flow())
            .groupBy('name')
            .aggregate(() => ({ name: count() })),
        )
      })

      it('a method of another family, a value of another type, and aggregates out of place', async () => {
        const mismatched = (act: () => unknown) => refusal(act, 'MR_TYPE_MISMATCH')
        await mismatched(() => flow().derive(t => ({ x: untyped(t.name).add(1) })))
        await mismatched(() => flow().derive(t => ({ x: untyped(t.price).add('1') })))
        await mismatched(() => flow().filter(t => untyped(t.name).gt(1)))
        await mismatched(() => flow().filter(t => untyped(t.price)))
        await mismatched(() => flow().filter(t => untyped(t.flag).and(t.price)))
        await mismatched(() => flow().derive(t => ({ x: untyped(t.name).year() })))
        await mismatched(() => flow().aggregate(t => ({ x: untyped(t.price) })))
        await mismatched(() => flow().derive(t => ({ x: untyped(sum(t.price)) })))
        await mismatched(() => flow().filter(t => untyped(count().div(t.price as any))))
        await mismatched(() => flow().aggregate(t => ({ x: sum(untyped(t.name)) })))
        await mismatched(() => flow().aggregate(t => ({ x: sum(untyped(t.flag)) })))
        await mismatched(() => flow().aggregate(t => ({ x: mean(untyped(t.at)) })))
      })

      it('limits that are no counts, and verbs without names', async () => {
        for (const bad of [-1, 1.5, NaN, Infinity, '3']) {
          await refusal(() => flow().limit(untyped(bad)), 'MR_INVALID_OPTION')
          await refusal(() => flow().limit(1, untyped(bad)), 'MR_INVALID_OPTION')
        }
        await refusal(() => untyped(flow()).orderBy(), 'MR_INVALID_OPTION')
        await refusal(() => untyped(flow()).select(), 'MR_INVALID_OPTION')
      })

      it('a schema with something that is no type', async () => {
        await refusal(() => schema({ x: untyped('int32') }), 'MR_TYPE_MISMATCH')
        await refusal(() => timestamp(untyped('minutes')), 'MR_INVALID_OPTION')
      })
    })

    onLanes(lanesList, (engine, lanes) => {
      const collect = (flow: { collect(options: object): Promise<any> }) => flow.collect({ engine: engine() })

      it('ragged columns', async () => {
        const ragged = () => columns({ a: Float64Array.of(1, 2), b: Float64Array.of(1) })
        const error = await refusal(async () => collect(ragged()), 'MR_COLUMN_LENGTH')
        expect(error.message).toContain('"b"')
        await refusal(async () => collect(columns({ a: [1, 2], s: dictionary([0], ['x']) })), 'MR_COLUMN_LENGTH')
      })

      it('values of mixed types, with their row', async () => {
        const mixed = await refusal(async () => collect(columns({ a: untyped([1, 'x']) })), 'MR_TYPE_MISMATCH')
        expect(mixed.details).toMatchObject({ column: 'a', row: 1 })
        await refusal(async () => collect(rows(untyped([{ a: 1 }, { a: true }]))), 'MR_TYPE_MISMATCH')
        await refusal(
          async () => collect(columns({ a: untyped([1, 'x']) }, schema({ a: int32() }))),
          'MR_TYPE_MISMATCH',
        )
        await refusal(async () => collect(rows([{ a: null }], schema({ a: untyped(int32()) }))), 'MR_TYPE_MISMATCH')
      })

      it('values that a declared type cannot hold, never rounded in silence', async () => {
        const refused = async (values: unknown[], type: unknown, code: string) => {
          await refusal(async () => collect(columns({ a: untyped(values) }, schema({ a: untyped(type) }))), code)
        }
        await refused([128], int8(), 'MR_INTEGER_OVERFLOW')
        await refused([1.5], int32(), 'MR_INEXACT_VALUE')
        await refused([2n ** 63n], int64(), 'MR_INTEGER_OVERFLOW')
        await refused([new Date(Number.NaN)], timestamp(), 'MR_TYPE_MISMATCH')
        const unsigned = columns({ a: BigUint64Array.of(2n ** 63n) })
        await refusal(async () => collect(unsigned), 'MR_INTEGER_OVERFLOW')
      })

      it('a code outside its dictionary', async () => {
        const error = await refusal(
          async () => collect(columns({ s: dictionary([0, 2], ['x', 'y']) })),
          'MR_INVALID_CODE',
        )
        expect(error.details).toMatchObject({ row: 1 })
        await refusal(async () => collect(columns({ s: dictionary([0, -1], ['x', 'y']) })), 'MR_INVALID_CODE')
      })

      it('an int64 that a number cannot hold is refused where it is read, and read as a bigint', async () => {
        const table = await collect(columns({ i: BigInt64Array.of(1n, 2n ** 53n + 1n) }))
        const error = await refusal(() => table.toRows(), 'MR_UNSAFE_INTEGER')
        expect(error.message).toContain('toBigInt64Array()')
        await refusal(() => table.column('i').toArray(), 'MR_UNSAFE_INTEGER')
        expect(table.toRows({ bigint: true })[1]).toEqual({ i: 2n ** 53n + 1n })
      })

      it('no rows at all go through every verb', async () => {
        const shape = schema({ a: int32(), s: nullable(utf8()), f: float64() })
        for (const empty of [rows([], shape), columns({ a: [], s: [], f: [] }, shape)]) {
          const flow = empty
            .filter(t => t.a.gt(1))
            .derive(t => ({ b: t.a.add(1) }))
            .orderBy('b')
            .limit(5)
          const table = await collect(flow)
          expect([table.rowCount, table.toRows(), Object.keys(table.schema)]).toEqual([0, [], ['a', 's', 'f', 'b']])
          expect(typeof table.toString()).toBe('string')
          const grouped = await collect(flow.groupBy('s').aggregate(t => ({ n: count(), m: max(t.f) })))
          expect(grouped.toRows()).toEqual([])
          const whole = await collect(flow.aggregate(t => ({ n: count(), m: mean(t.f), s: min(t.s) })))
          expect(whole.toRows()).toEqual([{ n: 0, m: null, s: null }])
          const loaded = await flow.load({ engine: engine() })
          expect([loaded.rowCount, (await loaded.collect()).rowCount]).toEqual([0, 0])
          await loaded.close()
        }
      })

      it('columns that are null throughout', async () => {
        const flow = rows(
          [
            { a: null, s: null },
            { a: null, s: null },
          ],
          schema({ a: nullable(int32()), s: nullable(utf8()) }),
        )
        const grouped = await collect(
          flow.groupBy('s', 'a').aggregate(t => ({ n: count(), c: count(t.a), x: sum(t.a) })),
        )
        expect(grouped.toRows()).toEqual([{ s: null, a: null, n: 2, c: 0, x: null }])
        const sorted = await collect(flow.orderBy('a', 's').filter(t => t.a.isNull().and(t.s.isNull())))
        expect(sorted.rowCount).toBe(2)
        const inferred = await collect(
          columns({ nothing: [null, undefined, null] }).aggregate(t => ({ x: max(t.nothing) })),
        )
        expect(inferred.toRows()).toEqual([{ x: null }])
      })

      it('names that objects have by nature, the empty name, and one of a megabyte', async () => {
        for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'then', '', ' ', '\u0000', MEGABYTE]) {
          const shape = schema(
            Object.fromEntries([
              [name, int32()],
              ['k', int32()],
            ]),
          )
          const flow = untyped(
            rows(
              [
                Object.fromEntries([
                  [name, 3],
                  ['k', 1],
                ]),
                Object.fromEntries([
                  [name, 4],
                  ['k', 1],
                ]),
              ],
              shape,
            ),
          )
          const table = await collect(
            flow
              .filter((t: any) => t[name].gt(0))
              .orderBy(name)
              .groupBy('k')
              .aggregate((t: any) => Object.fromEntries([[name, sum(t[name])]])),
          )
          expect(Object.keys(table.schema)).toEqual(['k', name])
          expect(Object.entries(table.toRows()[0])).toEqual([
            ['k', 1],
            [name, 7],
          ])
          expect(table.column(name).at(0)).toBe(7)
          const grouped = await collect(flow.groupBy(name).aggregate(() => ({ n: count() })))
          expect(Object.entries(grouped.toRows()[1])).toEqual([
            [name, 4],
            ['n', 1],
          ])
          expect(table.toString().length).toBeLessThan(10_000)
        }
      })

      it('an unknown name of a megabyte gives a message that can be read', async () => {
        const error = await refusal(() => untyped(columns({ a: [1] })).select(MEGABYTE), 'MR_UNKNOWN_COLUMN')
        expect(error.message.length).toBeLessThan(1000)
      })

      it('a Parquet file cut short anywhere', async () => {
        const whole = await env.flightsBytes()
        for (const length of [0, 3, 4, 11, 1000, whole.length >> 1, whole.length - 9, whole.length - 1]) {
          const flow = parquet(whole.slice(0, length))
          await refusal(() => collect(flow.aggregate(() => ({ n: count() }))), 'MR_FORMAT_ERROR')
          await refusal(() => flow.load({ engine: engine() }), 'MR_FORMAT_ERROR')
        }
      })

      it('a Parquet file with its middle overwritten', async () => {
        const bytes = await env.flightsBytes()
        bytes.fill(0xa5, 200_000, 400_000)
        const flow = parquet(bytes).aggregate((t: any) => ({
          a: max(t.date),
          b: max(t.delay),
          c: max(t.distance),
          d: max(t.origin),
        }))
        await refusal(() => collect(flow), 'MR_FORMAT_ERROR')
      })

      it('a column that a file does not have', async () => {
        const flow = parquet(await env.flights())
        const error = await refusal(() => collect(untyped(flow).select('dely')), 'MR_UNKNOWN_COLUMN')
        expect(error.message).toContain('"delay"')
        await refusal(() => collect(flow.filter((t: any) => t.delay.eq('late'))), 'MR_TYPE_MISMATCH')
      })

      it('options that are none', async () => {
        const flow = columns({ a: [1] })
        for (const bad of [-1, 1.5, NaN, Infinity, 65, '2', null]) {
          await refusal(() => flow.collect({ lanes: untyped(bad) }), 'MR_INVALID_OPTION')
          await refusal(() => createEngine({ lanes: untyped(bad) }), 'MR_INVALID_OPTION')
        }
        const error = await refusal(() => flow.collect(untyped({ lane: 2 })), 'MR_INVALID_OPTION')
        expect(error.message).toContain('lanes')
        await refusal(() => flow.collect({ engine: engine(), lanes: lanes + 1 }), 'MR_INVALID_OPTION')
        await refusal(() => flow.collect({ signal: untyped({}) }), 'MR_INVALID_OPTION')
        await refusal(() => flow.collect({ onProgress: untyped(5) }), 'MR_INVALID_OPTION')
        await refusal(() => flow.collect(untyped({ memory: -5 })), 'MR_INVALID_OPTION')
      })

      it('a second collect on one flow, and two at a time, are right', async () => {
        const flow = columns(counted(200_000)).aggregate(t => ({ s: sum(t.id) }))
        const expected = [{ s: (199_999 * 200_000) / 2 }]
        expect((await collect(flow)).toRows()).toEqual(expected)
        const both = await Promise.all([collect(flow), collect(flow)])
        expect(both.map(table => table.toRows())).toEqual([expected, expected])
      })
    })

    it('memory that is too little is refused with both figures', async () => {
      for (const lanes of lanesList) {
        const small = await createEngine({ lanes, memory: 16 * 2 ** 20 })
        const error = await refusal(() => columns(counted(2_000_000)).load({ engine: small }), 'MR_MEMORY_LIMIT')
        expect(error.message).toMatch(/\d.*\d/)
        expect((await columns(counted(70)).collect({ engine: small })).rowCount).toBe(70)
        await small.close()
      }
    })

    if (env.runtime === 'node') {
      it('a path where there is nothing, a folder, and a pattern that matches nothing', async () => {
        await refusal(() => parquet('/nowhere/at-all.parquet').collect(), 'MR_SOURCE_FAILED')
        const folder = await refusal(() => parquet('node_modules').collect(), 'MR_INVALID_OPTION')
        expect(folder.message).toContain('"node_modules/*"')
        const none = await refusal(() => parquet('node_modules/*.parquet').collect(), 'MR_SOURCE_FAILED')
        expect(none.message).toContain('matches "*.parquet"')
      })
    }
  })
}
