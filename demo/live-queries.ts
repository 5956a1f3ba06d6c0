/** What the live page asks of the reports, while they come: three flows behind one watermark, each fed by a channel. */
import {
  type Channel,
  channel,
  count,
  type Engine,
  type Job,
  max,
  mean,
  type RecordBatch,
  sliding,
  tumbling,
} from 'millrace'
import { report } from './reports.js'

/** A report may come so long after those of later flights. */
export const DELAY_MS = 2 * 3_600_000
/** One from further ahead is late, and moves nothing. */
export const MOST_ADVANCE_MS = 6 * 3_600_000
/** Reports that may wait for a query: what is pushed is answered soon. */
const CAPACITY = 8192

export interface OriginHour {
  readonly origin: string
  readonly flights: number
  readonly meanDelay: number
  readonly worstDelay: number
}

export interface MeanOfHours {
  /** Of the six hours. */
  readonly endMs: number
  readonly flights: number
  readonly meanDelay: number
}

export interface LateReport {
  readonly dateMs: number
  readonly reportedMs: number
  readonly origin: string
}

export interface Answers {
  /** An hour has closed, and so many flights were in it. */
  onHour(endMs: number, flights: number): void
  /** The last hour that has closed, by origin. */
  onOrigins(endMs: number, origins: readonly OriginHour[]): void
  onMean(mean: MeanOfHours): void
  onLate(late: LateReport): void
}

export interface LiveQueries {
  /** Resolves when all three have room for more. */
  push(batch: RecordBatch<typeof report>): Promise<void>
  /** There are no more: all windows close. Resolves when they have. */
  end(): Promise<void>
  /** Of the hours. */
  readonly lateRows: number
  readonly watermarkMs: number | null
  /** Groups of windows that are open. */
  readonly groups: number
}

/** @param onError told what the first of them fails of; they end by `signal` */
export function startQueries(
  engine: Engine,
  signal: AbortSignal,
  answers: Answers,
  onError: (error: unknown) => void,
): LiveQueries {
  const channels = Array.from({ length: 3 }, () => channel(report, { capacity: CAPACITY }))
  const [forHours, forMeans, forLate] = channels as [Reports, Reports, Reports]
  const hours = hoursOf(forHours).run({ engine, signal })
  const means = meansOf(forMeans).run({ engine, signal })
  const late = hoursOf(forLate).late().run({ engine, signal })
  const ended = Promise.all([
    each(hours, batch => readHours(batch, answers)),
    each(means, batch => readMeans(batch, answers)),
    each(late, batch => readLate(batch, answers)),
  ])
  ended.catch(error => {
    if (!signal.aborted) onError(error)
  })
  return {
    async push(batch) {
      await Promise.all(channels.map(each => each.push(batch)))
    },
    async end() {
      for (const each of channels) each.close()
      await ended
    },
    get lateRows() {
      return hours.metrics().lateRows ?? 0
    },
    get watermarkMs() {
      const ticks = hours.metrics().watermark ?? null
      return ticks === null ? null : Number(ticks / 1000n)
    },
    get groups() {
      return (hours.metrics().groups ?? 0) + (means.metrics().groups ?? 0)
    },
  }
}

type Reports = Channel<typeof report>

const marked = (reports: Reports) => reports.flow.watermark('date', { delay: '2h', maxAdvance: '6h' })

const hoursOf = (reports: Reports) =>
  marked(reports)
    .window(tumbling('1h'))
    .groupBy('origin')
    .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))

const meansOf = (reports: Reports) =>
  marked(reports)
    .window(sliding('6h', '1h'))
    .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay) }))

async function each(job: Job<any>, read: (batch: RecordBatch) => void): Promise<void> {
  for await (const batch of job) read(batch)
}

/** Windows come one after another, each as one run of rows; only those of the last are made objects. */
function readHours(batch: RecordBatch<any>, answers: Answers): void {
  const ends = batch.column('windowEnd').toBigInt64Array()
  const flights = batch.column('flights').toArray() as ArrayLike<number | bigint>
  let from = 0
  for (let row = 1; row <= ends.length; row++) {
    if (row < ends.length && ends[row] === ends[from]) continue
    let sum = 0
    for (let i = from; i < row; i++) sum += Number(flights[i])
    answers.onHour(millisecondsOf(ends[from]), sum)
    if (row < ends.length) from = row
  }
  answers.onOrigins(millisecondsOf(ends[from]), batch.slice(from, batch.rowCount).toRows() as unknown as OriginHour[])
}

function readMeans(batch: RecordBatch<any>, answers: Answers): void {
  for (const { windowEnd, flights, meanDelay } of batch.toRows())
    answers.onMean({ endMs: Number(windowEnd), flights, meanDelay })
}

function readLate(batch: RecordBatch<any>, answers: Answers): void {
  for (const { date, reported, origin } of batch.toRows())
    answers.onLate({ dateMs: Number(date), reportedMs: Number(reported), origin })
}

const millisecondsOf = (ticks: bigint): number => Number(ticks) / 1000
