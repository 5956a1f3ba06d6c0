/** What a job tells of itself, and that it goes by the clock that it is given. */
import { PerformanceObserver } from 'node:perf_hooks'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  channel,
  columns,
  count,
  createEngine,
  int64,
  interval,
  type JobMetrics,
  otelMetrics,
  type RecordBatch,
  replay,
  runAll,
  schema,
  session,
  sum,
  tumbling,
} from '../../src/index.js'
import { createArrivals } from '../../src/sources/live/arrivals.js'
import { virtualClock } from '../metrics/virtual-clock.js'
import { expectWaitedFor, refusal } from './env.js'
import { at, slow, tick } from './live-support.js'

const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setTimeout(resolve, 1))
}
/** However slow the machine is. */
const until = async (isSo: () => boolean) => {
  for (let i = 0; i < 5000 && !isSo(); i++) await turns(1)
  expect(isSo()).toBe(true)
}

it('of a flow that runs on, says what each node has done and keeps, and how far behind it is', async () => {
  const clock = virtualClock(0)
  await using engine = await createEngine({ lanes: 0 })
  const { flow, push, close } = channel(tick)
  const seen: RecordBatch[] = []
  const job = flow
    .filter(t => t.x.gt(0))
    .watermark('time', { delay: '5ms' })
    .window(tumbling('10ms'))
    .groupBy('key')
    .aggregate(t => ({ n: count(), x: sum(t.x) }))
    .subscribe(batch => void seen.push(batch), { engine, clock })
  push([at(1), at(2, 'b'), at(3, 'a', -1)])
  await until(() => job.metrics().groups === 2)
  await clock.advanceTo(40)
  let metrics = job.metrics()
  expect(metrics).toMatchObject({ groups: 2, lateRows: 0, watermark: -3n, watermarkLagMs: 43, rowsWritten: 0 })
  expect(metrics.latency).toBeUndefined()
  push([at(30), at(4)])
  await until(() => job.metrics().rowsWritten === 2)
  metrics = job.metrics()
  expect(seen.flatMap(batch => batch.toRows().map(({ key, n }: any) => [key, n]))).toEqual([
    ['a', 1],
    ['b', 1],
  ])
  // The rows that had the window close came at 40, and so did it.
  expect(metrics.latency).toMatchObject({ count: 2, max: 0 })
  expect(metrics).toMatchObject({ groups: 1, lateRows: 1, watermark: 25n, watermarkLagMs: 15, rowsWritten: 2 })
  const byName = (name: string) => metrics.nodes?.find(node => node.name.startsWith(name))
  expect(metrics.nodes?.[0]?.place).toBe('source')
  expect(metrics.nodes?.at(-1)?.place).toBe('output')
  expect(byName('channel')).toMatchObject({ rowsIn: 5, rowsOut: 5, queuedRows: 0, droppedRows: 0 })
  expect(byName('aggregate by')).toMatchObject({ rowsIn: 3, rowsOut: 2, lateRows: 1, groups: 1, parallelism: 1 })
  expect(byName('aggregate by')?.bytesIn).toBeGreaterThan(3 * 8)
  expect(byName('output')).toMatchObject({ rowsIn: 2, rowsOut: 2, queuedRows: 0 })
  close()
  await job.finished
  metrics = job.metrics()
  expect(byName('filter')).toMatchObject({ rowsIn: 5, rowsOut: 4, place: 'steps' })
  expect(metrics).toMatchObject({ groups: 0, rowsWritten: 3 })
  for (const { busyShare, busyMs } of metrics.nodes ?? []) {
    expect(busyMs).toBeGreaterThanOrEqual(0)
    expect(busyShare).toBeLessThanOrEqual(1)
  }
})

it.each([
  ['windows of one length', tumbling('10ms'), false],
  ['sessions', session('4ms'), false],
  ['first rows of sessions', session('4ms'), true],
])('has a row go into %s or be late, not both', async (_, window, isTop) => {
  const { flow, push, close } = channel(tick)
  const of = flow.watermark('time').window(window)
  const job = (isTop ? of.topK(1, 'x') : of.aggregate(() => ({ n: count() }))).subscribe(() => {}, { lanes: 0 })
  push([at(1), at(50), at(2), at(3)])
  close()
  await job.finished
  const { lateRows, nodes = [] } = job.metrics()
  expect(lateRows).toBe(2)
  expect(nodes.filter(node => node.lateRows > 0)).toMatchObject([{ rowsIn: 2, lateRows: 2 }])
})

it('measures from the push until the rows are handed over, by the clock of the job', async () => {
  const clock = virtualClock(0)
  const { flow, push, close } = channel(tick)
  const job = flow.run({ lanes: 0, clock })
  const batches = job[Symbol.asyncIterator]()
  push(at(0))
  let next = batches.next()
  await next
  push([at(1), at(2)])
  await clock.advanceTo(500)
  await batches.next()
  expect(job.metrics().latency).toMatchObject({ count: 3, max: 500 })
  expect(job.metrics().latency?.p50).toBeCloseTo(500, 0)
  close()
  next = batches.next()
  expect((await next).done).toBe(true)
})

it.each([0, 1])('on %i lanes, says of all rows that have come, though no more come', async lanes => {
  const feed = channel(tick)
  const job = feed.flow.filter(t => t.x.gt(1)).subscribe(() => {}, { lanes })
  for (let row = 1; row <= 5; row++) {
    await feed.push(at(row))
    await expect.poll(() => feed.waiting, slow).toBe(0)
  }
  await expect
    .poll(() => job.metrics(), slow)
    .toMatchObject({
      rows: 5,
      nodes: [{ rowsIn: 5 }, { name: 'filter', rowsIn: 5, rowsOut: 0 }, { rowsIn: 0 }],
    })
  feed.close()
  await job.finished
})

it('of a batch job, says rows, bytes and lanes', async () => {
  await using engine = await createEngine({ lanes: 2 })
  const flow = columns({ key: Int32Array.from({ length: 200_000 }, (_, i) => i % 7), x: new Float64Array(200_000) })
  const job = flow
    .filter(t => t.key.lt(5))
    .groupBy('key')
    .aggregate(() => ({ n: count() }))
    .run({ engine })
  let rows = 0
  for await (const batch of job) rows += batch.rowCount
  await job.finished
  const { nodes = [], lanes = [], elapsedMs = 0 } = job.metrics()
  expect(rows).toBe(5)
  expect(nodes.map(({ name, place }) => [name, place])).toEqual([
    ['filter', 'lanes'],
    [expect.stringMatching(/^aggregate/), 'lanes'],
    ['aggregate', 'lanes'],
    ['output', 'output'],
  ])
  expect(nodes[0]).toMatchObject({ rowsIn: 200_000, rowsOut: 142_858, parallelism: 2 })
  expect(nodes[0]?.bytesIn).toBe(200_000 * 4)
  expect(lanes.reduce((all, lane) => all + lane.rows, 0)).toBe(200_000)
  expect(elapsedMs).toBeGreaterThan(0)
  for (const { busyMs, busyShare } of lanes) {
    expect(busyMs).toBeLessThanOrEqual(elapsedMs)
    expect(busyShare).toBeLessThanOrEqual(1)
  }
})

it('tells onMetrics of what is collected too, of which the rows are those without', async () => {
  const table = columns({
    key: Int32Array.from({ length: 200_000 }, (_, i) => i % 7),
    x: Float64Array.from({ length: 200_000 }, (_, i) => i),
  })
  const flow = table.filter(t => t.key.gt(1)).orderBy('x')
  for (const lanes of [0, 2]) {
    const told: JobMetrics[] = []
    const rows = await flow.collect({ lanes, onMetrics: each => told.push(each) })
    expect(rows.toRows()).toEqual((await flow.collect({ lanes })).toRows())
    expect(told.at(-1)).toMatchObject({ rows: 200_000, rowsWritten: rows.rowCount })
    expect(Object.keys((await flow.limit(0).collect({ lanes, onMetrics: () => {} })).schema)).toEqual(['key', 'x'])
  }
  const failing = () => {
    throw new RangeError('enough')
  }
  await expect(flow.collect({ lanes: 0, onMetrics: failing })).rejects.toThrow('enough')
  await refusal(() => flow.collect({ lanes: 0, onMetrics: 5 as never }), 'MR_INVALID_OPTION')
})

it('tells onMetrics every period of the clock and at the end; what it throws ends the job', async () => {
  const clock = virtualClock(0)
  const told: JobMetrics[] = []
  const { flow, push, close } = channel(tick)
  const job = flow.subscribe(() => {}, { lanes: 0, clock, metricsEvery: 100, onMetrics: each => told.push(each) })
  push(at(0))
  await until(() => job.metrics().rowsWritten === 1)
  await clock.advanceTo(350)
  expect(told.length).toBe(3)
  expect(told.at(-1)?.rowsWritten).toBe(1)
  close()
  await job.finished
  expect(told.length).toBe(4)
  expect(clock.timers).toBe(0)

  const other = channel(tick)
  const failing = other.flow.run({
    lanes: 0,
    clock,
    onMetrics: () => {
      throw new Error('no more')
    },
  })
  const iterated = (async () => {
    for await (const _ of failing);
  })()
  iterated.catch(() => {})
  await until(() => clock.timers > 0)
  await clock.advance(1000)
  await expect(iterated).rejects.toThrow('no more')
  await expect(failing.finished).rejects.toThrow('no more')
  expect(other.flow).toBeDefined()
  expect(clock.timers).toBe(0)
})

it('waits for an onMetrics that is asynchronous, and what it rejects with ends the job', async () => {
  const flow = columns({ a: [1] })
  const later = () => new Promise(resolve => setTimeout(resolve, 5))
  let isTold = false
  await flow.collect({
    onMetrics: async () => {
      await later()
      isTold = true
    },
  })
  expect(isTold).toBe(true)
  const failing = async () => {
    await later()
    throw new Error('no more')
  }
  await expect(flow.collect({ onMetrics: failing })).rejects.toThrow('no more')
  await expect(flow.subscribe(() => {}, { onMetrics: failing }).finished).rejects.toThrow('no more')
  const { flow: endless } = channel(tick)
  await expect(endless.subscribe(() => {}, { metricsEvery: 5, onMetrics: failing }).finished).rejects.toThrow('no more')
  const leaving = new AbortController()
  const never = () => {
    setTimeout(() => leaving.abort(new Error('left')), 5)
    return new Promise<void>(() => {})
  }
  await expect(flow.collect({ signal: leaving.signal, onMetrics: never })).rejects.toThrow('left')
})

it('refuses options that are none', async () => {
  const flow = columns({ a: [1] })
  await refusal(async () => flow.run({ lanes: 0, onMetrics: 5 as never }).finished, 'MR_INVALID_OPTION')
  await refusal(
    async () => flow.run({ lanes: 0, onMetrics: () => {}, metricsEvery: 0.5 }).finished,
    'MR_INVALID_OPTION',
  )
  await refusal(async () => flow.collect({ lanes: 0, clock: 5 as never }), 'MR_INVALID_OPTION')
  await refusal(
    async () => flow.collect({ lanes: 0, clock: { setTimer: () => () => {} } as never }),
    'MR_INVALID_OPTION',
  )
})

it('sources without a clock of their own, and emit({ every }), go by that of the job', async () => {
  const clock = virtualClock(1_000)
  const counts: number[] = []
  const job = interval('1h').subscribe(
    (batch: RecordBatch) => void counts.push(...(batch.toRows() as any[]).map(row => row.count)),
    { lanes: 0, clock },
  )
  await until(() => clock.timers > 0)
  await clock.advance(3 * 3_600_000)
  await until(() => counts.length === 3)
  expect(counts).toEqual([0, 1, 2])
  job.stop()
  await job.finished
  expect(clock.timers).toBe(0)

  const seen: unknown[] = []
  const { flow, push, close } = channel(tick)
  const totals = flow
    .groupBy('key')
    .aggregate(() => ({ n: count() }))
    .emit({ every: '1m' })
    .subscribe((batch: RecordBatch) => void seen.push(...batch.toRows().map((row: any) => row.n)), { lanes: 0, clock })
  for (let i = 0; i < 5; i++) {
    await push(at(i))
    await turns(3)
  }
  await until(() => totals.metrics().rows === 5 && clock.timers > 0)
  await turns()
  expect(seen).toEqual([])
  await clock.advance(60_000)
  await until(() => seen.length > 0)
  expect(seen).toEqual([5])
  close()
  await totals.finished
  expect(clock.timers).toBe(0)

  const played: number[] = []
  const again = replay(columns({ time: [new Date(0), new Date(60_000)] }), { time: 'time' }).subscribe(
    (batch: RecordBatch) => void played.push(batch.rowCount),
    { lanes: 0, clock },
  )
  await until(() => played.length > 0 && clock.timers > 0)
  expect(played).toEqual([1])
  await clock.advance(60_000)
  await again.finished
  expect(played).toEqual([1, 1])
})

it('has spans, and nothing of them is kept', async () => {
  const names = new Set<string>()
  const observer = new PerformanceObserver(list => {
    for (const { name } of list.getEntries()) names.add(name)
  })
  observer.observe({ entryTypes: ['measure'] })
  const flow = columns({ a: [1, 2, 3] }).filter(t => t.a.gt(1))
  for await (const _ of flow.run({ lanes: 0, spans: true }));
  await turns(3)
  observer.disconnect()
  expect([...names]).toContain('millrace: filter')
  expect(performance.getEntriesByType('measure').filter(({ name }) => name.startsWith('millrace'))).toEqual([])
})

it('is told by the names of OpenTelemetry', async () => {
  const make = () => channel(tick)
  const { flow, push, close } = make()
  const job = runAll({ all: flow, few: flow.filter(t => t.x.gt(1)) }, { all: () => {}, few: () => {} } as never, {
    lanes: 0,
  })
  push([at(0), at(1, 'b', 2)])
  close()
  await job.finished
  await refusal(async () => otelMetrics(undefined as never), 'MR_INVALID_OPTION')
  const told = otelMetrics(job.metrics(), { 'service.name': 'shop' })
  expect(new Set(told.map(({ name }) => name)).size).toBe(told.length)
  for (const { name, points } of told) {
    expect(name).toMatch(/^millrace(\.[a-z_]+)+$/)
    for (const { attributes } of points) expect(attributes['service.name']).toBe('shop')
  }
  const rows = told.find(({ name }) => name === 'millrace.job.output.rows')
  expect(rows).toMatchObject({ unit: '{row}', type: 'sum' })
  expect(rows?.points.map(point => ('value' in point ? point.value : null))).toEqual([3, 2, 1])
  const latency = told.find(({ name }) => name === 'millrace.job.latency')
  expect(latency?.points).toHaveLength(2)
  expect(latency?.points[0]).toMatchObject({ count: 2, attributes: { 'millrace.flow': 0 } })
})

it('knows when rows came, never later than they did, and by a thousand rows at most earlier than the first of them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 4 })), { maxLength: 40 }),
      pushes => {
        let now = 0
        const arrivals = createArrivals(() => now)
        const came: number[] = []
        let taken = 0
        for (const [rows, take] of pushes) {
          now++
          arrivals.note(came.length, rows, came.length === taken)
          for (let i = 0; i < rows; i++) came.push(now)
          for (let i = 0; i < take && taken < came.length; i++) {
            const told = arrivals.of(taken)
            expect(told).toBeLessThanOrEqual(came[taken] as number)
            expect(told).toBeGreaterThanOrEqual(came[Math.max(0, taken - 1024)] as number)
            taken = Math.min(came.length, taken + 700)
          }
        }
      },
    ),
  )
})

it('of rows that a function makes tells of those that these are made of: where they come from, were left out, and since when', async () => {
  await using engine = await createEngine({ lanes: 0 })
  const fed = (times: readonly number[]) => {
    const { flow, push, close } = channel(tick, { capacity: 4, whenFull: 'dropNewest' })
    for (const ms of times) push(at(ms))
    close()
    return flow
  }
  const counted = fed([1, 25, 2, 30, 31])
    .watermark('time')
    .window(tumbling('10ms'))
    .aggregate(() => ({ n: count() }))
    .map(({ n }) => ({ n }), { schema: schema({ n: int64() }) })
  const job = counted.run({ engine })
  for await (const _ of job);
  const metrics = job.metrics()
  expect(metrics).toMatchObject({ rows: 4, rowsWritten: 3, droppedRows: 1, lateRows: 1, latency: { count: 3 } })
  expect(metrics.nodes?.[0]).toMatchObject({ place: 'source', rowsIn: 5, rowsOut: 4, droppedRows: 1 })
  expect(metrics.nodes?.filter(({ place }) => place === 'output')).toHaveLength(1)

  const both = fed([1, 2, 3, 4, 5])
    .union(fed([6, 7]))
    .map(row => row, { schema: tick })
    .run({ engine })
  for await (const _ of both);
  expect(both.metrics()).toMatchObject({ rows: 6, rowsWritten: 6, droppedRows: 1 })
  expect(both.metrics().nodes?.filter(({ place }) => place === 'source')).toHaveLength(2)
})

it('tells onProgress of all that several inputs have read', async () => {
  await using engine = await createEngine({ lanes: 0 })
  const fed = (...times: number[]) => {
    const { flow, push, close } = channel(tick)
    push(times.map(ms => at(ms)))
    close()
    return flow
  }
  const marked = () => fed(1, 2, 3).watermark('time')
  const window = tumbling('10ms')
  for (const flow of [
    fed(1, 2).union(fed(3)),
    fed(1, 2)
      .union(fed(3))
      .map(row => row, { schema: tick }),
    fed(1, 2)
      .union(fed(3))
      .watermark('time')
      .window(window)
      .aggregate(() => ({ n: count() })),
    marked().window(window).semiJoin(marked(), 'key'),
  ]) {
    const told: number[] = []
    const job = flow.run({ engine, onProgress: ({ rows }) => void told.push(rows) })
    for await (const _ of job);
    expect(told.at(-1)).toBe(job.metrics().rows)
  }
})

it('waits for an onProgress of rows that come, which is asynchronous', async () => {
  const fed = () => {
    const { flow, push, close } = channel(tick)
    push(at(1))
    close()
    return flow
  }
  const window = tumbling('10ms')
  const counted = () =>
    fed()
      .watermark('time')
      .window(window)
      .aggregate(() => ({ n: count() }))
  for (const make of [fed, counted, () => fed().union(fed())])
    await expectWaitedFor(
      (onProgress, signal) => make().subscribe(() => {}, { lanes: 0, onProgress, ...(signal && { signal }) }).finished,
    )
})
