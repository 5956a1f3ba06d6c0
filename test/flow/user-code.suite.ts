/** Functions of the caller's in a flow, held against the same functions over arrays of rows; and what becomes of rows of which they throw. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bool,
  channel,
  collectAll,
  columns,
  count,
  csv,
  type Flow,
  float64,
  int32,
  int64,
  type MillraceError,
  nullable,
  rowNumber,
  rows,
  runAll,
  schema,
  stream,
  typeName,
  utf8,
} from '../../src/index.js'
import { counted, type FlowEnv, onLanes, refusal, until } from './env.js'

const RUNS = 12

export function userCodeSuite(lanesList: readonly number[], _env: FlowEnv): void {
  describe('functions of the caller', () => {
    onLanes(lanesList, engine => {
      const o = () => ({ engine: engine() })
      const out = schema({ id: int32(), half: float64(), name: nullable(utf8()) })
      const named = (row: { id: number; value: number }) => ({
        id: row.id,
        half: row.value / 2,
        name: row.id % 3 === 0 ? null : `n${row.id % 5}`,
      })

      it('map makes each row anew, in order, and verbs go on from there', async () => {
        const data = counted(150_000)
        const flow = columns(data).filter(t => t.key.lt(5))
        const table = await flow.map(named, { schema: out }).collect(o())
        const expected = Array.from(data.id, (id, i) => ({ id, key: data.key[i], value: data.value[i] })).filter(
          ({ key }) => key < 5,
        )
        expect(table.rowCount).toBe(expected.length)
        expect(table.toRows()).toEqual(expected.map(named))
        const groups = await flow
          .map(named, { schema: out })
          .groupBy('name')
          .aggregate(() => ({ rows: count() }))
          .collect(o())
        expect(groups.toRows().reduce((sum, row) => sum + row.rows, 0)).toBe(expected.length)
      })

      it('map and flatMap are what arrays make of the same functions', async () => {
        const row = fc.record({
          a: fc.option(fc.integer({ min: -9, max: 9 })),
          b: fc.option(fc.string({ maxLength: 3 })),
        })
        const shape = schema({ a: nullable(int32()), b: nullable(utf8()) })
        const made = schema({ a: nullable(int64()), b: nullable(utf8()) })
        const twice = ({ a, b }: any) => ({ a: a === null ? null : a * 2, b: b === null ? 'none' : b })
        const some = ({ a, b }: any) => Array.from({ length: Math.max(0, a ?? 0) }, (_, i) => ({ a: i, b }))
        await fc.assert(
          fc.asyncProperty(fc.array(row, { maxLength: 40 }), async given => {
            const flow = rows(given, shape)
            expect((await flow.map(twice, { schema: made }).collect(o())).toRows()).toEqual(given.map(twice))
            expect((await flow.flatMap(some, { schema: made }).collect(o())).toRows()).toEqual(given.flatMap(some))
            const odd = ({ a, b }: any) => a === null || a % 2 !== 0 || b === 'none'
            expect((await flow.filterRows(odd).collect(o())).toRows()).toEqual(given.filter(odd))
            const later = flow
              .filterRows(async each => odd(each))
              .groupBy('b')
              .aggregate(() => ({ n: count() }))
            expect((await later.collect(o())).rowCount).toBe(new Set(given.filter(odd).map(({ b }) => b)).size)
            const chained = flow
              .map(twice, { schema: made })
              .filter(t => t.b.ne('none'))
              .flatMap(some, { schema: made })
            expect((await chained.collect(o())).toRows()).toEqual(
              given
                .map(twice)
                .filter(({ b }) => b !== 'none')
                .flatMap(some),
            )
          }),
          { numRuns: RUNS },
        )
      })

      it('awaits what is asynchronous, and reads streams as they come', async () => {
        async function* given() {
          for (let id = 0; id < 50; id++) yield { id }
        }
        const flow = stream(given(), { schema: schema({ id: int32() }) })
        const table = await flow
          .map(async ({ id }) => ({ id: await Promise.resolve(id + 1) }), { schema: schema({ id: int32() }) })
          .collect(o())
        expect([...table.column('id')]).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
      })

      it('rows made of those of a feed come without end too: groups are told as they change, and nothing waits for the last', async () => {
        const shape = schema({ key: utf8(), x: nullable(int32()) })
        const standard = { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } as const
        const made: readonly ((flow: Flow<typeof shape>) => Flow<typeof shape>)[] = [
          flow => flow.map(row => row, { schema: shape }),
          flow => flow.map(row => row, { schema: shape }).flatMap(row => [row], { schema: shape }),
          flow => flow.filterRows(() => true),
          flow => flow.validate({ '~standard': standard }).valid,
          flow => flow.fillNull({ x: { method: 'previous' } }),
        ]
        const verbs: readonly ((flow: Flow<typeof shape>) => Flow<any>)[] = [
          flow => flow.groupBy('key').aggregate(() => ({ n: count() })),
          flow => flow.dedupe('key'),
          flow => flow.over({ partitionBy: ['key'] }, () => ({ n: rowNumber() })),
          flow => flow.union(rows([], shape)).aggregate(() => ({ n: count() })),
        ]
        for (const make of made) {
          for (const verb of verbs) {
            const feed = channel(shape)
            const batches = verb(make(feed.flow)).run(o())[Symbol.asyncIterator]()
            for (const key of ['a', 'b']) {
              await feed.push({ key, x: 1 })
              expect((await batches.next()).value?.rowCount).toBeGreaterThan(0)
            }
            await batches.return?.()
          }
          const feed = channel(shape)
          const table = rows([{ key: 'a' }], schema({ key: utf8() }))
          await refusal(() => table.join(make(feed.flow), 'key').run(o()).finished, 'MR_UNBOUNDED')
        }
      })

      it('calls the function no further than its reader wants, and ends what comes before', async () => {
        let calls = 0
        const flow = columns(counted(3_000_000)).map(
          ({ id }) => {
            calls++
            return { id }
          },
          { schema: schema({ id: int32() }) },
        )
        expect((await flow.limit(3).collect(o())).rowCount).toBe(3)
        for await (const batch of flow.run(o())) {
          expect(batch.rowCount).toBeGreaterThan(0)
          break
        }
        await new Promise(resolve => setTimeout(resolve, 20))
        const before = calls
        await new Promise(resolve => setTimeout(resolve, 50))
        expect(calls).toBe(before)
        expect(calls).toBeLessThan(3_000_000)
      })

      it('flatMap goes no further where rows stand for many, and gives them all', async () => {
        const [length, each] = [60_000, 1000]
        let calls = 0
        const given = Array.from({ length: each }, (_, i) => ({ i }))
        const flow = columns({ id: new Int32Array(length) }).flatMap(
          () => {
            calls++
            return given
          },
          { schema: schema({ i: int32() }) },
        )
        expect((await flow.limit(5).collect(o())).rowCount).toBe(5)
        expect(calls).toBeLessThan(length / 4)
        const all = await flow.limit(200_001).collect(o())
        expect(all.column('i').toArray()).toEqual(Int32Array.from({ length: 200_001 }, (_, i) => i % each))
      })

      it('tells the row of which a function throws, or collects it and goes on', async () => {
        const failing = ({ id }: { id: number }) => {
          if (id % 40_000 === 39_999) throw new RangeError(`no ${id}`)
          return { id }
        }
        const flow = columns(counted(100_000))
        const made = schema({ id: int32() })
        const error = await refusal(() => flow.map(failing, { schema: made }).collect(o()), 'MR_USER_CODE_FAILED')
        expect(error.message).toContain('map: the function failed on row 39999: RangeError: no 39999')
        expect(error.details).toMatchObject({ operator: 'map', row: 39_999 })
        expect(error.cause).toBeInstanceOf(RangeError)
        const told: MillraceError[] = []
        const table = await flow
          .flatMap(row => [failing(row)], { schema: made, onError: each => told.push(each) })
          .collect(o())
        expect(told.map(({ details }) => details.row)).toEqual([39_999, 79_999])
        expect(table.rowCount).toBe(99_998)
        const collector = () => {
          throw new Error('enough')
        }
        await expect(flow.map(failing, { schema: made, onError: collector }).collect(o())).rejects.toThrow('enough')
      })

      it('a listener that is asynchronous is waited for, and what it rejects with ends the job', async () => {
        const flow = columns({ id: Int32Array.of(1, 2, 3, 4) })
        const made = schema({ id: int32() })
        const module = moduleOf(
          'export const odd = ({ id }) => { if (id % 2 === 0) throw new Error("even"); return { id } }',
        )
        const odd = ({ id }: { id: number }): { id: number } => {
          if (id % 2 === 0) throw new Error('even')
          return { id }
        }
        const verbs: readonly ((onError: (error: MillraceError) => void) => Flow)[] = [
          onError => flow.map(odd, { schema: made, onError }),
          onError => flow.flatMap(row => [odd(row)], { schema: made, onError }),
          onError => flow.filterRows(row => odd(row).id > 0, { onError }),
          onError => flow.map({ module, export: 'odd' }, { schema: made, onError }),
        ]
        const later = () => new Promise(resolve => setTimeout(resolve, 5))
        for (const verb of verbs) {
          const told: unknown[] = []
          const hear = async ({ details }: MillraceError) => {
            await later()
            told.push(details.row)
          }
          expect((await verb(hear).collect(o())).toRows()).toEqual([{ id: 1 }, { id: 3 }])
          expect(told).toEqual([1, 3])
          const refuse = async () => {
            await later()
            throw new Error('enough')
          }
          await expect(verb(refuse).collect(o())).rejects.toThrow('enough')
          const leaving = new AbortController()
          const never = () => {
            setTimeout(() => leaving.abort(new Error('left')), 50)
            return new Promise<void>(() => {})
          }
          await expect(verb(never).collect({ ...o(), signal: leaving.signal })).rejects.toThrow('left')
        }
      })

      it('tells rows that are not of the columns declared', async () => {
        const flow = columns({ id: Int32Array.of(1, 2, 3, 4) })
        const bad = ({ id }: { id: number }): any => (id === 2 ? { id: 'two' } : id === 4 ? 5 : { id })
        const error = await refusal(
          () => flow.map(bad, { schema: schema({ id: int32() }) }).collect(o()),
          'MR_TYPE_MISMATCH',
        )
        expect(error.details).toMatchObject({ operator: 'map', row: 1, column: 'id' })
        expect(error.message).toContain('map: row 1: the result, column "id"')
        const told: unknown[] = []
        const onError = ({ code, details }: MillraceError) => told.push([code, details.row])
        const table = await flow.map(bad, { schema: schema({ id: int32() }), onError }).collect(o())
        expect(told).toEqual([
          ['MR_TYPE_MISMATCH', 1],
          ['MR_TYPE_MISMATCH', 3],
        ])
        expect([...table.column('id')]).toEqual([1, 3])
        const none = () => flow.flatMap((() => 7) as never, { schema: schema({ id: int32() }) }).collect(o())
        expect((await refusal(none, 'MR_TYPE_MISMATCH')).message).toContain('an array of rows')
        const later = async () => {
          throw new Error('heard')
        }
        const promises = () =>
          flow.flatMap((() => [later(), later()]) as never, { schema: schema({ id: nullable(int32()) }) }).collect(o())
        expect((await refusal(promises, 'MR_TYPE_MISMATCH')).message).toContain('a row of the result is a promise')
      })

      it('filterRows tells of rows that fail, or leaves them out; of what is no truth value too', async () => {
        const flow = columns(counted(100_000)).select('id')
        const judge = ({ id }: { id: number }): boolean => {
          if (id % 40_000 === 39_999) throw new RangeError(`no ${id}`)
          return id % 2 === 0
        }
        const error = await refusal(() => flow.filterRows(judge).collect(o()), 'MR_USER_CODE_FAILED')
        expect(error.message).toContain('filterRows: the function failed on row 39999: RangeError: no 39999')
        const told: unknown[] = []
        const kept = flow.filterRows(judge, { onError: ({ details }) => told.push(details.row) })
        expect((await kept.collect(o())).rowCount).toBe(50_000)
        expect(told).toEqual([39_999, 79_999])
        const none = await refusal(() => flow.filterRows((() => 1) as never).collect(o()), 'MR_TYPE_MISMATCH')
        expect(none.message).toContain('filterRows: row 0: the function gives true or false, not 1')
        const text = csv({ text: 'id,#kept\n1,x\n2,y\n' }, { schema: schema({ id: int32(), '#kept': utf8() }) })
        const named = await text.filterRows(each => each['#kept'] === 'y').collect(o())
        expect(named.toRows()).toEqual([{ id: 2, '#kept': 'y' }])
        await refusal(() => flow.filterRows('x' as never), 'MR_TYPE_MISMATCH')
        await refusal(() => flow.filterRows(judge, { onErrors: judge } as never), 'MR_INVALID_OPTION')
      })

      it('a row that JavaScript cannot have exactly fails as others do: it is told, or left out', async () => {
        const flow = columns({ id: [1n, 2n ** 60n, 3n] })
        const made = { schema: schema({ id: int64() }) }
        const module = moduleOf(
          'export const same = row => row; export const some = row => [row]; export const all = () => true',
        )
        const verbs: readonly ((more: { onError?: (error: MillraceError) => void }) => Flow)[] = [
          more => flow.map(row => row, { ...made, ...more }),
          more => flow.flatMap(row => [row], { ...made, ...more }),
          more => flow.filterRows(() => true, more),
          more => flow.map({ module, export: 'same' }, { ...made, ...more }),
          more => flow.flatMap({ module, export: 'some' }, { ...made, ...more }),
          more => flow.filter({ module, export: 'all' }, more),
        ]
        for (const verb of verbs) {
          const error = await refusal(() => verb({}).collect(o()), 'MR_UNSAFE_INTEGER')
          expect(error.message).toMatch(/: \w+: row 1(?: of columns)?: column "id": 1152921504606846976 is beyond/)
          expect(error.message).not.toContain('toRows')
          expect(error.details).toMatchObject({ row: 1, column: 'id' })
          const told: unknown[] = []
          const kept = await verb({ onError: ({ code, details }) => told.push([code, details.row]) }).collect(o())
          expect([kept.toRows(), told]).toEqual([[{ id: 1 }, { id: 3 }], [['MR_UNSAFE_INTEGER', 1]]])
        }
      })

      it('is an input of unions and joins, and ends where these are refused', async () => {
        const one = columns({ id: [1, 2] }).map(({ id }) => ({ id: id * 10 }), { schema: schema({ id: int64() }) })
        const late = (csv({ text: 'id,n\n1,\n,3\n' }) as Flow).fillNull({ n: { method: 'next' } })
        const both = await one.union(late, { missing: 'null' } as never).collect(o())
        expect(both.toRows()).toEqual([
          { id: 10, n: null },
          { id: 20, n: null },
          { id: 1, n: 3 },
          { id: null, n: 3 },
        ])
        const joined = await columns({ id: [20, 30] })
          .join(one, 'id')
          .collect(o())
        expect(joined.toRows()).toEqual([{ id: 20 }])
        const itself = await one.join(one, 'id').collect(o())
        expect(itself.toRows()).toEqual([{ id: 10 }, { id: 20 }])
        await refusal(() => late.union(one as Flow).collect(o()), 'MR_UNKNOWN_COLUMN')
      })

      it('refuses what is no function, and a missing schema', async () => {
        const flow = columns({ id: [1] })
        await refusal(() => flow.map('x' as never, { schema: schema({ id: int32() }) }), 'MR_TYPE_MISMATCH')
        await refusal(() => flow.map(((row: unknown) => row) as never, {} as never), 'MR_INVALID_OPTION')
        await refusal(
          () => flow.map(row => row, { schema: schema({ id: float64() }), on: 1 } as never),
          'MR_INVALID_OPTION',
        )
      })

      it('is said by explain, after what comes before', () => {
        const text = columns({ id: [1] })
          .filter(t => t.id.gt(0))
          .map(
            function double({ id }) {
              return { id: id * 2 }
            },
            { schema: schema({ id: float64() }) },
          )
          .explain()
        expect(text).toContain('calling thread\n  map double')
        expect(text.indexOf('filter')).toBeLessThan(text.indexOf('calling thread'))
      })

      it('an abort ends it, whose reason is what it rejects with', async () => {
        const cancel = new AbortController()
        const flow = columns(counted(2_000_000)).map(
          ({ id }) => {
            if (id === 70_000) cancel.abort(new Error('stop'))
            return { id }
          },
          { schema: schema({ id: int32() }) },
        )
        await expect(flow.collect({ ...o(), signal: cancel.signal })).rejects.toThrow('stop')
      })

      it('asynchronous functions are called with no more rows of a batch once nobody wants them', async () => {
        const made = { schema: schema({ id: int32() }) }
        for (const verb of ['map', 'flatMap', 'filterRows'] as const) {
          let calls = 0
          const called = async <T>(given: T) => {
            calls++
            await new Promise(resolve => setTimeout(resolve, 1))
            return given
          }
          const flow = columns({ id: new Int32Array(5000) })
          const slow =
            verb === 'map'
              ? flow.map(called, made)
              : verb === 'flatMap'
                ? flow.flatMap(row => called([row]) as never, made)
                : flow.filterRows(() => called(true))
          const cancel = new AbortController()
          const collecting = slow.collect({ ...o(), signal: cancel.signal })
          collecting.catch(() => {})
          await until(() => calls > 3, 5_000)
          cancel.abort(new Error('enough'))
          await expect(collecting).rejects.toThrow('enough')
          await new Promise(resolve => setTimeout(resolve, 20))
          const before = calls
          await new Promise(resolve => setTimeout(resolve, 50))
          expect(calls).toBe(before)
        }
      })
    })
  })

  describe('functions of modules, in the lanes', () => {
    const module = moduleOf(`
      export const twice = ({ a, b }) => ({ a: a === null ? null : a * 2, b: b === null ? 'none' : b })
      export const some = ({ a, b }) => Array.from({ length: Math.max(0, a ?? 0) }, (_, i) => ({ a: i, b }))
      export const isEven = ({ a }) => a !== null && a % 2 === 0
      export const fails = ({ id }) => {
        if (id % 40000 === 39999) throw new RangeError('no ' + id)
        return { id }
      }
      export const failsLater = row => [fails(row)]
      export const many = ({ id }) => Array.from({ length: id === 1 ? 100000 : 2 }, (_, i) => ({ id: i, name: 'n' + i % 3 }))
      export const bad = ({ id }) => (id === 70001 ? { id: 'x' } : { id })
      export const slow = async row => row
      export const five = 5
    `)
    const rowOf = fc.record({
      a: fc.option(fc.integer({ min: -9, max: 9 })),
      b: fc.option(fc.string({ maxLength: 3 })),
    })
    const shape = schema({ a: nullable(int32()), b: nullable(utf8()) })
    const made = schema({ a: nullable(int64()), b: nullable(utf8()) })
    const twice = ({ a, b }: any) => ({ a: a === null ? null : a * 2, b: b === null ? 'none' : b })
    const some = ({ a, b }: any) => Array.from({ length: Math.max(0, a ?? 0) }, (_, i) => ({ a: i, b }))

    onLanes(lanesList, engine => {
      const o = () => ({ engine: engine() })
      const id = schema({ id: int32() })

      it('map, flatMap and filter are what arrays make of the same functions', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(rowOf, { maxLength: 40 }), async given => {
            const flow = rows(given, shape)
            const rowsOf = async (each: Flow) => (await each.collect(o())).toRows()
            const isEven = ({ a }: any) => a !== null && a % 2 === 0
            const even = flow.filter({ module, export: 'isEven' })
            expect(await rowsOf(flow.map({ module, export: 'twice' }, { schema: made }))).toEqual(given.map(twice))
            expect(await rowsOf(flow.flatMap({ module, export: 'some' }, { schema: made }))).toEqual(
              given.flatMap(some),
            )
            expect(await rowsOf(even)).toEqual(given.filter(isEven))
            const chained = flow
              .filter(t => t.a.gt(-5))
              .map({ module, export: 'twice' }, { schema: made })
              .filter(t => t.b.ne('none'))
              .flatMap({ module, export: 'some' }, { schema: made })
              .filter({ module, export: 'isEven' })
              .orderBy('a')
            const expected = given
              .filter(({ a }) => a !== null && a > -5)
              .map(twice)
              .filter(({ b }) => b !== 'none')
              .flatMap(some)
              .filter(isEven)
            expect(await rowsOf(chained)).toEqual(expected.sort((a, b) => a.a - b.a))
          }),
          { numRuns: RUNS },
        )
      })

      it('keeps the order of rows over many splits, and groups what comes out', async () => {
        const flow = columns(counted(300_000))
        const table = await flow
          .filter(t => t.key.lt(6))
          .map({ module, export: 'fails' }, { schema: id, onError: () => {} })
          .collect(o())
        const ids = Array.from({ length: 300_000 }, (_, i) => i).filter(i => i % 7 < 6 && i % 40_000 !== 39_999)
        expect(table.column('id').toArray()).toEqual(Int32Array.from(ids))
        const groups = await columns({ id: [0, 1, 2] })
          .flatMap({ module, export: 'many' }, { schema: schema({ id: int32(), name: utf8() }) })
          .groupBy('name')
          .aggregate(() => ({ rows: count() }))
          .collect(o())
        expect(groups.toRows()).toEqual([
          { name: 'n0', rows: 33_336 },
          { name: 'n1', rows: 33_335 },
          { name: 'n2', rows: 33_333 },
        ])
      })

      it('tells the row of the source of which a function throws, the first of several', async () => {
        const flow = columns(counted(300_000)).filter(t => t.key.gt(0))
        const error = await refusal(
          () => flow.map({ module, export: 'fails' }, { schema: id }).collect(o()),
          'MR_USER_CODE_FAILED',
        )
        const first = [39_999, 79_999, 119_999].find(i => i % 7 > 0)
        expect(error.message).toContain(`map: the function failed on row ${first} of columns: RangeError: no ${first}`)
        expect(error.details).toEqual({ operator: 'map', row: first })
        const bad = await refusal(
          () => flow.map({ module, export: 'bad' }, { schema: id }).collect(o()),
          'MR_TYPE_MISMATCH',
        )
        expect(bad.details).toEqual({ operator: 'map', row: 70_001, column: 'id' })
        expect(bad.message).toContain('map: row 70001 of columns: the result, column "id"')
      })

      it('collects rows that fail, with their places', async () => {
        const told: MillraceError[] = []
        const onError = (error: MillraceError) => told.push(error)
        const flow = columns(counted(300_000))
        const table = await flow.flatMap({ module, export: 'failsLater' }, { schema: id, onError }).collect(o())
        const failing = Array.from({ length: 7 }, (_, i) => 40_000 * i + 39_999)
        expect(told.map(({ details }) => details.row).sort((a, b) => (a as number) - (b as number))).toEqual(failing)
        expect(told[0].message).toMatch(
          /^MR_USER_CODE_FAILED: flatMap: the function failed on row \d+ of columns: RangeError: no /,
        )
        expect(table.rowCount).toBe(300_000 - failing.length)
        const stop = () => {
          throw new Error('enough')
        }
        await expect(flow.map({ module, export: 'fails' }, { schema: id, onError: stop }).collect(o())).rejects.toThrow(
          'enough',
        )
      })

      it('refuses modules that cannot be, and functions that are none', async () => {
        const flow = columns(counted(10))
        const with_ =
          (name: string, from: string | URL = module) =>
          () =>
            flow.map({ module: from, export: name }, { schema: id }).collect(o())
        expect((await refusal(with_('none'), 'MR_USER_CODE_FAILED')).message).toContain('exports no function "none"')
        await refusal(with_('five'), 'MR_USER_CODE_FAILED')
        await refusal(with_('twice', moduleOf('export const twice = (')), 'MR_USER_CODE_FAILED')
        expect((await refusal(with_('slow'), 'MR_TYPE_MISMATCH')).message).toContain('asynchronous')
        await refusal(with_('twice', './clean.js'), 'MR_INVALID_OPTION')
        await refusal(() => flow.map({ module } as never, { schema: id }), 'MR_INVALID_OPTION')
        await refusal(() => flow.filter({ module, export: 'isEven' }, { schema: id } as never), 'MR_INVALID_OPTION')
        await refusal(() => flow.filter({ module, export: 'twice' }).collect(o()), 'MR_TYPE_MISMATCH')
        // The lanes are as good as before.
        expect((await flow.filter(t => t.id.lt(3)).collect(o())).rowCount).toBe(3)
      })

      it('is refused behind what runs in the calling thread, by its verb', async () => {
        const verbs: readonly ((flow: Flow<any>) => Flow<any>)[] = [
          flow => flow.map({ module, export: 'twice' }, { schema: made }),
          flow => flow.flatMap({ module, export: 'some' }, { schema: made }),
          flow => flow.filter({ module, export: 'isEven' }),
        ]
        for (const [i, verb] of ['map', 'flatMap', 'filter'].entries()) {
          const feed = channel(shape)
          const groups = feed.flow.groupBy('a').aggregate(() => ({ b: count() }))
          const error = await refusal(() => verbs[i]!(groups).run(o()).finished, 'MR_UNBOUNDED')
          expect(error.message).toContain(`${verb}: lanes call functions of modules`)
        }
      })

      it('is said by explain', () => {
        const text = columns({ id: [1] })
          .map({ module: 'file:///clean.js', export: 'clean' }, { schema: id })
          .explain()
        expect(text).toContain('map by clean of file:///clean.js')
      })
    })
  })

  describe('validators of rows', () => {
    onLanes(lanesList, engine => {
      const o = () => ({ engine: engine() })
      const validator = {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate(value: any) {
            const issues: { message: string; path?: (string | { key: string })[] }[] = []
            if (value.price === null) issues.push({ message: 'Required', path: ['price'] })
            else if (!(value.price > 0)) issues.push({ message: 'too small', path: [{ key: 'price' }] })
            if (value.name === 'nobody') issues.push({ message: 'nobody is refused' })
            return issues.length > 0 ? { issues } : { value }
          },
        },
      } as const
      const given = [
        { id: 1, price: 2, name: 'a' },
        { id: 2, price: null, name: 'nobody' },
        { id: 3, price: -1, name: null },
        { id: 4, price: 9, name: 'd' },
      ]
      const shape = schema({ id: int32(), price: nullable(float64()), name: nullable(utf8()) })

      it('part rows, each with what was said of it; the source is read once', async () => {
        const { valid, rejected } = rows(given, shape).validate(validator)
        expect(Object.entries(rejected.schema as object).map(([name, type]) => `${name} ${typeName(type)}`)).toEqual([
          'id int32',
          'price nullable(float64)',
          'name nullable(utf8)',
          'brokenRules utf8',
        ])
        const found = await collectAll({ valid, rejected }, o())
        expect(found.valid.toRows()).toEqual([given[0], given[3]])
        expect(found.rejected.toRows()).toEqual([
          { ...given[1], brokenRules: 'price: Required, nobody is refused' },
          { ...given[2], brokenRules: 'price: too small' },
        ])
        async function* once() {
          yield* given
        }
        const parts = stream(once(), { schema: shape }).validate(validator)
        const streamed = await collectAll({ valid: parts.valid, rejected: parts.rejected }, o())
        expect(streamed.valid.rowCount + streamed.rejected.rowCount).toBe(4)
        const sunk = stream(once(), { schema: shape }).validate(validator)
        const [good, bad]: number[][] = [[], []]
        const job = runAll(
          { good: sunk.valid, bad: sunk.rejected },
          { good: batch => good.push(...batch.column('id')), bad: batch => bad.push(...batch.column('id')) },
          o(),
        )
        await job.finished
        expect([good, bad]).toEqual([
          [1, 4],
          [2, 3],
        ])
      })

      it('may be said before the columns are known, and failing ones end the job', async () => {
        const { rejected } = (csv({ text: 'id,price,name\n1,2,a\n2,,nobody\n' }) as Flow).validate(validator)
        expect((await rejected.collect(o())).toRows()).toEqual([
          { id: 2, price: null, name: 'nobody', brokenRules: 'price: Required, nobody is refused' },
        ])
        const broken = {
          '~standard': {
            version: 1,
            vendor: 'test',
            validate: () => {
              throw new Error('bug')
            },
          },
        } as const
        const error = await refusal(() => rows(given, shape).validate(broken).valid.collect(o()), 'MR_USER_CODE_FAILED')
        expect(error.message).toContain('validate: the function failed on row 0: Error: bug')
        const silent = { '~standard': { version: 1, vendor: 'test', validate: () => undefined } } as const
        const told = await refusal(() => rows(given, shape).validate(silent).valid.collect(o()), 'MR_TYPE_MISMATCH')
        expect(told.message).toContain('validate: row 0: the validator gives { value } or { issues }, not undefined')
      })
    })
  })

  describe('fillNull in row order', () => {
    onLanes(lanesList, engine => {
      const o = () => ({ engine: engine() })

      it('goes by the rows around, by types, across batches', async () => {
        const cells = fc.array(
          fc.record({
            i: fc.option(fc.integer({ min: -5, max: 5 }), { freq: 3 }),
            f: fc.option(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { freq: 3 }),
            s: fc.option(fc.string({ maxLength: 2 }), { freq: 3 }),
            b: fc.option(fc.boolean(), { freq: 3 }),
            l: fc.option(fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n }), { freq: 3 }),
          }),
          { maxLength: 30 },
        )
        const shape = schema({
          i: nullable(int32()),
          f: nullable(float64()),
          s: nullable(utf8()),
          b: nullable(bool()),
          l: nullable(int64()),
        })
        await fc.assert(
          fc.asyncProperty(cells, fc.integer({ min: 1, max: 7 }), async (given, size) => {
            const batches = function* () {
              for (let at = 0; at < given.length; at += size) yield given.slice(at, at + size)
            }
            const read = () =>
              stream(
                (async function* () {
                  for (const part of batches()) yield rows(part, shape).collect({ lanes: 0 })
                })(),
                { schema: shape },
              )
            const column = (name: keyof (typeof given)[number]) =>
              given.map(row => (typeof row[name] === 'bigint' ? Number(row[name]) : row[name]))
            for (const method of ['previous', 'next'] as const) {
              const by = { method }
              const table = await read().fillNull({ i: by, f: by, s: by, b: by, l: by }).collect(o())
              for (const name of ['i', 'f', 's', 'b', 'l'] as const)
                expect([...table.column(name)]).toEqual(carriedModel(column(name), method))
            }
            const lines = await read()
              .fillNull({ i: { method: 'linear' }, f: { method: 'linear' }, s: 'x' })
              .collect(o())
            expect([...lines.column('i')]).toEqual(linearModel(column('i') as (number | null)[]))
            expect([...lines.column('f')]).toEqual(linearModel(column('f') as (number | null)[]))
            expect([...lines.column('s')]).toEqual(column('s').map(text => text ?? 'x'))
            const mean = await rows(given, shape)
              .fillNull({ i: { method: 'mean' } })
              .collect(o())
            const known = given.flatMap(({ i }) => (i === null ? [] : [i]))
            const value = known.length === 0 ? null : known.reduce((sum, i) => sum + i, 0) / known.length
            expect([...mean.column('i')]).toEqual(given.map(({ i }) => i ?? value))
          }),
          { numRuns: RUNS },
        )
      })

      it('goes across morsels and splits of a large input', async () => {
        const length = 300_000
        const cells = Array.from({ length }, (_, i) => (i % 100_000 === 7 ? i : null))
        const flow = columns({ x: cells }, schema({ x: nullable(float64()) }))
        const [previous, next, linear] = await Promise.all(
          (['previous', 'next', 'linear'] as const).map(method => flow.fillNull({ x: { method } }).collect(o())),
        )
        expect([...previous.column('x')]).toEqual(carriedModel(cells, 'previous'))
        expect([...next.column('x')]).toEqual(carriedModel(cells, 'next'))
        expect([...linear.column('x')]).toEqual(linearModel(cells))
      })

      it('draws lines between values that are further apart than a float64 says', async () => {
        const cells = [1.5e308, null, null, null, -1.5e308, null, Infinity, null, 7, null, NaN]
        const table = await columns({ x: cells })
          .fillNull({ x: { method: 'linear' } })
          .collect(o())
        const between = [7.5e307, 0, -7.5e307, Infinity, Infinity, NaN]
        expect([...table.column('x')]).toEqual(cells.map(cell => cell ?? between.shift()))
      })

      it('refuses methods that a column has no use for', async () => {
        const flow = columns({ s: ['a', null], l: [[1], null] })
        await refusal(() => flow.fillNull({ s: { method: 'mean' } }), 'MR_TYPE_MISMATCH')
        await refusal(() => flow.fillNull({ l: { method: 'previous' } }), 'MR_TYPE_MISMATCH')
        await refusal(() => flow.fillNull({ s: { method: 'last' } } as never), 'MR_INVALID_OPTION')
        await refusal(() => flow.fillNull({ t: { method: 'next' } } as never), 'MR_UNKNOWN_COLUMN')
        const late = csv({ text: 's,n\na,1\n,\nb,3\n' }) as Flow
        await refusal(() => late.fillNull({ s: { method: 'linear' } }).collect(o()), 'MR_TYPE_MISMATCH')
        const filled = await late.fillNull({ n: { method: 'linear' }, s: { method: 'next' } }).collect(o())
        expect(filled.toRows()).toEqual([
          { s: 'a', n: 1 },
          { s: 'b', n: 2 },
          { s: 'b', n: 3 },
        ])
      })
    })
  })
}

/** A module of this text, to be imported anywhere. */
const moduleOf = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`

/** Of each cell the one nearest before it, or after it, that is not null, and where. */
function nearest<T>(cells: readonly (T | null)[], method: 'previous' | 'next'): (number | null)[] {
  const found: (number | null)[] = new Array(cells.length).fill(null)
  const step = method === 'previous' ? 1 : -1
  let known: number | null = null
  for (let i = step === 1 ? 0 : cells.length - 1; i >= 0 && i < cells.length; i += step) {
    if (cells[i] !== null) known = i
    found[i] = known
  }
  return found
}

const carriedModel = <T>(cells: readonly (T | null)[], method: 'previous' | 'next'): (T | null)[] =>
  nearest(cells, method).map(at => (at === null ? null : cells[at]))

function linearModel(cells: readonly (number | null)[]): (number | null)[] {
  const [before, after] = [nearest(cells, 'previous'), nearest(cells, 'next')]
  return cells.map((cell, i) => {
    const [left, right] = [before[i], after[i]]
    if (cell !== null || left === null || right === null) return cell
    const [from, to] = [cells[left] as number, cells[right] as number]
    return from + (to - from) * ((i - left) / (right - left))
  })
}
