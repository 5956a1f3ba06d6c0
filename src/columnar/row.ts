/**
 * Rows as ordinary objects, made from the vectors of one batch. Whole tables of them are `toRows` of record-batch.ts
 * and table.ts.
 */
import { MillraceError, quote } from '../errors.js'
import { fieldsOf } from './schema.js'
import type { DataType, RowOf, SchemaShape, ValueOf } from './type.js'
import { readerOf } from './values.js'
import type { Vector } from './vector.js'

export interface RowOptions {
  /** bigint for int64 and for timestamps (in their unit); then no value is refused. */
  readonly bigint?: boolean
}

type BigIntValueOf<T extends DataType> = T['kind'] extends 'int64' | 'timestamp'
  ? bigint | NullOf<T>
  : T extends { readonly kind: 'list'; readonly item: infer I extends DataType }
    ? BigIntValueOf<I>[] | NullOf<T>
    : ValueOf<T>

type NullOf<T extends DataType> = T['nullable'] extends false ? never : null

/** The row of a schema under `{ bigint: true }`. */
export type BigIntRowOf<S extends SchemaShape> = { -readonly [K in keyof S]: BigIntValueOf<S[K]> }

/** @throws MillraceError `MR_INVALID_OPTION` for any other. */
export function checkRowOptions(options: RowOptions): void {
  const isObject = typeof options === 'object' && options !== null
  const other = isObject ? Object.keys(options).find(name => name !== 'bigint') : undefined
  if (isObject && other === undefined && typeof (options.bigint ?? false) === 'boolean') return
  const wrong = other === undefined ? '' : `there is no option ${quote(other)}; `
  throw new MillraceError('MR_INVALID_OPTION', `toRows: ${wrong}options are { bigint: true } or { bigint: false }`, {
    operator: 'toRows',
  })
}

/** Row i of the batch it was made for, as a new object whose own properties are the columns, in schema order. */
export type RowReader<S extends SchemaShape> = (i: number) => RowOf<S>

/** Reads rows of `vectors`, which lie as `schema` says and begin at row `firstRow` of their table. */
export function rowReader<S extends SchemaShape>(
  schema: S,
  vectors: readonly Vector[],
  firstRow: number,
  options: RowOptions = {},
): RowReader<S> {
  const fields = fieldsOf(schema)
  const names = fields.map(field => field.name)
  const readers = vectors.map((vector, v) => readerOf(vector, { column: names[v], firstRow }, options.bigint))
  const template = rowTemplate(names)
  return i => {
    // A spread defines, and what is then assigned exists already: so `__proto__` is a name like any other, and it
    // costs no more than plain assignment (48 ns a value; defining each one, 220).
    const row: Record<string, unknown> = { ...template }
    for (let v = 0; v < readers.length; v++) row[names[v]] = readers[v](i)
    return row as RowOf<S>
  }
}

function rowTemplate(names: readonly string[]): object {
  const template = {}
  for (const name of names) {
    Object.defineProperty(template, name, { value: null, writable: true, enumerable: true, configurable: true })
  }
  return template
}
