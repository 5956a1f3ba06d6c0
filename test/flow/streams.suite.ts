/** Rows that come while a flow runs: of generators and streams, as rows, arrays, batches and tables, on every number of lanes. */
import { describe, expect, it } from 'vitest'
import {
  columns,
  count,
  float64,
  int64,
  nullable,
  type RecordBatch,
  schema,
  stream,
  sum,
  Table,
  utf8,
} from '../../src/index.js'
import { onLanes, refusal } from './env.js'

const SHAPE = schema({ id: int64(), city: nullable(utf8()), degrees: float64() })

const rowAt = (id: number) => ({ id, city: id % 5 === 4 ? null : `city ${id % 3}`, degrees: id / 4 })
const rowsAt = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => rowAt(from + i))

/** Rows by themselves, in arrays, and none, in turn. */
async function* mixed(count: number) {
  for (let from = 0; from < count; ) {
    yield rowAt(from)
    yield []
    const to = Math.min(count, from + 1 + (from % 7))
    if (to > from + 1) yield rowsAt(from + 1, to)
    from = to
  }
}

export function streamSuite(lanesList: readonly number[]): void {
  describe('streams of rows', () => {
    onLanes(lanesList, engine => {
      const o = () => ({ engine: engine() })

      it('give every row once, in order', async () => {
        const table = await stream(mixed(1000), { schema: SHAPE }).collect(o())
        expect(table.toRows()).toEqual(rowsAt(0, 1000))
      })

      it('are grouped as rows in hand are', async () => {
        const flow = stream(mixed(3000), { schema: SHAPE })
          .groupBy('city')
          .aggregate(t => ({ n: count(), total: sum(t.degrees) }))
        const expected = new Map<string | null, { n: number; total: number }>()
        for (const { city, degrees } of rowsAt(0, 3000)) {
          const group = expected.get(city) ?? { n: 0, total: 0 }
          expected.set(city, { n: group.n + 1, total: group.total + degrees })
        }
        const rows = (await flow.collect(o())).toRows()
        expect(rows).toEqual([...expected].map(([city, group]) => ({ city, ...group })))
      })

      it('come before those of later inputs where all are collected, through functions of rows one after another too', async () => {
        async function* slow() {
          for await (const item of mixed(20)) {
            await new Promise(resolve => setTimeout(resolve, 1))
            yield item
          }
        }
        const ids = schema({ id: int64() })
        const flow = stream(slow(), { schema: SHAPE })
          .union(columns({ id: [100n, 101n], city: ['x', null], degrees: Float64Array.of(7, 9) }))
          .map((row: any) => row, { schema: SHAPE })
          .fillNull({ degrees: { method: 'linear' } })
          .map((row: any) => ({ id: row.id }), { schema: ids })
        const table = await flow.collect(o())
        expect(table.toRows().map(({ id }) => id)).toEqual([...Array.from({ length: 20 }, (_, i) => i), 100, 101])
      })

      it('are let go of, once, by a job that is aborted as it begins', async () => {
        for (let turns = 0; turns < 25; turns++) {
          let returned = 0
          let ended = () => {}
          const returns = new Promise<void>(resolve => {
            ended = resolve
          })
          const controller = new AbortController()
          const abort = async () => {
            for (let turn = 0; turn < turns; turn++) await null
            controller.abort(null)
          }
          const items = {
            [Symbol.asyncIterator]() {
              void abort()
              return {
                next: () => new Promise<IteratorResult<object>>(() => {}),
                async return() {
                  returned++
                  ended()
                  return { value: undefined, done: true as const }
                },
              }
            },
          }
          const job = stream(items, { schema: SHAPE }).collect({ ...o(), signal: controller.signal })
          await expect(job).rejects.toBeNull()
          await returns
          await new Promise(resolve => setTimeout(resolve))
          expect(returned).toBe(1)
        }
      })

      it('may be a ReadableStream, of batches and tables too', async () => {
        const table = await columns(
          { degrees: Float64Array.of(1, 2, 3), id: [1n, 2n, 3n], city: ['a', null, 'b'] },
          schema({ degrees: float64(), id: int64(), city: nullable(utf8()) }),
        ).collect({ lanes: 0 })
        const [batch] = table.batches as readonly RecordBatch[]
        const items = new ReadableStream<object>({
          start(controller) {
            controller.enqueue(table)
            controller.enqueue(rowAt(7))
            controller.enqueue(batch)
            controller.close()
          },
        })
        const found = await stream(items, { schema: SHAPE }).collect(o())
        expect(found.column('id').toArray()).toEqual(Float64Array.of(1, 2, 3, 7, 1, 2, 3))
        expect(found.column('city').toArray()).toEqual(['a', null, 'b', 'city 1', 'a', null, 'b'])
      })

      it('that are empty give no rows', async () => {
        const table = await stream(mixed(0), { schema: SHAPE }).collect(o())
        expect(table).toBeInstanceOf(Table)
        expect(table.rowCount).toBe(0)
      })

      it('give batches while they go on', async () => {
        let gone = 0
        async function* slow() {
          for (let id = 0; id < 3; id++) {
            yield rowAt(id)
            // Not before the row has come out.
            while (gone <= id) await new Promise(resolve => setTimeout(resolve, 1))
          }
        }
        const seen: number[] = []
        for await (const each of stream(slow(), { schema: SHAPE }).run(o())) {
          for (const { id } of each.toRows()) seen.push(id)
          gone = seen.length
        }
        expect(seen).toEqual([0, 1, 2])
      })

      it('are taken no faster than their rows are', async () => {
        let given = 0
        async function* endless() {
          while (true) yield [rowAt(given++)]
        }
        const job = stream(endless(), { schema: SHAPE }).run(o())
        const iterator = job[Symbol.asyncIterator]()
        await iterator.next()
        let before = -1
        // Once what may wait has been taken nothing more is.
        for (let turns = 0; turns < 100 && given > before; turns++) {
          before = given
          await new Promise(resolve => setTimeout(resolve, 50))
        }
        expect(given).toBe(before)
        await iterator.return?.()
        await job.finished
      })

      it('are let go of when the job ends early', async () => {
        let ended = 0
        async function* endless() {
          try {
            for (let id = 0; ; id++) yield rowAt(id)
          } finally {
            ended++
          }
        }
        const some = await stream(endless(), { schema: SHAPE }).limit(5).collect(o())
        expect(some.rowCount).toBe(5)
        for await (const _ of stream(endless(), { schema: SHAPE }).run(o())) break
        const stopped = stream(endless(), { schema: SHAPE }).run(o())
        for await (const _ of stopped) stopped.stop()
        await stopped.finished
        const abort = new AbortController()
        const job = stream(endless(), { schema: SHAPE })
          .aggregate(() => ({ n: count() }))
          .collect({ ...o(), signal: abort.signal })
        setTimeout(() => abort.abort(new Error('enough')), 20)
        await expect(job).rejects.toThrow('enough')
        await new Promise(resolve => setTimeout(resolve, 20))
        expect(ended).toBe(4)
      })

      it('fail with what they fail of, and after the rows before', async () => {
        async function* broken() {
          yield* rowsAt(0, 3)
          throw new Error('the feed is down')
        }
        const flow = () => stream(broken(), { schema: SHAPE })
        const error = await refusal(() => flow().collect(o()), 'MR_SOURCE_FAILED')
        expect(error.message).toContain('failed after 3 rows: Error: the feed is down')
        expect(error.details).toEqual({ operator: 'stream', row: 3 })
        expect(error.cause).toMatchObject({ message: 'the feed is down' })
        expect((await flow().limit(2).collect(o())).rowCount).toBe(2)
        async function* odd() {
          yield* rowsAt(0, 3)
          yield await columns({ other: Int32Array.of(1) }).collect({ lanes: 0 })
        }
        expect((await stream(odd(), { schema: SHAPE }).limit(3).collect(o())).rowCount).toBe(3)
        await refusal(() => stream(odd(), { schema: SHAPE }).collect(o()), 'MR_TYPE_MISMATCH')
      })

      it('fail of what streams and iterators throw, at once, late or as no error, and of flows as these do', async () => {
        const thrown = new RangeError('of the caller')
        const fail = (): never => {
          throw thrown
        }
        const streams: [unknown, number][] = [
          [new ReadableStream({ pull: fail }), 0],
          [{ [Symbol.asyncIterator]: fail }, 0],
          [{ [Symbol.asyncIterator]: () => ({ next: fail }) }, 0],
          [{ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(thrown) }) }, 0],
        ]
        for (const [items, row] of streams) {
          const error = await refusal(() => stream(items as any, { schema: SHAPE }).collect(o()), 'MR_SOURCE_FAILED')
          expect([error.cause, error.details.row]).toEqual([thrown, row])
        }
        const words = stream(new ReadableStream({ start: controller => controller.error('enough') }), { schema: SHAPE })
        expect((await refusal(() => words.collect(o()), 'MR_SOURCE_FAILED')).cause).toBe('enough')
        const bad = columns({ id: BigInt64Array.of(2n ** 62n, 1n) }).derive(t => ({ id: t.id.mul(t.id) }))
        const read = stream(bad.run({ lanes: 0 }), { schema: schema({ id: int64() }) })
        const inner = await refusal(() => read.collect(o()), 'MR_INTEGER_OVERFLOW')
        expect(inner.details.row).toBe(0)
      })

      it('take columns, and copy what is theirs', async () => {
        const ids = new BigInt64Array(3)
        const degrees = new Float64Array(3)
        async function* packets() {
          for (let packet = 0; packet < 4; packet++) {
            for (let i = 0; i < 3; i++) {
              ids[i] = BigInt(4 * packet + i)
              degrees[i] = (4 * packet + i) / 4
            }
            yield { id: ids, city: [0, 1, 2].map(i => rowAt(4 * packet + i).city), degrees }
            yield rowAt(4 * packet + 3)
          }
          yield { degrees: [], id: [], city: [] }
        }
        const flow = () => stream(packets(), { schema: SHAPE })
        expect((await flow().collect(o())).toRows()).toEqual(rowsAt(0, 16))
        const totals = flow().aggregate(t => ({ n: count(), degrees: sum(t.degrees) }))
        expect((await totals.collect(o())).toRows()).toEqual([{ n: 16, degrees: 30 }])
        expect(
          (
            await flow()
              .aggregate(() => ({ n: count() }))
              .collect(o())
          ).toRows(),
        ).toEqual([{ n: 16 }])
      })

      it('say which row of columns is bad, after those before it', async () => {
        async function* bad() {
          yield rowsAt(0, 3)
          yield { id: [3, 4, 5], city: [null, 'b', 7], degrees: [1, 2, 3] }
        }
        const flow = () => stream(bad() as any, { schema: SHAPE })
        const error = await refusal(() => flow().collect(o()), 'MR_TYPE_MISMATCH')
        expect(error.details).toMatchObject({ operator: 'stream', row: 5, column: 'city' })
        expect(error.message).toContain('row 5')
        expect((await flow().limit(5).collect(o())).rowCount).toBe(5)
        async function* ragged() {
          yield { id: [3, 4], city: [null], degrees: [1, 2] }
        }
        await refusal(() => stream(ragged(), { schema: SHAPE }).collect(o()), 'MR_COLUMN_LENGTH')
      })

      it('say which row is of another type', async () => {
        async function* wrong() {
          yield rowsAt(0, 30)
          await new Promise(resolve => setTimeout(resolve, 5))
          yield [rowAt(30), { ...rowAt(31), degrees: 'mild' }]
        }
        const error = await refusal(() => stream(wrong() as any, { schema: SHAPE }).collect(o()), 'MR_TYPE_MISMATCH')
        expect(error.details).toMatchObject({ row: 31, column: 'degrees' })
      })

      it('of promises are refused by the first, after the rows before it, and what these reject with is heard', async () => {
        const later = async () => {
          throw new Error('heard')
        }
        const shape = schema({ id: nullable(int64()) })
        async function* items() {
          yield { id: 0 }
          yield [{ id: 1 }, later(), later()]
        }
        const given: unknown[] = []
        const job = stream(items() as never, { schema: shape }).subscribe(
          batch => void given.push(...batch.toRows()),
          o(),
        )
        const error = await refusal(() => job.finished, 'MR_TYPE_MISMATCH')
        expect(error.message).toContain('row 2 is a promise')
        expect(given).toEqual([{ id: 0 }, { id: 1 }])
        const chunks = new ReadableStream({
          start(controller) {
            controller.enqueue(later())
            controller.close()
          },
        })
        await refusal(() => stream(chunks as never, { schema: shape }).collect(o()), 'MR_TYPE_MISMATCH')
      })

      it('can be read once', async () => {
        const flow = stream(mixed(10), { schema: SHAPE })
        await flow.collect(o())
        await refusal(() => flow.collect(o()), 'MR_SOURCE_CONSUMED')
      })
    })

    it('are refused where they are none, or without a schema', async () => {
      await refusal(() => stream([1, 2] as any, { schema: SHAPE }), 'MR_INVALID_OPTION')
      await refusal(() => stream(mixed(1), {} as any), 'MR_INVALID_OPTION')
      await refusal(() => stream(mixed(1), { schema: SHAPE, shape: 1 } as any), 'MR_INVALID_OPTION')
    })
  })
}
