/** Cancelling and dying: a job ends when it is told to or when its lane does, says why, and leaves nothing behind. */
import { describe, expect, it } from 'vitest'
import {
  columns,
  count,
  createEngine,
  csv,
  desc,
  type Engine,
  type Flow,
  float64,
  ndjson,
  schema,
  sum,
} from '../../src/index.js'
import { counted, type FlowEnv, onLanes, refusal, until } from './env.js'

const ROWS = 1_200_000
/** 23 splits: more than all lanes have in hand, so that no job over them ends before its first progress has been heard. */
const MANY_ROWS = 3_000_000
const data = new Map<number, ReturnType<typeof counted>>()
const job = (rowCount = ROWS) => {
  const given = data.get(rowCount) ?? counted(rowCount)
  data.set(rowCount, given)
  return columns(given)
    .derive(t => ({ a: t.value.mul(3).add(t.key) }))
    .groupBy('key')
    .aggregate(t => ({ n: count(), total: sum(t.a) }))
}

async function expectWorks(engine: Engine): Promise<void> {
  const table = await columns(counted(70))
    .groupBy('key')
    .aggregate(() => ({ n: count() }))
    .collect({ engine })
  expect(table.column('n').toArray()).toEqual(Float64Array.from(Array(7).fill(10)))
}

export function cancelSuite(lanesList: readonly number[], env: FlowEnv): void {
  describe('cancelling', () => {
    onLanes(lanesList, (engine, lanes) => {
      it('a signal that is already aborted rejects with its reason, at once', async () => {
        const reason = new Error('never mind')
        await expect(job().collect({ engine: engine(), signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
        await expect(job().load({ engine: engine(), signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
        await expectWorks(engine())
      })

      it('aborting halfway rejects with the reason, whatever it is, and the next job works', async () => {
        for (const reason of [new Error('enough'), 'a string', { an: 'object' }, 0, null]) {
          const controller = new AbortController()
          const options = { engine: engine(), signal: controller.signal, onProgress: () => controller.abort(reason) }
          await expect(job().collect(options)).rejects.toBe(reason)
        }
        await expectWorks(engine())
      })

      it('aborting stops a join whose rows each meet all others, and the loop turns meanwhile', async () => {
        const given = columns({ key: new Int32Array(60_000), x: Float64Array.from(Array(60_000).keys()) })
        const held = await given.load({ engine: engine() })
        for (const left of [given, held]) {
          const pairs = left
            .join(given, 'key', { where: (l, r) => l.x.add(r.x).lt(0) })
            .aggregate(() => ({ n: count() }))
          const reason = new Error('enough')
          const controller = new AbortController()
          const begun = performance.now()
          setTimeout(() => controller.abort(reason), 500)
          await expect(pairs.collect({ engine: engine(), signal: controller.signal })).rejects.toBe(reason)
          expect(performance.now() - begun).toBeLessThan(10_000)
          await expectWorks(engine())
        }
        await held.close()
      })

      it('aborting before a stream has given anything lets go of the stream', async () => {
        const shape = schema({ x: float64() })
        for (const from of [csv, ndjson] as ((input: unknown, options?: object) => Flow)[]) {
          for (const options of [undefined, { schema: shape }]) {
            for (const end of ['collect', 'load', 'run'] as const) {
              let isLeft = false
              const stream = new ReadableStream<Uint8Array>({
                pull: () => new Promise(() => {}),
                cancel() {
                  isLeft = true
                },
              })
              const flow: Flow = from(stream, options)
              const controller = new AbortController()
              const given = { engine: engine(), signal: controller.signal }
              const ended: Promise<unknown> = end === 'run' ? flow.run(given).finished : flow[end](given)
              ended.catch(() => {})
              await until(() => stream.locked, 5000)
              controller.abort(new Error('enough'))
              await expect(ended).rejects.toThrow('enough')
              await until(() => isLeft, 5000)
            }
          }
        }
        await expectWorks(engine())
      })

      it('aborting with no reason rejects with an AbortError', async () => {
        const controller = new AbortController()
        const promise = job().collect({ engine: engine(), signal: controller.signal })
        controller.abort()
        await expect(promise).rejects.toMatchObject({ name: 'AbortError' })
        await expectWorks(engine())
      })

      it('a signal may time out', async () => {
        // Long enough to yield several times: a job that is done by its first turn of the loop has no time to time out.
        const longJob = columns(counted(ROWS))
          .derive(t => ({ a: t.value.mul(3), b: t.value.div(7), c: t.id.mod(11) }))
          .orderBy(desc('value'), 'c')
        const promise = longJob.collect({ engine: engine(), signal: AbortSignal.timeout(1) })
        await expect(promise).rejects.toMatchObject({ name: 'TimeoutError' })
        await expectWorks(engine())
      })

      it('aborting after the end changes nothing', async () => {
        const controller = new AbortController()
        const table = await job().collect({ engine: engine(), signal: controller.signal })
        controller.abort()
        expect(table.rowCount).toBe(7)
        await expectWorks(engine())
      })

      it('aborting a load leaves an engine that can load again', async () => {
        const controller = new AbortController()
        const options = { engine: engine(), signal: controller.signal, onProgress: () => controller.abort('stop') }
        await expect(columns(counted(ROWS)).load(options)).rejects.toBe('stop')
        const loaded = await columns(counted(1000)).load({ engine: engine() })
        expect(loaded.rowCount).toBe(1000)
        await loaded.close()
      })

      it('one of two jobs is aborted, the other comes to its end', async () => {
        const controller = new AbortController()
        const other = job().collect({ engine: engine() })
        const options = { engine: engine(), signal: controller.signal, onProgress: () => controller.abort('this one') }
        await expect(job().collect(options)).rejects.toBe('this one')
        expect((await other).column('n').at(0)).toBe(171_429)
      })

      if (lanes > 0) {
        it('a lane that dies rejects its jobs within two seconds, leaves no worker, and the next job works', async () => {
          // Lanes that jobs without an engine shared end after some idle seconds, which must not fall into what is counted here.
          await until(() => env.workers.count <= lanes, 20_000)
          const before = env.workers.count
          const own = await createEngine({ lanes })
          let killed = 0
          const onProgress = () => {
            if (killed === 0) env.workers.killLast()
            killed ||= performance.now()
          }
          await refusal(() => job(MANY_ROWS).collect({ engine: own, onProgress }), 'MR_LANE_FAILED')
          expect(performance.now() - killed).toBeLessThan(2000)
          await until(() => env.workers.count === before, 2000)
          await expectWorks(own)
          expect(env.workers.count).toBe(before + lanes)
          await own.close()
          expect(env.workers.count).toBe(before)
        })

        it('a lane that dies between jobs is replaced', async () => {
          const own = await createEngine({ lanes })
          await expectWorks(own)
          env.workers.killLast()
          await new Promise(resolve => setTimeout(resolve, 100))
          await expectWorks(own)
          await own.close()
        })

        it('rows that a dead lane held are gone, with a code', async () => {
          const own = await createEngine({ lanes })
          const loaded = await columns(counted(ROWS)).load({ engine: own })
          env.workers.killLast()
          await refusal(() => loaded.aggregate(() => ({ n: count() })).collect(), 'MR_LANE_FAILED')
          await expectWorks(own)
          await own.close()
        })
      }
    })
  })
}
