/** What a run measured, as text: `explain({ analyze: true })`. The plan alone is plan/explain.ts's. */

import { explainPhysical } from '../../plan/explain.js'
import type { StageMetrics } from '../../workers/protocol.js'
import { mergeStages } from './merge-stages.js'
import type { RunOptions } from './options.js'
import { type BoundPlan, run } from './run.js'
import { unreadAfter } from './unread.js'

/** Runs the flow, drops its rows, and tells the plan, the kernels chosen, rows, time and memory of every stage. */
export async function explainAnalysis(bound: BoundPlan, options: RunOptions = {}): Promise<string> {
  const began = performance.now()
  const { result, plan, pool } = await unreadAfter(run('explain', bound, options, false), bound)
  const milliseconds = performance.now() - began
  const { metrics } = result
  const rowsRead = metrics.reduce((sum, each) => sum + each.rowsRead, 0)
  const rowsOut = result.batches.reduce((sum, batch) => sum + batch.rowCount, 0)
  const stages = (metrics[0]?.stages ?? []).map((_, i) =>
    mergeStages(metrics.flatMap(({ stages: each }) => each[i] ?? [])),
  )
  const lanes = pool.inline ? 'inline' : `${pool.lanes.length} ${pool.lanes.length === 1 ? 'lane' : 'lanes'}`
  return [
    explainPhysical(plan, bound.plan),
    `ran ${lanes}: ${rowsRead} rows read, ${rowsOut} out, ${milliseconds.toFixed(1)} ms`,
    ...stages.map(printStage),
    `memory of the job, peak by lane: ${metrics.map(({ peakBytes }) => `${(peakBytes / 2 ** 20).toFixed(1)} MiB`).join(', ')}`,
  ].join('\n')
}

function printStage({ stage, kernels, rowsIn, rowsOut, milliseconds, spilled }: StageMetrics): string {
  const { bytes, pieces } = spilled
  const written = pieces === 0 ? [] : [`spilled ${(bytes / 1e6).toFixed(1)} MB in ${pieces} pieces`]
  const told = [...kernels, ...written]
  const chosen = told.length === 0 ? '' : ` [${told.join('; ')}]`
  return `  ${stage}: ${rowsIn} rows in, ${rowsOut} out, ${milliseconds.toFixed(1)} ms${chosen}`
}
