/** Engines, loaded rows, progress and explain: what surrounds a flow rather than what it computes. Cancelling is bad-input's neighbour, cancel. */
import { describe, expect, it } from 'vitest'
import {
  collectAll,
  columns,
  count,
  createEngine,
  type Progress,
  rows,
  runAll,
  schema,
  sum,
  timestamp,
  tumbling,
} from '../../src/index.js'
import { counted, expectWaitedFor, type FlowEnv, onLanes, refusal } from './env.js'

const totals = (flow: ReturnType<typeof someRows>) =>
  flow.groupBy('key').aggregate(t => ({ n: count(), total: sum(t.value) }))
const someRows = (rowCount = 600_000) => columns(counted(rowCount))
/** 23 splits: more than all lanes have in hand, so that no job over them ends before its first progress has been heard. */
const manyRows = () => someRows(3_000_000)

/** Every terminal with options, over rows that come at once and over windows that close; what is no object of options is told by its name. */
const TERMINALS: Readonly<Record<string, (options: never) => unknown>> = {
  collect: o => someRows(5).collect(o),
  load: o => someRows(5).load(o),
  run: o => someRows(5).run(o).finished,
  'run of windows': o => windowed().run(o).finished,
  'run of several': o => someRows(5).union(someRows(5)).run(o).finished,
  to: o => someRows(5).to(() => {}, o).finished,
  subscribe: o => someRows(5).subscribe(() => {}, o).finished,
  live: o => someRows(5).live(o).ready,
  'live of windows': o => windowed().live(o).ready,
  explain: o => someRows(5).explain({ analyze: true }, o),
  collectAll: o => collectAll({ a: someRows(5) }, o),
  runAll: o => runAll({ a: someRows(5) }, { a: () => {} }, o).finished,
  createEngine,
}
const windowed = () =>
  rows([{ time: new Date(0) }], schema({ time: timestamp() }))
    .watermark('time')
    .window(tumbling('1s'))
    .aggregate(() => ({ n: count() }))

export function engineSuite(lanesList: readonly number[], env: FlowEnv): void {
  describe('options', () => {
    const wrong = [null, [], 5, 'lanes', true, () => {}, new Map(), new Date(0), Promise.resolve({}), { lane: 2 }]
    for (const [name, terminal] of Object.entries(TERMINALS)) {
      it(`of ${name} are an object of what there is`, async () => {
        for (const given of [...wrong, { lanes: -1 }, { memory: '1' }]) {
          const error = await refusal(() => terminal(given as never), 'MR_INVALID_OPTION')
          const operator = name.split(' ')[0]
          expect(error.details.operator).toBe(operator)
          expect(error.message).toMatch(new RegExp(`^MR_INVALID_OPTION: ${operator}: `))
        }
      })
    }

    it('of what explain is to do are checked, too', async () => {
      for (const given of [null, [], 5, { analyse: true }])
        await refusal(() => someRows(5).explain(given as never), 'MR_INVALID_OPTION')
    })
  })

  describe('engines', () => {
    onLanes(lanesList, (engine, lanes) => {
      it('says how many lanes it has', () => {
        expect(engine().lanes).toBe(lanes)
      })

      it('runs several jobs at a time', async () => {
        const jobs = Array.from({ length: 6 }, (_, i) =>
          someRows(100_000)
            .filter(t => t.key.ne(i))
            .aggregate(() => ({ n: count() }))
            .collect({ engine: engine() }),
        )
        const counts = (await Promise.all(jobs)).map(table => table.at(0)?.n)
        expect(counts).toEqual([85_714, 85_714, 85_714, 85_714, 85_714, 85_715])
      })

      it('runs after another job has failed', async () => {
        const i = BigInt64Array.of(2n ** 63n - 1n)
        const failing = columns({ i }).derive(t => ({ next: t.i.add(1) }))
        await refusal(() => failing.collect({ engine: engine() }), 'MR_INTEGER_OVERFLOW')
        const table = await totals(someRows(70)).collect({ engine: engine() })
        expect(table.rowCount).toBe(7)
      })

      it('the same flow may be collected again and again', async () => {
        const flow = totals(someRows())
        const first = await flow.collect({ engine: engine() })
        const second = await flow.collect({ engine: engine() })
        expect(second.toRows()).toEqual(first.toRows())
        expect(first.at(0)?.n).toBe(85_715)
      })

      it('inputs are read when a terminal runs, and neither detached nor changed', async () => {
        const data = counted(1000)
        const flow = columns(data)
        data.value[0] = 1000
        expect((await flow.collect({ engine: engine() })).at(0)?.value).toBe(1000)
        expect(data.value.length).toBe(1000)
        expect(data.value[999]).toBe(249.75)
      })

      it('progress only grows, and ends with all rows', async () => {
        const seen: Progress[] = []
        await totals(someRows()).collect({ engine: engine(), onProgress: progress => seen.push({ ...progress }) })
        const last = seen.at(-1)
        expect(last).toMatchObject({ rows: 600_000, totalRows: 600_000 })
        expect(last?.bytes).toBe(last?.totalBytes)
        expect(seen.every((one, i) => i === 0 || one.rows >= (seen[i - 1] as Progress).rows)).toBe(true)
      })

      it('an exception in onProgress rejects the job with that very exception', async () => {
        const thrown = new Error('of the caller')
        const onProgress = () => {
          throw thrown
        }
        await expect(totals(someRows()).collect({ engine: engine(), onProgress })).rejects.toBe(thrown)
        expect((await totals(someRows(70)).collect({ engine: engine() })).rowCount).toBe(7)
      })

      it('an onProgress that is asynchronous is waited for, and what it rejects with ends the job', async () => {
        const some = () => totals(someRows(70))
        const o = (onProgress: () => void, signal?: AbortSignal) => ({
          engine: engine(),
          onProgress,
          ...(signal && { signal }),
        })
        await expectWaitedFor((...told) => some().collect(o(...told)))
        await expectWaitedFor((...told) => some().subscribe(() => {}, o(...told)).finished)
        await expectWaitedFor((...told) =>
          some()
            .union(some())
            .collect(o(...told)),
        )
        await expectWaitedFor((...told) => collectAll({ a: some(), b: some() }, o(...told)))
      })

      it('loaded rows answer many questions', async () => {
        const loaded = await someRows().load({ engine: engine() })
        expect(loaded.rowCount).toBe(600_000)
        expect(loaded.byteLength).toBeGreaterThanOrEqual(600_000 * 16)
        for (const least of [0, 100_000, 599_999]) {
          const table = await loaded
            .filter(t => t.id.gte(least))
            .aggregate(() => ({ n: count() }))
            .collect()
          expect(table.at(0)?.n).toBe(600_000 - least)
        }
        const same = await totals(loaded).collect({ engine: engine() })
        expect(same.toRows()).toEqual((await totals(someRows()).collect({ engine: engine() })).toRows())
        await loaded.close()
      })

      it('what is loaded may have been filtered and derived, and comes back in order', async () => {
        const loaded = await someRows()
          .filter(t => t.key.eq(6))
          .derive(t => ({ twice: t.value.mul(2) }))
          .load({ engine: engine() })
        expect(loaded.rowCount).toBe(85_714)
        const table = await loaded.select('id', 'twice').limit(2, 85_712).collect()
        expect(table.toRows()).toEqual([
          { id: 599_990, twice: 299_995 },
          { id: 599_997, twice: 299_998.5 },
        ])
        await loaded.close()
      })

      it('loaded rows that were closed are gone, with a code', async () => {
        const loaded = await someRows(1000).load({ engine: engine() })
        await loaded.close()
        await loaded.close()
        await refusal(() => loaded.collect(), 'MR_CLOSED')
        expect((await refusal(() => loaded.live().ready, 'MR_CLOSED')).message).toContain('live: ')
      })

      it('loaded rows do not go to another engine', async () => {
        const loaded = await someRows(1000).load({ engine: engine() })
        const other = await createEngine({ lanes: 0 })
        await refusal(() => loaded.collect({ engine: other }), 'MR_INVALID_OPTION')
        await refusal(() => loaded.collect({ lanes: lanes + 1 }), 'MR_INVALID_OPTION')
        expect((await loaded.collect()).rowCount).toBe(1000)
        await other.close()
        await loaded.close()
      })

      it('explain says what will run, before anything runs', () => {
        const text = totals(someRows().filter(t => t.id.gt(5))).explain()
        expect(text).toContain('filter')
        expect(text).toContain('aggregate')
        expect(text).toContain('key')
      })
    })

    it('a closed engine leaves no worker and refuses every job', async () => {
      const before = env.workers.count
      const engine = await createEngine({ lanes: 2 })
      expect(env.workers.count).toBe(before + 2)
      await totals(someRows()).collect({ engine })
      await engine.close()
      await engine.close()
      expect(env.workers.count).toBe(before)
      await refusal(() => totals(someRows(7)).collect({ engine }), 'MR_CLOSED')
    })

    it('await using closes an engine', async () => {
      const before = env.workers.count
      const engine = await createEngine({ lanes: 1 })
      await engine[Symbol.asyncDispose]()
      expect(env.workers.count).toBe(before)
      await refusal(() => someRows(7).collect({ engine }), 'MR_CLOSED')
    })

    it('an engine closed halfway rejects its jobs and leaves no worker', async () => {
      for (const lanes of lanesList) {
        const before = env.workers.count
        const engine = await createEngine({ lanes })
        const flow = totals(manyRows())
        const job = flow.collect({ engine, onProgress: () => void engine.close() })
        const other = flow.collect({ engine })
        await Promise.all([refusal(() => job, 'MR_CLOSED'), refusal(() => other, 'MR_CLOSED')])
        await engine.close()
        expect(env.workers.count).toBe(before)
      }
    })

    it('without an engine, small inputs run inline and start no worker', async () => {
      const before = env.workers.count
      expect((await totals(someRows(7000)).collect()).rowCount).toBe(7)
      expect((await totals(someRows(7000)).collect({ lanes: 0 })).rowCount).toBe(7)
      expect(env.workers.count).toBe(before)
    })

    it('without an engine, lanes are shared from job to job', async () => {
      const before = env.workers.count
      await totals(someRows()).collect({ lanes: 2 })
      const after = env.workers.count
      await totals(someRows()).collect({ lanes: 2 })
      expect(after).toBeLessThanOrEqual(before + 2)
      expect(env.workers.count).toBe(after)
    })
  })
}
