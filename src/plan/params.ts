/** The parameters that a plan reads, and what its rows are made of in the calling thread, each once: whoever shows its rows hears of their changes. */
import type { Expression, ParamCell } from '../expressions/node.js'
import { childrenOf } from '../expressions/walk.js'
import type { PlanNode } from './logical.js'
import { inputsOf } from './sources-of.js'
import { mapExpressions } from './typing.js'

/** A plan, and of its sources what their rows are made of. */
interface Read {
  readonly plan: PlanNode
  readonly sources: ReadonlyMap<number, { readonly before?: Read }>
}

export function paramsOf({ plan, sources }: Read): Set<ParamCell> {
  const cells = new Set(
    [...sources.values()].flatMap(({ before }) => (before === undefined ? [] : [...paramsOf(before)])),
  )
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
