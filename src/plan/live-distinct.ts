/** `dedupe` in a job that goes on: what its operator (operators/live-distinct.ts) is told. live.ts has the plans that it stands in. */
import type { DataType, SchemaShape } from '../columnar/type.js'
import { literalOf } from '../expressions/literal.js'
import type { Expression } from '../expressions/node.js'
import { columnOf, deriveNode } from './build.js'
import { call, not } from './cleaning.js'
import { distanceOf, keysOf } from './distinct.js'
import { KEPT, type LiveSegment, refusal, WATERMARK, WEIGHT } from './live.js'
import type { AggregateNode, DistinctNode, PlanNode, TopNode } from './logical.js'
import { physicalPlan } from './planner.js'
import { bindPlan, boundSchemaOf } from './typing.js'

export const TIME = '#time'

/** The row of each key that came last: one takes the place of the other. */
export const lastOf = (input: PlanNode, { keys }: AggregateNode): TopNode => ({
  ...{ kind: 'top', input, keys, orders: [], count: 1, window: null, ties: 'last' },
})

/** Which row of those with equal keys `dedupe` keeps, and how many nodes behind the aggregate that it is said by are its own; null where the aggregate is another's. */
export function dedupeAt(
  nodes: readonly PlanNode[],
  at: number,
): { readonly keep: 'first' | 'last'; readonly length: number } | null {
  const isEnd = (node: PlanNode | undefined) => node?.kind === 'project' && node.verb === 'dedupe'
  if (isEnd(nodes[at + 1])) return { keep: 'first', length: 1 }
  return nodes[at + 1]?.kind === 'sort' && isEnd(nodes[at + 2]) ? { keep: 'last', length: 2 } : null
}

/** What comes out has the columns of the input, and those that are carried along. @throws MillraceError `MR_CANNOT_RETRACT` */
export function distinctOf(
  node: DistinctNode | Pick<AggregateNode, 'kind' | 'keys'>,
  input: PlanNode,
  isAppended: boolean,
): { readonly segment: LiveSegment; readonly output: SchemaShape } {
  if (!isAppended)
    throw refusal(
      'MR_CANNOT_RETRACT',
      'dedupe',
      'rows of the aggregate before it are taken back as they change, and others of equal keys are not known any more; have the windows before close',
    )
  const output = boundSchemaOf(input)
  const columns = Object.keys(output)
  const own = columns.filter(name => name !== WATERMARK && name !== WEIGHT)
  const within = node.kind === 'distinct' ? distanceOf(node, output) : null
  const judged = node.kind === 'distinct' ? inTime(input, node.time) : input
  const shape = Object.fromEntries(own.map(name => [name, output[name] as DataType]))
  return {
    segment: {
      stages: physicalPlan(judged),
      aggregate: {
        keys: node.kind === 'distinct' ? keysOf(node, shape) : node.keys,
        accumulators: [],
        input: boundSchemaOf(judged),
        windows: 'none',
        isEndOnly: false,
        lateness: 0n,
        emits: 'closed',
        weight: null,
        time: within === null ? '' : TIME,
        kept: within === null ? null : KEPT,
        lateColumns: own,
        givesLate: false,
        distinct: { within, columns },
      },
    },
    output,
  }
}

/** With the time without nulls, and whether the watermark has not passed it. */
export function inTime(input: PlanNode, time: string): PlanNode {
  const schema = boundSchemaOf(input)
  const type = schema[time] as DataType
  const column = columnOf(time)
  const instant = literalOf(0n, { ...type, nullable: false })
  const timed = deriveNode(input, schema, [
    { name: TIME, expression: type.nullable ? call('coalesce', column, instant) : column },
  ])
  const isEarly: Expression = { op: 'lt', left: columnOf(TIME), right: columnOf(WATERMARK) }
  const isThere: Expression = not({ op: 'isNull', input: column })
  return bindPlan(
    deriveNode(bindPlan(timed, null), boundSchemaOf(bindPlan(timed, null)), [
      { name: KEPT, expression: { op: 'and', left: isThere, right: not(isEarly) } },
    ]),
    null,
  )
}
