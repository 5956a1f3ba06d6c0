/**
 * Event time in plans: watermarks, windows, late rows and emission, checked as they are said, and what they come to where the input ends. Then nothing is late, so a
 * window is a key: a watermark goes, windows become columns that an aggregate groups by, and late are the rows without a time. Jobs that go on are live.ts's.
 */
import { schemaOf } from '../columnar/schema.js'
import { type DataType, type SchemaShape, typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { literalOf } from '../expressions/literal.js'
import type { AggregateExpression, Expression } from '../expressions/node.js'
import { mismatch } from '../expressions/typing.js'
import { aggregateNode, checkNames, columnOf, filterNode } from './build.js'
import { call } from './cleaning.js'
import { nanosecondsOf, nanosecondsPer } from './duration.js'
import type {
  AggregateNode,
  EmitMode,
  EmitNode,
  JoinNode,
  LateNode,
  NamedAggregate,
  OverNode,
  PlanNode,
  TopNode,
  WatermarkNode,
  Windowing,
  WindowSpec,
} from './logical.js'
import type { AccumulatorSpec } from './physical.js'
import { type Rank, rowRules, type WindowedRows } from './row-rules.js'
import { boundSchemaOf } from './typing.js'

/** Columns of what a windowed aggregate gives, before its keys. */
export const WINDOW_START = 'windowStart'
export const WINDOW_END = 'windowEnd'
/** The same among the columns of the input, which may have such names of its own. */
export const START = '#windowStart'
export const END = '#windowEnd'
export interface WatermarkOptions {
  readonly delay: string | null
  readonly idleAfter: string | null
  readonly maxAdvance: string | null
}

export function watermarkNode(
  input: PlanNode,
  schema: SchemaShape | null,
  column: string,
  options: WatermarkOptions,
): WatermarkNode {
  checkNames('watermark', [column], schema)
  for (const [name, text] of Object.entries(options)) {
    if (text !== null && nanosecondsOf(text, 'watermark') < (name === 'delay' ? 0n : 1n))
      throw invalid(
        'watermark',
        `${name} is a duration ${name === 'delay' ? 'from 0 up' : 'above 0'}, not ${quote(text)}`,
      )
  }
  const node = Object.freeze({ kind: 'watermark', input, column, ...options } as const)
  if (schema !== null) checkWatermark(node, schema)
  return node
}

export function checkWatermark({ column, delay, maxAdvance }: WatermarkNode, schema: SchemaShape): void {
  checkNames('watermark', [column], schema)
  const type = schema[column] as DataType
  if (type.kind !== 'timestamp')
    throw mismatch('watermark', `event time is a timestamp, and ${quote(column)} is ${typeName(type)}`, column)
  for (const text of [delay, maxAdvance]) if (text !== null) ticksOf(text, type, 'watermark')
}

/** How a source gives its rows. */
export interface SourceTraits {
  readonly once?: true
  readonly settle?: unknown
  readonly held?: unknown
}

/** What windows come to: windows.ts has them, and is loaded by whoever makes a window. */
export interface WindowRules {
  /** @throws MillraceError `MR_INVALID_OPTION` */
  check(spec: WindowSpec): void
  schema(node: AggregateNode, window: Windowing, input: SchemaShape): SchemaShape
  lower(node: AggregateNode, window: Windowing, input: PlanNode): PlanNode
  /** Each row in each of its windows. */
  rows(input: PlanNode, window: Windowing, keys: readonly string[], rank: Rank): WindowedRows
  /** Of windows of one length that follow no calendar how long they are, and from where on, in ticks. */
  fixed(spec: WindowSpec, type: DataType): { readonly size: bigint; readonly offset: bigint } | undefined
  /** Of the window of an instant. */
  bounds(
    spec: WindowSpec & { kind: 'tumbling' },
    time: Expression,
  ): { readonly start: Expression; readonly end: Expression }
  /** Whether states of an aggregate take little room, however many rows they are of. */
  isSmall(accumulator: AccumulatorSpec): boolean
  /** Who groups the rows of windows while the flow runs on, in lines; none where there are none. */
  explain(plan: PlanNode, sources: Iterable<SourceTraits>): readonly string[]
  /** Of whole rows in windows. */
  rowSchema(node: TopNode, window: Windowing, input: SchemaShape): SchemaShape
}

let rules: WindowRules | null = null

export function useWindows(given: WindowRules): void {
  rules = given
}

export const explainWindows: WindowRules['explain'] = (plan, sources) => rules?.explain(plan, sources) ?? []

export const windowRules = (): WindowRules => {
  if (rules === null) throw new Error('there is a window, and nobody has made one')
  return rules
}

export const rowSchema = (node: TopNode, input: SchemaShape): SchemaShape =>
  node.window === null ? input : windowRules().rowSchema(node, node.window, input)

export const windowedSchema: WindowRules['schema'] = (node, window, input) => windowRules().schema(node, window, input)

/** The column of the event time of what leaves a node; null where there is none. */
export function eventTimeOf(plan: PlanNode): string | null {
  switch (plan.kind) {
    case 'watermark':
      return plan.column
    case 'source':
    case 'aggregate':
    case 'top':
      return null
    case 'unpivot': {
      const time = eventTimeOf(plan.input)
      const isRepeated = plan.index === null ? !plan.on.includes(time as string) : plan.index.includes(time as string)
      return isRepeated ? time : null
    }
    case 'project': {
      if (isDeduping(plan)) return eventTimeOf(plan.input.kind === 'aggregate' ? plan.input.input : plan.input)
      const time = eventTimeOf(plan.input)
      const kept = plan.columns.filter(({ expression }) => expression.op === 'column' && expression.name === time)
      // Of several copies the one that is still called so.
      return (kept.find(({ name }) => name === time) ?? kept[0])?.name ?? null
    }
    case 'pending': {
      const time = eventTimeOf(plan.input)
      const { verb, columns } = plan
      if (verb === 'drop' || verb === 'derive' || verb === 'fillNull')
        return columns.some(({ name }) => name === time) ? null : time
      if (verb !== 'rename') return time
      const renamed = columns.find(({ expression }) => expression.op === 'column' && expression.name === time)
      return renamed?.name ?? time
    }
    case 'over':
      return plan.columns.some(({ name }) => name === eventTimeOf(plan.input)) ? null : eventTimeOf(plan.input)
    case 'union': {
      const times = new Set([plan.input, ...plan.others].map(eventTimeOf))
      return times.size === 1 ? ([...times][0] as string | null) : null
    }
    case 'user':
      return plan.schema === null ? eventTimeOf(plan.input) : null
    case 'join':
      return plan.meets && 'end' in plan.meets ? null : eventTimeOf(plan.input)
    default:
      return eventTimeOf(plan.input)
  }
}

/** Whether rows are in the order of their event time alone. */
export const isByTime = ({ input, orders: [order, ...others] }: OverNode): boolean =>
  order !== undefined && others.length === 0 && !order.descending && order.name === eventTimeOf(input)

export const noEventTime = (operator: string): MillraceError =>
  new MillraceError(
    'MR_NO_EVENT_TIME',
    `${operator}: rows have no event time here; say which column has it before, as in watermark('time')${/join/i.test(operator) ? ', of both flows' : ''}`,
    { operator },
  )

/** @throws MillraceError `MR_NO_EVENT_TIME` */
export function windowingOf(input: PlanNode, spec: WindowSpec, allowedLateness: string | null): Windowing {
  const time = eventTimeOf(input)
  if (time === null) throw noEventTime('window')
  windowRules().check(spec)
  if (allowedLateness !== null && nanosecondsOf(allowedLateness, 'window') < 0n)
    throw invalid('window', `allowedLateness is a duration from 0 up, not ${quote(allowedLateness)}`)
  return Object.freeze({ spec: Object.freeze(spec), time, allowedLateness })
}

/** @throws MillraceError `MR_DUPLICATE_COLUMN` for a key or an aggregate called as a window's end or beginning is */
export function windowedNode(
  input: PlanNode,
  schema: SchemaShape | null,
  keys: readonly string[],
  aggregates: readonly NamedAggregate[],
  window: Windowing,
): AggregateNode {
  for (const name of [...keys, ...aggregates.map(each => each.name)]) {
    if (name !== WINDOW_START && name !== WINDOW_END) continue
    throw new MillraceError(
      'MR_DUPLICATE_COLUMN',
      `window: a windowed result has a column ${quote(name)} of its own; give this one another name`,
      { operator: 'window', column: name },
    )
  }
  if (keys.length === 0 && aggregates.length === 0)
    throw invalid('aggregate', 'name at least one aggregate, as in { rows: count() }')
  const node =
    keys.length === 0 ? aggregateNode(input, schema, keys, aggregates) : aggregateNode(input, schema, keys, aggregates)
  return Object.freeze({ ...node, window })
}

/** What an aggregate over panes gives beside: the end of each window. */
export function withWindowEnd({ panes }: AggregateNode, output: SchemaShape): SchemaShape {
  if (panes === null) return output
  return schemaOf(
    fieldsOf(output).flatMap(field => (field.name === START ? [field, { name: END, type: field.type }] : [field])),
  )
}

export const fieldsOf = (shape: SchemaShape) =>
  Object.keys(shape).map(name => ({ name, type: shape[name] as DataType }))

/** @throws MillraceError `MR_INVALID_OPTION` for what is no whole number of the column's unit */
export function ticksOf(text: string, type: DataType, operator: string): bigint {
  const [nanoseconds, per] = [nanosecondsOf(text, operator), nanosecondsPer(type)]
  if (nanoseconds % per === 0n && nanoseconds / per < 2n ** 62n) return nanoseconds / per
  throw invalid(operator, `${quote(text)} is no whole number of what ${typeName(type)} counts`)
}

export function emitNode(input: PlanNode, mode: EmitMode): EmitNode {
  let below = input
  while (below.kind === 'project' || below.kind === 'filter' || below.kind === 'pending' || below.kind === 'sort')
    below = below.input
  if (below.kind !== 'aggregate' && below.kind !== 'top')
    throw invalid('emit', 'it says when an aggregate, or topK, gives its groups; write it behind one')
  if (typeof mode === 'object' && nanosecondsOf(mode.every, 'emit') <= 0n)
    throw invalid('emit', `every is a duration above 0, not ${quote(mode.every)}`)
  if (mode === 'close' && below.window === null)
    throw invalid('emit', "without a window a group never closes; write emit('change') or emit({ every })")
  return Object.freeze({ kind: 'emit', input, mode })
}

/** @param side of a join, which flow's rows. @throws MillraceError `MR_INVALID_OPTION` where there is no window */
export function lateNode(plan: PlanNode, side: 0 | 1): LateNode {
  for (let node = plan; node.kind !== 'source'; node = node.input) {
    if (node.kind === 'join' && node.meets)
      return Object.freeze({ kind: 'late', input: node, of: { kind: 'side', side } } as const)
    if (
      node.kind === 'distinct' ||
      (node.kind === 'over' && isByTime(node)) ||
      ((node.kind === 'aggregate' || node.kind === 'top') && node.window !== null)
    )
      return Object.freeze({ kind: 'late', input: node.input, of: node })
  }
  throw invalid(
    'late',
    'rows are late for windows, and what else goes by event time, and there is none before; write it behind window(...).groupBy(...).aggregate(...)',
  )
}

/** What `dedupe` is said by: of rows with equal keys the first, or last, as they came. */
const isDeduping = (plan: PlanNode): boolean => plan.kind === 'project' && plan.verb === 'dedupe'

/** Of a bound plan what it comes to where all input ends: no node of event time is left in it. To be bound again. */
export function lowerEventTime(plan: PlanNode, isDedupe = false): PlanNode {
  if (plan.kind === 'source') return plan
  const input = lowerEventTime(plan.input, isDedupe ? plan.kind === 'sort' : isDeduping(plan))
  switch (plan.kind) {
    case 'watermark':
    case 'emit':
      return input
    case 'late': {
      const { of } = plan
      if (of.kind === 'side') return rowRules().lateOfSide(plan.input as JoinNode, of.side)
      const time =
        of.kind === 'over' ? of.orders[0]?.name : of.kind === 'distinct' ? of.time : (of.window as Windowing).time
      return filterNode(input, { op: 'isNull', input: columnOf(time as string) })
    }
    case 'distinct':
      return rowRules().lowerDistinct(plan, input)
    case 'aggregate':
      if (plan.window !== null) return windowRules().lower(plan, plan.window, input)
      if (input === plan.input) return plan
      return Object.freeze({
        ...(isDedupe ? plan : byEventTime(plan, eventTimeOf(plan.input), boundSchemaOf(plan.input))),
        input,
      })
    case 'top':
      return rowRules().lowerTop(plan, input, eventTimeOf(plan.input), windowRules)
    case 'join':
      return Object.freeze({ ...plan, input, right: lowerEventTime(plan.right) })
    case 'union':
      return Object.freeze({ ...plan, input, others: Object.freeze(plan.others.map(other => lowerEventTime(other))) })
    default:
      return input === plan.input ? plan : Object.freeze({ ...plan, input })
  }
}

/** Whether any node has to do with event time. */
export function hasEventTime(plan: PlanNode): boolean {
  if (plan.kind === 'source') return false
  if (
    plan.kind === 'watermark' ||
    plan.kind === 'emit' ||
    plan.kind === 'late' ||
    plan.kind === 'top' ||
    plan.kind === 'distinct'
  )
    return true
  if (plan.kind === 'join' && hasEventTime(plan.right)) return true
  if (plan.kind === 'union' && plan.others.some(hasEventTime)) return true
  return hasEventTime(plan.input)
}

/**
 * First and last are by event time where there is one, and of equal times by the order of rows; so is who is first of rows that tie for the least or the greatest. Rows without a time come after all others for the first, and before them for the last.
 * @param schema of the input
 */
export function byEventTime(node: AggregateNode, time: string | null, schema: SchemaShape): AggregateNode {
  if (time === null) return node
  const type = schema[time] as DataType
  const orElse = (instant: bigint): Expression =>
    type.nullable ? call('coalesce', columnOf(time), literalOf(instant, { ...type, nullable: false })) : columnOf(time)
  const timed = (expression: AggregateExpression): AggregateExpression => {
    if (expression.op === 'literal') return expression
    if (expression.op !== 'aggregate')
      return Object.freeze({ ...expression, left: timed(expression.left), right: timed(expression.right) })
    const { function: name, inputs } = expression
    if (inputs.length === 2 && (name === 'argMin' || name === 'argMax'))
      return Object.freeze({ ...expression, inputs: Object.freeze([...inputs, orElse(LATEST)]) })
    if (name !== 'first' && name !== 'last') return expression
    return Object.freeze({
      ...expression,
      function: name === 'first' ? 'argMin' : 'argMax',
      inputs: Object.freeze([...inputs, orElse(name === 'first' ? LATEST : ~LATEST)]),
      ...(name === 'first' ? {} : { parameters: Object.freeze({ ties: 'last' as const }) }),
    })
  }
  const aggregates = node.aggregates.map(({ name, expression }) =>
    Object.freeze({ name, expression: timed(expression) }),
  )
  return Object.freeze({ ...node, aggregates: Object.freeze(aggregates) })
}

/** Instants are int64. */
const LATEST = 2n ** 63n - 1n

const invalid = (operator: string, text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `${operator}: ${text}`, { operator })
