/**
 * Rule: constant parts of every expression are computed, a filter that every row passes goes, and counting what is never null
 * becomes counting rows.
 */
import type { SchemaShape } from '../../columnar/type.js'
import { canFail } from '../../expressions/failure.js'
import { fold } from '../../expressions/fold.js'
import type { AggregateExpression } from '../../expressions/node.js'
import { resolve, typeOf } from '../../expressions/typing.js'
import type { PlanNode } from '../logical.js'
import { mapExpressions, scopeOf } from '../typing.js'
import { mapInputs } from './rewrite.js'

export function foldConstants(plan: PlanNode): PlanNode {
  if (plan.kind === 'source') return plan
  const over = mapInputs(plan, foldConstants)
  const { input } = over
  if (over.kind === 'union') return over
  const schema = scopeOf(over)
  // What other rules, and folding itself, have changed is bound anew: nullable no more, or beside a literal that was none.
  const node = mapExpressions(over, expression => fold(resolve(expression, schema), schema))
  if (node.kind === 'filter' && node.predicate.op === 'literal' && node.predicate.value === true) return input
  if (node.kind !== 'aggregate') return node
  const aggregates = node.aggregates.map(({ name, expression }) =>
    Object.freeze({ name, expression: countRows(expression, schema) }),
  )
  return Object.freeze({ ...node, aggregates: Object.freeze(aggregates) })
}

function countRows(node: AggregateExpression, schema: SchemaShape): AggregateExpression {
  if (node.op === 'literal') return node
  if (node.op !== 'aggregate')
    return Object.freeze({ ...node, left: countRows(node.left, schema), right: countRows(node.right, schema) })
  const isRows =
    node.function === 'count' && node.inputs.every(input => !typeOf(input, schema).nullable && !canFail(input, schema))
  return isRows && node.inputs.length > 0 ? Object.freeze({ ...node, inputs: [] }) : node
}
