/** Rows of a flow that runs on, grouped in a lane before they leave it (operators/window-parts.ts): which places they have, and how what is made of them is sent. A part of lanes. */
import { SPLIT_WEIGHT } from '../kernels/aggregate/accumulator.js'
import type { MemoryAccount } from '../kernels/memory-account.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import { buildPipeline, type OperatorContext } from '../operators/build.js'
import type { Morsel } from '../operators/operator.js'
import { createWindowParts } from '../operators/window-parts.js'
import type { LaneWindows } from '../plan/lane-windows.js'
import { meterPipeline } from './meter.js'
import type { FromLane, JobSpec, StageMetrics } from './protocol.js'
import { encodeFresh, type Outbox } from './transfer.js'

export interface WindowsOfJob {
  /** Whether rows of a split have been grouped, in the place of going as they are; what came before has left. */
  take(morsel: Morsel, split: number): boolean
  /** What has been grouped of a split so far, to the caller. Whether there was any. */
  give(split: number): boolean
  metrics(): StageMetrics[]
  free(): void
}

export function openWindows(
  context: OperatorContext,
  { windows: spec, plan, spans }: JobSpec,
  account: MemoryAccount,
  outbox: Outbox,
  say: (message: FromLane, transfer: Transferable[]) => void,
): WindowsOfJob {
  const { k } = context
  const { stages } = spec as LaneWindows
  const pipeline = meterPipeline(buildPipeline(context, stages), account, spans)
  const windows = createWindowParts(context, spec as LaneWindows, pipeline, plan.output, pipeline.meter)
  /** Rows of the last split that have come. */
  let came = { split: -1, rowCount: 0 }

  function give(split: number): boolean {
    const part = windows.give(batch => unloadBatch(k, batch))
    if (part === null) return false
    const keys = part.windows.map(each => each.keys)
    const { isFresh, encoded } = encodeFresh(keys, outbox, false)
    const all = part.windows.map((each, i) => ({ ...each, keys: encoded[i].message }))
    const states = part.windows.flatMap(({ state }) => state.map(({ buffer }) => buffer as ArrayBuffer))
    const transfer = [...encoded.flatMap(each => each.transfer), ...states]
    say({ type: 'windows', split, part: { ...part, windows: all }, isFresh }, transfer)
    return true
  }

  return {
    take(morsel, split) {
      const before = came.split === split ? came.rowCount : 0
      came = { split, rowCount: before + morsel.rowCount }
      const place = split * SPLIT_WEIGHT + before
      // What it has may be all that it can have.
      return windows.take(morsel, place) || (give(split) && windows.take(morsel, place))
    },
    give,
    metrics: () => pipeline.metrics(),
    free: () => windows.free(),
  }
}
