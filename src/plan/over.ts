/**
 * `over`: its node, checked, and what it is taken apart into: columns computed of the row for what is to be aggregated, the calls themselves, and the columns made of
 * their results. The calls read columns by name, so that what can fail on a row fails in a project, as everywhere.
 */
import { schemaOf } from '../columnar/schema.js'
import {
  bool,
  type DataType,
  float64,
  int64,
  isInteger,
  isNumber,
  isTime,
  type SchemaShape,
  typeName,
} from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { literalOf } from '../expressions/literal.js'
import type { AggregateCall, AggregateExpression, Expression, OrderKey, OverFunction } from '../expressions/node.js'
import { printAggregate } from '../expressions/print.js'
import { castTo, describe, mismatch, resolveTyped, withNull } from '../expressions/typing.js'
import { fingerprint } from '../expressions/walk.js'
import { accumulate, divides, withOneZero } from './accumulate.js'
import { isOver, isTakenBy } from './aggregate-types.js'
import { checkNames, columnOf, inKeyOrder } from './build.js'
import { durationIn } from './duration.js'
import type { Frame, FrameBound, NamedAggregate, NamedExpression, OverNode, PlanNode } from './logical.js'
import type { OverCall, RowFrame, Stage } from './physical.js'

export interface OverSpec {
  readonly partitionBy: readonly string[]
  readonly orders: readonly OrderKey[]
  readonly frame: Frame | null
}

export function overNode(
  input: PlanNode,
  schema: SchemaShape | null,
  { partitionBy, orders, frame }: OverSpec,
  columns: readonly NamedAggregate[],
): OverNode {
  checkNames('over', partitionBy, schema)
  checkNames(
    'over',
    orders.map(({ name }) => name),
    schema,
  )
  if (columns.length === 0) throw invalid('name at least one column, as in t => ({ place: rowNumber() })')
  if (frame !== null) checkFrame(frame, orders)
  if (orders.length === 0) for (const { expression } of columns) checkUnordered(expression)
  return Object.freeze({
    kind: 'over',
    input,
    partitionBy: Object.freeze([...partitionBy]),
    orders: Object.freeze(orders.map(order => Object.freeze({ ...order }))),
    frame: frame === null ? null : Object.freeze({ ...frame }),
    columns: Object.freeze(columns.map(column => Object.freeze(column))),
  })
}

const RANKS: readonly string[] = ['rank', 'denseRank', 'percentRank']

function checkUnordered(node: AggregateExpression): void {
  if (node.op === 'literal') return
  if (node.op !== 'aggregate') {
    checkUnordered(node.left)
    checkUnordered(node.right)
  } else if (RANKS.includes(node.function)) {
    throw invalid(
      `${node.function} needs an order, as in over({ orderBy: 'price' }, ...): without one all rows are peers`,
    )
  }
}

function checkFrame({ unit, from, to }: Frame, orders: readonly OrderKey[]): void {
  if (unit === 'rows') {
    for (const bound of [from, to]) {
      if (bound !== null && !Number.isSafeInteger(bound))
        throw invalid(`rows are whole numbers, or null for as far as the partition goes, as in [-2, 0], not ${bound}`)
    }
  } else if (orders.length === 0) throw invalid('a range is in the values of an order: say orderBy, or rows')
  else if (orders.length > 1 && [from, to].some(bound => bound !== null && bound !== 0))
    throw invalid('a range with distances takes one order column: its values are what they are counted in')
  if (typeof from === 'number' && typeof to === 'number' && from > to)
    throw invalid(`a frame goes from the lesser to the greater, not from ${from} to ${to}`)
}

export interface LoweredOver {
  /** Columns of the input, and those computed for the calls. */
  readonly inputs: readonly (NamedExpression & { readonly type: DataType })[]
  readonly calls: readonly OverCall[]
  readonly callTypes: readonly DataType[]
  readonly frame: RowFrame
  readonly columns: readonly NamedExpression[]
  readonly output: SchemaShape
}

/** @throws MillraceError `MR_TYPE_MISMATCH`, `MR_UNKNOWN_COLUMN`, `MR_INVALID_OPTION` */
export function lowerOver(node: OverNode, input: SchemaShape): LoweredOver {
  const frame = frameOf(node, input)
  const lowering = new Lowering(node, input, mayBeEmpty(frame))
  const made = node.columns.map(({ name, expression }) => ({ name, ...lowering.column(expression) }))
  const byName = new Map(made.map(column => [column.name, column]))
  const kept = Object.entries(input).map(
    ([name, type]) => byName.get(name) ?? { name, expression: columnOf(name), type },
  )
  const all = [...kept, ...made.filter(({ name }) => !Object.hasOwn(input, name))]
  const output = schemaOf(all.map(({ name, type }) => ({ name, type })))
  const ordered = inKeyOrder(all.map(({ name }) => name)).map(name => all.find(column => column.name === name)!)
  return {
    inputs: lowering.inputs,
    calls: lowering.calls,
    callTypes: lowering.types,
    frame,
    columns: ordered.map(({ name, expression }) => ({ name, expression })),
    output,
  }
}

export function overStages(node: OverNode, input: SchemaShape): Stage[] {
  const { inputs, calls, callTypes, frame, columns, output } = lowerOver(node, input)
  const computed = schemaOf(inputs.map(({ name, type }) => ({ name, type })))
  const results = calls.map(({ name }, i) => ({ name, type: callTypes[i] as DataType }))
  const over: Stage = {
    kind: 'over',
    partitionBy: node.partitionBy,
    orders: node.orders,
    frame,
    calls,
    output: schemaOf([...Object.entries(input).map(([name, type]) => ({ name, type })), ...results]),
  }
  const before: Stage = {
    kind: 'project',
    verb: 'over',
    columns: Object.keys(computed).map(name => inputs.find(column => column.name === name)!),
    output: computed,
  }
  return [
    ...(inputs.length > Object.keys(input).length ? [before] : []),
    over,
    { kind: 'project', verb: 'over', columns, output },
  ]
}

class Lowering {
  readonly inputs: (NamedExpression & { readonly type: DataType })[]
  readonly calls: OverCall[] = []
  readonly types: DataType[] = []
  private readonly names = new Map<string, string>()
  private readonly taken: Set<string>
  /** The columns of the input, and the results of the calls so far. */
  private readonly scope: Record<string, DataType>

  constructor(
    node: OverNode,
    private readonly input: SchemaShape,
    private readonly isEmptyAble: boolean,
  ) {
    this.inputs = Object.entries(input).map(([name, type]) => ({ name, expression: columnOf(name), type }))
    this.taken = new Set([...Object.keys(input), ...node.columns.map(({ name }) => name)])
    this.scope = { ...input }
  }

  /** A column of the results, over the calls. */
  column(written: AggregateExpression): { readonly expression: Expression; readonly type: DataType } {
    const tree = this.lower(written)
    const { node, type } = resolveTyped(tree, this.scope, 'over')
    // A row that is not there has the default, so that only the values themselves may be null.
    const isFilled = written.op === 'aggregate' && written.parameters?.default !== undefined
    if (isFilled) return { expression: node, type: withNull(type, this.isNullable(written)) }
    return { expression: withOneZero(node, type), type: divides(tree) ? withNull(type, true) : type }
  }

  private isNullable({ inputs, parameters }: AggregateCall): boolean {
    const value = resolveTyped(inputs[0] as Expression, this.input, 'over')
    return value.type.nullable || parameters?.default?.value === null
  }

  private lower(node: AggregateExpression): Expression {
    if (node.op === 'literal') return node
    if (node.op !== 'aggregate')
      return Object.freeze({ op: node.op, left: this.lower(node.left), right: this.lower(node.right) })
    return isOver(node.function) ? this.placed(node, node.function) : this.aggregate(node)
  }

  private aggregate(node: AggregateCall): Expression {
    const grouping = { keys: [], sets: this.isEmptyAble ? [[]] : [['']], aggregates: [{ name: 'x', expression: node }] }
    const { accumulators, accumulated } = accumulate(grouping, this.input)
    const [spec] = accumulators
    if (spec === undefined) throw new Error('an aggregate has an accumulator')
    const { function: name, inputs, inputTypes, parameters, where, label } = spec
    return this.call(
      {
        function: name,
        inputs: inputs.map((each, i) => this.inputOf(each, inputTypes[i] as DataType)),
        inputTypes,
        parameters,
        where: where === null ? null : this.inputOf(where, withNull(bool(), true)),
        label,
      },
      accumulated[spec.name] as DataType,
    )
  }

  private placed(node: AggregateCall, name: OverFunction): Expression {
    if (node.where !== undefined) throw invalid(`${name} is of every row: it takes no where`)
    const { default: missing, ...parameters } = node.parameters ?? {}
    const operands = node.inputs.map(each => resolveTyped(each, this.input, name))
    for (const operand of operands) {
      if (!isTakenBy(name, operand.type)) throw mismatch(name, `${name} does not take ${describe(operand)}`)
    }
    const [operand] = name === 'ewma' ? [castTo(operands[0]!, float64(), name)] : operands
    const inputs = operand === undefined ? [] : [this.inputOf(operand.node, operand.type)]
    const inputTypes = operand === undefined ? [] : [operand.type]
    const call = (fn: OverFunction, type: DataType, of = inputs, types = inputTypes, told = parameters) =>
      this.call(
        {
          function: fn,
          inputs: of,
          inputTypes: types,
          parameters: told,
          where: null,
          label: printAggregate({
            ...node,
            function: fn,
            parameters: told,
            inputs: of.length === 0 ? [] : node.inputs,
          }),
        },
        type,
      )
    if (operand === undefined) return call(name, name === 'percentRank' ? float64() : int64())
    if (name === 'ewma') return call(name, operand.type)
    if (name === 'spaced') return call(name, bool())
    const value = call(name, withNull(operand.type, true))
    if (missing === undefined) return value
    // Rows before the row, or behind it: whether there is one so far away.
    const rows = parameters.rows as number
    const place = call('rowNumber', int64(), [], [], {})
    const isThere: Expression =
      name === 'lag'
        ? Object.freeze({ op: 'gt', left: place, right: literalOf(BigInt(rows), int64()) })
        : Object.freeze({
            op: 'gte',
            left: call('rowsLeft', int64(), [], [], {}),
            right: literalOf(BigInt(rows), int64()),
          })
    return Object.freeze({ op: 'call', function: 'when', inputs: Object.freeze([isThere, value, missing]) })
  }

  /** The name of a column of this expression. */
  private inputOf(expression: Expression, type: DataType): string {
    if (expression.op === 'column') return expression.name
    const key = fingerprint(['input', expression])
    const known = this.names.get(key)
    if (known !== undefined) return known
    const name = this.fresh(key)
    this.inputs.push({ name, expression, type })
    return name
  }

  private call(spec: Omit<OverCall, 'name'>, type: DataType): Expression {
    const key = fingerprint([spec, type.nullable])
    const known = this.names.get(key)
    if (known !== undefined) return columnOf(known, spec.label)
    const name = this.fresh(key)
    this.calls.push(Object.freeze({ ...spec, name }))
    this.types.push(type)
    this.scope[name] = type
    return columnOf(name, spec.label)
  }

  private fresh(key: string): string {
    let name = `#${this.names.size}`
    while (this.taken.has(name)) name += '#'
    this.names.set(key, name)
    return name
  }
}

/** Whether a row may be in no frame of its own. */
const mayBeEmpty = ({ unit, from, to }: RowFrame): boolean =>
  unit !== 'peers' && ((from !== null && from > 0) || (to !== null && to < 0))

function frameOf({ orders, frame }: OverNode, input: SchemaShape): RowFrame {
  if (frame === null)
    return { unit: orders.length === 0 ? 'rows' : 'peers', from: null, to: orders.length === 0 ? null : 0 }
  const { unit, from, to } = frame
  if (unit === 'rows') return { unit, from: from as number | null, to: to as number | null }
  if ([from, to].every(bound => bound === null || bound === 0))
    return { unit: 'peers', from: from as 0 | null, to: to as 0 | null }
  const { name } = orders[0] as OrderKey
  const type = input[name] as DataType
  const [first, last] = [from, to].map(bound => distance(bound, name, type))
  if (first != null && last != null && first > last)
    throw invalid(`a frame goes from the lesser to the greater, not from ${from} to ${to}`)
  return { unit: 'values', from: first ?? null, to: last ?? null }
}

/** A distance in the column's unit. */
function distance(bound: FrameBound, name: string, type: DataType): number | bigint | null {
  if (bound === null) return null
  const what = `${quote(name)} is ${typeName(type)}`
  if (!isNumber(type.kind) && !isTime(type.kind))
    throw mismatch('over', `${what}, and a range with distances needs an order column of numbers or times`, name)
  if (typeof bound === 'string') {
    if (!isTime(type.kind)) throw mismatch('over', `${what}: its distances are numbers, not ${quote(bound)}`, name)
    return durationIn(bound, type, name)
  }
  if (!Number.isFinite(bound))
    throw invalid(`a range goes to finite distances, or null for as far as it goes, not ${bound}`)
  if (!isInteger(type.kind) && !isTime(type.kind)) return bound
  if (!Number.isSafeInteger(bound)) throw invalid(`${what}: its distances are whole numbers, not ${bound}`)
  return BigInt(bound)
}

const invalid = (text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `over: ${text}`, { operator: 'over' })
