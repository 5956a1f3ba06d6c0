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
import { exactMean, exactSum, roundFraction } from './rational.js'
import {
  canonical,
  compareValues,
  isInteger,
  ModelError,
  type ModelField,
  type ModelRow,
  type ModelType,
  type Value,
} from './value.js'

export interface ModelAggregateCall {
  readonly function: 'count' | 'sum' | 'mean' | 'min' | 'max'
  /** null only for `count()`. */
  readonly input: ModelExpression | null
  readonly where: ModelExpression | null
}

export type ModelAggregate =
  | ModelAggregateCall
  | { readonly op: 'add' | 'sub' | 'mul' | 'div'; readonly left: ModelAggregate; readonly right: ModelAggregate }
  | { readonly literal: Value; readonly kind: 'int64' | 'float64' }

export function typeOfAggregate(aggregate: ModelAggregate, fields: readonly ModelField[], keyed: boolean): ModelType {
  if ('literal' in aggregate) return { kind: aggregate.kind, nullable: false }
  if ('op' in aggregate) {
    const left = typeOfAggregate(aggregate.left, fields, keyed)
    const right = typeOfAggregate(aggregate.right, fields, keyed)
    const kind = arithmeticKind(aggregate.op, left.kind, right.kind)
    return { kind, nullable: aggregate.op === 'div' || left.nullable || right.nullable }
  }
  if (aggregate.function === 'count' || aggregate.input === null) return { kind: 'int64', nullable: false }
  const input = typeOfExpression(aggregate.input, fields)
  const nullable = !keyed || aggregate.where !== null || input.nullable
  if (aggregate.function === 'sum') return { kind: isInteger(input.kind) ? 'int64' : 'float64', nullable }
  return aggregate.function === 'mean' ? { kind: 'float64', nullable } : { ...input, nullable }
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
  const { input, where } = aggregate
  const values: Value[] = []
  return {
    add(row) {
      if (where !== null && evaluate(where, row, fields) !== true) return
      const value = input === null ? true : evaluate(input, row, fields)
      if (value !== null) values.push(value)
    },
    result: () => canonical(resultOf(aggregate.function, values)),
  }
}

function resultOf(name: ModelAggregateCall['function'], values: readonly Value[]): Value {
  if (name === 'count') return BigInt(values.length)
  if (values.length === 0) return null
  if (name === 'min' || name === 'max') {
    const wanted = name === 'min' ? -1 : 1
    return values.reduce((best, value) => (compareValues(value, best) * wanted > 0 ? value : best))
  }
  if (typeof values[0] === 'number') {
    return name === 'sum' ? exactSum(values as number[]) : exactMean(values as number[])
  }
  const total = (values as bigint[]).reduce((sum, value) => sum + value, 0n)
  if (name === 'mean') return roundFraction(total, BigInt(values.length))
  if (total < INT64_MIN || total > INT64_MAX) throw new ModelError('MR_INTEGER_OVERFLOW', -1)
  return total
}
