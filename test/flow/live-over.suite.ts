/** `over` while rows come: what is said of each as soon as it is known, and what is kept of those before. The laws are in test/laws/live-over.suite.ts. */
import { describe, expect, it } from 'vitest'
import {
  channel,
  count,
  desc,
  ewma,
  type Flow,
  lag,
  last,
  lead,
  type MillraceError,
  max,
  mean,
  ntile,
  percentRank,
  rank,
  rowNumber,
  rows,
  stream,
  sum,
  tumbling,
} from '../../src/index.js'
import { at, slow, tick, until, watched } from './live-support.js'

export function liveOverSuite(lanesList: readonly number[]): void {
  describe.each(lanesList)('over while rows come, on %i lanes', lanes => {
    const o = () => ({ lanes })
    const begun = (of: (flow: Flow<typeof tick>) => Flow<any>) => {
      const feed = channel(tick)
      const job = of(feed.flow).run(o())
      return { feed, job, ...watched(job) }
    }
    const timed = { partitionBy: 'key', orderBy: 'time' } as const

    it('says of rows what is known once the watermark has passed them, in the order of their times', async () => {
      const { feed, job, found, done } = begun(flow =>
        flow.watermark('time', { delay: '5ms' }).over(timed, t => ({
          nth: rowNumber(),
          place: rank(),
          total: sum(t.x),
          smooth: ewma(t.x, { alpha: 0.5 }),
          before: lag(t.x),
        })),
      )
      feed.push([at(3, 'a', 1), at(1, 'a', 2), at(2, 'b', 4), at(3, 'a', 8)])
      await until(job, { rows: 4 })
      expect(found).toEqual([])
      feed.push(at(8, 'b', 16))
      await expect
        .poll(() => found, slow)
        .toEqual([
          [1, 'a', 2, 1, 1, 2, 2, null],
          [2, 'b', 4, 1, 1, 4, 4, null],
        ])
      feed.push(at(2, 'a', 32))
      await until(job, { lateRows: 1 })
      feed.close()
      await done
      expect(found.slice(2)).toEqual([
        // Both at once: they are peers.
        [3, 'a', 1, 2, 2, 11, 1.5, 2],
        [3, 'a', 8, 3, 2, 11, 4.75, 1],
        [8, 'b', 16, 2, 2, 20, 10, 4],
      ])
      expect(job.metrics()).toMatchObject({ groups: 0, lateRows: 1 })
    })

    it('gives late rows, and those without a time, in its place', async () => {
      const { feed, found, done } = begun(flow =>
        flow
          .watermark('time')
          .over(timed, t => ({ total: sum(t.x) }))
          .late(),
      )
      feed.push([at(5), at(4, 'b', 7), at(6)])
      await expect.poll(() => found, slow).toEqual([[4, 'b', 7]])
      feed.close()
      await done
    })

    it('waits for rows behind a row as long as it must, and has windows wait too', async () => {
      const { feed, job, found, done } = begun(flow =>
        flow
          .watermark('time')
          .over(timed, t => ({ next: lead(t.x) }))
          .window(tumbling('10ms'))
          .groupBy('key')
          .aggregate(t => ({ rows: count(), next: last(t.next) })),
      )
      feed.push([at(1, 'a'), at(2, 'b'), at(3, 'a', 5), at(25, 'a', 6)])
      await until(job, { rows: 4 })
      feed.push(at(26, 'a', 7))
      await until(job, { rows: 5, groups: 4 })
      // What follows the row of b is not known.
      expect(found).toEqual([])
      feed.push([at(27, 'b', 9), at(28, 'b', 9)])
      await expect
        .poll(() => found, slow)
        .toEqual([
          [0, 10, 'a', 2, 6],
          [0, 10, 'b', 1, 9],
        ])
      feed.close()
      await done
      expect(found.slice(2)).toEqual([
        [20, 30, 'a', 2, 7],
        [20, 30, 'b', 2, 9],
      ])
    })

    it('keeps the rows of frames alone, and lets partitions go that have none', async () => {
      const { feed, job, found, done } = begun(flow =>
        flow.watermark('time').over({ ...timed, range: ['-10ms', 0] }, t => ({ total: sum(t.x) })),
      )
      for (let i = 0; i < 12_000; i++) feed.push(at(i, `k${i}`))
      await until(job, { rows: 12_000 })
      await expect.poll(() => found.length, slow).toBe(11_999)
      expect(job.metrics().groups).toBeLessThan(20)
      const { nodes = [] } = job.metrics()
      expect(nodes.find(({ name }) => name === 'over key')?.stateBytes).toBeLessThan(2 ** 21)
      feed.close()
      await done
      expect(job.metrics().groups).toBe(0)
    })

    it('keeps so many rows of each partition as frames of rows and lag ask for', async () => {
      const { feed, job, found, done } = begun(flow =>
        flow.watermark('time').over({ ...timed, rows: [-2, 0] }, t => ({ three: mean(t.x), before: lag(t.x, 4) })),
      )
      for (let i = 0; i < 1000; i++) feed.push(at(i, i % 2 === 0 ? 'a' : 'b', i))
      await expect.poll(() => found.length, slow).toBe(999)
      expect(found.at(-1)).toEqual([998, 'a', 998, 996, 990])
      expect(job.metrics().groups).toBe(9)
      feed.close()
      await done
    })

    it('without an order takes rows as they come, and needs no watermark', async () => {
      const { feed, found, done } = begun(flow =>
        flow.over({ partitionBy: 'key', rows: [null, 0] }, t => ({ most: max(t.x), before: lag(t.time) })),
      )
      feed.push(at(9, 'a', 3))
      await expect.poll(() => found, slow).toEqual([[9, 'a', 3, 3, null]])
      feed.push([at(1, 'a', 2), at(2, 'b', 1), at(0, 'a', 4)])
      await expect
        .poll(() => found.slice(1), slow)
        .toEqual([
          [1, 'a', 2, 3, 9],
          [2, 'b', 1, 1, null],
          [0, 'a', 4, 4, 1],
        ])
      feed.close()
      await done
    })

    it('follows windows that close, and groups by their ends follow it', async () => {
      const { feed, found, done } = begun(flow =>
        flow
          .watermark('time')
          .window(tumbling('10ms'))
          .groupBy('key')
          .aggregate(t => ({ total: sum(t.x) }))
          .over({ partitionBy: 'key', orderBy: 'windowEnd' }, t => ({ change: sum(t.total), before: lag(t.total) })),
      )
      feed.push([at(1, 'a', 1), at(2, 'b', 2), at(11, 'a', 3), at(31, 'a', 5)])
      await expect
        .poll(() => found, slow)
        .toEqual([
          [0, 10, 'a', 1, 1, null],
          [0, 10, 'b', 2, 2, null],
          [10, 20, 'a', 3, 4, 1],
        ])
      feed.close()
      await done
      expect(found.slice(3)).toEqual([[30, 40, 'a', 5, 9, 3]])
    })

    it('follows windows of a stream that may end as they close, by whatever name their end goes', async () => {
      let end = () => {}
      const ended = new Promise<void>(resolve => {
        end = resolve
      })
      async function* ticks() {
        yield* [at(1, 'a', 1), at(11, 'a', 3), at(31, 'a', 5)]
        await ended
      }
      const job = stream(ticks(), { schema: tick })
        .watermark('time')
        .window(tumbling('10ms'))
        .groupBy('key')
        .aggregate(t => ({ total: sum(t.x) }))
        .select('key', 'windowEnd', 'total')
        .rename({ windowEnd: 'end' })
        .over({ partitionBy: 'key', orderBy: 'end' }, t => ({ before: lag(t.total) }))
        .run(o())
      const { found, done } = watched(job)
      await expect
        .poll(() => found, slow)
        .toEqual([
          ['a', 10, 1, null],
          ['a', 20, 3, 1],
        ])
      end()
      await done
      expect(found.slice(2)).toEqual([['a', 40, 5, 3]])
    })

    it('stands before a union and before joins, whose watermark waits for what it gives', async () => {
      const [a, b] = [channel(tick), channel(tick)]
      const told = (flow: Flow<typeof tick>) => flow.watermark('time').over(timed, t => ({ next: lead(t.x, 1, -1) }))
      const job = told(a.flow)
        .union(told(b.flow))
        .window(tumbling('10ms'))
        .aggregate(t => ({ rows: count(), next: sum(t.next) }))
        .run(o())
      const { found, done } = watched(job)
      a.push([at(1), at(12, 'a', 2)])
      b.push([at(2, 'b'), at(13, 'b', 4)])
      await until(job, { rows: 4 })
      expect(found).toEqual([])
      // The end of one is known, and then its last row, before the other goes on.
      b.close()
      a.push([at(14, 'a', 8), at(15, 'a', 16)])
      await expect.poll(() => found, slow).toEqual([[0, 10, 2, 6]])
      a.close()
      await done
      expect(found.slice(1)).toEqual([[10, 20, 4, 8 - 1 + 16 - 1]])
    })

    it('renames, filters and derives go before and behind it', async () => {
      const { feed, found, done } = begun(flow =>
        flow
          .watermark('time')
          .rename({ x: 'price' })
          .filter(t => t.price.gt(0))
          .over({ partitionBy: 'key', orderBy: 'time' }, t => ({ rise: lag(t.price.mul(2)), price: sum(t.price) }))
          .filter(t => t.rise.isNull().not())
          .select('key', 'rise', 'price'),
      )
      feed.push([at(1, 'a', 1), at(2, 'a', -1), at(3, 'a', 5), at(4, 'a', 1)])
      await expect.poll(() => found, slow).toEqual([['a', 2, 6]])
      feed.close()
      await done
    })

    it('refuses what only all rows tell, saying which and why', async () => {
      const flow = channel(tick).flow
      const marked = flow.watermark('time')
      const why = async (of: Flow<any>) => {
        try {
          await of.run(o()).finished
        } catch (error) {
          return (error as MillraceError).message
        }
        return 'nothing'
      }
      expect(await why(marked.over(timed, () => ({ p: percentRank() })))).toMatch(
        /MR_UNBOUNDED: over: percentRank\(\) is of all rows/,
      )
      expect(await why(marked.over(timed, () => ({ p: ntile(4) })))).toMatch(/MR_UNBOUNDED: over: ntile/)
      expect(await why(marked.over({ ...timed, rows: [0, null] }, t => ({ p: sum(t.x) })))).toMatch(
        /MR_UNBOUNDED: over: sum\(x\) would wait for ever, since its frame goes to the end of the partition/,
      )
      expect(await why(flow.over({ partitionBy: 'key' }, t => ({ p: sum(t.x) })))).toMatch(
        /MR_UNBOUNDED: over: sum\(x\) would wait for ever, since without an order its frame is the whole partition/,
      )
      expect(await why(marked.over({ orderBy: 'x' }, t => ({ p: lag(t.x) })))).toMatch(
        /MR_UNBOUNDED: over: which rows come before another by "x" .* order by "time"/,
      )
      expect(await why(flow.over({ orderBy: 'x' }, t => ({ p: lag(t.x) })))).toMatch(/watermark\('time'\)/)
      expect(await why(marked.over({ orderBy: desc('time') }, t => ({ p: lag(t.x) })))).toMatch(/order by it ascending/)
      expect(await why(marked.over({ orderBy: ['time', 'x'] }, t => ({ p: lag(t.x) })))).toMatch(/take "x" away/)
      const changing = flow.groupBy('key').aggregate(t => ({ n: count(), time: max(t.time) }))
      expect(await why(changing.over({ partitionBy: 'key' }, () => ({ p: rowNumber() })))).toMatch(
        /MR_CANNOT_RETRACT: over: rows of the aggregate before it are taken back/,
      )
      const waiting = marked.over({ partitionBy: 'key' }, t => ({ p: lead(t.x) })).window(tumbling('1s'))
      expect(await why(waiting.aggregate(() => ({ n: count() })))).toMatch(
        /MR_UNBOUNDED: window: .*order it by the event time/,
      )
    })

    it('of a flow that ends what only all rows tell is told when it has', async () => {
      const flow = rows([at(1), at(2, 'b'), at(3)], tick).watermark('time')
      const { found, done } = watched(flow.over(timed, () => ({ p: percentRank() })).run(o()))
      await done
      expect(found).toEqual([
        [1, 'a', 1, 0],
        [2, 'b', 1, 0],
        [3, 'a', 1, 1],
      ])
      const sorted = flow.over(timed, t => ({ total: sum(t.x) })).orderBy(desc('time'))
      const all = watched(sorted.run(o()))
      await all.done
      expect(all.found).toEqual([
        [3, 'a', 1, 2],
        [2, 'b', 1, 1],
        [1, 'a', 1, 1],
      ])
    })
  })
}
