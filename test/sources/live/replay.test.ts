/** Recorded rows on a clock that tests move: each comes when it is due, in order, and none before. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { columns, count, date, int32, nullable, replay, schema, timestamp, tumbling } from '../../../src/index.js'
import { refusal, until } from '../../flow/env.js'
import { virtualClock } from '../../metrics/virtual-clock.js'

const inline = { lanes: 0 }
const SHAPE = schema({ time: nullable(timestamp('us')), id: int32() })

const recorded = (times: readonly (number | null)[]) =>
  columns(
    { time: times.map(time => (time === null ? null : BigInt(time * 1000))), id: Int32Array.from(times, (_, i) => i) },
    SHAPE,
  )

/** Plays it to its end, and tells when each row came. */
async function play(times: readonly (number | null)[], speed: number) {
  const first = times.find(each => each !== null) ?? 0
  let reached = first
  const due = times.map(each => {
    reached = Math.max(reached, each ?? reached)
    return Math.ceil((reached - first) / speed)
  })
  const clock = virtualClock(1_000_000)
  const came: number[] = []
  const ids: number[] = []
  const job = replay(recorded(times), { speed, clock }).run(inline)
  const finished = (async () => {
    for await (const batch of job) {
      for (const { id } of batch) {
        ids.push(id)
        came.push(clock.now() - 1_000_000)
      }
    }
  })()
  while (true) {
    // What is due is there before the clock moves on; one row more would not be.
    await until(() => ids.length >= due.filter(at => at <= clock.now() - 1_000_000).length, 2000)
    if (ids.length >= due.length) break
    await until(() => clock.timers > 0, 2000)
    await clock.jumpTo(clock.next() as number)
  }
  await finished
  expect(clock.timers).toBe(0)
  return { came, ids, due }
}

describe('replay', () => {
  it('gives the first rows when they are due, and ends with the last of them', async () => {
    const clock = virtualClock(1_000_000)
    const ids: number[] = []
    const job = replay(recorded([0, 1000, 2000, 3000]), { speed: 1, clock })
      .limit(3)
      .run(inline)
    const reading = (async () => {
      for await (const batch of job) for (const { id } of batch) ids.push(id)
    })()
    for (const count of [1, 2]) {
      await until(() => ids.length === count && clock.timers > 0, 10_000)
      await clock.jumpTo(clock.next() as number)
    }
    await reading
    expect(ids).toEqual([0, 1, 2])
    expect(clock.now()).toBe(1_002_000)
  })

  it('gives each row when it is due, in order', async () => {
    const time = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: -5000, max: 20_000 }) },
      { weight: 1, arbitrary: fc.constant(null) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(time, { maxLength: 25 }),
        fc.boolean(),
        fc.constantFrom(0.5, 1, 3, 1000, Infinity),
        async (given, isOrdered, speed) => {
          const times = isOrdered ? [...given].sort((a, b) => (a ?? 0) - (b ?? 0)) : given
          const { came, ids, due } = await play(times, speed)
          expect(ids).toEqual(times.map((_, i) => i))
          expect(came).toEqual(due)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('takes the column of the watermark, and folds to the same answer', async () => {
    const times = [0, 400, 900, 1000, 2500, 2600]
    const flow = recorded(times).filter(t => t.time.isNotNull())
    const windows = (each: typeof flow) =>
      each
        .watermark('time')
        .window(tumbling('1s'))
        .aggregate(() => ({ n: count() }))
    const played = replay(flow.watermark('time'), { speed: 1e6 })
    const rows: object[] = []
    for await (const batch of windows(played as typeof flow).run(inline)) rows.push(...batch.toRows())
    expect(rows).toEqual((await windows(flow).collect(inline)).toRows())
  })

  it('leaves no timer when it is stopped, left or aborted', async () => {
    const far = () => recorded([0, 1e9])
    for (const how of ['stop', 'leave', 'abort']) {
      const clock = virtualClock(0)
      const controller = new AbortController()
      const job = replay(far(), { clock }).run({ ...inline, signal: controller.signal })
      const rows: object[] = []
      const finished = (async () => {
        for await (const batch of job) rows.push(...batch.toRows())
      })()
      await until(() => clock.timers === 1 && rows.length === 1, 2000)
      if (how === 'stop') job.stop()
      if (how === 'leave') await job[Symbol.asyncDispose]()
      if (how === 'abort') {
        controller.abort(new Error('enough'))
        await expect(finished).rejects.toThrow('enough')
      } else await finished
      await until(() => clock.timers === 0, 2000)
    }
  })

  it('refuses what has no pace', async () => {
    const two = columns({ a: [new Date(0)], b: [new Date(0)], c: [1] })
    await refusal(() => replay(two), 'MR_INVALID_OPTION')
    await refusal(() => replay(two, { time: 'c' }), 'MR_TYPE_MISMATCH')
    await refusal(() => replay(two, { time: 'd' as 'a' }), 'MR_UNKNOWN_COLUMN')
    await refusal(() => replay(two, { time: 'a', speed: 0 }), 'MR_INVALID_OPTION')
    await refusal(() => replay([] as never), 'MR_INVALID_OPTION')
    const days = columns({ day: ['2024-01-01', '2024-01-02'] }, schema({ day: date() }))
    expect((await replay(days, { speed: Infinity }).collect(inline)).rowCount).toBe(2)
    expect(replay(days, { speed: 60 }).explain()).toContain('replay at 60 times the speed')
  })
})
