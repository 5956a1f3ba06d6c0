/**
 * Rule: filters move towards the source, where fewer rows are carried on and whole splits may be skipped, and adjacent ones merge.
 *
 * A filter changes which rows the nodes above it see, so it passes only nodes that cannot fail: an error that the user's own
 * order of verbs reports is reported whatever the rewriting. For the same reason one that can fail does not merge into another.
 * It never passes a limit or an aggregate, and passes a project only on columns that the project hands through.
 */
import { canFail } from '../../expressions/failure.js'
import type { Expression } from '../../expressions/node.js'
import { collectColumns, substitute } from '../../expressions/walk.js'
import { filterNode } from '../build.js'
import type { FilterNode, PlanNode } from '../logical.js'
import { boundSchemaOf } from '../typing.js'
import { anyCanFail, expressionsOf, isTrivial, overInput } from './rewrite.js'

export function pushFilters(plan: PlanNode): PlanNode {
  if (plan.kind === 'source') return plan
  const input = pushFilters(plan.input)
  return plan.kind === 'filter' ? sink(filterNode(input, plan.predicate)) : overInput(plan, input)
}

function sink(filter: FilterNode): PlanNode {
  const { input, predicate } = filter
  if (input.kind === 'filter' && !canFail(predicate, boundSchemaOf(input))) {
    const both: Expression = Object.freeze({ op: 'and', left: input.predicate, right: predicate })
    return sink(filterNode(input.input, both))
  }
  if (input.kind === 'sort' && !canFail(predicate, boundSchemaOf(input))) {
    return overInput(input, sink(filterNode(input.input, predicate)))
  }
  if (input.kind === 'project' && !anyCanFail(input.columns, boundSchemaOf(input.input))) {
    const of = expressionsOf(input)
    if ([...collectColumns(predicate, new Set())].every(name => isTrivial(of(name)))) {
      return overInput(input, sink(filterNode(input.input, substitute(predicate, of))))
    }
  }
  return filter
}
