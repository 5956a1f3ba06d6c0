/** Joins in windows of event time, spelt out as joins by keys, of which the windows are some. Collected they are just that; of a job that goes on `meets` says when rows have all their partners. */
import { type DataType, type SchemaShape, typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { literalOf } from '../expressions/literal.js'
import type { Expression } from '../expressions/node.js'
import { columnOf, deriveNode, filterNode, projectNode } from './build.js'
import { call, not } from './cleaning.js'
import { END, START, WINDOW_END, WINDOW_START } from './event-time.js'
import { type JoinParts, joinNode } from './join.js'
import type { JoinNode, NamedExpression, PlanNode, Windowing, WindowSpec } from './logical.js'
import { bindPlan, boundSchemaOf } from './typing.js'
import { inAllWindows } from './window-rows.js'
import { aligned, windowEnd, windowStart } from './windows.js'

/** One flow of a join by event time: its plan and columns, and which of them has the time. */
export interface MeetingSide {
  readonly plan: PlanNode
  readonly schema: SchemaShape
  readonly time: string
}

type TimeWindow = Exclude<WindowSpec, { kind: 'session' | 'rowCount' }>

/** `windowStart`, `windowEnd`, then what the join gives. @throws MillraceError what joins call for, `MR_INVALID_OPTION`, `MR_DUPLICATE_COLUMN` */
export function windowJoin(
  left: MeetingSide,
  right: MeetingSide,
  { spec, allowedLateness }: Pick<Windowing, 'spec' | 'allowedLateness'>,
  parts: Omit<JoinParts, 'asof'>,
): PlanNode {
  const { verb } = parts
  if (spec.kind === 'session' || spec.kind === 'rowCount')
    throw invalid(
      verb,
      `flows are joined in windows that time alone makes, as in window(tumbling('10s')), and not in ${spec.kind} ones, which the rows of each flow make; an interval around each row is intervalJoin's`,
    )
  if (allowedLateness !== null && parts.how !== 'inner')
    throw invalid(
      verb,
      'that a row has no partner, or one, is said once; take allowedLateness away, and give the watermarks a delay',
    )
  const type = sameUnit(verb, left, right)
  for (const { schema } of parts.how === 'semi' || parts.how === 'anti' ? [left] : [left, right])
    for (const column of [WINDOW_START, WINDOW_END])
      if (Object.hasOwn(schema, column))
        throw new MillraceError(
          'MR_DUPLICATE_COLUMN',
          `${verb}: what windows give has a column ${quote(column)} of its own; give this one another name`,
          { operator: verb, column },
        )
  const [a, b] = [left, right].map(side => inWindows(side, spec)) as [MeetingSide, MeetingSide]
  const windows = [START, END].map(name => ({ left: name, right: name }))
  const join: JoinNode = Object.freeze({
    ...joinNode(a.plan, a.schema, b.plan, b.schema, { ...parts, keys: [...windows, ...parts.keys], asof: null }),
    meets: Object.freeze({
      start: START,
      end: END,
      times: [left.time, right.time] as const,
      columns: [Object.keys(left.schema), Object.keys(right.schema)] as const,
      spec,
      allowedLateness,
    }),
  })
  const output = boundSchemaOf(join)
  const isNullable = (output[START] as DataType).nullable
  // Without a time a row is in no window.
  const known = isNullable ? filterNode(join, not({ op: 'isNull', input: columnOf(START) })) : join
  const instant = { ...type, nullable: false }
  const bound = (name: string): Expression =>
    isNullable ? call('coalesce', columnOf(name), literalOf(0n, instant)) : columnOf(name)
  return projectNode(known, 'window', [
    { name: WINDOW_START, expression: bound(START) },
    { name: WINDOW_END, expression: bound(END) },
    ...Object.keys(output).filter(isOwn).map(plain),
  ])
}

function inWindows({ plan, schema, time }: MeetingSide, spec: TimeWindow): MeetingSide {
  const instant = columnOf(time)
  if (spec.kind === 'tumbling') {
    const start = windowStart(spec, instant)
    const derived = deriveNode(plan, schema, [
      { name: START, expression: start },
      { name: END, expression: windowEnd(spec, start) },
    ])
    return { plan: derived, schema: boundSchemaOf(derived), time }
  }
  const part = spec.kind === 'sliding' ? spec.every : spec.step
  const parted = deriveNode(plan, schema, [{ name: START, expression: aligned(instant, part, spec.offset) }])
  // Rows without a time are in no window, and are counted where they are late.
  const all = bindPlan(inAllWindows(parted, spec, part, (schema[time] as DataType).nullable), null)
  return { plan: all, schema: boundSchemaOf(all), time }
}

function sameUnit(verb: string, left: MeetingSide, right: MeetingSide): DataType {
  const [a, b] = [left, right].map(({ schema, time }) => schema[time] as DataType) as [DataType, DataType]
  if (a.kind === 'timestamp' && b.kind === 'timestamp' && a.unit === b.unit) return a
  throw new MillraceError(
    'MR_TYPE_MISMATCH',
    `${verb}: event time ${quote(left.time)} of this flow is ${typeName(a)}, ${quote(right.time)} of the other is ${typeName(b)}; cast one of them, so that both have one unit`,
    { operator: verb, column: left.time },
  )
}

const isOwn = (name: string): boolean => name !== START && name !== END

const plain = (name: string): NamedExpression => ({ name, expression: columnOf(name) })

const invalid = (operator: string, text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `${operator}: ${text}`, { operator })
