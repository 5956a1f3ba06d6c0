/** What `union` does: its flows and options, checked, and made into a node. flow.ts has the verb, plan/union.ts says what comes out. */
import { unionNode } from '../plan/union.js'
import { Flow } from './flow.js'
import { checkedOptions } from './joins.js'
import { invalid, mismatch, show } from './refusal.js'

export interface UnionOptions {
  /** What becomes of a column that some flow lacks: an error, by default, or null in that flow's rows. */
  readonly missing?: 'error' | 'null'
}

/** @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INVALID_OPTION`, `MR_UNKNOWN_COLUMN` */
export function united(first: Flow<any>, given: readonly unknown[]): Flow<any> {
  const last = given.at(-1)
  const hasOptions = given.length > 0 && !(last instanceof Flow)
  const others = hasOptions ? given.slice(0, -1) : given
  for (const other of others)
    if (!(other instanceof Flow)) throw mismatch('union', `union takes flows, not ${show(other)}`)
  if (hasOptions && (typeof last !== 'object' || last === null))
    throw mismatch('union', `union takes flows, not ${show(last)}`)
  const { missing = 'error' } = checkedOptions('union', hasOptions ? (last as UnionOptions) : undefined, ['missing'])
  if (missing !== 'error' && missing !== 'null')
    throw invalid('union', `missing is 'error' or 'null', not ${show(missing)}`)
  if (others.length === 0) throw invalid('union', 'name at least one other flow, as in union(other)')
  const flows = [first, ...(others as Flow<any>[])]
  const node = unionNode(
    flows.map(({ plan }) => plan),
    flows.map(({ schema }) => schema),
    missing,
  )
  return new Flow(node, new Map(flows.flatMap(({ sources }) => [...sources])))
}
