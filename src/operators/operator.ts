/**
 * The operator contract. Two kinds: a `Transform` maps a morsel to a morsel and remembers nothing; a `Breaker` must see all rows
 * before it gives any. Both are synchronous over a morsel and know no graph, no worker and no clock.
 *
 * A column keeps one dictionary from morsel to morsel within a job, and dictionaries live as long as the job; of a job that spills, each breaker has its
 * columns keep one until it spills (one-dictionary.ts).
 */
import { MORSEL_ROWS, type VectorBatch } from '../columnar/vector.js'
import type { MillraceError } from '../errors.js'
import type { LaneBatch, LeavingBatch } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { Spilled } from './spill.js'

/** The most rows of a morsel for a breaker that takes long ones. */
export const LONG_MORSEL_ROWS = 4 * MORSEL_ROWS

/** At most 65,536 rows in scratch or heap, on their way through a pipeline. */
export interface Morsel extends LeavingBatch {
  /** u32 pointer: the row of the morsel as it entered the pipeline that each row came from; 0: the same row. */
  readonly rows: number
  /** Whether the columns are those of a table that the job holds until its end: who keeps them need not copy them. */
  readonly isHeld?: boolean
}

export interface Transform {
  readonly label: string
  /** Kernels chosen so far, for `explain({ analyze: true })`. */
  kernels(): readonly string[]
  /** Null where no row is left. Results live in scratch. @throws RowFailure */
  apply(morsel: Morsel): Morsel | null
  /**
   * In the place of `apply`, where a morsel may become several, in the order of its rows; each is good until the next is asked for, and what lies in scratch
   * behind it is given back then. @throws RowFailure
   */
  expand?(morsel: Morsel): Iterable<Morsel>
  /** Where codes have been written out, or nobody keeps them: begins new dictionaries in the place of its own of at least so many bytes. */
  renew?(mostBytes: number): void
  /** Awaited before the first row. @throws (rejects) MillraceError */
  open?(): Promise<void>
  /** Rows that have been left out since the last time since they failed, for `listener` to hear of. */
  leftOut?(): LeftOut | null
  /** Of a join: its other side. */
  readonly side?: Side
  /** Where rows may have to be kept until all have come: what comes of them then. */
  readonly deferred?: {
    /** Of the morsels that come next: their split, and where their rows are in it, from `firstRow` on, at `places` (u32 pointer) of that, or with 0 side by side. */
    at(split: number, firstRow: number, places: number): void
    /** In order; null: others may have a turn. */
    emit(): Iterable<Deferred | null>
    /** In its place, where lanes must have to do with one another first. */
    exchange?(host: LastHost, give: (rows: Deferred) => void): Promise<void>
  }
  /** What it has written to its job's file. */
  readonly spilled?: Spilled
  free(): void
}

/** Rows that come after all others; `rows` of the morsel are their places in the split. */
export interface Deferred {
  readonly split: number
  readonly morsel: Morsel
}

/** Where the rows of a side go. */
export interface SideRows {
  /** Rows that this lane holds, and goes on to hold as long as the side is used; before any others. */
  hold(batch: LaneBatch, split: number): void
  /**
   * Rows from elsewhere, by default behind all that have come so. A column of strings may come as int32, if it is codes of `dictionaryOf` of that column.
   */
  add(batch: VectorBatch, split?: number): void
  /** By which a column's strings are coded; null where there is none yet. */
  dictionaryOf(column: number): LaneDictionary | null
}

/** The rows that a join looks things up in: they come before the job's own, and every lane has them all, unless they are `parted`. */
export interface Side {
  /** Among the plan's sides. */
  readonly index: number
  readonly rows: SideRows
  /** Where lanes may each have a share of rows that they hold. */
  readonly parted?: PartedSide | undefined
  /** Once all have come: a step at a time, others may have a turn between two. */
  prepare(): Iterable<unknown>
  /** Where rows that nobody met come out, after all others. */
  readonly unmatched?: {
    /** A byte a row: whether a row of this lane has met it. */
    marks(): Uint8Array<ArrayBuffer>
    /** The same of another lane. */
    absorb(marks: Uint8Array): void
    emit(): Iterable<Morsel>
  }
}

/** Rows of a side that a lane holds. */
export interface SharedChunk {
  readonly split: number
  readonly batch: LaneBatch
}

/** Rows of a side of which each lane has a share, by their keys, rather than all. */
export interface PartedSide {
  /**
   * Whether it is to be so, of `rowCount` rows of all lanes together that as many as `leftCount` may meet; `chunks` are those that this lane holds, of which its share is kept then.
   * `isCommon`: of each column whether all lanes have the same codes for the same strings.
   */
  begin(
    rowCount: number,
    leftCount: number,
    host: Pick<SideHost, 'lane' | 'peers'>,
    chunks: readonly SharedChunk[],
    isCommon: readonly boolean[],
  ): boolean
  /** Those of a chunk's rows that are of a lane's share, in scratch. */
  rowsFor(lane: number, batch: LaneBatch): LaneBatch
}

/** Of each column's dictionary, what tells it from others; null where it is to be sent in any case. */
export type CodePrints = readonly (string | null)[]

/** What is said from lane to lane beside the rows. */
export type SideMessage =
  /** Before its rows. */
  | { readonly type: 'codes'; readonly prints: CodePrints; readonly rowCount: number; readonly leftCount: number }
  /** Before keys are asked for: in how many rounds, and whether those of its share of rows are of one row each. */
  | { readonly type: 'parted'; readonly rounds: number; readonly isUnique: boolean }
  /** The last from a later lane to an earlier one: it has had everything. */
  | { readonly type: 'bye' }

/** What a lane's job does for it. */
export interface SideHost {
  readonly lane: number
  /** The other lanes. */
  readonly peers: readonly number[]
  /** Those rows that the job reads which this lane holds. */
  readonly input: readonly { readonly batch: LaneBatch }[]
  tell(to: number, message: SideMessage): void
  told(from: number): Promise<{ readonly type: string }>
  /** Sends parts, one by one, and says when they were all. */
  send(to: number, parts: Iterable<Part<LaneBatch>>): Promise<void>
  /** Takes parts until they were all. */
  receive(from: number, take: (part: Part<VectorBatch>) => void): Promise<void>
  /** Work at the job's expense. */
  charged<T>(work: () => T): T
}

/** What rows run through that come behind all others. */
export interface LastSegment {
  readonly transforms: readonly Transform[]
  readonly breaker: Breaker | null
}

/** What a lane's job does for it. */
export interface LastHost extends SideHost {
  /** The last split that was read in this lane; null behind a breaker, where the rows are of no split and no other lane has met any. */
  readonly lastSplit: number | null
  readonly noSplit: number
  met(message: MetMessage): void
  each<T>(items: Iterable<T>, use: (item: T) => boolean): Promise<void>
  process(segment: LastSegment, morsel: Morsel, split: number, failedSplit: number): void
}

/** Which rows of a side a lane has met. */
export interface MetMessage {
  readonly type: 'met'
  readonly side: number
  readonly marks: Uint8Array<ArrayBuffer>
  /** The last split that it has read. */
  readonly split: number
}

/** Rows that failed, and were left out. */
export interface LeftOut {
  readonly listener: number
  /** Rows are those of the morsel as it entered the pipeline. */
  readonly failures: readonly { readonly row: number; readonly error: MillraceError }[]
}

export interface Breaker {
  readonly label: string
  kernels(): readonly string[]
  /** Keeps what it needs of a morsel; `split` orders the rows: (split, order of arrival). Splits come in ascending order. */
  consume(morsel: Morsel, split: number): void
  /** Whether it had better be given long morsels, of rows that are as the job found them. */
  readonly takesLong?: boolean
  /**
   * Where it may be that not all rows are needed (a limit): takes a failure in the place that it has among the rows of `split`, to be thrown only if
   * the rows before it do not suffice. Others have no such method, and the failure is the job's at once.
   */
  defer?(failure: PositionedFailure, split: number): void
  /** Whether rows of this split and later ones can still matter after all that has been consumed. */
  wants(split: number): boolean
  /** In a lane that is not the first: all that it has kept, to be sent to the first. Null: others may have a turn. */
  handOver(): Iterable<Part<LaneBatch> | null>
  /** In the first lane: takes what another lane handed over. */
  absorb(part: Part<VectorBatch>): void
  /**
   * What follows from all rows, in order; a morsel is good until the next is asked for, and nothing between two of them is in scratch. Null where
   * there is none yet: others may have a turn.
   */
  emit(): Iterable<Morsel | null>
  /** Where the lanes may have to share what comes after all rows; else absent. */
  readonly exchange?: Exchange | OwnExchange
  /** What it has written to its job's file (spill.ts). */
  readonly spilled?: Spilled
  /** Idempotent. */
  free(): void
}

/**
 * Groups that outnumber what one lane had better hold: lanes part them by their keys, each finishes a share of the partitions, and results go back to
 * the lanes where their groups first appeared, so that each lane gives its own splits' groups. Lanes that kept few groups hand them over instead.
 */
export interface Exchange {
  readonly reorders?: undefined
  readonly carryOut?: undefined
  readonly metered?: undefined
  /** Whether this lane, which has all its rows, asks for it. */
  readonly wanted: boolean
  /** Whether it does so because it has spilled: then all that take part write what they have. */
  readonly spilled?: boolean
  /** Equal in lanes whose keys are packed and coded alike. */
  fingerprint(): string
  /** Where it has parted no rows yet, the values that its states hold: these may be shared out in the place of all that follows. */
  readonly states?: StatesToShare | null
  /** Splits of which this lane has groups, its own and those handed over to it, ascending. */
  splits(): readonly number[]
  /** Rows and groups that would be exchanged. */
  readonly size: number
  /**
   * Fixes what is exchanged. `common` where all fingerprints are equal, `size` what all lanes have together; the same in all of them. `spilled` where one
   * of them has: this lane, and the lane of each split. Returns how many partitions there are.
   */
  begin(common: boolean, size: number, spilled?: { readonly lane: number; readonly laneOfSplit: Uint32Array }): number
  /** Of partitions `first` to `end`: what another lane needs to finish them. */
  parts(first: number, end: number): Iterable<Part<LaneBatch>>
  /** Takes what `parts` or `results` of another lane gave. */
  receive(part: Part<VectorBatch>): void
  /** Finishes partitions, a few at a time. */
  finish(first: number, end: number): Iterable<unknown>
  /** Results of groups that first appeared in a lane: `lanes` has the lane of each split. */
  results(lane: number, lanes: Uint32Array): Iterable<Part<LaneBatch>>
  /** What this lane gives, in order; each morsel is of one split. */
  emit(lane: number, lanes: Uint32Array): Iterable<{ readonly split: number; readonly morsel: Morsel }>
}

/** Each lane sends the others the values of their shares, and then hands over what is left, as if it had never had more. */
export interface StatesToShare {
  readonly offer: StatesOffer
  /** What another lane needs to know of its share. `common`: whether all fingerprints are equal. */
  parts(share: number, shares: number, common: boolean): Iterable<Part<LaneBatch>>
  /** Takes what `parts` of another lane gave. */
  receive(part: Part<VectorBatch>): void
  /**
   * All has been sent and received: only the values of this share are kept. A lane that `handsOver` then has results to hand over, rather than values.
   */
  end(share: number, shares: number, common: boolean, handsOver: boolean): void
}

export interface StatesOffer {
  /** Equal in lanes in which the groups of equal keys have the same slot; of no use where they have none. */
  readonly fingerprint: string
  /** Whether nothing is worth sharing out unless fingerprints are equal. */
  readonly goesByIndex: boolean
}

/** The same of whole rows, which have a way of their own. */
export interface OwnExchange extends Pick<Exchange, 'wanted' | 'fingerprint' | 'splits' | 'size'> {
  readonly spilled?: undefined
  readonly states?: undefined
  /** Whether what a lane gives is not as of the splits that its rows came by: a failure has no place among those of other lanes. */
  readonly reorders: boolean
  /** All that lanes do together until each has given its share. */
  carryOut(host: ExchangeHost, terms: ExchangeTerms): Promise<void>
  /** The same, counted. */
  metered(meter: Meter): OwnExchange
}

/** Counts an operator's rows and time (workers/meter.ts). */
export interface Meter {
  took(batch: LaneBatch): void
  gave(batch: LaneBatch | null): void
  /** Does some work of the operator, timed and in its name. */
  run<T>(work: () => T): T
}

/** What a lane's job does for an exchange. */
export interface ExchangeHost {
  readonly lane: number
  /** Sends parts, one by one, and says when they were all. */
  send(to: number, parts: Iterable<Part<LaneBatch> | null>): Promise<void>
  /** Takes parts until they were all. */
  receive(from: number, take: (part: Part<VectorBatch>) => void): Promise<void>
  /** Item by item, in scratch, others having a turn between two. */
  each<T>(items: Iterable<T>, use: (item: T) => boolean): Promise<void>
  /** Work outside of all these, at the job's expense. */
  charged<T>(work: () => T): T
  /** A morsel of the answer. */
  give(morsel: Morsel, split: number): void
}

export interface ExchangeTerms {
  /** Lanes that take part, ascending. */
  readonly lanes: readonly number[]
  readonly common: boolean
  /** Whether any of them has spilled. */
  readonly spilled: boolean
  /** Whether it is the values of states that are shared out, and nothing else; and whether that is left, for it would be in vain. */
  readonly ofStates: boolean
  readonly isInVain: boolean
  /** What they have together. */
  readonly size: number
  readonly laneOfSplit: Uint32Array
}

/** What breakers send one another; `B` is the form of its batches: in a lane's memory, or on the way between two. */
export type Part<B> =
  /** `starts`: where each range begins that the rows are of, and the end (ranged-sort.ts). */
  | { readonly kind: 'rows'; readonly split: number; readonly batch: B; readonly starts?: Uint32Array<ArrayBuffer> }
  | { readonly kind: 'failure'; readonly split: number; readonly failure: PositionedFailure }
  | {
      readonly kind: 'groups'
      readonly groupCount: number
      /** Pairs (split, first group that appeared in it), ascending in both. */
      readonly appearance: Float64Array
      readonly keys: B
      readonly state: readonly Uint8Array[]
    }
  /** Rows or groups as they are in a file: of what, and what the bytes are, is between the two operators. */
  | {
      readonly kind: 'block'
      readonly of: number
      readonly rowCount: number
      readonly bytes: Uint8Array<ArrayBuffer>
    }
  | ({ readonly kind: 'partition' } & PartitionPart<B>)
  | ({ readonly kind: 'results' } & ResultsPart<B>)

/** What one lane sends another of some partitions, a share: rows, and groups of before rows were parted. */
export interface PartitionPart<B> {
  readonly share: number
  readonly rows: B | null
  readonly groups: { readonly keys: B; readonly state: readonly Uint8Array[] } | null
  /** No rows, and a column for each key that is a string: its dictionary. Null where all lanes have the same. */
  readonly dictionaries: B | null
}

/** Results on their way to the lane whose groups they are of. */
export interface ResultsPart<B> {
  readonly rows: B
  readonly dictionaries: B | null
}

/** An expression failed on a row, counted in the morsel as it entered the pipeline. */
export class RowFailure {
  constructor(
    readonly row: number,
    readonly error: MillraceError,
  ) {}
}

/** Where in the row order something happened; `row` counts from the split's first row. */
export interface Position {
  readonly split: number
  readonly row: number
}

/** A failure with its place among the rows of the source. */
export class PositionedFailure {
  constructor(
    readonly position: Position,
    readonly error: unknown,
  ) {}
}
