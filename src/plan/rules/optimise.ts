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

export function optimise(plan: PlanNode): PlanNode {
  let before = ''
  let after = fingerprint(plan)
  while (before !== after) {
    before = after
    plan = RULES.reduce((rewritten, rule) => rule(rewritten), plan)
    after = fingerprint(plan)
  }
  return plan
}
