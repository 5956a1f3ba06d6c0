/** Plans of several sources, on every number of lanes: many rows in many splits, files whose columns are not known, streams, loaded rows, and what is refused. Random ones are in test/laws. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { flowOf } from '../../src/api/flow.js'
import {
  bool,
  collectAll,
  columns,
  count,
  csv,
  dictionary,
  type Flow,
  float64,
  int8,
  int32,
  int64,
  type MillraceError,
  ndjson,
  nullable,
  type RejectedRow,
  rows,
  schema,
  stream,
  sum,
  type Table,
  utf8,
} from '../../src/index.js'
import { textSource } from '../../src/sources/text.js'
import { onLanes, refusal } from './env.js'

const MANY = 300_000

/** Keys 0 to 999 in a scattered order, as numbers and as text. */
const keyOf = (i: number) => (i * 7919) % 1000
const large = columns({
  id: Int32Array.from({ length: MANY }, (_, i) => i),
  key: Int32Array.from({ length: MANY }, (_, i) => keyOf(i)),
  text: dictionary(
    Int32Array.from({ length: MANY }, (_, i) => keyOf(i)),
    Array.from({ length: 1000 }, (_, i) => `key ${i}`),
  ),
})

const inParts = (text: string, onBadRow?: (row: RejectedRow) => void): Flow<any> =>
  flowOf(
    textSource('csv', [new Blob([text])], {
      schema: schema({ id: int32(), name: utf8() }),
      format: 'csv',
      encoding: null,
      compression: 'auto',
      maximumExpansion: 1000,
      fatal: false,
      sampleRows: 1000,
      onBadRow,
      onInferred: undefined,
      splitBytes: 997,
      delimiter: ',',
      quote: '"',
      comment: null,
      header: true,
      nulls: [''],
      ragged: 'error',
      skipRows: 0,
    }),
  )

export function joinSuite(lanesList: readonly number[]): void {
  describe('several sources', () => {
    onLanes(lanesList, engine => {
      const o = () => ({ engine: engine() })

      it('few rows meet rows of many, whose own come in their order, wherever these are', async () => {
        const ids = [5, 999, 5, 1234, 17]
        const few = columns({ key: Int32Array.from(ids), text: ids.map(id => `key ${id}`) }) as Flow<any>
        const held = (await (large as Flow<any>).load(o())) as Flow<any> & { close(): Promise<void> }
        for (const many of [large as Flow<any>, held]) {
          for (const on of ['key', 'text'] as const) {
            const met = ids.flatMap((id, row) => {
              const own = Array.from({ length: MANY }, (_, i) => i).filter(i => keyOf(i) === id)
              return own.map(i => [row, i] as const)
            })
            const joined = await few.join(many, on).collect(o())
            expect([...joined.column('id').toArray()]).toEqual(met.map(([, i]) => i))
            expect([...joined.column(on).toArray()]).toEqual(
              met.map(([row]) => (on === 'key' ? ids[row] : `key ${ids[row]}`)),
            )
            const kept = await few.leftJoin(many, on).collect(o())
            expect(kept.rowCount).toBe(met.length + 1)
            expect([...(await few.semiJoin(many, on).collect(o())).column('key').toArray()]).toEqual([5, 999, 5, 17])
            expect([...(await few.antiJoin(many, on).collect(o())).column('key').toArray()]).toEqual([1234])
          }
        }
        const told = await few.join(large as Flow<any>, 'key').explain({ analyze: true }, o())
        expect(told).toContain(`(5 rows, whose keys are built first: the right side has ${MANY})`)
        await held.close()
      })

      it('many rows meet one each, in their order, by numbers and by strings', async () => {
        const small = columns({
          key: Int32Array.from({ length: 900 }, (_, i) => 999 - i),
          text: Array.from({ length: 900 }, (_, i) => `key ${999 - i}`),
          value: Float64Array.from({ length: 900 }, (_, i) => (999 - i) / 4),
        })
        const wanted = Array.from({ length: MANY }, (_, i) => i).filter(i => keyOf(i) >= 100)
        for (const on of ['key', 'text', ['key', 'text']] as const) {
          const table: Table<any> = await (large as Flow<any>).join(small, on as never).collect(o())
          expect(table.rowCount).toBe(wanted.length)
          const ids = table.column('id').toArray()
          const values = table.column('value').toArray()
          for (const [at, i] of wanted.entries()) {
            if (ids[at] !== i || values[at] !== keyOf(i) / 4)
              throw new Error(`row ${at} by ${on}: ${ids[at]}, ${values[at]}`)
          }
        }
        const kept: Table<any> = await large.leftJoin(small, 'text').collect(o())
        expect(kept.rowCount).toBe(MANY)
        expect(kept.column('value').nullCount).toBe(MANY - wanted.length)
        expect((await large.semiJoin(small, 'key').collect(o())).rowCount).toBe(wanted.length)
        expect((await large.antiJoin(small, 'text').collect(o())).rowCount).toBe(MANY - wanted.length)
      })

      it('a row with more partners than a morsel has rows comes out whole, in the order of these', async () => {
        const left = columns({ key: Int32Array.of(1, 2, 1), n: Int32Array.of(0, 1, 2) })
        const right = columns({
          key: new Int32Array(150_000).fill(1),
          m: Int32Array.from({ length: 150_000 }, (_, i) => i),
        })
        const check = (table: Table<any>, from: number, step: number, each: number) => {
          const m = table.column('m').toArray()
          for (let i = 0; i < each; i++) if (m[i] !== from + step * i) throw new Error(`row ${i}: ${m[i]}`)
        }
        const inner = await left.join(right, 'key').collect(o())
        expect(inner.rowCount).toBe(300_000)
        check(inner, 0, 1, 150_000)
        const where = (l: any, r: any) => r.m.mod(3).eq(0).and(l.n.lt(2))
        const some = await left.leftJoin(right, 'key', { where }).collect(o())
        expect(some.rowCount).toBe(50_002)
        check(some, 0, 3, 50_000)
        expect(some.slice(50_000).toRows()).toEqual([
          { key: 2, n: 1, m: null },
          { key: 1, n: 2, m: null },
        ])
        expect((await left.semiJoin(right, 'key', { where }).collect(o())).toRows()).toEqual([{ key: 1, n: 0 }])
        const all = await left.fullJoin(right, 'key', { where }).collect(o())
        expect(all.rowCount).toBe(50_002 + 100_000)
        expect(all.at(-1)).toEqual({ key: 1, n: null, m: 149_999 })
      })

      it('rows that nobody met come once, after all others, whatever follows', async () => {
        const other = columns({ key: Int32Array.of(5, 2000, 7, 3000), name: ['five', 'two', 'seven', 'three'] })
        const filtered = large.filter(t => t.key.ne(7))
        const full = filtered.fullJoin(other, 'key')
        const table = await full.collect(o())
        expect(table.rowCount).toBe(MANY - MANY / 1000 + 3)
        expect(table.slice(-3).toRows()).toEqual([
          { id: null, key: 2000, text: null, name: 'two' },
          { id: null, key: 7, text: null, name: 'seven' },
          { id: null, key: 3000, text: null, name: 'three' },
        ])
        const right = filtered.rightJoin(other, 'key')
        const grouped = await right
          .groupBy('name', 'text')
          .aggregate(() => ({ n: count() }))
          .collect(o())
        expect(grouped.toRows()).toEqual([
          { name: 'five', text: 'key 5', n: MANY / 1000 },
          { name: 'two', text: null, n: 1 },
          { name: 'seven', text: null, n: 1 },
          { name: 'three', text: null, n: 1 },
        ])
        expect((await right.limit(2, MANY / 1000).collect(o())).column('name').toArray()).toEqual(['two', 'seven'])
        const sorted = await right.orderBy('name').limit(1).collect(o())
        expect(sorted.at(0)).toMatchObject({ name: 'five' })
        await using held = await right.load(o())
        expect(held.rowCount).toBe(MANY / 1000 + 3)
        expect((await held.collect(o())).at(-1)).toMatchObject({ key: 3000 })
      })

      it('rows that lanes hold give what rows that come give, in chunks of a morsel at most', async () => {
        await using held = await (large as Flow<any>).load(o())
        const few = columns({
          key: Int32Array.from({ length: 700 }, (_, i) => i % 600),
          rank: Array.from({ length: 700 }, (_, i) => (i % 9 ? i : null)),
        })
        const flows = (rows: Flow<any>): Flow<any>[] => [
          rows.select('id', 'text'),
          rows.filter(t => t.id.mod(7).lt(3)).derive(t => ({ half: t.id.div(2), short: t.text.length() })),
          rows.leftJoin(few, 'key'),
          rows.join(few, 'key', { where: (l: any, r: any) => l.id.gt(r.rank) }).filter(t => t.rank.gt(300)),
          rows.antiJoin(few, 'key').unpivot({ on: ['id', 'key'] }),
        ]
        const others = flows(large as Flow<any>)
        for (const [i, flow] of flows(held as Flow<any>).entries()) {
          const table = await flow.collect(o())
          const other = await others[i].collect(o())
          expect(table.batches.every(({ rowCount }) => rowCount > 0 && rowCount <= 65_536)).toBe(true)
          expect(table.rowCount).toBe(other.rowCount)
          for (const name of Object.keys(table.schema)) {
            const wanted = other.column(name).toArray()
            expect(
              table
                .column(name)
                .toArray()
                .findIndex((value: unknown, row: number) => value !== wanted[row]),
            ).toBe(-1)
          }
          await using kept = await flow.load(o())
          expect(kept.rowCount).toBe(other.rowCount)
        }
      })

      it('joins go on from groups, so many that lanes share them, and before them', async () => {
        const byId = large.groupBy('id').aggregate(t => ({ k: sum(t.key) }))
        const other = columns({ id: Int32Array.of(3, -1, 299_999), name: ['a', 'b', 'c'] })
        expect((await byId.rightJoin(other, 'id').collect(o())).toRows()).toEqual([
          { id: 3, k: keyOf(3), name: 'a' },
          { id: 299_999, k: keyOf(299_999), name: 'c' },
          { id: -1, k: null, name: 'b' },
        ])
        const left = await byId.leftJoin(other, 'id').orderBy('name', 'id').limit(4).collect(o())
        expect(left.column('id').toArray()).toEqual(Int32Array.of(3, 299_999, 0, 1))
        // The other side may be as much as it likes.
        const both = await large
          .join(byId, 'id')
          .aggregate(t => ({ n: count(), k: sum(t.k), key: sum(t.key) }))
          .collect(o())
        expect(both.at(0)).toEqual({ n: MANY, k: 999 * 500 * (MANY / 1000), key: 999 * 500 * (MANY / 1000) })
      })

      it('a flow joins itself', async () => {
        const few = columns({ id: Int32Array.of(1, 2, 3), boss: [2, null, 2] })
        expect((await few.join(few, { boss: 'id' }).collect(o())).toRows()).toEqual([
          { id: 1, boss: 2, boss_right: null },
          { id: 3, boss: 2, boss_right: null },
        ])
      })

      it('a stream joins itself, is united with itself, and is read once', async () => {
        const make = () => {
          async function* items() {
            yield [{ id: 1, boss: 3 }]
            yield [{ id: 3, boss: 1 }]
          }
          return stream(items(), { schema: schema({ id: int32(), boss: int32() }) })
        }
        const once = make()
        expect((await once.join(once, { boss: 'id' }).collect(o())).toRows()).toEqual([
          { id: 1, boss: 3, boss_right: 1 },
          { id: 3, boss: 1, boss_right: 3 },
        ])
        const again = make()
        expect((await again.union(again).collect(o())).column('id').toArray()).toEqual(Int32Array.of(1, 3, 1, 3))
        // Streams one after another, with rows in memory between.
        const mixed = make().union(columns({ id: Int32Array.of(7), boss: Int32Array.of(8) }), make())
        expect((await mixed.collect(o())).column('id').toArray()).toEqual(Int32Array.of(1, 3, 7, 1, 3))
      })

      it('text that comes as a stream is united with rows that functions make of it, while the flow runs', async () => {
        const shape = schema({ id: int32() })
        const text = new Blob(['id\n1\n2\n']).stream() as ReadableStream<Uint8Array<ArrayBuffer>>
        const given = csv(text, { schema: shape })
        const ids: number[] = []
        const united = given.union(given.map(({ id }) => ({ id: id + 10 }), { schema: shape }))
        for await (const batch of united.run(o())) ids.push(...batch.column('id').toArray())
        expect(ids.sort((a, b) => a - b)).toEqual([1, 2, 11, 12])
      })

      it('files whose columns are not known yet are joined and united', async () => {
        const people = csv({ text: 'name,city\nAda,1\nBo,2\nCy,1\n' }) as Flow<any>
        const cities = ndjson({ text: '{"city":1,"title":"Rome"}\n{"city":9,"title":"Oslo"}\n' }) as Flow<any>
        const joined = people
          .fullJoin(cities, 'city', { where: (_, r) => r.title.ne('x') })
          .derive(t => ({ twice: t.city.mul(2) }))
        expect((await joined.collect(o())).toRows()).toEqual([
          { name: 'Ada', city: 1, title: 'Rome', twice: 2 },
          { name: 'Bo', city: 2, title: null, twice: 4 },
          { name: 'Cy', city: 1, title: 'Rome', twice: 2 },
          { name: null, city: 9, title: 'Oslo', twice: 18 },
        ])
        expect(joined.explain()).toContain('fullJoin side 1 on city where')
        const text = 'city,title\n1,Roma\n'
        const cityStream = new ReadableStream<Uint8Array<ArrayBuffer>>({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(text))
            controller.close()
          },
        })
        const streamed = people.select('city').join(csv(cityStream), 'city')
        expect((await streamed.collect(o())).toRows()).toEqual([
          { city: 1, title: 'Roma' },
          { city: 1, title: 'Roma' },
        ])
        const united = people.union(csv({ text: 'city,name,age\n3,Di,4\n' }), { missing: 'null' })
        expect((await united.filter(t => t.city.gt(1)).collect(o())).toRows()).toEqual([
          { name: 'Bo', city: 2, age: null },
          { name: 'Di', city: 3, age: 4 },
        ])
        await refusal(() => people.join(cities, 'name').collect(o()), 'MR_UNKNOWN_COLUMN')
        await refusal(() => people.union(cities).collect(o()), 'MR_UNKNOWN_COLUMN')
        await refusal(() => people.join(cities, { name: 'city' }).collect(o()), 'MR_TYPE_MISMATCH')
      })

      it('a join of a union within a union meets the rows of all its inputs', async () => {
        const [a, b, c] = [[1, 2], [1, 3], [4]].map(id => columns({ id: Int32Array.from(id) }))
        const twice = columns({ id: Int32Array.of(1, 1, 3), name: ['x', 'y', 'z'] })
        const held = await twice.load(o())
        for (const other of [twice, held]) {
          const [inner, left] = [
            a.union(b).join(other, 'id').union(c, { missing: 'null' }),
            a.union(b).antiJoin(other, 'id').union(c),
          ]
          const rows = (await inner.collect(o())).toRows().map(({ id, name }) => `${id}${name ?? ''}`)
          expect(rows).toEqual(['1x', '1y', '1x', '1y', '3z', '4'])
          expect((await left.collect(o())).column('id').toArray()).toEqual(Int32Array.of(2, 4))
        }
        await held.close()
      })

      it('text that is cut anywhere is united with other text, bad rows told in order, once, guesses right or wrong', async () => {
        // Quoted line breaks with what looks like rows behind them lead guesses astray.
        const line = (i: number) => (i % 5 === 0 ? `${i},"a, ""b""\n${i},c"\n` : `${i},name ${i % 17}\n`)
        const text = (from: number, bad: number) =>
          `id,name\n${Array.from({ length: 1500 }, (_, i) => (i === bad ? 'x,y\n' : line(from + i))).join('')}`
        const told: string[] = []
        const onBadRow = ({ row }: RejectedRow) => told.push(`a${row}`)
        const first = inParts(text(0, 700), onBadRow)
        const second = inParts(text(1500, 1400), ({ row }) => told.push(`b${row}`))
        const between = columns({ id: Int32Array.of(-1), name: ['-'] })
        const ids = (await first.union(between, second).collect(o())).column('id').toArray() as Int32Array
        const expected = Array.from({ length: 3000 }, (_, i) => i).filter(i => i !== 700 && i !== 2900)
        expected.splice(1499, 0, -1)
        expect([...ids]).toEqual(expected)
        expect(told).toEqual(['a700', 'b1400'])
        const job = first.union(second).run(o())
        let rowCount = 0
        for await (const batch of job) rowCount += batch.rowCount
        expect(rowCount).toBe(2998)
      })

      it('what is joined above a union meets the other side wherever that union stands', async () => {
        const part = (...k: (number | null)[]) => columns({ k }, schema({ k: nullable(int32()) }))
        const inner = part(1, 2, null).union(part(3, 4), part())
        const held = await part(1, 3, 3, null).load(o())
        const joinsWith = (right: Flow<any>): [Flow<any>, (number | null)[]][] => [
          [inner.join(right, 'k'), [1, 3, 3]],
          [inner.leftJoin(right, 'k'), [1, 2, null, 3, 3, 4]],
          [inner.semiJoin(right, 'k'), [1, 3]],
          [inner.antiJoin(right, 'k'), [2, null, 4]],
        ]
        const joins = [part(1, 3, 3, null), held].flatMap(joinsWith)
        for (const [met, ks] of joins) {
          const ksOf = async (flow: Flow<any>) => [...(await flow.collect(o())).column('k')]
          expect(await ksOf(met.union(part(9)))).toEqual([...ks, 9])
          expect(await ksOf(part(9).union(met, part(8)))).toEqual([9, ...ks, 8])
          const deeper = part(8)
            .union(met)
            .filter(t => t.k.ne(8))
          expect(await ksOf(part(9).union(deeper))).toEqual([9, ...ks.filter(k => k !== null)])
        }
        await held.close()
      })

      it('loaded rows stand on either side, and in unions', async () => {
        await using held = await large.load(o())
        const few = columns({ key: Int32Array.of(1, 2), name: ['one', 'two'] })
        const table = await held
          .join(few, 'key')
          .groupBy('name')
          .aggregate(() => ({ n: count() }))
          .collect(o())
        expect(table.toRows().map(({ n }) => n)).toEqual([MANY / 1000, MANY / 1000])
        const other = await few
          .join(held, 'key')
          .aggregate(() => ({ n: count() }))
          .collect(o())
        expect(other.at(0)).toEqual({ n: (2 * MANY) / 1000 })
        const united = await held
          .select('key')
          .union(few.select('key'))
          .aggregate(t => ({ n: count(), s: sum(t.key) }))
          .collect(o())
        expect(united.at(0)).toEqual({ n: MANY + 2, s: 999 * 500 * (MANY / 1000) + 3 })
      })

      it('unions of what lanes hold are those of what they do not hold', async () => {
        const anyInput = fc.record({
          // Up to three splits.
          rowCount: fc.oneof(fc.nat({ max: 20 }), fc.constantFrom(0, 131_072, 262_145)),
          type: fc.constantFrom('int8', 'int32', 'int64', 'float64'),
          texts: fc.integer({ min: 1, max: 300 }),
          lacks: fc.boolean(),
          nulls: fc.integer({ min: 2, max: 9 }),
          stage: fc.constantFrom('none', 'filter', 'derive'),
        })
        type Input = typeof anyInput extends fc.Arbitrary<infer T> ? T : never
        const numbers = {
          int8: (i: number) => i % 100,
          int32: (i: number) => i * 3,
          int64: (i: number) => BigInt(i) * 2n ** 33n,
          float64: (i: number) => i / 8,
        }
        const types = { int8: int8(), int32: int32(), int64: int64(), float64: float64() }
        const inputOf = ({ rowCount, type, texts, lacks, nulls }: Input, number: number): Flow<any> => {
          const at = <T>(value: (i: number) => T) =>
            Array.from({ length: rowCount }, (_, i) => (i % nulls === 1 ? null : value(i)))
          const shape = {
            x: nullable(types[type as keyof typeof types]),
            s: nullable(utf8()),
            ...(lacks ? {} : { b: nullable(bool()) }),
          }
          return columns(
            {
              x: at<number | bigint>(numbers[type as keyof typeof numbers]),
              s: at(i => `t${(i * (number + 7)) % texts}`),
              ...(lacks ? {} : { b: at(i => i % 3 === 0) }),
            } as never,
            schema(shape) as never,
          ) as unknown as Flow<any>
        }
        const staged = (flow: Flow<any>, { stage, lacks }: Input) => {
          if (stage === 'filter') return flow.filter(t => t.s.ne('t1'))
          return stage === 'derive' && !lacks ? flow.derive(t => ({ b: t.b.not() })) : flow
        }
        const above: Record<string, (flow: Flow<any>, other: Flow<any>) => Flow<any>> = {
          all: flow => flow,
          some: flow => flow.filter(t => t.x.gt(40)),
          groups: flow => flow.groupBy('s').aggregate(t => ({ n: count(), x: sum(t.x) })),
          'groups of numbers': flow => flow.groupBy('x').aggregate(() => ({ n: count() })),
          first: flow => flow.orderBy('s', 'x').limit(100),
          'the first': flow => flow.limit(1000),
          joined: (flow, other) => flow.join(other.select('s').dedupe('s'), 's'),
          failing: flow => flow.derive(t => ({ y: t.x.cast(int8()) })),
        }
        const outcome = async (flow: () => Flow<any>) => {
          try {
            const table = await flow().collect(o())
            return Object.keys(table.schema).map(column => table.column(column).toArray())
          } catch (error) {
            const { code, details } = error as MillraceError
            return { code, row: details.row }
          }
        }
        await fc.assert(
          fc.asyncProperty(
            fc.array(anyInput, { minLength: 2, maxLength: 4 }),
            fc.constantFrom(...Object.keys(above)),
            async (inputs, name) => {
              const plain = inputs.map(inputOf)
              const held = await Promise.all(plain.map(flow => flow.load(o())))
              const over = (flows: readonly Flow<any>[]) => {
                const [first, ...others] = flows.map((flow, i) => staged(flow, inputs[i]))
                return above[name](first.union(...others, { missing: 'null' }), flows[0])
              }
              expect(await outcome(() => over(held))).toEqual(await outcome(() => over(plain)))
              for (const each of held) await each.close()
            },
          ),
          { numRuns: 12 },
        )
      })

      it('what lanes hold on both sides is joined as what they do not hold, whatever their dictionaries', async () => {
        const n = 70_000
        const texts = Array.from({ length: 9000 }, (_, i) => `text ${i}`)
        const codes = Int32Array.from({ length: n }, (_, i) => (i * 7919) % 9000)
        const right = columns({
          key: Int32Array.from({ length: n }, (_, i) => (i * 31) % n),
          // The same strings under the same codes in all lanes, and under others in each.
          text: dictionary(codes, texts),
          own: Array.from({ length: n }, (_, i) => (i % 11 === 0 ? null : `own ${i >> 3}`)),
          is: Array.from({ length: n }, (_, i) => i % 3 === 0),
          small: Int8Array.from({ length: n }, (_, i) => i),
          value: Array.from({ length: n }, (_, i) => (i % 5 === 0 ? null : i / 8)),
          two: Int32Array.from({ length: n }, (_, i) => i >> 1),
        })
        const left = columns({
          key: Int32Array.from({ length: 40_000 }, (_, i) => (i * 7) % (2 * n)),
          text: dictionary(
            Int32Array.from({ length: 40_000 }, (_, i) => i % 10),
            texts.slice(8990),
          ),
          mine: Float64Array.from({ length: 40_000 }, (_, i) => i),
        })
        await using heldLeft = await left.load(o())
        await using heldRight = await right.load(o())
        const asked: ((a: any, b: any) => Flow<any>)[] = [
          (a, b) => a.join(b, 'key'),
          (a, b) => a.leftJoin(b, 'key'),
          (a, b) => a.rightJoin(b.select('key', 'text', 'value'), 'key'),
          (a, b) => a.fullJoin(b, 'key'),
          (a, b) => a.limit(40).join(b.select('text', 'small', 'own').rename({ text: 'by' }), { text: 'by' }),
          (a, b) => a.semiJoin(b.limit(1000), 'key'),
          (a, b) => a.leftJoin(b.select('two', 'value', 'own'), { key: 'two' }),
          (a, b) => a.asofJoin(b, { on: { left: 'mine', right: 'value' } }),
          (a, b) => a.join(b, 'key').join(b, { key: 'two' }, { suffix: '_2' }),
        ]
        for (const ask of asked) {
          const expected = await ask(left, right).collect(o())
          const table = await ask(heldLeft, heldRight).collect(o())
          expect(table.rowCount).toBe(expected.rowCount)
          expect(table.schema).toEqual(expected.schema)
          for (const name of Object.keys(expected.schema)) {
            const [values, others] = [table, expected].map(each => each.column(name).toArray())
            expect(
              values.findIndex((value: unknown, i: number) => !Object.is(value, others[i])),
              name,
            ).toBe(-1)
          }
        }
        const some = await left
          .join(heldRight, 'key')
          .aggregate(t => ({ n: count(), s: sum(t.two) }))
          .collect(o())
        const all = await heldLeft
          .join(right, 'key')
          .aggregate(t => ({ n: count(), s: sum(t.two) }))
          .collect(o())
        expect(some.at(0)).toEqual(all.at(0))
        await heldRight.close()
        await expect(heldLeft.join(heldRight, 'key').collect(o())).rejects.toMatchObject({ code: 'MR_CLOSED' })
      })

      it('flows that share their beginning are collected together, joined or not', async () => {
        const few = columns({ key: Int32Array.of(1, 2), name: ['one', 'two'] })
        const start = large.filter(t => t.key.lt(10))
        const { a, b, c } = await collectAll(
          {
            a: start.join(few, 'key').aggregate(() => ({ n: count() })),
            b: start.aggregate(() => ({ n: count() })),
            c: start.join(start.limit(1), 'key').aggregate(() => ({ n: count() })),
          },
          o(),
        )
        expect([a.at(0), b.at(0), c.at(0)]).toEqual([{ n: 600 }, { n: 3000 }, { n: 300 }])
      })

      it('numbers of any type, and instants of any unit, are equal where their values are', async () => {
        const left = columns({ x: BigInt64Array.of(1n, 2n ** 53n + 1n, 3n) }, schema({ x: int64() }))
        const right = columns({ x: Float64Array.of(1, 2 ** 53, 2.5, 3, NaN) })
        expect((await left.join(right, 'x').collect(o())).toRows({ bigint: true })).toEqual([{ x: 1n }, { x: 3n }])
        expect((await right.semiJoin(left, 'x').collect(o())).toRows()).toEqual([{ x: 1 }, { x: 3 }])
        const zeros = columns({ z: Float64Array.of(-0, NaN) })
        expect((await zeros.join(columns({ z: Float64Array.of(0, NaN, NaN) }), 'z').collect(o())).rowCount).toBe(3)
        await refusal(() => left.rightJoin(right, 'x').collect(o()), 'MR_TYPE_MISMATCH')
      })

      it('empty sides give what they must', async () => {
        const none = rows([], schema({ key: int32(), name: nullable(utf8()), tags: utf8() }))
        expect((await large.join(none, 'key').collect(o())).rowCount).toBe(0)
        const kept = await large
          .leftJoin(none, 'key')
          .groupBy('tags', 'name')
          .aggregate(() => ({ n: count() }))
          .collect(o())
        expect(kept.toRows()).toEqual([{ tags: null, name: null, n: MANY }])
        expect((await none.rightJoin(columns({ key: Int32Array.of(4) }), 'key').collect(o())).toRows()).toEqual([
          { key: 4, name: null, tags: null },
        ])
        const sorted = await none
          .fullJoin(columns({ key: Int32Array.of(4, 3) }), 'key')
          .orderBy('name', 'key')
          .collect(o())
        expect(sorted.column('key').toArray()).toEqual(Int32Array.of(3, 4))
        expect((await none.union(none).collect(o())).rowCount).toBe(0)
        expect((await large.asofJoin(none, { on: 'key' }).limit(1).collect(o())).at(0)).toMatchObject({
          name: null,
          tags: null,
        })
      })

      it('the nearest row in time is found among many', async () => {
        const quotes = columns({
          time: BigInt64Array.from({ length: 50_000 }, (_, i) => BigInt(((i * 7919) % 50_000) * 2)),
          key: Int32Array.from({ length: 50_000 }, (_, i) => ((i * 7919) % 50_000) % 3),
          at: Int32Array.from({ length: 50_000 }, (_, i) => i),
        })
        const asked = large
          .derive(t => ({ time: t.id.mod(100_000).mul(1) }))
          .select('id', 'time')
          .derive(t => ({ key: t.time.mod(3) }))
        const table = await asked.asofJoin(quotes, { on: 'time', by: 'key', tolerance: 3 }).collect(o())
        expect(table.rowCount).toBe(MANY)
        const places = new Map(Array.from({ length: 50_000 }, (_, i) => [((i * 7919) % 50_000) * 2, i]))
        const found = table.column('at')
        for (let i = 0; i < MANY; i += 97) {
          const time = i % 100_000
          let wanted: number | null = null
          for (let t = time; t >= Math.max(0, time - 3) && wanted === null; t--)
            if (t % 2 === 0 && (t / 2) % 3 === time % 3) wanted = places.get(t) as number
          if (found.at(i) !== wanted) throw new Error(`row ${i}: ${found.at(i)}, expected ${wanted}`)
        }
      })

      it('memory that does not hold the other side is refused by name, and what is left is in order', async () => {
        const other = columns({ id: Int32Array.from({ length: MANY }, (_, i) => i), x: new Float64Array(MANY) })
        const error = await refusal(
          // What comes of it is wanted before all rows have come.
          () =>
            large
              .join(other, 'id')
              .limit(MANY)
              .collect({ ...o(), memory: 4 * 2 ** 20 }),
          'MR_MEMORY_LIMIT',
        )
        expect(error.details.operator).toBe('join on id')
        expect((await large.join(other, 'id').collect({ ...o(), memory: 2 ** 28 })).rowCount).toBe(MANY)
      })

      it('an aborted join ends, whichever side is under way', async () => {
        for (const wait of [0, 5, 20]) {
          const controller = new AbortController()
          const running = large
            .join(large, 'key')
            .aggregate(() => ({ n: count() }))
            .collect({ ...o(), signal: controller.signal })
          setTimeout(() => controller.abort(new Error('enough')), wait)
          await expect(running).rejects.toThrow('enough')
        }
        expect((await large.limit(1).collect(o())).rowCount).toBe(1)
      })

      it('a row that a condition fails on is named', async () => {
        const left = columns({ id: [1n, 2n, 2n ** 62n, 3n] }, schema({ id: int64() }))
        const right = columns({ id: [1n, 2n, 2n ** 62n] }, schema({ id: int64() }))
        const joined = left.leftJoin(right, 'id', { where: (l, r) => l.id.add(r.id).gt(0) })
        expect((await refusal(() => joined.collect(o()), 'MR_INTEGER_OVERFLOW')).details.row).toBe(2)
        expect((await joined.limit(2).collect(o())).rowCount).toBe(2)
      })
    })

    it('what a join or a union cannot be is refused at once', () => {
      const a = columns({ k: Int32Array.of(1), x: Float64Array.of(1) })
      const b = columns({ k: ['1'], x: Float64Array.of(1) })
      const c = columns({ k: Int32Array.of(1), x: [1], x_right: [2] })
      const codeOf = (make: () => unknown) => {
        try {
          make()
        } catch (error) {
          return (error as { code: string }).code
        }
        return null
      }
      const any = a as Flow<any>
      expect(codeOf(() => any.join(b, 'k'))).toBe('MR_TYPE_MISMATCH')
      expect(codeOf(() => any.join(a, 'nope' as never))).toBe('MR_UNKNOWN_COLUMN')
      expect(codeOf(() => any.join(a, []))).toBe('MR_INVALID_OPTION')
      expect(codeOf(() => any.join(a, ['k', 'k']))).toBe('MR_DUPLICATE_COLUMN')
      expect(codeOf(() => any.join(a, 5 as never))).toBe('MR_TYPE_MISMATCH')
      expect(codeOf(() => any.join([] as never, 'k'))).toBe('MR_TYPE_MISMATCH')
      expect(codeOf(() => any.join(a, 'k', { sufix: '' } as never))).toBe('MR_INVALID_OPTION')
      expect(codeOf(() => any.join(a, 'k', { suffix: '' }))).toBe('MR_DUPLICATE_COLUMN')
      expect(codeOf(() => any.join(c, 'k'))).toBe('MR_DUPLICATE_COLUMN')
      expect(codeOf(() => any.join(a, 'k', { where: (l: any) => l.x } as never))).toBe('MR_TYPE_MISMATCH')
      expect(codeOf(() => any.semiJoin(a, 'k', { suffix: 'x' } as never))).toBe('MR_INVALID_OPTION')
      expect(codeOf(() => any.union())).toBe('MR_INVALID_OPTION')
      expect(codeOf(() => any.union(5 as never))).toBe('MR_TYPE_MISMATCH')
      expect(codeOf(() => any.union(b))).toBe('MR_TYPE_MISMATCH')
      expect(codeOf(() => any.union(c))).toBe('MR_UNKNOWN_COLUMN')
      expect(codeOf(() => any.union(c, { missing: 'zero' } as never))).toBe('MR_INVALID_OPTION')
      expect(codeOf(() => any.asofJoin(a, {} as never))).toBe('MR_TYPE_MISMATCH')
      expect(codeOf(() => any.asofJoin(a, { on: 'x', tolerance: '5s' }))).toBe('MR_INVALID_OPTION')
      expect(codeOf(() => any.asofJoin(a, { on: 'x', direction: 'back' as never }))).toBe('MR_INVALID_OPTION')
      expect(codeOf(() => (b as Flow<any>).asofJoin(b, { on: 'k' }))).toBe('MR_TYPE_MISMATCH')
      expect(codeOf(() => any.asofJoin(columns({ x: [2n] }), { on: 'x' }))).toBe('MR_TYPE_MISMATCH')
    })

    it('a plan of several sources is told side by side', () => {
      const a = columns({ k: Int32Array.of(1), x: Float64Array.of(1) })
      const b = columns({ k: Int32Array.of(1), y: Float64Array.of(1), z: [''] })
      const plan = a
        .leftJoin(b, 'k')
        .filter(t => t.x.gt(0))
        .union(
          a.derive(() => ({ y: 2 })),
          { missing: 'null' },
        )
        .select('x', 'y')
      expect(plan.explain().split('\n')).toEqual([
        'side 1, run first',
        '  source columns: k: int32, y: float64 (2 of 3 columns)',
        '  output: k: int32, y: float64',
        'union, one input after another',
        '  source columns: k: int32, x: float64',
        '    skips splits that cannot have: x > 0',
        '    filter x > 0',
        '    leftJoin side 1 on k, takes y',
        '  source columns: x: float64',
        '    derive x, y = 2',
        'output: x: float64, y: nullable(float64)',
      ])
    })

    it('what statistics are of no use to is not pushed where it would change rows', async () => {
      const a = columns({ k: Int32Array.of(1, 2), x: Float64Array.of(1, 2) })
      const b = columns({ k: Int32Array.of(1, 3), y: Float64Array.of(5, 6) })
      const left = await a
        .leftJoin(b, 'k')
        .filter(t => t.y.isNull())
        .collect({ lanes: 0 })
      expect(left.toRows()).toEqual([{ k: 2, x: 2, y: null }])
      const right = await a
        .rightJoin(b, 'k')
        .filter(t => t.k.gt(2))
        .collect({ lanes: 0 })
      expect(right.toRows()).toEqual([{ k: 3, x: null, y: 6 }])
    })
  })
}
