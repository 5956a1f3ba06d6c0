/** Batches in steps as small as a budget wants them: what rows come to while they are under way may be many times what is kept of them. */
import { RecordBatch } from '../columnar/record-batch.js'
import { usedStrings } from '../columnar/used-strings.js'
import { sliceVector, type Vector } from '../columnar/vector.js'
import { ENTRY_BYTES } from '../kernels/text.js'
import { rowsOf } from './load-together.js'

/** Of a budget, for the rows of a step. */
const STEP_PARTS = 64
/** So many are a step, however long they are, and whatever batches they come in. */
const LEAST_STEP_ROWS = 1024

/** @param shareBytes that the job may take; Infinity: all is one step */
export function* fittingSteps(batches: readonly RecordBatch[], shareBytes: number): Iterable<readonly RecordBatch[]> {
  if (shareBytes === Infinity) {
    yield batches
    return
  }
  let step: RecordBatch[] = []
  for (const batch of batches) {
    const { schema, rowCount, vectors } = batch
    const perRow = vectors.reduce((sum, vector) => sum + bytesOf(vector), 0) / rowCount
    const count = Math.max(LEAST_STEP_ROWS, 8 * Math.floor(shareBytes / STEP_PARTS / perRow / 8))
    for (let from = 0; from < rowCount; from += count) {
      const length = Math.min(count, rowCount - from)
      if (step.length > 0 && rowsOf(step) + length > LEAST_STEP_ROWS) {
        yield step
        step = []
      }
      step.push(length === rowCount ? batch : new RecordBatch(schema, vectors.map(narrowed(from, length)), length))
    }
  }
  yield step
}

/** Some rows of a column, without strings of a dictionary that has mostly those of others. */
const narrowed = (from: number, length: number) => (vector: Vector) => {
  const rows = sliceVector(vector, from, from + length)
  return (vector.dictionary?.length ?? 0) > length ? usedStrings(rows) : rows
}

const bytesOf = ({ data, dictionary, child }: Vector): number =>
  data.byteLength +
  (dictionary === null ? 0 : dictionary.byteLength + ENTRY_BYTES * dictionary.length) +
  (child ? bytesOf(child) : 0)
