/**
 * Rule: the filter right above a source becomes the predicate by which the source may skip whole splits.
 * Not one that can fail: skipping a split would skip its error. The filter itself stays, since statistics only ever prove absence.
 */
import { canFail } from '../../expressions/failure.js'
import type { PlanNode } from '../logical.js'
import { boundSchemaOf } from '../typing.js'
import { mapInputs, overInput } from './rewrite.js'

export function pruneSplits(plan: PlanNode): PlanNode {
  if (plan.kind === 'source') return plan
  const { input } = plan
  if (plan.kind !== 'filter' || input.kind !== 'source') return mapInputs(plan, pruneSplits)
  if (input.prune === plan.predicate || canFail(plan.predicate, boundSchemaOf(input))) return plan
  return overInput(plan, Object.freeze({ ...input, prune: plan.predicate }))
}
