/** `run()`: a job whose batches are taken one by one while it runs; deliver.ts takes them to sinks. `collect` of run.ts waits for all of them. A chunk of its own. */
import { checkAppended } from '../../columnar/appended.js'
import type { RecordBatch } from '../../columnar/record-batch.js'
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import { arrivalOf, setArrival } from '../../metrics/arrivals.js'
import { stopwatch } from '../../metrics/clock.js'
import type { LaneUse, LatencyMetrics, NodeMetrics } from '../../metrics/node-metrics.js'
import { columnsCarried } from '../../plan/carried.js'
import { RULE_SEPARATOR } from '../../plan/cleaning.js'
import type { OpenSource, RowsUnderWay, SplitSupply } from '../../sources/source.js'
import { followSignal } from './follow-signal.js'
import type { Progress, RunningJob } from './job-request.js'
import { createLatencyMeter, leftOut, nodeOfOutput, nodesOfLanes, nodesOfSupply, usesOf } from './measures.js'
import { ENDED, type OwnOptions, type RunOptions } from './options.js'
import { type BoundPlan, type RejectedBy, run } from './run.js'

/** How far a job has come, and what it has given to its reader or its sinks. */
export interface JobMetrics extends Progress {
  readonly rowsWritten: number
  /** Of sinks that make bytes: those of files, ports and channels. */
  readonly bytesWritten: number
  /** Of rows that `validate` has rejected: how many of those written break each rule. Left out where no flow is of such rows. */
  readonly rules?: Readonly<Record<string, number>>
  /** Of windows while a flow runs on: rows that came too late, or had no time. */
  readonly lateRows?: number
  /** Of event time, in ticks of its column; null before the first row. */
  readonly watermark?: bigint | null
  /** Groups that are kept, of windows that are open and of those that change. */
  readonly groups?: number
  /** How far the watermark is behind the job's clock, in milliseconds; negative where rows are of the future, null before the first. */
  readonly watermarkLagMs?: number | null
  /** Of channels and feeds: rows that were left out since there was no room. */
  readonly droppedRows?: number
  /** Milliseconds since it began, until it ended, by the computer's clock. */
  readonly elapsedMs?: number
  /** How long it took from push to hand-over; left out as long as nothing has come out of rows that came while it ran. */
  readonly latency?: LatencyMetrics
  /** What each part of it has done, in the order in which rows go through: sources, stages in lanes, stages of a flow that runs on, output. Lanes tell some four times a second. */
  readonly nodes?: readonly NodeMetrics[]
  /** What each lane has done; inline there is one, the calling thread. */
  readonly lanes?: readonly LaneUse[]
  /** Of `runAll`: what each flow has done, in their order; nodes, lanes and latency are told there. */
  readonly flows?: readonly JobMetrics[]
}

/**
 * A running flow: iterate it for its batches, in row order, where they do not go to a sink. Leaving the loop early, `[Symbol.asyncDispose]` and an aborted signal cancel it.
 * It reads ahead of its reader by a bounded number of splits; what comes out of a sort or a group, and rows that lanes hold, may wait whole.
 */
export interface Job<S extends SchemaShape = SchemaShape> extends AsyncIterable<RecordBatch<S>>, AsyncDisposable {
  /**
   * Resolves when the job has ended, also early by `stop` or by leaving the loop; rejects with what it failed of. Where batches go to sinks it resolves once all of them
   * have all rows, made visible; a failure that nobody asks for here within a second is an unhandled rejection, since nothing else tells of it.
   */
  readonly finished: Promise<void>
  /** Ends the input: what has been read, or taken by a channel or a feed, is finished and comes out, and windows close. */
  stop(): void
  metrics(): JobMetrics
}

/** Of options: aborted once several jobs are, which may share what is run before them. One that has all that it wants leaves that to the others. */
export const ALL = Symbol('all')

/** Batches that may wait for their reader before no more splits are handed out. */
const MOST_WAITING = 16

/** @param options checked. @param onSchema told the columns that batches will have, before the first comes */
export function startRun<S extends SchemaShape>(
  bound: BoundPlan,
  options: RunOptions = {},
  what = 'run',
  onSchema?: (schema: SchemaShape) => void,
): Job<S> {
  const waiting: RecordBatch<S>[] = []
  const cancel = new AbortController()
  let progress: Progress = { rows: 0, totalRows: 0, bytes: 0, totalBytes: 0 }
  let running: RunningJob | null = null
  const stopping = new AbortController()
  let ended: { readonly error: unknown } | null = null
  let wake: () => void = () => {}
  let isIterated = false
  let rowsWritten = 0
  let rowsOut = 0
  let rest: SplitSupply | undefined
  const began = performance.now()
  let endedAt: number | null = null
  const { clock } = options
  const latency = createLatencyMeter(stopwatch(clock))
  const broken = bound.rejectedBy ? countRules(bound.rejectedBy) : null
  const { signal, onProgress } = options
  const output = {
    // Where they are collected, or go through windows, they had better be coded, in the lanes.
    carriedOf: what !== 'collect' && bound.windowsOf === undefined ? columnsCarried : undefined,
    onBatch(batch: RecordBatch, arrivedAt?: number) {
      setArrival(batch, arrivedAt)
      rowsOut += batch.rowCount
      waiting.push(batch as RecordBatch<S>)
      wake()
    },
    // What is left of an input that has been stopped is in memory already.
    wantsMore: () => waiting.length < MOST_WAITING || stopping.signal.aborted,
    onStart(job: RunningJob) {
      running = job
    },
    onOpen(opened: OpenSource) {
      rest = opened.rest
    },
    onSchema,
  }
  const merged: OwnOptions = {
    ...options,
    signal: cancel.signal,
    [ENDED]: stopping.signal,
    onProgress(told) {
      progress = told
      return onProgress?.(told)
    },
  }
  const unfollow = followSignal(signal, cancel)
  const end = (error: unknown) => {
    unfollow()
    ended = { error }
    endedAt = performance.now()
    if (cancel.signal.aborted) waiting.length = 0
    wake()
  }
  const finished = run(what, bound, merged, false, output).then(
    () => end(undefined),
    error => {
      const left = cancel.signal.aborted && error === cancel.signal.reason && signal?.aborted !== true
      end(left ? undefined : error)
      if (!left) throw error
    },
  )
  // Whoever iterates is told there; a job that nobody looks at must not end the process.
  finished.catch(() => {})

  async function* batches(): AsyncGenerator<RecordBatch<S>, void, void> {
    if (isIterated)
      throw new MillraceError(
        'MR_SOURCE_CONSUMED',
        'run: the batches of a job can be iterated once; run the flow again',
      )
    isIterated = true
    try {
      while (true) {
        const batch = waiting.shift()
        if (batch !== undefined) {
          running?.feedAll()
          rowsWritten += batch.rowCount
          broken?.count(batch)
          latency.note(arrivalOf(batch), batch.rowCount)
          yield batch
        } else if (ended !== null) {
          if (ended.error !== undefined) throw ended.error
          return
        } else {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
      }
    } finally {
      cancel.abort()
    }
  }

  const measured = (): Partial<JobMetrics> => {
    const elapsedMs = (endedAt ?? performance.now()) - began
    const lanes = running?.metrics ?? []
    const before = nodesOfSupply(rest)
    const told = latency.read()
    const output = nodeOfOutput(rowsOut, rowsWritten, rowsOut - rowsWritten)
    return {
      elapsedMs,
      ...leftOut(before),
      ...(told !== null && { latency: told }),
      nodes: [...before, ...nodesOfLanes(lanes, elapsedMs), output],
      lanes: usesOf(lanes, elapsedMs),
    }
  }

  return {
    finished,
    stop() {
      stopping.abort()
    },
    metrics: () => ({
      ...progress,
      rowsWritten,
      bytesWritten: 0,
      ...(broken && { rules: broken.counts() }),
      ...measured(),
    }),
    [Symbol.asyncIterator]: batches,
    async [Symbol.asyncDispose]() {
      cancel.abort()
      await finished.catch(() => {})
    },
  }
}

/** What the parts of a job have done that another goes on from. */
export const nodesWithin = (job: Job): NodeMetrics[] =>
  job.metrics().nodes?.filter(({ place }) => place !== 'output') ?? []

/** How often each rule is named by rejected rows. */
function countRules({ column, names }: RejectedBy) {
  // Of the same rules, mostly: taken apart once.
  const times = new Map<string, number>()
  return {
    count(batch: RecordBatch) {
      for (const text of batch.column(column) as Iterable<string>) times.set(text, (times.get(text) ?? 0) + 1)
    },
    counts(): Record<string, number> {
      const counts = new Map(names.map(name => [name, 0]))
      for (const [text, rows] of times)
        for (const name of text.split(RULE_SEPARATOR)) counts.set(name, (counts.get(name) as number) + rows)
      return Object.fromEntries(counts)
    },
  }
}

/** A plan whose rows another one's source is made of (`Source.before`), for a terminal of this name: what it is made of in turn is read as that one reads. */
export function startBefore(before: BoundPlan, options: OwnOptions, what: string, start = startRun): RowsUnderWay {
  let tell: (schema: SchemaShape) => void = () => {}
  const told = new Promise<SchemaShape>(resolve => {
    tell = resolve
  })
  const job = start(before, { ...options, signal: options[ALL] ?? options.signal }, what, tell)
  // It ends with its columns told, or failed.
  const schema = Promise.race([told, job.finished.then(() => told)])
  schema.catch(() => {})
  async function* appended() {
    for await (const batch of job) yield checkAppended(batch, 'a function of rows')
  }
  return {
    schema,
    batches: appended(),
    nodes: () => nodesWithin(job),
    stop: () => job.stop(),
    close: async () => job[Symbol.asyncDispose](),
  }
}
