/**
 * Expressions as compact text, `(delay + 1) > 10`, for explain, errors and a handle's `toString`. It is for people: nothing parses it.
 */
import { fieldsOf } from '../columnar/schema.js'
import { type DataType, type SchemaShape, typeName } from '../columnar/type.js'
import { quote } from '../errors.js'
import { literalText } from './literal.js'
import type { AggregateExpression, Expression, OrderKey } from './node.js'

const SIGNS: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  intDiv: '//',
  mod: '%',
  eq: '=',
  ne: '!=',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
  and: 'and',
  or: 'or',
}

export function printExpression(node: Expression): string {
  switch (node.op) {
    case 'column':
      return node.label ?? printName(node.name)
    case 'literal':
      return literalText(node)
    case 'param':
      return `param(${literalText({ op: 'literal', value: node.cell.value, type: node.type })})`
    case 'cast':
      return `${castName(node.type)}(${printExpression(node.input)})`
    case 'isNull':
      return `${operand(node.input)} is null`
    case 'in':
      return `${operand(node.input)} in (${short(node.values.map(literalText))})`
    case 'not':
    case 'neg':
      return `${node.op === 'not' ? 'not ' : '-'}${operand(node.input)}`
    case 'year':
    case 'month':
    case 'dayOfWeek':
    case 'hour':
      return `${node.op}(${printExpression(node.input)})`
    case 'call': {
      const told = Object.entries(node.parameters ?? {}).flatMap(printCallParameter)
      return `${node.kernel?.name ?? node.function}(${[...node.inputs.map(printExpression), ...told].join(', ')})`
    }
    default:
      return `${operand(node.left)} ${SIGNS[node.op]} ${operand(node.right)}`
  }
}

const printCallParameter = ([name, value]: [string, unknown]): string | [] => {
  if (value === undefined || value === null) return []
  // Plans and errors are shown around; a key is not.
  if (name === 'key') return 'key'
  if (typeof value === 'object') return typeName(value as DataType)
  return typeof value === 'string' ? quote(value) : String(value)
}

const castName = (type: Parameters<typeof typeName>[0]): string =>
  type.kind === 'timestamp' ? `timestamp_${type.unit}` : type.kind

/** Operators in parentheses; names, literals and calls as they are. */
function operand(node: Expression): string {
  const text = printExpression(node)
  return 'left' in node || node.op === 'in' || node.op === 'isNull' || node.op === 'not' ? `(${text})` : text
}

export const short = (items: readonly string[]): string =>
  items.length <= 8 ? items.join(', ') : `${items.slice(0, 8).join(', ')}, … ${items.length - 8} more`

/** A column's name: as it is where it reads as a word, else in quotes and shortened. */
export const printName = (name: string): string => (/^[A-Za-z_$#][\w$]{0,79}$/.test(name) ? name : quote(name))

export function printAggregate(node: AggregateExpression): string {
  if (node.op === 'literal') return literalText(node)
  if (node.op === 'aggregate') {
    const parameters = Object.entries(node.parameters ?? {}).flatMap(printParameter)
    const call = `${node.definition?.name ?? node.function}(${[...node.inputs.map(printExpression), ...parameters].join(', ')})`
    return node.where === undefined ? call : `${call} where ${printExpression(node.where)}`
  }
  return `${aggregateOperand(node.left)} ${SIGNS[node.op]} ${aggregateOperand(node.right)}`
}

/** `quantile(x, 0.9)`, `join(s, ", ")`, `variance(x, population)`, `approxQuantile(x, 0.9, error 0.01)`. */
function printParameter([name, value]: [string, unknown]): string | [] {
  if (name === 'population') return value === true ? name : []
  if (Array.isArray(value)) return `[${short(value.map(String))}]`
  if (typeof value === 'string') return quote(value)
  return name === 'q' || name === 'n' ? String(value) : `${name} ${value}`
}

export const aggregateOperand = (node: AggregateExpression): string =>
  'left' in node || (node.op === 'aggregate' && node.where !== undefined)
    ? `(${printAggregate(node)})`
    : printAggregate(node)

export const printOrder = ({ name, descending, nulls }: OrderKey): string =>
  `${printName(name)}${descending ? ' desc' : ''}${nulls === 'first' ? ' nulls first' : ''}`

/** `origin: utf8, delay: nullable(int16)`, at most `most` columns of it. */
export function printSchema(schema: SchemaShape, most = 16): string {
  const fields = fieldsOf(schema)
  const shown = fields.slice(0, most).map(({ name, type }) => `${printName(name)}: ${typeName(type)}`)
  return fields.length <= most ? shown.join(', ') : `${shown.join(', ')}, … ${fields.length - most} more`
}
