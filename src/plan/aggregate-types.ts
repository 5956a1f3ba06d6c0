/** What each aggregate takes and gives, and which of them are others by another name. accumulate.ts makes accumulators of them. */
import { type DataType, float64, int64, isFloat, isNumber, list } from '../columnar/type.js'
import type { AggregateCall, AggregateFunction, AggregateParameters, OverFunction } from '../expressions/node.js'

export const OVER_FUNCTIONS: readonly OverFunction[] = [
  'rowNumber',
  'rowsLeft',
  'rank',
  'denseRank',
  'percentRank',
  'ntile',
  'lag',
  'lead',
  'ewma',
  'spaced',
]

export const isOver = (name: AggregateFunction | OverFunction): name is OverFunction =>
  OVER_FUNCTIONS.includes(name as OverFunction)

/** The family of column that an aggregate takes; `scalar`: all but lists and structs. */
export type Takes = 'any' | 'scalar' | 'number' | 'string' | 'boolean'

const TAKES: Readonly<Partial<Record<AggregateFunction | OverFunction, Takes>>> = {
  lag: 'any',
  lead: 'any',
  ewma: 'number',
  count: 'any',
  sum: 'number',
  mean: 'number',
  variance: 'number',
  stddev: 'number',
  covariance: 'number',
  correlation: 'number',
  slope: 'number',
  median: 'number',
  quantile: 'number',
  histogram: 'number',
  approxQuantile: 'number',
  join: 'string',
  every: 'boolean',
  some: 'boolean',
}

export const takenBy = (name: AggregateFunction | OverFunction): Takes => TAKES[name] ?? 'scalar'

export function isTakenBy(name: AggregateFunction | OverFunction, { kind }: DataType): boolean {
  const takes = takenBy(name)
  if (takes === 'number') return isNumber(kind)
  if (takes === 'string') return kind === 'utf8'
  if (takes === 'boolean') return kind === 'bool'
  return takes === 'any' || (kind !== 'list' && kind !== 'struct')
}

/** The type of a result that is not null, over an input that `isTakenBy`. */
export function resultType(name: AggregateFunction, { nullable: _, ...rest }: DataType): DataType {
  const type = Object.freeze({ ...rest, nullable: false })
  switch (name) {
    case 'histogram':
      return list(int64())
    case 'topK':
    case 'bottomK':
    case 'collectList':
    case 'approxTopK':
      return list(type)
    case 'lastPlace':
      return int64()
    case 'sum':
      return isFloat(type.kind) ? float64() : int64()
    default:
      if (isCount(name)) return int64()
      return takenBy(name) === 'number' ? float64() : type
  }
}

/** Never null: 0 of nothing. */
export const isCount = (name: AggregateFunction): boolean =>
  name === 'count' || name === 'countDistinct' || name === 'approxCountDistinct'

/** Whether a result may be null although rows counted: of a sample of one, or where nothing varies. */
export function hasNullsOfItsOwn(name: AggregateFunction, { population }: AggregateParameters): boolean {
  if (name === 'correlation' || name === 'slope') return true
  return (name === 'variance' || name === 'stddev' || name === 'covariance') && population !== true
}

/** An aggregate of a group. */
export type PlainCall = AggregateCall & { readonly function: AggregateFunction }

/** The aggregate that lanes compute for `call`: false comes before true, so all are true where the least is. */
export function lowered(call: PlainCall): PlainCall {
  switch (call.function) {
    case 'any':
      return { ...call, function: 'first' }
    case 'every':
      return { ...call, function: 'min' }
    case 'some':
      return { ...call, function: 'max' }
    case 'median':
      return { ...call, function: 'quantile', parameters: { q: 0.5 } }
    default:
      return call
  }
}
