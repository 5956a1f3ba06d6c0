/** The first rows of a flow that may never end, or takes its time, each as it comes: where lanes count, they give none before they have all (operators/limit.ts). */
import type { SchemaShape } from '../../columnar/type.js'
import { isStateless } from '../../plan/live-tree.js'
import type { LimitNode, PlanNode, SourceNode } from '../../plan/logical.js'
import { overInput } from '../../plan/rules/rewrite.js'
import { inputsOf } from '../../plan/sources-of.js'
import type { Source } from '../../sources/source.js'
import { type BoundPlan, sourceOf } from './run.js'
import type { Job } from './run-job.js'

/** Whether rows of a source come as they come, be they its own, or what its rows are made of. */
export const comesInTime = ({ isEndless, once, isPaced, before }: Source): boolean =>
  isEndless || once || isPaced || [...(before?.sources.values() ?? [])].some(comesInTime)

/** Whether rows go on as they come, or as their windows close, never to be taken back. */
function isPassed(node: Exclude<PlanNode, SourceNode>): boolean {
  switch (node.kind) {
    case 'union':
    case 'user':
    case 'watermark':
    case 'distinct':
      return true
    case 'join':
      return node.how !== 'right' && node.how !== 'full' && !node.meets
    case 'aggregate':
    case 'top':
      return node.window !== null && node.window.allowedLateness === null
    case 'emit':
      return node.mode === 'close'
    default:
      return isStateless(node)
  }
}

/** Whose rows, if any of it, a plan gives as they come: not those of the other side of a join, which is read whole. Null where some verb has to see all. */
function passing(plan: PlanNode): readonly SourceNode[] | null {
  if (plan.kind === 'source') return [plan]
  if (!isPassed(plan)) return null
  const inputs = (plan.kind === 'union' ? inputsOf(plan) : [plan.input]).map(passing)
  return inputs.includes(null) ? null : inputs.flatMap(sources => sources ?? [])
}

/** A limit at the end of a plan, and the plan without it. */
export interface Limited {
  readonly limit: LimitNode
  readonly all: PlanNode
}

/** The limit that a plan ends with, but for columns made of its rows, where rows that come without end go through nothing before it that has to see all of them. */
export function limitOnTop({ plan, sources }: BoundPlan): Limited | null {
  const above: Exclude<PlanNode, SourceNode>[] = []
  let node = plan
  for (; node.kind === 'project'; node = node.input) above.unshift(node)
  if (node.kind !== 'limit') return null
  const isOpen = passing(node.input)?.some(from => comesInTime(sourceOf(from, sources)))
  const all = above.reduce<PlanNode>((below, each) => overInput(each, below), node.input)
  return isOpen ? { limit: node, all } : null
}

/** @param start the job of whose rows the first are given; it is left then. A row that fails behind them is no failure. */
export function startLimited<S extends SchemaShape>(
  start: (onSchema: (schema: SchemaShape) => void) => Job<S>,
  { count, offset }: LimitNode,
  onSchema?: (schema: SchemaShape) => void,
): Job<S> {
  const end = offset + count
  let tell = () => {}
  const told = new Promise<void>(resolve => {
    tell = resolve
  })
  const all = start(schema => {
    onSchema?.(schema)
    tell()
  })
  let row = 0
  let rowsWritten = 0

  async function* batches() {
    if (count === 0) {
      // A sink is opened by its columns, be there rows or not.
      await Promise.race([told, all.finished])
      await all[Symbol.asyncDispose]()
    }
    for await (const batch of all) {
      const from = Math.max(0, offset - row)
      const to = Math.min(batch.rowCount, end - row)
      row += batch.rowCount
      if (from < to) {
        rowsWritten += to - from
        yield batch.slice(from, to)
      }
      if (row >= end) return
    }
  }

  // Those that have come out may still wait for whoever iterates.
  const given = () => all.metrics().nodes?.findLast(({ place }) => place === 'output')?.rowsIn ?? 0
  const finished = all.finished.catch(error => {
    if (Math.max(row, given()) < end) throw error
  })
  // Whoever iterates is told there.
  finished.catch(() => {})
  return {
    ...all,
    finished,
    metrics: () => ({ ...all.metrics(), rowsWritten }),
    [Symbol.asyncIterator]: batches,
  }
}
