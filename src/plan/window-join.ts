/** Joins in windows of event time, spelt out as joins by keys, of which the windows are some. Collected they are just that; of a job that goes on `meets` says when rows have all their partners. */
import { type DataType, type SchemaShape, typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { literalOf } from '../expressions/literal.js'
import type { Expression } from '../expressions/node.js'
import { columnOf, deriveNode, filterNode, projectNode } from './build.js'
import { call, not } from './cleaning.js'
import { END, START, WINDOW_END, WINDOW_START } from './event-time.js'
import { type JoinParts, joinNode } from './join.js'
import type { JoinNode, NamedExpression, PlanNode, WindowSpec } from './logical.js'
import { boundSchemaOf } from './typing.js'
import { windowEnd, windowStart } from './windows.js'

/** One flow of a join by event time: its plan and columns, and which of them has the time. */
export interface MeetingSide {
  readonly plan: PlanNode
  readonly schema: SchemaShape
  readonly time: string
}

/** `windowStart`, `windowEnd`, then what the join gives. @throws MillraceError what joins call for, `MR_INVALID_OPTION`, `MR_DUPLICATE_COLUMN` */
export function windowJoin(
  left: MeetingSide,
  right: MeetingSide,
  spec: WindowSpec,
  parts: Omit<JoinParts, 'asof'>,
): PlanNode {
  const { verb } = parts
  if (spec.kind !== 'tumbling')
    throw invalid(
      verb,
      `flows are joined in windows one after another, as in window(tumbling('10s')), and not in ${spec.kind} ones; an interval around each row is intervalJoin's`,
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
    meets: Object.freeze({ end: END }),
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

function inWindows({ plan, schema, time }: MeetingSide, spec: WindowSpec & { kind: 'tumbling' }): MeetingSide {
  const start = windowStart(spec, columnOf(time))
  const derived = deriveNode(plan, schema, [
    { name: START, expression: start },
    { name: END, expression: windowEnd(spec, start) },
  ])
  return { plan: derived, schema: boundSchemaOf(derived), time }
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
