/** Groups that lanes have made of rows of a flow that runs on, among its batches: they come in their place, and stand for their rows. */
import { RecordBatch } from '../../columnar/record-batch.js'
import type { SchemaShape } from '../../columnar/type.js'
import type { VectorBatch } from '../../columnar/vector.js'
import type { WindowPart } from '../../operators/window-parts.js'
import { type LaneWindows, laneWindows } from '../../plan/lane-windows.js'
import type { LivePlan } from '../../plan/live.js'
import type { PhysicalPlan } from '../../plan/physical.js'
import { decodeBatch } from '../../workers/transfer.js'
import type { WindowsBefore } from './job-request.js'

/** A batch without rows, which no reader sees. */
class PartBatch extends RecordBatch {
  constructor(readonly part: WindowPart<VectorBatch>) {
    super({}, [], 0)
  }
}

/** The groups that a batch stands for; null: it is what it is. */
export const partOf = (batch: RecordBatch): WindowPart<VectorBatch> | null =>
  batch instanceof PartBatch ? batch.part : null

/** What is refused is told by whoever runs it. */
function specOf(planOf: PlanOf, below: PhysicalPlan): LaneWindows | null {
  try {
    return laneWindows(planOf(below.output), below)
  } catch {
    return null
  }
}

/** What is above, over columns that come. */
type PlanOf = (schema: SchemaShape) => LivePlan

/** For a plan below a cut, what its lanes may do of what is above. */
export const windowsBefore =
  (planOf: PlanOf) =>
  (below: PhysicalPlan): WindowsBefore | null => {
    const spec = specOf(planOf, below)
    return (
      spec && {
        spec,
        batchOf: (part, inbox) =>
          new PartBatch({
            ...part,
            windows: part.windows.map(each => ({ ...each, keys: decodeBatch(each.keys, inbox) })),
          }),
      }
    )
  }
