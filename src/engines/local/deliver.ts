/**
 * Jobs whose batches go to sinks: `to`, `subscribe` and `runAll`. Each flow is a job of run-job.ts, read as fast as its sink takes. All sinks have all rows before any
 * shows them, and a failure of one ends all. A chunk of its own.
 */
import { createFile } from '#write-file'
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import type { SinkWriter } from '../../sinks/sink.js'
import { sinkOf, writerOf } from '../../sinks/sink-of.js'
import { followSignal } from './follow-signal.js'
import type { Progress } from './job-request.js'
import type { RunOptions } from './options.js'
import type { BoundPlan } from './run.js'
import { ALL, type Job, type JobMetrics } from './run-job.js'
import { sharingSources } from './shared-source.js'
import { startAny } from './start-any.js'
import { totalOf } from './total-progress.js'
import { unlessAborted } from './unless-aborted.js'
import { unreadAfter } from './unread.js'
import { startWatched } from './watch.js'

/** A flow and where its batches go. */
export interface Delivery {
  readonly flow: BoundPlan
  /** As the user gave it. */
  readonly sink: unknown
}

/** A sink that has not let go by then is left to itself. */
const LET_GO_MS = 2_000

/** @param what the terminal, for messages */
export function startDelivery(what: string, deliveries: readonly Delivery[], options: RunOptions = {}): Job<any> {
  return startWatched(what, options, own => deliver(what, deliveries, own))
}

function deliver(what: string, deliveries: readonly Delivery[], options: RunOptions): Job<any> {
  const { signal } = options
  const cancel = new AbortController()
  const own = deliveries.map(() => new AbortController())
  followSignal(cancel.signal, ...own)
  const unfollow = followSignal(signal, cancel)
  const each = optionsOfEach(what, deliveries.length, options)
  const flows = sharingSources(deliveries.map(({ flow }) => flow))
  const parts = deliveries.map(({ sink }, i) => startPart(what, { flow: flows[i], sink }, each(own[i].signal)))
  const finished = run(parts, cancel).finally(unfollow)
  for (const { flow } of deliveries) unreadAfter(finished, flow)

  return {
    finished,
    stop() {
      for (const { job } of parts) job.stop()
    },
    metrics: () => sumOf(parts.map(part => part.metrics())),
    [Symbol.asyncIterator]() {
      throw new MillraceError(
        'MR_SOURCE_CONSUMED',
        `${what}: the batches of this job go to its sink; use run() to iterate over a flow's`,
      )
    },
    async [Symbol.asyncDispose]() {
      cancel.abort(new DOMException(`${what}: the job was disposed of before its end`, 'AbortError'))
      await finished.catch(() => {})
    },
  }
}

async function run(parts: readonly Part[], cancel: AbortController): Promise<void> {
  const failed = (error: unknown): never => {
    cancel.abort(error)
    throw error
  }
  for (const { opened } of parts) opened.then(({ gone }) => gone?.catch(error => cancel.abort(error))).catch(() => {})
  try {
    // The first that fails ends the others.
    await Promise.all(parts.flatMap(({ opened, written }) => [opened.catch(failed), written.catch(failed)]))
    cancel.signal.throwIfAborted()
    await unlessStuck(closeAll(parts), cancel.signal)
  } catch (error) {
    cancel.abort(error)
    await Promise.all(parts.map(part => part.drop(error)))
    throw error
  }
}

/** Streams and ports may fail to the last, and so may what has not been asked to finish; files have all that they need: these are shown when nothing else can end the job. */
async function closeAll(parts: readonly Part[]): Promise<void> {
  const writers = await Promise.all(parts.map(({ opened }) => opened))
  const mayFail = writers.map(({ gone, finish }) => gone !== undefined || finish === undefined)
  const [others, files] = [parts.filter((_, i) => mayFail[i]), parts.filter((_, i) => !mayFail[i])]
  for (const part of [...others, ...files]) await part.close()
}

interface Part {
  readonly job: Job
  /** Resolves when there is somewhere to write to. */
  readonly opened: Promise<SinkWriter>
  /** Resolves when the sink has all rows, and shows none yet. */
  readonly written: Promise<void>
  close(): Promise<void>
  /** Leaves nothing in the sink, be it that it is still being opened. Never rejects. */
  drop(reason: unknown): Promise<void>
  metrics(): JobMetrics
}

/** One flow into one sink. `options.signal` ends it. */
function startPart(what: string, { flow, sink }: Delivery, options: RunOptions): Part {
  const signal = options.signal as AbortSignal
  let isOpening = false
  let open: (schema: SchemaShape) => void = () => {}
  const opened = new Promise<SchemaShape>(resolve => {
    open = schema => {
      // Dropped already, for what another flow failed of: nobody would let go of it.
      if (signal.aborted) return
      isOpening = true
      resolve(schema)
    }
  }).then(async schema => writerOf(await (await sinkOf(sink, what)).open(schema, { createFile }), what))
  const fail = async (reason: unknown) => (await sinkOf(sink, what)).fail?.(reason)
  let writer: SinkWriter | null = null
  let rowsWritten = 0
  const job = startAny(flow, options, what, open)
  // Flows that share a source with it go on without it.
  unreadAfter(job.finished, flow)
  const write = async () => {
    for await (const batch of job) {
      writer ??= await unlessAborted(opened, signal)
      signal.throwIfAborted()
      await unlessAborted(Promise.resolve(writer.write(batch)), signal)
      rowsWritten += batch.rowCount
    }
    await job.finished
    writer ??= await unlessAborted(opened, signal)
    signal.throwIfAborted()
    await unlessAborted(Promise.resolve(writer.finish?.()), signal)
  }
  return {
    job,
    opened,
    written: write(),
    async close() {
      await writer?.close()
    },
    async drop(reason) {
      const letGo = isOpening
        ? opened.then(
            late => late.abort(reason),
            () => fail(reason),
          )
        : fail(reason)
      await unlessStuck(letGo, AbortSignal.abort(reason)).catch(() => {})
    },
    metrics: () => ({ ...job.metrics(), rowsWritten, bytesWritten: writer?.bytesWritten ?? 0 }),
  }
}

/** Of several flows: progress is told as a sum, and memory shared. */
function optionsOfEach(what: string, count: number, options: RunOptions): (signal: AbortSignal) => RunOptions {
  const { onProgress, memory } = options
  const report = onProgress === undefined ? () => undefined : totalOf(onProgress)
  const share = memory === undefined ? undefined : memory / count
  if (count > 1 && share !== undefined && share < 2 ** 20) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `${what}: memory is shared by ${count} flows, each of which needs at least 1 MiB (${2 ** 20}), not ${memory}`,
    )
  }
  return signal => ({
    ...options,
    signal,
    [ALL]: signal,
    onProgress: report(),
    ...(share === undefined ? {} : { memory: share }),
  })
}

function sumOf(all: readonly JobMetrics[]): JobMetrics {
  if (all.length === 1) return all[0]
  type Sums = keyof Progress | 'rowsWritten' | 'bytesWritten' | 'lateRows' | 'groups' | 'droppedRows'
  const sum = (of: Sums) => all.reduce((total, each) => total + (each[of] ?? 0), 0)
  const illFormed = sum('illFormed')
  const rules = all.flatMap(each => Object.entries(each.rules ?? {}))
  return {
    rows: sum('rows'),
    totalRows: sum('totalRows'),
    bytes: sum('bytes'),
    totalBytes: sum('totalBytes'),
    rowsWritten: sum('rowsWritten'),
    bytesWritten: sum('bytesWritten'),
    ...(illFormed > 0 && { illFormed }),
    elapsedMs: Math.max(...all.map(({ elapsedMs = 0 }) => elapsedMs)),
    flows: all,
    ...(all.some(({ droppedRows }) => droppedRows) && { droppedRows: sum('droppedRows') }),
    ...(all.some(each => each.rules) && { rules: total(rules) }),
    ...(all.some(each => each.lateRows !== undefined) && {
      lateRows: sum('lateRows'),
      groups: sum('groups'),
      watermark: leastOf(all.flatMap(({ watermark }) => (watermark === undefined ? [] : [watermark]))),
    }),
  }
}

/** Of several flows the one that is furthest behind. */
const leastOf = (marks: readonly (bigint | null)[]): bigint | null =>
  marks.reduce((least, mark) => (least === null || mark === null ? null : mark < least ? mark : least))

function total(counts: readonly (readonly [string, number])[]): Record<string, number> {
  const totals = new Map<string, number>()
  for (const [name, rows] of counts) totals.set(name, (totals.get(name) ?? 0) + rows)
  return Object.fromEntries(totals)
}

/** What `action` comes to: aborted or not, for it has begun, but not where it takes too long then. */
async function unlessStuck(action: Promise<void>, signal: AbortSignal): Promise<void> {
  const stuck = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = () => {
    timer = setTimeout(() => stuck.abort(signal.reason), LET_GO_MS)
  }
  if (signal.aborted) wait()
  else signal.addEventListener('abort', wait)
  try {
    await unlessAborted(action, stuck.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', wait)
  }
}
