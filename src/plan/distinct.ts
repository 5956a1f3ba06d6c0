/** `dedupe` within a time: its node, checked. What it comes to where the input ends is row-lowering.ts's; in a job that goes on it is operators/live-distinct.ts's. */
import type { DataType, SchemaShape } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { checkNames } from './build.js'
import { noEventTime, ticksOf } from './event-time.js'
import type { DistinctNode, PlanNode } from './logical.js'

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
  if (time === null) throw noEventTime('dedupe')
  const node: DistinctNode = Object.freeze({ kind: 'distinct', input, keys, time, within })
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
