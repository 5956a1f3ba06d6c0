/** Plans whose rows are chosen among others of their group: what they come to where the input ends is row-lowering.ts's, which is loaded before such a plan is run. */
import type { DistinctNode, JoinNode, PlanNode, TopNode, Windowing } from './logical.js'
import { inputsOf } from './sources-of.js'

/** Columns of the input, each row once for each of its windows. */
export interface WindowedRows {
  /** With the beginning and the end of the window (`START`, `END`). */
  readonly plan: PlanNode
  /** Columns of `plan` that rows of a window, and of the keys, have in common. */
  readonly partition: readonly string[]
}

/** Leaves the first rows of each partition, and notes where the first row of the partition was. */
export type Rank = (plan: PlanNode, partition: readonly string[]) => PlanNode

export interface RowRules {
  lowerTop(
    node: TopNode,
    input: PlanNode,
    time: string | null,
    windows: () => {
      rows(input: PlanNode, window: Windowing, keys: readonly string[], rank: Rank): WindowedRows
    },
  ): PlanNode
  lowerDistinct(node: DistinctNode, input: PlanNode): PlanNode
  /** Of a join by event time, rows of a side that are in it for no time. */
  lateOfSide(join: JoinNode, side: 0 | 1): PlanNode
}

let rules: RowRules | null = null

export const choosesRows = (plan: PlanNode): boolean =>
  plan.kind !== 'source' &&
  (plan.kind === 'top' || plan.kind === 'distinct' || isOfSide(plan) || inputsOf(plan).some(choosesRows))

const isOfSide = (plan: PlanNode): boolean => plan.kind === 'late' && plan.of.kind === 'side'

/** To be awaited before such a plan is lowered. */
export async function loadRowRules(plan: PlanNode): Promise<void> {
  if (rules === null && choosesRows(plan)) rules = await import('./row-lowering.js')
}

export function rowRules(): RowRules {
  if (rules === null) throw new Error('rows are chosen, and nobody has loaded how')
  return rules
}
