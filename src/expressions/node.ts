/**
 * The expression tree: frozen, serialisable data, made by the api and read by typing, printing, rules and the operators.
 * Nothing here evaluates. Aggregates are another type of node (`AggregateExpression`), so they cannot be mixed by accident.
 *
 * A node says nothing about types; `typeOf` (typing.ts) derives them against a schema and refuses what does not fit.
 */
import type { DataType } from '../columnar/type.js'

/** int64 and timestamp literals are bigint, date literals are days as number; an untyped number is typed by its partner. */
export type LiteralValue = boolean | number | bigint | string | null

export type ArithmeticOp = 'add' | 'sub' | 'mul' | 'div' | 'intDiv' | 'mod'
export type CompareOp = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte'
export type TimePart = 'year' | 'month' | 'dayOfWeek' | 'hour'

export interface ColumnNode {
  readonly op: 'column'
  readonly name: string
  /** Of a column that the planner made, what was written for it: errors say this. */
  readonly label?: string
}
export interface LiteralNode {
  readonly op: 'literal'
  readonly value: LiteralValue
  /** Set once typing has settled it (and by the api where the JavaScript value leaves no doubt, such as a Date). */
  readonly type?: DataType
}
export interface BinaryNode {
  readonly op: ArithmeticOp | CompareOp
  readonly left: Expression
  readonly right: Expression
}
export interface LogicNode {
  readonly op: 'and' | 'or'
  readonly left: Expression
  readonly right: Expression
}
export interface UnaryNode {
  readonly op: 'not' | 'neg' | 'isNull' | TimePart
  readonly input: Expression
}
/** `input in values`; SQL's three-valued logic: a null input, or no match among values that hold a null, is null. */
export interface InNode {
  readonly op: 'in'
  readonly input: Expression
  readonly values: readonly LiteralNode[]
}
/** A conversion that typing inserts (never the user in this version): widening only, so it cannot fail. */
export interface CastNode {
  readonly op: 'cast'
  readonly input: Expression
  readonly type: DataType
}

/** A function of values (calls.ts). What it is told beside them, such as a unit or a pattern, is plain data. */
export interface CallNode {
  readonly op: 'call'
  readonly function: string
  readonly inputs: readonly Expression[]
  readonly parameters?: CallParameters
  /** Which of users' own kernels it is, where it is one. */
  readonly kernel?: UserKernelCall
  /** The result's: set by typing, since lanes derive no types. */
  readonly type?: DataType
  /** Which part of a lane computes it: set by typing. */
  readonly part?: CallPart
}
/** Parts of lanes that compute functions: operators/functions/. */
export type CallPart = 'numbers' | 'strings' | 'times' | 'conditions' | 'casts' | 'hashes' | 'userKernels'
export type CallParameters = Readonly<Record<string, string | number | bigint | boolean | null | DataType | undefined>>

/** A user's own kernel: what typing has to know of it, and lanes. */
export interface UserKernelCall {
  /** Tells it from all others of this thread. */
  readonly id: number
  readonly name: string
  /** kernels/user-kernel.ts; can be posted. */
  readonly module: object
  readonly inputs: readonly DataType[]
  readonly output: DataType
}

/** What a parameter is now, and who hears of it when that changes. */
export interface ParamCell {
  value: LiteralValue
  readonly listeners: Set<() => void>
}

/** A value that changes between jobs: typing puts in the literal that it then is, of this type. */
export interface ParamNode {
  readonly op: 'param'
  readonly cell: ParamCell
  readonly type: DataType
}

export type Expression =
  | ParamNode
  | ColumnNode
  | LiteralNode
  | BinaryNode
  | LogicNode
  | UnaryNode
  | InNode
  | CastNode
  | CallNode

export type AggregateFunction =
  | 'count'
  | 'countDistinct'
  | 'sum'
  | 'mean'
  | 'min'
  | 'max'
  | 'variance'
  | 'stddev'
  | 'covariance'
  | 'correlation'
  | 'slope'
  | 'first'
  | 'last'
  | 'any'
  | 'argMin'
  | 'argMax'
  | 'median'
  | 'quantile'
  | 'mode'
  | 'topK'
  | 'bottomK'
  | 'collectList'
  | 'join'
  | 'every'
  | 'some'
  | 'histogram'
  | 'approxCountDistinct'
  | 'approxQuantile'
  | 'approxTopK'
  /** Where the last row lies among all: not for users, but what `dedupe` puts the last rows in order by. */
  | 'lastPlace'

/** What is said of a row among others of its partition: in `over` only. */
export type OverFunction =
  | 'rowNumber'
  /** Rows of the partition behind the row: not for users, but what `lead` with a default is made of. */
  | 'rowsLeft'
  | 'rank'
  | 'denseRank'
  | 'percentRank'
  | 'ntile'
  | 'lag'
  | 'lead'
  | 'ewma'
  /** Whether no row before it for which that is true is within a time: not for users, but what `dedupe` within one is made of. */
  | 'spaced'

/** What an aggregate is told beside its inputs; each reads its own, and has them all where it has any. */
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
  /** approxQuantile: relative error, above 0 and below 1. */
  readonly error?: number
  /** approxCountDistinct: registers are 2^precision. approxTopK: counters kept a group. */
  readonly precision?: number
  readonly capacity?: number
  /** argMax, as `last` by event time: the last of rows that tie, where it is said. */
  readonly ties?: 'last'
  /** lag, lead: how many rows away, and what stands for a row that is not there. ntile: how many parts. */
  readonly rows?: number
  readonly default?: LiteralNode
  /** ewma: the weight of the row itself. */
  readonly alpha?: number
  /** spaced: in ticks. */
  readonly within?: bigint
}

export interface AggregateCall {
  readonly op: 'aggregate'
  readonly function: AggregateFunction | OverFunction
  /** None for `count()`, two where pairs of values count, else one. */
  readonly inputs: readonly Expression[]
  readonly parameters?: AggregateParameters
  /** A user's own aggregate, of functions: flows take it apart (api/user-aggregate.ts), and no plan has one. */
  readonly definition?: { readonly name: string }
  /** Only rows where it is true count. */
  readonly where?: Expression
}
/** Arithmetic between aggregates; evaluated once per group, after the aggregates. */
export interface AggregateArithmetic {
  readonly op: 'add' | 'sub' | 'mul' | 'div'
  readonly left: AggregateExpression
  readonly right: AggregateExpression
}
export type AggregateExpression = AggregateCall | AggregateArithmetic | LiteralNode

export interface OrderKey {
  readonly name: string
  readonly descending: boolean
  /** Default 'last', whatever the direction. */
  readonly nulls: 'first' | 'last'
}
