/**
 * Event time in plans: watermarks, windows, late rows and emission, checked as they are said, and what they come to where the input ends. Then nothing is late, so a
 * window is a key: a watermark goes, windows become columns that an aggregate groups by, and late are the rows without a time. Jobs that go on are live.ts's.
 */
import { schemaOf } from '../columnar/schema.js'
import { type DataType, type SchemaShape, typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { parseDuration } from '../expressions/duration.js'
import { literalOf } from '../expressions/literal.js'
import type { AggregateExpression, CallParameters, Expression } from '../expressions/node.js'
import { mismatch } from '../expressions/typing.js'
import { zoneOf } from '../expressions/zone.js'
import { accumulate } from './accumulate.js'
import { aggregateNode, checkNames, columnOf, deriveNode, filterNode, projectNode, sortNode } from './build.js'
import { call, not } from './cleaning.js'
import { nanosecondsOf, nanosecondsPer } from './duration.js'
import type {
  AggregateNode,
  EmitMode,
  EmitNode,
  LateNode,
  NamedAggregate,
  NamedExpression,
  Panes,
  PlanNode,
  WatermarkNode,
  Windowing,
  WindowSpec,
} from './logical.js'
import { overNode } from './over.js'
import { boundSchemaOf } from './typing.js'

/** Columns of what a windowed aggregate gives, before its keys. */
export const WINDOW_START = 'windowStart'
export const WINDOW_END = 'windowEnd'
/** The same among the columns of the input, which may have such names of its own. */
export const START = '#windowStart'
export const END = '#windowEnd'
/** The event time without nulls, where the column may have them. */
const TIME = '#time'

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

/** The column of the event time of what leaves a node; null where there is none. */
export function eventTimeOf(plan: PlanNode): string | null {
  switch (plan.kind) {
    case 'watermark':
      return plan.column
    case 'source':
    case 'aggregate':
    case 'explode':
    case 'unpivot':
      return null
    case 'project': {
      const time = eventTimeOf(plan.input)
      const kept = plan.columns.find(({ expression }) => expression.op === 'column' && expression.name === time)
      return kept?.name ?? null
    }
    case 'pending': {
      const time = eventTimeOf(plan.input)
      const { verb, columns } = plan
      if (verb === 'drop') return columns.some(({ name }) => name === time) ? null : time
      if (verb === 'derive') return columns.some(({ name }) => name === time) ? null : time
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
    default:
      return eventTimeOf(plan.input)
  }
}

/** @throws MillraceError `MR_NO_EVENT_TIME` */
export function windowingOf(input: PlanNode, spec: WindowSpec, allowedLateness: string | null): Windowing {
  const time = eventTimeOf(input)
  if (time === null)
    throw new MillraceError(
      'MR_NO_EVENT_TIME',
      "window: rows have no event time here; say which column has it before, as in watermark('time')",
      { operator: 'window' },
    )
  checkSpec(spec)
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

/** `windowStart, windowEnd, ...keys, ...aggregates`. */
export function windowedSchema(node: AggregateNode, { spec, time }: Windowing, input: SchemaShape): SchemaShape {
  checkNames('window', [time], input)
  const type = input[time] as DataType
  if (type.kind !== 'timestamp')
    throw mismatch('window', `windows are of timestamps, and ${quote(time)} is ${typeName(type)}`, time)
  checkDurations(spec, node.window?.allowedLateness ?? null, type)
  const bound = { ...type, nullable: false }
  const wide = schemaOf([{ name: START, type: bound }, ...fieldsOf(input)])
  const { output } = accumulate({ ...node, keys: [START, ...node.keys] }, wide)
  const fields = fieldsOf(output).filter(({ name }) => name !== START)
  return schemaOf([{ name: WINDOW_START, type: bound }, { name: WINDOW_END, type: bound }, ...fields])
}

/** What an aggregate over panes gives beside: the end of each window. */
export function withWindowEnd({ panes }: AggregateNode, output: SchemaShape): SchemaShape {
  if (panes === null) return output
  return schemaOf(
    fieldsOf(output).flatMap(field => (field.name === START ? [field, { name: END, type: field.type }] : [field])),
  )
}

const fieldsOf = (shape: SchemaShape) => Object.keys(shape).map(name => ({ name, type: shape[name] as DataType }))

function checkSpec(spec: WindowSpec): void {
  if (spec.kind === 'rowCount') {
    if (Number.isSafeInteger(spec.count) && spec.count > 0) return
    throw invalid('rowCount', `a window has a whole number of rows, 1 or more, not ${spec.count}`)
  }
  if (spec.kind === 'tumbling') {
    const { months, days, nanoseconds } = parseDuration(spec.size, 'tumbling')
    const counts = [months, days, nanoseconds].filter(count => count !== 0 && count !== 0n)
    if (counts.length !== 1 || (counts[0] as number) < 0)
      throw invalid(
        'tumbling',
        `${quote(spec.size)} is no window: write a number of months, of days or of something shorter, above 0`,
      )
    if (spec.zone !== null) zoneOf(spec.zone, 'tumbling')
    if (spec.offset !== null) parseDuration(spec.offset, 'tumbling')
    return
  }
  const [size, part] =
    spec.kind === 'session' ? [spec.gap, spec.gap] : [spec.size, spec.kind === 'sliding' ? spec.every : spec.step]
  const [whole, piece] = [nanosecondsOf(size, spec.kind), nanosecondsOf(part, spec.kind)]
  if (whole <= 0n || piece <= 0n) throw invalid(spec.kind, `windows and their parts are longer than 0`)
  if (whole % piece !== 0n)
    throw invalid(
      spec.kind,
      `the size is a multiple of the ${spec.kind === 'sliding' ? 'period' : 'step'}, and ${quote(size)} is none of ${quote(part)}`,
    )
  if (whole / piece > MOST_PANES)
    throw invalid(
      spec.kind,
      `a window has at most ${MOST_PANES} parts, and ${quote(size)} has ${whole / piece} of ${quote(part)}`,
    )
}

/** Rows are kept once a part, but results are given once a window. */
const MOST_PANES = 100_000n

function checkDurations(spec: WindowSpec, allowedLateness: string | null, type: DataType): void {
  if (allowedLateness !== null) ticksOf(allowedLateness, type, 'window')
  if (spec.kind === 'tumbling') {
    const { months, nanoseconds } = parseDuration(spec.size, 'tumbling')
    if (months === 0 && nanoseconds !== 0n) ticksOf(spec.size, type, 'tumbling')
    if (spec.offset !== null && parseDuration(spec.offset, 'tumbling').months === 0)
      ticksOf(spec.offset, type, 'tumbling')
  } else if (spec.kind === 'session') ticksOf(spec.gap, type, 'session')
  else if (spec.kind === 'sliding' || spec.kind === 'cumulative') panesOf(spec, type)
}

/** @throws MillraceError `MR_INVALID_OPTION` for what is no whole number of the column's unit */
export function ticksOf(text: string, type: DataType, operator: string): bigint {
  const [nanoseconds, per] = [nanosecondsOf(text, operator), nanosecondsPer(type)]
  if (nanoseconds % per === 0n && nanoseconds / per < 2n ** 62n) return nanoseconds / per
  throw invalid(operator, `${quote(text)} is no whole number of what ${typeName(type)} counts`)
}

export function panesOf(spec: WindowSpec & { kind: 'sliding' | 'cumulative' }, type: DataType): Panes {
  const part = spec.kind === 'sliding' ? spec.every : spec.step
  return {
    kind: spec.kind,
    pane: ticksOf(part, type, spec.kind),
    size: ticksOf(spec.size, type, spec.kind),
    offset: spec.offset === null ? 0n : ticksOf(spec.offset, type, spec.kind),
  }
}

export function emitNode(input: PlanNode, mode: EmitMode): EmitNode {
  let below = input
  while (below.kind === 'project' || below.kind === 'filter' || below.kind === 'pending' || below.kind === 'sort')
    below = below.input
  if (below.kind !== 'aggregate')
    throw invalid('emit', 'it says when an aggregate gives its groups; write it behind one')
  if (typeof mode === 'object' && nanosecondsOf(mode.every, 'emit') <= 0n)
    throw invalid('emit', `every is a duration above 0, not ${quote(mode.every)}`)
  if (mode === 'close' && below.window === null)
    throw invalid('emit', "without a window a group never closes; write emit('change') or emit({ every })")
  return Object.freeze({ kind: 'emit', input, mode })
}

/** @throws MillraceError `MR_INVALID_OPTION` where there is no window */
export function lateNode(plan: PlanNode): LateNode {
  for (let node = plan; node.kind !== 'source'; node = node.input) {
    if (node.kind === 'aggregate' && node.window !== null)
      return Object.freeze({ kind: 'late', input: node.input, of: node })
  }
  throw invalid(
    'late',
    'rows are late for windows, and there is none before; write it behind window(...).groupBy(...).aggregate(...)',
  )
}

/** Of a bound plan what it comes to where all input ends: no node of event time is left in it. To be bound again. */
export function lowerEventTime(plan: PlanNode): PlanNode {
  if (plan.kind === 'source') return plan
  const input = lowerEventTime(plan.input)
  switch (plan.kind) {
    case 'watermark':
    case 'emit':
      return input
    case 'late':
      return filterNode(input, { op: 'isNull', input: columnOf((plan.of.window as Windowing).time) })
    case 'aggregate':
      if (plan.window !== null) return lowerWindows(plan, plan.window, input)
      return input === plan.input ? plan : Object.freeze({ ...byEventTime(plan, eventTimeOf(plan.input)), input })
    case 'join':
      return Object.freeze({ ...plan, input, right: lowerEventTime(plan.right) })
    case 'union':
      return Object.freeze({ ...plan, input, others: Object.freeze(plan.others.map(lowerEventTime)) })
    default:
      return input === plan.input ? plan : Object.freeze({ ...plan, input })
  }
}

/** Whether any node has to do with event time. */
export function hasEventTime(plan: PlanNode): boolean {
  if (plan.kind === 'source') return false
  if (plan.kind === 'watermark' || plan.kind === 'emit' || plan.kind === 'late') return true
  if (plan.kind === 'join' && hasEventTime(plan.right)) return true
  if (plan.kind === 'union' && plan.others.some(hasEventTime)) return true
  return hasEventTime(plan.input)
}

/** First and last are by event time where there is one, and of equal times by the order of rows. */
export function byEventTime(node: AggregateNode, time: string | null): AggregateNode {
  if (time === null) return node
  const timed = (expression: AggregateExpression): AggregateExpression => {
    if (expression.op === 'literal') return expression
    if (expression.op !== 'aggregate')
      return Object.freeze({ ...expression, left: timed(expression.left), right: timed(expression.right) })
    const { function: name, inputs } = expression
    if (name !== 'first' && name !== 'last') return expression
    return Object.freeze({
      ...expression,
      function: name === 'first' ? 'argMin' : 'argMax',
      inputs: Object.freeze([...inputs, columnOf(time)]),
      ...(name === 'first' ? {} : { parameters: Object.freeze({ ties: 'last' as const }) }),
    })
  }
  const aggregates = node.aggregates.map(({ name, expression }) =>
    Object.freeze({ name, expression: timed(expression) }),
  )
  return Object.freeze({ ...node, aggregates: Object.freeze(aggregates) })
}

function lowerWindows(node: AggregateNode, window: Windowing, input: PlanNode): PlanNode {
  const { spec, time } = window
  const { plan, name: instant } = timed(input, time)
  const assigned = assign(plan, boundSchemaOf(plan), spec, instant, node.keys)
  const wide = boundSchemaOf(assigned.plan)
  const grouped: AggregateNode = Object.freeze({
    ...aggregateNode(
      assigned.plan,
      wide,
      [...assigned.keys, ...node.keys],
      [...byEventTime(node, instant).aggregates, ...assigned.bounds],
    ),
    panes: assigned.panes,
  })
  const results = boundSchemaOf(grouped)
  // Of a session what it is called by is no column of the results.
  const named: NamedExpression[] = [
    { name: WINDOW_START, expression: assigned.start },
    { name: WINDOW_END, expression: assigned.end },
    ...[...node.keys, ...node.aggregates.map(({ name }) => name)].map(name => ({ name, expression: columnOf(name) })),
  ]
  if (assigned.panes !== null) return projectNode(grouped, 'window', named)
  const ends = deriveNode(grouped, results, [
    { name: START, expression: assigned.start },
    { name: END, expression: assigned.end },
  ])
  const sorted = sortNode(ends, boundSchemaOf(ends), [
    { name: END, descending: false, nulls: 'last' },
    { name: START, descending: false, nulls: 'last' },
  ])
  return projectNode(
    sorted,
    'window',
    named.map(column =>
      column.name === WINDOW_START
        ? { ...column, expression: columnOf(START) }
        : column.name === WINDOW_END
          ? { ...column, expression: columnOf(END) }
          : column,
    ),
  )
}

/** Rows that have a time, and the column that has it, without nulls. */
export function timed(input: PlanNode, time: string): { readonly plan: PlanNode; readonly name: string } {
  const schema = boundSchemaOf(input)
  const type = schema[time] as DataType
  if (!type.nullable) return { plan: input, name: time }
  const known = filterNode(input, not({ op: 'isNull', input: columnOf(time) }))
  const instant = call('coalesce', columnOf(time), literalOf(0n, { ...type, nullable: false }))
  return { plan: deriveNode(known, schema, [{ name: TIME, expression: instant }]), name: TIME }
}

interface Assigned {
  readonly plan: PlanNode
  /** Columns of `plan` that rows of a window, or a pane, have in common. */
  readonly keys: readonly string[]
  readonly bounds: readonly NamedAggregate[]
  readonly panes: Panes | null
  /** Over the results. */
  readonly start: Expression
  readonly end: Expression
}

function assign(
  input: PlanNode,
  schema: SchemaShape,
  spec: WindowSpec,
  time: string,
  keys: readonly string[],
): Assigned {
  const instant = columnOf(time)
  const start = columnOf(START)
  const type = schema[time] as DataType
  switch (spec.kind) {
    case 'tumbling':
      return {
        plan: deriveNode(input, schema, [{ name: START, expression: windowStart(spec, instant) }]),
        keys: [START],
        bounds: [],
        panes: null,
        start,
        end: windowEnd(spec, start),
      }
    case 'sliding':
    case 'cumulative': {
      const panes = panesOf(spec, type)
      const part = spec.kind === 'sliding' ? spec.every : spec.step
      return {
        plan: deriveNode(input, schema, [{ name: START, expression: aligned(instant, part, spec.offset) }]),
        keys: [START],
        bounds: [],
        panes,
        start,
        end: columnOf(END),
      }
    }
    case 'session':
      return sessions(input, spec.gap, time, keys)
    case 'rowCount': {
      const numbered = overNode(input, schema, { partitionBy: keys, orders: [], frame: null }, [
        { name: '#row', expression: { op: 'aggregate', function: 'rowNumber', inputs: [] } },
      ])
      const before: Expression = { op: 'sub', left: columnOf('#row'), right: literal(1) }
      const place: Expression = { op: 'intDiv', left: before, right: literal(spec.count) }
      return {
        plan: deriveNode(numbered, boundSchemaOf(numbered), [{ name: '#window', expression: place }]),
        keys: ['#window'],
        bounds: [extreme('min', START, time), extreme('max', END, time)],
        panes: null,
        start,
        end: columnOf(END),
      }
    }
  }
}

const literal = (value: number): Expression => Object.freeze({ op: 'literal', value })

const extreme = (name: 'min' | 'max', as: string, time: string): NamedAggregate => ({
  name: as,
  expression: { op: 'aggregate', function: name, inputs: [columnOf(time)] },
})

/** A row begins a session where the one before it, in time and of its keys, is a gap or more away; a session is called by how many have begun. */
function sessions(input: PlanNode, gap: string, time: string, keys: readonly string[]): Assigned {
  const schema = boundSchemaOf(input)
  const orders = [{ name: time, descending: false, nulls: 'last' } as const]
  const before = overNode(input, schema, { partitionBy: keys, orders, frame: null }, [
    {
      name: '#before',
      expression: { op: 'aggregate', function: 'lag', inputs: [columnOf(time)], parameters: { rows: 1 } },
    },
  ])
  const begins = deriveNode(before, boundSchemaOf(before), [
    {
      name: '#begins',
      expression: call(
        'when',
        call(
          'coalesce',
          { op: 'lt', left: columnOf(time), right: added(columnOf('#before'), gap) },
          { op: 'literal', value: false },
        ),
        literal(0),
        literal(1),
      ),
    },
  ])
  const numbered = overNode(
    begins,
    boundSchemaOf(begins),
    { partitionBy: keys, orders, frame: { unit: 'rows', from: null, to: 0 } },
    [{ name: '#session', expression: { op: 'aggregate', function: 'sum', inputs: [columnOf('#begins')] } }],
  )
  return {
    plan: numbered,
    keys: ['#session'],
    bounds: [extreme('min', START, time), extreme('max', END, time)],
    panes: null,
    start: columnOf(START),
    end: added(columnOf(END), gap),
  }
}

/** `time` in the unit, a whole number of which it then is from the offset on. */
export function aligned(time: Expression, by: string, offset: string | null, zone: string | null = null): Expression {
  const shifted = offset === null ? time : added(time, negated(offset))
  const start = timeCall('truncate', shifted, { by, ...(zone === null ? {} : { zone }) })
  return offset === null ? start : added(start, offset)
}

export const windowStart = ({ size, offset, zone }: WindowSpec & { kind: 'tumbling' }, time: Expression): Expression =>
  aligned(time, size, offset, zone)

export const windowEnd = ({ size, zone }: WindowSpec & { kind: 'tumbling' }, start: Expression): Expression =>
  timeCall('add', start, { by: size, ...(zone === null ? {} : { zone }) })

export const added = (time: Expression, by: string): Expression => timeCall('add', time, { by })

const negated = (duration: string): string =>
  duration.startsWith('-') ? duration.slice(1) : `-${duration.replace(/^\+/, '')}`

const timeCall = (name: string, input: Expression, parameters: CallParameters): Expression =>
  Object.freeze({ ...call(name, input), parameters: Object.freeze(parameters) }) as Expression

const invalid = (operator: string, text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `${operator}: ${text}`, { operator })
