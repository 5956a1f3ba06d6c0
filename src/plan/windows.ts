/** Windows of event time: their durations checked, the columns of what an aggregate over them gives, and what they come to where all input ends. */
import { schemaOf } from '../columnar/schema.js'
import { type DataType, type SchemaShape, typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { parseDuration } from '../expressions/duration.js'
import { literalOf } from '../expressions/literal.js'
import type { CallNode, CallParameters, Expression } from '../expressions/node.js'
import { mismatch } from '../expressions/typing.js'
import { zoneOf } from '../expressions/zone.js'
import { accumulate } from './accumulate.js'
import { aggregateNode, checkNames, columnOf, deriveNode, filterNode, projectNode, sortNode } from './build.js'
import { call, not } from './cleaning.js'
import { nanosecondsOf, nanosecondsPer } from './duration.js'
import { byEventTime, END, fieldsOf, START, ticksOf, WINDOW_END, WINDOW_START, type WindowRules } from './event-time.js'
import type {
  AggregateNode,
  NamedAggregate,
  NamedExpression,
  Panes,
  PlanNode,
  Windowing,
  WindowSpec,
} from './logical.js'
import { overNode } from './over.js'
import { boundSchemaOf } from './typing.js'

/** The event time without nulls, where the column may have them. */
const TIME = '#time'

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
    if (spec.offset !== null && parseDuration(spec.offset, 'tumbling').months !== 0 && months === 0)
      throw invalid('tumbling', `an offset of months, ${quote(spec.offset)}, is for windows of months`)
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

export function panesOf(spec: WindowSpec & { kind: 'sliding' | 'cumulative' }, type: DataType): Panes {
  const part = spec.kind === 'sliding' ? spec.every : spec.step
  return {
    kind: spec.kind,
    pane: ticksOf(part, type, spec.kind),
    size: ticksOf(spec.size, type, spec.kind),
    offset: spec.offset === null ? 0n : ticksOf(spec.offset, type, spec.kind),
  }
}

function fixed(spec: WindowSpec, type: DataType): ReturnType<WindowRules['fixed']> {
  if (spec.kind !== 'tumbling' || spec.zone !== null) return undefined
  const lengths = [spec.size, spec.offset ?? '0s'].map(text => parseDuration(text, 'tumbling'))
  if (lengths.some(({ months, days }) => months !== 0 || days !== 0)) return undefined
  const [size, offset] = lengths.map(({ nanoseconds }) => nanoseconds / nanosecondsPer(type)) as [bigint, bigint]
  // Places within a few windows are exact in doubles.
  return size > 0n && size < 2n ** 48n ? { size, offset } : undefined
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
      [...byEventTime(node, instant, wide).aggregates, ...assigned.bounds],
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

export interface Assigned {
  readonly plan: PlanNode
  /** Columns of `plan` that rows of a window, or a pane, have in common. */
  readonly keys: readonly string[]
  readonly bounds: readonly NamedAggregate[]
  readonly panes: Panes | null
  /** Over the results. */
  readonly start: Expression
  readonly end: Expression
}

export function assign(
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
export const aligned = (time: Expression, by: string, offset: string | null, zone: string | null = null): Expression =>
  timeCall('truncate', time, { by, ...(offset === null ? {} : { offset }), ...(zone === null ? {} : { zone }) })

export function windowStart(spec: WindowSpec & { kind: 'tumbling' }, time: Expression): Expression {
  const { size, offset, zone } = spec
  const at = (instant: Expression) => aligned(instant, size, offset, zone)
  const start = at(time)
  if (zone === null) return start
  // What clocks show once more may be of a window that has ended, as St John's put them back at a minute past midnight: it is of a later one. Of most rows that is plain without the zone, but
  // for the last of windows so long that clocks are put forward and back in one, and of months that an offset of days makes shorter.
  const isBefore = (right: Expression): Expression => ({ op: 'lt', left: time, right })
  const { months, days, nanoseconds } = parseDuration(size, 'tumbling')
  const last = months > 0 && offset !== null ? '-4 days' : months > 1 || days > 31 ? '-1 day' : null
  const plain = last === null ? added(start, size) : added(added(start, size), last)
  const end = windowEnd(spec, start)
  // Shorter ones may have been begun several times since.
  const before = nanoseconds === 0n ? start : at(added(time, negated(size)))
  const next = windowEnd(spec, before)
  return call('when', isBefore(plain), start, isBefore(end), start, isBefore(next), before, next)
}

/** Where the next window begins: by the calendar that may be sooner or later than its length says. */
export function windowEnd({ size, offset, zone }: WindowSpec & { kind: 'tumbling' }, start: Expression): Expression {
  const { months } = parseDuration(size, 'tumbling')
  if (zone === null && (months === 0 || offset === null)) return added(start, size)
  const whole = aligned(start, size, offset, zone) as CallNode
  return Object.freeze({ ...whole, parameters: Object.freeze({ ...whole.parameters, next: true }) })
}

export const added = (time: Expression, by: string, zone: string | null = null): Expression =>
  timeCall('add', time, { by, ...(zone === null ? {} : { zone }) })

const negated = (duration: string): string =>
  duration.startsWith('-') ? duration.slice(1) : `-${duration.replace(/^\+/, '')}`

const timeCall = (name: string, input: Expression, parameters: CallParameters): Expression =>
  Object.freeze({ ...call(name, input), parameters: Object.freeze(parameters) }) as Expression

export const WINDOW_RULES: Omit<WindowRules, 'rows' | 'rowSchema' | 'isSmall' | 'explain'> = {
  check: checkSpec,
  fixed,
  bounds(spec, time) {
    const start = windowStart(spec, time)
    return { start, end: windowEnd(spec, start) }
  },
  schema: windowedSchema,
  lower: lowerWindows,
}

const invalid = (operator: string, text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `${operator}: ${text}`, { operator })
