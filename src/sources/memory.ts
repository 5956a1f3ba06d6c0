/**
 * Rows that are in the calling thread: columns, row objects and tables. They are cut into runs of whole morsels, large enough that a message is cheap
 * and small enough that lanes share the work evenly; values are converted when a run is handed out, while lanes work on those before it.
 */
import { concatVectors } from '../columnar/concat.js'
import type { InputReader } from '../columnar/input.js'
import { MORSEL_ROWS, morselsOf, RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import type { Table } from '../columnar/table.js'
import type { SchemaShape } from '../columnar/type.js'
import type { Source, Split, SplitWork } from './source.js'

/** Rows to a split: two morsels, 4 MB of four float64 columns; four where that makes many splits nevertheless. */
const splitRows = (rowCount: number) => (rowCount < 64 * MORSEL_ROWS ? 2 : 4) * MORSEL_ROWS

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
      const most = splitRows(input.rowCount)
      for (let firstRow = 0; firstRow < input.rowCount; firstRow += most) {
        const end = Math.min(firstRow + most, input.rowCount)
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
    open: async ({ columns }) => ({ splits: splitBatches(table, columns) }),
  }
}

function splitBatches({ schema, batches, rowCount: total }: Table, columns: readonly string[]): Split[] {
  const fields = fieldsOf(schema)
  const projected = schemaOf(fields.filter(({ name }) => columns.includes(name)))
  const positions = fieldsOf(projected).map(({ name }) => fields.findIndex(field => field.name === name))
  const bytes = rowBytes(schema, columns)
  const splits: Split[] = []
  let firstRow = 0
  for (const { part, rowCount } of runsOf(batches.flatMap(morselsOf), splitRows(total))) {
    const work = { kind: 'batches', batches: () => coalesce(part, projected, positions) } as const
    splits.push({ firstRow, rowCount, byteLength: rowCount * bytes, work })
    firstRow += rowCount
  }
  return splits
}

/**
 * The columns at `positions`, runs of small batches as one: what follows costs some microseconds a batch, however few its rows. Strings of
 * several dictionaries get one; a batch that stays alone is not copied.
 */
export function coalesce(
  batches: readonly RecordBatch[],
  schema: SchemaShape,
  positions: readonly number[],
): RecordBatch[] {
  return Array.from(runsOf(batches, MORSEL_ROWS), ({ part, rowCount }) => {
    const vectors = positions.map(i => concatVectors(part.map(batch => batch.vectors[i])))
    return new RecordBatch(schema, vectors, rowCount)
  })
}

/** Batches of as many rows cost no more one by one than to be put end to end. */
const LARGE_ROWS = 4096

/** The same as work, done once it is asked for, where they are small. */
export function coalescedWork(
  batches: readonly RecordBatch[],
  schema: SchemaShape,
  positions: readonly number[],
): SplitWork & { kind: 'batches' } {
  let made: readonly RecordBatch[] | null = null
  const isWhole = positions.every((position, i) => position === i && batches[0]?.vectors.length === positions.length)
  return {
    kind: 'batches',
    batches: () => {
      if (made !== null) return made
      const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0)
      const runs = rowCount < LARGE_ROWS * batches.length ? [batches] : batches.map(batch => [batch])
      made = runs.flatMap(run => coalesce(run, schema, positions))
      return made
    },
    ...(isWhole && { parts: batches }),
  }
}

/** Neighbours together as long as they have no more than `most` rows. */
function* runsOf(batches: readonly RecordBatch[], most: number): Iterable<{ part: RecordBatch[]; rowCount: number }> {
  let part: RecordBatch[] = []
  let rowCount = 0
  for (const batch of batches) {
    if (part.length > 0 && rowCount + batch.rowCount > most) {
      yield { part, rowCount }
      part = []
      rowCount = 0
    }
    part.push(batch)
    rowCount += batch.rowCount
  }
  if (part.length > 0) yield { part, rowCount }
}

/** Bytes of a row's values in these columns, a string counted as its code; for progress. */
function rowBytes(schema: SchemaShape, columns: readonly string[]): number {
  return columns.reduce((sum, name) => sum + (/64|timestamp/.test(schema[name].kind) ? 8 : 4), 0)
}
