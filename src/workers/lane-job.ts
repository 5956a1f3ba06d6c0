/**
 * One job in one lane: reads its splits, drives the operators morsel by morsel, yields every 8 ms, gathers (lane 0) or hands over (the others),
 * and says how it ended. What an operator does is in operators/; what the caller makes of the messages is in engines/local/.
 */

import type { DataType } from '../columnar/type.js'
import { MillraceError, serialiseError } from '../errors.js'
import { isTrap, type Kernels } from '../kernels/instance.js'
import { MemoryAccount } from '../kernels/memory-account.js'
import { rangeOf } from '../kernels/stats.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import { buildPipeline } from '../operators/build.js'
import { copyToHeap } from '../operators/heap-batch.js'
import { type Breaker, type Morsel, PositionedFailure, RowFailure, type Transform } from '../operators/operator.js'
import { applyAll, prefix } from '../operators/pipeline.js'
import { dictionariesOf, type HeldTable, rangesOf, releaseTable, reportTable, retainTable } from './held-table.js'
import type { Lane } from './lane.js'
import { type Mailbox, openMailbox } from './mailbox.js'
import { type MeteredPipeline, meterPipeline } from './meter.js'
import { yieldToLoop } from './port.js'
import type { FromLane, Gathered, HeldReport, JobPorts, JobSpec, ToLane } from './protocol.js'
import { createSplitReader, type SplitReader } from './split-reader.js'
import { createInbox, createOutbox, encodeBatch } from './transfer.js'
import { decodePart, encodePart } from './transfer-part.js'

/** How long operators may run before messages, timers and cancels are looked at. */
const YIELD_MS = 8

/** The split of what follows the gather: its rows have no place among the source's. */
const GATHERED = -1

/** Why a job ends early without having failed. */
const CANCELLED = Symbol('cancelled')

/** Never rejects for what goes wrong in the job itself: that is said through the data port. */
export async function runLaneJob(lane: Lane, spec: JobSpec, ports: JobPorts): Promise<void> {
  let input: HeldTable | null = null
  let job: LaneJob
  try {
    input = spec.heldTable === null ? null : heldInput(lane, spec.heldTable)
    await lane.prepare(spec.plan)
    job = new LaneJob(lane, spec, ports, input)
  } catch (error) {
    if (input !== null) releaseTable(lane, input)
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

/** The receiving lane closes both ends: what is still under way there is of no use to anyone, and a sender could cut itself short. */
function closeGather(spec: JobSpec, { gather }: JobPorts): void {
  if (spec.lane === 0) for (const port of gather) port.close()
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

class LaneJob {
  private readonly k: Kernels
  private readonly account: MemoryAccount
  private readonly mailbox: Mailbox<ToLane>
  private readonly gatherBoxes: readonly Mailbox<Gathered>[]
  private readonly outbox = createOutbox()
  private readonly output: HeldTable | null
  private readonly outputTypes: readonly DataType[]
  private readonly pipeline: MeteredPipeline
  private readonly reader: SplitReader | null
  private cancelled = false
  /** Splits after this one need not be read: another lane failed there. */
  private bound = Infinity
  private lastYield = performance.now()
  private rowsRead = 0
  private unreported = 0
  private heldRowsOfSplit = { split: -1, rowCount: 0 }

  constructor(
    private readonly lane: Lane,
    private readonly spec: JobSpec,
    private readonly ports: JobPorts,
    /** Rows held here, retained for the job. */
    private readonly input: HeldTable | null,
  ) {
    this.k = lane.k
    const { budgetBytes, shareBytes } = spec.budget ?? { budgetBytes: Infinity, shareBytes: Infinity }
    this.account = new MemoryAccount(budgetBytes, shareBytes, spec.holdAs === null ? 'the job' : 'load')
    this.pipeline = this.charged(() => meterPipeline(buildPipeline(lane, spec.plan), this.account))
    const { breaker } = this.pipeline.scan
    if (breaker !== null) this.account.operator = `reading for ${breaker.label}`
    this.reader = spec.heldTable === null ? createSplitReader(lane) : null
    this.outputTypes = Object.values(spec.plan.output)
    this.output = spec.holdAs === null ? null : { schema: spec.plan.output, chunks: [], users: 1, ranges: null }
    this.mailbox = openMailbox<ToLane>(ports.data, message => this.intercept(message))
    this.gatherBoxes = ports.gather.map(port => openMailbox<Gathered>(port))
  }

  async run(): Promise<HeldReport | null> {
    if (this.reader !== null) await this.scanSplits(this.reader)
    else await this.scanHeld(this.input as HeldTable)
    this.report(0)
    this.say({ type: 'scanned' })
    const { breaker } = this.pipeline.scan
    if (breaker !== null) {
      if (this.spec.lane > 0) await this.handOver(breaker)
      else {
        await this.gather(breaker)
        await this.drain(breaker, 0)
      }
    }
    if (this.output === null) return null
    this.lane.tables.set(this.spec.holdAs as number, this.output)
    return reportTable(this.output)
  }

  fail(error: unknown): void {
    if (error === CANCELLED) return
    this.report(0)
    this.say(failureMessage(error))
  }

  /** Frees all that the job kept; the output table too, unless it was completed. */
  async close(dropOutput: boolean): Promise<void> {
    this.pipeline.free()
    if (this.output !== null && dropOutput) releaseTable(this.lane, this.output)
    if (this.input !== null) releaseTable(this.lane, this.input)
    await this.reader?.close()
    // What one job needed for a moment must be there for what another keeps.
    this.k.memory.trim()
  }

  say(message: FromLane, transfer?: Transferable[]): void {
    this.ports.data.post(message, transfer)
  }

  metrics(): (FromLane & { type: 'finished' })['metrics'] {
    return { stages: this.pipeline.metrics(), rowsRead: this.rowsRead, peakBytes: this.account.peakBytes }
  }

  private intercept(message: ToLane): boolean {
    if (message.type === 'bound') this.bound = Math.min(this.bound, message.split)
    else if (message.type === 'cancel') {
      this.cancelled = true
      for (const box of [this.mailbox, ...this.gatherBoxes]) box.fail(CANCELLED)
    } else return false
    return true
  }

  private async scanSplits(reader: SplitReader): Promise<void> {
    while (true) {
      const message = await this.mailbox.next()
      if (message.type !== 'split') return
      const { split, work } = message
      let row = 0
      try {
        if (split <= this.bound && this.wants(split)) {
          for await (const batch of reader.read(work)) {
            this.inScratch(() => this.process(this.pipeline.scan, { ...reader.load(batch), rows: 0 }, split, row))
            row += batch.rowCount
            await this.advance(batch.rowCount)
            if (!this.wants(split)) break
          }
        }
      } catch (error) {
        if (error === CANCELLED || error instanceof PositionedFailure || isTrap(error)) throw error
        const failure = new PositionedFailure({ split, row }, error)
        const { breaker } = this.pipeline.scan
        if (breaker?.defer === undefined) throw failure
        breaker.defer(failure, split)
      }
      this.report(1)
    }
  }

  private async scanHeld(table: HeldTable): Promise<void> {
    const names = Object.keys(table.schema)
    const positions = this.spec.plan.sourceColumns.map(name => names.indexOf(name))
    const ranges = rangesOf(table)
    for (const { split, firstRow, batch } of table.chunks) {
      if (split > this.bound || !this.wants(split)) break
      const columns = positions.map(i => ({ ...batch.columns[i], range: ranges[i] }))
      this.inScratch(() =>
        this.process(this.pipeline.scan, { rowCount: batch.rowCount, columns, rows: 0 }, split, firstRow),
      )
      await this.advance(batch.rowCount)
    }
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
  ): void {
    const run = (rows: Morsel) => {
      const left = applyAll(transforms, rows, this.k.memory)
      if (left === null) return
      if (breaker === null) this.deliver(left, split)
      else breaker.consume(left, split)
    }
    try {
      run(morsel)
    } catch (error) {
      if (!(error instanceof RowFailure)) throw error
      const failure = new PositionedFailure({ split, row: firstRow + error.row }, error.error)
      if (breaker?.defer === undefined) throw failure
      if (error.row > 0) run(prefix(morsel, error.row))
      breaker.defer(failure, split)
    }
  }

  /** Nothing in scratch outlives `work`, which does not wait: between two waits other jobs use the same arena. */
  private inScratch(work: () => void): void {
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
      const { message, transfer } = encodeBatch(unloadBatch(this.k, morsel, this.outputTypes), this.outbox, false)
      this.say({ type: 'batch', split: Math.max(0, split), batch: message }, transfer)
      return
    }
    // Bounds are found once, where the rows will be asked many questions.
    const columns = morsel.columns.map(column => ({ ...column, range: column.range ?? rangeOf(this.k, column) }))
    const batch = copyToHeap(this.k, { rowCount: morsel.rowCount, columns })
    for (const dictionary of dictionariesOf(batch)) this.lane.dictionaries.retain(dictionary)
    if (this.heldRowsOfSplit.split !== split) this.heldRowsOfSplit = { split, rowCount: 0 }
    this.output.chunks.push({ split, firstRow: this.heldRowsOfSplit.rowCount, batch })
    this.heldRowsOfSplit.rowCount += batch.rowCount
  }

  private async handOver(breaker: Breaker): Promise<void> {
    const [port] = this.ports.gather
    const outbox = createOutbox()
    await this.each(breaker.handOver(), part => {
      const { message, transfer } = encodePart(part, batch => unloadBatch(this.k, batch), outbox)
      port.post({ type: 'part', part: message } satisfies Gathered, transfer)
      return true
    })
    breaker.free()
    port.post({ type: 'gathered' } satisfies Gathered)
  }

  private async gather(breaker: Breaker): Promise<void> {
    const absorbAll = async (box: Mailbox<Gathered>) => {
      const inbox = createInbox()
      while (true) {
        const message = await box.next()
        if (message.type === 'gathered') return
        this.inScratch(() => breaker.absorb(decodePart(message.part, inbox)))
        await this.breathe()
      }
    }
    try {
      await Promise.all(this.gatherBoxes.map(absorbAll))
    } catch (error) {
      // Parts of other lanes must not reach a breaker that is about to be freed.
      for (const box of this.gatherBoxes) box.fail(error)
      throw error
    }
  }

  /** All that a breaker has, through the segments behind it, in this lane. */
  private async drain(breaker: Breaker, index: number): Promise<void> {
    const segment = this.pipeline.final[index]
    const next = segment.breaker
    let row = 0
    await this.each(breaker.emit(), morsel => {
      this.process(segment, morsel, GATHERED, row)
      row += morsel.rowCount
      return next === null || next.wants(GATHERED)
    })
    breaker.free()
    if (next !== null) await this.drain(next, index + 1)
  }

  /** What a breaker gives, item by item while `use` says so; an item is made and used before anyone else has a turn at the scratch arena. */
  private async each<T>(items: Iterable<T>, use: (item: T) => boolean): Promise<void> {
    const iterator = items[Symbol.iterator]()
    let goesOn = true
    try {
      while (goesOn) {
        this.inScratch(() => {
          const next = iterator.next()
          goesOn = !next.done && use(next.value)
        })
        await this.breathe()
      }
    } finally {
      iterator.return?.()
    }
  }

  private report(splits: number): void {
    if (splits === 0 && this.unreported === 0) return
    this.say({ type: 'progress', splits, rows: this.unreported })
    this.unreported = 0
  }

  /** Lets the loop turn when it is time. @throws CANCELLED */
  private async breathe(): Promise<void> {
    if (performance.now() - this.lastYield > YIELD_MS) {
      if (this.input !== null) this.report(0)
      await yieldToLoop()
      this.lastYield = performance.now()
    }
    if (this.cancelled) throw CANCELLED
  }
}

function heldInput(lane: Lane, id: number): HeldTable {
  const table = lane.tables.get(id)
  if (table === undefined) throw new MillraceError('MR_CLOSED', 'the loaded rows have been closed; load them again')
  retainTable(table)
  return table
}
