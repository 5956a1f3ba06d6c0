/** Columns that users give while a job runs, pushed or as an item of a stream: what tells them from a row, and their batches, which share nothing with the user's arrays. */
import { isDictionaryInput } from '../columnar/dictionary-input.js'
import type { ColumnsInput } from '../columnar/infer.js'
import { openColumns } from '../columnar/input.js'
import { MORSEL_ROWS, RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf } from '../columnar/schema.js'
import type { SchemaShape } from '../columnar/type.js'
import { makeVector, type Vector } from '../columnar/vector.js'
import { MillraceError } from '../errors.js'

/** Whether an object is columns: the value of the first column that is no list is an array, and no row's. */
export function columnsTeller(schema: SchemaShape): (data: object) => boolean {
  const telling = fieldsOf(schema).find(({ type }) => type.kind !== 'list')?.name
  return data => {
    const value = telling === undefined ? null : (data as Record<string, unknown>)[telling]
    if (typeof value !== 'object' || value === null) return false
    return Array.isArray(value) || ArrayBuffer.isView(value) || isDictionaryInput(value)
  }
}

/**
 * The columns `names` (default all, in schema order), a morsel at a time. Of columns with a bad row those before it come first.
 * @throws MillraceError what `openColumns` throws; rows are counted from the first
 */
export function* givenBatches(
  data: object,
  schema: SchemaShape,
  names: readonly string[] = Object.keys(schema),
): Generator<RecordBatch, void, undefined> {
  const columns = data as ColumnsInput
  const reader = openColumns(columns, schema)
  const read = (from: number, to: number): RecordBatch => {
    const batch = reader.read(from, to, names)
    const vectors = batch.vectors.map((vector, c) => owned(vector, columns[names[c]]))
    return new RecordBatch(batch.schema, vectors, batch.rowCount)
  }
  for (let from = 0; from < reader.rowCount; from += MORSEL_ROWS) {
    let batch: RecordBatch
    try {
      batch = read(from, Math.min(from + MORSEL_ROWS, reader.rowCount))
    } catch (error) {
      const row = error instanceof MillraceError ? (error.details.row ?? from) : from
      if (row > from) yield read(from, row)
      throw error
    }
    yield batch
  }
}

/** The vector, with buffers of its own where it is a view of the user's, who may go on to fill them anew. */
function owned(vector: Vector, input: unknown): Vector {
  const given = isDictionaryInput(input) ? input.codes : input
  const isView = ArrayBuffer.isView(given) && vector.data.buffer === given.buffer
  const bitmap = isDictionaryInput(input) && ArrayBuffer.isView(input.validity) ? input.validity.buffer : null
  const isSharedBitmap = vector.validity !== null && vector.validity.buffer === bitmap
  if (!isView && !isSharedBitmap) return vector
  const { type, length, nullCount, validity, data, dictionary } = vector
  return makeVector(type, length, isView ? data.slice() : data, {
    validity: isSharedBitmap ? (validity as Uint8Array).slice() : validity,
    nullCount,
    dictionary,
  })
}
