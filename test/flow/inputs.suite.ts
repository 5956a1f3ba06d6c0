/** Several inputs of one flow that runs on: read at once, with the least watermark of those that are waited for. Their law is test/laws/inputs.suite.ts. */
import { expect, it } from 'vitest'
import {
  channel,
  columns,
  count,
  type Flow,
  int8,
  int32,
  type RecordBatch,
  schema,
  stream,
  sum,
  timestamp,
  tumbling,
} from '../../src/index.js'
import { virtualClock } from '../metrics/virtual-clock.js'
import { onLanes, refusal } from './env.js'
import { at, shown, slow, tick, until, watched } from './live-support.js'

const all = async (job: AsyncIterable<RecordBatch>): Promise<unknown[]> => {
  const found: unknown[] = []
  for await (const batch of job) found.push(...shown(batch))
  return found
}

const settled = () => new Promise(resolve => setTimeout(resolve, 30))

export function inputSuite(lanesList: readonly number[]): void {
  onLanes(lanesList, engine => {
    const o = () => ({ engine: engine() })
    const counted = (flow: Flow<any>) =>
      flow
        .window(tumbling('10ms'))
        .groupBy('key')
        .aggregate((t: any) => ({ n: count(), x: sum(t.x) })) as Flow<any>

    it('reads all inputs of a union at once', async () => {
      const [a, b] = [channel(tick), channel(tick)]
      const { found, done } = watched(
        a.flow
          .union(b.flow)
          .derive(t => ({ x: t.x.mul(2) }))
          .run(o()),
      )
      b.push(at(1, 'b'))
      await expect.poll(() => found, slow).toEqual([[1, 'b', 2]])
      a.push(at(2, 'a'))
      await expect
        .poll(() => found, slow)
        .toEqual([
          [1, 'b', 2],
          [2, 'a', 2],
        ])
      b.push(at(3, 'b'))
      await expect.poll(() => found.length, slow).toBe(3)
      a.close()
      b.push(at(4, 'b'))
      await expect.poll(() => found.length, slow).toBe(4)
      b.close()
      await done
    })

    it.each(['above', 'below'])('has the least watermark of all, said %s the union', async where => {
      const [a, b] = [channel(tick), channel(tick)]
      const union =
        where === 'above'
          ? a.flow.union(b.flow).watermark('time')
          : a.flow.watermark('time').union(b.flow.watermark('time'))
      const job = counted(union).run(o())
      const { found, done } = watched(job)
      a.push([at(1), at(25)])
      await until(job, { groups: 2 })
      expect(found).toEqual([])
      b.push([at(2), at(9)])
      await until(job, { watermark: 9n })
      expect(found).toEqual([])
      b.push(at(12))
      await expect.poll(() => found, slow).toEqual([[0, 10, 'a', 3, 3]])
      // In time, for b is not further.
      b.push(at(13))
      await until(job, { watermark: 13n })
      // For a alone it would be late, and is not.
      a.push(at(14, 'late for a'))
      await until(job, { groups: 3 })
      expect(job.metrics()).toMatchObject({ lateRows: 0, watermark: 13n })
      b.close()
      await expect
        .poll(() => found, slow)
        .toEqual([
          [0, 10, 'a', 3, 3],
          [10, 20, 'a', 2, 2],
          [10, 20, 'late for a', 1, 1],
        ])
      a.push(at(19))
      await expect.poll(() => job.metrics()).toMatchObject({ lateRows: 1 })
      a.close()
      await done
      expect(found.at(-1)).toEqual([20, 30, 'a', 1, 1])
    })

    it('has a delay of its own for each input', async () => {
      const [a, b] = [channel(tick), channel(tick)]
      const union = a.flow
        .watermark('time', { delay: '10ms' })
        .filter(t => t.x.gt(0))
        .union(b.flow.watermark('time'))
      const { found, done } = watched(counted(union).run(o()))
      b.push([at(1), at(40)])
      a.push([at(3), at(19)])
      await settled()
      expect(found).toEqual([])
      // Filtered out, it moves the watermark all the same.
      a.push(at(20, 'a', -1))
      await expect.poll(() => found, slow).toEqual([[0, 10, 'a', 2, 2]])
      a.close()
      b.close()
      await done
    })

    it('sets a silent input aside, which counts again once it has caught up', async () => {
      const clock = virtualClock(1000)
      const [a, b] = [channel(tick), channel(tick)]
      const job = counted(a.flow.union(b.flow).watermark('time', { idleAfter: '1s' })).run({ ...o(), clock })
      const { found, done } = watched(job)
      a.push([at(1), at(25)])
      b.push([at(5)])
      await expect.poll(() => job.metrics().watermark).toBe(5n)
      await settled()
      await clock.advance(900)
      a.push(at(26, 'k'))
      await until(job, { groups: 3 })
      expect(found).toEqual([])
      await clock.advance(200)
      // b has been silent for 1.1 s, a for 0.2 s.
      await expect.poll(() => found, slow).toEqual([[0, 10, 'a', 2, 2]])
      // Behind what has been said: late, and not waited for.
      b.push(at(8))
      await until(job, { lateRows: 1 })
      a.push(at(31))
      await expect.poll(() => found.length, slow).toBe(3)
      expect(job.metrics()).toMatchObject({ lateRows: 1, watermark: 31n, groups: 1 })
      // Caught up: waited for.
      b.push(at(33, 'k'))
      await until(job, { groups: 2 })
      a.push(at(55))
      await until(job, { watermark: 33n })
      await settled()
      expect(job.metrics()).toMatchObject({ watermark: 33n, groups: 3 })
      // Silence of all closes nothing.
      await clock.advance(5000)
      await settled()
      const { watermark } = job.metrics()
      const before = found.length
      await clock.advance(50_000)
      await settled()
      expect(found.length).toBe(before)
      expect(job.metrics().watermark).toBe(watermark)
      a.close()
      b.close()
      await done
      expect(clock.timers).toBe(0)
    })

    it('closes nothing by the silence of all, however late the clock comes', async () => {
      for (const where of ['flat', 'nested']) {
        const clock = virtualClock(1000)
        const feeds = [channel(tick), channel(tick), channel(tick)] as const
        const [a, b, c] = feeds.map(({ flow }) => flow.watermark('time', { idleAfter: '1s' }))
        const union = where === 'flat' ? a.union(b, c) : a.union(b.union(c))
        const job = counted(union).run({ ...o(), clock })
        const { found, done } = watched(job)
        feeds[0].push(at(5))
        await until(job, { rows: 1 })
        await clock.advance(300)
        feeds[1].push(at(25))
        feeds[2].push(at(35))
        await until(job, { watermark: 5n, groups: 3 })
        // As of a computer that slept, or a page in the background.
        await clock.jumpTo(60_000)
        await settled()
        expect(found).toEqual([])
        expect(job.metrics()).toMatchObject({ watermark: 5n })
        // Of those that are heard again b is behind.
        feeds[2].push(at(36))
        await expect
          .poll(() => found, slow)
          .toEqual([
            [0, 10, 'a', 1, 1],
            [20, 30, 'a', 1, 1],
          ])
        for (const feed of feeds) feed.close()
        await done
        expect(clock.timers).toBe(0)
      }
    })

    it('takes turns, so that an input that floods keeps no other back', async () => {
      const [a, b] = [channel(tick, { capacity: 1e6 }), channel(tick)]
      for (let i = 0; i < 400; i++) a.push(Array.from({ length: 1000 }, (_, j) => at(i, `${j}`)))
      const seen: string[] = []
      b.push(at(1, 'mine'))
      for await (const batch of a.flow.union(b.flow).run(o())) {
        const mine = batch.column('key').toArray().includes('mine')
        seen.push(mine ? 'b' : 'a')
        if (mine) break
      }
      expect(seen.length).toBeLessThan(10)
    })

    it('keeps the backpressure of each', async () => {
      const [a, b] = [channel(tick, { capacity: 100 }), channel(tick, { capacity: 100 })]
      const batches = a.flow.union(b.flow).run(o())[Symbol.asyncIterator]()
      const pushed = [0, 0]
      const feeding = [a, b].map(async (each, i) => {
        for (; pushed[i] < 400; pushed[i]++) await each.push(Array.from({ length: 100 }, () => at(i)))
        each.close()
      })
      const first = await batches.next()
      await settled()
      expect(Math.max(...pushed)).toBeLessThan(200)
      let rows = first.value.rowCount
      for (let next = await batches.next(); !next.done; next = await batches.next()) rows += next.value.rowCount
      expect(rows).toBe(2 * 400 * 100)
      await Promise.all(feeding)
    })

    it('closes all where one fails', async () => {
      const left: string[] = []
      const input = (name: string, fails: boolean) =>
        stream(
          (async function* () {
            try {
              yield [at(1, name)]
              if (fails) throw new Error('half way')
              await new Promise(resolve => setTimeout(resolve, 50))
              while (true) {
                yield [at(2, name)]
                await new Promise(resolve => setTimeout(resolve, 5))
              }
            } finally {
              left.push(name)
            }
          })(),
          { schema: tick },
        )
      const job = counted(input('a', false).union(input('b', true)).watermark('time')).run(o())
      await expect(all(job)).rejects.toThrow('half way')
      await expect(job.finished).rejects.toThrow('half way')
      await expect.poll(() => left.sort(), slow).toEqual(['a', 'b'])
    })

    it('names the row and the input of a value that fails above', async () => {
      const big = schema({ time: timestamp(), n: int32() })
      const [a, b] = [channel(big), channel(big)]
      const union = a.flow.watermark('time').union(b.flow.watermark('time'))
      const failing = union.derive((t: any) => ({ y: t.n.cast(int8()) })) as Flow<any>
      a.push([1, 2, 3].map(n => ({ time: new Date(n), n })))
      a.close()
      await settled()
      b.push([1, 1000].map(n => ({ time: new Date(n), n })))
      b.close()
      const job = failing
        .window(tumbling('10ms'))
        .aggregate((t: any) => ({ s: sum(t.y) }))
        .run(o())
      const error = await refusal(() => all(job as never), 'MR_INTEGER_OVERFLOW')
      expect(error.details).toMatchObject({ row: 1 })
    })

    it('collected is as before: one input after another', async () => {
      const [a, b] = [channel(tick), channel(tick)]
      b.push(at(1, 'b'))
      b.close()
      a.push([at(25, 'a'), at(3, 'a')])
      a.close()
      const table = await counted(a.flow.union(b.flow).watermark('time')).collect(o())
      expect(table.toRows().map(row => [...Object.values(row)].slice(2))).toEqual([
        ['a', 1, 1],
        ['b', 1, 1],
        ['a', 1, 1],
      ])
    })

    it('meets bounded inputs, and unions of unions', async () => {
      const [a, b] = [channel(tick), channel(tick)]
      const table = columns({ time: [new Date(4), new Date(12)], key: ['t', 't'], x: [1, 2] }, tick)
      const { found, done } = watched(
        counted(
          a.flow
            .union(table)
            .union(b.flow.select('time', 'x', 'key'))
            .watermark('time'),
        ).run(o()),
      )
      a.push(at(15, 't'))
      b.push(at(11, 't'))
      await expect.poll(() => found, slow).toEqual([[0, 10, 't', 1, 1]])
      a.close()
      b.close()
      await done
      expect(found).toEqual([
        [0, 10, 't', 1, 1],
        [10, 20, 't', 3, 4],
      ])
    })

    it('reads a stream that several inputs have in common once', async () => {
      const a = channel(tick)
      const small = a.flow.filter(t => t.x.lt(5))
      const large = a.flow.filter(t => t.x.gte(5)).derive(t => ({ x: t.x.mul(100) }))
      const { found, done } = watched(counted(small.union(large).watermark('time')).run(o()))
      a.push([at(1, 'a', 1), at(2, 'a', 7), at(13, 'a', 2), at(14, 'a', 8)])
      await expect.poll(() => found, slow).toEqual([[0, 10, 'a', 2, 701]])
      a.close()
      await done
      expect(found.at(-1)).toEqual([10, 20, 'a', 2, 802])
    })

    it('groups that change are of all inputs as they come', async () => {
      const [a, b] = [channel(tick), channel(tick)]
      const { found, done } = watched(
        a.flow
          .union(b.flow)
          .groupBy('key')
          .aggregate(() => ({ n: count() }))
          .run(o()),
      )
      b.push(at(1, 'k'))
      await expect.poll(() => found, slow).toEqual([['k', 1]])
      a.push(at(1, 'k'))
      await expect
        .poll(() => found.slice(1), slow)
        .toEqual([
          ['k', 1, -1],
          ['k', 2],
        ])
      a.close()
      b.close()
      await done
    })

    it('hands on what takes rows back', async () => {
      const [a, b] = [channel(tick), channel(tick)]
      const grouped = (flow: Flow<typeof tick>) => flow.groupBy('key').aggregate(() => ({ n: count() }))
      const { found, done } = watched(grouped(a.flow).union(grouped(b.flow)).run(o()))
      a.push(at(1, 'k'))
      await expect.poll(() => found, slow).toEqual([['k', 1]])
      a.push(at(1, 'k'))
      await expect
        .poll(() => found.slice(1), slow)
        .toEqual([
          ['k', 1, -1],
          ['k', 2],
        ])
      a.close()
      b.close()
      await done
    })

    it('limits a union that runs on', async () => {
      const [a, b] = [channel(tick), channel(tick)]
      b.push([at(1), at(2), at(3)])
      expect(await all(a.flow.union(b.flow).limit(2).run(o()))).toHaveLength(2)
    })
  })
}
