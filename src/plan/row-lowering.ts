/** What `topK` of groups and `dedupe` within a time come to where the input ends: `over`, filters and sorts. A chunk of its own (row-rules.ts). */
import type { AggregateFunction, Expression, OrderKey, OverFunction } from '../expressions/node.js'
import { columnOf, filterNode, projectNode, selectNode, sortNode } from './build.js'
import { not } from './cleaning.js'
import { distanceOf, keysOf } from './distinct.js'
import { END, lowerEventTime, START, WINDOW_END, WINDOW_START, type WindowRules } from './event-time.js'
import type { DistinctNode, JoinNode, Meeting, NamedAggregate, PlanNode, TopNode } from './logical.js'
import { overNode } from './over.js'
import type { Rank } from './row-rules.js'
import { boundSchemaOf } from './typing.js'

/** The place of a row, or of the first one of its group, among all. */
const FIRST = '#first'
const NTH = '#nth'
const KEPT = '#kept'

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
  windows: () => Pick<WindowRules, 'rows'>,
): PlanNode {
  const rank: Rank = (plan, partition) => {
    const known = over(plan, partition, tiedOrders(orders, time), { [NTH]: 'rowNumber', [FIRST]: 'min' })
    return filterNode(known, { op: 'lte', left: columnOf(NTH), right: { op: 'literal', value: count } })
  }
  const placed = over(input, [], [], { [FIRST]: 'rowNumber' })
  const { plan, partition } =
    window === null ? { plan: placed, partition: keys } : windows().rows(placed, window, keys, rank)
  const found = rank(plan, partition)
  const by = [...(window === null ? [] : [END, START]), FIRST, NTH]
  const sorted = sortNode(
    found,
    null,
    by.map(name => ({ name, descending: false, nulls: 'last' })),
  )
  const bounds =
    window === null
      ? []
      : [
          [WINDOW_START, START],
          [WINDOW_END, END],
        ]
  const own = Object.keys(boundSchemaOf(input)).map(name => [name, name])
  return projectNode(
    sorted,
    'topK',
    [...bounds, ...own].map(([name, from]) => ({ name: name as string, expression: columnOf(from as string) })),
  )
}

/** Columns by their names: the place of a row in its partition, or what an aggregate of the column comes to over the whole of it. */
function over(
  plan: PlanNode,
  partitionBy: readonly string[],
  orders: readonly OrderKey[],
  by: Readonly<Record<string, OverFunction | AggregateFunction>>,
): PlanNode {
  const columns = Object.entries(by).map(([name, function_]): NamedAggregate => {
    const inputs = function_ === 'rowNumber' ? [] : [columnOf(name)]
    return { name, expression: { op: 'aggregate', function: function_, inputs } }
  })
  return overNode(plan, null, { partitionBy, orders, frame: { unit: 'rows', from: null, to: null } }, columns)
}

export function lowerDistinct(node: DistinctNode, input: PlanNode): PlanNode {
  const schema = boundSchemaOf(input)
  const time = columnOf(node.time)
  const known = schema[node.time]?.nullable ? filterNode(input, not({ op: 'isNull', input: time })) : input
  const parameters = { within: distanceOf(node, schema) }
  const told = overNode(known, null, { partitionBy: keysOf(node, schema), orders: [], frame: null }, [
    { name: KEPT, expression: { op: 'aggregate', function: 'spaced', inputs: [time], parameters } },
  ])
  return projectNode(
    filterNode(told, columnOf(KEPT)),
    'dedupe',
    Object.keys(schema).map(name => ({ name, expression: columnOf(name) })),
  )
}

/** Rows without a time of a side of a join by event time; a left one that comes all the same is not late. */
export function lateOfSide({ input, right, how, meets }: JoinNode, side: 0 | 1): PlanNode {
  const by = meets as Meeting
  const time = 'end' in by ? (by.times[side] as string) : side === 0 ? by.left : by.right
  const isLate: Expression =
    'lower' in by && side === 0 && how === 'left'
      ? { op: 'literal', value: false }
      : { op: 'isNull', input: columnOf(time) }
  const late = filterNode(lowerEventTime(side === 0 ? input : right), isLate)
  return 'end' in by ? selectNode(late, null, by.columns[side] as readonly string[]) : late
}
