/**
 * Walking and rebuilding expression trees: which columns one reads, what it is with columns replaced, whether two are equal.
 * Knows the shape of the nodes and nothing of types; typing.ts knows those.
 */
import type { AggregateCall, AggregateExpression, Expression } from './node.js'

/** The direct children, left to right. The values of an `in` are data, not children. */
export function childrenOf(node: Expression): readonly Expression[] {
  if ('left' in node) return [node.left, node.right]
  if ('inputs' in node) return node.inputs
  return 'input' in node ? [node.input] : []
}

/** The same node over other children; the node itself where none differs. */
export function mapChildren(node: Expression, map: (child: Expression) => Expression): Expression {
  if ('left' in node) {
    const left = map(node.left)
    const right = map(node.right)
    return left === node.left && right === node.right ? node : Object.freeze({ ...node, left, right })
  }
  if ('inputs' in node) {
    const inputs = node.inputs.map(map)
    return sameItems(inputs, node.inputs) ? node : Object.freeze({ ...node, inputs: Object.freeze(inputs) })
  }
  if ('input' in node) {
    const input = map(node.input)
    return input === node.input ? node : Object.freeze({ ...node, input })
  }
  return node
}

/** What is computed of aggregates, over other calls; itself where none differs. */
export function mapCalls(node: AggregateExpression, map: (call: AggregateCall) => AggregateCall): AggregateExpression {
  if (node.op === 'literal') return node
  if (node.op === 'aggregate') return map(node)
  const left = mapCalls(node.left, map)
  const right = mapCalls(node.right, map)
  return left === node.left && right === node.right ? node : Object.freeze({ ...node, left, right })
}

/** Named expressions over others; the very list where none differs. */
export function mapNamed<E>(
  columns: readonly { readonly name: string; readonly expression: E }[],
  map: (expression: E) => E,
): readonly { readonly name: string; readonly expression: E }[] {
  const mapped = columns.map(column => {
    const expression = map(column.expression)
    return expression === column.expression ? column : Object.freeze({ ...column, expression })
  })
  return sameItems(mapped, columns) ? columns : Object.freeze(mapped)
}

/** Whether two lists hold the very same items. */
export const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

/** Adds the names of all columns that `node` reads to `names`. */
export function collectColumns(node: Expression, names: Set<string>): Set<string> {
  if (node.op === 'column') names.add(node.name)
  for (const child of childrenOf(node)) collectColumns(child, names)
  return names
}

/** Adds the names of all columns that the calls of an expression of aggregates read. */
export function collectOfCalls(node: AggregateExpression, names: Set<string>): void {
  mapCalls(node, call => {
    for (const input of call.inputs) collectColumns(input, names)
    if (call.where !== undefined) collectColumns(call.where, names)
    return call
  })
}

/** `node` with each column replaced by what `of` gives for its name. */
export function substitute(node: Expression, of: (name: string) => Expression): Expression {
  return node.op === 'column' ? of(node.name) : mapChildren(node, child => substitute(child, of))
}

/** Adds to `counts` how often `node` reads each column. */
export function countReads(node: Expression, counts: Map<string, number>): void {
  if (node.op === 'column') counts.set(node.name, (counts.get(node.name) ?? 0) + 1)
  for (const child of childrenOf(node)) countReads(child, counts)
}

/** A text equal for equal trees, and only for them: literals carry their JavaScript type, and -0 is not 0. */
export function fingerprint(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return { bigint: String(part) }
    if (typeof part === 'number') return { number: Object.is(part, -0) ? '-0' : String(part) }
    return part
  })
}

/** Whether two trees are equal, as `fingerprint` would have it; it stops at the first difference. */
export function sameExpression(a: Expression, b: Expression): boolean {
  if (a === b) return true
  if (a.op !== b.op) return false
  if (a.op === 'literal' && b.op === 'literal') {
    return Object.is(a.value, b.value) && (a.type === b.type || fingerprint(a.type) === fingerprint(b.type))
  }
  const left = a.op === 'in' ? [a.input, ...a.values] : childrenOf(a)
  const right = b.op === 'in' ? [b.input, ...b.values] : childrenOf(b)
  if (left.length === 0 || a.op === 'cast' || a.op === 'call') return fingerprint(a) === fingerprint(b)
  return left.length === right.length && left.every((child, i) => sameExpression(child, right[i] as Expression))
}
