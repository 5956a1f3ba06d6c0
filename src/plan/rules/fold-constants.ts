/**
 * Rule: constant parts of every expression are computed, a filter that every row passes goes, and counting what is never null
 * becomes counting rows.
 */
import type { SchemaShape } from '../../columnar/type.js'
import { canFail } from '../../expressions/failure.js'
import { fold } from '../../expressions/fold.js'
import type { AggregateCall } from '../../expressions/node.js'
import { resolve, typeOf } from '../../expressions/typing.js'
import type { PlanNode } from '../logical.js'
import { mapExpressions, scopeOf, withAggregates } from '../typing.js'
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
  return node.kind === 'aggregate' ? withAggregates(node, call => countRows(call, schema)) : node
}

function countRows(call: AggregateCall, schema: SchemaShape): AggregateCall {
  const isRows =
    call.function === 'count' && call.inputs.every(input => !typeOf(input, schema).nullable && !canFail(input, schema))
  return isRows && call.inputs.length > 0 ? Object.freeze({ ...call, inputs: [] }) : call
}
