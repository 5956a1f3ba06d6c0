/**
 * What is said between the calling thread and a lane: control calls (through Comlink) and the messages of a job's raw ports.
 *
 * ```
 *   caller                                   lane
 *     | -- start: job, ports -------------->  |   on the port of the control calls, in their order; not answered
 *     | -- side ... side ----------------->   |   the other sides of joins, where there are any
 *     | -- split, split ------------------->   |   two ahead, so that no lane waits for a round trip
 *     |   <-- batch ... batch, progress ----   |
 *     | -- split ... end ------------------>   |
 *     |   <-- scanned ----------------------   |
 *     |            (other lanes) -- part ..., gathered --> lane 0
 *     |   <-- batch ..., finished | failed -   |
 *     | -- cancel ------------------------->   |   any time; answered by `finished`
 * ```
 */
import type { SerialisedError } from '../errors.js'
import type { FoundText } from '../formats/text-files.js'
import type { KernelModule } from '../kernels/instance.js'
import type { ExchangeTerms, Position, SideMessage, StatesOffer } from '../operators/operator.js'
import type { Spilled } from '../operators/spill.js'
import type { WindowPart } from '../operators/window-parts.js'
import type { LaneWindows } from '../plan/lane-windows.js'
import type { PhysicalPlan } from '../plan/physical.js'
import type { SplitWork } from '../sources/source.js'
import type { PartName } from './lane.js'
import type { Port } from './port.js'
import type { BatchMessage } from './transfer.js'
import type { PartMessage } from './transfer-part.js'

export interface LaneOptions {
  readonly kernels: KernelModule
  readonly seed: number
  readonly maximumBytes: number
}

export interface HeldInput {
  readonly table: number
  /** What the table's split 0 is among those of all inputs. */
  readonly firstSplit: number
}

export interface JobSpec {
  readonly plan: PhysicalPlan
  readonly lane: number
  /** Rows held in the lanes are the source, table after table: no splits are sent. */
  readonly heldInputs: readonly HeldInput[] | null
  /** How many rows all lanes hold of these. */
  readonly heldRows?: number | null
  /** What to make of rows that are to be grouped in windows; left out: they go as they are. */
  readonly windows?: LaneWindows | null
  /** Of the columns that are read, those of strings that go out as they came, by their places. */
  readonly carried?: readonly number[] | undefined
  /** Where the output rows stay in the lanes, the table they become. */
  readonly holdAs: number | null
  /** Of the plan's sides, those whose rows the lanes hold: these are not sent. */
  readonly sides?: readonly (HeldSide | null)[]
  /** Dictionaries of this lane that the caller has from before: their ids, and how many entries of each. */
  readonly known?: readonly (readonly [id: number, length: number])[]
  /** Whether the caller is in this lane's thread. */
  readonly inline?: boolean
  /** Whether no row leaves before all have come. */
  readonly isWaitedFor?: boolean
  /** How many rows are to leave this lane, where that can be told. */
  readonly rowsOut?: number
  /** What the job may take of the memory of all lanes, and of this one; null: what there is. Rows that are held already do not count. */
  readonly budget: JobBudget | null
  /** Whether work is told to developer tools. */
  readonly spans?: boolean
}

export interface JobBudget {
  readonly budgetBytes: number
  readonly shareBytes: number
  /** Where what is beyond it may be written; null: nowhere. `folder` null: where temporary files are. */
  readonly spill: { readonly folder: string | null } | null
}

/** One port to each other lane, in the order of the lanes. */
export interface JobPorts {
  readonly data: Port
  readonly gather: readonly Port[]
}

/** What `SplitWork` is on the wire. */
export type WireWork =
  /** `isFresh`: nothing is known any more of dictionaries that came before. */
  | { readonly kind: 'batches'; readonly batches: readonly BatchMessage[]; readonly isFresh?: boolean }
  | Exclude<SplitWork, { kind: 'batches' }>

export type ToLane =
  /** Rows of a side of a join, before all splits; null: that side has no more. */
  | { readonly type: 'side'; readonly side: number; readonly batch: BatchMessage | null }
  /** `branch`: of a union, the input that it is of. */
  | { readonly type: 'split'; readonly split: number; readonly branch?: number; readonly work: WireWork }
  | { readonly type: 'end' }
  /** Another lane failed in this split: later ones need not be read any more. */
  | { readonly type: 'bound'; readonly split: number }
  | { readonly type: 'cancel' }

export interface StageMetrics {
  readonly stage: string
  readonly kernels: readonly string[]
  readonly rowsIn: number
  readonly rowsOut: number
  /** Of columns, as they lie in a lane: of strings their codes, of lists their offsets. */
  readonly bytesIn: number
  readonly bytesOut: number
  readonly milliseconds: number
  readonly spilled: Spilled
}

export interface LaneMetrics {
  readonly stages: readonly StageMetrics[]
  readonly rowsRead: number
  /** The most that the job had of the lane's memory at a time. */
  readonly peakBytes: number
}

export interface HeldSide {
  readonly table: number
  /** Columns of the table, in the order of the side's. */
  readonly columns: readonly string[]
}

/** Rows that a lane holds of each split, ascending. */
export interface HeldReport {
  readonly splits: readonly { readonly split: number; readonly rowCount: number }[]
  readonly byteLength: number
  /** Ids of the dictionaries that its strings are coded by. */
  readonly codes: readonly number[]
}

export type FromLane =
  /** `isFresh` as of what is sent to lanes. */
  | { readonly type: 'batch'; readonly split: number; readonly batch: BatchMessage; readonly isFresh?: boolean }
  /** The same as groups of theirs. */
  | {
      readonly type: 'windows'
      readonly split: number
      readonly part: WindowPart<BatchMessage>
      readonly isFresh: boolean
    }
  /** Rows read since the last one; `splits` of them are done. Of formats other than text, strings that were repaired. */
  | {
      readonly type: 'progress'
      readonly splits: number
      readonly rows: number
      readonly illFormed: number
      /** Where they have not been told for a while. */
      readonly stages?: readonly StageMetrics[] | undefined
    }
  /** What was found of a split of text. */
  | { readonly type: 'text'; readonly split: number; readonly report: FoundText }
  /** Rows that were left out since a function of the user's failed on them: each by its row in the split, null where the rows are of no split. */
  | {
      readonly type: 'leftOut'
      readonly split: number
      readonly listener: number
      readonly failures: readonly { readonly row: number | null; readonly error: SerialisedError }[]
    }
  /** Splits after this one cannot matter: what has been read suffices. */
  | { readonly type: 'enough'; readonly split: number }
  /** Everything handed to this lane has been read without a failure; left out where `finished` says so at once, and has the rows of the last `progress`. */
  | { readonly type: 'scanned' }
  /** Rows that the job could not process; a lane says it once. Null position: the job as a whole. */
  | { readonly type: 'failed'; readonly error: SerialisedError; readonly position: Position | null }
  /** The lane's instance trapped or its state is not to be trusted: it must be ended. */
  | { readonly type: 'fatal'; readonly error: SerialisedError }
  /** All is freed; also the answer to `cancel`. */
  | { readonly type: 'finished'; readonly metrics: LaneMetrics; readonly held: HeldReport | null }

/** From lane to lane: what a lane hands over, to lane 0, or what lanes exchange (operators/operator.ts). */
export type Gathered =
  | { readonly type: 'part'; readonly part: PartMessage }
  | { readonly type: 'gathered' }
  /** Of sides whose rows lanes hold. */
  | SideMessage
  /** To lane 0, at the end of a scan: which rows of a side have been met here (`Side.unmatched`), and the last split read. */
  | { readonly type: 'met'; readonly side: number; readonly marks: Uint8Array; readonly split: number }
  /** To lane 0, in the place of parts: this lane's are to be exchanged. */
  | ({ readonly type: 'ready' } & ReadyToExchange)
  /** From lane 0, to those that are ready: who takes part, and which lane's each split is. */
  | { readonly type: 'exchange'; readonly terms: ExchangeTerms }
  /** Of a job that may spill: a part has been taken, and another may be sent (credit.ts). */
  | { readonly type: 'took' }

/** What a lane says of itself before an exchange. */
export interface ReadyToExchange {
  readonly fingerprint: string
  readonly splits: readonly number[]
  readonly size: number
  /** Whether it has written some of it. */
  readonly spilled: boolean | undefined
  /** Where the values of its states are all there is to it. */
  readonly states: StatesOffer | undefined
}

/** Starts a job. Whatever it has to say goes over `data`: an answer here would wake the caller, which costs more than to start one does. */
export interface StartMessage {
  readonly type: 'start'
  readonly job: JobSpec
  readonly data: MessagePort
  readonly gather: readonly MessagePort[]
}

/** The control calls. Every answer is an envelope: Comlink would lose an error's class, code and details. */
export type Reply<T> = { readonly value: T } | { readonly error: SerialisedError }

export interface LaneControl {
  open(options: LaneOptions): Promise<Reply<{ lock: string | null }>>
  /** `text` of a module; null: the worker file has its own. `kernels` where the lane's module lacks those of the part. */
  add(part: PartName, text: string | null, kernels: KernelModule | null): Promise<Reply<null>>
  release(table: number): Promise<Reply<null>>
  ping(): Promise<Reply<null>>
}
