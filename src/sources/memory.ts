/**
 * Rows that are already in the calling thread: columns, row objects and tables. Split into runs of whole morsels, large enough
 * that a message is cheap and small enough that lanes share the work evenly.
 */
import { MORSEL_ROWS, type RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import type { SchemaShape } from '../columnar/type.js'
import type { OpenSource, Source, Split } from './source.js'

/** Rows to a split: four morsels, 8 MB of four float64 columns. */
const SPLIT_ROWS = 4 * MORSEL_ROWS

/**
 * A source over batches that `read` makes when a job opens it, so that inputs are read when a terminal runs and not before.
 * `schema` and `rowCount` are null where only reading can tell.
 */
export function memorySource(
  label: string,
  schema: SchemaShape | null,
  rowCount: number | null,
  read: () => readonly RecordBatch[],
): Source {
  let described: readonly RecordBatch[] | null = null
  return {
    label,
    schema,
    rowCount,
    async describe() {
      if (schema !== null) return schema
      described = read()
      return (described[0] as RecordBatch).schema
    },
    async open({ columns }): Promise<OpenSource> {
      const batches = described ?? read()
      described = null
      return { splits: splitBatches(batches, columns) }
    },
  }
}

function splitBatches(batches: readonly RecordBatch[], columns: readonly string[]): Split[] {
  const splits: Split[] = []
  let firstRow = 0
  let from = 0
  while (from < batches.length) {
    let to = from
    let rowCount = 0
    while (to < batches.length && (to === from || rowCount + (batches[to] as RecordBatch).rowCount <= SPLIT_ROWS)) {
      rowCount += (batches[to] as RecordBatch).rowCount
      to++
    }
    const part = batches.slice(from, to)
    if (rowCount > 0) {
      const needed = () => part.map(batch => projectBatch(batch, columns))
      splits.push({
        firstRow,
        rowCount,
        byteLength: byteLengthOf(part, columns),
        work: { kind: 'batches', batches: needed },
      })
    }
    firstRow += rowCount
    from = to
  }
  return splits
}

/** The same rows with only `columns`, in that order; no copy. */
function projectBatch(batch: RecordBatch, columns: readonly string[]): RecordBatch {
  const fields = fieldsOf(batch.schema)
  const positions = columns.map(name => fields.findIndex(field => field.name === name))
  const make = batch.constructor as typeof RecordBatch
  return new make(
    schemaOf(positions.map(position => fields[position] as (typeof fields)[number])),
    positions.map(position => batch.vectors[position] as (typeof batch.vectors)[number]),
    batch.rowCount,
  )
}

function byteLengthOf(batches: readonly RecordBatch[], columns: readonly string[]): number {
  const wanted = new Set(columns)
  let byteLength = 0
  for (const batch of batches) {
    for (const [i, { name }] of fieldsOf(batch.schema).entries()) {
      if (!wanted.has(name)) continue
      const vector = batch.vectors[i] as RecordBatch['vectors'][number]
      byteLength += vector.data.byteLength + (vector.validity?.byteLength ?? 0) + (vector.offsets?.byteLength ?? 0)
    }
  }
  return byteLength
}
