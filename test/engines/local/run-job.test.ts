// Jobs whose batches are taken one by one: their order, how far they read ahead, and every way to leave one.
import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openColumns } from '../../../src/columnar/input.js'
import { MORSEL_ROWS } from '../../../src/columnar/record-batch.js'
import {
  channel,
  columns,
  count,
  createEngine,
  type Engine,
  Flow,
  type Int32,
  int32,
  schema,
  sum,
} from '../../../src/index.js'
import { sourceNode } from '../../../src/plan/build.js'
import { inputSource } from '../../../src/sources/memory.js'
import { refusal } from '../../flow/env.js'

const SPLIT_ROWS = 2 * MORSEL_ROWS
/** Few enough for splits to be of two morsels. */
const SPLITS = 31
const data = { id: Int32Array.from({ length: SPLITS * SPLIT_ROWS }, (_, i) => i) }

/** A flow over all rows, and how many splits of it have been read. */
function watched() {
  let read = 0
  const source = inputSource('watched', openColumns(data).schema, () => {
    const input = openColumns(data)
    return {
      schema: input.schema,
      rowCount: input.rowCount,
      read: (from, to, names) => {
        if (from % SPLIT_ROWS === 0) read++
        return input.read(from, to, names)
      },
    }
  })
  const flow = new Flow<{ id: Int32 }>(sourceNode(1, 'watched', source.schema), new Map([[1, source]]))
  return { flow, read: () => read }
}
const numbered = () => columns(data)
const turn = (ms = 20) => new Promise(resolve => setTimeout(resolve, ms))

for (const lanes of [0, 2]) {
  describe(lanes === 0 ? 'a run inline' : `a run on ${lanes} lanes`, () => {
    let engine: Engine
    beforeAll(async () => {
      engine = await createEngine({ lanes })
    })
    afterAll(() => engine.close())

    const works = async () => {
      const table = await columns({ x: Float64Array.of(1, 2) })
        .aggregate(t => ({ n: count(), total: sum(t.x) }))
        .collect({ engine })
      expect(table.toRows()).toEqual([{ n: 2, total: 3 }])
    }

    it('gives every row once, in order', async () => {
      const job = numbered()
        .filter(t => t.id.mod(3).eq(0))
        .run({ engine })
      let next = 0
      for await (const batch of job) {
        const ids = batch.column('id').toArray() as Int32Array
        expect(ids[0]).toBe(next)
        expect(ids[ids.length - 1]).toBe(next + 3 * (ids.length - 1))
        next += 3 * ids.length
      }
      expect(next).toBe(3 * Math.ceil(data.id.length / 3))
      await job.finished
      expect(job.metrics()).toMatchObject({ rows: data.id.length, totalRows: data.id.length })
    })

    it('reads ahead of its reader by a bounded number of splits, and goes on with it', async () => {
      const { flow, read } = watched()
      const job = flow.run({ engine })
      let taken = 0
      let most = 0
      for await (const batch of job) {
        taken += batch.rowCount
        if (taken % (4 * SPLIT_ROWS) === 0) await turn()
        most = Math.max(most, read() - taken / SPLIT_ROWS)
      }
      expect(taken).toBe(data.id.length)
      expect(read()).toBe(SPLITS)
      // 16 batches of half a split each, and what lanes had in hand when these were full.
      expect(most).toBeLessThanOrEqual(8 + 2 * Math.max(1, lanes) + 8)
      await job.finished
    })

    it('nobody who looks at it: it reads no further, until it is disposed of', async () => {
      const { flow, read } = watched()
      const job = flow.run({ engine })
      await turn(200)
      expect(read()).toBeLessThan(SPLITS)
      await job[Symbol.asyncDispose]()
      await job.finished
      await works()
    })

    it('stopped, it gives what it has read and ends', async () => {
      const { flow, read } = watched()
      const job = flow.run({ engine })
      let taken = 0
      for await (const batch of job) {
        taken += batch.rowCount
        job.stop()
      }
      await job.finished
      expect(taken).toBe(read() * SPLIT_ROWS)
      expect(read()).toBeLessThan(SPLITS)
    })

    it('stopped before it began, it gives little and ends', async () => {
      const { flow, read } = watched()
      const job = flow.run({ engine })
      job.stop()
      let taken = 0
      for await (const batch of job) taken += batch.rowCount
      expect(taken).toBe(read() * SPLIT_ROWS)
      expect(read()).toBeLessThanOrEqual(2 * Math.max(1, lanes))
      job.stop()
    })

    it('left by break, return or an exception, it ends without one', async () => {
      for (const leave of ['break', 'throw', 'return']) {
        const { flow, read } = watched()
        const job = flow.run({ engine })
        const thrown = new Error('in the loop')
        const reading = async () => {
          for await (const batch of job) {
            expect(batch.rowCount).toBeGreaterThan(0)
            if (leave === 'throw') throw thrown
            if (leave === 'return') return
            break
          }
        }
        if (leave === 'throw') await expect(reading()).rejects.toBe(thrown)
        else await reading()
        await job.finished
        expect(read()).toBeLessThan(SPLITS)
      }
      await works()
    })

    it('left before it has begun, or while it waits for rows of a feed, it ends', async () => {
      const unread = numbered().run({ engine })
      await unread[Symbol.asyncIterator]().return?.()
      await unread.finished
      const shape = schema({ id: int32() })
      for (const leave of [
        (batches: AsyncIterator<unknown>) => batches.return?.(),
        (batches: AsyncIterator<unknown>) => {
          const waiting = batches.next()
          return Promise.all([waiting, turn().then(() => batches.return?.())])
        },
        (batches: AsyncIterator<unknown>) => {
          const readable = Readable.from({ [Symbol.asyncIterator]: () => batches }).resume()
          return turn().then(() => readable.destroy())
        },
      ]) {
        for (const of of [(flow: Flow) => flow, (flow: Flow) => flow.union(flow), (flow: Flow) => flow.limit(5)]) {
          const feed = channel(shape)
          const job = of(feed.flow).run({ engine })
          await leave(job[Symbol.asyncIterator]())
          await job.finished
          expect(() => feed.push({ id: 1 })).toThrow('the job that read it has ended')
        }
      }
      await works()
    })

    it('disposed of halfway, it is over for whoever still reads', async () => {
      const job = numbered().run({ engine })
      const batches = job[Symbol.asyncIterator]()
      expect((await batches.next()).done).toBe(false)
      await job[Symbol.asyncDispose]()
      expect(await batches.next()).toEqual({ done: true, value: undefined })
      await job.finished
      await job[Symbol.asyncDispose]()
    })

    it('aborted, it rejects with the reason, for those that iterate and those that wait, and gives no more', async () => {
      const controller = new AbortController()
      const job = numbered().run({ engine, signal: controller.signal })
      const reason = { why: 'enough' }
      let taken = 0
      const reading = async () => {
        for await (const batch of job) {
          taken += batch.rowCount
          if (taken <= MORSEL_ROWS) {
            await turn()
            controller.abort(reason)
            await turn()
          }
        }
      }
      await expect(reading()).rejects.toBe(reason)
      await expect(job.finished).rejects.toBe(reason)
      expect(taken).toBe(MORSEL_ROWS)
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
      await works()
    })

    it('aborted before it began, it rejects too, and nobody need catch it', async () => {
      const job = numbered().run({ engine, signal: AbortSignal.abort('never') })
      await turn()
      await expect(job.finished).rejects.toBe('never')
      await expect(job[Symbol.asyncIterator]().next()).rejects.toBe('never')
    })

    it('may be iterated once', async () => {
      const job = columns({ x: Float64Array.of(1) }).run({ engine })
      for await (const batch of job) expect(batch.rowCount).toBe(1)
      await refusal(async () => {
        for await (const batch of job) expect(batch).toBeNull()
      }, 'MR_SOURCE_CONSUMED')
      await job.finished
    })

    it('a row that fails is told after the rows before it', async () => {
      const n = BigInt64Array.from({ length: 3 * SPLIT_ROWS }, (_, i) => (i === 2 * SPLIT_ROWS + 5 ? 2n ** 62n : 1n))
      const job = columns({ n })
        .derive(t => ({ twice: t.n.mul(2) }))
        .run({ engine })
      let taken = 0
      const error = await refusal(async () => {
        for await (const batch of job) taken += batch.rowCount
      }, 'MR_INTEGER_OVERFLOW')
      expect(error.details.row).toBe(2 * SPLIT_ROWS + 5)
      expect(taken).toBe(2 * SPLIT_ROWS + 5)
      await refusal(() => job.finished, 'MR_INTEGER_OVERFLOW')
      await works()
    })

    it('what is gathered first comes whole, in order', async () => {
      const job = numbered()
        .filter(t => t.id.gte(data.id.length - 100_000))
        .orderBy('id')
        .run({ engine })
      let next = data.id.length - 100_000
      for await (const batch of job) {
        expect(batch.at(0)?.id).toBe(next)
        next += batch.rowCount
      }
      expect(next).toBe(data.id.length)
    })

    it('an exception in onProgress is what it rejects with', async () => {
      const thrown = new Error('of the caller')
      const job = columns({ x: Float64Array.of(1) }).run({
        engine,
        onProgress() {
          throw thrown
        },
      })
      await expect(job.finished).rejects.toBe(thrown)
    })

    it('a thousand left, aborted and disposed of leave no listener, and lanes that work', async () => {
      const small = { x: Float64Array.from({ length: 1000 }, (_, i) => i) }
      const controller = new AbortController()
      for (let i = 0; i < 1000; i++) {
        const own = new AbortController()
        const job = columns(small).run({ engine, signal: i % 2 === 0 ? own.signal : controller.signal })
        if (i % 4 === 0) {
          own.abort('now')
          await expect(job.finished).rejects.toBe('now')
        } else if (i % 4 === 1) {
          await job[Symbol.asyncDispose]()
        } else if (i % 4 === 2) {
          for await (const _ of job) break
          await job.finished
        } else {
          for await (const batch of job) expect(batch.rowCount).toBe(1000)
        }
        expect(getEventListeners(own.signal, 'abort')).toHaveLength(0)
      }
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
      await works()
    })
  })
}
