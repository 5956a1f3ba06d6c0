/** `topK` of groups: its node, checked. What it comes to where the input ends is row-lowering.ts's; in a job that goes on it is operators/live-top.ts's. */
import type { SchemaShape } from '../columnar/type.js'
import type { OrderKey } from '../expressions/node.js'
import { checkNames, limitNode, sortNode } from './build.js'
import { rowSchema } from './event-time.js'
import type { PlanNode, TopNode, Windowing } from './logical.js'

/** @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN`, `MR_INVALID_OPTION` */
export function topNode(
  input: PlanNode,
  schema: SchemaShape | null,
  keys: readonly string[],
  n: number,
  orders: readonly OrderKey[],
  window: Windowing | null,
): TopNode {
  checkNames('groupBy', keys, schema)
  const { count } = limitNode(input, n, 0, 'topK')
  const sorted = sortNode(input, schema, orders, 'topK')
  const node: TopNode = Object.freeze({ kind: 'top', input, keys, orders: sorted.orders, count, window })
  if (schema !== null) rowSchema(node, schema)
  return node
}
