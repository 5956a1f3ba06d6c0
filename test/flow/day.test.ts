/**
 * A simulated day: events with bursts, stalls and disorder pushed into windows by a virtual clock. Every event is accounted for, and what is kept stays within bounds. MILLRACE_EVENTS says how many there are, 1e7
 * by default.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import {
  channel,
  count,
  createEngine,
  dictionary,
  float64,
  int32,
  type JobMetrics,
  max,
  type RecordBatch,
  runAll,
  schema,
  session,
  sum,
  timestamp,
  tumbling,
  utf8,
} from '../../src/index.js'
import { seededRandom } from '../../src/sources/live/backoff.js'
import { virtualClock } from '../metrics/virtual-clock.js'

const EVENTS = Number(process.env.MILLRACE_EVENTS ?? 1e7)
const MINUTE = 60_000
/** Events are pushed by so many minutes at a time. */
const SLOT = 5 * MINUTE
const SLOTS = 288
const DELAY = MINUTE
const MOST_AHEAD = 60 * MINUTE
/** Of each slot, which no other has: strings that only ever come anew. */
const KEYS = 1500
const USERS = 3000
const START = Date.UTC(2026, 2, 28)

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const event = schema({ time: timestamp(), key: utf8(), user: int32(), amount: float64() })

/** How many events each slot has: quiet ones, bursts, and stalls in which nothing comes. */
function slotsOf(random: () => number): number[] {
  const weights = Array.from({ length: SLOTS }, (_, slot) => {
    if ((slot >= 60 && slot < 66) || (slot >= 181 && slot < 186)) return 0
    return random() < 0.05 ? 10 : 0.5 + random()
  })
  const total = weights.reduce((all, weight) => all + weight, 0)
  const counts = weights.map(weight => Math.floor((EVENTS * weight) / total))
  counts[0] = (counts[0] as number) + EVENTS - counts.reduce((all, each) => all + each, 0)
  return counts
}

/** What should become of the events: told row by row, as SEMANTICS has it. */
function createModel() {
  let latest = -Infinity
  const told = { pushed: 0, rejected: 0, late: 0, amount: 0 }
  return {
    told,
    /** @returns whether it is in time */
    take(time: number, amount: number): void {
      told.pushed++
      if (amount < 0) {
        told.rejected++
        return
      }
      if (time - latest > MOST_AHEAD && latest > -Infinity) {
        told.late++
        return
      }
      if (time > latest) latest = time
      const end = Math.floor(time / MINUTE) * MINUTE + MINUTE
      if (end <= latest - DELAY) told.late++
      else told.amount += amount
    },
  }
}

it(`a day of ${EVENTS} events is accounted for, in bounded memory`, { timeout: 3_600_000 }, async () => {
  const random = seededRandom(20260328)
  const clock = virtualClock(START)
  const counts = slotsOf(random)
  const model = createModel()
  await using engine = await createEngine({ lanes: 0 })
  const events = channel(event, { capacity: 65_536 })
  const { valid, rejected } = events.flow.validate({ paid: (t: any) => t.amount.gte(0) })
  const timed = valid.watermark('time', { delay: '1m', maxAdvance: '1h' })
  const found = { windows: 0, rows: 0, amount: 0, rejected: 0, sessionRows: 0, sessions: 0, longest: 0 }
  const total = (batch: RecordBatch, name: string): number =>
    (Array.from(batch.column(name)) as number[]).reduce((all, each) => all + each, 0)
  const samples: JobMetrics[] = []
  const began = performance.now()

  const job = runAll(
    {
      windows: timed
        .window(tumbling('1m'))
        .groupBy('key')
        .aggregate(t => ({ n: count(), amount: sum(t.amount) })),
      sessions: timed
        .filter(t => t.user.lt(USERS / 8))
        .window(session('5m'))
        .groupBy('user')
        .aggregate(t => ({ n: count(), last: max(t.time) })),
      rejected,
    },
    {
      windows(batch: RecordBatch) {
        found.windows += batch.rowCount
        found.rows += total(batch, 'n')
        found.amount += total(batch, 'amount')
      },
      sessions(batch: RecordBatch) {
        found.sessions += batch.rowCount
        found.sessionRows += total(batch, 'n')
      },
      rejected(batch: RecordBatch) {
        found.rejected += batch.rowCount
      },
    } as never,
    { engine, clock, metricsEvery: 60 * MINUTE, onMetrics: metrics => samples.push(metrics) },
  )
  const failed = job.finished.catch(error => error)

  // The day begins with the job.
  while (clock.timers === 0) await new Promise(resolve => setTimeout(resolve, 1))
  const memory: number[] = []
  for (const [slot, rows] of counts.entries()) {
    const keys = Array.from({ length: KEYS }, (_, i) => `${'city'.repeat(14)} ${slot} ${i}`)
    for (let from = 0; from < rows; from += 65_536) {
      const length = Math.min(65_536, rows - from)
      const time = new BigInt64Array(length)
      const codes = new Int32Array(length)
      const user = new Int32Array(length)
      const amount = new Float64Array(length)
      for (let row = 0; row < length; row++) {
        const chance = random()
        // Mostly somewhat behind, some far behind, a few of next year.
        const behind = chance < 0.002 ? random() * 20 * MINUTE : random() * 45_000
        const at = START + slot * SLOT + Math.floor(((from + row) / rows) * SLOT - behind)
        const when = chance > 0.99995 ? at + 365 * 1440 * MINUTE : at
        time[row] = BigInt(when)
        codes[row] = Math.floor(random() * KEYS)
        user[row] = Math.floor(random() * USERS)
        amount[row] = random() < 0.001 ? -1 : Math.floor(random() * 100)
        model.take(when, amount[row] as number)
      }
      await events.push({ time, key: dictionary(codes, keys), user, amount })
    }
    await clock.advanceTo(START + (slot + 1) * SLOT)
    if (slot % 12 === 11) {
      collectGarbage()
      const { heapUsed, external } = process.memoryUsage()
      memory.push((heapUsed + external) / 1e6)
    }
  }
  events.close()
  expect(await failed).toBeUndefined()
  const seconds = (performance.now() - began) / 1000

  const { told } = model
  const metrics = job.metrics()
  const [windows, sessions, rejections] = metrics.flows as readonly JobMetrics[] as [JobMetrics, JobMetrics, JobMetrics]
  const steps = (of: JobMetrics) => (of.nodes ?? []).filter(({ place }) => place === 'steps')
  const kept = samples.map(({ flows = [] }) =>
    flows.flatMap(steps).reduce((all, { stateBytes }) => all + stateBytes, 0),
  )
  const groups = samples.map(({ flows = [] }) => flows.map(each => each.groups ?? 0))
  console.log(
    `${EVENTS} events in ${seconds.toFixed(1)} s: ${told.late} late, ${told.rejected} rejected, ${found.windows} windows, ${found.sessions} sessions;`,
    `heap and buffers ${memory.map(Math.round).join(' ')} MB; kept ${kept.map(bytes => (bytes / 1e6).toFixed(1)).join(' ')} MB;`,
    `latency of windows ${JSON.stringify(windows.latency)}`,
  )

  // Every event is somewhere.
  expect(told.pushed).toBe(EVENTS)
  expect(found.rejected).toBe(told.rejected)
  expect(windows.lateRows).toBe(told.late)
  expect(found.rows + told.late + told.rejected).toBe(EVENTS)
  expect(found.amount).toBe(told.amount)
  expect(windows.nodes?.[0]).toMatchObject({ place: 'source', rowsIn: EVENTS, rowsOut: EVENTS, queuedRows: 0 })
  expect(rejections.rowsWritten).toBe(told.rejected)
  const at = steps(sessions).findIndex(({ name }) => name.startsWith('aggregate by session'))
  const [before, ofSessions] = steps(sessions).slice(at - 1)
  expect(found.sessionRows).toBe(ofSessions?.rowsIn)
  expect(found.sessionRows + (sessions.lateRows ?? 0)).toBe(before?.rowsOut)

  // Of windows that have closed nothing is left.
  expect(samples.length).toBeGreaterThanOrEqual(20)
  for (const [inWindows, inSessions] of groups) {
    expect(inWindows).toBeLessThanOrEqual(8 * KEYS)
    expect(inSessions).toBeLessThanOrEqual(3 * (USERS / 8))
  }
  for (const bytes of kept) expect(bytes).toBeLessThan(32e6)
  // Strings go some megabytes at a time, three flows' at different times.
  const most = (from: number, to: number) => Math.max(...memory.slice(from, to))
  expect(most(18, 24)).toBeLessThan(1.4 * most(6, 14) + 48)
  expect(clock.timers).toBe(0)
})
