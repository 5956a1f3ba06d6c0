/**
 * Plans of several inputs that go on at once: jobs, each with a watermark of its own, whose rows meet in unions, and what is above these. A plan of one input is
 * live.ts's, and so is what is between two meetings.
 */

import { type DataType, type SchemaShape, typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { collectColumns } from '../expressions/walk.js'
import { nanosecondsOf } from './duration.js'
import { eventTimeOf } from './event-time.js'
import type { LiveCut } from './live.js'
import type { AsofJoin, JoinNode, LateNode, PlanNode, TakenColumn, UnionNode, WatermarkNode } from './logical.js'
import type { JoinStage } from './physical.js'
import { overInput } from './rules/rewrite.js'
import { inputsOf } from './sources-of.js'
import { boundSchemaOf } from './typing.js'

type Nodes = LiveCut['nodes']

export type LiveTree = JobTree | UnionTree | JoinTree

/** Rows of a plan that runs by itself. */
export interface JobTree {
  readonly kind: 'job'
  readonly before: PlanNode
  /** From its watermark up. */
  readonly nodes: Nodes
  /** After how long it is waited for no more; null: it always is. */
  readonly idleMs: number | null
}

/** The rows of all inputs as they come. */
export interface UnionTree {
  readonly kind: 'union'
  readonly node: UnionNode
  readonly inputs: readonly LiveTree[]
  /** A watermark that says which column has the time, and what is above. */
  readonly nodes: Nodes
}

/** Rows of two inputs, that are partners by their times. */
export interface JoinTree {
  readonly kind: 'join'
  readonly node: JoinNode
  readonly inputs: readonly LiveTree[]
  /** What is above; from a watermark on, where what comes out has a time. */
  readonly nodes: Nodes
  /** Where not what it gives goes on, but rows of one input that it refuses. */
  readonly late: LateNode | null
}

/** Verbs that see rows one by one, so that it is the same whether inputs run through them before or after they meet. */
const STATELESS: readonly string[] = ['project', 'filter', 'explode', 'unpivot']

export const isStateless = ({ kind }: PlanNode): boolean => STATELESS.includes(kind)

/** From the lowest source or meeting up. */
export function chainOf(plan: PlanNode): {
  readonly base: PlanNode
  readonly nodes: Exclude<PlanNode, { kind: 'source' }>[]
} {
  const nodes: Exclude<PlanNode, { kind: 'source' }>[] = []
  let base = plan
  for (; base.kind !== 'source' && base.kind !== 'union' && !meets(base); base = base.input) nodes.unshift(base)
  return { base, nodes }
}

/** Whether the rows of both sides of a join go on, and are partners by their event times. */
export const meets = (node: PlanNode): boolean =>
  node.kind === 'join' && (node.meets !== undefined || (node.asof !== null && isTimed(node, node.asof)))

const isTimed = ({ input, right }: JoinNode, { direction, left: a, right: b }: AsofJoin): boolean =>
  direction === 'before' && eventTimeOf(input) === a && eventTimeOf(right) === b

/** The tree of a bound plan whose inputs meet above their watermarks; null where none do. */
export function liveTree(plan: PlanNode): LiveTree | null {
  const { base, nodes } = chainOf(plan)
  if (base.kind === 'join') return joinTree(base, nodes)
  if (base.kind !== 'union') return null
  const marked = nodes.findIndex(({ kind }) => kind === 'watermark')
  const pushed = nodes.slice(0, Math.max(0, marked))
  // Behind windows it is of their results.
  if (marked < 0 || !pushed.every(isStateless))
    return eventTimeOf(base) === null ? null : meeting(base, inputsOf(base), nodes)
  const inputs = inputsOf(base).map(input => stacked(input, [...pushed, nodes[marked] as WatermarkNode]))
  return meeting(base, inputs, nodes.slice(marked + 1), nodes[marked])
}

/** The same nodes over another input. */
const stacked = (input: PlanNode, nodes: Nodes): PlanNode =>
  nodes.reduce<PlanNode>((below, node) => overInput(node, below), input)

function joinTree(node: JoinNode, above: Nodes): JoinTree {
  const { asof, meets: by, verb } = node
  const times = asof ?? (by !== undefined && 'lower' in by ? by : null)
  const [a, b] = [node.input, node.right].map(boundSchemaOf) as [SchemaShape, SchemaShape]
  if (times !== null && a[times.left]?.unit !== b[times.right]?.unit)
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `${verb}: of flows that run on both times have one unit, and ${quote(times.left)} is ${typeName(a[times.left] as DataType)}, ${quote(times.right)} of the other ${typeName(b[times.right] as DataType)}; cast one of them before its watermark`,
      { operator: verb, column: times.left },
    )
  const [late] = above
  const inputs = inputsOf(node).map(inputTree)
  if (late?.kind === 'late' && late.of.kind === 'side')
    return { kind: 'join', node, inputs, nodes: above.slice(1), late }
  const column = eventTimeOf(node)
  const nodes = column === null ? above : [timeIn(column, node), ...above]
  return { kind: 'join', node, inputs, nodes, late: null }
}

function meeting(node: UnionNode, inputs: readonly PlanNode[], above: Nodes, top: PlanNode = node): UnionTree {
  const input = top.kind === 'watermark' ? top.input : top
  const nodes = [timeIn(eventTimeOf(top) as string, input), ...above]
  return { kind: 'union', node, inputs: inputs.map(inputTree), nodes }
}

/** Says which column has the time; the watermark itself is that of the inputs. */
const timeIn = (column: string, input: PlanNode): WatermarkNode =>
  Object.freeze({
    kind: 'watermark',
    input,
    column,
    delay: null,
    idleAfter: null,
    maxAdvance: null,
  } as const)

function inputTree(plan: PlanNode): LiveTree {
  const tree = liveTree(plan)
  if (tree !== null) return tree
  const { nodes } = chainOf(plan)
  let at = nodes.findIndex(({ kind }) => kind === 'watermark')
  let mark = nodes[at] as WatermarkNode
  let before = mark.input
  // What is made of each row may as well be made below.
  for (let next = nodes[at + 1]; next?.kind === 'project'; next = nodes[at + 1]) {
    const name = next.columns.find(({ expression: e }) => e.op === 'column' && e.name === mark.column)?.name
    if (name === undefined) break
    before = overInput(next, before)
    mark = Object.freeze({ ...mark, input: before, column: name })
    at++
  }
  const idleMs =
    mark.idleAfter === null ? null : Math.max(1, Number(nanosecondsOf(mark.idleAfter, 'watermark') / 1_000_000n))
  return { kind: 'job', before, nodes: [mark, ...nodes.slice(at + 1)], idleMs }
}

/** The jobs of a tree, in the order of its inputs. */
export const jobsOf = (tree: LiveTree): readonly JobTree[] =>
  tree.kind === 'job' ? [tree] : tree.inputs.flatMap(jobsOf)

/** The columns of what comes to the nodes of a tree. */
export const schemaBelow = (tree: LiveTree): SchemaShape =>
  boundSchemaOf(
    tree.kind === 'job'
      ? tree.before
      : tree.kind === 'join'
        ? (tree.late ?? tree.node)
        : (tree.nodes[0] as WatermarkNode).input,
  )

/** What the operator of a join is made by. */
export function stageOfMeeting(node: JoinNode): JoinStage {
  const { verb, how, keys, where, asof } = node
  return {
    ...{ kind: 'join', verb, how, side: 0, right: boundSchemaOf(node.right), keys, where, asof },
    reads: where === null ? [] : [...collectColumns(where, new Set())],
    taken: node.taken as readonly TakenColumn[],
    output: boundSchemaOf(node),
  }
}
