/** Spilling in a real browser, to the private file system of the page's origin; on isolated pages only, for it takes its time. */
import { expect, test, vi } from 'vitest'
import { columns, count, createEngine, float64, schema, stream } from '../../src/index.js'
import { spillPlatform } from '../../src/workers/spill-file.web.js'
import { until } from '../flow/env.js'
import { webEnv } from '../flow/env.web.js'
import { spillSuite } from '../flow/spill.suite.js'

const env = webEnv()
spillSuite([0, 2], env)

test('a lane that is ended in a long step leaves no file either', { timeout: 60_000 }, async () => {
  const text = 'export const stuck = row => { for (const end = Date.now() + 30_000; Date.now() < end; ); return row }'
  const module = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  const controller = new AbortController()
  const rows = columns({ x: Float64Array.of(1, 2, 3) }).map(
    { module, export: 'stuck' },
    { schema: schema({ x: float64() }) },
  )
  const job = rows.groupBy('x').aggregate(() => ({ n: count() }))
  const collecting = job.collect({ lanes: 1, memory: 8 * 2 ** 20, signal: controller.signal })
  await until(async () => (await env.spillFiles()) === 1, 10_000)
  // The lane is stuck soon.
  await new Promise(resolve => setTimeout(resolve, 500))
  controller.abort(new Error('enough'))
  await expect(collecting).rejects.toThrow('enough')
  await until(async () => (await env.spillFiles()) === 0, 20_000)
})

test('a job that is aborted while its file is being opened leaves the lane to others, and no file', {
  timeout: 60_000,
}, async () => {
  const text = `export function slowDown(row) {
    const { prototype } = FileSystemFileHandle
    const open = prototype.createSyncAccessHandle
    prototype.createSyncAccessHandle = async function () {
      await new Promise(resolve => setTimeout(resolve, 4000))
      return open.call(this)
    }
    return row
  }`
  const module = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  const engine = await createEngine({ lanes: 1 })
  const shape = schema({ x: float64() })
  const rows = columns({ x: Float64Array.of(1) })
  expect((await rows.map({ module, export: 'slowDown' }, { schema: shape }).collect({ engine })).rowCount).toBe(1)
  async function* slowly() {
    yield { x: 1 }
    await new Promise(resolve => setTimeout(resolve, 3500))
    yield { x: 2 }
  }
  const other = stream(slowly(), { schema: shape }).collect({ engine })
  const controller = new AbortController()
  const job = rows.groupBy('x').aggregate(() => ({ n: count() }))
  const spilling = job.collect({ engine, memory: 8 * 2 ** 20, signal: controller.signal })
  await until(async () => (await env.spillFiles()) === 1, 10_000)
  controller.abort(new Error('enough'))
  await expect(spilling).rejects.toThrow('enough')
  expect((await other).rowCount).toBe(2)
  await until(async () => (await env.spillFiles()) === 0, 20_000)
  await engine.close()
})

test('a file is opened while the garbage of a lane is collected', { timeout: 60_000 }, async () => {
  const text = `export function collect(row) {
    const { port1, port2 } = new MessageChannel()
    const end = performance.now() + 40_000
    port2.onmessage = () => {
      gc()
      if (performance.now() < end) port1.postMessage(null)
    }
    port1.postMessage(null)
    return row
  }`
  const module = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  const engine = await createEngine({ lanes: 1 })
  const collecting = columns({ x: Float64Array.of(1) }).map(
    { module, export: 'collect' },
    { schema: schema({ x: float64() }) },
  )
  expect((await collecting.collect({ engine })).rowCount).toBe(1)
  // There is no room for what it sorts.
  const rows = columns({ x: Float64Array.from({ length: 600_000 }, (_, i) => (i * 7919) % 600_000) }).orderBy('x')
  expect((await rows.collect({ engine, memory: 12 * 2 ** 20 })).rowCount).toBe(600_000)
  await engine.close()
})

test('a file that is never opened is given up, and what comes of it later is closed', async () => {
  vi.useFakeTimers()
  const prototype = FileSystemFileHandle.prototype as { createSyncAccessHandle?: unknown }
  const answers: ((handle: unknown) => void)[] = []
  // A page has none, its workers do.
  prototype.createSyncAccessHandle = () => new Promise(resolve => answers.push(resolve))
  let closed = 0
  try {
    const never = spillPlatform.openJobFile(null)
    const ready = never.ready()
    await vi.waitFor(() => expect(answers).toHaveLength(1))
    await vi.advanceTimersByTimeAsync(20_000)
    expect(await ready).toBe('the private file system cannot be used: it does not answer')
    await never.close()
    answers[0]({ close: () => closed++ })
    await vi.waitFor(() => expect(closed).toBe(1))
    await vi.waitFor(async () => expect(await env.spillFiles()).toBe(0))
  } finally {
    vi.useRealTimers()
    delete prototype.createSyncAccessHandle
  }
})
