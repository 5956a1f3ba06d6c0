import { gatherVector } from './gather.js'
import { RecordBatch } from './record-batch.js'
import type { SchemaShape } from './type.js'

/** @param rows places in the batch, of which each is there */
export function gatherBatch<S extends SchemaShape>(batch: RecordBatch<S>, rows: Uint32Array): RecordBatch<S> {
  return new RecordBatch(
    batch.schema,
    batch.vectors.map(vector => gatherVector(vector, rows)),
    rows.length,
  )
}
