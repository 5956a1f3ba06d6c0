/**
 * Aggregates taken apart: the accumulators that the lanes keep, equal ones shared, and the columns computed from them once per
 * group. Both the types of an aggregate (typing.ts) and its stages (planner.ts) come from here.
 */
import { schemaOf } from '../columnar/schema.js'
import { type DataType, float64, int64, nullable, type SchemaShape } from '../columnar/type.js'
import { fold } from '../expressions/fold.js'
import { literalOf } from '../expressions/literal.js'
import type { AggregateCall, AggregateExpression, AggregateFunction, Expression } from '../expressions/node.js'
import { aggregateOperand, printAggregate } from '../expressions/print.js'
import { describe, mismatch, resolvePredicate, resolveTyped, type Typed } from '../expressions/typing.js'
import { childrenOf, collectOfCalls, fingerprint } from '../expressions/walk.js'
import { hasNullsOfItsOwn, isCount, isOver, isTakenBy, lowered, type PlainCall, resultType } from './aggregate-types.js'
import { columnOf } from './build.js'
import type { AggregateNode, NamedExpression } from './logical.js'
import type { AccumulatorSpec } from './physical.js'

type Grouping = Pick<AggregateNode, 'keys' | 'sets' | 'aggregates'>

export interface Accumulation {
  readonly accumulators: readonly AccumulatorSpec[]
  /** Keys, then the accumulators under their planner-made names. */
  readonly accumulated: SchemaShape
  /** Keys and aggregates from the accumulated columns, resolved. */
  readonly columns: readonly NamedExpression[]
  readonly output: SchemaShape
}

/**
 * What was made of a list of aggregates last, and over what: a plan is typed at every step of its making, over ever fewer columns. Lists of bound nodes have no
 * parameters, and of others only the types are asked for, which parameters keep.
 */
const last = new WeakMap<Grouping['aggregates'], Grouping & { input: SchemaShape; made: Accumulation }>()

/** @throws MillraceError `MR_TYPE_MISMATCH`, `MR_UNKNOWN_COLUMN` */
export function accumulate(grouping: Grouping, input: SchemaShape): Accumulation {
  const { keys, sets, aggregates } = grouping
  const before = last.get(aggregates)
  if (before?.keys === keys && before.sets === sets && hasTypesOf(before, input)) return before.made
  const made = accumulatedOver(grouping, input)
  last.set(aggregates, { keys, sets, aggregates, input, made })
  return made
}

/** Whether the columns that were read are there, of the very types. */
function hasTypesOf({ keys, aggregates, input }: Grouping & { input: SchemaShape }, other: SchemaShape): boolean {
  if (input === other) return true
  const read = new Set(keys)
  for (const { expression } of aggregates) collectOfCalls(expression, read)
  return [...read].every(name => Object.hasOwn(other, name) && other[name] === input[name])
}

function accumulatedOver({ keys, sets, aggregates }: Grouping, input: SchemaShape): Accumulation {
  const builder = new Builder(keys, sets, input)
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
export const divides = (node: Expression): boolean => node.op === 'div' || childrenOf(node).some(divides)

/** Results hold one zero: adding +0 to a computed float turns -0 into it and leaves all else. Accumulators hold one as they are. */
export function withOneZero(node: Expression, type: DataType): Expression {
  if (type.kind !== 'float64' || node.op === 'column') return node
  return Object.freeze({ op: 'add', left: node, right: literalOf(0, float64()) })
}

class Builder {
  readonly accumulators: AccumulatorSpec[] = []
  private readonly types: DataType[] = []
  private readonly names = new Map<string, string>()
  private made = 0

  /** Whether there is a group only where there is a row of it. */
  private readonly isKeyed: boolean

  constructor(
    private readonly keys: readonly string[],
    private readonly sets: AggregateNode['sets'],
    private readonly input: SchemaShape,
  ) {
    this.isKeyed = (sets ?? [keys]).every(set => set.length > 0)
  }

  lower(node: AggregateExpression): Expression {
    if (node.op === 'literal') return node
    if (node.op === 'aggregate') return columnOf(this.accumulator(node), aggregateOperand(node))
    return Object.freeze({ op: node.op, left: this.lower(node.left), right: this.lower(node.right) })
  }

  schema(): SchemaShape {
    return schemaOf([
      ...this.keys.map(name => ({ name, type: this.keyType(name) })),
      ...this.accumulators.map(({ name }, i) => ({ name, type: this.types[i] as DataType })),
    ])
  }

  /** A key is null in the groups of a set that leaves it out. */
  private keyType(name: string): DataType {
    const type = this.input[name] as DataType
    return (this.sets ?? []).every(set => set.includes(name)) ? type : nullable(type)
  }

  private accumulator(written: AggregateCall): string {
    if (!isPlain(written)) {
      const name = written.function
      throw mismatch(name, `${name} is of a row among others: it stands in over({ ... }, t => ({ ... })) only`)
    }
    const operands = written.inputs.map(input => resolveTyped(input, this.input, written.function))
    // Types go by what was written; what is folded away may only make a value less null than it says.
    const type = this.typeOf(written, operands)
    const call = lowered(written)
    const inputs = operands.map(({ node }) => fold(node, this.input))
    const predicate =
      call.where === undefined
        ? null
        : fold(resolvePredicate(call.where, this.input, `${written.function}.where`), this.input)
    const where = predicate?.op === 'literal' && predicate.value === true ? null : predicate
    const spec = { function: call.function, inputs, parameters: call.parameters ?? {}, where }
    const key = fingerprint([spec, type.nullable])
    let name = this.names.get(key)
    if (name === undefined) {
      do name = `#${this.made++}`
      while (this.keys.includes(name))
      this.names.set(key, name)
      const inputTypes = inputs.map(input => resolveTyped(input, this.input, call.function).type)
      const { where: _, ...unfiltered } = written
      const label = printAggregate({ ...unfiltered, inputs })
      this.accumulators.push(Object.freeze({ ...spec, inputTypes, label, name }))
      this.types.push(type)
    }
    return name
  }

  private typeOf({ function: name, parameters = {}, where }: PlainCall, operands: readonly Typed[]): DataType {
    if (name === 'count') return int64()
    if (operands.length === 0) throw mismatch(name, `${name} takes an expression, as in ${name}(t.x)`)
    for (const operand of operands) {
      if (!isTakenBy(name, operand.type))
        throw mismatch(name, `${name} does not take ${describe(operand)}${hint(name, operand.type)}`)
    }
    const type = resultType(name, (operands[0] as Typed).type)
    if (isCount(name)) return type
    const isAlways = this.isKeyed && where === undefined && !operands.some(operand => operand.type.nullable)
    return isAlways && !hasNullsOfItsOwn(name, parameters) ? type : nullable(type)
  }
}

const isPlain = (call: AggregateCall): call is PlainCall => !isOver(call.function)

const hint = (name: AggregateFunction, { kind }: DataType): string =>
  kind === 'bool' && name === 'sum' ? '; to count where it is true write count().where(t.x)' : ''
