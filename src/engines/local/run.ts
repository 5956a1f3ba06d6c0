/** The terminals over a plan and its sources: plan, open, choose an engine, run, and put the answer together. engine.ts owns the lanes. */
import { findFiles } from '#find-files'
import { platform } from '#platform'
import type { RecordBatch } from '../../columnar/record-batch.js'
import { Table } from '../../columnar/table.js'
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import type { SourceNode } from '../../plan/logical.js'
import type { PhysicalPlan } from '../../plan/physical.js'
import { physicalPlan } from '../../plan/planner.js'
import { loadRowRules } from '../../plan/row-rules.js'
import { sourcesOf } from '../../plan/sources-of.js'
import type { HeldRows, OpenSource, PlanBefore, Resume, Source, SourceServices } from '../../sources/source.js'
import type { Pool } from '../../workers/pool.js'
import type { HeldInput } from '../../workers/protocol.js'
import { defaultLanes, type Engine, hiddenEngine, LocalEngine } from './engine.js'
import { isGathered, resumeOf, START } from './job.js'
import type { JobRequest, JobResult, Mirrors, RunningJob, WindowsBefore } from './job-request.js'
import { checkOptions, ENDED, type OwnOptions, type RunOptions } from './options.js'
import { unlessAborted } from './unless-aborted.js'

/** A plan and what its source ids stand for. */
export interface BoundPlan extends PlanBefore {
  /** Of rows that rules have rejected. */
  readonly rejectedBy?: RejectedBy | null
  /** Of a flow that runs on, what lanes may do of what is above this plan, once that is known. */
  readonly windowsOf?: (plan: PhysicalPlan) => WindowsBefore | null
}

/** The rules by their names, and the column that has those that a row breaks. */
export interface RejectedBy {
  readonly column: string
  readonly names: readonly string[]
}

/** Rows that the lanes of one pool hold. */
export interface LoadedRows extends HeldRows {
  readonly schema: SchemaShape
  readonly rowCount: number
  readonly byteLength: number
  readonly lanes: number
  close(): Promise<void>
}

/** What `load` makes, as `run` needs it. */
export interface HeldByPool extends LoadedRows {
  readonly pool: Pool
  /** Of several tables, one after another, as of one: each of them. */
  readonly inputs: readonly HeldInput[]
  readonly mirrors: readonly Mirrors[]
  readonly firstRows: ReadonlyMap<number, number>
  /** @throws MillraceError where a terminal with these options cannot run over the rows: `MR_CLOSED`, `MR_LANE_FAILED`, `MR_INVALID_OPTION` */
  check(what: string, options: RunOptions): void
}

/** Rows that lanes hold as a source; `label` names it in errors. */
export const heldSource = (rows: LoadedRows, label = 'loaded rows'): Source => ({
  label,
  schema: rows.schema,
  rowCount: rows.rowCount,
  held: rows,
  describe: async () => rows.schema,
  open: async () => ({ splits: [] }),
})

/** Text has more bytes to a row, as a rule. */
const LEAST_ROW_BYTES = 32

/** Inputs under so many rows run inline where nothing else is asked for: starting and feeding lanes would cost more. */
const INLINE_ROWS = 100_000

/** All rows, in this thread. @throws whatever the plan, its source, its rows or its lanes call for; `signal.reason`. */
export async function collect<S extends SchemaShape>(
  bound: BoundPlan,
  options: RunOptions = {},
  what = 'collect',
): Promise<Table<S>> {
  const { result, plan } = await run(what, bound, options, false)
  return new Table(plan.output as S, result.batches as RecordBatch<S>[])
}

export const services: SourceServices = {
  openFile: platform.openFile,
  baseUrl: platform.baseUrl,
  findFiles,
}

/** Where a job's batches go, and how fast it may read. */
export interface Output {
  readonly onBatch: JobRequest['onBatch']
  readonly wantsMore: () => boolean
  /** Of the columns that are read, those of strings that may go out as they came, by their places. */
  readonly carriedOf?: ((plan: PhysicalPlan) => readonly number[]) | undefined
  readonly onStart?: (job: RunningJob) => void
  readonly onOpen?: (opened: OpenSource) => void
  /** Told the columns of the output once they are known, before anything is read. */
  readonly onSchema?: ((schema: SchemaShape) => void) | undefined
}

const TOGETHER: Output = { onBatch: null, wantsMore: () => true }

export interface Execution {
  readonly plan: PhysicalPlan
  readonly result: JobResult
  readonly engine: LocalEngine
  readonly pool: Pool
  readonly table: number
}

/** Over the source's schema. What the source has begun to read it lets go of where the plan is refused, or the job aborted meanwhile. */
async function planned(bound: BoundPlan, source: Source, signal: AbortSignal | undefined): Promise<PhysicalPlan> {
  const describing = source.describe({ ...services, signal })
  try {
    const schema = await unlessAborted(describing, signal)
    await loadRowRules(bound.plan)
    return physicalPlan(bound.plan, schema)
  } catch (error) {
    void describing.then(() => source.leave?.()).catch(() => {})
    throw error
  }
}

export async function run(
  what: string,
  bound: BoundPlan,
  options: OwnOptions,
  hold: boolean,
  output: Output = TOGETHER,
): Promise<Execution> {
  checkOptions(what, options)
  const { signal } = options
  signal?.throwIfAborted()
  const { source, plan, sides, heldSides, onProgress } = await prepare(what, bound, options)
  const held = source.held as HeldByPool | undefined
  output.onSchema?.(plan.output)
  const open = () =>
    source.open({ columns: plan.sourceColumns, prune: plan.prune, signal, clock: options.clock }, services)
  const opening = held === undefined ? open() : null
  const opened = await unlessAborted(Promise.resolve(opening), signal).catch(error => {
    opening?.then(({ rest }) => rest?.close()).catch(() => {})
    throw error
  })
  if (opened !== null) output.onOpen?.(opened)
  const splits = opened?.splits ?? null
  const totalRows = held?.rowCount ?? rowsOf(opened as OpenSource)
  const totalBytes = held?.byteLength ?? sum(splits ?? [], split => split.byteLength)
  const own = held ?? heldSides.find(side => side !== null)?.rows
  const engine =
    (own?.owner as LocalEngine | undefined) ??
    chooseEngine(
      what,
      options,
      Math.max(rowsOfSides(sides), totalRows ?? (opened?.rest === undefined ? totalBytes / LEAST_ROW_BYTES : Infinity)),
    )
  let table = engine.newTable()
  const request: JobRequest = {
    plan,
    carried: output.carriedOf?.(plan),
    splits,
    sides,
    rest: opened?.rest ?? null,
    heldInputs: held?.inputs ?? null,
    heldSides: heldSides.map(side => side && { table: side.rows.tableId, columns: side.columns }),
    mirrors: [held, ...heldSides.map(side => side?.rows)].flatMap(rows => rows?.mirrors ?? []),
    firstRowOf: split => held?.firstRows.get(split) ?? 0,
    totalRows,
    totalBytes,
    chained: null,
    createOrder: opened?.createOrder,
    told: 0,
    holdAs: hold ? table : null,
    memoryBytes: options.memory,
    spill: engine.spill,
    sourceLabel: source.label,
    spans: options.spans === true,
    listenerOf: id => bound.sources.get(id)?.hear ?? (() => {}),
    signal,
    onProgress,
    onBatch: output.onBatch,
    windows: splits === null ? null : bound.windowsOf?.(plan),
    wantsMore: output.wantsMore,
  }
  const ended = options[ENDED]
  const onStart = (job: RunningJob) => {
    output.onStart?.(job)
    if (source.isEnded) return
    if (ended?.aborted) job.endInput()
    else ended?.addEventListener('abort', () => job.endInput())
  }
  const start = (asked: JobRequest) => engine.run(asked, opened?.readers ?? [], own?.pool, onStart)
  const { result, pool } = await start(request).catch(error => {
    const resume = resumeOf(error)
    if (resume === undefined) throw error
    // Lanes that still clean up after the first attempt let go of its table.
    table = engine.newTable()
    return start({ ...againFrom(resume, request), holdAs: hold ? table : null })
  })
  return { plan, result, engine, pool, table }
}

/** Columns of rows that lanes hold, which are a side as they are. */
export interface SideHeld {
  readonly rows: HeldByPool
  readonly columns: readonly string[]
}

interface Prepared {
  /** Whose rows are run through the plan. */
  readonly source: Source
  readonly plan: PhysicalPlan
  readonly sides: JobRequest['sides']
  /** Of the sides those that the lanes of the job hold. */
  readonly heldSides: readonly (SideHeld | null)[]
  readonly onProgress: RunOptions['onProgress']
}

/** Terminals whose rows are taken as they come. */
const RUNNING_ON: readonly string[] = ['run', 'to', 'subscribe', 'runAll', 'live', 'flowHandler']

/** What is to be run before has been. */
async function prepare(what: string, bound: BoundPlan, options: RunOptions): Promise<Prepared> {
  if (sourcesOf(bound.plan).length > 1) return (await import('./sides.js')).prepareSides(what, bound, options)
  const given = onlySource(bound)
  const source = await settled(given, options, RUNNING_ON.includes(what))
  checkHeld(what, source, options)
  const plan = await planned(bound, source, options.signal)
  // What came before has told how far it is.
  return { source, plan, sides: [], heldSides: [], onProgress: source === given ? options.onProgress : undefined }
}

/** Rows that are held run where they are. */
export const checkHeld = (what: string, source: Source | null, options: RunOptions): void =>
  (source?.held as HeldByPool | undefined)?.check(what, options)

const rowsOfSides = (sides: JobRequest['sides']): number =>
  sum(sides, batches => sum(batches, ({ rowCount }) => rowCount))

/** The same job with no guesses. What has left it need not be read again; where all rows count for one answer, they are. */
function againFrom(resume: Resume, request: JobRequest): JobRequest {
  if (request.onBatch !== null && !isGathered(request.plan)) return { ...request, chained: resume }
  return { ...request, chained: START, told: resume.rows }
}

/** Null where a split does not know. */
function rowsOf({ splits, rest }: OpenSource): number | null {
  let rows = 0
  for (const { rowCount } of splits) {
    if (rowCount === null) return null
    rows += rowCount
  }
  return rest === undefined ? rows : null
}

/**
 * The source itself, or what is made of the rows that are to be run before it.
 * @param runsOn whether rows are taken as they come, and so are those that they are made of: windows close, and groups change
 */
export async function settled(source: Source, options: OwnOptions, runsOn = false): Promise<Source> {
  if (source.settle === undefined) return source
  const made = await source.settle(
    before => collect(before, options),
    async before => {
      const { startBefore } = await import('./run-job.js')
      return runsOn
        ? startBefore(before, options, 'run', (await import('./start-any.js')).startAny)
        : startBefore(before, options, 'collect')
    },
    options.clock,
  )
  return options[ENDED]?.aborted && !made.once ? { ...made, isEnded: true } : made
}

/** That of a plan's first side. */
export function onlySource({ plan, sources }: BoundPlan): Source {
  let node = plan
  while (node.kind !== 'source') node = node.input
  return sourceOf(node, sources)
}

export function sourceOf(node: SourceNode, sources: BoundPlan['sources']): Source {
  const source = sources.get(node.id)
  if (source === undefined)
    throw new MillraceError('MR_INVALID_OPTION', `the plan's source ${node.label} is not bound to anything`)
  return source
}

function chooseEngine(what: string, { engine, lanes }: RunOptions, totalRows: number): LocalEngine {
  if (engine !== undefined) return ownEngine(what, engine)
  const chosen = lanes ?? (totalRows < INLINE_ROWS ? 0 : defaultLanes())
  return hiddenEngine(chosen)
}

/** @throws MillraceError `MR_INVALID_OPTION` */
export function ownEngine(what: string, engine: Engine): LocalEngine {
  if (engine instanceof LocalEngine) return engine
  const details = { operator: what, option: 'engine' }
  throw new MillraceError('MR_INVALID_OPTION', `${what}: engine is not one of createEngine`, details)
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0)
