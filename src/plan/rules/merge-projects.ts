/**
 * Rule: two adjacent projects become one, and one that hands on exactly its input goes.
 * Not merged where the lower one computes a column that the upper one would compute twice, or one that can fail and is not read above, nor where
 * computing one over the other gets deep.
 */
import { canFail } from '../../expressions/failure.js'
import type { Expression } from '../../expressions/node.js'
import { countReads, substitute } from '../../expressions/walk.js'
import { projectNode } from '../build.js'
import type { PlanNode, ProjectNode } from '../logical.js'
import { boundSchemaOf } from '../typing.js'
import { expressionsOf, isIdentity, isTooDeep, isTrivial, mapInputs, overInput } from './rewrite.js'

export function mergeProjects(plan: PlanNode): PlanNode {
  if (plan.kind === 'source') return plan
  if (plan.kind !== 'project') return mapInputs(plan, mergeProjects)
  const input = mergeProjects(plan.input)
  return isIdentity(plan.columns, boundSchemaOf(input)) ? input : merge(overInput(plan, input))
}

function merge(upper: ProjectNode): PlanNode {
  const lower = upper.input
  if (lower.kind !== 'project') return upper
  const schema = boundSchemaOf(lower.input)
  const reads = new Map<string, number>()
  for (const { expression } of upper.columns) countReads(expression, reads)
  for (const { name, expression } of lower.columns) {
    if (isTrivial(expression)) continue
    const count = reads.get(name) ?? 0
    if (count > 1 || (count === 0 && canFail(expression, schema))) return upper
  }
  const of = expressionsOf(lower)
  const columns = upper.columns.map(({ name, expression }) => ({
    name,
    expression: substitute(expression, of) as Expression,
  }))
  if (columns.some(({ expression }) => isTooDeep(expression))) return upper
  return isIdentity(columns, schema) ? lower.input : projectNode(lower.input, moreTelling(upper, lower), columns)
}

/** The verb that computes names the merged node. */
function moreTelling(upper: ProjectNode, lower: ProjectNode): ProjectNode['verb'] {
  const computes = lower.verb === 'derive' || lower.verb === 'fillNull'
  return computes && upper.columns.every(({ expression }) => isTrivial(expression)) ? lower.verb : upper.verb
}
