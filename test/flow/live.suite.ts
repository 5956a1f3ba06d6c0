/** Flows that run on: windows that close while rows come, groups that change, late rows, and what is refused. The law of what it all comes to is test/laws/windows.suite.ts. */
import { expect, it } from 'vitest'
import {
  approxCountDistinct,
  channel,
  collectAll,
  collectList,
  columns,
  count,
  csv,
  csvSink,
  cumulative,
  defineAggregate,
  desc,
  type Flow,
  float64,
  int32,
  int64,
  list,
  max,
  mean,
  min,
  nullable,
  param,
  type RecordBatch,
  rank,
  rowCount,
  rows,
  runAll,
  type SchemaShape,
  schema,
  session,
  sliding,
  stream,
  sum,
  timestamp,
  topK,
  tumbling,
  utf8,
  type Window,
} from '../../src/index.js'
import { folded, text } from '../laws/running.js'
import { virtualClock } from '../metrics/virtual-clock.js'
import { onLanes, refusal } from './env.js'

const tick = schema({ time: timestamp(), key: utf8(), x: float64() })
type Tick = { time: Date; key: string; x: number }
const at = (ms: number, key = 'a', x = 1): Tick => ({ time: new Date(ms), key, x })

/** A stream that the test feeds. */
function feed<T>() {
  const waiting: T[] = []
  let wake: () => void = () => {}
  let isEnded = false
  let isLeft = false
  return {
    push(...items: T[]) {
      waiting.push(...items)
      wake()
    },
    end() {
      isEnded = true
      wake()
    },
    get isLeft() {
      return isLeft
    },
    [Symbol.asyncIterator]: (): AsyncIterator<T> => ({
      async next() {
        while (waiting.length === 0 && !isEnded && !isLeft) {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
        return waiting.length > 0 && !isLeft
          ? { value: waiting.shift() as T, done: false }
          : { value: undefined, done: true }
      },
      async return() {
        isLeft = true
        wake()
        return { value: undefined, done: true }
      },
    }),
  }
}

const shown = (batch: RecordBatch): unknown[] =>
  batch
    .toRows()
    .map((row: any, i) => [
      row.windowStart?.getTime(),
      ...Object.values(row).slice(row.windowStart === undefined ? 0 : 2),
      batch.weights === null ? 1 : batch.weights[i],
    ])

const all = async (job: AsyncIterable<RecordBatch>): Promise<unknown[]> => {
  const found: unknown[] = []
  for await (const batch of job) found.push(...shown(batch))
  return found
}

export function liveSuite(lanesList: readonly number[]): void {
  onLanes(lanesList, engine => {
    const o = () => ({ engine: engine() })
    const counted = (flow: Flow<any>) =>
      flow
        .window(tumbling('10ms'))
        .groupBy('key')
        .aggregate((t: any) => ({ n: count(), x: sum(t.x) })) as Flow<any>

    it('gives a window as soon as it has closed, and what is open when the input is ended', async () => {
      const source = feed<Tick[]>()
      const job = counted(stream(source, { schema: tick }).watermark('time', { delay: '5ms' })).run(o())
      const batches = job[Symbol.asyncIterator]()
      source.push([at(1), at(3, 'b'), at(12)])
      source.push([at(15)])
      expect(shown((await batches.next()).value)).toEqual([
        [0, 'a', 1, 1, 1],
        [0, 'b', 1, 1, 1],
      ])
      source.push([at(2), at(16, 'b', 5)])
      await expect.poll(() => job.metrics()).toMatchObject({ lateRows: 1, watermark: 11n, groups: 2 })
      job.stop()
      expect(shown((await batches.next()).value)).toEqual([
        [10, 'a', 2, 2, 1],
        [10, 'b', 1, 5, 1],
      ])
      expect((await batches.next()).done).toBe(true)
      await job.finished
      expect(source.isLeft).toBe(true)
    })

    it('has lanes group what they read, where it is much', async () => {
      const length = 200_000
      const times = Float64Array.from({ length }, (_, i) => (i % 50_000 === 49_999 ? 0 : Math.floor(i / 1000)))
      const data = {
        time: BigInt64Array.from(times, BigInt),
        key: times.map((_, i) => i % 7),
        x: new Float64Array(length),
      }
      const job = counted(columns(data, schema({ ...tick, key: float64() })).watermark('time') as any).run(o())
      let counts = 0
      let windows = 0
      for await (const batch of job) {
        for (const { n } of batch.toRows()) counts += n as number
        windows += batch.rowCount
      }
      const { lateRows, nodes = [] } = job.metrics()
      expect([counts, windows, lateRows]).toEqual([length - 4, 20 * 7, 4])
      const grouped = nodes.filter(({ name, place }) => place === 'lanes' && name === 'group by window, key')
      const { lanes } = engine()
      expect(grouped.map(({ rowsIn, lateRows: late }) => [rowsIn, late])).toEqual(lanes === 0 ? [] : [[length - 4, 0]])
    })

    it('left early, or aborted, gives nothing more and lets the source go', async () => {
      const source = feed<Tick[]>()
      source.push([at(1), at(30)])
      for await (const batch of counted(stream(source, { schema: tick }).watermark('time')).run(o())) {
        expect(shown(batch)).toEqual([[0, 'a', 1, 1, 1]])
        break
      }
      await new Promise(resolve => setTimeout(resolve, 20))
      source.push([at(31)])
      await expect.poll(() => source.isLeft).toBe(true)
      const abort = new AbortController()
      const other = feed<Tick[]>()
      const job = counted(stream(other, { schema: tick }).watermark('time')).run({ ...o(), signal: abort.signal })
      other.push([at(1)])
      setTimeout(() => abort.abort(new Error('enough')), 20)
      await expect(all(job)).rejects.toThrow('enough')
    })

    it('amends what has closed within the allowed lateness, and no later', async () => {
      const source = [[at(1), at(21)], [at(5, 'a', 7)], [at(33)], [at(6)]]
      const flow = () =>
        stream(inTurn(source, tick), { schema: tick })
          .watermark('time')
          .window(tumbling('10ms'), { allowedLateness: '20ms' })
          .groupBy('key')
          .aggregate(t => ({ n: count(), x: sum(t.x) }))
      expect(await all(flow().run(o()))).toEqual([
        [0, 'a', 1, 1, 1],
        [0, 'a', 1, 1, -1],
        [0, 'a', 2, 8, 1],
        [20, 'a', 1, 1, 1],
        [30, 'a', 1, 1, 1],
      ])
      expect(await all(flow().late().run(o()))).toEqual([[undefined, new Date(6), 'a', 1, 1]])
    })

    it('gives late rows of sessions in the order in which they came, those without a time too, however they are batched', async () => {
      const shape = schema({ time: nullable(timestamp('ms')), key: utf8() })
      const times = [100, 3, null, 101, null, 5, 500, 90, null, 2]
      const rows = times.map((ms, i) => ({ time: ms === null ? null : new Date(ms), key: `row ${i}` }))
      const late = async (most: number) => {
        const batches = rows.flatMap((_, i) => (i % most === 0 ? [rows.slice(i, i + most)] : []))
        const flow = stream(inTurn(batches, shape), { schema: shape })
          .watermark('time')
          .window(session('10ms'))
          .aggregate(() => ({ n: count() }))
        return ((await all(flow.late().run(o()))) as unknown[][]).map(row =>
          row.find(value => typeof value === 'string'),
        )
      }
      for (const most of [1, 3, 10])
        expect(await late(most)).toEqual(['row 1', 'row 2', 'row 4', 'row 5', 'row 7', 'row 8', 'row 9'])
    })

    it('tells groups as they change: as they were, then as they are', async () => {
      const source = [[at(1), at(2, 'b', 2)], [at(3, 'b', 3)], [at(4, 'c', 4), at(5, 'a', 5)]]
      const totals = () =>
        stream(inTurn(source, tick), { schema: tick })
          .groupBy('key')
          .aggregate(t => ({ x: sum(t.x) }))
      expect(await all(totals().emit('change').run(o()))).toEqual([
        [undefined, 'a', 1, 1],
        [undefined, 'b', 2, 1],
        [undefined, 'b', 2, -1],
        [undefined, 'b', 5, 1],
        [undefined, 'a', 1, -1],
        [undefined, 'a', 6, 1],
        [undefined, 'c', 4, 1],
      ])
      // Filters and computed columns go along.
      const large = totals()
        .emit('change')
        .filter(t => t.x.gt(3))
        .derive(t => ({ twice: t.x.mul(2) }))
      expect(await all(large.run(o()))).toEqual([
        [undefined, 'b', 5, 10, 1],
        [undefined, 'a', 6, 12, 1],
        [undefined, 'c', 4, 8, 1],
      ])
    })

    it('tells nothing of groups that come to the same as before', async () => {
      const source = [[at(1), at(2, 'b', 2)], [at(3, 'b', 1), at(3, 'a', 5)], [at(4, 'b', 2)], [at(5, 'c', 0)]]
      const flow = () => stream(inTurn(source, tick), { schema: tick }).groupBy('key')
      expect(
        await all(
          flow()
            .aggregate(t => ({ most: max(t.x) }))
            .emit('change')
            .run(o()),
        ),
      ).toEqual([
        [undefined, 'a', 1, 1],
        [undefined, 'b', 2, 1],
        [undefined, 'a', 1, -1],
        [undefined, 'a', 5, 1],
        [undefined, 'c', 0, 1],
      ])
      // Lists too, and what is null.
      expect(
        await all(
          flow()
            .aggregate(t => ({ two: topK(t.x, 1), none: max(t.x).where(t.x.gt(4)) }))
            .emit('change')
            .run(o()),
        ),
      ).toEqual([
        [undefined, 'a', [1], null, 1],
        [undefined, 'b', [2], null, 1],
        [undefined, 'a', [1], null, -1],
        [undefined, 'a', [5], 5, 1],
        [undefined, 'c', [0], null, 1],
      ])
    })

    it('tells of windows those groups that have changed, and no others', async () => {
      const source = [[at(1), at(2, 'b', 2), at(7, 'c', 3)], [at(3, 'b', 1)], [at(4, 'a', 5)], [at(8, 'b', 4)]]
      const told = (window: Window) =>
        all(
          stream(inTurn(source, tick), { schema: tick })
            .watermark('time', { delay: '10ms' })
            .window(window)
            .groupBy('key')
            .aggregate(t => ({ most: max(t.x) }))
            .emit('change')
            .run(o()),
        )
      expect(await told(tumbling('10ms'))).toEqual([
        [0, 'a', 1, 1],
        [0, 'b', 2, 1],
        [0, 'c', 3, 1],
        [0, 'a', 1, -1],
        [0, 'a', 5, 1],
        [0, 'b', 2, -1],
        [0, 'b', 4, 1],
      ])
      expect(await told(sliding('10ms', '5ms'))).toEqual([
        [-5, 'a', 1, 1],
        [-5, 'b', 2, 1],
        [0, 'a', 1, 1],
        [0, 'b', 2, 1],
        [0, 'c', 3, 1],
        [5, 'c', 3, 1],
        [-5, 'a', 1, -1],
        [0, 'a', 1, -1],
        [-5, 'a', 5, 1],
        [0, 'a', 5, 1],
        [0, 'b', 2, -1],
        [0, 'b', 4, 1],
        [5, 'b', 4, 1],
      ])
    })

    it('aggregates what changes, by taking rows back, and refuses what cannot', async () => {
      const source = [[at(1), at(2, 'b', 2)], [at(3, 'b', 3)], [at(4, 'c', 4), at(5, 'a', 5)]]
      const totals = stream(inTurn(source, tick), { schema: tick })
        .groupBy('key')
        .aggregate(t => ({ x: sum(t.x), n: count() }))
        .emit('change')
      const byCount = totals.groupBy('n').aggregate(t => ({ keys: count(), x: sum(t.x), middle: mean(t.x) }))
      const view = byCount.live(o())
      await view.finished
      const found = view.table.toRows().sort((a, b) => (a.n as number) - (b.n as number))
      expect(found).toEqual([
        { n: 1, keys: 1, x: 4, middle: 4 },
        { n: 2, keys: 2, x: 11, middle: 5.5 },
      ])
      const again = stream(inTurn(source, tick), { schema: tick })
        .groupBy('key')
        .aggregate(t => ({ x: sum(t.x) }))
        .emit('change')
      const error = await refusal(() => all(again.aggregate(t => ({ x: max(t.x) })).run(o())), 'MR_CANNOT_RETRACT')
      expect(error.message).toContain('max(x)')
      await refusal(() => all(again.aggregate(t => ({ x: approxCountDistinct(t.x) })).run(o())), 'MR_CANNOT_RETRACT')
    })

    it('aggregates windows that have closed, by their end, as soon as they have', async () => {
      const source = feed<Tick[]>()
      const most = counted(stream(source, { schema: tick }).watermark('time'))
        .groupBy('windowEnd')
        .aggregate(t => ({ most: max(t.n), keys: count() }))
      const batches = most.run(o())[Symbol.asyncIterator]()
      source.push([at(1), at(2), at(3, 'b'), at(10, 'c')])
      expect((await batches.next()).value.toRows()).toEqual([{ windowEnd: new Date(10), most: 2, keys: 2 }])
      source.push([at(20)])
      expect((await batches.next()).value.toRows()).toEqual([{ windowEnd: new Date(20), most: 1, keys: 1 }])
      source.end()
      expect((await batches.next()).value.toRows()).toEqual([{ windowEnd: new Date(30), most: 1, keys: 1 }])
      expect((await batches.next()).done).toBe(true)
    })

    it('gives changes at most once a period', async () => {
      const source = feed<Tick[]>()
      const flow = stream(source, { schema: tick })
        .groupBy('key')
        .aggregate(t => ({ x: sum(t.x) }))
        .emit({ every: '60ms' })
      const batches: unknown[][] = []
      const job = flow.subscribe(batch => void batches.push(shown(batch)), o())
      for (let i = 0; i < 20; i++) {
        source.push([at(i)])
        await new Promise(resolve => setTimeout(resolve, 10))
      }
      source.end()
      await job.finished
      const rowsGiven = batches.flat() as [unknown, string, number, number][]
      const left = rowsGiven.reduce((total, [, , x, weight]) => total + x * weight, 0)
      expect(left).toBe(20)
      expect(rowsGiven.filter(([, , , weight]) => weight > 0).length).toBeLessThan(16)
    })

    it.each<[string, Window, ((window: any) => Flow<any>)?]>([
      ['tumbling', tumbling('10ms')],
      ['sliding', sliding('40ms', '10ms')],
      ['session', session('12ms')],
      ['rows', rowCount(7)],
      ['the first of sliding', sliding('40ms', '10ms'), window => window.groupBy('key').topK(1, desc('x'))],
      ['the first of sessions', session('12ms'), window => window.groupBy('key').topK(1, desc('x'))],
    ])('gives windows that are open at most once a period, though others close: %s', async (_, window, results) => {
      const clock = virtualClock()
      const soonest = { interval: 1, timeout: 10_000 }
      const source = channel(tick, { capacity: 2 ** 20 })
      const given: Tick[] = []
      const resultsOf = (flow: Flow<any>): Flow<any> => {
        const windows = flow.watermark('time').window(window, { allowedLateness: '5ms' }) as any
        return results?.(windows) ?? windows.groupBy('key').aggregate((t: any) => ({ n: count(), x: sum(t.x) }))
      }
      const job = resultsOf(source.flow)
        .emit({ every: '1s' })
        .run({ ...o(), clock })
      const told: any[] = []
      const batches: RecordBatch[] = []
      const done = (async () => {
        for await (const batch of job) {
          told.push(...batch.toRows().filter((_, i) => (batch.weights?.[i] ?? 1) > 0))
          batches.push(batch)
        }
      })()
      await expect.poll(() => clock.timers).toBe(1)
      for (let step = 0; step < 60; step++) {
        const rows = Array.from({ length: 150 }, (_, i) => {
          const row = 150 * step + i
          return at(Math.floor(row / 10), `k${((row * 7) % 90) + 90 * Math.floor(row / 1000)}`, (row * 31) % 97)
        })
        given.push(...rows)
        source.push(rows)
        await expect.poll(() => job.metrics().watermark, soonest).toBe(BigInt(given.at(-1)?.time.getTime() as number))
        const isOver = ({ windowEnd, n }: any) =>
          windowEnd <= (given.at(-1)?.time as Date) && (window.spec.kind !== 'rowCount' || n === 7)
        expect(told.filter(row => !isOver(row))).toEqual([])
        if (step % 7 !== 3) continue
        await clock.advance(1000)
        await expect.poll(() => told.some(row => !isOver(row)), soonest).toBe(true)
        told.splice(0)
      }
      source.close()
      await done
      const collected = await resultsOf(rows(given, tick)).collect(o())
      const texts = collected.toRows({ bigint: true }).map(text)
      async function* all() {
        yield* batches
      }
      expect(await folded(all())).toEqual(texts.sort())
      expect(clock.timers).toBe(0)
    })

    it('fails of what it gives once a period as soon as it does, though no more comes', async () => {
      const clock = virtualClock()
      const source = channel(schema({ n: int64() }))
      const job = source.flow
        .aggregate(t => ({ n: sum(t.n) }))
        .emit({ every: '60ms' })
        .derive(t => ({ twice: t.n.add(t.n) }))
        .run({ ...o(), clock })
      const failed = refusal(() => all(job), 'MR_INTEGER_OVERFLOW')
      await source.push({ n: 2n ** 62n })
      await expect.poll(() => job.metrics().groups).toBe(1)
      await clock.advance(60)
      await failed
      expect(source.isClosed).toBe(true)
      expect(clock.timers).toBe(0)
    })

    it('gives also a session that begins behind the watermark and is gone before its period is over', async () => {
      const source = feed<Tick[]>()
      const flow = stream(source, { schema: tick })
        .watermark('time')
        .filter(t => t.key.ne('b'))
        .window(session('1ms'), { allowedLateness: '40ms' })
        .groupBy('key')
        .aggregate(() => ({ n: count() }))
        .emit({ every: '1h' })
      for (const row of [at(1, 'b'), at(0), at(41)]) source.push([row])
      source.end()
      expect(await all(flow.run(o()))).toEqual([
        [0, 'a', 1, 1],
        [41, 'a', 1, 1],
      ])
    })

    it('says which verbs must see all rows where they run on, and gives what all come to where they end', async () => {
      const verbs: [string, (flow: Flow<any>) => Flow<any>][] = [
        ['orderBy', flow => flow.orderBy(desc('x'))],
        ['limit', flow => flow.emit('change').limit(1)],
        ['sample', flow => flow.sample({ n: 1 })],
        ['fullJoin', flow => flow.fullJoin(columns({ key: ['a'] }), 'key')],
        ['rightJoin', flow => flow.rightJoin(columns({ key: ['a'] }), 'key')],
        ['over', flow => flow.over({ orderBy: 'x' }, () => ({ rank: rank() }))],
      ]
      for (const [verb, over] of verbs) {
        const endless = channel(tick)
        const error = await refusal(() => all(over(counted(endless.flow.watermark('time'))).run(o())), 'MR_UNBOUNDED')
        expect(error.message).toContain(verb)
        if (verb !== 'limit') await refusal(() => all(over(endless.flow.watermark('time')).run(o())), 'MR_UNBOUNDED')
        const given = over(counted(rows([at(1), at(2, 'b', 3)]).watermark('time')))
        if (verb === 'limit') await refusal(() => all(given.run(o())), 'MR_UNBOUNDED')
        else {
          const found: object[] = []
          for await (const batch of given.run(o())) found.push(...batch.toRows())
          expect(found).toEqual((await given.collect(o())).toRows())
          expect(found).not.toEqual([])
        }
      }
      const ordered = counted(rows([at(1), at(2, 'b', 3)]).watermark('time')).orderBy(desc('x'))
      const late = counted(rows([at(100), at(2, 'b', 3)]).watermark('time')).late()
      await refusal(() => all(ordered.emit('change').run(o())), 'MR_UNBOUNDED')
      await refusal(() => all(late.orderBy('x').run(o())), 'MR_UNBOUNDED')
      const beside = rows([at(1)], tick).watermark('time')
      const joined = counted(late.watermark('time').union(beside)).orderBy('key')
      await refusal(() => all(joined.run(o())), 'MR_UNBOUNDED')
    })

    it('that is ended by a limit has all rows for the verbs behind it', async () => {
      for (const limited of [
        (flow: Flow<any>) => flow.watermark('time').limit(2),
        (flow: Flow<any>) => flow.limit(2).watermark('time'),
      ]) {
        const source = channel(tick)
        const given = all(limited(source.flow).orderBy(desc('x')).select('key', 'x').run(o()))
        await source.push([at(1), at(2, 'b', 3), at(3)])
        expect(await given).toEqual([
          [undefined, 'b', 3, 1],
          [undefined, 'a', 1, 1],
        ])
      }
    })

    it('gives the first rows of windows as they close, and is then done, be they of one input or of two', async () => {
      for (const together of [(flow: Flow<any>) => flow, (flow: Flow<any>) => flow.union(rows([at(2)], tick))]) {
        const source = channel(tick)
        const job = counted(together(source.flow).watermark('time'))
          .limit(2, 1)
          .derive(t => ({ twice: t.n.mul(2) }))
          .run(o())
        const given = all(job)
        for (let i = 0; i < 60; i++) source.push([at(i * 10, i % 2 ? 'a' : 'b')])
        expect(await given).toHaveLength(2)
        await job.finished
        await refusal(() => source.push(at(1000)), 'MR_CLOSED')
      }
    })

    it('gives the first rows of windows of a stream that is mapped before as they close', async () => {
      let isLeft = false
      async function* ticks() {
        try {
          for (let i = 0; ; i++) {
            yield at(i * 10)
            await new Promise(resolve => setTimeout(resolve))
          }
        } finally {
          isLeft = true
        }
      }
      const mapped = stream(ticks(), { schema: tick }).map(row => row, { schema: tick })
      expect(await all(counted(mapped.watermark('time')).limit(2).run(o()))).toHaveLength(2)
      await expect.poll(() => isLeft).toBe(true)
    })

    it('gives what inputs that end come to in windows and joins, in an order', async () => {
      const ticks = Array.from({ length: 40 }, (_, i) => at(i * 3, i % 3 ? 'a' : 'b', i))
      const batches = ticks.flatMap((_, i) => (i % 5 === 0 ? [ticks.slice(i, i + 5)] : []))
      const kinds = [
        () => rows(ticks).watermark('time'),
        () => stream(inTurn(batches, tick), { schema: tick }).watermark('time'),
      ]
      for (const make of kinds) {
        const flows: ((one: Flow<any>, other: Flow<any>) => Flow<any>)[] = [
          (one, other) => counted(one.union(other)).orderBy(desc('n'), 'windowStart', 'key').limit(3, 1),
          (one, other) => counted(one).union(counted(other)).orderBy(desc('n'), 'windowStart', 'key'),
          (one, other) => one.window(tumbling('10ms')).join(other, 'key').orderBy(desc('x'), 'x_right').limit(9),
          one => one.dedupe({ within: '5ms' }).orderBy(desc('time')),
        ]
        for (const flow of flows) {
          const found: object[] = []
          for await (const batch of flow(make(), make()).run(o())) found.push(...batch.toRows())
          expect(found).toEqual((await flow(make(), make()).collect(o())).toRows())
          expect(found.length).toBeGreaterThan(1)
        }
      }
    })

    it('is that of its column, whatever columns before it this has been copied to', async () => {
      const shape = schema({ key: timestamp('ms'), time: timestamp('ms') })
      const times = [new Date(1), new Date(1500)]
      const marked = columns({ key: times, time: times }, shape).watermark('time')
      const copied = marked.derive(t => ({ key: t.time })).derive(t => ({ key: t.key.hour() })) as Flow<any>
      const ends = copied.window(tumbling('1s')).aggregate(() => ({ n: count() })) as Flow<any>
      expect((await ends.collect(o())).column('n').toArray()).toEqual(Float64Array.of(1, 1))
    })

    it('is refused where it makes no sense, as soon as it is said', async () => {
      const flow = rows([at(1)]).watermark('time')
      await refusal(() => rows([at(1)]).window(tumbling('1s')), 'MR_NO_EVENT_TIME')
      await refusal(() => flow.drop('time').window(tumbling('1s')), 'MR_NO_EVENT_TIME')
      await refusal(() => flow.derive(t => ({ time: t.x })).window(tumbling('1s')), 'MR_NO_EVENT_TIME')
      await refusal(() => rows([at(1)]).watermark('x'), 'MR_TYPE_MISMATCH')
      await refusal(() => rows([at(1)]).watermark('tme' as never), 'MR_UNKNOWN_COLUMN')
      await refusal(() => rows([at(1)]).watermark('time', { delay: '-1s' }), 'MR_INVALID_OPTION')
      await refusal(() => rows([at(1)]).watermark('time', { delay: '1 month' }), 'MR_INVALID_OPTION')
      await refusal(() => rows([at(1)]).watermark('time', { dely: '1s' } as never), 'MR_INVALID_OPTION')
      for (const window of [
        tumbling('0s'),
        tumbling('soon'),
        tumbling('1 day', { zone: 'Mars/Olympus' }),
        tumbling('1 day', { offset: '1 month' }),
        sliding('10s', '3s'),
        sliding('1 month', '1 day'),
        cumulative('10s', '20s'),
        session('-1s'),
        session('0ms'),
        rowCount(0),
        rowCount(1.5),
      ])
        await refusal(() => flow.window(window), 'MR_INVALID_OPTION')
      await refusal(() => flow.window({} as never), 'MR_INVALID_OPTION')
      await refusal(() => flow.window(tumbling('100us')).aggregate(() => ({ n: count() })), 'MR_INVALID_OPTION')
      await refusal(() => flow.window(tumbling('1s'), { allowedLateness: '-1s' }), 'MR_INVALID_OPTION')
      await refusal(() => flow.window(tumbling('1s')).aggregate(() => ({ windowEnd: count() })), 'MR_DUPLICATE_COLUMN')
      const renamed = flow.rename({ key: 'windowStart' })
      await refusal(
        () =>
          renamed
            .window(tumbling('1s'))
            .groupBy('windowStart')
            .aggregate(() => ({ n: count() })),
        'MR_DUPLICATE_COLUMN',
      )
      await refusal(() => flow.window(tumbling('1s')).groupBy('kee' as never), 'MR_UNKNOWN_COLUMN')
      await refusal(() => flow.emit('change'), 'MR_INVALID_OPTION')
      await refusal(
        () =>
          flow
            .groupBy('key')
            .aggregate(() => ({ n: count() }))
            .emit('close'),
        'MR_INVALID_OPTION',
      )
      await refusal(() => counted(flow).emit('sometimes' as never), 'MR_INVALID_OPTION')
      await refusal(() => flow.late(), 'MR_INVALID_OPTION')
    })

    it('takes rows behind a filter together up to the first that may be late, and the others one by one', async () => {
      const times = Array.from({ length: 4000 }, (_, i) => (i === 3500 ? 10 : i))
      const many = columns(
        {
          time: BigInt64Array.from(times, BigInt),
          key: times.map((_, i) => 'abc'[i % 3] as string),
          x: Float64Array.from(times, (_, i) => i),
        },
        tick,
      )
      const expected = new Map<string, [number, number]>()
      for (const [i, time] of times.entries()) {
        if (i === 7 || i === 3500) continue
        const name = `${Math.floor(time / 1000) * 1000} ${'abc'[i % 3]}`
        const [n, x] = expected.get(name) ?? [0, 0]
        expected.set(name, [n + 1, x - i])
      }
      async function* whole() {
        yield await many.collect({ lanes: 0 })
      }
      const kept = stream(whole(), { schema: tick })
        .filter(t => t.x.ne(7))
        .derive(t => ({ x: t.x.neg() }))
      const job = kept
        .watermark('time')
        .window(tumbling('1s'))
        .groupBy('key')
        .aggregate(t => ({ n: count(), x: sum(t.x) }))
        .run(o())
      const found = (await all(job)).map(row => row as [number, string, number, number, number])
      expect(new Map(found.map(([start, key, n, x]) => [`${start} ${key}`, [n, x]]))).toEqual(expected)
      expect(job.metrics().lateRows).toBe(1)
    })

    it('reads what is large in parts within a budget, also where little happens to it', async () => {
      const pair = schema({ a: float64(), b: float64() })
      const wide = columns({ a: Float64Array.from({ length: 65_536 }, (_, i) => i), b: new Float64Array(65_536) }, pair)
      async function* whole() {
        yield await wide.collect({ lanes: 0 })
      }
      const job = stream(whole(), { schema: pair })
        .filter(t => t.a.gte(1))
        .derive(t => ({ c: t.a.add(t.b) }))
        .run({ ...o(), memory: 2 ** 20 })
      expect((await all(job)).length).toBe(65_535)
    })

    it('keeps to a budget many times what is open, however many strings come at once, and says what exceeds it', async () => {
      const memory = 12 * 2 ** 20
      const rowCount = 100_000
      const texts = columns(
        {
          time: Array.from({ length: rowCount }, (_, i) => new Date(10 * i)),
          key: Array.from({ length: rowCount }, (_, i) => `a string that comes but once, number ${i}`),
        },
        schema({ time: timestamp(), key: utf8() }),
      )
      const table = await texts.collect({ lanes: 0 })
      const source = channel(table.schema, { capacity: rowCount })
      await source.push(table)
      source.close()
      const groups = source.flow
        .watermark('time')
        .window(tumbling('1s'))
        .groupBy('key')
        .aggregate(t => ({ n: count(), least: min(t.key), all: collectList(t.key) }))
      let given = 0
      for await (const batch of groups.run({ ...o(), memory })) given += batch.rowCount
      expect(given).toBe(rowCount)

      const listed = schema({ time: timestamp(), parts: list(utf8()) })
      const { time, key } = table.toColumns()
      const lists = channel(listed, { capacity: rowCount })
      await lists.push({ time, parts: Array.from(key, text => [text]) })
      lists.close()
      const tops = lists.flow.watermark('time').window(tumbling('1s')).topK(1, desc('time'))
      given = 0
      for await (const batch of tops.run({ ...o(), memory: memory / 2 })) given += batch.rowCount
      expect(given).toBe(rowCount / 100)

      const kept = channel(table.schema, { capacity: rowCount })
      await kept.push(table)
      const counts = kept.flow.groupBy('key').aggregate(t => ({ n: count(), all: collectList(t.key) }))
      const error = await refusal(() => all(counts.run({ ...o(), memory })), 'MR_MEMORY_LIMIT')
      expect(error.details).toMatchObject({ operator: 'aggregate by key', budgetBytes: memory })
    })

    it('fails with the row that fails, and with what the source fails of', async () => {
      const whole = schema({ time: timestamp(), n: int32() })
      const bad = stream(inTurn([[{ time: new Date(0), n: 1 }], [{ time: new Date(1), n: 2 ** 31 - 1 }]], whole), {
        schema: whole,
      })
        .watermark('time')
        .derive(t => ({ text: t.n.mul(9007199254740993n).mul(t.n) }))
        .window(tumbling('1s'))
        .aggregate(t => ({ n: max(t.text) }))
      const error = await refusal(() => all(bad.run(o())), 'MR_INTEGER_OVERFLOW')
      expect(error.details.row).toBe(1)
      // Rows are counted in the source, or not told.
      const feed = () =>
        stream(inTurn([[at(0), at(1)], [at(200)], [at(2), at(210), at(220, 'b', 16_384)]], tick), { schema: tick })
      const failing = (flow: Flow<any>) => flow.derive(t => ({ n: t.x.cast(int64()).mul(2n ** 50n) }))
      const summed = (flow: Flow<any>) => flow.window(tumbling('100ms')).aggregate(t => ({ n: sum(t.n) }))
      const rowOf = async (flow: Flow<any>) => {
        const { message, details } = await refusal(() => all(flow.run(o())), 'MR_INTEGER_OVERFLOW')
        expect(message).toContain('is beyond int64')
        expect(message.includes('(row')).toBe(details.row !== undefined)
        expect(details).not.toHaveProperty('expression')
        return details.row
      }
      const marked = (flow: Flow<any>) => flow.watermark('time')
      expect(await rowOf(summed(failing(marked(feed().select('x', 'time')))))).toBe(5)
      expect(await rowOf(summed(failing(marked(feed()).filter(t => t.x.gt(1)))))).toBe(5)
      for (const window of [tumbling('100ms'), session('100ms')]) {
        const late = marked(feed())
          .filter(t => t.time.ne(new Date(210)))
          .window(window)
          .aggregate(t => ({ n: max(t.x.cast(int64()).mul(2n ** 50n)) }))
        expect(await rowOf(late)).toBe(5)
      }
      expect(await rowOf(summed(failing(marked(feed().filter(t => t.x.gt(1))))))).toBeUndefined()
      expect(await rowOf(summed(marked(failing(feed().filter(t => t.x.gt(1))))))).toBe(5)
      const before: unknown[] = []
      const [rest, last] = [[at(0), at(150), at(160, 'b', 16_384), at(900)], []]
      const closing = summed(
        marked(failing(stream(inTurn([rest, last], tick), { schema: tick }).filter(t => t.x.gt(0)))),
      )
      const given = async () => {
        for await (const batch of closing.run(o())) before.push(...shown(batch))
      }
      expect((await refusal(given, 'MR_INTEGER_OVERFLOW')).details.row).toBe(2)
      expect(before).toEqual([[0, 2 ** 50, 1]])
      const behind = marked(feed())
        .window(tumbling('100ms'))
        .aggregate(t => ({ x: sum(t.x) }))
      expect(await rowOf(failing(behind))).toBeUndefined()
      expect(await rowOf(summed(failing(marked(feed()).union(marked(feed())))))).toBe(5)
      const apart = marked(feed()).union(marked(feed()).filter(t => t.x.gt(1)))
      expect(await rowOf(summed(failing(apart)))).toBeUndefined()
      const met = marked(feed())
        .window(tumbling('100ms'))
        .join(marked(feed()), 'key', {
          where: (l, r) =>
            l.x
              .cast(int64())
              .mul(2n ** 50n)
              .gt(r.x.cast(int64())),
        })
      expect(await rowOf(met)).toBeUndefined()
      async function* halfway() {
        yield [at(1), at(50)]
        throw new Error('the line is down')
      }
      const job = counted(stream(halfway(), { schema: tick }).watermark('time')).run(o())
      const found: unknown[] = []
      await expect(
        (async () => {
          for await (const batch of job) found.push(...shown(batch))
        })(),
      ).rejects.toThrow('the line is down')
    })

    it('keeps no more than what is open, however long it runs', async () => {
      const batch = 5000
      async function* long() {
        for (let i = 0; i < 60; i++) {
          const times = BigInt64Array.from({ length: batch }, (_, row) => BigInt(i * batch + row))
          const key = Array.from({ length: batch }, (_, row) => `k${(i * batch + row) % 977}`)
          yield (await columns({ time: times, key, x: new Float64Array(batch) }, tick).collect({ lanes: 0 }))
            .batches[0] as RecordBatch
        }
      }
      let groups = 0
      let rowsSeen = 0
      const job = counted(stream(long(), { schema: tick }).watermark('time', { delay: '100ms' })).run(o())
      for await (const given of job) {
        rowsSeen += (given.column('n').toArray() as Float64Array).reduce((a, b) => a + b, 0)
        groups = Math.max(groups, job.metrics().groups as number)
      }
      expect(rowsSeen).toBe(60 * batch)
      expect(groups).toBeLessThan(1000)
    })

    it('keeps nothing of a row that came late for some of its windows, once the others have closed', async () => {
      const source = feed<Tick[]>()
      const job = stream(source, { schema: tick })
        .watermark('time')
        .window(sliding('15ms', '5ms'))
        .groupBy('key')
        .aggregate(() => ({ rows: count() }))
        .run(o())
      const given = folded(job)
      // The first is in windows that end at 25, 30 and 35, the third at 20, 25 and 30; and then all are over.
      for (const ms of [20, 26]) {
        source.push([at(ms)])
        await expect.poll(() => job.metrics().watermark, { timeout: 10_000 }).toBe(BigInt(ms))
      }
      source.push([at(17), at(1000)])
      await expect.poll(() => job.metrics().watermark, { timeout: 10_000 }).toBe(1000n)
      expect(job.metrics()).toMatchObject({ groups: 1, lateRows: 0 })
      source.end()
      await given
      expect(job.metrics().groups).toBe(0)
    })

    it('has days of 23 and 25 hours where a zone has them', async () => {
      const hours = Array.from({ length: 24 * 400 }, (_, i) => ({ time: new Date(Date.UTC(2024, 0, 1, i)) }))
      const days = rows(hours)
        .watermark('time')
        .window(tumbling('1 day', { zone: 'Europe/Berlin' }))
        .aggregate(() => ({ n: count() }))
      const found = (await days.collect(o())).toRows()
      expect(await all(days.run(o()))).toHaveLength(found.length)
      const clock = new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hourCycle: 'h23', hour: 'numeric' })
      for (const { windowStart, windowEnd, n } of found.slice(1, -1)) {
        expect(clock.format(windowStart)).toBe('00')
        expect(n).toBe((windowEnd.getTime() - windowStart.getTime()) / 3_600_000)
      }
      expect(new Set(found.slice(1, -1).map(({ n }) => n))).toEqual(new Set([23, 24, 25]))
      const months = rows(hours)
        .watermark('time')
        .window(tumbling('1 month'))
        .aggregate(() => ({ n: count() }))
      expect((await months.collect(o())).toRows()[1]).toMatchObject({ windowStart: new Date('2024-02-01'), n: 29 * 24 })
    })

    it('refuses a time whose windows are beyond what its type can hold, whichever they are', async () => {
      const instants = schema({ time: timestamp('ns') })
      const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n]
      for (const [window, time] of [
        [tumbling('10s'), most],
        [sliding('10s', '2s'), most],
        [sliding('10s', '2s'), least + 2_000_000_000n],
        [cumulative('10s', '2s'), most],
        [session('3s'), most],
      ] as const) {
        const given = rows([{ time }], instants).watermark('time').window(window)
        for (const flow of [given.aggregate(() => ({ n: count() })), given.topK(1, 'time')]) {
          await refusal(() => flow.collect(o()), 'MR_INTEGER_OVERFLOW')
          await refusal(() => all(flow.run(o())), 'MR_INTEGER_OVERFLOW')
        }
      }
    })

    it('counts rows by key, and the last window has those that are left', async () => {
      const source = [
        [at(5), at(1), at(9, 'b')],
        [at(2), at(3)],
      ]
      const flow = () =>
        stream(inTurn(source, tick), { schema: tick })
          .watermark('time')
          .window(rowCount(2))
          .groupBy('key')
          .aggregate(t => ({ x: sum(t.x), n: count() }))
      expect(await all(flow().run(o()))).toEqual([
        [1, 'a', 2, 2, 1],
        [2, 'a', 2, 2, 1],
        [9, 'b', 1, 1, 1],
      ])
      const batch = rows(source.flat())
        .watermark('time')
        .window(rowCount(2))
        .groupBy('key')
        .aggregate(t => ({ x: sum(t.x), n: count() }))
      expect(await all((await batch.collect(o())).batches as never)).toEqual([
        [2, 'a', 2, 2, 1],
        [1, 'a', 2, 2, 1],
        [9, 'b', 1, 1, 1],
      ])
    })

    it('keeps nothing of windows of so many rows that are full', async () => {
      const shape = schema({ time: timestamp(), x: float64() })
      const kept: number[] = []
      async function* counting() {
        for (let i = 0; i < 40; i++) {
          yield { time: new BigInt64Array(2000).fill(BigInt(i)), x: new Float64Array(2000) }
          kept.push(Math.max(...(job.metrics().nodes ?? []).map(({ stateBytes }) => stateBytes)))
        }
      }
      const job = stream(counting(), { schema: shape })
        .watermark('time')
        .window(rowCount(2))
        .aggregate(t => ({ n: count(), x: sum(t.x) }))
        .run(o())
      let windows = 0
      for await (const { rowCount } of job) windows += rowCount
      expect(windows).toBe(40_000)
      expect(Math.max(...kept)).toBeLessThan(2 ** 19)
    })

    it('tells of what it keeps no more the more strings have passed', async () => {
      const kept: number[] = []
      async function* ever() {
        for (let i = 0; i < 100; i++) {
          const time = new BigInt64Array(4000).fill(BigInt(10 * i))
          yield { time, key: Array.from(time, (_, j) => `a string that comes but once, ${i} ${j}`) }
          kept.push((job.metrics().nodes ?? []).reduce((all, { stateBytes }) => all + stateBytes, 0))
        }
      }
      const job = stream(ever(), { schema: schema({ time: timestamp(), key: utf8() }) })
        .watermark('time')
        .dedupe({ keys: ['key'], within: '20ms' })
        .run(o())
      let passed = 0
      for await (const { rowCount } of job) passed += rowCount
      expect(passed).toBe(400_000)
      // Strings are let go of beyond 8 MiB.
      expect(Math.max(...kept)).toBeLessThan(12 * 2 ** 20)
    })

    it('many sessions of a key that are open at once take no more time each than a few', async () => {
      const shape = schema({ time: timestamp(), key: utf8() })
      async function* apart() {
        for (let from = 0; from < 196_608; from += 65_536) {
          const time = BigInt64Array.from({ length: 65_536 }, (_, i) => BigInt(10 * (from + i)))
          yield { time, key: Array.from(time, () => 'a') }
        }
      }
      const flow = () =>
        stream(apart(), { schema: shape }).watermark('time', { delay: '1h' }).window(session('10ms')).groupBy('key')
      for (const sessions of [flow().aggregate(() => ({ n: count() })), flow().topK(1, 'time')] as Flow<any>[]) {
        let found = 0
        for await (const { rowCount } of sessions.run(o())) found += rowCount
        expect(found).toBe(196_608)
      }
    })

    it('results and late rows of one stream, side by side', async () => {
      const marked = stream(inTurn([[at(1), at(25), at(2)]], tick), { schema: tick }).watermark('time')
      const results = counted(marked)
      const [given, late]: unknown[][] = [[], []]
      const job = runAll(
        { results, late: results.late() },
        {
          results: (batch: RecordBatch) => void given?.push(...shown(batch)),
          late: (batch: RecordBatch) => void late?.push(...shown(batch)),
        } as never,
        o(),
      )
      await job.finished
      expect(given).toEqual([
        [0, 'a', 1, 1, 1],
        [20, 'a', 1, 1, 1],
      ])
      expect(late).toEqual([[undefined, new Date(2), 'a', 1, 1]])
      expect(job.metrics().lateRows).toBe(2)
    })

    it('a table follows a parameter, and a flow that runs on', async () => {
      const least = param(2)
      const view = rows([at(1), at(2, 'b', 5)])
        .filter(t => t.x.gte(least))
        .groupBy('key')
        .aggregate(() => ({ n: count() }))
        .live(o())
      const seen: number[] = []
      view.subscribe(table => void seen.push(table.rowCount))
      await view.ready
      expect(view.table.toRows()).toEqual([{ key: 'b', n: 1 }])
      least.set(1)
      await expect.poll(() => view.table.rowCount).toBe(2)
      await expect.poll(() => seen).toEqual([1, 2])
      await view.close()
      least.set(9)
      await new Promise(resolve => setTimeout(resolve, 20))
      expect(view.table.rowCount).toBe(2)
      const source = feed<Tick[]>()
      const totals = stream(source, { schema: tick })
        .groupBy('key')
        .aggregate(t => ({ x: sum(t.x) }))
        .emit('change')
        .live(o())
      source.push([at(1), at(2, 'b')])
      await totals.ready
      source.push([at(3, 'a', 9)])
      await expect
        .poll(() => totals.table.toRows())
        .toEqual([
          { key: 'a', x: 10 },
          { key: 'b', x: 1 },
        ])
      totals.subscribe(() => {
        throw new Error('no room on the page')
      })
      source.push([at(4, 'a', 9)])
      await expect(totals.finished).rejects.toThrow('no room on the page')
      await expect.poll(() => source.isLeft).toBe(true)
      const other = feed<Tick[]>()
      const drawn = stream(other, { schema: tick })
        .groupBy('key')
        .aggregate(() => ({ n: count() }))
        .emit('change')
        .live(o())
      drawn.subscribe(async () => {
        throw new Error('no room on the page')
      })
      other.push([at(1)])
      await expect(drawn.finished).rejects.toThrow('no room on the page')
      await expect.poll(() => other.isLeft).toBe(true)
    })

    it('a table calls each subscriber once for what it is, whoever else comes and goes', async () => {
      const pushed = channel(tick)
      const view = pushed.flow.live(o())
      const told: string[] = []
      const hear = (name: string) => view.subscribe(table => void told.push(`${name} ${table.rowCount}`))
      hear('a')
      await pushed.push(at(1))
      await expect.poll(() => told).toEqual(['a 1'])
      hear('b')
      await expect.poll(() => told).toEqual(['a 1', 'b 1'])
      // One function may be there twice, and one of the two go; and another may be added by a subscriber.
      const again = () => {
        told.push('again')
        if (told.filter(each => each === 'again').length === 2) hear('late')
      }
      const leave = view.subscribe(again)
      view.subscribe(again)
      await expect.poll(() => told.slice(2)).toEqual(['again', 'again', 'late 1'])
      leave()
      await pushed.push(at(2))
      await expect.poll(() => told.slice(5)).toEqual(['a 2', 'b 2', 'again', 'late 2'])
      pushed.close()
      await view.finished
      await new Promise(resolve => setTimeout(resolve, 20))
      expect(told).toHaveLength(9)
      await view.close()
    })

    it('a table follows a parameter below what the calling thread makes of rows', async () => {
      const least = param(2)
      const few = rows([at(1), at(2, 'b', 5)]).filter(t => t.x.gte(least))
      const total = defineAggregate<{ x: number }, [number], number>({
        init: () => ({ x: 0 }),
        update: (state, x) => ({ x: state.x + x }),
        merge: (a, b) => ({ x: a.x + b.x }),
        evaluate: ({ x }) => x,
      })
      const totals = few.aggregate(t => ({ x: total(t.x) })).live(o())
      const mapped = few
        .map(({ x }) => ({ x: x + 1 }), { schema: schema({ x: float64() }) })
        .map(({ x }) => ({ x }), { schema: schema({ x: float64() }) })
        .live(o())
      await Promise.all([totals.ready, mapped.ready])
      expect([totals.table.toRows(), mapped.table.toRows()]).toEqual([[{ x: 5 }], [{ x: 6 }]])
      least.set(1)
      await expect.poll(() => totals.table.toRows()).toEqual([{ x: 6 }])
      await expect.poll(() => mapped.table.toRows()).toEqual([{ x: 2 }, { x: 6 }])
      await Promise.all([totals.close(), mapped.close()])
    })

    it('a job has the values that its parameters had when it began, whatever they are set to before it is planned', async () => {
      const least = param(2)
      const few = rows([at(1), at(2, 'b', 5)]).filter(t => t.x.gte(least))
      const mapped = few.map(({ x }) => ({ x }), { schema: schema({ x: float64() }) })
      const both = few.join(few.select('x'), 'x')
      const windows = few
        .watermark('time')
        .window(tumbling('1s'))
        .aggregate(() => ({ n: count() }))
      const sums: number[] = []
      const add = (batch: RecordBatch<any>) => void sums.push(batch.rowCount)
      const begun = () =>
        Promise.all([
          ...[few, mapped, both].map(async (flow: Flow<any>) => (await flow.collect(o())).rowCount),
          collectAll({ few, mapped: few.groupBy('key').aggregate(() => ({ n: count() })) }, o()).then(
            tables => tables.few.rowCount + tables.mapped.rowCount,
          ),
          all(windows.run(o())).then(([window]) => (window as unknown[])[1]),
          few.subscribe(add, o()).finished,
          runAll({ few, mapped }, { few: add, mapped: add }, o()).finished,
        ])
      const one = begun()
      least.set(1)
      const two = begun()
      least.set(9)
      expect((await one).slice(0, 5)).toEqual([1, 1, 1, 2, 1])
      expect((await two).slice(0, 5)).toEqual([2, 2, 2, 4, 2])
      expect(sums.sort()).toEqual([1, 1, 1, 2, 2, 2])
    })

    it('parameters of columns that are known once a file opens are those of the others', async () => {
      const least = param(2)
      const flow = csv({ text: 'x\n1\n2\n3\n' })
        .derive(t => ({ y: t.x.mul(least) }))
        .filter(t => t.x.gte(least))
      const begun = flow.collect(o())
      least.set(3)
      expect((await begun).toRows()).toEqual([
        { x: 2, y: 4 },
        { x: 3, y: 6 },
      ])
      const view = csv({ text: 'x\n1\n2\n' })
        .derive(t => ({ x: t.x.mul(least) }))
        .live(o())
      await view.ready
      expect(view.table.toRows()).toEqual([{ x: 3 }, { x: 6 }])
      least.set(1)
      await expect.poll(() => view.table.toRows()).toEqual([{ x: 1 }, { x: 2 }])
      await view.close()
    })

    it('a table of windows over a stream, below functions of rows, is made once', async () => {
      const least = param(2)
      const text = new Blob(['time,key,x\n1970-01-01T00:00:00.001Z,a,2\n1970-01-01T00:00:00.002Z,a,1\n']).stream()
      const view = csv(text, { schema: tick })
        .map(row => row, { schema: tick })
        .watermark('time')
        .filter(t => t.x.gte(least))
        .window(tumbling('10ms'))
        .aggregate(() => ({ n: count() }))
        .live(o())
      await view.finished
      least.set(1)
      await new Promise(resolve => setTimeout(resolve, 20))
      expect(view.table.toRows().map(({ n }) => n)).toEqual([1])
      await view.close()
    })

    it('a table of windows follows a parameter where its rows can be read again', async () => {
      const least = param(2)
      const view = rows([at(1), at(2, 'b', 5), at(25, 'a', 3)])
        .watermark('time')
        .filter(t => t.x.gte(least))
        .window(tumbling('10ms'))
        .aggregate(() => ({ n: count() }))
        .live(o())
      const counts = () => view.table.toRows().map(({ n }) => n)
      await view.ready
      expect(counts()).toEqual([1, 1])
      least.set(1)
      await expect.poll(counts).toEqual([2, 1])
      least.set(4)
      await expect.poll(counts).toEqual([1])
      await view.close()
      await view.finished
    })

    it('a table that is given up rejects with the reason, whether its flow ends or runs on', async () => {
      const flows = () => [
        rows([at(1)]),
        rows([at(1)]).filter(t => t.x.gte(param(0))),
        stream(feed<Tick[]>(), { schema: tick }),
      ]
      for (const flow of flows()) {
        const view = flow.live({ ...o(), signal: AbortSignal.abort('no more') })
        await expect(view.ready).rejects.toBe('no more')
        await expect(view.finished).rejects.toBe('no more')
      }
      const stop = new AbortController()
      const view = flows()[1].live({ ...o(), signal: stop.signal })
      await view.ready
      stop.abort('enough')
      await expect(view.finished).rejects.toBe('enough')
      expect(view.table.rowCount).toBe(1)
    })

    it('goes on to functions of rows and to files, where no row is taken back', async () => {
      const source = feed<Tick[]>()
      const named = counted(stream(source, { schema: tick }).watermark('time')).map(
        ({ key, n }: any) => ({ text: `${key} ${n}` }),
        { schema: schema({ text: utf8() }) },
      )
      const batches = named.run(o())[Symbol.asyncIterator]()
      source.push([at(1), at(2), at(10)])
      expect((await batches.next()).value.toRows()).toEqual([{ text: 'a 2' }])
      source.end()
      expect((await batches.next()).value.toRows()).toEqual([{ text: 'a 1' }])
      const changing = () =>
        stream(inTurn([[at(1)], [at(2)]], tick), { schema: tick })
          .groupBy('key')
          .aggregate(t => ({ x: sum(t.x) }))
          .emit('change')
      const text = new TransformStream<Uint8Array, Uint8Array>()
      void text.readable.pipeTo(new WritableStream()).catch(() => {})
      await refusal(() => changing().to(csvSink(text.writable), o()).finished, 'MR_CANNOT_RETRACT')
      const mapped = changing().map(row => row, { schema: schema({ key: utf8(), x: float64() }) })
      await refusal(() => all(mapped.run(o())), 'MR_CANNOT_RETRACT')
    })

    it('needs nothing for columns that nobody reads', async () => {
      const flow = stream(inTurn([[at(1, 'x'), at(2, 'y')]], tick), { schema: tick })
      const total = flow.aggregate(t => ({ x: sum(t.x) })).emit('change')
      expect(await all(total.run(o()))).toEqual([[undefined, 2, 1]])
    })

    it('rows without a time are late, also where all are collected', async () => {
      const some = schema({ time: nullable(timestamp()), x: float64() })
      const flow = rows(
        [
          { time: new Date(1), x: 1 },
          { time: null, x: 2 },
        ],
        some,
      )
        .watermark('time')
        .window(tumbling('1s'))
        .aggregate(t => ({ x: sum(t.x) }))
      const both = await collectAll({ flow, late: flow.late() }, o())
      expect(both.flow.toRows()).toEqual([{ windowStart: new Date(0), windowEnd: new Date(1000), x: 1 }])
      expect(both.late.toRows()).toEqual([{ time: null, x: 2 }])
    })
  })
}

/** Rows in batches, some turns of the event loop apart, so that they are not put together. */
async function* inTurn<S extends SchemaShape>(
  items: readonly (readonly object[])[],
  shape: S,
): AsyncGenerator<RecordBatch<S>> {
  for (const item of items) {
    yield (await rows(item, shape).collect({ lanes: 0 })).batches[0] as RecordBatch<S>
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setTimeout(resolve, 1))
  }
}
