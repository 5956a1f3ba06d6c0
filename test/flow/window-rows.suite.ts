/** Rows of windows and of groups while they come: the first ones of each. The laws are in test/laws/window-rows.suite.ts. */
import { expect, it } from 'vitest'
import {
  channel,
  collectAll,
  collectList,
  count,
  cumulative,
  desc,
  type Flow,
  float32,
  float64,
  type Job,
  list,
  nullable,
  type RecordBatch,
  rowCount,
  rows,
  type SchemaShape,
  schema,
  session,
  sliding,
  stream,
  sum,
  timestamp,
  tumbling,
  utf8,
} from '../../src/index.js'
import { folded, text } from '../laws/running.js'
import { onLanes, refusal } from './env.js'

const bid = schema({ time: timestamp(), item: utf8(), price: float64() })
type Bid = { time: Date; item: string; price: number }
const at = (ms: number, item = 'a', price = 1): Bid => ({ time: new Date(ms), item, price })

const shown = (batch: RecordBatch): unknown[] =>
  batch
    .toRows()
    .map((row: any, i) => [
      ...Object.values(row).map(value => (value instanceof Date ? value.getTime() : value)),
      batch.weights === null ? 1 : batch.weights[i],
    ])

const batches = async (job: AsyncIterable<RecordBatch>): Promise<unknown[]> => {
  const found: unknown[] = []
  for await (const batch of job) found.push(...shown(batch))
  return found
}

/** What follows from rows, pushed together; nothing, where that is what is expected. */
async function steps(
  flowOf: (flow: Flow<typeof bid>) => Flow<any>,
  options: object,
  all: readonly (readonly [readonly Bid[], readonly unknown[]])[],
): Promise<Job<any>> {
  const feed = channel(bid)
  const job = flowOf(feed.flow).run(options)
  const given = job[Symbol.asyncIterator]()
  for (const [items, expected] of all) {
    for (const item of items) feed.push(item)
    if (expected.length > 0) expect(shown((await given.next()).value as RecordBatch)).toEqual(expected)
  }
  feed.close()
  for (let rest = await given.next(); rest.done !== true; rest = await given.next()) {}
  return job
}

/** Each as a batch by itself. */
async function* each(type: SchemaShape, given: readonly (readonly object[])[]): AsyncGenerator<RecordBatch> {
  for (const items of given) yield (await rows(items, type).collect({ lanes: 0 })).batches[0] as RecordBatch
}

export function windowRowsSuite(lanesList: readonly number[]): void {
  onLanes(lanesList, engine => {
    const o = () => ({ engine: engine() })
    const bids = (...given: readonly (readonly Bid[])[]) => stream(each(bid, given), { schema: bid })

    it('the first rows of a window are given as it closes, whole, and its rows are let go', async () => {
      const job = bids([at(1, 'a', 5), at(2, 'b', 7), at(3, 'a', 9), at(4, 'a', 7)], [at(12, 'a', 1)], [at(25, 'b', 2)])
        .watermark('time')
        .window(tumbling('10ms'))
        .groupBy('item')
        .topK(2, desc('price'))
        .run(o())
      expect(await batches(job)).toEqual([
        [0, 10, 3, 'a', 9, 1],
        [0, 10, 4, 'a', 7, 1],
        [0, 10, 2, 'b', 7, 1],
        [10, 20, 12, 'a', 1, 1],
        [20, 30, 25, 'b', 2, 1],
      ])
      expect(job.metrics()).toMatchObject({ groups: 0, lateRows: 0 })
    })

    it('rows of equal order come by their time, then as they came', async () => {
      const given = [at(4, 'x'), at(2, 'y'), at(4, 'z'), at(2, 'w')]
      const first = (flow: any) => flow.watermark('time', { delay: '9ms' }).window(tumbling('10ms')).topK(3, 'price')
      const expected = [
        [0, 10, 2, 'y', 1, 1],
        [0, 10, 2, 'w', 1, 1],
        [0, 10, 4, 'x', 1, 1],
      ]
      expect(await batches(first(bids(given)).run(o()))).toEqual(expected)
      expect(shown((await first(rows(given, bid)).collect(o())).batches[0])).toEqual(expected)
      const untimed = await rows(given, bid).groupBy('price').topK(2, desc('price')).collect(o())
      expect(untimed.toRows().map(({ item }) => item)).toEqual(['x', 'y'])
    })

    it('of windows that overlap the groups come as their first rows came, whatever part of the window these are in', async () => {
      const job = bids([at(5, 'b', 2), at(15, 'a', 1), at(5, 'd', 4), at(5, 'a', 3)])
        .watermark('time', { delay: '50ms' })
        .window(sliding('20ms', '10ms'))
        .groupBy('item')
        .topK(1, desc('price'))
        .run(o())
      expect(await batches(job)).toEqual([
        [-10, 10, 5, 'b', 2, 1],
        [-10, 10, 5, 'd', 4, 1],
        [-10, 10, 5, 'a', 3, 1],
        [0, 20, 5, 'b', 2, 1],
        [0, 20, 5, 'a', 3, 1],
        [0, 20, 5, 'd', 4, 1],
        [10, 30, 15, 'a', 1, 1],
      ])
      expect(job.metrics()).toMatchObject({ groups: 0, lateRows: 0 })
    })

    it('a row that is late for one of its windows is in the others, to the instant', async () => {
      const job = bids([at(5, 'a', 1), at(15, 'a', 2), at(20, 'a', 3), at(15, 'a', 9), at(19, 'a', 8)])
        .watermark('time')
        .window(sliding('20ms', '10ms'))
        .topK(2, desc('price'))
        .run(o())
      expect(await batches(job)).toEqual([
        [-10, 10, 5, 'a', 1, 1],
        [0, 20, 15, 'a', 2, 1],
        [0, 20, 5, 'a', 1, 1],
        [10, 30, 15, 'a', 9, 1],
        [10, 30, 19, 'a', 8, 1],
        [20, 40, 20, 'a', 3, 1],
      ])
      expect(job.metrics()).toMatchObject({ groups: 0, lateRows: 0 })
    })

    it('within the allowed lateness only the rows that enter and leave are told', async () => {
      const of = (flow: Flow<typeof bid>) =>
        flow.watermark('time').window(tumbling('10ms'), { allowedLateness: '10ms' }).topK(2, desc('price'))
      const first = [
        [0, 10, 1, 'a', 5, 1],
        [0, 10, 2, 'a', 4, 1],
      ]
      const changed = [
        [0, 10, 2, 'a', 4, -1],
        [0, 10, 4, 'a', 9, 1],
      ]
      const job = await steps(of, o(), [
        [[at(1, 'a', 5), at(2, 'a', 4), at(10)], first],
        [[at(3, 'a', 1)], []],
        [[at(4, 'a', 9)], changed],
        [[at(30)], [[10, 20, 10, 'a', 1, 1]]],
        [[at(5, 'a', 99)], []],
        [[at(60)], [[30, 40, 30, 'a', 1, 1]]],
      ])
      expect(job.metrics().lateRows).toBe(1)
    })

    it('of groups without a window each change is told, and what changes nothing is not', async () => {
      const feed = channel(bid)
      const job = feed.flow.groupBy('item').topK(1, desc('price')).run(o())
      const iterator = job[Symbol.asyncIterator]()
      const told = async () => shown((await iterator.next()).value as RecordBatch)
      feed.push(at(1, 'a', 5))
      expect(await told()).toEqual([[1, 'a', 5, 1]])
      feed.push(at(2, 'a', 5))
      feed.push(at(3, 'a', 6))
      expect(await told()).toEqual([
        [1, 'a', 5, -1],
        [3, 'a', 6, 1],
      ])
      expect(job.metrics().groups).toBe(1)
      feed.close()
      expect((await iterator.next()).done).toBe(true)
    })

    it('a session that grows takes back its rows, since its bounds are theirs', async () => {
      const of = (flow: Flow<typeof bid>) =>
        flow.watermark('time').window(session('5ms')).groupBy('item').topK(1, desc('price')).emit('change')
      await steps(of, o(), [
        [[at(1, 'a', 5)], [[1, 6, 1, 'a', 5, 1]]],
        [
          [at(4, 'a', 3)],
          [
            [1, 6, 1, 'a', 5, -1],
            [1, 9, 1, 'a', 5, 1],
          ],
        ],
      ])
    })

    it('windows of so many rows, and of many parts, are those that are collected', async () => {
      const given = Array.from({ length: 60 }, (_, i) => at((i * 7) % 50, 'ab'[i % 2], (i * 31) % 17))
      for (const window of [rowCount(7), sliding('30ms', '1ms'), sliding('600ms', '5ms'), cumulative('40ms', '1ms')]) {
        const of = (flow: any) =>
          flow.watermark('time', { delay: '1s' }).window(window).groupBy('item').topK(2, 'price')
        const collected = (await of(rows(given, bid)).collect(o())).toRows()
        const live = []
        for await (const batch of of(bids(given.slice(0, 25), given.slice(25))).run(o())) live.push(...batch.toRows())
        const text = (all: readonly object[]) => all.map(row => JSON.stringify(row)).sort()
        expect(text(live)).toEqual(text(collected))
        expect(collected.length).toBeGreaterThan(8)
      }
    })

    it('the greatest groups of each window are behind the aggregate, by windowEnd, and close with it', async () => {
      const flow = bids([at(1, 'a'), at(2, 'b'), at(3, 'b')], [at(11, 'c'), at(12, 'a'), at(13, 'c')], [at(21)])
        .watermark('time')
        .window(tumbling('10ms'))
        .groupBy('item')
        .aggregate(() => ({ n: count() }))
        .groupBy('windowEnd')
        .topK(1, desc('n'))
        .select('windowEnd', 'item', 'n')
      expect(await batches(flow.run(o()))).toEqual([
        [10, 'b', 2, 1],
        [20, 'c', 2, 1],
        [30, 'a', 1, 1],
      ])
    })

    it('its rows go on: to filters, aggregates by windowEnd, late rows, and columns of any kind', async () => {
      const wide: any = schema({
        time: nullable(timestamp()),
        tags: list(utf8()),
        item: nullable(utf8()),
        price: float64(),
      })
      const row = (ms: number | null, item: string | null, price: number) => ({
        time: ms === null ? null : new Date(ms),
        tags: [`t${price}`, String(item)],
        item,
        price,
      })
      const given = [
        row(1, 'a', 2),
        row(null, 'n', 1),
        row(2, null, 3),
        row(3, 'c', 1),
        row(11, 'd', 9),
        row(4, 'e', 5),
      ]
      const of = () => stream(each(wide, [given.slice(0, 2), given.slice(2)]), { schema: wide }).watermark('time')
      const top = () => of().window(tumbling('10ms')).topK(2, desc('price')) as any
      const found: any[] = []
      for await (const batch of top()
        .filter((t: any) => t.price.gt(1))
        .select('tags', 'item')
        .run(o()))
        found.push(...batch.toRows())
      expect(found).toEqual([
        { tags: ['t3', 'null'], item: null },
        { tags: ['t2', 'a'], item: 'a' },
        { tags: ['t9', 'd'], item: 'd' },
      ])
      const sums = top()
        .groupBy('windowEnd')
        .aggregate((t: any) => ({ total: sum(t.price) }))
      expect(await batches(sums.run(o()))).toEqual([
        [10, 5, 1],
        [20, 9, 1],
      ])
      expect(await batches(top().late().select('item').run(o()))).toEqual([
        ['n', 1],
        ['e', 1],
      ])
      expect((await top().late().select('item').collect(o())).toRows()).toEqual([{ item: 'n' }])
    })

    it('within a time doubles are left out as they come, also late in time, and the event time goes on', async () => {
      const given = [at(10), at(15), at(20), at(1), at(10, 'b'), at(0), at(19), at(30), at(2, 'b')]
      const of = (flow: Flow<typeof bid>) =>
        flow.watermark('time', { delay: '20ms' }).dedupe({ keys: ['item'], within: '10ms' })
      const job = of(bids(given)).run(o())
      expect(await batches(job)).toEqual([
        [10, 'a', 1, 1],
        [20, 'a', 1, 1],
        [10, 'b', 1, 1],
        [0, 'a', 1, 1],
        [30, 'a', 1, 1],
      ])
      expect(job.metrics().lateRows).toBe(1)
      const counted = of(bids(given))
        .window(tumbling('20ms'))
        .aggregate(() => ({ n: count() }))
      expect(await batches(counted.run(o()))).toEqual([
        [0, 20, 3, 1],
        [20, 40, 2, 1],
      ])
      expect(await batches(of(bids(given)).late().run(o()))).toEqual([[2, 'b', 1, 1]])
      // Collected nothing is late, and the row is a double all the same.
      expect((await of(rows(given, bid)).collect(o())).rowCount).toBe(5)
    })

    it('within a time no key is kept for longer', async () => {
      const wide = Array.from({ length: 12 }, (_, part) =>
        Array.from({ length: 2000 }, (_, i) => at(part * 2000 + i, `${part * 2000 + i}`)),
      )
      const job = bids(...wide)
        .watermark('time')
        .dedupe({ keys: ['item'], within: '10ms' })
        .run(o())
      expect((await batches(job)).length).toBe(24_000)
      expect(job.metrics().groups).toBeLessThan(8200)
    })

    it('plain dedupe lets the first rows go on at once, whole, and of the last each takes the place of the one before', async () => {
      const first = (flow: Flow<typeof bid>) => flow.dedupe('item')
      const job = await steps(first, o(), [
        [[at(1)], [[1, 'a', 1, 1]]],
        [[at(2)], []],
        [[at(3, 'b')], [[3, 'b', 1, 1]]],
        [[at(0, 'a'), at(0, 'c')], [[0, 'c', 1, 1]]],
      ])
      expect(job.metrics().groups).toBe(3)
      const last = (flow: Flow<typeof bid>) => flow.dedupe({ keys: ['item'], keep: 'last' })
      await steps(last, o(), [
        [[at(5)], [[5, 'a', 1, 1]]],
        [
          [at(2)],
          [
            [5, 'a', 1, -1],
            [2, 'a', 1, 1],
          ],
        ],
      ])
    })

    it('plain dedupe gives one zero, running on as collected', async () => {
      const shape = schema({ key: utf8(), wide: float64(), narrow: nullable(float32()) })
      const given = [
        { key: 'a', wide: -0, narrow: -0 },
        { key: 'b', wide: -0, narrow: null },
        { key: 'b', wide: 0.1, narrow: -0 },
      ]
      for (const by of [['key'], [{ keys: ['key'], keep: 'last' }], [], ['narrow']] as [any][]) {
        const feed = channel(shape)
        const job = feed.flow.dedupe(...by).run(o())
        feed.push(given)
        feed.close()
        const collected = await rows(given, shape)
          .dedupe(...by)
          .collect(o())
        const expected = collected.toRows().map(text).sort()
        expect(expected.join()).not.toContain('-0')
        expect(await folded(job)).toEqual(expected)
      }
    })

    it('plain dedupe keeps the event time: windows may be behind it', async () => {
      const given = [at(5), at(1), at(7, 'b'), at(12), at(13, 'c')]
      const of = (flow: Flow<typeof bid>) =>
        flow
          .watermark('time', { delay: '10ms' })
          .dedupe('item')
          .window(tumbling('10ms'))
          .aggregate(t => ({ n: count(), times: collectList(t.time) }))
      const expected = [
        [0, 10, 2, [5, 7], 1],
        [10, 20, 1, [13], 1],
      ]
      const plain = (all: unknown[]) =>
        JSON.parse(JSON.stringify(all), (_, v) => (typeof v === 'string' ? Date.parse(v) : v))
      expect(plain(await batches(of(bids(given)).run(o())))).toEqual(expected)
      expect(plain(shown((await of(rows(given, bid)).collect(o())).batches[0] as RecordBatch))).toEqual(expected)
    })

    it('what goes by event time is refused where rows come in no order of it: behind rows that wait for others, and late ones', async () => {
      const flow = bids([at(1), at(9), at(2)]).watermark('time')
      const before: Flow<any>[] = [
        flow.over({ partitionBy: 'item', rows: [-1, 1] }, () => ({ n: count() })),
        flow
          .window(tumbling('5ms'))
          .aggregate(() => ({ n: count() }))
          .late(),
        flow.dedupe({ within: '5ms' }).late(),
        flow.over({ orderBy: 'time' }, () => ({ n: count() })).late(),
      ]
      for (const disordered of before) {
        for (const [verb, made] of [
          ['dedupe', disordered.dedupe({ within: '10ms' })],
          ['window', disordered.window(tumbling('5ms')).aggregate(() => ({ n: count() }))],
          ['over', disordered.over({ orderBy: 'time' }, () => ({ n: count() }))],
        ] as [string, Flow<any>][]) {
          const { message, details } = await refusal(() => batches(made.run(o())), 'MR_UNBOUNDED')
          expect(details.operator).toBe(verb)
          if (verb !== 'over') expect(message).toContain('no order of time')
        }
      }
    })

    it('dedupe is refused where it cannot be: no event time, no duration, rows that may be taken back', async () => {
      const flow = rows([at(1)], bid)
      const timed = flow.watermark('time')
      await refusal(() => flow.dedupe({ within: '1s' }), 'MR_NO_EVENT_TIME')
      await refusal(() => timed.dedupe({ within: '0s' }), 'MR_INVALID_OPTION')
      await refusal(() => timed.dedupe({ within: '1us' }), 'MR_INVALID_OPTION')
      await refusal(() => timed.dedupe({ within: 5 as never }), 'MR_INVALID_OPTION')
      await refusal(() => timed.dedupe({ within: '1s', keep: 'last' }), 'MR_INVALID_OPTION')
      await refusal(() => timed.dedupe({ keys: ['prize' as never], within: '1s' }), 'MR_UNKNOWN_COLUMN')
      const changing = bids([at(1)])
        .groupBy('item')
        .aggregate(t => ({ n: sum(t.price) }))
        .emit('change')
      await refusal(() => batches(changing.dedupe('n').run(o())), 'MR_CANNOT_RETRACT')
      const lists = rows([{ ...at(1), tags: ['a'] }]).watermark('time')
      await refusal(() => lists.dedupe({ within: '1s' }), 'MR_TYPE_MISMATCH')
    })

    it('stands where other flows do: on the other side of a join, among several, in a union, before other verbs', async () => {
      const source = rows([at(1, 'a', 2), at(2, 'b', 5), at(3, 'a', 4), at(4, 'b', 1)], bid)
      const best = source.groupBy('item').topK(1, desc('price'))
      const joined = await source.join(best.select('item', 'price'), 'item').collect(o())
      expect(joined.toRows().map(({ price_right }) => price_right)).toEqual([4, 5, 4, 5])
      const { one, two } = await collectAll({ one: best, two: source.groupBy('item').topK(2, 'price') }, o())
      expect([one.rowCount, two.rowCount]).toEqual([2, 4])
      const spaced = source.watermark('time').dedupe({ keys: ['item'], within: '1s' })
      expect((await best.union(spaced).collect(o())).toRows().map(({ price }) => price)).toEqual([4, 5, 2, 5])
      expect(
        (
          await best
            .filter(t => t.price.gt(4))
            .aggregate(t => ({ n: count(), x: sum(t.price) }))
            .collect(o())
        ).toRows({ bigint: true }),
      ).toEqual([{ n: 1n, x: 5 }])
      expect(best.explain()).toContain('topK 1 by item, price desc')
      expect(spaced.explain()).toContain('dedupe item, within 1s')
    })

    it('is refused where it cannot be: names, no rows in an order, rows that may be taken back', async () => {
      const flow = rows([at(1)], bid)
      const named = rows([{ ...at(1), windowEnd: 1 }]).watermark('time')
      await refusal(() => named.window(tumbling('1s')).topK(1, 'price'), 'MR_DUPLICATE_COLUMN')
      await refusal(() => flow.groupBy('item').topK(1), 'MR_INVALID_OPTION')
      await refusal(() => flow.groupBy('item').topK(-1, 'price'), 'MR_INVALID_OPTION')
      await refusal(() => flow.groupBy('item').topK(1, 'prize' as never), 'MR_UNKNOWN_COLUMN')
      await refusal(() => flow.groupBy('nothing' as never).topK(1, 'price'), 'MR_UNKNOWN_COLUMN')
      expect('topK' in flow.rollup('item')).toBe(false)
      const changing = bids([at(1)])
        .groupBy('item')
        .aggregate(t => ({ n: sum(t.price) }))
        .emit('change')
      await refusal(() => batches(changing.groupBy('item').topK(1, 'n').run(o())), 'MR_CANNOT_RETRACT')
    })
  })
}
