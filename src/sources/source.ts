/**
 * The source contract: where rows come from, cut into splits. A source lives in the calling thread and only describes;
 * lanes do the reading. Each kind of source is a neighbour file.
 */
import type { RecordBatch } from '../columnar/record-batch.js'
import type { Table } from '../columnar/table.js'
import type { SchemaShape } from '../columnar/type.js'
import type { MillraceError } from '../errors.js'
import type { Expression } from '../expressions/node.js'
import type { InputDescriptor, OpenFile } from '../formats/byte-source.js'
import type { ByteStreamOptions } from '../formats/byte-stream.js'
import type { Format, LaneReader } from '../formats/format.js'
import type { InputServices } from '../formats/input.js'
import type { FoundText } from '../formats/text-files.js'
import type { BadRow, CsvShape, JsonShape } from '../kernels/text-rows.js'
import type { Clock } from '../metrics/clock.js'
import type { FeedCounts, NodeMetrics } from '../metrics/node-metrics.js'
import type { PlanNode } from '../plan/logical.js'

export interface Source {
  /** For people, in errors and explain: `columns`, `parquet flights.parquet`. */
  readonly label: string
  /** Known before opening, or null: a file read without a schema. */
  readonly schema: SchemaShape | null
  /** Rows where they are known without opening; decides whether a job is small enough to run inline. */
  readonly rowCount: number | null
  /** Set where it can be opened only once, and then gives all as `rest`, in batches: flows that are run at a time share it. */
  readonly once?: true
  /** Set where it can be opened only once, but in splits of its own: text that comes as a stream. What reads it several times reads batches made of it. */
  readonly isStream?: boolean
  /** Set where it may never end: groups without windows are then told as they change. */
  readonly isEndless?: true
  /** Set where rows wait for a time of their own, though they end. */
  readonly isPaced?: true
  /** Set where its job was told to end while what comes before it was being read: that is where it ended, and all that was made of it comes out. */
  readonly isEnded?: true
  /** Set for rows that lanes already hold. */
  readonly held?: HeldRows
  /** Set where its rows are made in the calling thread, of those of a plan. The source is then what `settle` gives, and is not opened itself. */
  readonly before?: PlanBefore
  /** Hears of rows that fail: bound to a plan beside its sources, and none itself. */
  readonly hear?: (error: MillraceError) => void
  /** For `explain`, what the calling thread does with them; by default it aggregates. */
  readonly step?: string
  /** Each runs a plan, with the options of the terminal: `collect` to its end, `run` while its rows are taken. */
  settle?(
    collect: (before: PlanBefore) => Promise<Table>,
    run: (before: PlanBefore) => Promise<RowsUnderWay>,
    clock?: Clock,
  ): Promise<Source>
  /** The schema, found by opening where need be. @throws MillraceError where the input is no such thing. */
  describe(services: SourceServices): Promise<SchemaShape>
  /** Lets go of what `describe` has begun to read, where no `open` follows. */
  leave?(): Promise<void>
  /** The job that was to read it has ended, perhaps before it was opened: whoever feeds it waits for nothing. */
  unread?(): void
  /** Cuts the input into splits. Called once per job, after `describe`; a source that can be read only once refuses the second time. */
  open(request: OpenRequest, services: SourceServices): Promise<OpenSource>
}

export interface PlanBefore {
  readonly plan: PlanNode
  readonly sources: ReadonlyMap<number, Source>
}

/** A plan that runs as fast as its rows are taken, a bounded number of batches ahead. */
export interface RowsUnderWay {
  /** Rejects with what the plan fails of before its columns are known. */
  readonly schema: Promise<SchemaShape>
  /** In row order; can be iterated once. Leaving the loop ends the job. */
  readonly batches: AsyncIterable<RecordBatch>
  /** What the parts of the job have done so far, but for its output. */
  nodes?(): readonly NodeMetrics[]
  /** Ends the job's input: what has come is given. */
  stop(): void
  /** Ends the job. Idempotent. */
  close(): Promise<void>
}

/** What a source needs of the runtime, so that it need not know which one it is. */
export interface SourceServices extends InputServices {
  /** Null where there are no paths. */
  readonly openFile: OpenFile | null
  /** Ends what is read to describe a source. */
  readonly signal?: AbortSignal | undefined
}

export interface OpenRequest {
  /** Columns to deliver, in this order. */
  readonly columns: readonly string[]
  /** A resolved predicate by which splits may be left out whose statistics prove that no row passes. */
  readonly prune: Expression | null
  readonly signal?: AbortSignal | undefined
  /** The job's, where it has been given one: for what has none of its own. */
  readonly clock?: Clock | undefined
}

export interface OpenSource {
  /** In row order: the order of the rows is (split, row in split), whichever lane reads them. */
  readonly splits: readonly Split[]
  /** What follows `splits` as it comes: of a stream. Asked for the next only when that is wanted. */
  readonly rest?: SplitSupply
  /** Parts of lanes that read the splits. */
  readonly readers?: readonly LaneReader[]
  /** Where splits are of text: keeps them in order. `told`: rows that bad ones have been told of before. `hear` tells a listener. */
  readonly createOrder?: (
    splits: readonly Split[],
    resume: Resume,
    told: number,
    hear: (tell: () => unknown) => void,
  ) => TextOrder
}

/** Where reading goes on, and what was read before. */
export interface Resume {
  readonly split: number
  /** Byte of the input at which the split's first row begins; null: where the split says. */
  readonly at: number | null
  readonly rows: number
  /** Strings that were repaired. */
  readonly illFormed: number
}

/** Splits of text in their order: text-order.ts. What it throws where a guess was wrong has `resume`, where to go on. */
export interface TextOrder {
  /** How many splits from the first on are known to be right and have been read to their end. */
  readonly verified: number
  /** Strings of those splits whose ill-formed parts were replaced. */
  readonly illFormed: number
  /** First row in the source of a split up to `verified`. */
  firstRow(split: number): number
  /** Takes what a lane found. @throws where a guess was wrong; what `onBadRow` throws */
  take(split: number, report: FoundText): void
  /** Whether a split that has been read at least in part began where it should. @throws where it did not */
  check(split: number): void
  /** The split's work with its beginning in the place of a guess; null where that is not known yet. */
  exact(split: number): TextWork | null
}

export interface SplitSupply {
  /** Null at the end. */
  next(): Promise<Split | null>
  /** No more is wanted: lets go of what is being read. */
  close(): Promise<void>
  /** No more is to come: what has is given, and then the end. Where there is none, nothing waits here that a program believes to be taken. */
  finish?(): void
  /** Of the feeds that it has, what they have so far. */
  counts?(): readonly FeedCounts[]
  /** Of a job that its rows are made of: what that has done so far. */
  nodes?(): readonly NodeMetrics[]
}

/** Strings that were read of a part of a file, and were not as its encoding asks: what was ill-formed in them became U+FFFD. */
export interface IllFormedText {
  /** As messages call it. */
  readonly file: string
  /** Rows of the source of which they are: from one on and before another. */
  readonly fromRow: number
  readonly toRow: number
  readonly count: number
}

/** A row that was left out, since it could not be read. */
export interface RejectedRow extends BadRow {
  /** The file, as messages call it. */
  readonly file: string
}

export interface Split {
  /** Zero-based position of the split's first row in the source; null: known once those before it have been read. */
  readonly firstRow: number | null
  /** Null: known once it has been read. */
  readonly rowCount: number | null
  /** 0 where it is not known. */
  readonly byteLength: number
  readonly work: SplitWork
  /** When the oldest of its rows came, in milliseconds of the job's clock (metrics/clock.ts, `stopwatch`), where they come while the job runs. */
  readonly arrivedAt?: number
  /** Of a union, the input that it is of, and what that is called. */
  readonly branch?: number
  readonly label?: string
}

/** What a lane needs in order to read a split. */
export type SplitWork =
  /** Rows that are in the calling thread: copied, then transferred. `parts`: the same as they came, for who copies them anyway. */
  | {
      readonly kind: 'batches'
      readonly batches: () => readonly RecordBatch[]
      readonly parts?: readonly RecordBatch[]
    }
  /** A part of a file that the lane opens itself, through a lane extension. */
  | {
      readonly kind: 'part'
      readonly extension: Format['name']
      readonly input: InputDescriptor
      /** Equal for the parts of one input. */
      readonly inputKey: string
      /** What is known of the input: plain data of the format's, which each lane is sent once. */
      readonly index: unknown
      readonly part: number
      readonly columns: readonly string[]
    }
  | TextWork

/** Rows of text. */
export interface TextWork {
  readonly kind: 'text'
  readonly format: 'csv' | 'json'
  readonly shape: CsvShape | JsonShape
  /** Wanted of the shape's fields, in this order. */
  readonly columns: readonly string[]
  /** Equal for the parts of one input. */
  readonly inputKey: string
  readonly name: string
  /** Zero-based byte of the input that what is read begins with. */
  readonly from: number
  readonly bytes: TextBytes
}

/** Where a part's bytes are. */
export type TextBytes =
  /** Whole rows, sent along. */
  | { readonly kind: 'sent'; readonly bytes: Uint8Array }
  /** Rows that begin in [`from`, `to`) of the input; `isGuess` where `from` may be anywhere in a row. */
  | { readonly kind: 'range'; readonly input: InputDescriptor; readonly to: number; readonly isGuess: boolean }
  /** All from `from` on, in order: an input of other bytes than it is read as. */
  | { readonly kind: 'stream'; readonly input: InputDescriptor; readonly decode: ByteStreamOptions }

/** Rows that stay in the lanes of one engine. */
export interface HeldRows {
  readonly tableId: number
  /** The engine that holds them, compared by identity. */
  readonly owner: object
  readonly isOpen: () => boolean
}
