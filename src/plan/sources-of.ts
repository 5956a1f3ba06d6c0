/** The inputs of a node, and the sources that a plan reads, each as often as it is read: of the left side of a join before those of the right. */
import type { PlanNode, SourceNode } from './logical.js'

export const inputsOf = (plan: Exclude<PlanNode, SourceNode>): readonly PlanNode[] =>
  plan.kind === 'join' ? [plan.input, plan.right] : plan.kind === 'union' ? [plan.input, ...plan.others] : [plan.input]

export function sourcesOf(plan: PlanNode): SourceNode[] {
  if (plan.kind === 'source') return [plan]
  return inputsOf(plan).flatMap(sourcesOf)
}
