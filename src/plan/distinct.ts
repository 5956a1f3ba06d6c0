/** `dedupe` within a time: its node, checked, and what it comes to where the input ends; in a job that goes on it is operators/live-distinct.ts's. */
import type { DataType, SchemaShape } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { checkNames, columnOf, filterNode, projectNode } from './build.js'
import { not } from './cleaning.js'
import { ticksOf } from './event-time.js'
import type { DistinctNode, PlanNode } from './logical.js'
import { overNode } from './over.js'
import { boundSchemaOf } from './typing.js'

const KEPT = '#kept'

/**
 * @param time the column of the event time
 * @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_NO_EVENT_TIME`, `MR_INVALID_OPTION`
 */
export function distinctNode(
  input: PlanNode,
  schema: SchemaShape | null,
  keys: readonly string[],
  within: string,
  time: string | null,
): DistinctNode {
  checkNames('dedupe', keys, schema)
  if (time === null)
    throw new MillraceError(
      'MR_NO_EVENT_TIME',
      "dedupe: rows have no event time here; say which column has it before, as in watermark('time')",
      { operator: 'dedupe' },
    )
  const node: DistinctNode = Object.freeze({ kind: 'distinct', input, keys: Object.freeze([...keys]), time, within })
  if (schema !== null) distanceOf(node, schema)
  return node
}

/** In ticks of the event time. */
export function distanceOf({ time, within }: DistinctNode, schema: SchemaShape): bigint {
  const ticks = ticksOf(within, schema[time] as DataType, 'dedupe')
  if (ticks > 0n) return ticks
  throw new MillraceError('MR_INVALID_OPTION', `dedupe: within is a duration above 0, not ${quote(within)}`, {
    operator: 'dedupe',
  })
}

export const keysOf = ({ keys }: DistinctNode, schema: SchemaShape): readonly string[] =>
  keys.length === 0 ? Object.keys(schema) : keys

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
