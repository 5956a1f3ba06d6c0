/** `topK` of groups: the first rows of each in an order. Its node, checked, and what it comes to where the input ends; in a job that goes on it is operators/live-top.ts's. */
import { schemaOf } from '../columnar/schema.js'
import type { SchemaShape } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import type { AggregateFunction, Expression, OrderKey, OverFunction } from '../expressions/node.js'
import { checkNames, columnOf, filterNode, limitNode, projectNode, sortNode } from './build.js'
import type { NamedAggregate, PlanNode, TopNode, Windowing } from './logical.js'
import { overNode } from './over.js'
import { boundSchemaOf } from './typing.js'

/** Columns of the input, each row once for each of its windows. */
export interface WindowedRows {
  /** With the beginning and the end of the window (`START`, `END`). */
  readonly plan: PlanNode
  /** Columns of `plan` that rows of a window, and of `keys`, have in common. */
  readonly partition: readonly string[]
}

/** Leaves the first rows of each partition, and notes in `FIRST` where the first row of the partition was. */
export type Rank = (plan: PlanNode, partition: readonly string[]) => PlanNode

/** The place of a row, or of the first one of its group, among all. */
const FIRST = '#first'
const NTH = '#nth'
const BOUNDS = { windowStart: '#windowStart', windowEnd: '#windowEnd' }

/** @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN`, `MR_INVALID_OPTION` */
export function topNode(
  input: PlanNode,
  schema: SchemaShape | null,
  keys: readonly string[],
  count: number,
  orders: readonly OrderKey[],
  window: Windowing | null,
): TopNode {
  checkNames('groupBy', keys, schema)
  const { count: n } = limitNode(input, count)
  const { orders: sorted } = sortNode(input, schema, orders)
  const node: TopNode = Object.freeze({
    kind: 'top',
    input,
    keys: Object.freeze([...keys]),
    orders: sorted,
    count: n,
    window,
  })
  if (window !== null && schema !== null) checkBounds(schema)
  return node
}

function checkBounds(input: SchemaShape): void {
  for (const name of Object.keys(BOUNDS)) {
    if (!Object.hasOwn(input, name)) continue
    throw new MillraceError(
      'MR_DUPLICATE_COLUMN',
      `window: a windowed result has a column ${quote(name)} of its own; rename the input's before`,
      { operator: 'window', column: name },
    )
  }
}

/** @param windowed the schema of an aggregate over the windows */
export function topSchema({ window }: TopNode, input: SchemaShape, windowed: () => SchemaShape): SchemaShape {
  if (window === null) return input
  checkBounds(input)
  const bounds = windowed()
  return schemaOf(
    [...Object.keys(BOUNDS), ...Object.keys(input)].map(name => ({ name, type: bounds[name] ?? input[name] })),
  )
}

/** Rows of equal order come by their event time, where they have one, and as they came. */
export const tiedOrders = (orders: readonly OrderKey[], time: string | null): readonly OrderKey[] =>
  time === null || orders.some(({ name }) => name === time)
    ? orders
    : [...orders, { name: time, descending: false, nulls: 'last' }]

/** Groups in the order of their windows, and of their first rows, each in the order of its rows. */
export function lowerTop(
  { keys, orders, count, window }: TopNode,
  input: PlanNode,
  time: string | null,
  rowsOf: (plan: PlanNode, window: Windowing, keys: readonly string[], rank: Rank) => WindowedRows,
): PlanNode {
  const rank: Rank = (plan, partition) => {
    const ordered = over(plan, partition, tiedOrders(orders, time), NTH, 'rowNumber')
    const known = over(ordered, partition, [], FIRST, 'min')
    return filterNode(known, { op: 'lte', left: columnOf(NTH), right: { op: 'literal', value: count } })
  }
  const placed = over(input, [], [], FIRST, 'rowNumber')
  const { plan, partition } = window === null ? { plan: placed, partition: keys } : rowsOf(placed, window, keys, rank)
  const found = rank(plan, partition)
  const by = [...(window === null ? [] : ['#windowEnd', '#windowStart']), FIRST, NTH]
  const sorted = sortNode(
    found,
    null,
    by.map(name => ({ name, descending: false, nulls: 'last' })),
  )
  const bounds = window === null ? [] : Object.entries(BOUNDS)
  const own = Object.keys(boundSchemaOf(input)).map(name => [name, name])
  return projectNode(
    sorted,
    'topK',
    [...bounds, ...own].map(([name, from]) => ({ name: name as string, expression: columnOf(from as string) })),
  )
}

function over(
  plan: PlanNode,
  partitionBy: readonly string[],
  orders: readonly OrderKey[],
  name: string,
  by: OverFunction | AggregateFunction,
): PlanNode {
  const inputs: Expression[] = by === 'rowNumber' ? [] : [columnOf(name)]
  const column: NamedAggregate = { name, expression: { op: 'aggregate', function: by, inputs } }
  return overNode(plan, null, { partitionBy, orders, frame: null }, [column])
}

/** An aggregate of nothing, whose windows and keys are those of a `topK`. */
export const groupsOf = ({ input, keys, window }: TopNode) =>
  Object.freeze({ kind: 'aggregate', input, keys, sets: null, aggregates: [], window, panes: null } as const)
