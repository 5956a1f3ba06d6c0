/**
 * `over` and the functions that stand in it alone: ranks, rows before and after, a mean that forgets. Aggregates stand in it too, over frames of rows; they are those of
 * aggregates.ts and statistics.ts.
 */
import type { DataType, Float64, Int64, SchemaShape } from '../columnar/type.js'
import type { Frame, FrameBound, OverNode, PlanNode } from '../plan/logical.js'
import { overNode } from '../plan/over.js'
import { type AggregateExpr, aggregateCall, usersIn } from './aggregate-expr.js'
import { aggregatesOf } from './callbacks.js'
import { literalOf } from './columns.js'
import type { Expr } from './handles.js'
import { optionsOf, wholeNumber } from './options.js'
import { type Order, ordersOf } from './orders.js'
import { invalid, mismatch, show } from './refusal.js'
import type { Chosen, Literal, MeanType, OrNull } from './types.js'

/** Rows before or after a row that `lag`, `lead` and frames of rows may reach. */
const MOST_ROWS = 2 ** 32

/** Partitions, their order, and what aggregates are over. */
export interface OverOptions<N extends string = string> {
  /** Columns: rows with equal values in them are a partition. Left out: all rows are one. */
  readonly partitionBy?: N | readonly N[]
  /** As for `flow.orderBy`. Left out: rows are in their own order. */
  readonly orderBy?: N | Order<N> | readonly (N | Order<N>)[]
  /** A frame in rows, counted from the row itself: `[-2, 0]` is it and the two before; null is as far as the partition goes. */
  readonly rows?: readonly [from: number | null, to: number | null]
  /**
   * A frame in values of the only order column, in its unit: `[-10, 0]` has the rows whose value is up to 10 less, and all peers. Of times also a duration, `['-5m', 0]`
   * (ns us ms s m h d w).
   */
  readonly range?: readonly [from: number | string | null, to: number | string | null]
}

export function overOf(input: PlanNode, schema: SchemaShape | null, options: OverOptions, columns: unknown): OverNode {
  const { partitionBy, orderBy, rows, range } = optionsOf(
    'over',
    options,
    "{ partitionBy: 'symbol', orderBy: 'time' }",
    ['partitionBy', 'orderBy', 'rows', 'range'],
  )
  if (rows !== undefined && range !== undefined) throw invalid('over', 'a frame is in rows or a range, not both')
  const frame = rows === undefined ? frameOf('range', range) : frameOf('rows', rows)
  const orders = ordersOf('over', listOf(orderBy))
  const named = aggregatesOf(columns, 'over')
  for (const { expression } of named) {
    const user = usersIn(expression)[0]
    if (user !== undefined)
      throw invalid(
        'over',
        `${user.name} is of groups only; group by the keys of the partition and join, or take one of the library's own`,
      )
  }
  return overNode(input, schema, { partitionBy: listOf(partitionBy) as string[], orders, frame }, named)
}

const listOf = (given: unknown): readonly unknown[] =>
  given === undefined ? [] : Array.isArray(given) ? given : [given]

function frameOf(unit: Frame['unit'], given: unknown): Frame | null {
  if (given === undefined) return null
  const isBound = (bound: unknown): bound is FrameBound =>
    bound === null || typeof bound === 'number' || (unit === 'range' && typeof bound === 'string')
  if (!Array.isArray(given) || given.length !== 2 || !given.every(isBound))
    throw invalid(
      'over',
      `${unit} is from where to where, as in ${unit}: [-2, 0], null for as far as it goes, not ${show(given)}`,
    )
  return { unit, from: given[0], to: given[1] }
}

/** Whether a frame always has the row itself. */
export type HasSelf<O> = O extends { readonly rows: readonly [infer F, infer T] }
  ? Both<NotAfter<F>, NotBefore<T>>
  : O extends { readonly range: readonly [infer F, infer T] }
    ? Both<NotAfter<F>, NotBefore<T>>
    : true

type Both<A, B> = [A, B] extends [true, true] ? true : false
type NotAfter<B> = B extends null
  ? true
  : B extends 0
    ? true
    : B extends number | string
      ? `${B}` extends `-${string}`
        ? true
        : false
      : false
type NotBefore<B> = B extends null
  ? true
  : B extends number | string
    ? string extends `${B}`
      ? false
      : number extends B
        ? false
        : `${B}` extends `-${string}`
          ? false
          : true
    : false

/**
 * The place of a row in its partition, from 1 on: int64. In `over` only.
 *
 * ```ts
 * flow.over({ partitionBy: 'symbol', orderBy: 'time' }, () => ({ nth: rowNumber() }))
 * ```
 */
export function rowNumber(): AggregateExpr<Int64, Int64> {
  return aggregateCall('rowNumber', [])
}

/**
 * 1 and how many rows of the partition come before the row and its peers, those of equal order: 1, 2, 2, 4. In `over` with an order only.
 *
 * ```ts
 * flow.over({ orderBy: desc('price') }, () => ({ rank: rank(), dense: denseRank(), percent: percentRank() }))
 * ```
 */
export function rank(): AggregateExpr<Int64, Int64> {
  return aggregateCall('rank', [])
}

/**
 * How many different orders there are up to the row's: 1, 2, 2, 3. In `over` with an order only.
 *
 * ```ts
 * flow.over({ orderBy: 'price' }, () => ({ level: denseRank() }))
 * ```
 */
export function denseRank(): AggregateExpr<Int64, Int64> {
  return aggregateCall('denseRank', [])
}

/**
 * `(rank - 1) / (rows - 1)` of the partition, from 0 to 1; 0 where it has one row. In `over` with an order only.
 *
 * ```ts
 * flow.over({ orderBy: 'price' }, () => ({ below: percentRank() }))
 * ```
 */
export function percentRank(): AggregateExpr<Float64, Float64> {
  return aggregateCall('percentRank', [])
}

/**
 * In which of `n` parts of the partition a row is, from 1 on: parts are as long as one another, the first ones by a row longer where it does not come out even.
 *
 * ```ts
 * flow.over({ orderBy: 'price' }, () => ({ quarter: ntile(4) }))
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function ntile(n: number): AggregateExpr<Int64, Int64> {
  return aggregateCall('ntile', [], { rows: wholeNumber('ntile', 'n', n, 1, MOST_ROWS) })
}

/**
 * The value of the row `n` rows before in the partition; null, or `missing`, where there is none. In `over` only.
 *
 * ```ts
 * flow.over({ partitionBy: 'symbol', orderBy: 'time' }, t => ({ change: first(t.price), before: lag(t.price), two: lag(t.price, 2, 0) }))
 * ```
 * @param missing a value like those of the column
 * @throws MillraceError `MR_INVALID_OPTION`, `MR_TYPE_MISMATCH`
 */
export function lag<T extends DataType>(expression: Expr<T>, n?: number): AggregateExpr<OrNull<T>, OrNull<T>>
export function lag<T extends DataType, const M extends Literal>(
  expression: Expr<T>,
  n: number,
  missing: M,
): AggregateExpr<Chosen<Expr<T> | M>, Chosen<Expr<T> | M>>
export function lag(expression: Expr<any>, n = 1, missing?: Literal): AggregateExpr<any, any> {
  return shifted('lag', expression, n, missing)
}

/**
 * The value of the row `n` rows after in the partition; null, or `missing`, where there is none. In `over` only.
 *
 * ```ts
 * flow.over({ partitionBy: 'symbol', orderBy: 'time' }, t => ({ next: lead(t.price) }))
 * ```
 * @param missing a value like those of the column
 * @throws MillraceError `MR_INVALID_OPTION`, `MR_TYPE_MISMATCH`
 */
export function lead<T extends DataType>(expression: Expr<T>, n?: number): AggregateExpr<OrNull<T>, OrNull<T>>
export function lead<T extends DataType, const M extends Literal>(
  expression: Expr<T>,
  n: number,
  missing: M,
): AggregateExpr<Chosen<Expr<T> | M>, Chosen<Expr<T> | M>>
export function lead(expression: Expr<any>, n = 1, missing?: Literal): AggregateExpr<any, any> {
  return shifted('lead', expression, n, missing)
}

function shifted(name: 'lag' | 'lead', expression: Expr<any>, n: number, missing?: Literal): AggregateExpr<any, any> {
  const rows = wholeNumber(name, 'n', n, 0, MOST_ROWS)
  const literal = missing === undefined ? undefined : literalOf(missing, name)
  if (literal !== undefined && literal.op !== 'literal')
    throw mismatch(name, `${name}: what stands for a missing row is a value, not an expression`)
  return aggregateCall(name, [expression], { rows, ...(literal === undefined ? {} : { default: literal }) })
}

/** How fast `ewma` forgets: the weight of each row, or after how many rows half is forgotten, or 2 / alpha - 1. */
export type EwmaOptions =
  | { readonly alpha: number; readonly halfLife?: undefined; readonly span?: undefined }
  | { readonly halfLife: number; readonly alpha?: undefined; readonly span?: undefined }
  | { readonly span: number; readonly alpha?: undefined; readonly halfLife?: undefined }

/**
 * The exponentially weighted mean of the values up to the row: the first as it is, then `alpha * value + (1 - alpha) * mean`. A null leaves the mean as it was. float64. In
 * `over` only.
 *
 * ```ts
 * flow.over({ partitionBy: 'symbol', orderBy: 'time' }, t => ({ smooth: ewma(t.price, { span: 20 }) }))
 * ```
 * @param options `alpha` above 0, at most 1; `halfLife` above 0; `span` at least 1
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function ewma<T extends DataType>(
  expression: Expr<T, 'number'>,
  options: EwmaOptions,
): AggregateExpr<MeanType<T>, MeanType<T>> {
  const given = optionsOf('ewma', options, '{ alpha: 0.1 }', ['alpha', 'halfLife', 'span'])
  const told = Object.entries(given).filter(([, value]) => value !== undefined)
  if (told.length !== 1) throw invalid('ewma', 'say one of alpha, halfLife and span, as in { alpha: 0.1 }')
  const [name, value] = told[0] as [string, number]
  const least = name === 'span' ? 1 : Number.MIN_VALUE
  if (!(typeof value === 'number' && value >= least && value <= (name === 'alpha' ? 1 : Number.MAX_VALUE)))
    throw invalid(
      'ewma',
      `${name} is a number ${name === 'span' ? 'from 1' : 'above 0'}${name === 'alpha' ? ' and up to 1' : ''}, not ${show(value)}`,
    )
  const alpha = name === 'alpha' ? value : name === 'span' ? 2 / (value + 1) : 1 - 0.5 ** (1 / value)
  return aggregateCall('ewma', [expression], { alpha })
}
