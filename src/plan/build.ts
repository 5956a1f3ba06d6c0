/**
 * One builder per verb: checks what the user wrote and gives the frozen node. With a known input schema a verb's columns are spelt
 * out at once; without one they stay `pending` until the source opens. What comes out of a node is typing.ts's business.
 */
import type { DataType, SchemaShape } from '../columnar/type.js'
import { MillraceError, quote, unknownColumn } from '../errors.js'
import type { Expression, OrderKey } from '../expressions/node.js'
import { mismatch } from '../expressions/typing.js'
import { dedupeOf, dropNullsOf } from './cleaning.js'
import type {
  AggregateNode,
  FilterNode,
  LimitNode,
  NamedAggregate,
  NamedExpression,
  PendingNode,
  PlanNode,
  ProjectNode,
  SortNode,
  SourceNode,
} from './logical.js'

type Known = SchemaShape | null

export function sourceNode(id: number, label: string, schema: Known): SourceNode {
  return Object.freeze({ kind: 'source', id, label, schema, columns: null, prune: null })
}

export function selectNode(input: PlanNode, schema: Known, names: readonly string[]): ProjectNode {
  if (names.length === 0) throw invalid('select', "name at least one column, as in select('price')")
  checkNames('select', names, schema)
  return projectNode(input, 'select', names.map(plain))
}

export function dropNode(input: PlanNode, schema: Known, names: readonly string[]): ProjectNode | PendingNode {
  checkNames('drop', names, schema)
  if (schema === null) return pendingNode(input, 'drop', names.map(plain))
  const dropped = new Set(names)
  const kept = Object.keys(schema).filter(name => !dropped.has(name))
  if (kept.length === 0) throw invalid('drop', 'this would drop every column; keep at least one')
  return projectNode(input, 'drop', kept.map(plain))
}

/** `pairs`: old name, new name. Columns keep their places. */
export function renameNode(
  input: PlanNode,
  schema: Known,
  pairs: readonly (readonly [string, string])[],
): ProjectNode | PendingNode {
  const oldNames = pairs.map(([from]) => from)
  checkNames('rename', oldNames, schema)
  const columns = pairs.map(([from, to]) => ({ name: checkName('rename', to), expression: columnOf(from) }))
  checkUnique(
    'rename',
    columns.map(({ name }) => name),
  )
  if (schema === null) return pendingNode(input, 'rename', columns)
  const renamed = new Map(pairs)
  const all = Object.keys(schema).map(name => ({ name: renamed.get(name) ?? name, expression: columnOf(name) }))
  checkUnique(
    'rename',
    all.map(({ name }) => name),
  )
  return projectNode(input, 'rename', all)
}

/** Replaced columns keep their places, new ones come last. */
export function deriveNode(
  input: PlanNode,
  schema: Known,
  columns: readonly NamedExpression[],
  verb: 'derive' | 'fillNull' = 'derive',
): ProjectNode | PendingNode {
  if (schema === null) return pendingNode(input, verb, columns)
  const derived = new Map(columns.map(({ name, expression }) => [name, expression]))
  const kept = Object.keys(schema).map(name => ({ name, expression: derived.get(name) ?? columnOf(name) }))
  return projectNode(input, verb, [...kept, ...columns.filter(({ name }) => !Object.hasOwn(schema, name))])
}

/** What a pending verb is, now that the columns are known. */
export function settlePending(node: PendingNode, input: PlanNode, schema: SchemaShape): PlanNode {
  const { verb, columns } = node
  if (verb === 'derive' || verb === 'fillNull') return deriveNode(input, schema, columns, verb)
  const names = columns.map(({ name }) => name)
  if (verb === 'dropNulls') return dropNullsNode(input, schema, names)
  if (verb === 'dedupe') return dedupeNode(input, schema, names, node.keep)
  if (verb === 'drop') return dropNode(input, schema, names)
  return renameNode(
    input,
    schema,
    columns.map(({ name, expression }) => [(expression as { name: string }).name, name]),
  )
}

/** @param names none for all columns. */
export function dropNullsNode(input: PlanNode, schema: Known, names: readonly string[]): PlanNode {
  checkNames('dropNulls', names, schema)
  if (names.length > 0) return dropNullsOf(input, names)
  return schema === null ? pendingNode(input, 'dropNulls', []) : dropNullsOf(input, nullableIn(schema))
}

const nullableIn = (schema: SchemaShape): string[] => Object.keys(schema).filter(name => schema[name]?.nullable)

/** @param names none for all columns. */
export function dedupeNode(
  input: PlanNode,
  schema: Known,
  names: readonly string[],
  keep: 'first' | 'last' = 'first',
): PlanNode {
  checkNames('dedupe', names, schema)
  if (schema !== null) return dedupeOf(input, schema, names, keep)
  return Object.freeze({ ...pendingNode(input, 'dedupe', names.map(plain)), keep })
}

export function filterNode(input: PlanNode, predicate: Expression): FilterNode {
  return Object.freeze({ kind: 'filter', input, predicate })
}

export function limitNode(input: PlanNode, count: number, offset = 0, operator = 'limit'): LimitNode {
  for (const [what, value] of [
    ['n', count],
    ['offset', offset],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw invalid(
        operator,
        `${what} is a whole number from 0 up, not ${typeof value === 'number' ? value : typeof value}`,
      )
    }
  }
  return Object.freeze({ kind: 'limit', input, count: count + 0, offset: offset + 0 })
}

export function sortNode(input: PlanNode, schema: Known, orders: readonly OrderKey[], operator = 'orderBy'): SortNode {
  if (orders.length === 0) throw invalid(operator, "name at least one column, as in desc('price')")
  checkNames(
    operator,
    orders.map(({ name }) => name),
    schema,
  )
  return Object.freeze({ kind: 'sort', input, orders: Object.freeze(orders.map(order => Object.freeze({ ...order }))) })
}

/** @param sets grouping sets, of names in `keys`; null: a plain group-by. */
export function aggregateNode(
  input: PlanNode,
  schema: Known,
  keys: readonly string[],
  aggregates: readonly NamedAggregate[],
  sets: AggregateNode['sets'] = null,
  verb = 'groupBy',
): AggregateNode {
  checkNames(verb, keys, schema)
  if (schema !== null) for (const name of keys) checkKey(name, schema, verb)
  if (keys.length === 0 && aggregates.length === 0)
    throw invalid('aggregate', 'name at least one aggregate, as in { rows: count() }')
  for (const { name } of aggregates) {
    if (keys.includes(name)) {
      throw new MillraceError(
        'MR_DUPLICATE_COLUMN',
        `aggregate: ${quote(name)} is already a key of ${verb}; give the aggregate another name`,
        {
          operator: 'aggregate',
          column: name,
        },
      )
    }
  }
  return Object.freeze({
    kind: 'aggregate',
    input,
    keys: Object.freeze(inKeyOrder(keys)),
    sets: sets === null ? null : Object.freeze(sets.map(set => Object.freeze(inKeyOrder(set)))),
    aggregates: Object.freeze(aggregates),
    window: null,
    panes: null,
  })
}

/** (a, b), (a), (). */
export const rollupSets = (names: readonly string[]): string[][] =>
  Array.from({ length: names.length + 1 }, (_, i) => names.slice(0, names.length - i))

const MOST_CUBED = 12

/** (a, b, c), (a, b), (a, c), (b, c), (a), (b), (c), (). */
export function cubeSets(names: readonly string[]): string[][] {
  if (names.length > MOST_CUBED) {
    throw invalid('cube', `of ${names.length} columns there are 2^${names.length} subsets; name at most ${MOST_CUBED}`)
  }
  const subsets = names.reduceRight<string[][]>((rest, name) => rest.map(set => [name, ...set]).concat(rest), [[]])
  return subsets.sort((a, b) => b.length - a.length)
}

/** Exactly `columns`, in the order in which a schema of these names has them: that of JavaScript's objects. */
export function projectNode(
  input: PlanNode,
  verb: ProjectNode['verb'],
  columns: readonly NamedExpression[],
): ProjectNode {
  const byName = new Map(columns.map(column => [column.name, column]))
  const ordered = inKeyOrder([...byName.keys()]).map(name => Object.freeze(byName.get(name) as NamedExpression))
  return Object.freeze({ kind: 'project', input, columns: Object.freeze(ordered), verb })
}

function pendingNode(input: PlanNode, verb: PendingNode['verb'], columns: readonly NamedExpression[]): PendingNode {
  return Object.freeze({
    kind: 'pending',
    input,
    verb,
    columns: Object.freeze(columns.map(column => Object.freeze(column))),
  })
}

const plain = (name: string): NamedExpression => ({ name, expression: columnOf(name) })

export const columnOf = (name: string, label?: string): Expression =>
  Object.freeze(label === undefined ? { op: 'column', name } : { op: 'column', name, label })

/** Objects list integer-like names first, whatever the order in which they were set; plans follow them. */
export function inKeyOrder(names: readonly string[]): string[] {
  const shape = Object.create(null) as Record<string, true>
  for (const name of names) shape[name] = true
  return Object.keys(shape)
}

/** @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` for what cannot be compared */
export function checkKey(name: string, input: SchemaShape, operator: string): void {
  if (!Object.hasOwn(input, name)) throw unknownColumn(name, Object.keys(input), operator)
  const { kind } = input[name] as DataType
  if (kind === 'list' || kind === 'struct')
    throw mismatch(operator, `column ${quote(name)} is a ${kind}, which cannot be a key`, name)
}

/** A name that is none of these. */
export function freshName(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? freshName(`${name}#`, taken) : name
}

export function checkNames(operator: string, names: readonly string[], schema: Known): void {
  for (const name of names) {
    checkName(operator, name)
    if (schema !== null && !Object.hasOwn(schema, name)) throw unknownColumn(name, Object.keys(schema), operator)
  }
  checkUnique(operator, names)
}

function checkName(operator: string, name: unknown): string {
  if (typeof name === 'string') return name
  const hint =
    typeof name === 'object' && name !== null
      ? ` (an ${Array.isArray(name) ? 'array' : 'object'}; write the names one after another)`
      : ''
  throw new MillraceError(
    'MR_TYPE_MISMATCH',
    `${operator}: a column name is a string, not ${name === null ? 'null' : typeof name}${hint}`,
    { operator },
  )
}

function checkUnique(operator: string, names: readonly string[]): void {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name))
      throw new MillraceError('MR_DUPLICATE_COLUMN', `${operator}: column ${quote(name)} comes twice`, {
        operator,
        column: name,
      })
    seen.add(name)
  }
}

const invalid = (operator: string, text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `${operator}: ${text}`, { operator })
