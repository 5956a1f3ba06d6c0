/**
 * Walking and rebuilding expression trees: which columns one reads, what it is with columns replaced, whether two are equal.
 * Knows the shape of the nodes and nothing of types; typing.ts knows those.
 */
import type { Expression } from './node.js'

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
    return inputs.every((input, i) => input === node.inputs[i])
      ? node
      : Object.freeze({ ...node, inputs: Object.freeze(inputs) })
  }
  if ('input' in node) {
    const input = map(node.input)
    return input === node.input ? node : Object.freeze({ ...node, input })
  }
  return node
}

/** Adds the names of all columns that `node` reads to `names`. */
export function collectColumns(node: Expression, names: Set<string>): Set<string> {
  if (node.op === 'column') names.add(node.name)
  for (const child of childrenOf(node)) collectColumns(child, names)
  return names
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
  const left = childrenOf(a)
  const right = childrenOf(b)
  if (left.length === 0 || a.op === 'in' || a.op === 'cast' || a.op === 'call') return fingerprint(a) === fingerprint(b)
  return left.every((child, i) => sameExpression(child, right[i] as Expression))
}
