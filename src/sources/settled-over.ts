/** Sources whose rows are made of others: over others in their place. */
import type { PlanBefore, Source } from './source.js'

/** @param change puts others in the place of those that the rows are made of */
export function settledOver(source: Source, change: (before: PlanBefore) => PlanBefore): Source {
  return {
    ...source,
    settle: (collect, run, clock) =>
      (source.settle as Required<Source>['settle'])(
        before => collect(change(before)),
        before => run(change(before)),
        clock,
      ),
  }
}
