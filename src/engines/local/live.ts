/**
 * `run()` of a flow whose windows close while it runs, or whose groups change: what is below its watermark runs as any job, and its batches go through the operators above step by
 * step, in this thread (graph/live-graph.ts). A chunk of its own.
 */
import type { RecordBatch } from '../../columnar/record-batch.js'
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import { createLiveGraph, type LiveGraph, type SideRows } from '../../graph/live-graph.js'
import { arrivalOf, setArrival } from '../../metrics/arrivals.js'
import { steadyClock, stopwatch } from '../../metrics/clock.js'
import { every } from '../../metrics/every.js'
import type { OperatorContext } from '../../operators/build.js'
import { RowFailure } from '../../operators/operator.js'
import { selectNode } from '../../plan/build.js'
import { columnsRead, type LiveCut, type LivePlan, livePlan } from '../../plan/live.js'
import type { PlanNode } from '../../plan/logical.js'
import type { PhysicalPlan } from '../../plan/physical.js'
import { stepsBefore } from '../../plan/steps-before.js'
import { soon } from '../../sources/soon.js'
import type { Source } from '../../sources/source.js'
import { openContext } from '../../workers/open-context.js'
import { followSignal } from './follow-signal.js'
import { createLiveMeter, type LiveMeter } from './live-meter.js'
import { createLatencyMeter, leftOut, nodeOfOutput } from './measures.js'
import type { RunOptions } from './options.js'
import { spellOut } from './row-error.js'
import { type BatchGroup, bareSource, type RowsJob, startRows } from './rows-job.js'
import type { BoundPlan } from './run.js'
import { type Job, type JobMetrics, startRun } from './run-job.js'
import { partOf, windowsBefore } from './windows-before.js'

/** What comes to a graph, step by step. */
export interface Intake<A extends { readonly rowCount: number }> {
  /** Resolves once the columns of what is below are known. */
  open(): Promise<
    | {
        readonly plan: Pick<LivePlan, 'output' | 'parts' | 'everyMs'>
        create(context: OperatorContext): StepGraph<A>
      }
    | { readonly plan: Pick<LivePlan, 'output'>; readonly pass: (arrival: A) => readonly RecordBatch[] }
  >
  /** Leaving the loop ends what is below. `give` takes what comes out between two of them. */
  arrivals(give: (step: () => readonly RecordBatch[]) => void): AsyncIterable<A>
  /** When its rows came from their source, where that is known. */
  arrived(arrival: A): number | undefined
  readonly finished: Promise<void>
  stop(): void
  metrics(): JobMetrics
  /** A failure of a row of what came last, by its place in its source. */
  spell(failure: RowFailure, rowsBefore: number): unknown
}

/** A graph of one job, or of several. */
export type StepGraph<A> = Pick<LiveGraph, 'tick' | 'end' | 'lateRows' | 'watermark' | 'stateSize' | 'free'> &
  Partial<Pick<LiveGraph, 'left'>> & {
    push(arrival: A): RecordBatch[]
  }

/** Batches that may wait for their reader before no more are read. */
const MOST_WAITING = 16
/** Others have a turn after so long. */
const TURN_MS = 8

export function startLive<S extends SchemaShape>(
  bound: BoundPlan,
  cut: LiveCut,
  options: RunOptions,
  what: string,
  onSchema?: (schema: SchemaShape) => void,
  sidesOf: SidesOf = async () => new Map(),
  startJob = startRun,
): Job<S> {
  return startSteps(own => intakeOf(bound, cut, own, what, sidesOf, startJob), options, onSchema)
}

/** A source that gives batches as they come, and nothing that happens to them: they go on as they are, through no lane. */
export function startBare<S extends SchemaShape>(
  source: Source,
  options: RunOptions,
  what: string,
  onSchema?: (schema: SchemaShape) => void,
): Job<S> {
  return startSteps<S, BatchGroup>(
    own => {
      let tell: (schema: SchemaShape) => void = () => {}
      const columns = new Promise<SchemaShape>(resolve => {
        tell = resolve
      })
      const below = startRows(source, own, what, tell)
      below.finished.catch(() => {})
      return {
        open: async () => ({
          plan: { output: await Promise.race([columns, below.finished.then(() => columns)]) },
          pass: ({ batches }) => batches,
        }),
        arrivals: () => below,
        arrived: arrivalOf,
        finished: below.finished,
        stop: () => below.stop(),
        metrics: () => below.metrics(),
        spell: failure => failure,
      }
    },
    options,
    onSchema,
  )
}

/** The rows of the other sides of joins, which are read before the first row comes. */
export type SidesOf = (plans: readonly LivePlan[], options: RunOptions) => Promise<SideRows>

/** That of one job. */
function intakeOf(
  bound: BoundPlan,
  cut: LiveCut,
  options: RunOptions,
  what: string,
  sidesOf: SidesOf,
  startJob: typeof startRun,
): Intake<BatchGroup> {
  let tellColumns: (schema: SchemaShape) => void = () => {}
  const columns = new Promise<SchemaShape>(resolve => {
    tellColumns = resolve
  })
  const fed = fedBy(bound, cut, options)
  const { source: bare, before } = fed ?? { source: null }
  let made = fed?.plan ?? null
  /** Once, for lanes and for this thread. */
  const planOf = (schema: SchemaShape): LivePlan => {
    made ??= livePlan(cut, schema)
    return made
  }
  // What is below several inputs is not known to be one job.
  const windowsOf = startJob === startRun ? windowsBefore(planOf) : () => null
  const below =
    bare === null
      ? one(startJob({ plan: cut.before, sources: bound.sources, windowsOf }, options, what, tellColumns))
      : startRows(bare, options, what, tellColumns, before?.sourceColumns)
  below.finished.catch(() => {})
  const label = bare === null ? rowsAreOf(cut.before) : bare.label
  return {
    async open() {
      // What the job below fails of before its columns are known.
      const given = await Promise.race([columns, below.finished.then(() => columns)])
      const schema = before?.output ?? given
      const plan = planOf(schema)
      const sides = await sidesOf([plan], options)
      return {
        plan,
        create(context) {
          const graph = createLiveGraph(context, plan, schema, sides)
          const push = ({ batches, part }: BatchGroup) =>
            part === undefined ? graph.pushAll(batches) : graph.pushPart(part)
          return Object.create(graph, { push: { value: push } })
        },
      }
    },
    arrivals: () => below,
    arrived: arrivalOf,
    finished: below.finished,
    stop: () => below.stop(),
    metrics: () => below.metrics(),
    spell: ({ error, row }, rowsBefore) => spellOut(error, label === null ? null : { row: rowsBefore + row, label }),
  }
}

/** The source whose batches go to the graph as they come, and where something happens to them before, what, and the plan with that; null: a job is to give them. */
function fedBy(
  { sources }: BoundPlan,
  cut: LiveCut,
  { memory }: RunOptions,
): { readonly source: Source; readonly before?: PhysicalPlan; readonly plan?: LivePlan } | null {
  const { before: below } = cut
  if (below.kind === 'source') {
    const source = bareSource(below, sources)
    return source && { source }
  }
  const all = stepsBefore(below, memory !== undefined)
  const source = bareSource(below, sources, all)
  if (all === null || source === null) return null
  try {
    const read = columnsRead(livePlan(cut, all.output), all.output)
    const before = stepsBefore(selectNode(below, all.output, read)) ?? all
    return { source, before, plan: livePlan(cut, all.output, false, { before }) }
  } catch {
    // What is refused is told by whoever runs it.
    return null
  }
}

/** The source whose rows come out of a plan, each in its place; null: others do. */
export function rowsAreOf(plan: PlanNode): string | null {
  let node = plan
  while (node.kind === 'project' || (node.kind === 'pending' && !LEAVES_OUT.includes(node.verb))) node = node.input
  return node.kind === 'source' ? node.label : null
}

const LEAVES_OUT: readonly string[] = ['dropNulls', 'dedupe']

/** Each batch is a group. */
const one = (job: Job): RowsJob => ({
  ...job,
  async *[Symbol.asyncIterator]() {
    for await (const batch of job) {
      const part = partOf(batch)
      const group =
        part === null ? { rowCount: batch.rowCount, batches: [batch] } : { rowCount: part.rowCount, batches: [], part }
      setArrival(group, arrivalOf(batch))
      yield group
    }
  },
})

/** @param begin what feeds the steps, with these options */
export function startSteps<S extends SchemaShape, A extends { readonly rowCount: number }>(
  begin: (options: RunOptions) => Intake<A>,
  options: RunOptions,
  onSchema?: (schema: SchemaShape) => void,
): Job<S> {
  const { signal, clock = steadyClock } = options
  const cancel = new AbortController()
  const unfollow = followSignal(signal, cancel)
  const below = begin({ ...options, signal: cancel.signal })
  const waiting: RecordBatch<S>[] = []
  let graph: StepGraph<A> | null = null
  let told: Pick<JobMetrics, 'lateRows' | 'watermark' | 'groups'> = {}
  let meter: LiveMeter | null = null
  const latency = createLatencyMeter(stopwatch(options.clock))
  /** When the oldest of the rows came that are under way. */
  let arrived: number | undefined
  let rowsOut = 0
  let ended: { readonly error: unknown } | null = null
  /** Of a step that no arrival waits for. */
  let failure: { readonly error: unknown } | null = null
  let isIterated = false
  let isStopped = false
  let rowsWritten = 0
  let rowsBefore = 0
  let wake: () => void = () => {}
  let drained: () => void = () => {}
  cancel.signal.addEventListener('abort', () => drained())

  const give = (batches: readonly RecordBatch[]): void => {
    if (batches.length === 0) return
    for (const batch of batches) {
      setArrival(batch, arrived)
      rowsOut += batch.rowCount
    }
    waiting.push(...(batches as RecordBatch<S>[]))
    wake()
  }

  const note = (): void => {
    if (graph !== null) told = { lateRows: graph.lateRows, watermark: graph.watermark, groups: graph.stateSize }
  }

  async function steps(): Promise<void> {
    const opened = await below.open()
    onSchema?.(opened.plan.output)
    if ('pass' in opened) {
      await run(opened.pass)
      await below.finished
      return
    }
    const { plan, create } = opened
    const lent = await openContext(plan.parts, options.memory)
    const measures = createLiveMeter(lent.context.k.memory, options.spans === true)
    meter = measures
    const own = create(Object.create(lent.context, { meter: { value: measures } }))
    graph = own
    let isSound = false
    const between = (step: () => readonly RecordBatch[]) => {
      if (graph === null) return
      try {
        give(step())
        note()
      } catch (error) {
        // No more may come, which would tell of it.
        failure ??= { error }
        cancel.abort()
      }
    }
    const tick = () => between(() => own.tick())
    const stopTicking = plan.everyMs === null ? () => {} : every(clock, Math.max(1, Math.ceil(plan.everyMs)), tick)
    try {
      const push = (arrival: A) => {
        try {
          return own.push(arrival)
        } catch (error) {
          give(own.left?.() ?? [])
          throw error
        } finally {
          note()
        }
      }
      await run(push, between)
      await below.finished
      give(own.end())
      note()
      isSound = true
    } catch (error) {
      throw failure === null ? error : failure.error
    } finally {
      stopTicking()
      own.free()
      graph = null
      // What has failed may have left something behind.
      lent.giveBack(isSound)
    }
  }

  async function run(
    push: (arrival: A) => readonly RecordBatch[],
    between: (step: () => readonly RecordBatch[]) => void = () => {},
  ): Promise<void> {
    let turn = performance.now()
    for await (const arrival of below.arrivals(between)) {
      arrived = below.arrived(arrival)
      give(push(arrival))
      rowsBefore += arrival.rowCount
      // Once it is aborted nobody takes them.
      if (waiting.length >= MOST_WAITING && !cancel.signal.aborted && !isStopped) {
        await new Promise<void>(resolve => {
          drained = resolve
        })
      } else if (performance.now() - turn > TURN_MS) {
        await soon()
        turn = performance.now()
      }
      cancel.signal.throwIfAborted()
    }
  }

  const finished = steps().then(
    () => end(undefined),
    error => {
      const left = cancel.signal.aborted && error === cancel.signal.reason && signal?.aborted !== true
      const spelt = error instanceof RowFailure ? below.spell(error, rowsBefore) : spellOut(error, null)
      // First: what has come out before a failure is still handed on, unlike where the reader has left.
      end(left ? undefined : spelt)
      cancel.abort(spelt)
      if (!left) throw spelt
    },
  )
  finished.catch(() => {})

  function end(error: unknown): void {
    unfollow()
    ended = { error }
    if (cancel.signal.aborted && failure === null) waiting.length = 0
    wake()
  }

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
          if (waiting.length < MOST_WAITING) drained()
          rowsWritten += batch.rowCount
          latency.note(arrivalOf(batch), batch.rowCount)
          yield batch
        } else if (ended !== null) {
          if (ended.error !== undefined) throw ended.error
          return
        } else {
          drained()
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
      }
    } finally {
      cancel.abort()
    }
  }

  function measured({ latency: _, nodes = [], ...before }: JobMetrics): JobMetrics {
    const { elapsedMs = 0 } = before
    const own = latency.read()
    const [first, ...others] = meter?.nodes(elapsedMs) ?? []
    const queuedRows = nodes.find(({ place }) => place === 'output')?.queuedRows ?? 0
    return {
      ...before,
      rowsWritten,
      bytesWritten: 0,
      ...told,
      ...(told.lateRows !== undefined && { lateRows: told.lateRows + (leftOut(nodes).lateRows ?? 0) }),
      ...(meter !== null && { watermarkLagMs: meter.lagMs(clock.now()) }),
      ...(own !== null && { latency: own }),
      nodes: [
        ...nodes.filter(({ place }) => place !== 'output'),
        ...(first === undefined ? [] : [{ ...first, queuedRows }]),
        ...others,
        nodeOfOutput(rowsOut, rowsWritten, rowsOut - rowsWritten),
      ],
    }
  }

  return {
    finished,
    stop() {
      // What is left of an input that has been stopped is in memory already.
      isStopped = true
      drained()
      below.stop()
    },
    metrics: () => measured(below.metrics()),
    [Symbol.asyncIterator]: batches,
    async [Symbol.asyncDispose]() {
      cancel.abort()
      await finished.catch(() => {})
    },
  }
}
