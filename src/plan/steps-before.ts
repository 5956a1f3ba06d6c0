/**
 * What happens to rows below the cut of a flow that runs on, where the calling thread does it as they come, on their way to what is above. To hand rows to a lane and take back what has
 * come of them costs 20 to 40 ns a row; comparisons and arithmetic take a few, and a function of strings is computed once for each that is new. Lanes are for many functions, and for users' own.
 */
import type { JoinNode, PlanNode } from './logical.js'
import { partsCalledIn } from './needs.js'
import type { PhysicalPlan } from './physical.js'
import { physicalPlan } from './planner.js'
import { schemaOfPlan } from './typing.js'

const MOST_CALLS = 4

/**
 * Stages that look at each row by itself, or for partners of it that are there from the start, over a source whose columns are known, none where nothing happens to rows; null: lanes had
 * better run them, or tell what is wrong with them.
 * @param hasBudget whether there is only so much room: lanes read what is large in parts, let go of strings sooner, and have partners of rows in files
 */
export function stepsBefore(plan: PlanNode, hasBudget = false): PhysicalPlan | null {
  if (hasBudget) return null
  let node = plan
  while (node.kind === 'project' || node.kind === 'filter' || isLookUp(node)) node = node.input
  if (node.kind !== 'source' || schemaOfPlan(plan) === null) return null
  try {
    const steps = physicalPlan(plan)
    const calls = partsCalledIn(steps.scan)
    return calls.length > MOST_CALLS || calls.includes('userKernels') ? null : steps
  } catch {
    return null
  }
}

const isLookUp = (node: PlanNode): node is JoinNode =>
  node.kind === 'join' && node.how !== 'right' && node.how !== 'full' && node.meets === undefined && node.asof === null
