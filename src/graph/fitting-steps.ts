/** Batches in steps as small as a budget wants them: what rows come to while they are under way may be many times what is kept of them. */
import { RecordBatch } from '../columnar/record-batch.js'
import { fittingBatches } from '../operators/fitting-batches.js'
import { rowsOf } from './load-together.js'

/** Of a budget, for the rows of a step. */
const STEP_PARTS = 64
/** And for a dictionary that stays as it comes, whose strings are known where they come again. */
const TEXT_PARTS = 16
/** So many are a step, whatever batches they come in. */
const LEAST_STEP_ROWS = 1024

/** @param shareBytes that the job may take; Infinity: all is one step */
export function* fittingSteps(batches: readonly RecordBatch[], shareBytes: number): Iterable<readonly RecordBatch[]> {
  if (shareBytes === Infinity) {
    yield batches
    return
  }
  let step: RecordBatch[] = []
  for (const batch of batches) {
    for (const { vectors, rowCount } of fittingBatches(batch, shareBytes / STEP_PARTS, shareBytes / TEXT_PARTS)) {
      if (step.length > 0 && rowsOf(step) + rowCount > LEAST_STEP_ROWS) {
        yield step
        step = []
      }
      step.push(vectors === batch.vectors ? batch : new RecordBatch(batch.schema, vectors, rowCount))
    }
  }
  yield step
}
