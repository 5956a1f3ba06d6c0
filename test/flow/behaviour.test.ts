/** What goes wrong around a flow that runs on: slow readers, sources that fail, clocks that jump, timers that come late. Late results, never wrong ones; nothing is left behind. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import {
  channel,
  count,
  int64,
  interval,
  max,
  min,
  type RecordBatch,
  runAll,
  schema,
  session,
  stream,
  sum,
  tumbling,
} from '../../src/index.js'
import { type VirtualClock, virtualClock } from '../metrics/virtual-clock.js'
import { refusal } from './env.js'
import { at, tick } from './live-support.js'

const turn = () => new Promise(resolve => setTimeout(resolve, 1))
const until = async (isSo: () => boolean) => {
  for (let i = 0; i < 5000 && !isSo(); i++) await turn()
  expect(isSo()).toBe(true)
}
const YEAR = 365 * 86_400_000

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const counted = (flow: any) =>
  flow
    .watermark('time')
    .window(tumbling('10ms'))
    .groupBy('key')
    .aggregate((t: any) => ({ n: count(), x: sum(t.x) }))

it('a subscriber that throws ends the job with what it threw, lets those go who push, and leaves no timer', async () => {
  const clock = virtualClock(0)
  const events = channel(tick, { capacity: 1 })
  const job = events.flow
    .groupBy('key')
    .aggregate(() => ({ n: count() }))
    .emit({ every: '1s' })
    .subscribe(
      () => {
        throw new Error('enough')
      },
      { lanes: 0, clock },
    )
  job.finished.catch(() => {})
  await events.push(at(0))
  await until(() => clock.timers > 0 && job.metrics().rows === 1)
  await clock.advance(1000)
  await expect(job.finished).rejects.toThrow('enough')
  await until(() => events.isClosed)
  expect(clock.timers).toBe(0)
  await refusal(async () => events.push(at(1)), 'MR_CLOSED')
})

it('a source that fails halfway fails the job after the windows that had closed; what was open is not given', async () => {
  async function* rows() {
    yield [at(1), at(12)]
    yield [at(25)]
    throw new Error('the line is dead')
  }
  const seen: unknown[] = []
  const reading = (async () => {
    for await (const batch of counted(stream(rows(), { schema: tick })).run({ lanes: 0 }) as AsyncIterable<RecordBatch>)
      seen.push(...batch.toRows().map((row: any) => row.windowStart.getTime()))
  })()
  await expect(reading).rejects.toThrow('the line is dead')
  expect(seen.every(start => start === 0 || start === 10)).toBe(true)
})

it('many flows that are run together leave so few listeners on a signal that nobody is warned of a leak', async () => {
  const warnings: string[] = []
  const hear = ({ message }: Error) => void warnings.push(message)
  process.on('warning', hear)
  const events = channel(tick)
  const names = Array.from({ length: 12 }, (_, i) => `flow ${i}`)
  const job = runAll(
    Object.fromEntries(names.map((name, i) => [name, events.flow.filter(t => t.x.gt(i))])),
    Object.fromEntries(names.map(name => [name, () => {}])),
    { lanes: 0 },
  )
  await events.push(at(1))
  events.close()
  await job.finished
  await turn()
  process.off('warning', hear)
  expect(warnings).toEqual([])
})

it('a push after close is refused, and changes nothing', async () => {
  const events = channel(tick)
  const found = counted(events.flow).collect({ lanes: 0 })
  events.push(at(1))
  events.close()
  for (const data of [at(2), [at(3)], { time: [new Date(4)], key: ['a'], x: Float64Array.of(1) }])
    await refusal(async () => events.push(data as never), 'MR_CLOSED')
  events.close(new Error('too late to fail'))
  expect((await found).toRows().map((row: any) => row.n)).toEqual([1])
})

it('a reader slower than its source for minutes keeps memory flat and loses nothing', async () => {
  const clock = virtualClock(0)
  const events = channel(tick, { capacity: 1000 })
  let read = 0
  const job = events.flow
    .filter(t => t.x.gte(0))
    .subscribe(
      async batch => {
        await new Promise<void>(resolve => {
          clock.setTimer(clock.now() + 100, resolve)
        })
        read += batch.rowCount
      },
      { lanes: 0, clock },
    )
  let pushed = 0
  let isOver = false
  let most = 0
  const pushing = (async () => {
    while (!isOver) {
      const rows = Array.from({ length: 500 }, (_, i) => at(pushed + i, `key ${pushed + i} ${'long'.repeat(20)}`))
      const room = events.push(rows)
      pushed += rows.length
      most = Math.max(most, events.waiting)
      await room
    }
  })()
  await until(() => clock.timers > 0)
  const memory: number[] = []
  for (let second = 0; second < 120; second++) {
    for (let i = 0; i < 10; i++) {
      await clock.advance(100)
      await turn()
    }
    if (second % 20 === 19) {
      collectGarbage()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      memory.push((heapUsed + arrayBuffers) / 1e6)
    }
  }
  isOver = true
  events.close()
  const drive = setInterval(() => void clock.advance(1000), 1)
  await pushing
  await job.finished
  clearInterval(drive)
  expect(most).toBeLessThanOrEqual(1500)
  expect(read).toBe(pushed)
  // Strings that were ever new: two hundred megabytes of them. What is garbage at one moment is none at the next.
  expect(Math.min(...memory.slice(4))).toBeLessThan((memory[1] as number) + 60)
  expect(job.metrics().latency?.count).toBe(pushed)
})

it('a clock that jumps a year makes ticks late and nothing wrong', async () => {
  const clock = virtualClock(0)
  const ticks: number[] = []
  const ticking = interval('1m').subscribe(
    (batch: RecordBatch) => void ticks.push(...batch.toRows().map((row: any) => row.count)),
    { lanes: 0, clock },
  )
  const events = channel(tick)
  const totals: number[] = []
  const counting = events.flow
    .groupBy('key')
    .aggregate(() => ({ n: count() }))
    .emit({ every: '1m' })
    .subscribe(
      (batch: RecordBatch) =>
        void totals.push(...batch.toRows().map((row: any, i) => (batch.weights?.[i] ?? 1) * row.n)),
      { lanes: 0, clock },
    )
  events.push(at(0))
  await until(() => clock.timers === 2 && counting.metrics().rows === 1)
  for (let i = 0; i < 20; i++) await turn()
  await clock.jumpTo(YEAR)
  await until(() => ticks.length === 1 && totals.length === 1)
  // One for all that were missed.
  expect(ticks).toEqual([YEAR / 60_000 - 1])
  expect(totals).toEqual([1])
  events.push([at(1), at(2)])
  await until(() => counting.metrics().rows === 3)
  await clock.advance(120_000)
  await until(() => totals.length === 3)
  expect(totals).toEqual([1, -1, 3])
  ticking.stop()
  counting.stop()
  await Promise.all([ticking.finished, counting.finished])
  expect(clock.timers).toBe(0)
})

it('a tick that fails is told after what was told before, however slowly that is taken', async () => {
  const clock = virtualClock(0)
  const numbers = channel(schema({ v: int64() }))
  const job = numbers.flow
    .aggregate(t => ({ total: sum(t.v) }))
    .emit({ every: '1s' })
    .run({ lanes: 0, clock })
  const totals: bigint[] = []
  const reading = (async () => {
    for await (const batch of job) {
      await job.finished.catch(() => {})
      for (const [i, { total }] of batch.toRows({ bigint: true }).entries())
        if ((batch.weights?.[i] ?? 1) > 0) totals.push(total as bigint)
    }
  })()
  reading.catch(() => {})
  await until(() => clock.timers > 0)
  for (const [i, v] of [1n, 2n, 3n, 2n ** 63n - 1n].entries()) {
    await numbers.push({ v })
    await until(() => job.metrics().rows === i + 1)
    await turn()
    await clock.advance(1000)
  }
  await refusal(() => reading, 'MR_INTEGER_OVERFLOW')
  expect(totals).toEqual([1n, 3n, 6n])
  expect(clock.timers).toBe(0)
})

/** Timers of a tab in the background: once a second at most, and in the end once a minute. */
const throttled = (clock: VirtualClock, everyMs: number) => ({
  now: clock.now,
  setTimer: (due: number, fn: () => void) => clock.setTimer(Math.ceil((due + 1) / everyMs) * everyMs, fn),
})

it('throttled timers make results late, and fold to the same', async () => {
  const folded = async (everyMs: number) => {
    const clock = virtualClock(0)
    const events = channel(tick)
    const totals = new Map<string, number>()
    let told = 0
    const job = events.flow
      .groupBy('key')
      .aggregate(t => ({ n: count(), least: min(t.x), most: max(t.x) }))
      .emit({ every: '100ms' })
      .subscribe(
        (batch: RecordBatch) => {
          told++
          for (const [i, row] of batch.toRows().entries()) {
            const name = JSON.stringify(row)
            totals.set(name, (totals.get(name) ?? 0) + (batch.weights?.[i] ?? 1))
          }
        },
        { lanes: 0, clock: throttled(clock, everyMs) },
      )
    await until(() => clock.timers > 0)
    for (let i = 0; i < 40; i++) {
      await events.push([at(i, `k${i % 3}`, i), at(i, 'k0', -i)])
      await until(() => job.metrics().rows === 2 * (i + 1))
      await turn()
      await clock.advance(50)
    }
    events.close()
    await job.finished
    return { told, rows: [...totals].filter(([, weight]) => weight !== 0).sort() }
  }
  const prompt = await folded(1)
  const late = await folded(1000)
  expect(late.rows).toEqual(prompt.rows)
  expect(late.rows.every(([, weight]) => weight === 1)).toBe(true)
  expect(late.told).toBeLessThan(prompt.told)
})

it('strings that are ever new ones go once their windows have closed', { timeout: 60_000 }, async () => {
  for (const window of [tumbling('1s'), session('100ms')]) {
    const events = channel(tick, { capacity: 8192 })
    let rows = 0
    const job = events.flow
      .watermark('time')
      .window(window)
      .groupBy('key')
      .aggregate(t => ({ n: count(), last: max(t.key) }))
      .subscribe(
        batch => {
          rows += batch.rowCount
        },
        { lanes: 0 },
      )
    const kept: number[] = []
    for (let step = 0; step < 30; step++) {
      const time = BigInt64Array.from({ length: 4000 }, (_, i) => BigInt(step * 1000 + Math.floor(i / 4)))
      const key = Array.from({ length: 4000 }, (_, i) => `${'key'.repeat(70)} ${step} ${i}`)
      await events.push({ time, key, x: new Float64Array(4000) })
      if (step % 10 !== 9) continue
      await until(() => job.metrics().rows === 4000 * (step + 1))
      const { nodes = [], groups = 0 } = job.metrics()
      kept.push(nodes.reduce((all, { stateBytes }) => all + stateBytes, 0))
      expect(groups).toBeLessThanOrEqual(3 * 4000)
    }
    events.close()
    await job.finished
    expect(rows).toBe(30 * 4000)
    // Half a gigabyte of them would have come to more.
    expect(Math.max(...kept)).toBeLessThan(40e6)
  }
})
