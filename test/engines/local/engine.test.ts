// Engines: when their lanes begin and end, that one pool serves all jobs until it fails, and what waiting can be cut short.
import { getEventListeners } from 'node:events'
import { Worker } from 'node:worker_threads'
import { workerSource } from 'virtual:millrace/worker'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hiddenEngine, LocalEngine } from '../../../src/engines/local/engine.js'
import { columns, configure, count, createEngine, sum } from '../../../src/index.js'
import type { Pool } from '../../../src/workers/pool.js'
import { refusal, until } from '../../flow/env.js'
import { turns } from './support.js'

const workers: Worker[] = []
let makeSource = () => workerSource
const live = () => workers.filter(({ threadId }) => threadId >= 0).length
const referenced = () => workers.filter(worker => worker.threadId >= 0 && refs.get(worker)).length
/** Whether a worker keeps the process alive, as last told. */
const refs = new Map<Worker, boolean>()

beforeEach(() => {
  configure({
    worker: () => {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(makeSource())}`))
      const { ref, unref } = worker
      refs.set(worker, true)
      worker.ref = () => {
        refs.set(worker, true)
        return ref.call(worker)
      }
      worker.unref = () => {
        refs.set(worker, false)
        return unref.call(worker)
      }
      workers.push(worker)
      return worker
    },
  })
})
afterEach(async () => {
  vi.useRealTimers()
  configure({})
  makeSource = () => workerSource
  await until(() => live() === 0, 5000)
})

const some = (rowCount = 1000) => columns({ x: Float64Array.from({ length: rowCount }, (_, i) => i) })
const total = (rowCount = 1000) => some(rowCount).aggregate(t => ({ n: count(), total: sum(t.x) }))
const asks = async (engine: LocalEngine, rowCount = 1000) => {
  const table = await total(rowCount).collect({ engine })
  expect(table.at(0)).toEqual({ n: rowCount, total: (rowCount * (rowCount - 1)) / 2 })
}

describe('an engine', () => {
  it('opens one pool, however many ask at once, and keeps it', async () => {
    const engine = new LocalEngine(1, undefined)
    const pools = await Promise.all([engine.open(), engine.open(), engine.open()])
    await asks(engine)
    expect(new Set([...pools, await engine.open()]).size).toBe(1)
    expect(live()).toBe(1)
    await engine.close()
    await engine.close()
    await engine[Symbol.asyncDispose]()
  })

  it('replaces a pool that has failed, by one, however many ask at once', async () => {
    const engine = new LocalEngine(1, undefined)
    const first = await engine.open()
    await first.close(new Error('failed'))
    const pools = await Promise.all([engine.open(), engine.open(), asks(engine).then(() => engine.open())])
    expect(new Set(pools).size).toBe(1)
    expect(pools[0]).not.toBe(first)
    expect(live()).toBe(1)
    await engine.close()
  })

  it('that could not open its pool tries again', async () => {
    configure({ kernels: Uint8Array.of(1) })
    const engine = new LocalEngine(0, undefined)
    await refusal(() => engine.open(), 'MR_VERSION_MISMATCH')
    await refusal(() => total().collect({ engine }), 'MR_VERSION_MISMATCH')
    configure({})
    await asks(engine)
    await engine.close()
  })

  it('closed while it opens leaves no worker, and says so', async () => {
    const engine = new LocalEngine(2, undefined)
    const opening = engine.open()
    const job = total().collect({ engine })
    const refused = Promise.all([refusal(() => opening, 'MR_CLOSED'), refusal(() => job, 'MR_CLOSED')])
    await engine.close()
    await refused
    expect(live()).toBe(0)
    await refusal(() => engine.open(), 'MR_CLOSED')
  })

  it('closed with a job under way rejects it, inline too, and frees what the job had', async () => {
    for (const lanes of [0, 1]) {
      const engine = new LocalEngine(lanes, undefined)
      await engine.open()
      const closing: Promise<void>[] = []
      const job = total(1_500_000).collect({ engine, onProgress: () => closing.push(engine.close()) })
      await refusal(() => job, 'MR_CLOSED')
      await Promise.all(closing)
      expect(closing.length).toBeGreaterThan(0)
    }
  })

  it('holds a process alive while a job runs, and not before or after', async () => {
    const engine = new LocalEngine(1, undefined)
    await engine.open()
    expect(referenced()).toBe(0)
    let during = -1
    await total(300_000).collect({ engine, onProgress: () => (during = referenced()) })
    expect(during).toBe(1)
    await turns()
    expect(referenced()).toBe(0)
    await engine.close()
  })

  it('lets the process go also where a job ended before it began, while another was running', async () => {
    const engine = new LocalEngine(1, undefined)
    await engine.open()
    const controller = new AbortController()
    const running = total(300_000).collect({ engine })
    const aborted = total().collect({ engine, signal: controller.signal })
    controller.abort('no')
    await expect(aborted).rejects.toBe('no')
    await running
    await until(() => referenced() === 0, 5000)
    await engine.close()
  })
})

describe('waiting for lanes', () => {
  it('ends with the signal, though the pool never opens', async () => {
    makeSource = () => 'setInterval(() => {}, 1000) // and never a word'
    const engine = new LocalEngine(1, undefined)
    const controller = new AbortController()
    const job = total().collect({ engine, signal: controller.signal })
    await new Promise(resolve => setTimeout(resolve, 20))
    const reason = new Error('tired of waiting')
    controller.abort(reason)
    await expect(job).rejects.toBe(reason)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    await engine.close()
    expect(live()).toBe(0)
  })

  it('aborted while lanes open, the next job has them', async () => {
    const engine = new LocalEngine(1, undefined)
    const controller = new AbortController()
    const job = total().collect({ engine, signal: controller.signal })
    controller.abort('changed my mind')
    await expect(job).rejects.toBe('changed my mind')
    await asks(engine)
    expect(live()).toBe(1)
    await until(() => referenced() === 0, 5000)
    await engine.close()
  })
})

describe('a hidden engine', () => {
  const IDLE_MS = 5_000
  const fakeTimers = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const withPool = async (engine: LocalEngine): Promise<Pool> => {
    await asks(engine)
    await turns()
    return engine.open()
  }

  it('is shared by those that ask for the same', () => {
    expect(hiddenEngine(3)).toBe(hiddenEngine(3))
    expect(hiddenEngine(3)).not.toBe(hiddenEngine(2))
  })

  it('ends its lanes five seconds after its last job, and opens others for the next', async () => {
    fakeTimers()
    const engine = new LocalEngine(0, undefined, IDLE_MS)
    const first = await withPool(engine)
    vi.advanceTimersByTime(4_000)
    expect(await withPool(engine)).toBe(first)
    vi.advanceTimersByTime(4_999)
    expect(first.failure).toBeNull()
    vi.advanceTimersByTime(1)
    await turns()
    expect(first.failure).toMatchObject({ code: 'MR_CLOSED' })
    expect(await withPool(engine)).not.toBe(first)
  })

  it('keeps its lanes as long as they hold rows', async () => {
    fakeTimers()
    const engine = new LocalEngine(0, undefined, IDLE_MS)
    const loaded = await some().load({ engine })
    await turns()
    vi.advanceTimersByTime(60_000)
    await turns()
    const other = await some().load({ engine })
    await turns()
    vi.advanceTimersByTime(60_000)
    await turns()
    const again = await loaded.aggregate(() => ({ n: count() })).collect()
    expect(again.toRows()).toEqual([{ n: 1000 }])
    const pool = await engine.open()
    await loaded.close()
    vi.advanceTimersByTime(60_000)
    await turns()
    expect(pool.failure).toBeNull()
    await other.close()
    await other.close()
    vi.advanceTimersByTime(5_000)
    await turns()
    expect(pool.failure).not.toBeNull()
  })

  it('whose lanes died with the rows they held ends the next ones as it would', async () => {
    fakeTimers()
    const engine = new LocalEngine(0, undefined, IDLE_MS)
    const loaded = await some().load({ engine })
    const first = await engine.open()
    await first.close(new Error('died'))
    await refusal(() => loaded.collect(), 'MR_CLOSED')
    const next = await withPool(engine)
    vi.advanceTimersByTime(5_000)
    await turns()
    expect(next.failure).not.toBeNull()
    await loaded.close()
  })

  it('is not ended in the middle of a job that takes longer', async () => {
    fakeTimers()
    const engine = new LocalEngine(0, undefined, IDLE_MS)
    await withPool(engine)
    vi.advanceTimersByTime(4_999)
    const job = total(200_000).collect({ engine, onProgress: () => vi.advanceTimersByTime(10_000) })
    expect((await job).at(0)?.n).toBe(200_000)
  })

  it('one of createEngine never ends by itself', async () => {
    fakeTimers()
    const engine = (await createEngine({ lanes: 0 })) as LocalEngine
    const pool = await withPool(engine)
    vi.advanceTimersByTime(3_600_000)
    await turns()
    expect(pool.failure).toBeNull()
    await engine.close()
  })
})
