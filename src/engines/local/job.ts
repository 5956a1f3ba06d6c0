/**
 * One job on a pool, from the calling thread: hands out splits on demand, collects what comes back, and sees that it ends, whatever happens.
 * The lane's half is workers/lane-job.ts; protocol.ts says what they tell each other, job-request.ts what a job is asked for.
 */
import { RecordBatch } from '../../columnar/record-batch.js'
import { deserialiseError, MillraceError } from '../../errors.js'
import type { FoundText } from '../../formats/text-files.js'
import type { Position } from '../../operators/operator.js'
import { sourceNode } from '../../plan/build.js'
import { hasTail, isBreaker, type PhysicalPlan } from '../../plan/physical.js'
import { heardAfter } from '../../sources/heard.js'
import type { Resume, Split, SplitSupply, TextOrder } from '../../sources/source.js'
import type { Pool } from '../../workers/pool.js'
import type { Port } from '../../workers/port.js'
import type { FromLane, HeldReport, LaneMetrics, ToLane } from '../../workers/protocol.js'
import { createInbox, createOutbox, decodeBatch, encodeBatch, type Inbox, type Outbox } from '../../workers/transfer.js'
import type { JobRequest, JobResult, RunningJob, WindowsBefore } from './job-request.js'
import { OrderedOutput } from './ordered-output.js'
import { packed, sent, unsent } from './packed-split.js'
import { spellOut } from './row-error.js'

interface LaneState {
  readonly port: Port
  readonly inbox: Inbox
  readonly outbox: Outbox
  /** Inputs of which the lane has the index. */
  readonly told: Set<string>
  /** Splits sent and not yet read, by position, in order. */
  readonly outstanding: number[]
  /** Bytes of the splits that it has been sent. */
  taken: number
  ended: boolean
  scanned: boolean
  finished: boolean
  held: HeldReport | null
  metrics: LaneMetrics
}

/** In the place of a plan that has been run. */
const NOTHING = sourceNode(0, '', null)

/** Nothing has been read. */
export const START: Resume = { split: 0, at: null, rows: 0, illFormed: 0 }

/** Of a job that guessed wrong where rows begin, where to go on. Others end of anything: a signal's reason may be null. */
export const resumeOf = (error: unknown): Resume | undefined =>
  error instanceof MillraceError ? (error as { readonly resume?: Resume }).resume : undefined

/** Splits a lane has beyond the one that it reads: no lane waits for a round trip. */
const AHEAD = 2
/** Splits handed out beyond the first that is not complete, or four a lane where that is more: so far may output wait for its turn. */
const LEAST_WINDOW = 8
const PROGRESS_MS = 30
/** A lane that has not answered a cancel by then is ended. */
const CANCEL_MS = 2_000

/** Runs a job to its end. */
export const startJob = (pool: Pool, request: JobRequest): RunningJob => new Job(pool, request)

class Job implements RunningJob {
  readonly result: Promise<JobResult>
  readonly idle: Promise<void>
  private resolve!: (result: JobResult) => void
  private reject!: (error: unknown) => void
  private becomeIdle!: () => void
  private settled = false
  /** Of the listeners that have been told. */
  private heard = Promise.resolve()
  private rejected = false
  private readonly lanes: LaneState[] = []
  private readonly output: OrderedOutput
  /** Those of the request, and those of `rest` that have come. */
  private readonly splits: Split[]
  private rest: SplitSupply | null
  private pulling = false
  /** Where splits are of text. */
  private readonly texts: TextOrder | null
  private next = 0
  /** What a lane takes of the splits at most, in bytes. */
  private share = Infinity
  /** Splits before it have been forgotten. */
  private forgotten = 0
  private failure: { readonly position: Position; readonly error: Error } | null = null
  private rows = 0
  private bytes = 0
  /** Of formats other than text. */
  private illFormed = 0
  private lastProgress = 0
  private tellTimer: ReturnType<typeof setTimeout> | undefined
  private cancelTimer: ReturnType<typeof setTimeout> | undefined
  private readonly stopListening: (() => void)[] = []

  constructor(
    private readonly pool: Pool,
    private readonly request: JobRequest,
  ) {
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.idle = new Promise(resolve => {
      this.becomeIdle = resolve
    })
    const { plan, splits, rest, onBatch, createOrder, told, chained, signal } = request
    this.splits = [...(splits ?? [])]
    this.rest = rest
    // Whenever rows are read that lanes hold, all had better have as many.
    if (request.holdAs !== null && rest === null && !isGathered(plan))
      this.share = this.splits.reduce((sum, split) => sum + weightOf(split), 0) / pool.lanes.length
    this.next = chained?.split ?? 0
    this.texts = createOrder?.(this.splits, chained ?? START, told, this.hear) ?? null
    // What lane 0 puts out after a gather is in order as it comes; held rows are not told split by split.
    this.output = new OrderedOutput(
      onBatch && ((batch, split) => onBatch(batch, this.splits[split]?.arrivedAt)),
      !isGathered(plan) && splits !== null,
      this.next,
      this.texts !== null,
    )
    const abort = () => this.giveUp(signal?.reason)
    signal?.addEventListener('abort', abort)
    this.stopListening.push(
      () => signal?.removeEventListener('abort', abort),
      pool.onEnd(error => {
        this.giveUp(error)
        // A lane in this thread goes on until it has been told; one in a worker is gone.
        if (!pool.inline || this.lanes.length === 0) this.close()
      }),
    )
    // It may have been while the lanes were made ready.
    if (signal?.aborted) abort()
    if (!this.settled) this.start()
  }

  private start(): void {
    const { pool, request } = this
    const { plan, heldInputs, heldSides = [], holdAs, memoryBytes, spill } = request
    // Of rows that are waited for several lanes would each wait until they have counted all that are wanted.
    const isCounted = this.rest !== null && this.texts === null && plan.scan.at(-1)?.kind === 'limit'
    const budget =
      memoryBytes === undefined
        ? null
        : {
            budgetBytes: memoryBytes,
            shareBytes: Math.floor(memoryBytes / pool.lanes.length),
            spill,
          }
    const keepsRows = plan.scan.every(({ kind }) => kind === 'project' || kind === 'join' || kind === 'union')
    const rowsOut = keepsRows ? (request.totalRows ?? 0) / pool.lanes.length : 0
    // Every lane has a port to every other, in the order of the lanes.
    const ports: MessagePort[][] = pool.lanes.map(() => [])
    for (
      let i = 0;
      (isGathered(plan) || plan.scan.some(hasTail) || heldSides.some(side => side !== null)) && i < ports.length;
      i++
    ) {
      for (let j = i + 1; j < ports.length; j++) {
        const { port1, port2 } = new MessageChannel()
        ports[i].push(port1)
        ports[j].push(port2)
      }
    }
    pool.lanes.forEach((lane, i) => {
      const gather = ports[i]
      // What the sides were made by is of no use to lanes.
      const sides = plan.sides.map(() => NOTHING)
      const inbox = createInbox()
      const known: [number, number][] = []
      for (const { codes } of request.mirrors ?? []) {
        for (const [id, dictionary] of codes[i]) {
          if (dictionary === null) continue
          inbox.received.set(id, dictionary)
          known.push([id, dictionary.length])
        }
      }
      const { inline } = pool
      const spec = {
        plan: { ...plan, sides },
        sides: heldSides,
        lane: i,
        heldInputs,
        holdAs,
        budget,
        isWaitedFor: request.onBatch === null,
        rowsOut,
        heldRows: request.totalRows,
        carried: request.carried,
        known,
        inline,
        spans: request.spans,
        // What is kept of windows is not written anywhere, and there is more of it than of rows that pass.
        windows: inline || memoryBytes !== undefined ? null : request.windows?.spec,
      }
      const port = lane.start(spec, gather)
      this.lanes.push({
        port,
        inbox,
        outbox: createOutbox(new Map(), inline),
        told: new Set(),
        outstanding: [],
        taken: isCounted && i > 0 ? Infinity : 0,
        ended: false,
        scanned: false,
        finished: false,
        held: null,
        metrics: { stages: [], rowsRead: 0, peakBytes: 0 },
      })
    })
    for (const lane of this.lanes) {
      lane.port.onmessage = (message: FromLane) => this.receive(lane, message)
    }
    for (const lane of this.lanes) this.sendSides(lane)
    this.feedAll()
  }

  private sendSides({ port, outbox }: LaneState): void {
    const { sides, heldSides = [] } = this.request
    for (const [side, batches] of sides.entries()) {
      if (heldSides[side]) continue
      for (const each of batches) {
        const { message, transfer } = encodeBatch(each, outbox, !this.pool.inline)
        port.post({ type: 'side', side, batch: message } satisfies ToLane, this.pool.inline ? [] : transfer)
      }
      port.post({ type: 'side', side, batch: null } satisfies ToLane)
    }
  }

  private get isDone(): boolean {
    return this.lanes.every(({ finished }) => finished)
  }

  get metrics(): readonly LaneMetrics[] {
    return this.lanes.map(({ metrics }) => metrics)
  }

  feedAll(): void {
    for (let i = 0; i < AHEAD; i++) for (const lane of this.lanes) this.feed(lane)
  }

  endInput(): void {
    const { rest } = this
    if (rest?.finish && this.isOfRest(this.next)) {
      rest.finish()
      this.feedAll()
    } else this.readNoMore()
  }

  private readNoMore(): void {
    this.next = Infinity
    if (this.isRightAhead()) this.closeRest()
    this.feedAll()
  }

  /** Nothing after this split matters, and so no failure there. */
  private endAfter(split: number): void {
    if (this.failure !== null && this.failure.position.split > split) this.failure = null
    this.readNoMore()
  }

  private closeRest(): void {
    const { rest } = this
    this.rest = null
    rest?.close().catch(() => {})
  }

  /** The next split of those that come, once there is one. */
  private pull(rest: SplitSupply): void {
    if (this.pulling) return
    this.pulling = true
    rest
      .next()
      .then(split => {
        this.pulling = false
        if (this.rest === null) return
        if (split === null) this.rest = null
        else this.splits.push(split)
        this.feedAll()
      })
      .catch(error => {
        this.pulling = false
        if (this.rest === null) return
        this.rest = null
        this.fail(error as Error, { split: this.splits.length, row: 0 })
      })
  }

  /** The next split to a lane, or the word that there are no more. */
  private feed(lane: LaneState): void {
    if (lane.ended || this.settled || lane.outstanding.length >= AHEAD) return
    const { splits, rest } = this
    const isLast = this.next >= splits.length
    if ((isLast && (rest === null || this.next === Infinity)) || this.failure !== null) {
      lane.ended = true
      // Of rows that it holds a lane knows the end itself.
      if (this.request.splits !== null) lane.port.post({ type: 'end' } satisfies ToLane)
      return
    }
    const window = Math.max(LEAST_WINDOW, 2 * AHEAD * this.lanes.length)
    if (!this.request.wantsMore() || this.next >= this.output.leastIncomplete + window) return
    if (isLast) {
      if (this.isRightAhead()) this.pull(rest as SplitSupply)
      return
    }
    if (lane.taken >= this.share) return
    const split = this.unguessed(this.next)
    if (split === null) return
    const index = this.next++
    lane.taken += weightOf(split)
    try {
      const { work, transfer } = packed(split.work, lane, this.pool.inline)
      const { branch } = split
      lane.port.post(
        { type: 'split', split: index, work, ...(branch !== undefined && { branch }) } satisfies ToLane,
        transfer,
      )
      lane.outstanding.push(index)
    } catch (error) {
      // Rows that cannot be read count as a lane's failure would: an earlier split may still fail on an earlier row.
      const firstRow = splits[index].firstRow ?? 0
      const { row = firstRow } = error instanceof MillraceError ? error.details : {}
      this.fail(unsent(error as Error, this.request.sourceLabel), { split: index, row: row - firstRow })
    }
    // What was sent along need not be kept here; what lanes read themselves may have to be read again.
    if (this.isOfRest(index)) splits[index] = { ...split, work: sent(split.work) }
  }

  /** Whether all files ahead of `rest` are known to be right. It can be read but once, and a job that begins anew reads it. */
  private isRightAhead(): boolean {
    const { texts } = this
    return !texts || !this.request.splits?.some(({ work }, i) => work.kind === 'text' && i >= texts.verified)
  }

  private isOfRest(split: number): boolean {
    return split >= (this.request.splits ?? []).length
  }

  /**
   * A split as it is to be handed out; null where it must wait for the one before to be read. Behind a stream, which cannot be read again, nothing is guessed.
   */
  private unguessed(index: number): Split | null {
    const split = this.splits[index]
    if (split.work.kind !== 'text' || (this.request.chained === null && !this.isOfRest(index))) return split
    const work = (this.texts as TextOrder).exact(index)
    return work === null ? null : { ...split, work }
  }

  private receive(lane: LaneState, message: FromLane): void {
    if (message.type === 'finished') {
      lane.finished = true
      lane.scanned = true
      lane.held = message.held
      this.rows += Math.max(0, message.metrics.rowsRead - lane.metrics.rowsRead)
      lane.metrics = message.metrics
      const index = this.lanes.indexOf(lane)
      for (const { codes } of this.request.mirrors ?? [])
        for (const id of codes[index].keys()) codes[index].set(id, lane.inbox.received.get(id) ?? null)
      this.judge()
      if (this.isDone) void this.finish()
      return
    }
    if (message.type === 'fatal') void this.pool.close(deserialiseError(message.error))
    if (this.settled) return
    if ((message.type === 'batch' || message.type === 'windows') && message.isFresh) lane.inbox.received.clear()
    if (message.type === 'batch') {
      const { rowCount, vectors } = decodeBatch(message.batch, lane.inbox)
      this.output.add(message.split, new RecordBatch(this.request.plan.output, vectors, rowCount))
    } else if (message.type === 'windows')
      this.output.add(message.split, (this.request.windows as WindowsBefore).batchOf(message.part, lane.inbox))
    else if (message.type === 'progress') this.progress(lane, message)
    else if (message.type === 'leftOut') this.leftOut(message)
    else if (message.type === 'text') this.found(message.split, message.report)
    else if (message.type === 'enough') this.endAfter(message.split)
    else if (message.type === 'scanned') {
      lane.scanned = true
      this.judge()
    } else if (message.type === 'failed') {
      lane.scanned = true
      this.fail(deserialiseError(message.error), message.position)
    }
  }

  /** Whoever hears of rows that fail may end the job. */
  private leftOut({ split, listener, failures }: FromLane & { type: 'leftOut' }): void {
    const tell = this.request.listenerOf(listener)
    for (const { row, error } of failures) {
      const place = row === null ? null : this.placeOf({ split, row })
      this.hear(() => tell(spellOut(deserialiseError(error), place) as MillraceError))
      if (this.settled) return
    }
  }

  /** A listener that is asynchronous is waited for, as long as nothing else ends the job. */
  private readonly hear = (tell: () => unknown): void => {
    this.heard = heardAfter(this.heard, tell, thrown => this.giveUp(thrown))
  }

  private placeOf({ split, row }: Position): { readonly row: number; readonly label: string } {
    const firstRow = this.splits[split]?.firstRow ?? this.texts?.firstRow(split) ?? this.request.firstRowOf(split)
    return { row: firstRow + row, label: this.splits[split]?.label ?? this.request.sourceLabel }
  }

  private found(split: number, report: FoundText): void {
    const texts = this.texts as TextOrder
    const before = texts.verified
    let failure: { readonly error: unknown } | null = null
    try {
      texts.take(split, report)
    } catch (error) {
      failure = { error }
    }
    // What is right may leave, whatever comes after it.
    for (let right = before; right < texts.verified; right++) {
      // Of a union others may have been passed over, which are complete once they have been read.
      if (this.splits[right].work.kind === 'text') this.output.complete(right)
    }
    if (failure !== null) this.giveUp(failure.error)
    else if (texts.verified > before) this.feedAll()
  }

  private progress(lane: LaneState, message: FromLane & { type: 'progress' }): void {
    const { splits, rows, illFormed, stages = lane.metrics.stages } = message
    lane.metrics = { ...lane.metrics, stages, rowsRead: lane.metrics.rowsRead + rows }
    this.rows += rows
    this.illFormed += illFormed
    const { leastIncomplete } = this.output
    for (const split of lane.outstanding.splice(0, splits)) {
      const { byteLength, work } = this.splits[split] ?? { byteLength: 0 }
      this.bytes += byteLength
      // Text may only leave once it is known to be right.
      if (work?.kind !== 'text') this.output.complete(split)
    }
    this.forget()
    if (this.output.leastIncomplete > leastIncomplete || this.share < Infinity) this.feedAll()
    else for (let i = 0; i < splits; i++) this.feed(lane)
    const wait = this.lastProgress + PROGRESS_MS - performance.now()
    if (wait <= 0) this.tell()
    // No more may come for a while.
    else this.tellTimer ??= setTimeout(() => this.tell(), wait)
  }

  /** Of what comes without end nothing is kept that has left: no row of it can fail any more. */
  private forget(): void {
    const end = this.output.leastIncomplete
    if (this.rest === null || this.texts !== null || end === Infinity || isGathered(this.request.plan)) return
    for (; this.forgotten < end; this.forgotten++) delete this.splits[this.forgotten]
  }

  private tell(): void {
    if (this.settled) return
    clearTimeout(this.tellTimer)
    this.tellTimer = undefined
    this.lastProgress = performance.now()
    const { rows } = this
    const { splits } = this.request
    let { totalRows, totalBytes } = this.request
    let { bytes } = this
    if (splits === null) bytes = totalRows ? Math.round((totalBytes * rows) / totalRows) : totalBytes
    totalBytes = Math.max(totalBytes, bytes)
    totalRows ??= this.isDone || bytes === 0 ? rows : Math.round((rows * totalBytes) / bytes)
    const illFormed = this.illFormed + (this.texts?.illFormed ?? 0)
    const { onProgress } = this.request
    this.hear(() => onProgress?.({ rows, totalRows, bytes, totalBytes, ...(illFormed > 0 && { illFormed }) }))
  }

  /** Of several failing rows the least in row order is reported, so lanes that may still meet an earlier one are let on. */
  private fail(error: Error, position: Position | null): void {
    if (position === null) {
      this.giveUp(spellOut(error, null))
      return
    }
    const { failure } = this
    if (
      failure === null ||
      position.split < failure.position.split ||
      (position.split === failure.position.split && position.row < failure.position.row)
    ) {
      this.failure = { error, position }
    }
    for (const lane of this.lanes) {
      lane.port.post({ type: 'bound', split: (this.failure as { position: Position }).position.split } satisfies ToLane)
      this.feed(lane)
    }
    this.judge()
  }

  private judge(): void {
    if (this.settled || !this.lanes.every(({ scanned }) => scanned)) return
    const { failure, texts } = this
    try {
      // A row may seem bad to a lane that guessed wrong where rows begin, and a limit is reached before its split has been read to the end.
      texts?.check(failure?.position.split ?? texts.verified)
    } catch (misread) {
      this.giveUp(misread)
      return
    }
    if (failure === null) this.output.release()
    else this.giveUp(spellOut(failure.error, this.placeOf(failure.position)))
  }

  /** Once all lanes have. */
  private async finish(): Promise<void> {
    this.closeRest()
    // It may give up: the caller's function may throw, or abort.
    this.tell()
    if (!this.settled) await this.heard
    if (!this.settled) {
      this.settled = true
      this.resolve({
        batches: this.output.finish(),
        held: this.lanes.map(({ held }) => held),
        metrics: this.metrics,
      })
    }
    this.close()
  }

  /** Rejects at once and lets the lanes clean up behind. */
  private giveUp(error: unknown): void {
    if (this.settled) return
    this.settled = true
    this.rejected = true
    // Where a guess was wrong the job begins anew, and reads it.
    if (resumeOf(error) === undefined) this.closeRest()
    this.rest = null
    this.reject(error)
    for (const lane of this.lanes) lane.port.post({ type: 'cancel' } satisfies ToLane)
    if (this.isDone) this.close()
    else this.cancelTimer = setTimeout(() => this.pool.close(stuck()), CANCEL_MS)
  }

  private close(): void {
    clearTimeout(this.tellTimer)
    clearTimeout(this.cancelTimer)
    for (const stop of this.stopListening.splice(0)) stop()
    for (const { port } of this.lanes) port.close()
    const { holdAs } = this.request
    // Some lanes may have kept their rows of a table that others failed to make.
    if (holdAs !== null && this.rejected && this.pool.failure === null)
      for (const lane of this.pool.lanes) lane.release(holdAs)
    this.becomeIdle()
  }
}

const weightOf = ({ byteLength }: Split): number => Math.max(1, byteLength)

/** Whether lane 0 gives all rows, after those of all lanes. */
export const isGathered = ({ scan }: PhysicalPlan): boolean => scan.some(isBreaker)

const stuck = () =>
  new MillraceError(
    'MR_LANE_FAILED',
    `a lane did not stop within ${CANCEL_MS / 1000} s of being cancelled, so its pool was closed`,
  )
