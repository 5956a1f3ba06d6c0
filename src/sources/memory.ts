/**
 * Rows that are in the calling thread: columns, row objects and tables. They are cut into runs of whole morsels, large enough that a message is cheap
 * and small enough that lanes share the work evenly; values are converted when a run is handed out, while lanes work on those before it.
 */
import { concatVectors } from '../columnar/concat.js'
import type { InputReader } from '../columnar/input.js'
import { MORSEL_ROWS, RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import type { Table } from '../columnar/table.js'
import type { SchemaShape } from '../columnar/type.js'
import type { Source, Split } from './source.js'

/** Rows to a split: two morsels, 4 MB of four float64 columns. */
const SPLIT_ROWS = 2 * MORSEL_ROWS

/** A source over input that `open` looks at anew for each job: its columns are checked then, its values as they are read. */
export function inputSource(label: string, schema: SchemaShape, open: () => InputReader): Source {
  return {
    label,
    schema,
    rowCount: null,
    describe: async () => schema,
    async open({ columns }) {
      const input = open()
      const splits: Split[] = []
      for (let firstRow = 0; firstRow < input.rowCount; firstRow += SPLIT_ROWS) {
        const end = Math.min(firstRow + SPLIT_ROWS, input.rowCount)
        const byteLength = (end - firstRow) * rowBytes(input.schema, columns)
        splits.push({
          firstRow,
          rowCount: end - firstRow,
          byteLength,
          work: { kind: 'batches', batches: () => readMorsels(input, firstRow, end, columns) },
        })
      }
      return { splits }
    },
  }
}

function readMorsels(input: InputReader, from: number, to: number, columns: readonly string[]): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (let row = from; row < to; row += MORSEL_ROWS)
    batches.push(input.read(row, Math.min(row + MORSEL_ROWS, to), columns))
  return batches
}

/** A source over a table's own batches. */
export function tableSource(table: Table): Source {
  return {
    label: 'table',
    schema: table.schema,
    rowCount: table.rowCount,
    describe: async () => table.schema,
    open: async ({ columns }) => ({ splits: splitBatches(table.batches, columns) }),
  }
}

function splitBatches(batches: readonly RecordBatch[], columns: readonly string[]): Split[] {
  const splits: Split[] = []
  let firstRow = 0
  for (let from = 0; from < batches.length; ) {
    let to = from
    let rowCount = 0
    while (to < batches.length && (to === from || rowCount + batches[to].rowCount <= SPLIT_ROWS))
      rowCount += batches[to++].rowCount
    const part = batches.slice(from, to)
    const byteLength = rowCount * rowBytes(part[0].schema, columns)
    const work = { kind: 'batches', batches: () => coalesce(part.map(batch => projectBatch(batch, columns))) } as const
    if (rowCount > 0) splits.push({ firstRow, rowCount, byteLength, work })
    firstRow += rowCount
    from = to
  }
  return splits
}

/** Runs of small batches as one: what follows costs some microseconds a batch, however few its rows. Strings of several dictionaries get one. */
function coalesce(batches: readonly RecordBatch[]): RecordBatch[] {
  const joined: RecordBatch[] = []
  for (let from = 0; from < batches.length; ) {
    let to = from
    let rowCount = 0
    while (to < batches.length && (to === from || rowCount + batches[to].rowCount <= MORSEL_ROWS))
      rowCount += batches[to++].rowCount
    const run = batches.slice(from, to)
    const vectors = run[0].vectors.map((_, i) => concatVectors(run.map(batch => batch.vectors[i])))
    joined.push(run.length === 1 ? run[0] : new RecordBatch(run[0].schema, vectors, rowCount))
    from = to
  }
  return joined
}

/** The same rows with only `columns`; no copy. Columns come in the order that a schema of them has. */
function projectBatch(batch: RecordBatch, columns: readonly string[]): RecordBatch {
  const fields = fieldsOf(batch.schema)
  const schema = schemaOf(fields.filter(({ name }) => columns.includes(name)))
  const vectors = fieldsOf(schema).map(({ name }) => batch.vectors[fields.findIndex(field => field.name === name)])
  return new RecordBatch(schema, vectors, batch.rowCount)
}

/** Bytes of a row's values in these columns, a string counted as its code; for progress. */
function rowBytes(schema: SchemaShape, columns: readonly string[]): number {
  return columns.reduce((sum, name) => sum + (/64|timestamp/.test(schema[name].kind) ? 8 : 4), 0)
}
