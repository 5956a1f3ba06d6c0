/**
 * What every aggregate is made of: an accumulator holds one state a group and takes rows, takes them back where that can be done, writes
 * states and merges them, and gives results. families.ts says which accumulator serves which aggregate; aggregation.ts drives them.
 */
import type { DataType } from '../../columnar/type.js'
import type { Kernels } from '../instance.js'
import type { LaneVector } from '../lane-vector.js'
import type { LaneDictionary } from '../text.js'
import type { StateReader, StateWriter } from './state-bytes.js'

/**
 * The expression tree (expressions/node.ts) has the same words; neither floor imports the other. A function's number in serialised states is its
 * place here: only ever append.
 */
export const AGGREGATE_FUNCTIONS = [
  'count',
  'sum',
  'mean',
  'min',
  'max',
  'countDistinct',
  'variance',
  'stddev',
  'covariance',
  'correlation',
  'slope',
  'first',
  'last',
  'any',
  'argMin',
  'argMax',
  'median',
  'quantile',
  'mode',
  'topK',
  'bottomK',
  'collectList',
  'join',
  'every',
  'some',
  'histogram',
  'approxCountDistinct',
  'approxQuantile',
  'approxTopK',
  'lastPlace',
] as const

export type AggregateFunction = (typeof AGGREGATE_FUNCTIONS)[number]

/** What an aggregate is told beside its inputs; each reads its own. Checked where aggregates are made: kernels trust it. */
export interface AggregateParameters {
  /** variance, stddev, covariance: over n instead of n - 1. */
  readonly population?: boolean
  /** quantile, approxQuantile: 0 to 1. */
  readonly q?: number
  /** topK, bottomK, approxTopK: how many, at least 1. */
  readonly n?: number
  /** join: what stands between two strings. */
  readonly separator?: string
  /** histogram: ascending edges, one more than there are bins. */
  readonly edges?: readonly number[]
  /** approxQuantile: relative error, from 1e-6 to below 1; 0.01 by default. */
  readonly error?: number
  /** approxCountDistinct: 4 to 18, registers are 2^precision; 14 by default. */
  readonly precision?: number
  /** argMax: 'last' of rows that tie, where it is said; else the first. */
  readonly ties?: 'last'
  /** approxTopK: counters kept a group, at least 1; by default four for each value wanted, and no fewer than 32. */
  readonly capacity?: number
}

export interface AggregateSpec {
  readonly function: AggregateFunction
  /** Types of the input columns; empty where rows are counted. */
  readonly inputs: readonly DataType[]
  /** Which of `update`'s inputs it reads: the same for the same columns under the same filter. */
  readonly inputIndex: number
  readonly parameters: AggregateParameters
  /** Names it in errors: `sum(price)`. */
  readonly label: string
}

/** The place of a row is that of its split, so many times over, and how many of the split came before: exact while there are fewer than 2^21 splits. */
export const SPLIT_WEIGHT = 2 ** 32

/** Rows on their way into an accumulator, at most 65,536. */
export interface AccumulatorRows {
  /** u32 pointer: row i is of group `groups[i]`; 0: all are of group 0. */
  readonly groups: number
  readonly rowCount: number
  /** In the order of the spec's inputs. */
  readonly vectors: readonly LaneVector[]
  /** Bitmap of the rows that count: no input is null, and a filter allows them; 0 where all do. Others are passed over. */
  readonly validity: number
  /** How many rows count; at least one. */
  readonly valueCount: number
  /**
   * Place of row 0 in the order of all rows, below 2^53; row i's is `position + i`. It ascends from call to call within a lane, and no two lanes
   * have the same.
   */
  readonly position: number
}

/** What not every lane has, but where a plan has needed it. */
export interface AggregateParts {
  readonly integers: Pick<typeof import('./sum-int.js'), 'createIntSum'>
  readonly extremes: Pick<typeof import('./min-max.js'), 'minMax'>
  readonly aggregates: Pick<typeof import('./families.js'), 'FAMILIES'>
}

/** What an accumulator may use. Strings that it keeps as codes need a dictionary where no column brings one: after a merge. */
export interface AccumulatorContext {
  readonly k: Kernels
  readonly parts: Partial<AggregateParts>
  readonly dictionaries: {
    create(): LaneDictionary
    retain(dictionary: LaneDictionary): void
    release(dictionary: LaneDictionary): void
  }
  /** Hears of states that are strings as they are made, and says which dictionary those begin with that have had no column yet; null: one of their own. */
  readonly texts?: (states: { known(): LaneDictionary | null }) => () => LaneDictionary | null
}

export interface Accumulator {
  /** How states are kept now, for `explain`: `float64 fixed 128`. */
  readonly kernel: string
  /** Groups beyond those there were begin empty. */
  resize(groupCount: number): void
  update(rows: AccumulatorRows): void
  /** Takes back rows that it has taken, in any order. Absent where that cannot be done. */
  retract?(rows: AccumulatorRows): void
  /** Appends the portable states of groups `groups[0..count)` (u32 pointer), or with 0 of the first `count`. */
  write(writer: StateWriter, groups: number, count: number): void
  /** Adds what `write` wrote: its state g to group `groupMap[g]` (u32 pointer), at most `most` of them to the same group. */
  merge(reader: StateReader, groupMap: number, count: number, most: number): void
  /**
   * The result of every group in scratch, `length` that of `resize`. Where its validity is 0 the groups in which no row counted become null;
   * an accumulator that has more nulls than these gives the whole bitmap. `counts` points to the rows that counted in each group, u64 each;
   * it is 0 unless the family asks for them.
   * @throws MillraceError what a result may call for, as `MR_INTEGER_OVERFLOW`
   */
  evaluate(spec: AggregateSpec, counts: number): LaneVector
  /** The same of groups `groups[0..count)` (u32 pointer) alone. Absent where that is not to be had sooner than all. */
  evaluateAt?(spec: AggregateSpec, groups: number, count: number): LaneVector
  /** Absent where states are no longer for more rows. */
  readonly shares?: StateShares
  free(): void
}

/** One of so many shares, of all groups: `groups[0..count)` (u32 pointer), or with 0 the first `count`. */
export interface Share {
  readonly share: number
  readonly shares: number
  /** Whether every lane has the same index for a group. */
  readonly areAlike: boolean
  readonly groups: number
  readonly count: number
}

/**
 * States that hold values, which lanes share out before one of them puts states together: each lane sends every other the values of its share, lets go of
 * those that are not of its own, and in the end writes no more than results need.
 */
export interface StateShares {
  /** Whether there are so many values that this is worth it. */
  readonly isMuch: boolean
  /** Whether shares are of groups, told by their indices: nothing is shared out where lanes have others. */
  readonly goByIndex: boolean
  /** Writes the values of a share, its groups as their places among those that are listed. */
  write(writer: StateWriter, share: Share): void
  /** Adds what `write` wrote: of its group g to group `groupMap[g]` (u32 pointer). */
  merge(reader: StateReader, groupMap: number): void
  /**
   * No more come: lets go of the values of other shares than this. Where it `handsOver`, the accumulator's `write` writes results rather than values from now
   * on.
   */
  end(share: Share, handsOver: boolean): void
}

/** One kind of accumulator, and which aggregates it serves. */
export interface Family {
  /** Whether `evaluate` needs to know how many rows counted. */
  readonly counts: boolean | ((spec: AggregateSpec) => boolean)
  /**
   * What two aggregates of the same inputs must have in common to share one accumulator: as a variance and a standard deviation do. The family's
   * name, and the parameters that its states depend on.
   */
  share(spec: AggregateSpec): string
  /** For `spec`, and if it is known for all of those that share it: some find the results of all at once. */
  create(context: AccumulatorContext, spec: AggregateSpec, sharing?: readonly AggregateSpec[]): Accumulator
}

export type Families = Readonly<Partial<Record<AggregateFunction, Family>>>

/** A result that is numbers in scratch. */
export const numbers = (type: DataType, length: number, data: number): LaneVector => ({
  type,
  length,
  data,
  validity: 0,
  dictionary: null,
  range: null,
})
