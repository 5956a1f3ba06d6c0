/** A job of a plan whose rows are taken as they come: step by step where windows close or groups change while it runs (live.ts), else as they are read (run-job.ts). */
import type { RecordBatch } from '../../columnar/record-batch.js'
import type { SchemaShape } from '../../columnar/type.js'
import { liveCut } from '../../plan/live.js'
import { sourcesOf } from '../../plan/sources-of.js'
import { stepsBefore } from '../../plan/steps-before.js'
import { lateJob } from './late-job.js'
import { limitOnTop, startLimited } from './limited-job.js'
import { startBare, startLive } from './live.js'
import { ENDED, type RunOptions } from './options.js'
import { bareSource } from './rows-job.js'
import type { BoundPlan } from './run.js'
import { type Job, startRun } from './run-job.js'
import { unreadAfter } from './unread.js'
import { startWatched } from './watch.js'

/** `run()` of a flow. */
export function startFlow<S extends SchemaShape>(
  flow: BoundPlan,
  options?: RunOptions,
  what?: string,
  onSchema?: (schema: SchemaShape) => void,
): Job<S> {
  const job = startAny<S>(flow, options, what, onSchema)
  unreadAfter(job.finished, flow)
  return { ...job, [Symbol.asyncIterator]: () => leavable(job) }
}

/** A generator that has not begun leaves nothing, and one that waits for rows of a feed would wait on. */
function leavable<S extends SchemaShape>(job: Job<S>): AsyncIterator<RecordBatch<S>> {
  const batches = job[Symbol.asyncIterator]() as AsyncGenerator<RecordBatch<S>>
  return {
    next: () => batches.next(),
    return() {
      void job[Symbol.asyncDispose]()
      return batches.return(undefined)
    },
  }
}

export function startAny<S extends SchemaShape>(
  bound: BoundPlan,
  options: RunOptions = {},
  what = 'run',
  onSchema?: (schema: SchemaShape) => void,
): Job<S> {
  const limited = limitOnTop(bound)
  if (limited !== null)
    return startWatched(what, options, own =>
      startLimited(tell => startAny<S>({ ...bound, plan: limited.all }, own, what, tell), limited.limit, onSchema),
    )
  if (sourcesOf(bound.plan).length > 1)
    return startWatched(what, options, own => {
      const stopping = new AbortController()
      const start = async () =>
        (await import('./several.js')).startSeveral<S>(bound, { ...own, [ENDED]: stopping.signal }, what, onSchema)
      return lateJob(start, true, () => stopping.abort())
    })
  const isEndless = sourcesOf(bound.plan).some(({ id }) => bound.sources.get(id)?.isEndless === true)
  const cut = liveCut(bound.plan, isEndless)
  return startWatched(what, options, own =>
    cut === null ? startPlain(bound, own, what, onSchema) : startLive(bound, cut, own, what, onSchema),
  )
}

function startPlain<S extends SchemaShape>(
  bound: BoundPlan,
  options: RunOptions,
  what: string,
  onSchema?: (schema: SchemaShape) => void,
): Job<S> {
  const { plan, sources } = bound
  const bare = bareSource(plan, sources, stepsBefore(plan, options.memory !== undefined))
  if (bare === null) return startRun(bound, options, what, onSchema)
  return plan.kind === 'source'
    ? startBare(bare, options, what, onSchema)
    : startLive(bound, { before: plan, nodes: [] }, options, what, onSchema)
}
