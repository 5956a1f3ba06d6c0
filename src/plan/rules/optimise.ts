/** All rules, in the order in which each profits from those before it, until none changes anything. Each rule is a neighbour file. */
import { fingerprint } from '../../expressions/walk.js'
import type { PlanNode } from '../logical.js'
import { foldConstants } from './fold-constants.js'
import { mergeProjects } from './merge-projects.js'
import { pruneColumns } from './prune-columns.js'
import { pruneSplits } from './prune-splits.js'
import { pushFilters } from './push-filters.js'

/** Rules take bound plans and give bound plans of the same rows, the same order and the same errors. */
export const RULES: readonly ((plan: PlanNode) => PlanNode)[] = [
  foldConstants,
  pushFilters,
  mergeProjects,
  pruneColumns,
  pruneSplits,
]

export function optimise(plan: PlanNode, round = 0): PlanNode {
  const rewritten = RULES.reduce((before, rule) => rule(before), plan)
  // What rules leave as it was they give back, or now and then an equal plan.
  const isDone = rewritten === plan || (round > 0 && fingerprint(rewritten) === fingerprint(plan))
  return isDone ? rewritten : optimise(rewritten, round + 1)
}
