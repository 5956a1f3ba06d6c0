/** What has to do with parameters where there are any: params.ts has it, which `param` brings along, so that programs without do not load it. */
import type { ParamCell } from '../expressions/node.js'
import type { PlanNode } from './logical.js'

/** A plan, and of its sources what their rows are made of. */
export interface Read {
  readonly plan: PlanNode
  readonly sources: ReadonlyMap<number, { readonly before?: Read }>
}

export interface ParamRules {
  of(bound: Read): Set<ParamCell>
  now(bounds: readonly Read[]): readonly Read[]
}

let rules: ParamRules | null = null

export function useParams(given: ParamRules): void {
  rules = given
}

/** The parameters that a plan reads, and what its rows are made of in the calling thread, each once: whoever shows its rows hears of their changes. */
export const paramsOf = (bound: Read): Set<ParamCell> => rules?.of(bound) ?? new Set()

/** The same plans with the values that their parameters have now, whatever they are set to before the job is planned. What they share they go on sharing. */
export const asTheyAre = <B extends Read>(...bounds: readonly B[]): readonly B[] =>
  (rules?.now(bounds) as readonly B[] | undefined) ?? bounds
