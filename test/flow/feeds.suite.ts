/** Rows that are pushed while a flow runs, on every number of lanes: what comes out, how fast it may come in, and that nothing is left when a job ends. */
import { describe, expect, it } from 'vitest'
import {
  channel,
  collectAll,
  count,
  createEngine,
  type Flow,
  float64,
  int8,
  int64,
  literal,
  nullable,
  type RecordBatch,
  runAll,
  schema,
  stream,
  sum,
  timestamp,
  tumbling,
  utf8,
} from '../../src/index.js'
import { onLanes, refusal, until } from './env.js'

const SHAPE = schema({ id: int64(), city: nullable(utf8()), degrees: float64() })

const rowAt = (id: number) => ({ id, city: id % 5 === 4 ? null : `city ${id % 3}`, degrees: id / 4 })
const timed = (flow: Flow<typeof SHAPE>) =>
  flow.derive(t => ({ time: t.id.cast(timestamp()) })).watermark('time', { delay: '1 day' })

/** Flows over what is pushed, each of which tells how many rows there were: by the sum of `n`, or where there is none by its own. */
const STOPPED: Record<string, (flow: Flow<typeof SHAPE>, other: Flow<typeof SHAPE>) => Flow<any>> = {
  'rows as they are': flow => flow,
  'columns of them': flow => flow.derive(() => ({ n: literal(1) })),
  'rows that a filter leaves': flow => flow.filter(t => t.degrees.gt(-1)).derive(() => ({ n: literal(1) })),
  'groups of windows': flow =>
    timed(flow)
      .window(tumbling('7ms'))
      .groupBy('city')
      .aggregate(() => ({ n: count() })),
  'what a function makes': flow => flow.map(row => ({ n: row.id < 0 ? 0 : 1 }), { schema: schema({ n: float64() }) }),
  'two of them': (flow, other) => flow.union(other).derive(() => ({ n: literal(1) })),
  'windows of two of them': (flow, other) =>
    timed(flow)
      .union(timed(other))
      .window(tumbling('7ms'))
      .aggregate(() => ({ n: count() })),
}

const rowsAt = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => rowAt(from + i))

export function feedSuite(lanesList: readonly number[]): void {
  describe('channels', () => {
    onLanes(lanesList, engine => {
      const o = () => ({ engine: engine() })

      it('give what is pushed, before and while they are run', async () => {
        const feed = channel(SHAPE)
        feed.push(rowsAt(0, 100))
        const table = feed.flow.collect(o())
        for (let id = 100; id < 2000; id++) await feed.push(rowAt(id))
        await feed.push({
          id: BigInt64Array.of(2000n, 2001n),
          city: rowsAt(2000, 2002).map(({ city }) => city),
          degrees: [500, 500.25],
        })
        feed.close()
        expect((await table).toRows()).toEqual(rowsAt(0, 2002))
        expect(feed).toMatchObject({ dropped: 0, waiting: 0, isClosed: true })
      })

      it('give each row at once', async () => {
        const feed = channel(SHAPE)
        const seen: number[] = []
        feed.push(rowAt(0))
        for await (const batch of feed.flow.run(o())) {
          for (const { id } of batch) seen.push(id)
          if (seen.length < 5) feed.push(rowAt(seen.length))
          else feed.close()
        }
        expect(seen).toEqual([0, 1, 2, 3, 4])
      })

      it('give each row at once through a function of the caller', async () => {
        const feed = channel(SHAPE)
        const seen: number[] = []
        feed.push(rowAt(0))
        const twice = feed.flow.map(row => ({ id: row.id * 2 }), { schema: schema({ id: int64() }) })
        for await (const batch of twice.run(o())) {
          for (const { id } of batch) seen.push(id)
          if (seen.length < 5) feed.push(rowAt(seen.length))
          else feed.close()
        }
        expect(seen).toEqual([0, 2, 4, 6, 8])
      })

      it('slow whoever pushes while nobody takes what comes out', async () => {
        const feed = channel(SHAPE, { capacity: 100 })
        let pushed = 0
        const job = feed.flow.run(o())
        const iterator = job[Symbol.asyncIterator]()
        const pushing = (async () => {
          while (!feed.isClosed) {
            await feed.push(rowsAt(pushed, pushed + 10))
            pushed += 10
          }
        })()
        await iterator.next()
        let before = -1
        for (let turns = 0; turns < 100 && pushed > before; turns++) {
          before = pushed
          await new Promise(resolve => setTimeout(resolve, 30))
        }
        expect(pushed).toBe(before)
        await iterator.return?.()
        await job.finished
        await pushing
      })

      it('end with stop, and let those go who push', async () => {
        const feed = channel(SHAPE, { capacity: 10 })
        const job = feed.flow
          .select('id')
          .aggregate(t => ({ n: count(), total: sum(t.id) }))
          .run(o())
        let pushed = 0
        const pushing = (async () => {
          for (; !feed.isClosed; pushed++) await feed.push(rowAt(pushed))
        })()
        const sums: { n: number; total: number | null }[] = []
        setTimeout(() => job.stop(), 30)
        for await (const batch of job) sums.push(...batch.toRows())
        const { n, total } = sums[sums.length - 1] as { n: number; total: number }
        expect(total).toBe((n * (n - 1)) / 2)
        await pushing
        // Whatever has been taken has come out.
        expect(n).toBe(pushed)
        await refusal(() => feed.push(rowAt(0)), 'MR_CLOSED')
      })

      it.each(Object.entries(STOPPED))('give all that was taken to a job that is stopped: %s', async (_, flowOf) => {
        for (const count of [3, 40_000]) {
          for (const isStarted of [false, true]) {
            const [feed, other] = [channel(SHAPE, { capacity: 2 ** 31 - 1 }), channel(SHAPE)]
            const given = rowsAt(0, count)
            feed.push(given)
            const job = flowOf(feed.flow, other.flow).run(o())
            // Before it has read anything, or while it waits for its reader or for more.
            if (isStarted) await until(() => job.metrics().rows > 0, 20_000)
            if (isStarted) feed.push(given)
            job.stop()
            let total = 0
            for await (const batch of job) for (const { n } of batch.toRows()) total += n === undefined ? 1 : Number(n)
            expect(total).toBe(count * (isStarted ? 2 : 1))
            await job.finished
            await refusal(() => feed.push(rowAt(0)), 'MR_CLOSED')
          }
        }
      })

      it('give each of several sinks all that was taken', async () => {
        const feed = channel(SHAPE)
        const totals = [0, 0]
        const sinkOf = (i: number) => async (batch: RecordBatch) => {
          // Slower than rows come.
          await new Promise(resolve => setTimeout(resolve, 5))
          totals[i] += batch.rowCount
        }
        const flows = { all: feed.flow, most: feed.flow.filter(t => t.id.gt(9)) }
        const job = runAll(flows, { all: sinkOf(0), most: sinkOf(1) }, o())
        for (let i = 0; i < 30; i++) await feed.push(rowsAt(0, 1_000))
        job.stop()
        await job.finished
        expect(totals).toEqual([30_000, 29_700])
        expect((await refusal(() => feed.push(rowAt(0)), 'MR_CLOSED')).message).toContain(
          'the job that read it has ended',
        )
      })

      it('let those go who push when the job is left, aborted, limited or fails', async () => {
        const pushTo = async (feed: ReturnType<typeof channel<typeof SHAPE>>, onTaken = () => {}) => {
          for (let id = 0; !feed.isClosed; id++) {
            await feed.push(rowAt(id))
            if (id === 10) onTaken()
          }
        }
        const left = channel(SHAPE, { capacity: 3 })
        const pushing = [pushTo(left)]
        for await (const _ of left.flow.run(o())) break
        const limited = channel(SHAPE, { capacity: 3 })
        pushing.push(pushTo(limited))
        expect((await limited.flow.limit(7).collect(o())).toRows()).toEqual(rowsAt(0, 7))
        const aborted = channel(SHAPE, { capacity: 3 })
        const controller = new AbortController()
        // Before a job has begun to read it a channel only waits.
        pushing.push(pushTo(aborted, () => controller.abort(new Error('enough'))))
        const job = aborted.flow.aggregate(() => ({ n: count() })).collect({ ...o(), signal: controller.signal })
        await expect(job).rejects.toThrow('enough')
        const failing = channel(SHAPE, { capacity: 3 })
        pushing.push(pushTo(failing))
        const overflowing = failing.flow.derive(t => ({
          big: t.id
            .add(2 ** 52)
            .mul(1000)
            .mul(100),
        }))
        await refusal(() => overflowing.collect(o()), 'MR_INTEGER_OVERFLOW')
        await Promise.all(pushing)
      })

      it('let those go who push when the job ends before it has opened them', async () => {
        const aborted = () => ({ ...o(), signal: AbortSignal.abort(new Error('early')) })
        const lost = () => stream(new ReadableStream({ pull: c => c.error(1) }), { schema: schema({ city: utf8() }) })
        const none = () => {}
        const closed = await createEngine({ lanes: 0 })
        await closed.close()
        const ends: ((flow: Flow<typeof SHAPE>) => Promise<unknown>)[] = [
          flow => flow.collect(aborted()),
          flow => flow.load(aborted()),
          flow => flow.filter(t => t.id.gt(0)).subscribe(none, aborted()).finished,
          flow => flow.live(aborted()).finished,
          flow => collectAll({ flow }, aborted()),
          flow => flow.map(row => row, { schema: SHAPE }).run(aborted()).finished,
          flow => runAll({ a: flow, b: flow.select('id') }, { a: none, b: none }, aborted()).finished,
          async flow =>
            flow
              .filter(t => t.id.gt(0))
              .run(o())
              [Symbol.asyncDispose](),
          flow => flow.join(lost(), 'city').run(o()).finished,
          flow => flow.collect({ engine: closed }),
        ]
        for (const [i, end] of ends.entries()) {
          const feed = channel(SHAPE, { capacity: 1 })
          const pushed = feed.push(rowsAt(0, 2))
          await end(feed.flow).catch(() => {})
          await pushed
          expect({ i, isClosed: feed.isClosed }).toEqual({ i, isClosed: true })
          await refusal(() => feed.push(rowAt(2)), 'MR_CLOSED')
        }
        // What is refused for its options has not begun.
        const feed = channel(SHAPE)
        await refusal(() => feed.flow.collect({ lanes: -1 }), 'MR_INVALID_OPTION')
        feed.push(rowAt(0))
        feed.close()
        expect((await feed.flow.collect(o())).rowCount).toBe(1)
      })

      it('are collected up to a limit once so many rows have come', async () => {
        for (let i = 0; i < 12; i++) {
          const feed = channel(SHAPE)
          const first = feed.flow.filter(t => t.id.gte(0)).limit(3000)
          const found = i % 2 === 0 ? first.collect(o()) : first.aggregate(() => ({ n: count() })).collect(o())
          for (let id = 0; id < 3000; id += 50) {
            feed.push(rowsAt(id, id + 50))
            if (id % 500 === 0) await new Promise(resolve => setTimeout(resolve, i % 3))
          }
          const table = await found
          if (i % 2 === 0) expect(table.rowCount).toBe(3000)
          else expect(table.toRows()).toEqual([{ n: 3000 }])
        }
      })

      it('give their first rows as they come, and no failure behind these', async () => {
        const feed = channel(SHAPE)
        const third = feed.flow.filter(t => t.id.mod(2).eq(0)).limit(3, 1)
        const batches = third.run(o())[Symbol.asyncIterator]()
        const given: unknown[] = []
        for (let id = 0; id < 8; id += 2) {
          const next = id === 0 ? null : batches.next()
          await feed.push([rowAt(id), rowAt(id + 1)])
          // Were they kept, this would wait for ever.
          given.push(...((await next)?.value?.toRows() ?? []))
        }
        expect(given).toEqual([2, 4, 6].map(rowAt))
        expect((await batches.next()).done).toBe(true)
        await refusal(() => feed.push(rowAt(9)), 'MR_CLOSED')

        const failing = (rows: number, limit: number) => {
          const own = channel(SHAPE)
          const some = own.flow.derive(t => ({ small: t.id.cast(int8()) })).limit(limit)
          void own.push(Array.from({ length: rows }, (_, i) => rowAt(125 + i))).then(
            () => own.close(),
            () => {},
          )
          return some.run(o())
        }
        const idsOf = async (job: ReturnType<typeof failing>) => {
          const ids: number[] = []
          for await (const batch of job) ids.push(...batch.column('id').toArray())
          return ids
        }
        const enough = failing(9, 3)
        expect(await idsOf(enough)).toEqual([125, 126, 127])
        await enough.finished
        await refusal(() => idsOf(failing(9, 4)), 'MR_INTEGER_OVERFLOW')
        expect(await idsOf(failing(2, 4))).toEqual([125, 126])
        expect(await idsOf(failing(9, 0))).toEqual([])
      })

      it('fail with what they are closed with, after the rows before', async () => {
        const feed = channel(SHAPE)
        feed.push(rowsAt(0, 3))
        feed.close(new Error('the pump is dry'))
        const seen: number[] = []
        const reading = (async () => {
          for await (const batch of feed.flow.run(o())) for (const { id } of batch) seen.push(id)
        })()
        await expect(reading).rejects.toThrow('the pump is dry')
        expect(seen).toEqual([0, 1, 2])
      })

      it('fail after the rows before, however slowly these are taken', async () => {
        const plain = channel(SHAPE)
        const changing = channel(SHAPE)
        const flows: [typeof plain, Flow<any>][] = [
          [plain, plain.flow],
          [changing, changing.flow.groupBy('id').aggregate(() => ({ n: count() }))],
        ]
        for (const [feed, flow] of flows) {
          const job = flow.run(o())
          const seen: number[] = []
          const reading = (async () => {
            for await (const batch of job) {
              await job.finished.catch(() => {})
              for (const { id } of batch) seen.push(id)
            }
          })()
          reading.catch(() => {})
          // A batch each, since each is waited for.
          for (let id = 0; id < 8; id++) {
            feed.push(rowAt(id))
            await until(() => feed.waiting === 0, 2000)
          }
          feed.close(new Error('the pump is dry'))
          await expect(reading).rejects.toThrow('the pump is dry')
          expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
        }
      })

      it('are read once where what several flows have of them is made by functions of the caller', async () => {
        const feed = channel(SHAPE)
        const ids = feed.flow.map(({ id }) => ({ id: id + 1 }), { schema: schema({ id: int64() }) })
        const found: Record<string, object[]> = { all: [], some: [], more: [], both: [], sums: [] }
        const into = (name: string) => (batch: RecordBatch) => void found[name]?.push(...batch.toRows())
        const job = runAll(
          {
            all: feed.flow.select('id'),
            some: ids.filter(t => t.id.mod(2).eq(0)),
            more: ids.flatMap(row => [row, row], { schema: schema({ id: int64() }) }),
            both: feed.flow.select('id').union(feed.flow.filterRows(({ id }) => id < 10).select('id')),
          },
          Object.fromEntries(['all', 'some', 'more', 'both'].map(name => [name, into(name)])) as never,
          o(),
        )
        for (let id = 0; id < 300; id++) await feed.push(rowAt(id))
        feed.close()
        await job.finished
        const upTo = (end: number, from = 0) => Array.from({ length: end - from }, (_, i) => ({ id: from + i }))
        const byId = (rows: readonly object[] = []) => [...rows].sort((a: any, b: any) => a.id - b.id)
        expect(found.all).toEqual(upTo(300))
        expect(found.some).toEqual(upTo(301, 1).filter(({ id }) => id % 2 === 0))
        expect(found.more).toEqual(upTo(301, 1).flatMap(row => [row, row]))
        expect(byId(found.both)).toEqual(byId([...upTo(300), ...upTo(10)]))

        const alone = channel(SHAPE)
        const sums = alone.flow
          .select('id')
          .union(alone.flow.map(({ id }) => ({ id }), { schema: schema({ id: int64() }) }))
          .aggregate(t => ({ n: count(), total: sum(t.id) }))
        const last = sums.subscribe(into('sums'), o())
        for (let id = 0; id < 20; id++) await alone.push(rowAt(id))
        alone.close()
        await last.finished
        expect(found.sums?.at(-1)).toEqual({ n: 40, total: 380 })
      })

      it('are read once, by several flows together if need be', async () => {
        const feed = channel(SHAPE)
        feed.push(rowsAt(0, 50))
        feed.close()
        const sums: object[] = []
        const all: object[] = []
        await runAll(
          {
            sums: feed.flow.select('id').aggregate(t => ({ n: count(), total: sum(t.id) })),
            all: feed.flow.select('id'),
          },
          { sums: batch => void sums.push(...batch.toRows()), all: batch => void all.push(...batch.toRows()) },
          o(),
        ).finished
        expect(sums).toEqual([{ n: 50, total: 1225 }])
        expect(all.length).toBe(50)
        await refusal(() => feed.flow.collect(o()), 'MR_SOURCE_CONSUMED')
      })
    })
  })

  describe('endless async iterables', () => {
    onLanes(lanesList, engine => {
      it('give their rows before a bad one, and are let go of then', async () => {
        let ended = 0
        async function* wrong() {
          try {
            yield rowsAt(0, 3)
            yield [rowAt(3), { ...rowAt(4), degrees: 'mild' }]
            while (true) yield rowAt(5)
          } finally {
            ended++
          }
        }
        const seen: number[] = []
        const reading = (async () => {
          for await (const batch of stream(wrong() as any, { schema: SHAPE }).run({ engine: engine() }))
            for (const { id } of batch) seen.push(id)
        })()
        await expect(reading).rejects.toMatchObject({ code: 'MR_TYPE_MISMATCH', details: { row: 4 } })
        expect(seen).toEqual([0, 1, 2, 3])
        await until(() => ended === 1, 2000)
      })

      it('that wait for ever hold no job', async () => {
        let asked = 0
        let returned = 0
        const silent = {
          [Symbol.asyncIterator]: () => ({
            next() {
              asked++
              return new Promise<IteratorResult<object>>(() => {})
            },
            async return() {
              returned++
              return { value: undefined, done: true as const }
            },
          }),
        }
        const stopped = stream(silent, { schema: SHAPE })
          .aggregate(() => ({ n: count() }))
          .run({ engine: engine() })
        void until(() => asked === 1, 2000).then(() => stopped.stop())
        const rows: object[] = []
        for await (const batch of stopped) rows.push(...batch.toRows())
        expect(rows).toEqual([{ n: 0 }])
        const controller = new AbortController()
        const aborted = stream(silent, { schema: SHAPE }).collect({ engine: engine(), signal: controller.signal })
        void until(() => asked === 2, 2000).then(() => controller.abort(new Error('enough')))
        await expect(aborted).rejects.toThrow('enough')
        await until(() => returned === 2, 2000)
      })
    })
  })

  describe('a channel', () => {
    it('is refused without a schema, and with other options', async () => {
      await refusal(() => channel({}), 'MR_INVALID_OPTION')
      await refusal(() => channel(null as any), 'MR_INVALID_OPTION')
      await refusal(() => channel({ id: 'int32' } as any), 'MR_TYPE_MISMATCH')
      await refusal(() => channel(SHAPE, { capacity: 0 }), 'MR_INVALID_OPTION')
      await refusal(() => channel(SHAPE, { whenFull: 'wait' as any }), 'MR_INVALID_OPTION')
      await refusal(() => channel(SHAPE, { size: 4 } as any), 'MR_INVALID_OPTION')
    })
  })
}
