/**
 * The operator contract. Two kinds: a `Transform` maps a morsel to a morsel and remembers nothing; a `Breaker` must see all rows
 * before it gives any. Both are synchronous over a morsel and know no graph, no worker and no clock.
 *
 * A column keeps one dictionary from morsel to morsel within a job, and dictionaries live as long as the job.
 */
import type { VectorBatch } from '../columnar/vector.js'
import type { MillraceError } from '../errors.js'
import type { LaneBatch } from '../kernels/lane-vector.js'

/** At most 65,536 rows in scratch or heap, on their way through a pipeline. */
export interface Morsel extends LaneBatch {
  /** u32 pointer: the row of the morsel as it entered the pipeline that each row came from; 0: the same row. */
  readonly rows: number
}

export interface Transform {
  readonly label: string
  /** Kernels chosen so far, for `explain({ analyze: true })`. */
  kernels(): readonly string[]
  /** Null where no row is left. Results live in scratch. @throws RowFailure */
  apply(morsel: Morsel): Morsel | null
  free(): void
}

export interface Breaker {
  readonly label: string
  kernels(): readonly string[]
  /** Keeps what it needs of a morsel; `split` orders the rows: (split, order of arrival). Splits come in ascending order. */
  consume(morsel: Morsel, split: number): void
  /**
   * Where it may be that not all rows are needed (a limit): takes a failure in the place that it has among the rows of `split`, to be thrown only if
   * the rows before it do not suffice. Others have no such method, and the failure is the job's at once.
   */
  defer?(failure: PositionedFailure, split: number): void
  /** Whether rows of this split and later ones can still matter after all that has been consumed. */
  wants(split: number): boolean
  /** In a lane that is not the first: all that it has kept, to be sent to the first. */
  handOver(): Iterable<Part<LaneBatch>>
  /** In the first lane: takes what another lane handed over. */
  absorb(part: Part<VectorBatch>): void
  /**
   * What follows from all rows, in order; a morsel is good until the next is asked for, and nothing between two of them is in scratch. Null where
   * there is none yet: others may have a turn.
   */
  emit(): Iterable<Morsel | null>
  /** Idempotent. */
  free(): void
}

/** What breakers send one another; `B` is the form of its batches: in a lane's memory, or on the way between two. */
export type Part<B> =
  | { readonly kind: 'rows'; readonly split: number; readonly batch: B }
  | { readonly kind: 'failure'; readonly split: number; readonly failure: PositionedFailure }
  | {
      readonly kind: 'groups'
      readonly groupCount: number
      /** Pairs (split, first group that appeared in it), ascending in both. */
      readonly appearance: Float64Array
      readonly keys: B
      readonly state: Uint8Array
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
