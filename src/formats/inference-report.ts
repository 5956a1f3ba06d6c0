/** What was inferred of a file from a sample of it, and why: plain data that prints as a small table. */
import { layOut, shorten } from '../columnar/to-string.js'

export interface InferredColumn {
  readonly name: string
  /** As it would be declared: `nullable(int64)`. */
  readonly type: string
  /** Of the sampled rows, those that have a value here. */
  readonly values: number
  readonly nulls: number
  /** What decided: `3.5 in row 17 makes it float64`. Rows are counted from 0, the first row of data. */
  readonly reason: string
}

/**
 * What `csv`, `ndjson` and `json` inferred.
 *
 * ```
 * column    type               values  nulls  why
 * --------  -----------------  ------  -----  ---------------------------------------
 * iata      nullable(utf8)       3376      0  all like "00M" (row 0)
 * latitude  nullable(float64)    3376      0  all like 31.95376472 (row 0)
 * from 3376 rows, 210365 bytes; delimiter ",", a header
 * ```
 */
export interface InferenceReport {
  readonly columns: readonly InferredColumn[]
  /** Rows of the sample that were looked at. */
  readonly rows: number
  /** Length of the sample. */
  readonly bytes: number
  /** Of CSV. */
  readonly delimiter?: string
  /** Of CSV: whether the names are the file's. */
  readonly header?: boolean
  /** Of JSON. */
  readonly layout?: 'lines' | 'array'
  toString(): string
}

export function createReport(found: Omit<InferenceReport, 'toString'>): InferenceReport {
  return { ...found, toString: () => print(found) }
}

function print({ columns, rows, bytes, delimiter, header, layout }: Omit<InferenceReport, 'toString'>): string {
  const column = (title: string, cell: (column: InferredColumn) => string, alignRight = false) => ({
    alignRight,
    cells: [title, null, ...columns.map(cell)],
  })
  const lines = layOut([
    column('column', ({ name }) => shorten(name)),
    column('type', ({ type }) => type),
    column('values', ({ values }) => String(values), true),
    column('nulls', ({ nulls }) => String(nulls), true),
    column('why', ({ reason }) => reason),
  ])
  const how = [
    ...(delimiter === undefined ? [] : [`delimiter ${JSON.stringify(delimiter)}`]),
    ...(header === undefined ? [] : [header ? 'a header' : 'no header']),
    ...(layout === undefined ? [] : [layout === 'lines' ? 'a record a line' : 'an array of records']),
  ]
  return [...lines, `from ${rows} rows, ${bytes} bytes; ${how.join(', ')}`].join('\n')
}
