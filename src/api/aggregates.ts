/**
 * The aggregates of every kind of column: counts, sums, extremes, the first and the last, lists. Those of numbers alone are statistics.ts; what an
 * aggregate is, with `where` and arithmetic, is aggregate-expr.ts.
 */
import type { Bool, DataType, Int64, Utf8 } from '../columnar/type.js'
import { type AggregateExpr, aggregateCall } from './aggregate-expr.js'
import type { Expr, ScalarFamily } from './handles.js'
import { MOST_ITEMS, wholeNumber } from './options.js'
import { invalid, show } from './refusal.js'
import type { ListOf, MeanType, NullableIf, NullIfEither, SumType } from './types.js'

/**
 * Rows, or those where `expression` is not null: int64, never null.
 *
 * ```ts
 * flow.aggregate(t => ({ rows: count(), sized: count(t.size), bought: count().where(t.isBuy) }))
 * ```
 */
export function count(expression?: Expr<any>): AggregateExpr<Int64, Int64> {
  return aggregateCall('count', expression === undefined ? [] : [expression])
}

/**
 * The exact sum: int64 of integers (a total beyond it: `MR_INTEGER_OVERFLOW`), the correctly rounded float64 of floats.
 *
 * ```ts
 * flow.aggregate(t => ({ volume: sum(t.size), notional: sum(t.price.mul(t.size)) }))
 * ```
 */
export function sum<T extends DataType>(expression: Expr<T, 'number'>): AggregateExpr<SumType<T>> {
  return aggregateCall('sum', [expression])
}

/**
 * The exact sum over the count, rounded once.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ mean: mean(t.price) }))
 * ```
 */
export function mean<T extends DataType>(expression: Expr<T, 'number'>): AggregateExpr<MeanType<T>> {
  return aggregateCall('mean', [expression])
}

/**
 * The least value, of any type; strings by their bytes. NaN only where there is nothing else.
 *
 * ```ts
 * flow.aggregate(t => ({ cheapest: min(t.price), first: min(t.time), name: min(t.symbol) }))
 * ```
 */
export function min<T extends DataType>(expression: Expr<T, ScalarFamily>): AggregateExpr<T> {
  return aggregateCall('min', [expression])
}

/**
 * The greatest value, of any type; strings by their bytes. NaN is greater than every number.
 *
 * ```ts
 * flow.aggregate(t => ({ range: max(t.price).sub(min(t.price)) }))
 * ```
 */
export function max<T extends DataType>(expression: Expr<T, ScalarFamily>): AggregateExpr<T> {
  return aggregateCall('max', [expression])
}

/**
 * How many different values there are: int64, never null. Nulls are not counted, NaN is one value, and so is zero.
 *
 * ```ts
 * flow.aggregate(t => ({ symbols: countDistinct(t.symbol) }))
 * ```
 */
export function countDistinct(expression: Expr<any, ScalarFamily>): AggregateExpr<Int64, Int64> {
  return aggregateCall('countDistinct', [expression])
}

/**
 * The value of the first row, in row order, that has one.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ open: first(t.price), size: first(t.size) }))
 * ```
 */
export function first<T extends DataType>(expression: Expr<T, ScalarFamily>): AggregateExpr<T> {
  return aggregateCall('first', [expression])
}

/**
 * The value of the last row, in row order, that has one.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ close: last(t.price) }))
 * ```
 */
export function last<T extends DataType>(expression: Expr<T, ScalarFamily>): AggregateExpr<T> {
  return aggregateCall('last', [expression])
}

/**
 * Some value of the group, for columns that have only one in it. It is that of the first row that has one, so it is the same from run to run.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ price: any(t.price) }))
 * ```
 */
export function any<T extends DataType>(expression: Expr<T, ScalarFamily>): AggregateExpr<T> {
  return aggregateCall('any', [expression])
}

/**
 * `value` in the row where `by` is least; of several such rows, in the earliest. Rows where either is null do not count.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ cheapestAt: argMin(t.time, t.price) }))
 * ```
 */
export function argMin<T extends DataType, B extends DataType>(
  value: Expr<T, ScalarFamily>,
  by: Expr<B, ScalarFamily>,
): AggregateExpr<NullIfEither<T, B>> {
  return aggregateCall('argMin', [value, by])
}

/**
 * `value` in the row where `by` is greatest, NaN being greater than every number; of several such rows, in the earliest. Rows where either is
 * null do not count.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ dearestAt: argMax(t.time, t.price) }))
 * ```
 */
export function argMax<T extends DataType, B extends DataType>(
  value: Expr<T, ScalarFamily>,
  by: Expr<B, ScalarFamily>,
): AggregateExpr<NullIfEither<T, B>> {
  return aggregateCall('argMax', [value, by])
}

/**
 * The most frequent value; of several equally frequent, the least.
 *
 * ```ts
 * flow.aggregate(t => ({ busiest: mode(t.symbol) }))
 * ```
 */
export function mode<T extends DataType>(expression: Expr<T, ScalarFamily>): AggregateExpr<T> {
  return aggregateCall('mode', [expression])
}

/**
 * The `n` greatest values, the greatest first, as a list; all of them where there are fewer. NaN is greater than every number.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ dearest: topK(t.price, 3) }))
 * ```
 * @param n from 1 to 1,048,576
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function topK<T extends DataType>(expression: Expr<T, ScalarFamily>, n: number): AggregateExpr<ListOf<T>> {
  return aggregateCall('topK', [expression], { n: listLength('topK', n) })
}

/**
 * The `n` least values, the least first, as a list; all of them where there are fewer.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ cheapest: bottomK(t.price, 3) }))
 * ```
 * @param n from 1 to 1,048,576
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function bottomK<T extends DataType>(expression: Expr<T, ScalarFamily>, n: number): AggregateExpr<ListOf<T>> {
  return aggregateCall('bottomK', [expression], { n: listLength('bottomK', n) })
}

/**
 * All values that are not null, in row order, as a list.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ prices: collectList(t.price) }))
 * ```
 */
export function collectList<T extends DataType>(expression: Expr<T, ScalarFamily>): AggregateExpr<ListOf<T>> {
  return aggregateCall('collectList', [expression])
}

/**
 * All strings that are not null, in row order, with `separator` between them.
 *
 * ```ts
 * flow.aggregate(t => ({ tape: join(t.symbol), path: join(t.symbol, ' > ') }))
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function join<T extends DataType>(
  expression: Expr<T, 'string'>,
  separator = ',',
): AggregateExpr<NullableIf<Utf8, T['nullable']>> {
  if (typeof separator !== 'string')
    throw invalid('join', `separator is a string, as in join(t.x, ', '), not ${show(separator)}`)
  return aggregateCall('join', [expression], { separator })
}

/**
 * Whether all values are true; nulls do not count.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ onlyBought: every(t.isBuy), dear: every(t.price.gt(10)) }))
 * ```
 */
export function every<T extends DataType>(
  expression: Expr<T, 'boolean'>,
): AggregateExpr<NullableIf<Bool, T['nullable']>> {
  return aggregateCall('every', [expression])
}

/**
 * Whether some value is true; nulls do not count.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ bought: some(t.isBuy), dear: some(t.price.gt(1000)) }))
 * ```
 */
export function some<T extends DataType>(
  expression: Expr<T, 'boolean'>,
): AggregateExpr<NullableIf<Bool, T['nullable']>> {
  return aggregateCall('some', [expression])
}

const listLength = (name: 'topK' | 'bottomK', n: unknown): number =>
  wholeNumber(name, 'n', n, 1, MOST_ITEMS, "; for more rows sort: orderBy(desc('x')).limit(n)")
