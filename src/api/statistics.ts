/**
 * The aggregates of numbers: spread, relation, quantiles, histograms; and the approximate ones, whose state stays small however many rows there are.
 * Moments are of exact sums, rounded once, so no result depends on the order of rows.
 */
import type { DataType, Float64, Int64, List, Nullable } from '../columnar/type.js'
import { type AggregateExpr, aggregateCall } from './aggregate-expr.js'
import type { Expr, ScalarFamily } from './handles.js'
import { MOST_ITEMS, optionsOf, wholeNumber } from './options.js'
import { invalid, isPlainRecord, show } from './refusal.js'
import type { ListOf, MeanType, NullableIf } from './types.js'

/** Of variance, stddev and covariance. */
export interface SpreadOptions<P extends boolean = boolean> {
  /** Over n, the rows being all there are; by default over n - 1, the rows being a sample. */
  readonly population?: P
}

/** Of one row a sample has no spread, which is null. */
type SpreadType<T extends DataType, P> = [P] extends [true] ? MeanType<T> : Nullable<Float64>

/**
 * The variance of the sample, null of fewer than two rows; with `{ population: true }` that of the population, 0 of one row. NaN where a value is
 * NaN or infinite.
 *
 * ```ts
 * flow.aggregate(t => ({ sample: variance(t.price), all: variance(t.price, { population: true }) }))
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function variance<T extends DataType, P extends boolean = false>(
  expression: Expr<T, 'number'>,
  options?: SpreadOptions<P>,
): AggregateExpr<SpreadType<T, P>> {
  return aggregateCall('variance', [expression], population('variance', options))
}

/**
 * The standard deviation: the root of the `variance`, with the same options.
 *
 * ```ts
 * flow.aggregate(t => ({ spread: stddev(t.price).div(mean(t.price)) }))
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function stddev<T extends DataType, P extends boolean = false>(
  expression: Expr<T, 'number'>,
  options?: SpreadOptions<P>,
): AggregateExpr<SpreadType<T, P>> {
  return aggregateCall('stddev', [expression], population('stddev', options))
}

/**
 * The covariance of the sample, null of fewer than two rows; with `{ population: true }` that of the population. Rows where either is null do not
 * count.
 *
 * ```ts
 * flow.aggregate(t => ({ together: covariance(t.price, t.size) }))
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function covariance<Y extends DataType, X extends DataType, P extends boolean = false>(
  y: Expr<Y, 'number'>,
  x: Expr<X, 'number'>,
  options?: SpreadOptions<P>,
): AggregateExpr<SpreadType<Y | X, P>> {
  return aggregateCall('covariance', [y, x], population('covariance', options))
}

/**
 * Pearson's correlation, from -1 to 1; null of fewer than two rows, and where one of the two does not vary. Rows where either is null do not count.
 *
 * ```ts
 * flow.aggregate(t => ({ r: correlation(t.price, t.size) }))
 * ```
 */
export function correlation(y: Expr<any, 'number'>, x: Expr<any, 'number'>): AggregateExpr<Nullable<Float64>> {
  return aggregateCall('correlation', [y, x])
}

/**
 * The slope of the line fitted to (x, y) by least squares, as SQL's `regr_slope(y, x)`; null of fewer than two rows, and where `x` does not vary.
 * Rows where either is null do not count.
 *
 * ```ts
 * flow.aggregate(t => ({ perPiece: slope(t.price, t.size) }))
 * ```
 */
export function slope(y: Expr<any, 'number'>, x: Expr<any, 'number'>): AggregateExpr<Nullable<Float64>> {
  return aggregateCall('slope', [y, x])
}

/**
 * The value in the middle: `quantile(x, 0.5)`.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ price: median(t.price) }))
 * ```
 */
export function median<T extends DataType>(expression: Expr<T, 'number'>): AggregateExpr<MeanType<T>> {
  return aggregateCall('median', [expression])
}

/**
 * The value below which the share `q` of all values lies, interpolated linearly between the two nearest. NaN is greater than every number.
 *
 * ```ts
 * flow.aggregate(t => ({ low: quantile(t.price, 0.05), high: quantile(t.price, 0.95) }))
 * ```
 * @param q from 0, the least value, to 1, the greatest
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function quantile<T extends DataType>(expression: Expr<T, 'number'>, q: number): AggregateExpr<MeanType<T>> {
  return aggregateCall('quantile', [expression], { q: share('quantile', q) })
}

/** Bins of equal width, from `min` to `max`. */
export interface Bins {
  readonly min: number
  readonly max: number
  readonly bins: number
}

/**
 * How many values fall into each bin, as a list of int64: bins are `[edge, next edge)`, the last one with its upper edge, as NumPy has it. Values outside
 * them, and NaN, are not counted.
 *
 * ```ts
 * flow.aggregate(t => ({ byEdges: histogram(t.price, [0, 10, 20, 50]), even: histogram(t.size, { min: 0, max: 500, bins: 10 }) }))
 * ```
 * @param bins ascending edges, one more than there are bins, or bins of equal width
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function histogram<T extends DataType>(
  expression: Expr<T, 'number'>,
  bins: readonly number[] | Bins,
): AggregateExpr<NullableIf<List<Int64>, T['nullable']>> {
  return aggregateCall('histogram', [expression], { edges: edgesOf(bins) })
}

/**
 * About how many different values there are: int64, never null. The standard error is 1.04 / sqrt(2^precision), 0.8 % by default.
 *
 * ```ts
 * flow.aggregate(t => ({ symbols: approxCountDistinct(t.symbol) }))
 * ```
 * @param options `precision`: from 4 to 18; a group takes up to 2^precision bytes. Of 4 counts are some 7 % too high on average, and the standard error is 0.3
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function approxCountDistinct(
  expression: Expr<any, ScalarFamily>,
  options: { readonly precision?: number } = {},
): AggregateExpr<Int64, Int64> {
  const name = 'approxCountDistinct'
  const { precision = 14 } = optionsOf(name, options, '{ precision: 12 }', ['precision'])
  return aggregateCall(name, [expression], { precision: wholeNumber(name, 'precision', precision, 4, 18) })
}

/**
 * About the value below which the share `q` of all values lies: within `error`, relative to it, of a value of that rank. Numbers nearer to 0 than 2.2e-308 are taken for it.
 *
 * ```ts
 * flow.aggregate(t => ({ slowest: approxQuantile(t.price, 0.99), finer: approxQuantile(t.price, 0.99, { error: 0.001 }) }))
 * ```
 * @param options `error`: relative, from 0.0001 to 0.5; by default 0.01
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function approxQuantile<T extends DataType>(
  expression: Expr<T, 'number'>,
  q: number,
  options: { readonly error?: number } = {},
): AggregateExpr<MeanType<T>> {
  const name = 'approxQuantile'
  const { error = 0.01 } = optionsOf(name, options, '{ error: 0.01 }', ['error'])
  if (!(typeof error === 'number' && error >= 1e-4 && error <= 0.5))
    throw invalid(name, `error is a number from 0.0001 to 0.5, relative to the result, not ${show(error)}`)
  return aggregateCall(name, [expression], { q: share(name, q), error })
}

/**
 * About the `n` most frequent values, the most frequent first, as a list: the same however many lanes read the input's splits, but where the `memory` of the job has
 * groups written in the middle of one, and within the same bounds then. Where values are many and none of them is frequent there may be fewer than `n` that can be told.
 *
 * ```ts
 * flow.aggregate(t => ({ busiest: approxTopK(t.symbol, 10) }))
 * ```
 * @param n from 1 to 1,048,576
 * @param options `capacity`: values counted at a time of each group and split, at least `n`; more are more exact. By default 8 n, at least 64. A value that makes up more
 * than 1 / capacity of the rows is counted always, and no count is off by more
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function approxTopK<T extends DataType>(
  expression: Expr<T, ScalarFamily>,
  n: number,
  options: { readonly capacity?: number } = {},
): AggregateExpr<ListOf<T>> {
  const name = 'approxTopK'
  wholeNumber(name, 'n', n, 1, MOST_ITEMS)
  const { capacity = Math.min(MOST_ITEMS, Math.max(64, 8 * n)) } = optionsOf(name, options, '{ capacity: 1000 }', [
    'capacity',
  ])
  return aggregateCall(name, [expression], { n, capacity: wholeNumber(name, 'capacity', capacity, n, MOST_ITEMS) })
}

function population(name: string, options: SpreadOptions = {}): { readonly population: boolean } {
  const { population: given = false } = optionsOf(name, options, '{ population: true }', ['population'])
  if (typeof given !== 'boolean') throw invalid(name, `population is true or false, not ${show(given)}`)
  return { population: given }
}

function share(name: string, q: unknown): number {
  if (typeof q === 'number' && q >= 0 && q <= 1) return q + 0
  const hint = typeof q === 'number' && q > 1 && q <= 100 ? `; ${q} percent is ${q / 100}` : ''
  throw invalid(name, `q is a number from 0 to 1, as in ${name}(t.x, 0.5), not ${show(q)}${hint}`)
}

function edgesOf(bins: unknown): readonly number[] {
  const given: unknown[] = Array.isArray(bins) ? Array.from(bins) : evenEdges(bins)
  const isAscending = given.every((edge, i) => typeof edge === 'number' && (i === 0 || edge > (given[i - 1] as number)))
  if (!isAscending || given.length < 2 || given.length > MOST_ITEMS + 1) {
    const hint = Array.isArray(bins) ? '' : '; these bins are too narrow to be told apart'
    throw invalid(
      'histogram',
      `edges are at least two ascending numbers, one more than there are bins, as in [0, 10, 100]${hint}`,
    )
  }
  return Object.freeze(given.map(edge => (edge as number) + 0))
}

/** As `numpy.linspace` has them. */
function evenEdges(given: unknown): number[] {
  const example = '{ min: 0, max: 100, bins: 20 }'
  if (!isPlainRecord(given))
    throw invalid('histogram', `bins are an array of edges, or an object such as ${example}, not ${show(given)}`)
  const { min, max, bins } = optionsOf('histogram', given as Partial<Bins>, example, ['min', 'max', 'bins'])
  const width = (max as number) - (min as number)
  if (typeof min !== 'number' || typeof max !== 'number' || !(width > 0 && width < Infinity))
    throw invalid('histogram', `min and max are numbers, min less than max, as in ${example}`)
  const count = wholeNumber('histogram', 'bins', bins, 1, MOST_ITEMS)
  return Array.from({ length: count + 1 }, (_, i) => (i === count ? max : i * (width / count) + min))
}
