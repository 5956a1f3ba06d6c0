// Pools: workers that are refused, lanes that die, and everyone being told once.
import { Worker } from 'node:worker_threads'
import { workerSource } from 'virtual:millrace/worker'
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import type { SerialisedError } from '../../src/errors.js'
import { parquetFormat } from '../../src/formats/parquet/format.js'
import { configure } from '../../src/workers/configure.js'
import { openPool, type Pool } from '../../src/workers/pool.js'
import type { FromLane } from '../../src/workers/protocol.js'
import { refusal, until } from '../flow/env.js'
import { END, plan, range, splitOf, VERBS } from './support.js'

const OPTIONS = { memoryBytes: undefined, seed: 1 }
const url = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`)

let warn: MockInstance
const workers: Worker[] = []
/** Counted, so that none is left behind. */
const made = (text: string) => {
  const worker = new Worker(url(text))
  workers.push(worker)
  return worker
}
/** A thread that has ended has no id. */
const noneIsLeft = () => until(() => workers.every(({ threadId }) => threadId < 0), 5000)

beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
})
afterEach(async () => {
  configure({})
  warn.mockRestore()
  await noneIsLeft()
})

describe('workers that are refused', () => {
  it('leave one inline lane, which is said once on the console', async () => {
    const refused = [
      () => {
        throw new Error('a policy')
      },
      () => made('throw new Error("at once")'),
      () => made('process.exit(3)'),
      () => made('this is no module'),
      () => ({}),
    ]
    for (const worker of refused) {
      configure({ worker })
      const pool = await openPool({ lanes: 2, ...OPTIONS })
      expect(pool.inline).toBe(true)
      expect(pool.lanes).toHaveLength(1)
      await pool.close(new Error('done'))
    }
    configure({ worker: '/there/is/no/such/worker.js' })
    expect((await openPool({ lanes: 1, ...OPTIONS })).inline).toBe(true)
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn.mock.calls[0][0]).toContain('a policy')
  })

  it('of several, one refused is all refused, and none is left', async () => {
    let count = 0
    configure({ worker: () => made(++count === 2 ? 'throw new Error("the second")' : workerSource) })
    const pool = await openPool({ lanes: 3, ...OPTIONS })
    expect(count).toBe(3)
    expect(pool.inline).toBe(true)
    await noneIsLeft()
  })

  it('one that dies while the others are opened counts as refused', async () => {
    let count = 0
    const slow = `await new Promise(resolve => setTimeout(resolve, 1000))\n${workerSource}`
    configure({
      worker: () => {
        const worker = made(++count === 1 ? workerSource : slow)
        if (count === 1) worker.once('message', () => worker.terminate())
        return worker
      },
    })
    const pool = await openPool({ lanes: 2, ...OPTIONS })
    expect(pool.inline).toBe(true)
    await noneIsLeft()
  })
})

describe('a pool of workers', () => {
  const open = async (lanes: number): Promise<Pool> => {
    configure({ worker: () => made(workerSource) })
    return openPool({ lanes, ...OPTIONS })
  }

  it('says what it is, and ends its workers when it is closed, once', async () => {
    const pool = await open(2)
    expect(pool).toMatchObject({ inline: false, failure: null })
    expect(pool.lanes.map(({ inline }) => inline)).toEqual([false, false])
    const reason = new Error('closed')
    const told: Error[] = []
    pool.onEnd(error => told.push(error))
    const silent = pool.onEnd(() => told.push(new Error('taken away')))
    silent()
    await Promise.all([pool.close(reason), pool.close(new Error('again'))])
    await pool.close(new Error('and again'))
    expect(told).toEqual([reason])
    expect(pool.failure).toBe(reason)
    pool.onEnd(error => told.push(error))
    expect(told).toEqual([reason, reason])
  })

  it('is closed when one of its workers dies, and says why', async () => {
    const pool = await open(3)
    const told: Error[] = []
    pool.onEnd(error => told.push(error))
    await workers.at(-2)?.terminate()
    await until(() => told.length > 0, 5000)
    expect(told).toMatchObject([{ code: 'MR_LANE_FAILED' }])
    expect(pool.failure).toBe(told[0])
    await until(() => workers.every(({ threadId }) => threadId < 0), 5000)
    expect(told).toHaveLength(1)
    // Whatever is asked of it now is answered.
    await refusal(() => pool.lanes[0].add(parquetFormat, null), 'MR_CLOSED')
    pool.lanes[0].release(1)
    pool.lanes[0].keepAlive(true)
  })

  it('what went wrong in a worker is the cause', async () => {
    const dies = `import { parentPort as port } from 'node:worker_threads'
      port.on('message', message => { if (message === 'now') throw new TypeError('went wrong') })
      ${workerSource}`
    configure({ worker: () => made(dies) })
    const pool = await openPool({ lanes: 1, ...OPTIONS })
    workers.at(-1)?.postMessage('now')
    await until(() => pool.failure !== null, 5000)
    expect(pool.failure).toMatchObject({ code: 'MR_LANE_FAILED', cause: { name: 'TypeError', message: 'went wrong' } })
  })

  it('has its lanes load a part once, and again where that failed', async () => {
    configure({})
    const pool = await openPool({ lanes: 2, ...OPTIONS })
    const added = pool.lanes.map(lane => vi.spyOn(lane, 'add'))
    added[1]!.mockRejectedValueOnce(new Error('not now'))
    await expect(pool.add('aggregates')).rejects.toThrow('not now')
    await Promise.all([pool.add('aggregates'), pool.add('aggregates'), pool.add('sets')])
    await pool.add('sets')
    for (const add of added) expect(add.mock.calls.map(([name]) => name)).toEqual(['aggregates', 'aggregates', 'sets'])
    await pool.close(new Error('done'))
  })

  it('shares the memory out among its lanes', async () => {
    configure({})
    const pool = await openPool({ lanes: 2, memoryBytes: 2 ** 22, seed: 1 })
    await pool.add('text')
    const sorted = plan(VERBS.sorted)
    const port = pool.lanes[0].start({ plan: sorted, lane: 0, heldInputs: null, holdAs: null, budget: null }, [])
    const failed = new Promise<SerialisedError>(resolve => {
      port.onmessage = (message: FromLane) => {
        if (message.type === 'failed') resolve(message.error)
      }
    })
    for (let split = 0; split < 5; split++) port.post(splitOf(split, range(0, 50_000), sorted))
    port.post(END)
    expect(await failed).toMatchObject({ code: 'MR_MEMORY_LIMIT', details: { maximumBytes: 2 ** 21 } })
    port.close()
    await pool.close(new Error('done'))
  })
})
