/** Joins of flows that run on: to what is bounded, in windows, within an interval, and to the latest row before. Their law is test/laws/live-joins.suite.ts. */
import { expect, it } from 'vitest'
import {
  channel,
  columns,
  count,
  type Flow,
  float64,
  int32,
  schema,
  session,
  sliding,
  stream,
  sum,
  timestamp,
  tumbling,
  utf8,
} from '../../src/index.js'
import { onLanes, refusal } from './env.js'
import { at, slow, tick, until, watched } from './live-support.js'

const names = columns({ key: ['a', 'b', 'b'], name: ['Anna', 'Bert', 'Berta'] })

export function liveJoinSuite(lanesList: readonly number[]): void {
  onLanes(lanesList, engine => {
    const o = () => ({ engine: engine() })
    const counted = (flow: Flow<any>, key: string) =>
      flow
        .window(tumbling('10ms'))
        .groupBy(key)
        .aggregate((t: any) => ({ n: count(), x: sum(t.x) })) as Flow<any>

    it('meets a table row by row, behind a watermark and before', async () => {
      for (const where of ['behind', 'before']) {
        const a = channel(tick)
        const marked = (flow: Flow<any>) => (where === 'behind' ? flow : flow.watermark('time'))
        const joined = marked(where === 'behind' ? a.flow.watermark('time') : a.flow)
        const flow = (
          where === 'behind' ? joined.join(names, 'key') : a.flow.join(names, 'key').watermark('time')
        ) as Flow<any>
        const { found, done } = watched(counted(flow, 'name').run(o()))
        a.push([at(1), at(2, 'b', 5), at(3, 'c'), at(12, 'c'), at(13)])
        await expect
          .poll(() => found, slow)
          .toEqual([
            [0, 10, 'Anna', 1, 1],
            [0, 10, 'Bert', 1, 5],
            [0, 10, 'Berta', 1, 5],
          ])
        a.close()
        await done
        expect(found.at(-1)).toEqual([10, 20, 'Anna', 1, 1])
      }
    })

    it('a row without a partner moves the watermark all the same', async () => {
      const a = channel(tick)
      const { found, done } = watched(
        counted(a.flow.watermark('time').join(names, 'key') as Flow<any>, 'name').run(o()),
      )
      a.push(at(1))
      a.push(at(15, 'nobody'))
      await expect.poll(() => found, slow).toEqual([[0, 10, 'Anna', 1, 1]])
      a.close()
      await done
    })

    it('left, semi and anti joins, and conditions', async () => {
      const expected = {
        leftJoin: [
          ['Anna', 1],
          ['Bert', 1],
          ['Berta', 1],
          [null, 1],
        ],
        semiJoin: [
          ['a', 1],
          ['b', 1],
        ],
        antiJoin: [['c', 1]],
      }
      for (const verb of ['leftJoin', 'semiJoin', 'antiJoin'] as const) {
        const a = channel(tick)
        const joined = (a.flow.watermark('time') as any)[verb](names, 'key') as Flow<any>
        const key = verb === 'leftJoin' ? 'name' : 'key'
        const { found, done } = watched(counted(joined, key).run(o()))
        a.push([at(1), at(2, 'b'), at(3, 'c')])
        a.close()
        await done
        expect(found).toEqual(expected[verb].map(([name]) => [0, 10, name, 1, 1]))
      }
      const a = channel(tick)
      const where = a.flow.watermark('time').join(names, 'key', { where: (_, r) => r.name.ne('Bert') }) as Flow<any>
      const { found, done } = watched(counted(where, 'name').run(o()))
      a.push([at(2, 'b')])
      a.close()
      await done
      expect(found).toEqual([[0, 10, 'Berta', 1, 1]])
    })

    it('joins results of windows, and rows that are taken back', async () => {
      const a = channel(tick)
      const grouped = a.flow.groupBy('key').aggregate(() => ({ n: count() })) as Flow<any>
      const { found, done } = watched(grouped.leftJoin(names, 'key').run(o()))
      a.push(at(1))
      await expect.poll(() => found, slow).toEqual([['a', 1, 'Anna']])
      a.push(at(1))
      await expect
        .poll(() => found.slice(1), slow)
        .toEqual(
          [
            ['a', 1, 'Anna', -1],
            ['a', 2, 'Anna', 1],
          ].map((row, i) => (i === 1 ? row.slice(0, 3) : row)),
        )
      a.close()
      await done
    })

    it('several bounded sides, behind a union too', async () => {
      const [a, b] = [channel(tick), channel(tick)]
      const cities = columns({ name: ['Anna', 'Bert'], city: ['Rome', 'Oslo'] })
      const joined = a.flow.union(b.flow).watermark('time').join(names, 'key').join(cities, 'name') as Flow<any>
      const { found, done } = watched(counted(joined, 'city').run(o()))
      a.push([at(1), at(12)])
      b.push([at(2, 'b'), at(14)])
      await expect
        .poll(() => found, slow)
        .toEqual([
          [0, 10, 'Rome', 1, 1],
          [0, 10, 'Oslo', 1, 1],
        ])
      a.close()
      b.close()
      await done
    })

    it('asofJoin to a table', async () => {
      const a = channel(tick)
      const rates = columns({ time: [new Date(0), new Date(5)], key: ['a', 'a'], rate: [2, 3] })
      const joined = a.flow.watermark('time').asofJoin(rates, { on: 'time', by: 'key' }) as Flow<any>
      const priced = joined.derive((t: any) => ({ x: t.x.mul(t.rate) })) as Flow<any>
      const { found, done } = watched(counted(priced, 'key').run(o()))
      a.push([at(1, 'a', 10), at(5, 'a', 1), at(20)])
      await expect.poll(() => found, slow).toEqual([[0, 10, 'a', 2, 23]])
      a.close()
      await done
    })

    const bid = schema({ time: timestamp(), key: utf8(), bid: float64() })
    const bidAt = (ms: number, key: string, amount: number) => ({ time: new Date(ms), key, bid: amount })

    it('joins in windows as they close, by the watermark of both', async () => {
      const [a, b] = [channel(tick), channel(bid)]
      const joined = a.flow.watermark('time').window(tumbling('10ms')).leftJoin(b.flow.watermark('time'), 'key')
      const job = joined.run(o())
      const { found, done } = watched(job)
      a.push([at(1), at(2, 'b'), at(25)])
      b.push([bidAt(9, 'a', 7), bidAt(3, 'a', 8)])
      await until(job, { groups: 5 })
      expect(found).toEqual([])
      b.push(bidAt(11, 'b', 9))
      await expect
        .poll(() => found, slow)
        .toEqual([
          [0, 10, 1, 'a', 1, 9, 7],
          [0, 10, 1, 'a', 1, 3, 8],
          [0, 10, 2, 'b', 1, null, null],
        ])
      // Of the window that has closed nothing is kept, and a row for it is late.
      await until(job, { groups: 2, lateRows: 0 })
      a.push(at(4))
      await until(job, { groups: 2, lateRows: 1 })
      a.close()
      await expect.poll(() => found.length, slow).toBe(3)
      b.close()
      await done
      expect(found.slice(3)).toEqual([[20, 30, 25, 'a', 1, null, null]])
    })

    it('joins in windows that overlap, and counts a row that is late for all of them once', async () => {
      const [a, b] = [channel(tick), channel(bid)]
      const joined = a.flow.watermark('time').window(sliding('20ms', '10ms')).join(b.flow.watermark('time'), 'key')
      const job = joined.run(o())
      const { found, done } = watched(job)
      a.push([at(5), at(15), at(40)])
      b.push([bidAt(8, 'a', 7), bidAt(21, 'b', 1)])
      await expect
        .poll(() => found, slow)
        .toEqual([
          [-10, 10, 5, 'a', 1, 8, 7],
          [0, 20, 5, 'a', 1, 8, 7],
          [0, 20, 15, 'a', 1, 8, 7],
        ])
      // In time for one of its windows.
      a.push(at(18, 'b', 2))
      await until(job, { groups: 6 })
      b.push(bidAt(31, 'b', 1))
      await expect.poll(() => found.slice(3), slow).toEqual([[10, 30, 18, 'b', 2, 21, 1]])
      a.push(at(3))
      await until(job, { lateRows: 1 })
      a.close()
      b.close()
      await done
    })

    it('within the allowed lateness a row meets those that its window has joined', async () => {
      const [a, b] = [channel(tick), channel(bid)]
      const joined = a.flow
        .watermark('time')
        .window(tumbling('10ms'), { allowedLateness: '5ms' })
        .join(b.flow.watermark('time'), 'key')
      const job = joined.run(o())
      const { found, done } = watched(job)
      a.push([at(1), at(12)])
      b.push([bidAt(2, 'a', 7), bidAt(12, 'x', 8)])
      await expect.poll(() => found, slow).toEqual([[0, 10, 1, 'a', 1, 2, 7]])
      a.push(at(3, 'a', 2))
      await expect.poll(() => found.slice(1), slow).toEqual([[0, 10, 3, 'a', 2, 2, 7]])
      b.push(bidAt(4, 'a', 9))
      await expect
        .poll(() => found.slice(2), slow)
        .toEqual([
          [0, 10, 1, 'a', 1, 4, 9],
          [0, 10, 3, 'a', 2, 4, 9],
        ])
      a.push(at(15))
      b.push(bidAt(15, 'x', 8))
      await until(job, { groups: 4 })
      a.push(at(9))
      await until(job, { lateRows: 1 })
      a.close()
      b.close()
      await done
      expect(found).toHaveLength(4)
    })

    it('late rows of either flow are what a join gives in the place of pairs', async () => {
      const joins: Record<string, (left: Flow<any>, right: Flow<any>) => Flow<any>> = {
        tumbling: (left, right) => left.window(tumbling('10ms')).leftJoin(right, 'key'),
        sliding: (left, right) => left.window(sliding('20ms', '10ms')).join(right, 'key').select('key'),
        interval: (left, right) => left.intervalJoin(right, { on: 'key', between: ['0ms', '5ms'], how: 'left' } as any),
      }
      for (const of of Object.values(joins)) {
        for (const side of ['left', 'right'] as const) {
          const [a, b] = [channel(tick), channel(bid)]
          const job = of(a.flow.watermark('time'), b.flow.watermark('time')).late(side).run(o())
          const { found, done } = watched(job)
          a.push([at(5), at(40)])
          b.push([bidAt(8, 'a', 7), bidAt(41, 'b', 1)])
          await until(job, { rows: 4 })
          await expect.poll(() => job.metrics().watermark, slow).not.toBe(null)
          a.push([at(18), at(1, 'x', 3)])
          b.push([bidAt(18, 'y', 4), bidAt(3, 'a', 9)])
          const late = {
            left: [
              [18, 'a', 1],
              [1, 'x', 3],
            ],
            right: [
              [18, 'y', 4],
              [3, 'a', 9],
            ],
          }
          await expect.poll(() => found, slow).toEqual(late[side])
          await until(job, { lateRows: 4 })
          a.close()
          b.close()
          await done
        }
      }
      await refusal(
        () =>
          joins
            .tumbling?.(channel(tick).flow.watermark('time'), channel(bid).flow.watermark('time'))
            .late('both' as never),
        'MR_INVALID_OPTION',
      )
    })

    it('joins in days of a zone', async () => {
      const [a, b] = [channel(tick), channel(bid)]
      const hour = 3_600_000
      const days = a.flow.watermark('time').window(tumbling('1 day', { zone: 'Europe/Berlin' }))
      const { found, done } = watched(days.join(b.flow.watermark('time'), 'key').run(o()))
      // Midnight in Berlin is an hour before that of UTC.
      a.push([at(22 * hour), at(23 * hour, 'a', 2)])
      b.push([bidAt(20 * hour, 'a', 5), bidAt(24 * hour, 'a', 6)])
      a.close()
      b.close()
      await done
      expect(found).toEqual([
        [-hour, 23 * hour, 22 * hour, 'a', 1, 20 * hour, 5],
        [23 * hour, 47 * hour, 23 * hour, 'a', 2, 24 * hour, 6],
      ])
    })

    it('groups by what windows have joined, and closes these in their turn', async () => {
      const [a, b] = [channel(tick), channel(bid)]
      const flow = a.flow
        .watermark('time')
        .window(tumbling('10ms'))
        .join(b.flow.watermark('time'), 'key')
        .groupBy('windowEnd')
        .aggregate((t: any) => ({ n: count(), bid: sum(t.bid) })) as Flow<any>
      const { found, done } = watched(flow.run(o()))
      a.push([at(1), at(2), at(12)])
      b.push([bidAt(1, 'a', 2), bidAt(14, 'a', 5), bidAt(31, 'a', 1)])
      a.push(at(30))
      await expect
        .poll(() => found, slow)
        .toEqual([
          [10, 2, 4],
          [20, 1, 5],
        ])
      a.close()
      b.close()
      await done
      expect(found).toHaveLength(3)
    })

    it('gives pairs within an interval as soon as both have come, and keeps no row beyond its partners', async () => {
      const [a, b] = [channel(tick), channel(bid)]
      const near = a.flow
        .watermark('time')
        .intervalJoin(b.flow.watermark('time'), { on: 'key', between: ['-2ms', '5ms'] })
      const job = near.run(o())
      const { found, done } = watched(job)
      a.push(at(10))
      b.push([bidAt(7, 'a', 0), bidAt(8, 'a', 1)])
      await expect.poll(() => found, slow).toEqual([[10, 'a', 1, 8, 1]])
      b.push([bidAt(15, 'a', 2), bidAt(16, 'a', 3)])
      await expect.poll(() => found.slice(1), slow).toEqual([[10, 'a', 1, 15, 2]])
      a.push(at(40, 'b'))
      b.push(bidAt(40, 'c', 4))
      await until(job, { watermark: 35n, lateRows: 0 })
      b.push(bidAt(39, 'c', 4))
      await until(job, { lateRows: 1 })
      a.push(at(41, 'b'))
      // Two of these, and one of the others.
      await until(job, { groups: 3 })
      a.close()
      b.close()
      await done
      expect(found).toHaveLength(2)
    })

    it('tells left rows that have no partner within their interval, when none can come', async () => {
      const [a, b] = [channel(tick), channel(bid)]
      const near = a.flow
        .watermark('time')
        .intervalJoin(b.flow.watermark('time'), { on: 'key', between: ['0ms', '5ms'], how: 'left' })
      const { found, done } = watched(near.run(o()))
      a.push([at(10), at(11, 'b'), at(30)])
      b.push([bidAt(12, 'a', 1), bidAt(16, 'x', 1)])
      await expect.poll(() => found, slow).toEqual([[10, 'a', 1, 12, 1]])
      // 16 may yet come again; 17 says that it does not.
      b.push(bidAt(17, 'x', 1))
      await expect.poll(() => found.slice(1), slow).toEqual([[11, 'b', 1, null, null]])
      a.close()
      b.close()
      await done
      expect(found.slice(2)).toEqual([[30, 'a', 1, null, null]])
    })

    it('asofJoin to rows that change waits for the watermark, and keeps one row a key', async () => {
      const [a, b] = [channel(tick), channel(bid)]
      const priced = a.flow.watermark('time').asofJoin(b.flow.watermark('time'), { on: 'time', by: 'key' })
      const job = priced.run(o())
      const { found, done } = watched(job)
      b.push([bidAt(1, 'a', 1), bidAt(3, 'a', 2)])
      a.push([at(2), at(3), at(4)])
      await expect.poll(() => found, slow).toEqual([[2, 'a', 1, 1]])
      b.push([bidAt(3, 'a', 3), bidAt(5, 'a', 4)])
      await expect.poll(() => found.slice(1), slow).toEqual([[3, 'a', 1, 3]])
      for (let i = 6; i < 400; i++) {
        b.push(bidAt(i, 'a', i))
        a.push(at(i, 'b'))
      }
      await until(job, { watermark: 399n })
      expect(job.metrics().groups).toBeLessThan(20)
      a.close()
      b.close()
      await done
      expect(found.find(row => (row as unknown[])[0] === 4)).toEqual([4, 'a', 1, 3])
      await refusal(async () => {
        const after = { on: 'time', by: 'key', direction: 'after' } as const
        for await (const _ of channel(tick)
          .flow.watermark('time')
          .asofJoin(channel(bid).flow.watermark('time'), after)
          .run(o()));
      }, 'MR_UNBOUNDED')
    })

    it('asofJoin keeps a row each of very many keys', async () => {
      const keys = 600_000
      const sides = {
        left: schema({ time: timestamp(), id: int32() }),
        right: schema({ at: timestamp(), id: int32() }),
      }
      const ids = Int32Array.from({ length: keys }, (_, i) => i)
      const old = new Array(keys).fill(new Date(1))
      const left = [
        { time: [new Date(10)], id: [3] },
        { time: [new Date(30)], id: [keys - 1] },
      ]
      const right = [
        { at: old, id: ids },
        { at: [new Date(20)], id: [3] },
      ]
      async function* given<T>(chunks: readonly T[]) {
        yield* chunks
      }
      const asked = stream(given(left), { schema: sides.left }).watermark('time')
      const kept = stream(given(right), { schema: sides.right }).watermark('at')
      const rows: unknown[] = []
      for await (const batch of asked.asofJoin(kept, { on: { left: 'time', right: 'at' }, by: 'id' }).run(o()))
        for (const { id, at: before } of batch) rows.push([id, before])
      expect(rows).toEqual([
        [3, new Date(1)],
        [keys - 1, new Date(1)],
      ])
    })

    it('joins one stream to itself, and joins of joins', async () => {
      const a = channel(tick)
      const marked = a.flow.watermark('time')
      const small = marked.filter(t => t.x.lt(5))
      const large = marked.filter(t => t.x.gte(5)).rename({ x: 'y' })
      const near = small.intervalJoin(large, { on: 'key', between: ['-5ms', '5ms'] })
      const { found, done } = watched(
        near
          .window(tumbling('10ms'))
          .groupBy('key')
          .aggregate((t: any) => ({ n: count(), y: sum(t.y) }))
          .run(o()),
      )
      a.push([at(1, 'k', 1), at(3, 'k', 7), at(8, 'k', 9), at(9, 'k', 2)])
      a.push([at(14, 'k', 6), at(40, 'k', 0)])
      // 9 meets 8 and 14, 1 meets 3.
      await expect.poll(() => found, slow).toEqual([[0, 10, 'k', 3, 22]])
      a.close()
      await done
    })

    it('a join that fails, and an input that does, end the job', async () => {
      const [a, b] = [channel(tick), channel(bid)]
      const job = a.flow.watermark('time').window(tumbling('10ms')).join(b.flow.watermark('time'), 'key').run(o())
      const { done } = watched(job)
      a.push(at(1))
      b.close(new Error('gone'))
      await expect(done).rejects.toThrow('gone')
      await expect.poll(() => a.isClosed, slow).toBe(true)
    })

    it('refuses as soon as it is said what makes no sense', async () => {
      const [a, b] = [channel(tick), channel(bid)]
      const marked = a.flow.watermark('time')
      const right = b.flow.watermark('time')
      await refusal(() => marked.window(tumbling('1s')).join(b.flow, 'key'), 'MR_NO_EVENT_TIME')
      await refusal(() => marked.window(session('2s')).antiJoin(right, 'key'), 'MR_INVALID_OPTION')
      await refusal(
        () => marked.window(tumbling('1s'), { allowedLateness: '1s' }).leftJoin(right, 'key'),
        'MR_INVALID_OPTION',
      )
      await refusal(
        () => marked.rename({ x: 'windowEnd' }).window(tumbling('1s')).join(right, 'key'),
        'MR_DUPLICATE_COLUMN',
      )
      await refusal(() => marked.window(tumbling('1s')).join(right, 'nobody' as never), 'MR_UNKNOWN_COLUMN')
      const seconds = channel(schema({ time: timestamp('s'), key: utf8() })).flow.watermark('time')
      await refusal(() => marked.window(tumbling('1s')).join(seconds, 'key'), 'MR_TYPE_MISMATCH')
      const interval = (between: unknown, how?: unknown) => () =>
        marked.intervalJoin(right, { on: 'key', between, ...(how === undefined ? {} : { how }) } as never)
      await refusal(interval(['1s', '-1s']), 'MR_INVALID_OPTION')
      await refusal(interval('1s'), 'MR_INVALID_OPTION')
      await refusal(interval(['1s', '2s'], 'full'), 'MR_INVALID_OPTION')
      await refusal(() => marked.intervalJoin(b.flow, { on: 'key', between: ['0s', '1s'] }), 'MR_NO_EVENT_TIME')
      await refusal(() => marked.intervalJoin(5 as never, { on: 'key', between: ['0s', '1s'] }), 'MR_TYPE_MISMATCH')
      const units = marked.intervalJoin(seconds, { on: 'key', between: ['0s', '1s'] }).run(o())
      await refusal(() => watched(units).done, 'MR_TYPE_MISMATCH')
    })

    it('refuses what would have to see all rows of a flow that may never end', async () => {
      const [a, b] = [channel(tick), channel(tick)]
      const run = async (flow: Flow<any>) => {
        for await (const _ of flow.run(o()));
      }
      const plain = await refusal(() => run(a.flow.join(b.flow, 'key') as Flow<any>), 'MR_UNBOUNDED')
      expect(plain.message).toContain('join: the other flow')
      expect(plain.details).toMatchObject({ operator: 'join' })
      const marked = counted(a.flow.watermark('time'), 'key') as Flow<any>
      for (const verb of ['rightJoin', 'fullJoin'] as const) {
        const error = await refusal(() => run((marked as any)[verb](names, 'key')), 'MR_UNBOUNDED')
        expect(error.details).toMatchObject({ operator: verb })
      }
      expect((await refusal(() => run(marked.semiJoin(b.flow, 'key') as Flow<any>), 'MR_UNBOUNDED')).message).toContain(
        'channel',
      )
    })
  })
}
