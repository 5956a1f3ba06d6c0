/** A thousand aborted jobs leave no worker, no memory and no listener behind. In Node, where the collector can be called. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { columns, count, createEngine, dictionary, type Engine, sum } from '../../src/index.js'
import { counted } from './env.js'
import { nodeEnv } from './env.node.js'

const JOBS = 1000
const MOST_BYTES = 10 * 2 ** 20
/** A thousand jobs send more than a gigabyte to their lanes; V8 collects when some tens of megabytes of buffers are waiting. */
const MOST_UNCOLLECTED_BYTES = 64 * 2 ** 20

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const env = nodeEnv()
const data = counted(300_000)

/** Aborted at once, in the next turn, halfway, or before it began, in turn. */
async function abortOne(engine: Engine, i: number): Promise<void> {
  const controller = new AbortController()
  const reason = new Error(`aborted ${i}`)
  const abort = () => controller.abort(reason)
  if (i % 4 === 0) abort()
  const job = columns(data)
    .derive(t => ({ a: t.value.mul(3) }))
    .groupBy('key')
    .aggregate(t => ({ n: count(), total: sum(t.a) }))
    .collect({ engine, signal: controller.signal, onProgress: i % 4 === 3 ? abort : () => {} })
  if (i % 4 === 1) abort()
  if (i % 4 === 2) setTimeout(abort, 0)
  await job.then(
    // Where the abort came too late the job is simply done.
    table => expect(table.rowCount).toBe(7),
    error => expect(error).toBe(reason),
  )
}

/** Of this thread's objects, and of the buffers that it has made, wherever they are now. */
async function bytesInUse(): Promise<{ heap: number; buffers: number }> {
  for (let i = 0; i < 3; i++) {
    collectGarbage()
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, buffers: external + arrayBuffers }
}

/** No more is in use than before, but for what the lanes' own collectors, which nobody can call, have not looked at yet. */
async function expectNoGrowth(before: { heap: number; buffers: number }, lanes: number): Promise<void> {
  // The last jobs' messages may still be on their way when it is asked for the first time.
  const grown = async () => {
    const { heap, buffers } = await bytesInUse()
    return Math.max(heap - before.heap, buffers - before.buffers - lanes * MOST_UNCOLLECTED_BYTES)
  }
  await expect.poll(grown, { timeout: 10_000 }).toBeLessThan(MOST_BYTES)
}

for (const lanes of [0, 2]) {
  it(`${JOBS} aborted jobs leave no worker and no memory, with ${lanes} lanes`, { timeout: 120_000 }, async () => {
    const before = env.workers.count
    const engine = await createEngine({ lanes })
    for (let i = 0; i < 40; i++) await abortOne(engine, i)
    const bytesBefore = await bytesInUse()
    for (let i = 0; i < JOBS; i++) await abortOne(engine, i)
    expect(env.workers.count).toBe(before + lanes)
    await expectNoGrowth(bytesBefore, lanes)
    const table = await columns(data)
      .aggregate(() => ({ n: count() }))
      .collect({ engine })
    expect(table.toRows()).toEqual([{ n: 300_000 }])
    await engine.close()
    expect(env.workers.count).toBe(before)
  })
}

it('engines that come and go leave no worker and no memory', { timeout: 120_000 }, async () => {
  const before = env.workers.count
  const once = async () => {
    const engine = await createEngine({ lanes: 1 })
    await columns({ x: Float64Array.of(1) }).collect({ engine })
    await engine.close()
  }
  for (let i = 0; i < 5; i++) await once()
  const bytesBefore = await bytesInUse()
  for (let i = 0; i < 30; i++) await once()
  expect(env.workers.count).toBe(before)
  await expectNoGrowth(bytesBefore, 0)
})

it('rows that are held do not keep the strings that they were made of', { timeout: 60_000 }, async () => {
  await using engine = await createEngine({ lanes: 0 })
  const load = (entries: number) => {
    const texts = Array.from({ length: entries }, (_, i) => `a string of some length, number ${i}`)
    return columns({ text: dictionary(Int32Array.from(texts.keys()), texts) }).load({ engine })
  }
  await (await load(10)).close()
  const before = await bytesInUse()
  const held = await load(200_000)
  // Each is an object of the engine's of no less than 40 bytes; in the lane's memory they are bytes.
  expect((await bytesInUse()).heap - before.heap).toBeLessThan(4 * 2 ** 20)
  expect((await held.aggregate(() => ({ n: count() })).collect({ engine })).toRows()).toEqual([{ n: 200_000 }])
  await held.close()
})
