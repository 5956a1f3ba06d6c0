/** Joins of flows that run on: to what is bounded, in windows, within an interval, and to the latest row before. Their law is test/laws/live-joins.suite.ts. */
import { expect, it } from 'vitest'
import {
  channel,
  columns,
  count,
  type Flow,
  float64,
  type RecordBatch,
  schema,
  sum,
  timestamp,
  tumbling,
  utf8,
} from '../../src/index.js'
import { onLanes, refusal } from './env.js'

/** A machine may be busy. */
const slow = { timeout: 10_000 }

const tick = schema({ time: timestamp(), key: utf8(), x: float64() })
const at = (ms: number, key = 'a', x = 1) => ({ time: new Date(ms), key, x })
const names = columns({ key: ['a', 'b', 'b'], name: ['Anna', 'Bert', 'Berta'] })

const shown = (batch: RecordBatch): unknown[] =>
  batch
    .toRows()
    .map((row: any, i) => [
      ...Object.values(row).map(value => (value instanceof Date ? value.getTime() : value)),
      ...(batch.weights === null ? [] : [batch.weights[i]]),
    ])

/** What has come so far, as it comes. */
function watched(job: AsyncIterable<RecordBatch> & { readonly finished: Promise<void> }) {
  const found: unknown[] = []
  const done = (async () => {
    for await (const batch of job) found.push(...shown(batch))
  })()
  done.catch(() => {})
  return { found, done }
}

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
