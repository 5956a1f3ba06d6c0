/** Joins of rows whose event times lie within bounds: collected a join with a condition; of a job that goes on `meets` says when rows have all their partners. */
import { type DataType, type SchemaShape, typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import type { Expression } from '../expressions/node.js'
import { columnOf, filterNode } from './build.js'
import { allOf, call, not } from './cleaning.js'
import { ticksOf } from './event-time.js'
import { columnOfSide, type JoinParts, joinNode } from './join.js'
import type { PlanNode } from './logical.js'
import { LEFT, RIGHT } from './pair-columns.js'

/** One flow of a join by event time: its plan and columns, and which of them has the time. */
export interface MeetingSide {
  readonly plan: PlanNode
  readonly schema: SchemaShape
  readonly time: string
}

/** Pairs whose times lie `lower` to `upper` apart, counted from the left one. @throws MillraceError what joins call for, and `MR_INVALID_OPTION` */
export function intervalJoin(
  left: MeetingSide,
  right: MeetingSide,
  [lower, upper]: readonly [string, string],
  parts: Omit<JoinParts, 'asof'>,
): PlanNode {
  const { verb } = parts
  const type = sameUnit(verb, left, right)
  const bounds = [lower, upper].map(each => ticksOf(each, type, verb)) as [bigint, bigint]
  if (bounds[0] > bounds[1])
    throw invalid(
      verb,
      `between is from the earlier to the later, as in ['-5s', '5s'], and ${quote(lower)} is behind ${quote(upper)}`,
    )
  const own = columnOfSide(LEFT, left.time)
  const other = columnOfSide(RIGHT, right.time)
  const within: Expression[] = [
    { op: 'gte', left: other, right: later(own, lower) },
    { op: 'lte', left: other, right: later(own, upper) },
  ]
  const where = allOf(parts.where === null ? within : [...within, parts.where])
  const node = joinNode(left.plan, left.schema, right.plan, right.schema, { ...parts, where, asof: null })
  const meets = { kind: 'interval', left: left.time, right: right.time, lower: bounds[0], upper: bounds[1] } as const
  const join = Object.freeze({ ...node, meets: Object.freeze(meets) })
  // Without a time a row is within no interval, and late.
  return (left.schema[left.time] as DataType).nullable && parts.how !== 'inner'
    ? filterNode(join, not({ op: 'isNull', input: columnOf(left.time) }))
    : join
}

export function sameUnit(verb: string, left: MeetingSide, right: MeetingSide): DataType {
  const [a, b] = [left, right].map(({ schema, time }) => schema[time] as DataType) as [DataType, DataType]
  if (a.kind === 'timestamp' && b.kind === 'timestamp' && a.unit === b.unit) return a
  throw new MillraceError(
    'MR_TYPE_MISMATCH',
    `${verb}: event time ${quote(left.time)} of this flow is ${typeName(a)}, ${quote(right.time)} of the other is ${typeName(b)}; cast one of them, so that both have one unit`,
    { operator: verb, column: left.time },
  )
}

const later = (time: Expression, by: string): Expression =>
  Object.freeze({ ...call('add', time), parameters: Object.freeze({ by }) }) as Expression

const invalid = (operator: string, text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `${operator}: ${text}`, { operator })
