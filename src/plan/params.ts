/** The parameters that a plan reads, each once: whoever shows its rows hears of their changes. */
import type { Expression, ParamCell } from '../expressions/node.js'
import { childrenOf } from '../expressions/walk.js'
import type { PlanNode } from './logical.js'
import { inputsOf } from './sources-of.js'
import { mapExpressions } from './typing.js'

export function paramsOf(plan: PlanNode): Set<ParamCell> {
  const cells = new Set<ParamCell>()
  const look = (expression: Expression): void => {
    if (expression.op === 'param') cells.add(expression.cell)
    else for (const child of childrenOf(expression)) look(child)
  }
  const walk = (node: PlanNode): void => {
    mapExpressions(node, expression => {
      look(expression)
      return expression
    })
    if (node.kind !== 'source') for (const input of inputsOf(node)) walk(input)
  }
  walk(plan)
  return cells
}
