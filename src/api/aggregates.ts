/**
 * Aggregates as users write them: `count sum mean min max`, their `where`, and arithmetic between them. They are another type than
 * column expressions (handles.ts), so that neither can stand where the other is meant.
 */
import type { DataType, Float64, FloatKind, Int64, IntegerKind, Nullable, NumberKind } from '../columnar/type.js'
import type { AggregateExpression, AggregateFunction, Expression } from '../expressions/node.js'
import { printAggregate, printExpression } from '../expressions/print.js'
import { isHandle, literalOf } from './columns.js'
import type { Expr } from './handles.js'
import { mismatch, show } from './refusal.js'
import type { IsAny, NullableIf, Sum } from './types.js'

declare const TYPE: unique symbol

/** An aggregate over the rows of a group. `T` is its type in a group, `U` over an input that may have no rows. */
export interface AggregateExpr<T extends DataType = DataType, U extends DataType = Nullable<T>> {
  readonly family: 'aggregate'
  /** The tree behind it: plain, serialisable data. */
  readonly aggregate: AggregateExpression
  /** Exists for the type system alone. */
  readonly [TYPE]?: readonly [T, U]
  /** Only rows where `predicate` is true count. Of several `where` all must be true; on arithmetic it holds for each aggregate in it. */
  where(predicate: Expr<any, 'boolean'>): AggregateExpr<U, U>
  /** int64 of integers (beyond it: `MR_INTEGER_OVERFLOW`), float64 as soon as one operand is a float; so are `sub` and `mul`. */
  add<const B extends AggregateOperand>(
    this: NumberAggregate,
    other: B,
  ): AggregateExpr<Sum<T, InGroup<B>>, Sum<U, OverNone<B>>>
  sub<const B extends AggregateOperand>(
    this: NumberAggregate,
    other: B,
  ): AggregateExpr<Sum<T, InGroup<B>>, Sum<U, OverNone<B>>>
  mul<const B extends AggregateOperand>(
    this: NumberAggregate,
    other: B,
  ): AggregateExpr<Sum<T, InGroup<B>>, Sum<U, OverNone<B>>>
  /** float64 division; null where the divisor is zero, so always nullable. */
  div(this: NumberAggregate, other: AggregateOperand): AggregateExpr<Nullable<Float64>>
  toString(): string
}

/** An aggregate that is a number. */
export type NumberAggregate = AggregateExpr<DataType<NumberKind>, DataType>
export type AggregateOperand = number | bigint | AggregateExpr<any, any>

/** An operand as the types of expressions take it: a literal as it is, an aggregate as an expression of its type. */
type InGroup<B> = B extends AggregateExpr<infer T, any> ? Expr<T, 'number'> : B
type OverNone<B> = B extends AggregateExpr<any, infer U> ? Expr<U, 'number'> : B

type SumType<T extends DataType> =
  IsAny<T> extends true
    ? any
    : T['kind'] extends IntegerKind
      ? NullableIf<Int64, T['nullable']>
      : T['kind'] extends FloatKind
        ? NullableIf<Float64, T['nullable']>
        : DataType<'int64' | 'float64', T['nullable']>

type MeanType<T extends DataType> = IsAny<T> extends true ? Nullable<Float64> : NullableIf<Float64, T['nullable']>

/**
 * Rows, or those where `expression` is not null: int64, never null.
 *
 * ```ts
 * flow.aggregate(t => ({ rows: count(), sized: count(t.size), bought: count().where(t.isBuy) }))
 * ```
 */
export function count(expression?: Expr<any>): AggregateExpr<Int64, Int64> {
  return call('count', expression === undefined ? [] : [inputOf('count', expression)])
}

/**
 * The exact sum: int64 of integers (a total beyond it: `MR_INTEGER_OVERFLOW`), the correctly rounded float64 of floats.
 *
 * ```ts
 * flow.aggregate(t => ({ volume: sum(t.size), notional: sum(t.price.mul(t.size)) }))
 * ```
 */
export function sum<T extends DataType>(expression: Expr<T, 'number'>): AggregateExpr<SumType<T>> {
  return call('sum', [inputOf('sum', expression)])
}

/**
 * The exact sum over the count, rounded once.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ mean: mean(t.price) }))
 * ```
 */
export function mean<T extends DataType>(expression: Expr<T, 'number'>): AggregateExpr<MeanType<T>> {
  return call('mean', [inputOf('mean', expression)])
}

/**
 * The least value, of any type; strings by their bytes. NaN only where there is nothing else.
 *
 * ```ts
 * flow.aggregate(t => ({ cheapest: min(t.price), first: min(t.time), name: min(t.symbol) }))
 * ```
 */
export function min<T extends DataType>(expression: Expr<T>): AggregateExpr<T> {
  return call('min', [inputOf('min', expression)])
}

/**
 * The greatest value, of any type; strings by their bytes. NaN is greater than every number.
 *
 * ```ts
 * flow.aggregate(t => ({ range: max(t.price).sub(min(t.price)) }))
 * ```
 */
export function max<T extends DataType>(expression: Expr<T>): AggregateExpr<T> {
  return call('max', [inputOf('max', expression)])
}

type Aggregate = AggregateExpr<any, any>

export const isAggregate = (value: unknown): value is Aggregate =>
  typeof value === 'object' && value !== null && (value as { family?: unknown }).family === 'aggregate'

function call(name: AggregateFunction, inputs: readonly Expression[]): Aggregate {
  return aggregateOf(Object.freeze({ op: 'aggregate', function: name, inputs: Object.freeze(inputs) }))
}

function aggregateOf(aggregate: AggregateExpression): Aggregate {
  return Object.freeze(Object.create(PROTOTYPE, { aggregate: { value: aggregate, enumerable: true } }))
}

const PROTOTYPE: object = prototype()

function prototype(): object {
  const methods = {}
  const add = (name: PropertyKey, value: unknown) => Object.defineProperty(methods, name, { value })
  add('family', 'aggregate')
  for (const op of ['add', 'sub', 'mul', 'div'] as const) {
    add(op, function (this: Aggregate, other: unknown) {
      return aggregateOf(Object.freeze({ op, left: this.aggregate, right: operandOf(other, op) }))
    })
  }
  add('where', function (this: Aggregate, predicate: unknown) {
    return aggregateOf(filtered(this.aggregate, predicateOf(predicate, 'where')))
  })
  add('toString', function (this: Aggregate) {
    return printAggregate(this.aggregate)
  })
  add(Symbol.toPrimitive, function (this: Aggregate, hint: string) {
    if (hint === 'string') return printAggregate(this.aggregate)
    throw mismatch(
      'aggregate',
      `${printAggregate(this.aggregate)} is an aggregate, not a value; write methods instead of operators: .add(1), .div(count())`,
    )
  })
  add(Symbol.toStringTag, 'AggregateExpr')
  return Object.freeze(methods)
}

function filtered(node: AggregateExpression, predicate: Expression): AggregateExpression {
  if (node.op === 'literal') return node
  if (node.op !== 'aggregate')
    return Object.freeze({ ...node, left: filtered(node.left, predicate), right: filtered(node.right, predicate) })
  const where: Expression =
    node.where === undefined ? predicate : Object.freeze({ op: 'and', left: node.where, right: predicate })
  return Object.freeze({ ...node, where })
}

/** A predicate given by a user. @throws MillraceError `MR_TYPE_MISMATCH` */
export function predicateOf(value: unknown, operator: string): Expression {
  if (typeof value === 'boolean') return literalOf(value, operator)
  if (isHandle(value) && (value.family === 'boolean' || value.family === 'any')) return value.expression
  const what = isHandle(value)
    ? `the expression ${printExpression(value.expression)}, which is no boolean`
    : show(value)
  throw mismatch(operator, `${operator}: the predicate is ${what}; compare a column with something, as in t.x.gt(0)`)
}

function inputOf(name: AggregateFunction, value: unknown): Expression {
  if (isHandle(value)) {
    const fits = name === 'sum' || name === 'mean' ? value.family === 'number' || value.family === 'any' : true
    if (fits) return value.expression
    const hint = value.family === 'boolean' ? '; to count where it is true write count().where(t.x)' : ''
    throw mismatch(
      name,
      `${name} takes numbers, and ${printExpression(value.expression)} is of the ${value.family} family${hint}`,
    )
  }
  if (isAggregate(value))
    throw mismatch(name, `${name} takes a column, not another aggregate; aggregates combine by add, sub, mul and div`)
  throw mismatch(name, `${name} takes a column expression, as in ${name}(t.x), not ${show(value)}`)
}

function operandOf(value: unknown, op: string): AggregateExpression {
  if (isAggregate(value)) return value.aggregate
  if (typeof value === 'number' || typeof value === 'bigint') return literalOf(value, op)
  if (isHandle(value)) {
    const text = printExpression(value.expression)
    throw mismatch(
      op,
      `${op} of aggregates takes an aggregate or a number, and ${text} is a column expression; aggregate it first, as in sum(t.x)`,
    )
  }
  throw mismatch(op, `${op} of aggregates takes an aggregate or a number, not ${show(value)}`)
}
