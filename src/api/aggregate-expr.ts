/**
 * What an aggregate is as users hold it: its type, `where`, and arithmetic with others. It is another type than column
 * expressions (handles.ts), so that neither can stand where the other is meant. aggregates.ts and statistics.ts make them.
 */
import type { DataType, Float64, Nullable, NumberKind } from '../columnar/type.js'
import type {
  AggregateExpression,
  AggregateFunction,
  AggregateParameters,
  Expression,
  OverFunction,
} from '../expressions/node.js'
import { printAggregate, printExpression } from '../expressions/print.js'
import { type Takes, takenBy } from '../plan/aggregate-types.js'
import { isHandle, literalOf } from './columns.js'
import type { Expr } from './handles.js'
import { mismatch, show } from './refusal.js'
import type { OrNull, Sum } from './types.js'
import type { UserDefinition } from './user-aggregate.js'

declare const TYPE: unique symbol

/** An aggregate over the rows of a group. `T` is its type in a group, `U` over an input that may have no rows. */
export interface AggregateExpr<T extends DataType = DataType, U extends DataType = OrNull<T>> {
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

type Aggregate = AggregateExpr<any, any>

export const isAggregate = (value: unknown): value is Aggregate =>
  typeof value === 'object' && value !== null && (value as { family?: unknown }).family === 'aggregate'

/** A call of an aggregate, or of a user's own. @throws MillraceError `MR_TYPE_MISMATCH` for an input that it does not take */
export function aggregateCall(
  name: AggregateFunction | OverFunction,
  inputs: readonly unknown[],
  parameters?: AggregateParameters,
  definition?: UserDefinition,
): Aggregate {
  return aggregateOf(
    Object.freeze({
      op: 'aggregate',
      function: name,
      inputs: Object.freeze(inputs.map(input => inputOf(definition?.name ?? name, takenBy(name), input))),
      ...(parameters === undefined ? {} : { parameters: Object.freeze(parameters) }),
      ...(definition === undefined ? {} : { definition }),
    }),
  )
}

/** Aggregates within `node` that no plan has: users' own, and private ones. */
export function usersIn(node: AggregateExpression): UserDefinition[] {
  if (node.op === 'literal') return []
  if (node.op !== 'aggregate') return [...usersIn(node.left), ...usersIn(node.right)]
  return node.definition === undefined ? [] : [node.definition as UserDefinition]
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

/**
 * A predicate given by a user.
 * @param place in the message, where the operator alone does not tell
 * @throws MillraceError `MR_TYPE_MISMATCH`
 */
export function predicateOf(value: unknown, operator: string, place = operator): Expression {
  if (typeof value === 'boolean') return literalOf(value, operator)
  if (isHandle(value) && (value.family === 'boolean' || value.family === 'any')) return value.expression
  const what = isHandle(value)
    ? `the expression ${printExpression(value.expression)}, which is no boolean`
    : show(value)
  throw mismatch(operator, `${place}: the predicate is ${what}; compare a column with something, as in t.x.gt(0)`)
}

function inputOf(name: string, takes: Takes, value: unknown): Expression {
  if (isHandle(value)) {
    if (takes === 'any' || value.family === 'any' || value.family === takes) return value.expression
    if (takes === 'scalar' && value.family !== 'other') return value.expression
    const hint = value.family === 'boolean' ? '; to count where it is true write count().where(t.x)' : ''
    throw mismatch(
      name,
      `${name} takes ${TAKEN[takes]}, and ${printExpression(value.expression)} is of the ${value.family} family${hint}`,
    )
  }
  if (isAggregate(value))
    throw mismatch(name, `${name} takes a column, not another aggregate; aggregates combine by add, sub, mul and div`)
  throw mismatch(name, `${name} takes a column expression, as in ${name}(t.x), not ${show(value)}`)
}

const TAKEN: Readonly<Record<Takes, string>> = {
  any: 'a column',
  scalar: 'no lists or structs',
  number: 'numbers',
  string: 'strings',
  boolean: 'booleans',
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
