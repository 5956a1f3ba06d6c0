/** Aggregates of the naive model: every value of a group is kept, and the result is worked out from the list at the end. */
import {
  arithmetic,
  arithmeticKind,
  evaluate,
  INT64_MAX,
  INT64_MIN,
  type ModelExpression,
  typeOfExpression,
} from './expression.js'
import { exactCorrelation, exactCovariance, exactSlope } from './moments.js'
import { exactMean, exactSum, roundFraction } from './rational.js'
import {
  canonical,
  compareValues,
  isInteger,
  keyText,
  ModelError,
  type ModelField,
  type ModelRow,
  type ModelType,
  type Value,
} from './value.js'

export type ModelFunction =
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

export interface ModelParameters {
  readonly population?: boolean
  readonly q?: number
  readonly n?: number
  readonly separator?: string
  readonly edges?: readonly number[]
}

export interface ModelAggregateCall {
  readonly function: ModelFunction
  /** None for `count()`, two where pairs count: (y, x) or (value, by). A row counts where none is null. */
  readonly inputs: readonly ModelExpression[]
  readonly parameters?: ModelParameters
  readonly where: ModelExpression | null
}

export type ModelAggregate =
  | ModelAggregateCall
  | { readonly op: 'add' | 'sub' | 'mul' | 'div'; readonly left: ModelAggregate; readonly right: ModelAggregate }
  | { readonly literal: Value; readonly kind: 'int64' | 'float64' }

/** @param keyed whether there is a group only where there is a row of it */
export function typeOfAggregate(aggregate: ModelAggregate, fields: readonly ModelField[], keyed: boolean): ModelType {
  if ('literal' in aggregate) return { kind: aggregate.kind, nullable: false }
  if ('op' in aggregate) {
    const left = typeOfAggregate(aggregate.left, fields, keyed)
    const right = typeOfAggregate(aggregate.right, fields, keyed)
    const kind = arithmeticKind(aggregate.op, left.kind, right.kind)
    return { kind, nullable: aggregate.op === 'div' || left.nullable || right.nullable }
  }
  const { function: name, where, parameters = {} } = aggregate
  const inputs = aggregate.inputs.map(input => typeOfExpression(input, fields))
  const [input] = inputs as [ModelType]
  const nullable = !keyed || where !== null || inputs.some(type => type.nullable)
  switch (name) {
    case 'count':
    case 'countDistinct':
      return { kind: 'int64', nullable: false }
    case 'sum':
      return { kind: isInteger(input.kind) ? 'int64' : 'float64', nullable }
    case 'mean':
    case 'median':
    case 'quantile':
      return { kind: 'float64', nullable }
    case 'variance':
    case 'stddev':
    case 'covariance':
      // One row is no sample.
      return { kind: 'float64', nullable: nullable || parameters.population !== true }
    case 'correlation':
    case 'slope':
      return { kind: 'float64', nullable: true }
    case 'histogram':
      return { kind: 'list', nullable, item: { kind: 'int64', nullable: false } }
    case 'topK':
    case 'bottomK':
    case 'collectList':
      return { kind: 'list', nullable, item: { ...input, nullable: false } }
    default:
      return { ...input, nullable }
  }
}

/** Takes the rows of one group, one by one, then gives the result. A row that `where` refuses is not evaluated further. */
export function aggregateRows(
  aggregate: ModelAggregate,
  fields: readonly ModelField[],
): { add(row: ModelRow): void; result(): Value } {
  if ('literal' in aggregate) return { add: () => {}, result: () => aggregate.literal }
  if ('op' in aggregate) {
    const left = aggregateRows(aggregate.left, fields)
    const right = aggregateRows(aggregate.right, fields)
    return {
      add(row) {
        left.add(row)
        right.add(row)
      },
      result: () => canonical(arithmetic(aggregate.op, left.result(), right.result(), -1)),
    }
  }
  const { inputs, where, function: name, parameters = {} } = aggregate
  const counted: Value[][] = []
  return {
    add(row) {
      if (where !== null && evaluate(where, row, fields) !== true) return
      const values = inputs.map(input => evaluate(input, row, fields))
      if (!values.includes(null)) counted.push(values)
    },
    result: () => canonicalResult(resultOf(name, counted, parameters)),
  }
}

/** Results hold one zero, in lists too. */
export const canonicalResult = (result: Value): Value =>
  Array.isArray(result) ? result.map(canonical) : canonical(result)

/** The result over rows that count, in row order. @throws ModelError */
export function resultOf(name: ModelFunction, rows: readonly (readonly Value[])[], parameters: ModelParameters): Value {
  const values = rows.map(([value]) => value as Value)
  if (name === 'count') return BigInt(rows.length)
  if (name === 'countDistinct') return BigInt(countsOf(values).size)
  if (rows.length === 0) return null
  const { population = false, q = 0.5, n = 0, separator = '', edges = [] } = parameters
  const pairs = rows.map(([first, second]) => [second ?? first, first] as [number, number])
  switch (name) {
    case 'sum':
    case 'mean':
      return totalOf(name, values)
    case 'min':
    case 'every':
      return best(values, (a, b) => compareValues(a, b))
    case 'max':
    case 'some':
      return best(values, (a, b) => compareValues(b, a))
    case 'variance':
    case 'covariance':
      return exactCovariance(pairs, population)
    case 'stddev': {
      const variance = exactCovariance(pairs, population)
      return variance === null ? null : Math.sqrt(variance)
    }
    case 'correlation':
      return exactCorrelation(pairs)
    case 'slope':
      return exactSlope(pairs)
    case 'first':
    case 'any':
      return values[0] as Value
    case 'last':
      return values.at(-1) as Value
    case 'argMin':
      return best(rows, ([, a], [, b]) => compareValues(a as Value, b as Value))[0] as Value
    case 'argMax':
      return best(rows, ([, a], [, b]) => compareValues(b as Value, a as Value))[0] as Value
    case 'median':
    case 'quantile':
      return quantileOf(values, q)
    case 'mode':
      return best([...countsOf(values).values()], (a, b) => b.count - a.count || compareValues(a.value, b.value)).value
    case 'topK':
      return sorted(values).reverse().slice(0, n)
    case 'bottomK':
      return sorted(values).slice(0, n)
    case 'collectList':
      return values
    case 'join':
      return values.join(separator)
    case 'histogram':
      return edges.slice(1).map((high, i) => {
        const low = edges[i] as number
        const isLast = i === edges.length - 2
        // JavaScript compares a bigint with a number by their mathematical values, and nothing with NaN.
        return BigInt((values as number[]).filter(x => x >= low && (isLast ? x <= high : x < high)).length)
      })
  }
}

function totalOf(name: 'sum' | 'mean', values: readonly Value[]): Value {
  if (typeof values[0] === 'number') {
    return name === 'sum' ? exactSum(values as number[]) : exactMean(values as number[])
  }
  const total = (values as bigint[]).reduce((sum, value) => sum + value, 0n)
  if (name === 'mean') return roundFraction(total, BigInt(values.length))
  if (total < INT64_MIN || total > INT64_MAX) throw new ModelError('MR_INTEGER_OVERFLOW', -1)
  return total
}

/**
 * With x[0] .. x[n - 1] ascending, as doubles, and h = (n - 1) * q: between a = x[floor h] and b = x[floor h + 1], t = h - floor h of the way, by
 * a + t * (b - a), but (a + b) / 2 in the middle and never above b; where a sum or a difference is beyond the doubles, by parts of a and b.
 */
function quantileOf(values: readonly Value[], q: number): number {
  const doubles = sorted(values.map(Number)) as number[]
  const h = (doubles.length - 1) * q
  const t = h - Math.floor(h)
  const a = doubles[Math.floor(h)] as number
  const b = doubles[Math.ceil(h)] as number
  if (t === 0 || a === b) return a
  if (t === 0.5) return Number.isFinite(a + b) ? (a + b) / 2 : a / 2 + b / 2
  return b - a < Infinity ? Math.min(a + t * (b - a), b) : a * (1 - t) + b * t
}

/** The one before all others; of equals the earliest. */
const best = <T>(items: readonly T[], compare: (a: T, b: T) => number): T =>
  items.reduce((least, item) => (compare(item, least) < 0 ? item : least))

const sorted = (values: readonly Value[]): Value[] => [...values].sort(compareValues)

/** Values that are one key, and how often each comes. */
function countsOf(values: readonly Value[]): Map<string, { readonly value: Value; count: number }> {
  const counts = new Map<string, { readonly value: Value; count: number }>()
  for (const value of values) {
    const key = keyText([value])
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { value, count: 1 })
    else known.count += 1
  }
  return counts
}
