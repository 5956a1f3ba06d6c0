/**
 * The rows of a source that gives them as they come, as they are: where no lane has anything to do with them before they go through windows, none sees them, and they are not copied. A
 * job as run-job.ts's, for live.ts.
 */
import type { RecordBatch } from '../../columnar/record-batch.js'
import type { SchemaShape } from '../../columnar/type.js'
import type { VectorBatch } from '../../columnar/vector.js'
import { setArrival } from '../../metrics/arrivals.js'
import type { NodeMetrics } from '../../metrics/node-metrics.js'
import type { WindowPart } from '../../operators/window-parts.js'
import type { PlanNode } from '../../plan/logical.js'
import type { PhysicalPlan } from '../../plan/physical.js'
import { sourcesOf } from '../../plan/sources-of.js'
import { heardAfter } from '../../sources/heard.js'
import type { Source, SplitSupply } from '../../sources/source.js'
import type { Progress } from './job-request.js'
import { leftOut, nodesOfSupply } from './measures.js'
import { checkOptions, type RunOptions } from './options.js'
import { type BoundPlan, onlySource, ownEngine, services } from './run.js'
import type { Job } from './run-job.js'

/** Between two calls of `onProgress`. */
const PROGRESS_MS = 33

/** The source of a plan that is nothing else, or but these steps, where it gives batches as they come; null: the plan is to be run. */
export function bareSource(
  plan: PlanNode,
  sources: BoundPlan['sources'],
  steps: PhysicalPlan | null = null,
): Source | null {
  if (plan.kind !== 'source' && steps === null) return null
  // Partners of rows that lanes hold stay there, and what can be read once only may be what is read here.
  const others = (steps?.sides ?? []).flatMap(sourcesOf).map(({ id }) => sources.get(id))
  if (others.some(other => other?.once === true || other?.held !== undefined)) return null
  const source = onlySource({ plan, sources })
  return source.once === true && source.settle === undefined && source.held === undefined ? source : null
}

/** Rows of batches that are worth a way of their own. */
const LEAST_ROWS = 1024

/** Batches that came together. */
export interface BatchGroup {
  readonly rowCount: number
  readonly batches: readonly RecordBatch[]
  /** What lanes have made of them, in their place. */
  readonly part?: WindowPart<VectorBatch>
}

/** As a job, but that batches which came together are given together. */
export type RowsJob = Omit<Job, typeof Symbol.asyncIterator> & AsyncIterable<BatchGroup>

/** @param onSchema told the columns before the first batch. @param columns those that are wanted, in their order; undefined: all */
export function startRows(
  source: Source,
  options: RunOptions,
  what: string,
  onSchema: (schema: SchemaShape) => void,
  columns?: readonly string[],
): RowsJob {
  let progress: Progress = { rows: 0, totalRows: 0, bytes: 0, totalBytes: 0 }
  let rest: SplitSupply | null = null
  let nodes: readonly NodeMetrics[] = []
  const began = performance.now()
  let endedAt: number | null = null
  let isStopped = false
  let failure: { readonly error: unknown } | null = null
  /** Ends what waits for the next rows. */
  let wake: () => void = () => {}
  let resolve: () => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const finished = new Promise<void>((...both) => {
    ;[resolve, reject] = both
  })
  finished.catch(() => {})
  const end = (error?: { readonly error: unknown }) => {
    if (error !== undefined) failure ??= error
    const open = rest
    if (rest !== null) nodes = nodesOfSupply(rest)
    endedAt ??= performance.now()
    rest = null
    open?.close().catch(() => {})
    wake()
  }
  let told = 0
  let heard = Promise.resolve()
  const note = (rows: number, isLast = false) => {
    progress = { ...progress, rows: progress.rows + rows, totalRows: progress.rows + rows }
    const { onProgress } = options
    if (onProgress === undefined) return
    const now = performance.now()
    if (!isLast && now - told < PROGRESS_MS) return
    told = now
    heard = heardAfter(
      heard,
      () => onProgress(progress),
      error => end({ error }),
    )
  }

  /** What its source has taken is still given. */
  const stop = () => {
    isStopped = true
    if (rest?.finish) rest.finish()
    // What is opened yet is told then.
    else if (rest !== null) end()
  }

  const abort = () => end({ error: options.signal?.reason })
  let letGo: () => void = () => {}
  const leave = () => {
    options.signal?.removeEventListener?.('abort', abort)
    letGo()
    end()
  }

  async function open(): Promise<void> {
    checkOptions(what, options)
    const { signal, engine, clock } = options
    signal?.throwIfAborted()
    signal?.addEventListener('abort', abort)
    // Its lanes have nothing to do, but whoever closes it ends the job.
    if (engine !== undefined) letGo = (await ownEngine(what, engine).open()).onEnd(error => end({ error }))
    const schema = await source.describe({ ...services, signal })
    onSchema(schema)
    const opened = await source.open({ columns: columns ?? Object.keys(schema), prune: null, signal, clock }, services)
    rest = opened.rest ?? null
    if (endedAt !== null) end()
    else if (isStopped) stop()
  }

  const opening = open()
  opening.catch(error => {
    reject(error)
    leave()
  })

  async function* groups(): AsyncGenerator<BatchGroup, void, void> {
    try {
      await opening
      while (rest !== null) {
        const waiting = rest.next()
        waiting.catch(() => {})
        const stopped = new Promise<null>(done => {
          wake = () => done(null)
        })
        const split = await Promise.race([waiting, stopped])
        if (split === null || split.work.kind !== 'batches') break
        const { parts = split.work.batches() } = split.work
        const rowCount = parts.reduce((sum, part) => sum + part.rowCount, 0)
        // Very small ones cost less as one.
        const batches = rowCount < LEAST_ROWS * parts.length ? split.work.batches() : parts
        const group = { rowCount, batches }
        setArrival(group, split.arrivedAt)
        yield group
        note(group.rowCount)
      }
      if (failure === null) {
        note(0, true)
        const ended = new Promise<void>(done => {
          wake = done
        })
        await Promise.race([heard, ended])
      }
      if (failure !== null) throw (failure as { readonly error: unknown }).error
    } catch (error) {
      reject(error)
      throw error
    } finally {
      leave()
      resolve()
    }
  }

  return {
    finished,
    stop,
    metrics() {
      if (rest !== null) nodes = nodesOfSupply(rest)
      return {
        ...progress,
        rowsWritten: progress.rows,
        bytesWritten: 0,
        elapsedMs: (endedAt ?? performance.now()) - began,
        ...leftOut(nodes),
        nodes,
        lanes: [],
      }
    },
    [Symbol.asyncIterator]: groups,
    async [Symbol.asyncDispose]() {
      end()
      await finished.catch(() => {})
    },
  }
}
