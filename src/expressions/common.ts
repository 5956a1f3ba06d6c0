/** What the expressions of one stage have in common: parts that are computed once a morsel, however often they are read. */
import type { Expression } from './node.js'
import { childrenOf, fingerprint, mapChildren } from './walk.js'

export interface CommonParts {
  /** Which part a node is: equal for equal nodes. -1 for what is not shared, or is there already. */
  idOf(node: Expression): number
  /** The shared parts that are no part of another one which is there as often. */
  readonly largest: readonly Expression[]
}

interface Part {
  readonly node: Expression
  times: number
  /** The most that a part has of which it is a child. */
  timesOfParent: number
}

export function commonParts(expressions: readonly Expression[]): CommonParts {
  const ids = new Map<string, number>()
  const known = new Map<Expression, number>()
  const parts: Part[] = []
  const children: [child: number, parent: number][] = []

  function visit(node: Expression): number {
    const below: number[] = []
    const own = mapChildren(node, child => {
      const id = visit(child)
      below.push(id)
      return { part: id } as unknown as Expression
    })
    const key = fingerprint(own)
    let id = ids.get(key)
    if (id === undefined) {
      id = parts.push({ node, times: 0, timesOfParent: 0 }) - 1
      ids.set(key, id)
    }
    parts[id].times++
    known.set(node, id)
    for (const child of below) children.push([child, id])
    return id
  }

  for (const expression of expressions) visit(expression)
  for (const [child, parent] of children) {
    parts[child].timesOfParent = Math.max(parts[child].timesOfParent, parts[parent].times)
  }
  const isShared = ({ node, times }: Part): boolean => times > 1 && childrenOf(node).length > 0
  return {
    idOf(node) {
      const id = known.get(node) ?? -1
      return id >= 0 && isShared(parts[id]) ? id : -1
    },
    largest: parts.filter(part => isShared(part) && part.times > part.timesOfParent).map(({ node }) => node),
  }
}
