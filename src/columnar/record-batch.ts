/**
 * A `RecordBatch`: a schema, one vector per field, and perhaps weights. Data moves in these; a `Table` (table.ts) is a
 * list of them.
 */
import { MillraceError } from '../errors.js'
import { type ArrayOf, Column, rowIndex } from './column.js'
import { type BigIntRowOf, checkRowOptions, type RowOptions, type RowReader, rowReader } from './row.js'
import { fieldsOf, findField } from './schema.js'
import { formatTable } from './to-string.js'
import type { RowOf, SchemaShape } from './type.js'
import { checkVector, MORSEL_ROWS, sliceVector, type Vector } from './vector.js'

export { MORSEL_ROWS } from './vector.js'

/**
 * Rows of a morsel, and the most rows that a chunk of a table has. A multiple of 8, so that whole chunks slice without
 * copying.
 */

/** Every column of a schema as `toArray()` gives it. */
export type ColumnsOf<S extends SchemaShape> = { -readonly [K in keyof S]: ArrayOf<S[K]> }

export class RecordBatch<S extends SchemaShape = SchemaShape> implements Iterable<RowOf<S>> {
  readonly schema: S
  readonly rowCount: number
  /** One per field, in schema order. */
  readonly vectors: readonly Vector[]
  /** +1 where a row is added, -1 where one is taken back; null where all are +1. Not a column. */
  readonly weights: Int32Array | null
  private readRow: RowReader<S> | null = null

  /**
   * A batch over these very buffers. Vectors and weights have `rowCount` rows and the types of the schema.
   * @throws MillraceError `MR_COLUMN_LENGTH` or `MR_TYPE_MISMATCH` where they do not.
   */
  constructor(schema: S, vectors: readonly Vector[], rowCount: number, weights: Int32Array | null = null) {
    const fields = fieldsOf(schema)
    if (vectors.length !== fields.length) {
      throw new MillraceError(
        'MR_COLUMN_LENGTH',
        `record batch: ${vectors.length} vectors for ${fields.length} columns`,
      )
    }
    fields.forEach((field, f) => {
      checkVector(vectors[f], field.name, field.type, rowCount)
    })
    if (weights !== null && weights.length !== rowCount) {
      throw new MillraceError('MR_COLUMN_LENGTH', `record batch: ${weights.length} weights for ${rowCount} rows`)
    }
    this.schema = schema
    this.vectors = vectors
    this.rowCount = rowCount
    this.weights = weights
  }

  /** @throws MillraceError `MR_UNKNOWN_COLUMN` */
  column<K extends keyof S & string>(name: K): Column<S[K]> {
    return new Column(name, this.schema[name], [this.vectors[findField(this.schema, name, 'column')]])
  }

  /** Row i as an object, from the end where i is negative; `undefined` beyond either end. */
  at(i: number): RowOf<S> | undefined {
    const row = rowIndex(i, this.rowCount)
    if (row < 0) return undefined
    this.readRow ??= rowReader(this.schema, this.vectors, 0)
    return this.readRow(row)
  }

  *[Symbol.iterator](): Generator<RowOf<S>, undefined> {
    const read = rowReader(this.schema, this.vectors, 0)
    for (let i = 0; i < this.rowCount; i++) yield read(i)
  }

  /**
   * All rows as objects with own properties.
   * @throws MillraceError `MR_UNSAFE_INTEGER`, `MR_INEXACT_VALUE`; neither with `{ bigint: true }`. `MR_INVALID_OPTION`.
   */
  toRows(options: { readonly bigint: true }): BigIntRowOf<S>[]
  toRows(options?: { readonly bigint?: false }): RowOf<S>[]
  toRows(options: RowOptions): RowOf<S>[] | BigIntRowOf<S>[]
  toRows(options: RowOptions = {}): unknown[] {
    checkRowOptions(options)
    const read = rowReader(this.schema, this.vectors, 0, options)
    const rows = new Array<unknown>(this.rowCount)
    for (let i = 0; i < rows.length; i++) rows[i] = read(i)
    return rows
  }

  /** Every column as `Column.toArray` gives it: views where it says so. */
  toColumns(): ColumnsOf<S> {
    return columnsObject(this.schema, name => this.column(name).toArray())
  }

  /** Rows `[from, to)`, counted as `Array.slice` counts. Numbers are views of the same memory. */
  slice(from = 0, to = this.rowCount): RecordBatch<S> {
    const [start, end] = sliceBounds(from, to, this.rowCount)
    const vectors = this.vectors.map(vector => sliceVector(vector, start, end))
    return new RecordBatch(this.schema, vectors, end - start, this.weights?.subarray(start, end) ?? null)
  }

  /** A readable table; it never throws. */
  toString(): string {
    return formatTable(this.schema, [this])
  }
}

/** Cut to morsels, without a copy, where it is larger than one. */
export function morselsOf(batch: RecordBatch): RecordBatch[] {
  if (batch.rowCount <= MORSEL_ROWS) return batch.rowCount === 0 ? [] : [batch]
  const morsels: RecordBatch[] = []
  for (let row = 0; row < batch.rowCount; row += MORSEL_ROWS) morsels.push(batch.slice(row, row + MORSEL_ROWS))
  return morsels
}

/** An object with one own property per column, whatever the names. */
export function columnsObject<S extends SchemaShape>(
  schema: S,
  arrayOf: (name: keyof S & string) => unknown,
): ColumnsOf<S> {
  const columns = {}
  for (const { name } of fieldsOf(schema)) {
    Object.defineProperty(columns, name, { value: arrayOf(name), writable: true, enumerable: true, configurable: true })
  }
  return columns as ColumnsOf<S>
}

/** What `Array.slice` makes of its arguments: `0 <= start <= end <= length`. */
export function sliceBounds(from: number, to: number, length: number): [start: number, end: number] {
  const clamp = (i: number) => Math.min(Math.max(i < 0 ? i + length : i, 0), length)
  const start = clamp(Math.trunc(from) || 0)
  return [start, Math.max(start, clamp(Math.trunc(to) || 0))]
}
