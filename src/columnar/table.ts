/**
 * A `Table`: what `collect` resolves to, a list of record batches of at most 65,536 rows, all in memory, never lazy.
 * One chunk of it is record-batch.ts.
 *
 * `flow` and `toArrow` belong to higher floors, which this one cannot import. So `Table` has no such methods here; api adds
 * them, their types by declaration merging and the functions by `setTableMethods`:
 *
 * ```ts
 * declare module '../columnar/table.js' {
 *   interface Table<S extends SchemaShape = any> {
 *     flow(): Flow<S>
 *   }
 * }
 * setTableMethods({ flow: table => flowOf(table) })
 * ```
 */
import { MillraceError, quote } from '../errors.js'
import { Column, chunkOf, rowIndex } from './column.js'
import { type ColumnsOf, columnsObject, type RecordBatch, sliceBounds } from './record-batch.js'
import { type BigIntRowOf, checkRowOptions, type RowOptions, type RowReader, rowReader } from './row.js'
import { fieldsOf, findField } from './schema.js'
import { formatTable } from './to-string.js'
import { type RowOf, type SchemaShape, sameType, typeName } from './type.js'

export class Table<S extends SchemaShape = any> implements Iterable<RowOf<S>> {
  readonly schema: S
  readonly rowCount: number
  /** The chunks, in row order. Their dictionaries may differ. */
  readonly batches: readonly RecordBatch<S>[]
  /** First row of each batch, then `rowCount`. */
  private readonly starts: readonly number[]
  private readonly readers: RowReader<S>[] = []

  /**
   * A table over these very batches.
   * @throws MillraceError `MR_TYPE_MISMATCH` where a batch has other columns than the schema, or weights: a table's
   * rows all count once.
   */
  constructor(schema: S, batches: readonly RecordBatch<S>[]) {
    const starts = [0]
    batches.forEach((batch, b) => {
      checkBatch(schema, batch, b)
      starts.push(starts[b] + batch.rowCount)
    })
    this.schema = schema
    this.batches = batches
    this.starts = starts
    this.rowCount = starts[batches.length]
  }

  /** @throws MillraceError `MR_UNKNOWN_COLUMN` */
  column<K extends keyof S & string>(name: K): Column<S[K]> {
    const f = findField(this.schema, name, 'column')
    return new Column(
      name,
      this.schema[name],
      this.batches.map(batch => batch.vectors[f]),
    )
  }

  /** Row i as an object, from the end where i is negative; `undefined` beyond either end. */
  at(i: number): RowOf<S> | undefined {
    const row = rowIndex(i, this.rowCount)
    if (row < 0) return undefined
    const b = chunkOf(this.starts, row)
    this.readers[b] ??= rowReader(this.schema, this.batches[b].vectors, this.starts[b])
    return this.readers[b](row - this.starts[b])
  }

  *[Symbol.iterator](): Generator<RowOf<S>, undefined> {
    for (let b = 0; b < this.batches.length; b++) {
      const { vectors, rowCount } = this.batches[b]
      const read = rowReader(this.schema, vectors, this.starts[b])
      for (let i = 0; i < rowCount; i++) yield read(i)
    }
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
    const rows = new Array<unknown>(this.rowCount)
    this.batches.forEach(({ vectors, rowCount }, b) => {
      const start = this.starts[b]
      const read = rowReader(this.schema, vectors, start, options)
      for (let i = 0; i < rowCount; i++) rows[start + i] = read(i)
    })
    return rows
  }

  /** Every column as `Column.toArray` gives it: views where it says so. */
  toColumns(): ColumnsOf<S> {
    return columnsObject(this.schema, name => this.column(name).toArray())
  }

  /** Rows `[from, to)`, counted as `Array.slice` counts. Numbers are views of the same memory. */
  slice(from = 0, to = this.rowCount): Table<S> {
    const [start, end] = sliceBounds(from, to, this.rowCount)
    const batches: RecordBatch<S>[] = []
    this.batches.forEach((batch, b) => {
      const first = Math.max(start - this.starts[b], 0)
      const last = Math.min(end - this.starts[b], batch.rowCount)
      if (first < last) batches.push(batch.slice(first, last))
    })
    return new Table(this.schema, batches)
  }

  /** A readable table; it never throws. */
  toString(): string {
    return formatTable(this.schema, this.batches)
  }
}

/** Gives every table the methods of higher floors; called by the api floor, see above. */
export function setTableMethods(methods: Readonly<Record<string, (table: Table, argument: never) => unknown>>): void {
  for (const [name, method] of Object.entries(methods)) {
    Object.defineProperty(Table.prototype, name, {
      value: function (this: Table, argument: unknown) {
        return method(this, argument as never)
      },
      writable: true,
      configurable: true,
    })
  }
}

function checkBatch(schema: SchemaShape, batch: RecordBatch, b: number): void {
  if (batch.weights !== null) {
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `table: batch ${b} carries weights; fold it to rows that count once first`,
    )
  }
  if (batch.schema === schema) return
  const expected = fieldsOf(schema)
  const actual = fieldsOf(batch.schema)
  expected.forEach(({ name, type }, f) => {
    const other = actual[f]
    const fits = other?.name === name && sameType(other.type, type) && (type.nullable || !other.type.nullable)
    if (fits) return
    const found = other === undefined ? 'no such column' : `${quote(other.name)}: ${typeName(other.type)}`
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `table: batch ${b} has ${found} where the schema says ${quote(name)}: ${typeName(type)}`,
      { column: name },
    )
  })
  if (actual.length > expected.length) {
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `table: batch ${b} has ${actual.length} columns where the schema has ${expected.length}`,
    )
  }
}
