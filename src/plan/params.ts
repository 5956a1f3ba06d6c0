/** The parameters in plans: which there are, and plans that keep the values that these have. */
import type { Expression, ParamCell } from '../expressions/node.js'
import { childrenOf, mapChildren } from '../expressions/walk.js'
import type { PlanNode } from './logical.js'
import type { ParamRules, Read } from './param-values.js'
import { mapInputs } from './rules/rewrite.js'
import { inputsOf } from './sources-of.js'
import { mapExpressions } from './typing.js'

function paramsOf({ plan, sources }: Read): Set<ParamCell> {
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

/** What makes its rows of those of other plans. */
interface Settled {
  readonly before?: Read
  settle?(collect: Runs, run: Runs, clock: unknown): unknown
}

type Runs = (before: Read) => unknown

function withValues(bounds: readonly Read[]): readonly Read[] {
  const values = new Map<ParamCell, ParamCell>()
  for (const bound of bounds)
    for (const cell of paramsOf(bound)) values.set(cell, { value: cell.value, listeners: new Set() })
  if (values.size === 0) return bounds
  const nodes = new Map<PlanNode, PlanNode>()
  const made = new Map<Settled, Settled>()

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

  function sourceOf(source: Settled): Settled {
    const { before } = source
    if (before === undefined) return source
    let own = made.get(source)
    if (own === undefined) {
      const settle: Settled['settle'] = (collect, run, clock) =>
        source.settle?.(
          each => collect(boundOf(each)),
          each => run(boundOf(each)),
          clock,
        )
      own = { ...source, before: boundOf(before), settle }
      made.set(source, own)
    }
    return own
  }

  const boundOf = (bound: Read): Read => ({
    ...bound,
    plan: planOf(bound.plan),
    sources: new Map([...bound.sources].map(([id, source]) => [id, sourceOf(source)])),
  })
  return bounds.map(boundOf)
}

export const PARAM_RULES: ParamRules = { of: paramsOf, now: withValues }
