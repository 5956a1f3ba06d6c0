/** Verbs of cleaning, said by filters, projects and group-bys. build.ts has these, and calls here once the columns are known. */
import type { DataType, SchemaShape } from '../columnar/type.js'
import { literalOf } from '../expressions/literal.js'
import type { AggregateFunction, ColumnNode, Expression, LiteralValue, OrderKey } from '../expressions/node.js'
import {
  aggregateNode,
  checkNames,
  columnOf,
  filterNode,
  freshName,
  projectNode,
  selectNode,
  sortNode,
} from './build.js'
import type { FrameBound, NamedAggregate, NamedExpression, PlanNode } from './logical.js'
import { overNode } from './over.js'

/** Rows of which none of these columns is null. */
export const dropNullsOf = (input: PlanNode, names: readonly string[]): PlanNode =>
  filterNode(input, allOf(names.map(name => not({ op: 'isNull', input: columnOf(name) }))))

/**
 * A group for each of the keys' values, and of each the first or the last row. Null is a value here, of a key and of what is kept; the aggregates
 * pass nulls over, so whether there was one is kept beside. Groups come in the order of their first rows: last ones are put in their own.
 */
export function dedupeOf(
  input: PlanNode,
  schema: SchemaShape,
  names: readonly string[],
  keep: 'first' | 'last',
): PlanNode {
  checkNames('dedupe', names, schema)
  const all = Object.keys(schema)
  const keys = names.length === 0 ? all : names
  if (all.some(name => !keys.includes(name) && schema[name]?.kind === 'list'))
    return dedupeInPlace(input, schema, keys, keep === 'first' ? [null, -1] : [1, null])
  const aggregates: NamedAggregate[] = []
  const made = (expression: Expression, by: AggregateFunction = keep): Expression => {
    const name = freshName(`#${aggregates.length}`, keys)
    aggregates.push({ name, expression: { op: 'aggregate', function: by, inputs: [expression] } })
    return columnOf(name)
  }
  const columns = all.map((name): NamedExpression => {
    const column = columnOf(name)
    if (keys.includes(name)) return { name, expression: column }
    const type = schema[name] as DataType
    if (!type.nullable) return { name, expression: made(column) }
    const value = made(call('coalesce', column, somethingOf(type)))
    const none: Expression = { op: 'literal', value: null }
    return { name, expression: call('when', not(made({ op: 'isNull', input: column })), value, none) }
  })
  const places = keep === 'last' ? [made({ op: 'literal', value: true }, 'lastPlace') as ColumnNode] : []
  const grouped = aggregateNode(input, schema, keys, aggregates, null, 'dedupe')
  const orders = places.map(({ name }): OrderKey => ({ name, descending: false, nulls: 'last' }))
  return projectNode(orders[0] ? sortNode(grouped, null, orders) : grouped, 'dedupe', columns)
}

/** The same where there are columns that no aggregate keeps: rows stay where they are, and those go that have another of their keys before them, or after. */
function dedupeInPlace(
  input: PlanNode,
  schema: SchemaShape,
  partitionBy: readonly string[],
  [from, to]: readonly FrameBound[],
): PlanNode {
  const names = Object.keys(schema)
  const name = freshName('#others', names)
  const counted = overNode(input, schema, { partitionBy, orders: [], frame: { unit: 'rows', from, to } }, [
    { name, expression: { op: 'aggregate', function: 'count', inputs: [] } },
  ])
  const isKept: Expression = { op: 'eq', left: columnOf(name), right: { op: 'literal', value: 0 } }
  return selectNode(filterNode(counted, isKept), null, names)
}

/** Between the names of rules, none of which has it. */
export const RULE_SEPARATOR = ', '

export const not = (input: Expression): Expression => Object.freeze({ op: 'not', input })

export const call = (name: string, ...inputs: readonly Expression[]): Expression =>
  Object.freeze({ op: 'call', function: name, inputs: Object.freeze(inputs) })

/** True where there are none. Of very many not all are one in another, lest that gets too deep. */
export const allOf = (predicates: readonly Expression[]): Expression =>
  predicates.length === 0
    ? Object.freeze({ op: 'literal', value: true })
    : predicates.length > 50
      ? allOf([allOf(predicates.slice(0, 50)), allOf(predicates.slice(50))])
      : predicates.reduce((left, right) => Object.freeze({ op: 'and', left, right }))

/** Any value of a type. */
function somethingOf(type: DataType): Expression {
  const values: Partial<Record<DataType['kind'], LiteralValue>> = { utf8: '', bool: false, timestamp: 0n, date: 0 }
  if (type.kind in values) return literalOf(values[type.kind] as LiteralValue, { ...type, nullable: false })
  return Object.freeze({ op: 'literal', value: 0 })
}
