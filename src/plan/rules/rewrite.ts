/** What rules share: rebuilding a node over another input, and asking whether a node's expressions can fail. */
import type { SchemaShape } from '../../columnar/type.js'
import { canFail } from '../../expressions/failure.js'
import type { Expression } from '../../expressions/node.js'
import { childrenOf, sameItems } from '../../expressions/walk.js'
import type { NamedExpression, PlanNode, ProjectNode, SourceNode } from '../logical.js'

export function overInput<N extends Exclude<PlanNode, SourceNode>>(node: N, input: PlanNode): N {
  return node.input === input ? node : Object.freeze(Object.assign({ ...node }, { input }))
}

/** The node over other inputs: all of them, where it has several. */
export function mapInputs<N extends Exclude<PlanNode, SourceNode>>(node: N, map: (input: PlanNode) => PlanNode): N {
  const input = map(node.input)
  if (node.kind === 'union') {
    const others = node.others.map(map)
    const isSame = input === node.input && sameItems(others, node.others)
    return isSame ? node : Object.freeze(Object.assign({ ...node }, { input, others: Object.freeze(others) }))
  }
  if (node.kind !== 'join') return overInput(node, input)
  const right = map(node.right)
  return input === node.input && right === node.right
    ? node
    : Object.freeze(Object.assign({ ...node }, { input, right }))
}

/** A column taken as it is, or a literal: costs nothing to compute twice. */
export const isTrivial = (expression: Expression): boolean => expression.op === 'column' || expression.op === 'literal'

/** Whether it is better not made of several verbs': each that joins it has it walked again, and at some depth it is refused. */
export const isTooDeep = (expression: Expression, left = 99): boolean =>
  left === 0 || childrenOf(expression).some(child => isTooDeep(child, left - 1))

export const anyCanFail = (columns: readonly NamedExpression[], schema: SchemaShape): boolean =>
  columns.some(({ expression }) => canFail(expression, schema))

/** The project's expression behind one of its columns. */
export function expressionsOf(project: ProjectNode): (name: string) => Expression {
  const byName = new Map(project.columns.map(({ name, expression }) => [name, expression]))
  return name => byName.get(name) as Expression
}

/** Whether `columns` are those of `input` as they are, in their order. */
export function isIdentity(columns: readonly NamedExpression[], input: SchemaShape): boolean {
  const names = Object.keys(input)
  return (
    names.length === columns.length &&
    columns.every(
      ({ name, expression }, i) => name === names[i] && expression.op === 'column' && expression.name === name,
    )
  )
}
