/** What has to do with parameters where there are any: params.ts has it, which `param` brings along, so that programs without do not load it. */
import type { ParamCell } from '../expressions/node.js'
import type { PlanBefore } from './source.js'

export interface ParamRules {
  of(bound: PlanBefore): Set<ParamCell>
  now<B extends readonly PlanBefore[]>(bounds: B): B
}

let rules: ParamRules | null = null

export function useParams(given: ParamRules): void {
  rules = given
}

/** The parameters that a plan reads, and what its rows are made of in the calling thread, each once: whoever shows its rows hears of their changes. */
export const paramsOf = (bound: PlanBefore): Set<ParamCell> => rules?.of(bound) ?? new Set()

/** The same plans with the values that their parameters have now, whatever they are set to before the job is planned. What they share they go on sharing. */
export const asTheyAre = <B extends readonly PlanBefore[]>(...bounds: B): B => rules?.now(bounds) ?? bounds
