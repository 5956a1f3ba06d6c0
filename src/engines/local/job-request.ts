/** What a job is asked for, what it comes to, and what whoever started it may say meanwhile: job.ts runs it. */
import type { Dictionary } from '../../columnar/dictionary.js'
import type { RecordBatch } from '../../columnar/record-batch.js'
import type { MillraceError } from '../../errors.js'
import type { WindowPart } from '../../operators/window-parts.js'
import type { LaneWindows } from '../../plan/lane-windows.js'
import type { PhysicalPlan } from '../../plan/physical.js'
import type { OpenSource, Resume, Split, SplitSupply } from '../../sources/source.js'
import type { HeldInput, HeldReport, HeldSide, JobBudget, LaneMetrics } from '../../workers/protocol.js'
import type { BatchMessage, Inbox } from '../../workers/transfer.js'

/** How far a job has come. Rows and bytes are those of the source, after the splits were left out that statistics rule out. */
export interface Progress {
  readonly rows: number
  /** Where a source does not know its rows beforehand, an estimate from its bytes until the end. */
  readonly totalRows: number
  readonly bytes: number
  /** Of what is known to come: of a stream, of what has come. */
  readonly totalBytes: number
  /** Strings read whose ill-formed text became U+FFFD; a string of a dictionary counts once, as often as the dictionary is there. Left out where there are none. */
  readonly illFormed?: number
}

export interface JobRequest {
  readonly plan: PhysicalPlan
  /** Of the columns that are read, those of strings that go out as they came, by their places. */
  readonly carried?: readonly number[] | undefined
  /** What to read; null: rows that the lanes hold, `heldInputs`. */
  readonly splits: readonly Split[] | null
  /** What follows `splits` as it comes; null: nothing. */
  readonly rest: SplitSupply | null
  readonly heldInputs: readonly HeldInput[] | null
  /** The rows of the plan's sides. */
  readonly sides: readonly (readonly RecordBatch[])[]
  /** First row of each split in the source, where splits do not say; to say where a row failed. */
  readonly firstRowOf: (split: number) => number
  /** Null: not known before they are read. */
  readonly totalRows: number | null
  readonly totalBytes: number
  /** Splits of text are handed out one after another, each from where the one before has really ended. */
  readonly chained: Resume | null
  readonly createOrder: OpenSource['createOrder']
  /** Rows that bad ones have been told of by an earlier attempt. */
  readonly told: number
  /** Of the plan's sides those that the lanes hold; their place in `sides` is empty. */
  readonly heldSides?: readonly (HeldSide | null)[]
  /** Tables that lanes hold and the job reads. */
  readonly mirrors?: readonly Mirrors[]
  readonly holdAs: number | null
  /** What the job may take of the memory of all lanes together; undefined: what there is. */
  readonly memoryBytes: number | undefined
  /** Where it may write what is beyond that; null: nowhere. */
  readonly spill: JobBudget['spill']
  readonly sourceLabel: string
  /** Whether lanes tell developer tools of their work. */
  readonly spans?: boolean
  /** What hears of rows that a function of the user's failed on. */
  readonly listenerOf: (id: number) => (error: MillraceError) => void
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: Progress) => void) | undefined
  /** Takes the output batches one by one, in row order, each with when its rows came (`Split.arrivedAt`); null: they come all together, in the result. */
  readonly onBatch: ((batch: RecordBatch, arrivedAt?: number) => void) | null
  /** Where lanes may group rows before they leave: what they are told, and what stands for such groups among the batches. */
  readonly windows?: WindowsBefore | null
  /** Whether more should be read now; `RunningJob.feed` asks again. */
  readonly wantsMore: () => boolean
}

/** What has come of the dictionaries of rows that lanes hold, by lane and id: it need not come again. */
export interface Mirrors {
  readonly codes: readonly Map<number, Dictionary | null>[]
}

/** Of a flow that runs on, what may be done of its windows before its rows leave the lanes. */
export interface WindowsBefore {
  readonly spec: LaneWindows
  batchOf(part: WindowPart<BatchMessage>, inbox: Inbox): RecordBatch
}

export interface JobResult {
  /** Output batches in row order; empty where the rows are held. */
  readonly batches: readonly RecordBatch[]
  /** By lane. */
  readonly held: readonly (HeldReport | null)[]
  readonly metrics: readonly LaneMetrics[]
}

export interface RunningJob {
  readonly result: Promise<JobResult>
  /** Resolves once no lane works on the job any more: at once after a result, shortly after a failure. */
  readonly idle: Promise<void>
  /** Reads on, where `wantsMore` says so again. */
  feedAll(): void
  /** The input ends here: what has been read, or taken by what it is read from, is finished. */
  endInput(): void
  /** Of what the lanes have done so far, told some times a second. */
  readonly metrics: readonly LaneMetrics[]
}
