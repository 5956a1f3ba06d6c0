/** The sources that a plan reads, each as often as it is read: of the left side of a join before those of the right. */
import type { PlanNode, SourceNode } from './logical.js'

export function sourcesOf(plan: PlanNode): SourceNode[] {
  if (plan.kind === 'source') return [plan]
  return plan.kind === 'join' ? [...sourcesOf(plan.input), ...sourcesOf(plan.right)] : sourcesOf(plan.input)
}
