/** The parameters in plans: which there are, and plans that keep the values that these have. */
import type { Expression, ParamCell } from '../expressions/node.js'
import { childrenOf, mapChildren } from '../expressions/walk.js'
import type { PlanNode } from '../plan/logical.js'
import { mapInputs } from '../plan/rules/rewrite.js'
import { inputsOf } from '../plan/sources-of.js'
import { mapExpressions } from '../plan/typing.js'
import type { ParamRules } from './param-values.js'
import { settledOver } from './settled-over.js'
import type { PlanBefore, Source } from './source.js'

function paramsOf({ plan, sources }: PlanBefore): Set<ParamCell> {
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

function withValues<B extends readonly PlanBefore[]>(bounds: B): B {
  const values = new Map<ParamCell, ParamCell>()
  for (const bound of bounds)
    for (const cell of paramsOf(bound)) values.set(cell, { value: cell.value, listeners: new Set() })
  if (values.size === 0) return bounds
  const nodes = new Map<PlanNode, PlanNode>()
  const made = new Map<Source, Source>()

  const valued = (expression: Expression): Expression =>
    expression.op === 'param'
      ? Object.freeze({ ...expression, cell: values.get(expression.cell) ?? expression.cell })
      : mapChildren(expression, valued)

  function planOf(plan: PlanNode): PlanNode {
    const known = nodes.get(plan)
    if (known !== undefined) return known
    const own = mapExpressions(plan, valued)
    const all = own.kind === 'source' ? own : mapInputs(own, planOf)
    nodes.set(plan, all)
    return all
  }

  function sourceOf(source: Source): Source {
    const { before } = source
    if (before === undefined) return source
    const own = made.get(source) ?? { ...settledOver(source, boundOf), before: boundOf(before) }
    made.set(source, own)
    return own
  }

  const boundOf = <P extends PlanBefore>(bound: P): P => ({
    ...bound,
    plan: planOf(bound.plan),
    sources: new Map([...bound.sources].map(([id, source]) => [id, sourceOf(source)])),
  })
  return bounds.map(boundOf) as readonly PlanBefore[] as B
}

export const PARAM_RULES: ParamRules = { of: paramsOf, now: withValues }
