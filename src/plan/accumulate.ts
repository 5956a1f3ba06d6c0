/**
 * Aggregates taken apart: the accumulators that the lanes keep, equal ones shared, and the columns computed from them once per
 * group. Both the types of an aggregate (typing.ts) and its stages (planner.ts) come from here.
 */
import { schemaOf } from '../columnar/schema.js'
import {
  type DataType,
  float64,
  int64,
  isFloat,
  isInteger,
  isNumber,
  nullable,
  type SchemaShape,
} from '../columnar/type.js'
import { fold } from '../expressions/fold.js'
import { literalOf } from '../expressions/literal.js'
import type { AggregateCall, AggregateExpression, AggregateFunction, Expression } from '../expressions/node.js'
import { printAggregate } from '../expressions/print.js'
import { describe, mismatch, resolvePredicate, resolveTyped, type Typed } from '../expressions/typing.js'
import { childrenOf, fingerprint } from '../expressions/walk.js'
import { columnOf } from './build.js'
import type { NamedAggregate, NamedExpression } from './logical.js'
import type { AccumulatorSpec } from './physical.js'

export interface Accumulation {
  readonly accumulators: readonly AccumulatorSpec[]
  /** Keys, then the accumulators under their planner-made names. */
  readonly accumulated: SchemaShape
  /** Keys and aggregates from the accumulated columns, resolved. */
  readonly columns: readonly NamedExpression[]
  readonly output: SchemaShape
}

/** @throws MillraceError `MR_TYPE_MISMATCH`, `MR_UNKNOWN_COLUMN` */
export function accumulate(
  keys: readonly string[],
  aggregates: readonly NamedAggregate[],
  input: SchemaShape,
): Accumulation {
  const builder = new Builder(keys, input)
  const raw = aggregates.map(({ name, expression }) => ({ name, expression: builder.lower(expression) }))
  const accumulated = builder.schema()
  const typed = [
    ...keys.map(name => ({ name, ...resolveTyped(columnOf(name), accumulated, 'aggregate') })),
    ...raw.map(({ name, expression }) => {
      const { node, type } = resolveTyped(expression, accumulated, 'aggregate')
      return { name, node: withOneZero(node, type), type: divides(expression) ? nullable(type) : type }
    }),
  ]
  return {
    accumulators: builder.accumulators,
    accumulated,
    columns: typed.map(({ name, node }) => ({ name, expression: node })),
    output: schemaOf(typed.map(({ name, type }) => ({ name, type }))),
  }
}

/** A quotient of aggregates is nullable whatever its divisor, so that one rule is enough to know. */
const divides = (node: Expression): boolean => node.op === 'div' || childrenOf(node).some(divides)

/** Results hold one zero: adding +0 to a computed float turns -0 into it and leaves all else. Accumulators hold one as they are. */
function withOneZero(node: Expression, type: DataType): Expression {
  if (type.kind !== 'float64' || node.op === 'column') return node
  return Object.freeze({ op: 'add', left: node, right: literalOf(0, float64()) })
}

class Builder {
  readonly accumulators: AccumulatorSpec[] = []
  private readonly types: DataType[] = []
  private readonly names = new Map<string, string>()
  private made = 0

  constructor(
    private readonly keys: readonly string[],
    private readonly input: SchemaShape,
  ) {}

  lower(node: AggregateExpression): Expression {
    if (node.op === 'literal') return node
    if (node.op === 'aggregate') return columnOf(this.accumulator(node))
    return Object.freeze({ op: node.op, left: this.lower(node.left), right: this.lower(node.right) })
  }

  schema(): SchemaShape {
    return schemaOf([
      ...this.keys.map(name => ({ name, type: this.input[name] as DataType })),
      ...this.accumulators.map(({ name }, i) => ({ name, type: this.types[i] as DataType })),
    ])
  }

  private accumulator(call: AggregateCall): string {
    const operands = call.inputs.map(input => resolveTyped(input, this.input, call.function))
    // Types go by what was written; what is folded away may only make a value less null than it says.
    const type = this.typeOf(call, operands)
    const inputs = operands.map(({ node }) => fold(node, this.input))
    const predicate =
      call.where === undefined
        ? null
        : fold(resolvePredicate(call.where, this.input, `${call.function}.where`), this.input)
    const where = predicate?.op === 'literal' && predicate.value === true ? null : predicate
    const spec = { function: call.function, inputs, parameters: call.parameters ?? {}, where }
    const key = fingerprint([spec, type.nullable])
    let name = this.names.get(key)
    if (name === undefined) {
      do name = `#${this.made++}`
      while (this.keys.includes(name))
      this.names.set(key, name)
      const inputTypes = inputs.map(input => resolveTyped(input, this.input, call.function).type)
      const label = printAggregate({ op: 'aggregate', function: call.function, inputs })
      this.accumulators.push(Object.freeze({ ...spec, inputTypes, label, name }))
      this.types.push(type)
    }
    return name
  }

  private typeOf(call: AggregateCall, [operand]: readonly Typed[]): DataType {
    if (call.function === 'count') return int64()
    if (operand === undefined)
      throw mismatch(call.function, `${call.function} takes an expression, as in ${call.function}(t.x)`)
    const { type } = operand
    const result = resultType(call.function, type)
    if (result === null)
      throw mismatch(call.function, `${call.function} does not take ${describe(operand)}${hint(call.function, type)}`)
    return this.keys.length === 0 || call.where !== undefined || type.nullable ? nullable(result) : result
  }
}

function resultType(name: AggregateFunction, { nullable: _, ...type }: DataType): DataType | null {
  if (name === 'mean') return isNumber(type.kind) ? float64() : null
  if (name === 'sum') return isInteger(type.kind) ? int64() : isFloat(type.kind) ? float64() : null
  return type.kind === 'list' || type.kind === 'struct' ? null : Object.freeze({ ...type, nullable: false })
}

const hint = (name: string, type: DataType): string =>
  type.kind === 'bool' && name === 'sum' ? '; to count where it is true write count().where(t.x)' : ''
