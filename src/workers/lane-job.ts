/**
 * One job in one lane: reads its splits, drives the operators morsel by morsel, yields every 8 ms, gathers (lane 0) or hands over (the others),
 * and says how it ended. What an operator does is in operators/; what the caller makes of the messages is in engines/local/.
 */

import type { DataType } from '../columnar/type.js'
import { MORSEL_ROWS, sliceVector, type VectorBatch } from '../columnar/vector.js'
import { MillraceError, serialiseError } from '../errors.js'
import type { FoundText } from '../formats/text-files.js'
import { isTrap, type Kernels } from '../kernels/instance.js'
import { MemoryAccount } from '../kernels/memory-account.js'
import { rangeOf } from '../kernels/stats.js'
import { type Unloaded, unloadBatch } from '../kernels/transfer-batch.js'
import { buildPipeline, type Ends, type OperatorContext, type Segment } from '../operators/build.js'
import type { CarriedTexts } from '../operators/carried-texts.js'
import { sliceBatch } from '../operators/heap-batch.js'
import type { LastJoins } from '../operators/last-rows.js'
import {
  type Breaker,
  type Exchange,
  type ExchangeHost,
  type ExchangeTerms,
  type LastHost,
  LONG_MORSEL_ROWS,
  type Morsel,
  type OwnExchange,
  type Part,
  PositionedFailure,
  RowFailure,
  type Side,
  type SideHost,
  type StatesToShare,
  type Transform,
} from '../operators/operator.js'
import { runAll } from '../operators/pipeline.js'
import { RowStore, type Rows, type StoredRows } from '../operators/row-store.js'
import { columnsKept } from '../plan/needs.js'
import { isBreaker } from '../plan/physical.js'
import { createHeldRows, type HeldRows } from './held-rows.js'
import { type HeldTable, rangesOf, releaseTable, reportTable, retainTable } from './held-table.js'
import type { Lane, LaneParts } from './lane.js'
import { LanePeers, type LaneTurns } from './lane-peers.js'
import type { WindowsOfJob } from './lane-windows.js'
import { type Mailbox, openMailbox } from './mailbox.js'
import { type MeteredPipeline, meterPipeline } from './meter.js'
import { yieldToLoop } from './port.js'
import type { FromLane, Gathered, HeldReport, JobPorts, JobSpec, StageMetrics, ToLane } from './protocol.js'
import type { JobSpill } from './spill.js'
import { createSplitReader, type SplitReader } from './split-reader.js'
import { createInbox, createOutbox, decodeBatch, encodeFresh, type Outbox } from './transfer.js'

/** How long operators may run before messages, timers and cancels are looked at. */
const YIELD_MS = 8
/** Rows that a join is given first: each may meet any number of others. */
const FIRST_ROWS = 128
/** Between two tellings of what its stages have done. */
const TOLD_MS = 250

/** Strings in dictionaries that nobody keeps, before they make way for others; those that fill up within a few morsels may be larger. */
const MOST_PASSING_BYTES = 2 ** 24
const LEAST_LOADS = 4

/** The split of what follows the gather: its rows have no place among the source's. */
const GATHERED = -1

/** Why a job ends early without having failed. */
const CANCELLED = Symbol('cancelled')

/** Never rejects for what goes wrong in the job itself: that is said through the data port. */
export async function runLaneJob(lane: Lane, spec: JobSpec, ports: JobPorts): Promise<void> {
  const tables: HeldTable[] = []
  let job: LaneJob
  try {
    const retained = (id: number) => {
      const table = heldInput(lane, id)
      tables.push(table)
      return table
    }
    const inputs = spec.heldInputs?.map(({ table }) => retained(table)) ?? null
    const sides = (spec.sides ?? []).map(side => (side === null ? null : retained(side.table)))
    job = new LaneJob(lane, spec, ports, inputs, sides)
  } catch (error) {
    for (const table of tables) releaseTable(lane, table)
    ports.data.post(failureMessage(error))
    ports.data.post({
      type: 'finished',
      metrics: { stages: [], rowsRead: 0, peakBytes: 0 },
      held: null,
    } satisfies FromLane)
    closeGather(spec, ports)
    return
  }
  let held: HeldReport | null = null
  try {
    held = await job.run()
  } catch (error) {
    job.fail(error)
  }
  try {
    await job.close(held === null)
  } catch (error) {
    job.fail(new MillraceError('MR_LANE_FAILED', 'a lane could not clean up after a job, so it was ended', {}, error))
  }
  job.say({ type: 'finished', metrics: job.metrics(), held })
  closeGather(spec, ports)
}

/** The earlier of two lanes closes both ends, once it has had all: what is still under way there is of no use to anyone. */
function closeGather(spec: JobSpec, { gather }: JobPorts): void {
  for (const port of gather.slice(spec.lane)) port.close()
}

/** Whether codes of a column that is read, by its place, are kept beyond their morsel: in a breaker, in windows, or in a table that is held. */
function codesKept({ plan, holdAs, windows }: JobSpec): (i: number) => boolean {
  const breaks = plan.scan.some(isBreaker)
  if (!breaks && holdAs === null && !windows) return () => false
  const kept = columnsKept(plan)
  return i => kept.has(plan.sourceColumns[i])
}

function endsOf(spec: JobSpec, { gather }: JobPorts): Ends {
  const { isWaitedFor = false, budget, holdAs, windows, carried, heldInputs, heldRows } = spec
  return {
    isWaitedFor,
    held: heldInputs && { rowCount: budget ? 0 : (heldRows ?? 0), lanes: 1 + gather.length },
    leaves: holdAs === null && !windows && !carried?.length,
  }
}

/** What a lane says of a failure: that the job cannot go on, or that it cannot itself. */
function failureMessage(error: unknown): FromLane & { type: 'failed' | 'fatal' } {
  const position = error instanceof PositionedFailure && error.position.split !== GATHERED ? error.position : null
  const cause = error instanceof PositionedFailure || error instanceof RowFailure ? error.error : error
  if (cause instanceof MillraceError && cause.code === 'MR_LANE_FAILED')
    return { type: 'fatal', error: serialiseError(cause) }
  if (!isTrap(cause)) return { type: 'failed', error: serialiseError(cause), position }
  const trap = new MillraceError(
    'MR_LANE_FAILED',
    'a kernel trapped, so the lane was ended; please report this with the plan',
    {},
    cause,
  )
  return { type: 'fatal', error: serialiseError(trap) }
}

class LaneJob implements LaneTurns {
  private readonly k: Kernels
  private readonly account: MemoryAccount
  private readonly mailbox: Mailbox<ToLane>
  private readonly peers: LanePeers
  private readonly outbox: Outbox
  private readonly unloaded: Unloaded
  private readonly spill: JobSpill | null
  /** What operators are made with. */
  private readonly context: OperatorContext
  private readonly output: HeldTable | null
  private readonly held: HeldRows | null
  private readonly outputTypes: readonly DataType[]
  private readonly pipeline: MeteredPipeline
  /** Of a union, what the rows of each input run through. */
  private readonly scans: readonly Pick<Segment, 'transforms' | 'breaker'>[]
  /** Where some strings go out as they came. */
  private readonly carried: CarriedTexts | null
  private readonly reader: SplitReader | null = null
  /** Where rows are grouped in windows before they leave. */
  private readonly windows: WindowsOfJob | null
  private cancelled = false
  /** Rows that are read at a time. */
  private mostRows = Infinity
  private onCancel = () => {}
  /** Splits after this one need not be read: another lane failed there. */
  private bound = Infinity
  private lastYield = performance.now()
  private lastTold = this.lastYield
  private tellTimer: ReturnType<typeof setTimeout> | undefined
  /** Bytes in dictionaries beyond which rows that only pass have others begun. */
  private mostPassing = MOST_PASSING_BYTES
  /** Morsels since they were begun. */
  private loads = 0
  private rowsRead = 0
  private unreported = 0
  /** Of the first breaker and what is before it, when dictionaries were begun anew for the last time. */
  private timesSpilled = 0
  /** The last split that was read here, -1 before the first. */
  private lastSplit = -1

  constructor(
    private readonly lane: Lane,
    private readonly spec: JobSpec,
    private readonly ports: JobPorts,
    /** Rows held here, retained for the job; null: what is read is sent. */
    private readonly inputs: readonly HeldTable[] | null,
    /** The same of sides. */
    private readonly heldSides: readonly (HeldTable | null)[],
  ) {
    this.k = lane.k
    this.outbox = createOutbox(new Map(spec.known), spec.inline)
    this.unloaded = { expected: spec.rowsOut ?? 0, rows: new WeakMap() }
    const { budgetBytes, shareBytes, spill } = spec.budget ?? {
      budgetBytes: Infinity,
      shareBytes: Infinity,
      spill: null,
    }
    this.account = new MemoryAccount(budgetBytes, shareBytes, spec.holdAs === null ? 'reading' : 'load')
    this.spill = (spill && lane.parts.spill?.openSpill(lane, this.account, spill.folder)) ?? null
    this.context = this.spill?.context ?? lane
    this.pipeline = this.charged(() =>
      meterPipeline(buildPipeline(this.context, spec.plan, endsOf(spec, ports)), this.account, spec.spans),
    )
    const { breaker, transforms } = this.pipeline.scan
    this.scans = this.pipeline.branches.map(own => ({ transforms: [...own, ...transforms], breaker }))
    if (breaker !== null) this.account.operator = `reading for ${breaker.label}`
    if ([this.pipeline.scan, ...this.scans].some(({ transforms }) => transforms.some(({ side }) => side)))
      this.mostRows = FIRST_ROWS
    const fitting = (batch: VectorBatch) => this.spill?.fitting(batch) ?? this.paced(batch)
    this.carried = (spec.carried?.length && lane.parts.carried?.carryTexts(this.context, spec.carried)) || null
    // Every block costs, and every batch that leaves.
    const isLong = breaker === null && this.isAllWaitedFor
    if (inputs === null) {
      // One that spills has a dictionary of its own.
      const keepsCodes = breaker?.spilled === undefined ? codesKept(spec) : () => false
      this.reader = createSplitReader(lane, keepsCodes, fitting, this.carried, isLong, shareBytes, !spec.inline)
    }
    this.outputTypes = Object.values(spec.plan.output)
    this.windows =
      (spec.windows &&
        this.charged(() =>
          this.lane.parts.windowParts?.openWindows(this.context, spec, this.account, this.outbox, (...all) =>
            this.say(...all),
          ),
        )) ??
      null
    this.output = spec.holdAs === null ? null : { schema: spec.plan.output, chunks: [], users: 1, ranges: null }
    this.held = this.output && createHeldRows(this.context, this.output)
    this.mailbox = openMailbox<ToLane>(ports.data, message => this.intercept(message))
    this.peers = new LanePeers(spec.lane, ports.gather, this.k, this, this.spill?.credit)
  }

  async run(): Promise<HeldReport | null> {
    if (this.spill !== null) await this.unlessCancelled(this.spill.ready())
    await this.takeSides()
    for (const transforms of this.pipeline.branches) await this.prepare({ transforms })
    await this.prepare(this.pipeline.scan)
    const { scan } = this.pipeline
    let failure: unknown = null
    try {
      if (this.reader !== null) await this.scanSplits(this.reader)
      else await this.scanHeld(this.inputs as readonly HeldTable[])
    } catch (error) {
      // Other lanes may need this one for rows before.
      const isMet = scan.transforms.some(({ deferred }) => deferred?.exchange)
      if (!isMet || !(error instanceof PositionedFailure)) throw error
      failure = error
    }
    await this.giveLast(scan, true, ['before'])
    if (failure !== null) throw failure
    const { breaker } = scan
    // Where nothing of length follows, being finished says as much, and every message costs.
    if (this.reader !== null || breaker !== null) {
      this.report(0)
      this.say({ type: 'scanned' })
    }
    await this.giveLast(scan, true, ['behind'])
    if (breaker !== null) {
      const terms = await (this.spec.lane > 0 ? this.handOver(breaker) : this.gather(breaker))
      if (terms !== null) await this.exchange(breaker, terms)
      else if (this.spec.lane === 0) await this.drain(breaker, 0)
    }
    const { output } = this
    if (output === null) return null
    this.charged(() => this.held?.end())
    this.lane.tables.set(this.spec.holdAs as number, output)
    return reportTable(output)
  }

  fail(error: unknown): void {
    if (error === CANCELLED) return
    this.report(0)
    this.say(failureMessage(error))
  }

  /** Frees all that the job kept; the output table too, unless it was completed. */
  async close(dropOutput: boolean): Promise<void> {
    clearTimeout(this.tellTimer)
    this.pipeline.free()
    this.windows?.free()
    if (this.output !== null && dropOutput) releaseTable(this.lane, this.output)
    for (const table of [...(this.inputs ?? []), ...this.heldSides]) if (table !== null) releaseTable(this.lane, table)
    await this.reader?.close()
    const closing = this.spill?.close()
    // A page's disk may take its time, and others want this lane.
    if (this.cancelled) closing?.catch(() => {})
    else await closing
    // What one job needed for a moment must be there for what another keeps.
    this.k.memory.trim()
  }

  say(message: FromLane, transfer?: Transferable[]): void {
    this.ports.data.post(message, transfer)
  }

  metrics(): (FromLane & { type: 'finished' })['metrics'] {
    return { stages: this.stages(), rowsRead: this.rowsRead, peakBytes: this.account.peakBytes }
  }

  private stages(): StageMetrics[] {
    return [...this.pipeline.metrics(), ...(this.windows?.metrics() ?? [])]
  }

  private intercept(message: ToLane): boolean {
    if (message.type === 'bound') this.bound = Math.min(this.bound, message.split)
    else if (message.type === 'cancel') {
      this.cancelled = true
      this.onCancel()
      this.mailbox.fail(CANCELLED)
      this.peers.fail(CANCELLED)
      this.spill?.credit.fail(CANCELLED)
      // A server may keep it waiting for as long as it likes.
      void this.reader?.leave()
    } else return false
    return true
  }

  /** For what hears nothing of the job's end itself. @throws CANCELLED */
  private unlessCancelled(waited: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onCancel = () => reject(CANCELLED)
      waited.then(resolve, reject)
    })
  }

  /** The other sides of joins, wherever these stand. */
  private async takeSides(): Promise<void> {
    // A join of a union within a union is in each of its branches.
    const sides: Side[][] = this.spec.plan.sides.map(() => [])
    const { branches, scan, final } = this.pipeline
    for (const transforms of [...branches, scan.transforms, ...final.map(segment => segment.transforms)])
      for (const { side } of transforms) if (side !== undefined) sides[side.index].push(side)
    const held = this.heldSides.filter(table => table !== null).length
    if (held > 0) await this.lane.parts.joins?.shareSides(this.sideHost(), sides, this.heldSides, this.spec.sides ?? [])
    const inbox = createInbox()
    for (let left = this.spec.plan.sides.length - held; left > 0; ) {
      const message = await this.mailbox.next()
      if (message.type !== 'side') throw new Error(`sides come before ${message.type}`)
      const { batch, side } = message
      if (batch === null) left--
      else
        this.inScratch(() => {
          const decoded = decodeBatch(batch, inbox)
          for (const { rows } of sides[side]) rows.add(decoded)
        })
      await this.breathe()
    }
  }

  /** What every exchange between lanes needs of this one. */
  private exchangeHost(): Omit<ExchangeHost, 'give'> {
    const { peers } = this
    return {
      lane: this.spec.lane,
      send: (to, parts) => peers.send(to, parts),
      receive: (from, take) => peers.receive(from, take),
      each: (items, use) => this.each(items, use),
      charged: work => this.charged(work),
    }
  }

  private sideHost(): SideHost & Pick<LastHost, 'each'> {
    const { peers } = this
    return {
      ...this.exchangeHost(),
      peers: peers.lanes,
      input: this.inputs?.flatMap(({ chunks }) => chunks) ?? [],
      tell: (to, message) => peers.post(to, message),
      told: from => peers.next(from),
    }
  }

  /** What joins of a segment look things up in, before its first row. */
  private async prepare({ transforms }: Pick<Segment, 'transforms'>): Promise<void> {
    for (const { open, side } of transforms) {
      await open?.()
      if (side !== undefined) await this.each(side.prepare(), () => true)
    }
  }

  /** Rows that come behind all others: of joins, whose part is then there. */
  private async giveLast(segment: Segment, isScan: boolean, joins: readonly LastJoins[]): Promise<void> {
    if (!segment.transforms.some(({ side, deferred }) => side !== undefined || deferred !== undefined)) return
    const host: LastHost = {
      ...this.sideHost(),
      lastSplit: isScan ? this.lastSplit : null,
      noSplit: GATHERED,
      met: message => this.peers.post(0, message, [message.marks.buffer]),
      process: (rest, morsel, split, failedSplit) => this.process(rest, morsel, split, 0, split, failedSplit),
    }
    await this.lane.parts.joins?.giveLast(host, segment, joins)
  }

  private async scanSplits(reader: SplitReader): Promise<void> {
    while (true) {
      const message = await this.mailbox.next()
      // Whoever has kept rows has their strings: others need not take room from what follows.
      if (message.type !== 'split') return reader.renew()
      const { split, branch = 0, work } = message
      const scan = this.scans[branch] ?? this.pipeline.scan
      this.lastSplit = split
      let row = 0
      try {
        if (split <= this.bound && this.wants(split)) {
          const report = (found: FoundText) => {
            // With the last the split is complete.
            if (!found.goesOn) this.inScratch(() => this.windows?.give(split))
            this.say({ type: 'text', split, report: found })
          }
          for await (const load of reader.read(work, report)) {
            const before = row
            let wantsMore = true
            this.timed(() => {
              wantsMore = load((morsel, rowsRead) => {
                this.process(scan, morsel, split, row)
                row += rowsRead
                return this.wants(split)
              })
            })
            this.renew(reader)
            await this.advance(row - before)
            if (!wantsMore) break
          }
        }
      } catch (error) {
        if (error === CANCELLED || error instanceof PositionedFailure || isTrap(error)) throw error
        const failure = new PositionedFailure({ split, row }, error)
        const { breaker } = this.pipeline.scan
        if (breaker?.defer === undefined) throw failure
        breaker.defer(failure, split)
      }
      this.inScratch(() => this.windows?.give(split))
      if (!this.wants(split + 1)) this.say({ type: 'enough', split })
      this.report(1)
    }
  }

  /** Once what has been read so far has been written, its strings need not be kept. */
  private renew(reader: SplitReader): void {
    const { breaker, transforms } = this.pipeline.scan
    const times = [...transforms, breaker].reduce((sum, each) => sum + (each?.spilled?.times ?? 0), 0)
    const hasSpilled = times > this.timesSpilled
    this.timesSpilled = times
    const passes = breaker === null && this.output === null
    const { byteLength } = this.lane.dictionaries
    const isFull = passes && byteLength > this.mostPassing
    // What spills has dictionaries of its own, and so few strings that it has written nothing may be the rest of many that a filter has left out.
    const isLong = (passes || breaker?.spilled !== undefined) && reader.byteLength > this.account.shareBytes / 8
    const begins = isFull || hasSpilled || isLong
    if (begins) reader.renew()
    if (passes || begins) for (const each of transforms) each.renew?.(begins ? 0 : MOST_PASSING_BYTES)
    this.loads++
    if (!isFull) return
    // What others keep, or what comes again at once, is no reason to begin anew after every morsel.
    if (this.loads < LEAST_LOADS) this.mostPassing *= 2
    this.loads = 0
  }

  private async scanHeld(tables: readonly HeldTable[]): Promise<void> {
    const { plan, heldInputs } = this.spec
    for (const [i, table] of tables.entries()) {
      const scan = this.scans[i] ?? this.pipeline.scan
      const names = Object.keys(table.schema)
      const positions = (plan.branches[i]?.columns ?? plan.sourceColumns).map(name => names.indexOf(name))
      const ranges = rangesOf(table)
      for (const { split, firstRow, batch } of table.chunks) {
        const at = (heldInputs?.[i].firstSplit ?? 0) + split
        if (at > this.bound || !this.wants(at)) return
        this.lastSplit = at
        const columns = positions.map(i => ({ ...batch.columns[i], range: ranges[i] }))
        const chunk = { rowCount: batch.rowCount, columns }
        for (let from = 0; from < chunk.rowCount && this.wants(at); ) {
          const most = this.takesLong ? LONG_MORSEL_ROWS : MORSEL_ROWS
          const rowCount = Math.min(chunk.rowCount - from, most, this.mostRows)
          const morsel = { ...sliceBatch(chunk, from, rowCount), rows: 0, isHeld: true }
          this.timed(() => this.process(scan, morsel, at, firstRow + from))
          from += rowCount
          await this.advance(rowCount)
        }
      }
    }
  }

  /** And there is room for as much as may come at a time. */
  private get isAllWaitedFor(): boolean {
    return this.spec.isWaitedFor === true && this.spec.budget === null
  }

  /** Every batch that leaves costs, and every chunk that is kept: of rows that are waited for there are few. */
  private get takesLong(): boolean {
    const { transforms, breaker } = this.pipeline.scan
    if (breaker === null) return this.isAllWaitedFor
    return transforms.length === 0 && breaker.takesLong === true
  }

  /** Counts rows that have been read, and lets the loop turn when it is time. @throws CANCELLED */
  private advance(rows: number): Promise<void> {
    this.rowsRead += rows
    this.unreported += rows
    return this.breathe()
  }

  private wants(split: number): boolean {
    return this.pipeline.scan.breaker?.wants(split) ?? true
  }

  /** A morsel through `transforms` into `breaker`, or out. @throws PositionedFailure */
  private process(
    { transforms, breaker }: { readonly transforms: readonly Transform[]; readonly breaker: Breaker | null },
    morsel: Morsel,
    split: number,
    firstRow: number,
    /** Where the rows come among the answer's, if not by their split. */
    outputSplit = split,
    /** Where a failure is told to be. */
    failedSplit = split,
  ): void {
    // Where rows were left out as they were read, `rows` has the places of the others.
    const { rows: places } = morsel
    const whole = places === 0 ? morsel : { ...morsel, rows: 0 }
    for (const { deferred } of transforms) deferred?.at(split, firstRow, places)
    const use = (left: Morsel) => {
      if (breaker === null) this.deliver(left, outputSplit)
      else breaker.consume(left, split)
    }
    // Rows before one that fails may be all that are wanted.
    const isDeferred = breaker === null ? this.spec.isWaitedFor === false : breaker.defer !== undefined
    try {
      runAll(transforms, whole, this.k.memory, use, isDeferred)
    } catch (error) {
      if (!(error instanceof RowFailure)) throw error
      const row = places === 0 ? error.row : this.k.memory.u32[(places >>> 2) + error.row]
      const failure = new PositionedFailure({ split: failedSplit, row: firstRow + row }, error.error)
      if (breaker?.defer === undefined) throw failure
      breaker.defer(failure, split)
    }
    for (const transform of transforms) {
      const leftOut = transform.leftOut?.()
      if (!leftOut) continue
      const placeOf = (row: number) =>
        failedSplit === GATHERED ? null : firstRow + (places === 0 ? row : this.k.memory.u32[(places >>> 2) + row])
      const failures = leftOut.failures.map(({ row, error }) => ({ row: placeOf(row), error: serialiseError(error) }))
      this.say({ type: 'leftOut', split: failedSplit, listener: leftOut.listener, failures })
    }
  }

  /** A batch by as many rows at a time as are done soon. */
  private *paced(batch: VectorBatch): Iterable<VectorBatch> {
    const { rowCount, vectors } = batch
    if (rowCount <= this.mostRows) yield batch
    else
      for (let from = 0, to = 0; from < rowCount; from = to) {
        to = Math.min(rowCount, from + this.mostRows)
        yield { rowCount: to - from, vectors: vectors.map(vector => sliceVector(vector, from, to)) }
      }
  }

  /** In scratch; the next rows are as many as take no longer than the loop may wait. */
  private timed(work: () => void): void {
    const begun = performance.now()
    this.inScratch(work)
    const took = performance.now() - begun
    if (took < YIELD_MS / 4) this.mostRows *= 2
    else if (took > 4 * YIELD_MS) this.mostRows = Math.max(FIRST_ROWS, this.mostRows / 2)
  }

  /** Nothing in scratch outlives `work`, which does not wait: between two waits other jobs use the same arena. */
  inScratch(work: () => void): void {
    const { memory } = this.k
    const mark = memory.mark()
    try {
      this.charged(work)
    } finally {
      memory.reset(mark)
    }
  }

  /** What `work`, which does not wait, takes of the lane's memory is the job's. */
  private charged<T>(work: () => T): T {
    const { memory } = this.k
    memory.account = this.account
    try {
      return work()
    } finally {
      memory.account = null
    }
  }

  /** A morsel of the plan's output: to the caller, or kept. */
  private deliver(morsel: Morsel, split: number): void {
    if (this.output === null) {
      if (this.windows?.take(morsel, split)) return
      const { outputTypes, unloaded } = this
      const batch =
        this.carried?.unload(morsel, outputTypes, unloaded) ?? unloadBatch(this.k, morsel, outputTypes, unloaded)
      const { isFresh, encoded } = encodeFresh([batch], this.outbox, false)
      for (const { message, transfer } of encoded)
        this.say({ type: 'batch', split: Math.max(0, split), batch: message, isFresh }, transfer)
      return
    }
    // Bounds are found once, where the rows will be asked many questions.
    const columns = morsel.columns.map(column => ({ ...column, range: column.range ?? rangeOf(this.k, column) }))
    this.held?.add({ rowCount: morsel.rowCount, columns }, split)
  }

  /** All that this lane has, to lane 0; or the terms on which it is exchanged. */
  private async handOver(breaker: Breaker): Promise<ExchangeTerms | null> {
    const { exchange } = breaker
    if (exchange?.wanted) {
      this.peers.post(0, {
        type: 'ready',
        fingerprint: exchange.fingerprint(),
        splits: exchange.splits(),
        size: exchange.size,
        spilled: exchange.spilled,
        states: exchange.states?.offer,
      })
      const message = await this.peers.next(0)
      if (message.type !== 'exchange') throw new Error(`a lane that is ready is told terms, not ${message.type}`)
      if (!message.terms.ofStates) return message.terms
      await this.shareStates(exchange, message.terms)
    }
    await this.peers.send(0, breaker.handOver())
    breaker.free()
    return null
  }

  /** What the other lanes hand over; or the terms of an exchange with those that have too much for that. */
  private async gather(breaker: Breaker): Promise<ExchangeTerms | null> {
    const { exchange } = breaker
    const ready = new Map<number, Gathered & { type: 'ready' }>()
    await this.receiveFrom(
      this.peers.lanes,
      part => breaker.absorb(part),
      (lane, message) => ready.set(lane, message),
    )
    if (exchange === undefined || ready.size === 0) return null
    const { agree } = this.lane.parts.partitions as LaneParts['partitions']
    const terms = agree(exchange, ready)
    for (const lane of ready.keys()) this.peers.post(lane, { type: 'exchange', terms })
    if (!terms.ofStates) return terms
    await this.shareStates(exchange, terms)
    await this.receiveFrom([...ready.keys()], part => breaker.absorb(part))
    return null
  }

  /** What lanes send, to whoever takes it. */
  private receiveFrom(
    lanes: readonly number[],
    take: (part: Part<VectorBatch>) => void,
    isReady?: (lane: number, message: Gathered & { type: 'ready' }) => void,
  ): Promise<void> {
    return this.peers.unlessOneFails(
      lanes.map(lane => this.peers.receive(lane, take, message => isReady?.(lane, message))),
    )
  }

  private async shareStates(exchange: Exchange | OwnExchange, terms: ExchangeTerms): Promise<void> {
    const { shareStates } = this.lane.parts.partitions as LaneParts['partitions']
    await shareStates(this.exchangeHost(), exchange.states as StatesToShare, terms)
    await this.leave(terms)
  }

  /** An earlier lane closes the port to a later one: not before this has had everything. */
  private async leave({ lanes }: ExchangeTerms): Promise<void> {
    const { lane } = this.spec
    for (const each of lanes) if (each < lane) this.peers.post(each, { type: 'bye' })
    for (const each of lanes) if (each > lane) await this.peers.next(each)
  }

  private async exchange(breaker: Breaker, terms: ExchangeTerms): Promise<void> {
    const { lane } = this.spec
    const { peers } = this
    const segment = this.pipeline.final[0]
    const exchange = breaker.exchange as Exchange | OwnExchange
    // Where more follows that must see all rows, or see them in order, or rows that nobody met, these go to lane 0.
    const inOrder = exchange.reorders && segment.transforms.length > 0
    const rows = segment.breaker === null && !hasMore(segment) && !inOrder ? null : this.createRows()
    if (rows === null || lane === 0) await this.prepare(segment)
    const others = terms.lanes.filter(each => each !== lane)
    try {
      const host: ExchangeHost = {
        ...this.exchangeHost(),
        give: (morsel, split) => {
          if (rows === null) this.process(segment, morsel, GATHERED, 0, split)
          else rows.add(morsel, split)
        },
      }
      if (exchange.carryOut) await exchange.carryOut(host, terms)
      else await (this.lane.parts.partitions as LaneParts['partitions']).exchangeGroups(host, exchange, terms)
      breaker.free()
      if (rows !== null && lane > 0) await peers.send(0, rows.handOver())
      if (rows !== null && lane === 0) {
        await this.receiveFrom(others, part => rows.absorb(part))
        await this.drainRows(rows.drain())
      }
    } finally {
      rows?.free()
    }
    await this.leave(terms)
  }

  private createRows(): Rows {
    const types = Object.values(this.pipeline.scan.output)
    return this.context.spill?.createRows(types) ?? new RowStore(this.context)
  }

  /** Rows from all lanes, in order, through what follows the first breaker. */
  private async drainRows(parts: Iterable<StoredRows | null>): Promise<void> {
    const segment = this.pipeline.final[0]
    const next = segment.breaker
    let row = 0
    await this.each(parts, rows => {
      if (rows === null) return true
      this.process(segment, { ...rows.batch, rows: 0 }, GATHERED, row)
      row += rows.batch.rowCount
      return next?.wants(GATHERED) ?? true
    })
    await this.giveLast(segment, false, ['before', 'behind'])
    if (next !== null) await this.drain(next, 1)
  }

  /** All that a breaker has, through the segments behind it, in this lane. */
  private async drain(breaker: Breaker, index: number): Promise<void> {
    const segment = this.pipeline.final[index]
    const next = segment.breaker
    await this.prepare(segment)
    let row = 0
    await this.each(breaker.emit(), morsel => {
      if (morsel === null) return true
      this.process(segment, morsel, GATHERED, row)
      row += morsel.rowCount
      return next === null || next.wants(GATHERED)
    })
    breaker.free()
    await this.giveLast(segment, false, ['before', 'behind'])
    if (next !== null) await this.drain(next, index + 1)
  }

  /** What a breaker gives, item by item while `use` says so; an item is made and used before anyone else has a turn at the scratch arena. */
  async each<T>(
    items: Iterable<T>,
    use: (item: T) => boolean,
    after: () => Promise<void> | undefined = () => undefined,
  ): Promise<void> {
    const iterator = items[Symbol.iterator]()
    let goesOn = true
    try {
      while (goesOn) {
        this.inScratch(() => {
          const next = iterator.next()
          goesOn = !next.done && use(next.value)
        })
        await after()
        await this.breathe()
      }
    } finally {
      iterator.return?.()
    }
  }

  /** @param tells whether stages are told too; else they are in a while, though nothing more may come until then */
  private report(splits: number, tells = performance.now() - this.lastTold > TOLD_MS): void {
    if (!tells && splits === 0 && this.unreported === 0) return
    if (tells) {
      clearTimeout(this.tellTimer)
      this.tellTimer = undefined
      this.lastTold = performance.now()
    } else this.tellTimer ??= setTimeout(() => this.report(0, true), TOLD_MS)
    const stages = tells ? this.stages() : undefined
    this.say({ type: 'progress', splits, rows: this.unreported, illFormed: this.reader?.takeIllFormed() ?? 0, stages })
    this.unreported = 0
  }

  /** Lets the loop turn when it is time. @throws CANCELLED */
  async breathe(): Promise<void> {
    if (performance.now() - this.lastYield > YIELD_MS) {
      if (this.inputs !== null) this.report(0)
      await yieldToLoop()
      this.lastYield = performance.now()
    }
    if (this.cancelled) throw CANCELLED
  }
}

/** Whether rows come out behind all others. */
const hasMore = ({ transforms }: Segment): boolean =>
  transforms.some(({ side, deferred }) => side?.unmatched !== undefined || deferred !== undefined)

function heldInput(lane: Lane, id: number): HeldTable {
  const table = lane.tables.get(id)
  if (table === undefined) throw new MillraceError('MR_CLOSED', 'the loaded rows have been closed; load them again')
  retainTable(table)
  return table
}
