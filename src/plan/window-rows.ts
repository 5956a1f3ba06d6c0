/** Rows in windows, where all input ends: each as often as it has windows, with their bounds. windows.ts has what aggregates over windows come to. */
import { schemaOf } from '../columnar/schema.js'
import { type SchemaShape, utf8 } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { literalOf } from '../expressions/literal.js'
import type { Expression } from '../expressions/node.js'
import { columnOf, deriveNode, filterNode, projectNode } from './build.js'
import { not } from './cleaning.js'
import { nanosecondsOf } from './duration.js'
import { END, START, WINDOW_END, WINDOW_START } from './event-time.js'
import type { AggregateNode, NamedExpression, PlanNode, TopNode, Windowing, WindowSpec } from './logical.js'
import { overNode } from './over.js'
import type { Rank, WindowedRows } from './row-rules.js'
import { unpivotNode } from './shape.js'
import { boundSchemaOf } from './typing.js'
import { added, aligned, assign, timed, windowEnd, windowedSchema, windowStart } from './windows.js'

/** @param rank of windows that overlap, only what it leaves of a part that they have in common is repeated: a row that is among the first of none of its parts is among those of no window. */
export function windowRows(
  input: PlanNode,
  { spec, time }: Windowing,
  keys: readonly string[],
  rank: Rank,
): WindowedRows {
  const { plan, name } = timed(input, time)
  const instant = columnOf(name)
  const derived = (from: PlanNode, ...columns: NamedExpression[]) => deriveNode(from, boundSchemaOf(from), columns)
  if (spec.kind === 'tumbling') {
    const started = derived(plan, { name: START, expression: windowStart(spec, instant) })
    const ended = derived(started, { name: END, expression: windowEnd(spec, columnOf(START)) })
    return { plan: ended, partition: [START, ...keys] }
  }
  if (spec.kind === 'sliding' || spec.kind === 'cumulative') {
    const part = spec.kind === 'sliding' ? spec.every : spec.step
    const parted = derived(plan, { name: START, expression: aligned(instant, part, spec.offset) })
    return { plan: inAllWindows(rank(parted, [START, ...keys]), spec, part), partition: [START, END, ...keys] }
  }
  const assigned = assign(plan, boundSchemaOf(plan), spec, name, keys)
  const partition = [...assigned.keys, ...keys]
  const bounded = overNode(assigned.plan, null, { partitionBy: partition, orders: [], frame: null }, assigned.bounds)
  return { plan: derived(bounded, { name: END, expression: assigned.end }), partition }
}

/** `windowStart, windowEnd`, and the columns of the input. @throws MillraceError `MR_DUPLICATE_COLUMN` */
export function windowRowsSchema(node: TopNode, window: Windowing, input: SchemaShape): SchemaShape {
  // Not said beside the function: these are of a chunk that may come after this one's.
  const own = [WINDOW_START, WINDOW_END]
  for (const name of own) {
    if (!Object.hasOwn(input, name)) continue
    throw new MillraceError(
      'MR_DUPLICATE_COLUMN',
      `window: a windowed result has a column ${quote(name)} of its own; rename the input's before`,
      { operator: 'window', column: name },
    )
  }
  const bounds = windowedSchema(groupsOf(node), window, input)
  return schemaOf([...own, ...Object.keys(input)].map(name => ({ name, type: bounds[name] ?? input[name] })))
}

/** An aggregate of nothing, whose windows and keys are those of a `topK`. */
export const groupsOf = ({ input, keys, window }: TopNode): AggregateNode =>
  Object.freeze({ kind: 'aggregate', input, keys, sets: null, aggregates: [], window, panes: null })

/** Columns that are made at a time. */
const MOST_AT_ONCE = 32

/**
 * Rows of a part, once for each window that it is in: the part's beginning is counted on, digit by digit, and what is no window of it is left out.
 * @param keepsNulls whether rows without a beginning are given too, once
 */
export function inAllWindows(
  input: PlanNode,
  spec: WindowSpec & { kind: 'sliding' | 'cumulative' },
  part: string,
  keepsNulls = false,
): PlanNode {
  const pane = nanosecondsOf(part, spec.kind)
  const windows = Number(nanosecondsOf(spec.size, spec.kind) / pane)
  const digits = Math.max(1, Math.ceil(Math.log(windows) / Math.log(MOST_AT_ONCE)))
  const base = Math.max(1, Math.ceil(windows ** (1 / digits) - 1e-9))
  const names = Object.keys(boundSchemaOf(input))
  // Ends, of which a part's first is its own.
  let plan = withColumn(input, END, added(columnOf(START), part))
  for (let digit = 0, stride = pane; digit < digits; digit++, stride *= BigInt(base)) {
    const on = Array.from({ length: base }, (_, i) => `#end${i}`)
    const ends = on.map((name, i) => ({ name, expression: added(columnOf(END), `${BigInt(i) * stride}ns`) }))
    const wide = deriveNode(plan, boundSchemaOf(plan), ends)
    const long = unpivotNode(wide, null, { on, index: names, variableName: '#digit', valueName: END })
    const isFirst: Expression = { op: 'eq', left: columnOf('#digit'), right: literalOf('#end0', utf8()) }
    const once = keepsNulls ? filterNode(long, either(not({ op: 'isNull', input: columnOf(END) }), isFirst)) : long
    plan = projectNode(
      once,
      'window',
      [...names, END].map(name => ({ name, expression: columnOf(name) })),
    )
  }
  const end = columnOf(END)
  if (spec.kind === 'sliding') {
    const last = added(columnOf(START), spec.size)
    return withColumn(within(plan, end, last, keepsNulls), START, added(end, `-${spec.size}`))
  }
  const start = aligned(columnOf(START), spec.size, spec.offset)
  return withColumn(within(plan, end, added(start, spec.size), keepsNulls), START, start)
}

function within(plan: PlanNode, end: Expression, last: Expression, keepsNulls: boolean): PlanNode {
  const isIn = not({ op: 'lt', left: last, right: end })
  return filterNode(plan, keepsNulls ? either({ op: 'isNull', input: end }, isIn) : isIn)
}

const either = (left: Expression, right: Expression): Expression => ({ op: 'or', left, right })

const withColumn = (plan: PlanNode, name: string, expression: Expression): PlanNode =>
  deriveNode(plan, boundSchemaOf(plan), [{ name, expression }])
