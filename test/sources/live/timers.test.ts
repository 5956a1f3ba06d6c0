/** Ticks and events on a clock that tests move: when they come, which they are, and that nothing of them is left. */
import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { cron, type Flow, float64, fromEvent, interval, schema, timer } from '../../../src/index.js'
import { createSteadyClock, systemClock } from '../../../src/metrics/clock.js'
import { refusal, until } from '../../flow/env.js'
import { virtualClock } from '../../metrics/virtual-clock.js'

const inline = { lanes: 0 }

/** Reads a flow while a program moves its clock. */
function read(flow: { run(options: object): any }) {
  const rows: any[] = []
  const job = flow.run(inline)
  const finished = (async () => {
    for await (const batch of job) for (const row of batch) rows.push(row)
  })()
  return { rows, job, finished }
}

const begun = (clock: { readonly timers: number }) => until(() => clock.timers > 0, 2000)

describe('interval', () => {
  it('ticks a period after the job has begun, and then without drift', async () => {
    const clock = virtualClock(5000)
    const { rows, job, finished } = read(interval('1s', { clock }))
    await begun(clock)
    await clock.advance(3500)
    await until(() => rows.length === 3, 2000)
    expect(rows).toEqual([6000, 7000, 8000].map((time, count) => ({ time: new Date(time), count })))
    job.stop()
    await finished
    expect(clock.timers).toBe(0)
  })

  it('has one tick stand for those that were missed, and goes on after a clock that was set back', async () => {
    const clock = virtualClock(0)
    const { rows, job, finished } = read(interval(1000, { clock }))
    await begun(clock)
    const year = 366 * 864e5
    await clock.jumpTo(year + 500)
    await clock.advance(1000)
    await until(() => rows.length === 2, 2000)
    expect(rows.map(row => row.count)).toEqual([year / 1000 - 1, year / 1000])
    await clock.jumpTo(10_000)
    // What has been set is for a time far ahead now: one more tick of the clock as it was, and it is as long as ever.
    await clock.jumpTo(year + 2000)
    await until(() => rows.length === 3, 2000)
    job.stop()
    await finished
    expect(clock.timers).toBe(0)
  })

  it('runs again from its beginning, and leaves no timer when it is aborted or left', async () => {
    const clock = virtualClock(0)
    const flow = interval('1s', { clock })
    for (let run = 0; run < 2; run++) {
      const { rows, job, finished } = read(flow)
      await begun(clock)
      await clock.advance(1000)
      await until(() => rows.length === 1, 2000)
      expect(rows[0].count).toBe(0)
      await job[Symbol.asyncDispose]()
      await finished
      expect(clock.timers).toBe(0)
    }
    const controller = new AbortController()
    const aborted = flow.collect({ ...inline, signal: controller.signal })
    await begun(clock)
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    expect(clock.timers).toBe(0)
    const limited = flow.limit(2).collect(inline)
    await begun(clock)
    await clock.advance(2000)
    expect((await limited).rowCount).toBe(2)
    expect(clock.timers).toBe(0)
  })

  it('refuses what is no period', async () => {
    for (const period of ['1 month', '0s', '1us', 'soon', -5, 1.5, null, Number.NaN])
      await refusal(() => interval(period as never), 'MR_INVALID_OPTION')
    await refusal(() => interval('1s', { clock: {} as never }), 'MR_INVALID_OPTION')
  })
})

describe('timer', () => {
  it('ticks once and ends, at a time or after a while', async () => {
    const clock = virtualClock(1000)
    for (const [when, time] of [
      [new Date(4000), 4000],
      ['2s', 6000],
      [250, 4250],
    ] as const) {
      const { rows, finished } = read(timer(when, { clock }))
      await begun(clock)
      await clock.advanceTo(time)
      await finished
      expect(rows).toEqual([{ time: new Date(time), count: 0 }])
      await clock.jumpTo(4000)
    }
    expect((await timer(new Date(0)).collect(inline)).rowCount).toBe(1)
    await refusal(() => timer(new Date(Number.NaN)), 'MR_INVALID_OPTION')
  })
})

describe('cron', () => {
  it('ticks at the times of its expression, and once for those that were missed', async () => {
    const start = Date.UTC(2024, 2, 30, 22)
    const clock = virtualClock(start)
    const { rows, job, finished } = read(cron('30 2 * * *', 'Europe/Berlin', { clock }))
    await begun(clock)
    await clock.advance(36 * 36e5)
    await clock.jumpTo(start + 10 * 864e5)
    await until(() => rows.length === 3, 2000)
    expect(rows.map(row => row.time.toISOString())).toEqual([
      '2024-03-31T01:00:00.000Z',
      '2024-04-01T00:30:00.000Z',
      '2024-04-09T00:30:00.000Z',
    ])
    expect(rows.map(row => row.count)).toEqual([0, 1, 2])
    job.stop()
    await finished
    expect(clock.timers).toBe(0)
  })
})

describe('fromEvent', () => {
  const shape = schema({ rate: float64() })

  it('takes the events of targets and emitters, and leaves no listener', async () => {
    const target = new EventTarget()
    let listeners = 0
    const counting = {
      addEventListener(type: string, fn: any) {
        listeners++
        target.addEventListener(type, fn)
      },
      removeEventListener(type: string, fn: any) {
        listeners--
        target.removeEventListener(type, fn)
      },
    }
    const { rows, finished } = read(
      fromEvent(counting, 'pulse', {
        schema: shape,
        map: event => (event.detail === null ? null : [{ rate: event.detail }, { rate: -event.detail }]),
        until: 'stop',
      }),
    )
    await until(() => listeners === 2, 2000)
    for (const detail of [60, null, 64]) target.dispatchEvent(Object.assign(new Event('pulse'), { detail }))
    target.dispatchEvent(new Event('stop'))
    await finished
    expect(rows.map(row => row.rate)).toEqual([60, -60, 64, -64])
    await until(() => listeners === 0, 2000)

    const emitter = new EventEmitter()
    const emitted = read(fromEvent(emitter, 'pulse', { schema: shape }))
    await until(() => emitter.listenerCount('pulse') === 1, 2000)
    emitter.emit('pulse', { rate: 70, other: 1 })
    await until(() => emitted.rows.length === 1, 2000)
    await emitted.job[Symbol.asyncDispose]()
    await emitted.finished
    expect(emitter.listenerCount('pulse')).toBe(0)
  })

  it('gives what has come where its listener cannot be removed', async () => {
    for (const flowOf of [(flow: Flow) => flow, (flow: Flow) => flow.filter(t => t.rate.gte(0))]) {
      const emitter = new EventEmitter()
      emitter.off = () => {
        throw new Error('kept')
      }
      const { rows, job, finished } = read(flowOf(fromEvent(emitter, 'pulse', { schema: shape })))
      await until(() => emitter.listenerCount('pulse') === 1, 2000)
      emitter.emit('pulse', { rate: 1 })
      job.stop()
      await finished
      expect(rows).toEqual([{ rate: 1 }])
    }
  })

  it('fails of a row that does not fit, of a function that throws, and of too many', async () => {
    const emitter = new EventEmitter()
    const failing = async (options: object, emit: () => void, code: string) => {
      const flow = fromEvent(emitter, 'pulse', { schema: shape, ...options })
      const job = flow.collect(inline)
      await until(() => emitter.listenerCount('pulse') === 1, 2000)
      emit()
      await refusal(() => job, code)
      expect(emitter.listenerCount('pulse')).toBe(0)
    }
    await failing({}, () => emitter.emit('pulse', { rate: 'fast' }), 'MR_TYPE_MISMATCH')
    const boom = () => {
      throw new Error('boom')
    }
    await failing({ map: boom }, () => emitter.emit('pulse', {}), 'MR_USER_CODE_FAILED')
    await failing({ map: async () => boom() }, () => emitter.emit('pulse', {}), 'MR_TYPE_MISMATCH')
    const many = () => {
      for (let rate = 0; rate < 5; rate++) emitter.emit('pulse', { rate })
    }
    await failing({ capacity: 4 }, many, 'MR_CHANNEL_FULL')
    await refusal(() => fromEvent({} as never, 'pulse', { schema: shape }), 'MR_INVALID_OPTION')
    await refusal(() => fromEvent(emitter, 'pulse', { schema: shape, whenFull: 'block' as never }), 'MR_INVALID_OPTION')
  })
})

describe("the computer's clock", () => {
  it('never goes back where it is to be steady', async () => {
    const real = Date.now
    const clock = createSteadyClock()
    try {
      const before = clock.now()
      Date.now = () => real() - 36e5
      expect(clock.now() - before).toBeGreaterThanOrEqual(0)
      expect(clock.now() - before).toBeLessThan(5000)
      const ticks = await interval('5ms', { clock }).limit(2).collect(inline)
      expect(ticks.rowCount).toBe(2)
      Date.now = () => real() + 36e5
      expect(clock.now() - before).toBeGreaterThanOrEqual(36e5 - 100)
    } finally {
      Date.now = real
    }
  })

  it('calls when the time has come, not before, and not once called off', async () => {
    const start = systemClock.now()
    const called: number[] = []
    systemClock.setTimer(start + 20, () => called.push(systemClock.now()))
    const cancel = systemClock.setTimer(start + 10, () => called.push(0))
    cancel()
    cancel()
    systemClock.setTimer(start - 1000, () => called.push(1))
    expect(called).toEqual([])
    await until(() => called.length === 2, 2000)
    expect(called[0]).toBe(1)
    expect(called[1]).toBeGreaterThanOrEqual(start + 20)
  })
})
