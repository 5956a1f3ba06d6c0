/**
 * Rule: filters move towards the source, where fewer rows are carried on and whole splits may be skipped, and adjacent ones merge.
 *
 * A filter changes which rows the nodes above it see, so it passes only nodes that cannot fail: an error that the user's own
 * order of verbs reports is reported whatever the rewriting. For the same reason one that can fail does not merge into another.
 * Nor do so many that the predicate gets deep. It never passes a limit or an aggregate, and passes a project only on columns that the project hands through.
 */
import { canFail } from '../../expressions/failure.js'
import type { Expression } from '../../expressions/node.js'
import { collectColumns, substitute } from '../../expressions/walk.js'
import { columnOf, filterNode } from '../build.js'
import { allOf } from '../cleaning.js'
import type { FilterNode, JoinNode, PlanNode } from '../logical.js'
import { boundSchemaOf, scopeOf } from '../typing.js'
import { anyCanFail, expressionsOf, isTooDeep, isTrivial, mapInputs, overInput } from './rewrite.js'

export function pushFilters(plan: PlanNode): PlanNode {
  if (plan.kind === 'source') return plan
  if (plan.kind !== 'filter') return mapInputs(plan, pushFilters)
  return sink(overInput(plan, pushFilters(plan.input)))
}

function sink(filter: FilterNode): PlanNode {
  const { input, predicate } = filter
  if (input.kind === 'filter' && !canFail(predicate, boundSchemaOf(input))) {
    const both = allOf([input.predicate, predicate])
    if (!isTooDeep(both)) return sink(filterNode(input.input, both))
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
  if (input.kind === 'union' && !canFail(predicate, boundSchemaOf(input)))
    return mapInputs(input, each => sink(filterNode(each, predicate)))
  return input.kind === 'join' ? (intoJoin(input, predicate) ?? filter) : filter
}

/** To the side that has all columns that it reads, where rows of that side that fail it come out in no row that passes it. */
function intoJoin(join: JoinNode, predicate: Expression): PlanNode | null {
  const { how, where, taken, input, right } = join
  // Times of different units may leave the finer one.
  const isScaled = join.asof?.type.kind === 'timestamp'
  if (canFail(predicate, boundSchemaOf(join)) || isScaled || (where !== null && canFail(where, scopeOf(join))))
    return null
  const fromRight = new Map((taken ?? []).map(({ name, column }) => [name, column]))
  const reads = [...collectColumns(predicate, new Set())]
  if (how !== 'right' && how !== 'full' && !reads.some(name => fromRight.has(name)))
    return overInput(join, sink(filterNode(input, predicate)))
  if (how !== 'inner' || reads.length === 0 || !reads.every(name => fromRight.has(name))) return null
  const ofRight = substitute(predicate, name => columnOf(fromRight.get(name) as string))
  return Object.freeze({ ...join, right: sink(filterNode(right, ofRight)) })
}
