/**
 * `over` in a job that goes on: what its operator (operators/live-over.ts) is told, and what is refused: whatever a row is said that is known only when all rows have come. live.ts has the
 * plans that it stands in.
 */
import { schemaOf } from '../columnar/schema.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import { quote } from '../errors.js'
import type { AggregateCall, AggregateExpression } from '../expressions/node.js'
import { printAggregate } from '../expressions/print.js'
import { isOver } from './aggregate-types.js'
import { deriveNode, selectNode } from './build.js'
import { fieldsOf, isByTime, WINDOW_END } from './event-time.js'
import { isColumn, KEPT, type LiveOverSpec, type LiveSegment, refusal, WATERMARK, WEIGHT } from './live.js'
import { inTime, TIME } from './live-distinct.js'
import type { NamedExpression, OverNode, PlanNode } from './logical.js'
import { lowerOver } from './over.js'
import type { OverCall, RowFrame } from './physical.js'
import { physicalPlan } from './planner.js'
import { bindPlan, boundSchemaOf } from './typing.js'

/** Whether a flow that may end runs on nonetheless, row by row: what is said of a row is known once the watermark has passed it. */
export const runsOn = (node: OverNode): boolean => isByTime(node) && needsAll(node) === null

/** Whether what is said of a row is known only when all have come, wherever the rows come from. */
export const seesAllRows = (node: OverNode): boolean =>
  needsAll(node) !== null ||
  !(isByTime(node) || node.orders.every((order, i) => i === 0 && order.name === endOf(node.input) && !order.descending))

/** What the column is called now that has the end of windows, if any has. */
function endOf(plan: PlanNode): string {
  if (plan.kind === 'source' || ('window' in plan && plan.window)) return WINDOW_END
  const end = endOf(plan.input)
  const made = plan.kind === 'project' || plan.kind === 'pending' ? plan.columns : []
  return made.find(({ expression }) => isColumn(expression, end))?.name ?? end
}

/** Why rows of a partition are known only when all have come; null where a row, and some about it, are enough. */
function needsAll({ frame, orders, columns }: OverNode): string | null {
  const calls = columns.flatMap(({ expression }) => callsOf(expression))
  const all = calls.find(({ function: name }) => name === 'percentRank' || name === 'ntile')
  if (all !== undefined)
    return `${printAggregate(all)} is of all rows of a partition, and this flow runs on; use rank or rowNumber, or collect it`
  const aggregate = calls.find(({ function: name }) => !isOver(name))
  const goesOn = frame === null ? orders.length === 0 : frame.to === null
  if (aggregate === undefined || !goesOn) return null
  const said =
    frame === null ? 'without an order its frame is the whole partition' : 'its frame goes to the end of the partition'
  return `${printAggregate(aggregate)} would wait for ever, since ${said}, and this flow runs on; say where it ends, as in rows: [-9, 0], or group by window`
}

const callsOf = (node: AggregateExpression): AggregateCall[] =>
  node.op === 'literal' ? [] : node.op === 'aggregate' ? [node] : [...callsOf(node.left), ...callsOf(node.right)]

export interface MadeOver {
  readonly segment: LiveSegment
  /** Columns of the input, those that are carried along, and the calls. */
  readonly output: SchemaShape
  /** Of these. */
  readonly results: readonly NamedExpression[]
  /** Whether what comes out still has its event time. */
  readonly isTimed: boolean
}

/**
 * @param ends the column that has the end of closed windows, in order
 * @throws MillraceError `MR_UNBOUNDED`, or `MR_CANNOT_RETRACT` over rows that may be taken back
 */
export function overOf(
  node: OverNode,
  input: PlanNode,
  time: string | null,
  ends: string | null,
  isAppended: boolean,
): MadeOver {
  if (!isAppended)
    throw refusal(
      'MR_CANNOT_RETRACT',
      'over',
      'rows of the aggregate before it are taken back as they change, and with each what is said of all rows behind it; have the windows before close',
    )
  const reason = needsAll(node)
  if (reason !== null) throw refusal('MR_UNBOUNDED', 'over', reason)
  const order = orderOf(node, time, ends)
  const given = boundSchemaOf(input)
  const lowered = lowerOver(node, given)
  const { frame, calls, callTypes } = lowered
  const hasAggregates = calls.some(({ function: name }) => !isOver(name))
  const ahead = rowsAhead(calls, hasAggregates ? frame : null)
  // Rows that wait for others of their partition come out of the order in which they came.
  const isMarked = Object.hasOwn(given, WATERMARK) && (order === 'time' || ahead === 0)
  const schema = isMarked ? given : schemaOf(fieldsOf(given).filter(({ name }) => name !== WATERMARK))
  const added = lowered.inputs.filter(({ name }) => !Object.hasOwn(given, name))
  const derived = bindPlan(added.length === 0 ? input : deriveNode(input, given, added), null)
  const timed = order === 'time' ? inTime(derived, time as string) : derived
  const columns = Object.keys(schema)
  const read = calls.flatMap(({ inputs, where }) => (where === null ? inputs : [...inputs, where]))
  const needed = [
    ...columns,
    ...node.partitionBy,
    ...read,
    ...(order === 'time' ? [TIME, KEPT] : order === 'ends' ? [ends as string] : []),
  ]
  const narrow = bindPlan(selectNode(timed, boundSchemaOf(timed), [...new Set(needed)]), null)
  const over: LiveOverSpec = {
    order,
    frame: hasAggregates ? frame : null,
    rowsAhead: ahead,
    calls,
    columns,
    output: schemaOf([...fieldsOf(schema), ...calls.map(({ name }, i) => ({ name, type: callTypes[i] as DataType }))]),
  }
  return {
    segment: {
      stages: physicalPlan(narrow),
      aggregate: {
        keys: node.partitionBy,
        accumulators: [],
        input: boundSchemaOf(narrow),
        windows: 'none',
        isEndOnly: false,
        lateness: 0n,
        emits: 'closed',
        weight: null,
        time: order === 'time' ? TIME : order === 'ends' ? (ends as string) : '',
        kept: order === 'time' ? KEPT : null,
        lateColumns: columns.filter(name => name !== WATERMARK && name !== WEIGHT),
        givesLate: false,
        over,
      },
    },
    output: over.output,
    results: lowered.columns.filter(({ name }) => name !== WATERMARK || isMarked),
    isTimed: isMarked,
  }
}

function orderOf({ orders }: OverNode, time: string | null, ends: string | null): LiveOverSpec['order'] {
  const [order, ...others] = orders
  if (order === undefined) return 'arrival'
  const { name, descending } = order
  const isTime = name === time
  if (isTime || name === ends) {
    if (descending)
      throw refusal(
        'MR_UNBOUNDED',
        'over',
        `the last row by ${quote(name)} is known when all have come, and this flow runs on; order by it ascending`,
      )
    if (others.length === 0) return isTime ? 'time' : 'ends'
    throw refusal(
      'MR_UNBOUNDED',
      'over',
      `a flow that runs on is ordered by ${quote(name)} alone, and rows of equal times as they come; take ${others.map(each => quote(each.name)).join(', ')} away`,
    )
  }
  const known = time ?? ends
  throw refusal(
    'MR_UNBOUNDED',
    'over',
    `which rows come before another by ${quote(name)} is known when all have come, and this flow runs on; ${
      known === null
        ? "order by an event time, which watermark('time') says, or leave orderBy out for the order in which rows come"
        : `order by ${quote(known)}`
    }`,
  )
}

/** How many rows of its partition behind it a row waits for. */
function rowsAhead(calls: readonly OverCall[], frame: RowFrame | null): number {
  const leads = calls.filter(({ function: name }) => name === 'lead').map(({ parameters }) => parameters.rows as number)
  return Math.max(0, frame?.unit === 'rows' ? Number(frame.to) : 0, ...leads)
}
