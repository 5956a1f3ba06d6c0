/** Which aggregates lanes can compute: the others are typed, planned and modelled already, and are run by no test until their kernels are there. */
import type { AggregateFunction } from '../src/expressions/node.js'
import { FAMILIES } from '../src/kernels/aggregate/families.js'

/** What an aggregate becomes in a lane, where that is another one. */
const LOWERED: Readonly<Partial<Record<AggregateFunction, AggregateFunction>>> = {
  any: 'first',
  every: 'min',
  some: 'max',
  median: 'quantile',
}

const SLOTS: readonly AggregateFunction[] = ['count', 'sum', 'mean']

export function hasLanded(name: AggregateFunction): boolean {
  const computed = LOWERED[name] ?? name
  return SLOTS.includes(computed) || Object.hasOwn(FAMILIES, computed)
}

/** Whether lanes group by sets of keys (`rollup`, `cube`). */
export const SETS_HAVE_LANDED = true

export const AGGREGATES: readonly AggregateFunction[] = [
  'count',
  'countDistinct',
  'sum',
  'mean',
  'min',
  'max',
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
]

/** Whether lanes can do all that a program's text calls. */
export const canRun = (text: string): boolean =>
  (hasLanded('collectList') || !text.includes('defineAggregate(')) &&
  (SETS_HAVE_LANDED || !/\.(rollup|cube)\(/.test(text)) &&
  AGGREGATES.every(name => hasLanded(name) || !new RegExp(`(?<![.\\w])${name}\\(`).test(text))
