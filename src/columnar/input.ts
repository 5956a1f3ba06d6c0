/**
 * `columns()` and `rows()` input as record batches, with a schema or with the one that infer.ts finds. Typed arrays
 * become views (typed-input.ts), everything else is copied (builder.ts, dictionary-input.ts).
 */
import { MillraceError, quote, unknownColumn } from '../errors.js'
import { createBuilder, type VectorBuilder } from './builder.js'
import { isDictionaryInput, openDictionary } from './dictionary-input.js'
import { show } from './encode.js'
import {
  type ColumnInput,
  type ColumnsInput,
  earliestError,
  inferColumns,
  inferRows,
  isRow,
  notAColumn,
  notARow,
  objectsUntil,
  valueGetter,
} from './infer.js'
import { MORSEL_ROWS, RecordBatch } from './record-batch.js'
import { type Field, fieldsOf, findField, schemaOf } from './schema.js'
import { leafType, type SchemaShape, typeName } from './type.js'
import { openTypedArray, type TypedArray, typeOfArray } from './typed-input.js'
import type { Vector } from './vector.js'

/**
 * Input opened for reading. It holds on to the user's arrays and reads them when asked to; it never changes or detaches
 * them.
 */
export interface InputReader<S extends SchemaShape = SchemaShape> {
  readonly schema: S
  readonly rowCount: number
  /**
   * Rows `[from, to)` of the columns `names` (default all, in schema order). Of several rows that cannot be read the
   * least is reported.
   * @throws MillraceError `MR_TYPE_MISMATCH`, `MR_INEXACT_VALUE`, `MR_INTEGER_OVERFLOW`, `MR_UNSAFE_INTEGER`,
   * `MR_INVALID_CODE`, each with row and column.
   */
  read(from: number, to: number, names?: readonly string[]): RecordBatch
}

/** @throws MillraceError `MR_TYPE_MISMATCH` for what is no object of columns at all */
export function checkColumns(data: unknown): void {
  if (!isRow(data) || ArrayBuffer.isView(data))
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `columns takes an object of names to arrays, as in columns({ price: [1, 2] }), not ${show(data)}`,
      { operator: 'columns' },
    )
}

/** @throws MillraceError `MR_TYPE_MISMATCH` for what is no array at all */
export function checkRows(rows: unknown): void {
  if (!Array.isArray(rows))
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `rows takes an array of objects, as in rows([{ price: 1 }]), not ${show(rows)}`,
      { operator: 'rows' },
    )
}

/**
 * Columns of equal length. With a schema its columns are read, others are left aside, and values are converted where
 * that is exact.
 * @throws MillraceError `MR_COLUMN_LENGTH` where they are ragged, `MR_UNKNOWN_COLUMN` where the schema names one that
 * is not there, `MR_SOURCE_CONSUMED` where one has been transferred, `MR_TYPE_MISMATCH`
 */
export function openColumns<S extends SchemaShape = SchemaShape>(data: ColumnsInput, schema?: S): InputReader<S> {
  checkColumns(data)
  const shape = schema === undefined ? inferColumns(data) : declared(schema, 'columns')
  const fields = fieldsOf(shape)
  let rowCount = 0
  fields.forEach(({ name }, f) => {
    if (!Object.hasOwn(data, name)) throw unknownColumn(name, Object.keys(data), 'columns')
    const length = lengthOf(data[name], name)
    if (f === 0) rowCount = length
    if (length === rowCount) return
    throw new MillraceError(
      'MR_COLUMN_LENGTH',
      `columns: column ${quote(name)} has ${length} rows where column ${quote(fields[0].name)} has ${rowCount}; all need equally many`,
      { operator: 'columns', column: name },
    )
  })
  const readers = new Map<string, ColumnReader>()
  return {
    schema: shape as S,
    rowCount,
    read(from, to, wanted = fields.map(field => field.name)) {
      const part = partOf(shape, wanted)
      const vectors = earliestError(fieldsOf(part), field => {
        const read = readers.get(field.name) ?? openColumn(data[field.name], field)
        readers.set(field.name, read)
        return read(from, to)
      })
      return new RecordBatch(part, vectors, to - from)
    },
  }
}

/**
 * Rows given as objects. With a schema its names are read of each row, others are left aside; a name that a row lacks
 * is null there.
 * @throws MillraceError `MR_TYPE_MISMATCH`
 */
export function openRows<S extends SchemaShape = SchemaShape>(rows: readonly object[], schema?: S): InputReader<S> {
  checkRows(rows)
  const shape = schema === undefined ? inferRows(rows) : declared(schema, 'rows')
  const names = Object.keys(shape)
  const builders = new Map<string, VectorBuilder>()
  return {
    schema: shape as S,
    rowCount: rows.length,
    read(from, to, wanted = names) {
      const part = partOf(shape, wanted)
      const end = objectsUntil(rows, from, to)
      const vectors = earliestError(fieldsOf(part), ({ name, type }) => {
        const builder = builders.get(name) ?? createBuilder(type, name, { operator: 'rows', capacity: to - from })
        builders.set(name, builder)
        const value = valueGetter(name)
        return finished(builder, () => {
          for (let i = from; i < end; i++) builder.append(value(rows[i]), i)
        })
      })
      if (end < to) throw notARow(rows, end)
      return new RecordBatch(part, vectors, to - from)
    },
  }
}

/**
 * The batches of `columns(data, schema)`, each of at most 65,536 rows; one without rows where there are none, since a
 * batch carries the schema.
 */
export const batchesFromColumns = <S extends SchemaShape = SchemaShape>(
  data: ColumnsInput,
  schema?: S,
): RecordBatch<S>[] => readAll(openColumns(data, schema))

/** The batches of `rows(array, schema)`, likewise. */
export const batchesFromRows = <S extends SchemaShape = SchemaShape>(
  rows: readonly object[],
  schema?: S,
): RecordBatch<S>[] => readAll(openRows(rows, schema))

function readAll<S extends SchemaShape>(input: InputReader<S>): RecordBatch<S>[] {
  const batches: RecordBatch<S>[] = []
  for (let from = 0; from === 0 || from < input.rowCount; from += MORSEL_ROWS) {
    batches.push(input.read(from, Math.min(from + MORSEL_ROWS, input.rowCount)) as RecordBatch<S>)
  }
  return batches
}

/** Reads rows `[from, to)` of one column. */
type ColumnReader = (from: number, to: number) => Vector

function openColumn(input: ColumnInput, { name, type }: Field): ColumnReader {
  if (isDictionaryInput(input)) {
    if (type.kind !== 'utf8') {
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `columns: column ${quote(name)} is a dictionary of strings, declared ${typeName(type)}; declare utf8`,
        {
          operator: 'columns',
          column: name,
        },
      )
    }
    return openDictionary(input, type, 'columns', name)
  }
  if (typeOfArray(input) !== null) return openTypedArray(input as TypedArray, type, 'columns', name)
  const values = input as readonly unknown[]
  const builder = createBuilder(type, name, { operator: 'columns', capacity: Math.min(values.length, MORSEL_ROWS) })
  return (from, to) => finished(builder, () => builder.appendAll(values, from, to))
}

/**
 * What `append` appends, as a vector. A failed read leaves nothing behind in the builder, so that the next one can
 * begin.
 */
function finished(builder: VectorBuilder, append: () => void): Vector {
  try {
    append()
  } catch (error) {
    builder.finish()
    throw error
  }
  return builder.finish()
}

function lengthOf(input: ColumnInput, name: string): number {
  if (isDictionaryInput(input)) return input.codes.length
  if (typeOfArray(input) === null && !Array.isArray(input)) throw notAColumn(input, name)
  const { length } = input as readonly unknown[]
  if (length === 0 && ArrayBuffer.isView(input)) checkThere(input, name)
  return length
}

/** An array that was transferred has no rows, and would be taken for one that never had any. */
function checkThere({ buffer }: ArrayBufferView, name: string): void {
  try {
    new Uint8Array(buffer)
  } catch (error) {
    throw new MillraceError(
      'MR_SOURCE_CONSUMED',
      `columns: the array of column ${quote(name)} has been transferred to another thread, and nothing of it is left; give a copy to one of them`,
      { operator: 'columns', column: name },
      error,
    )
  }
}

/** The part of a schema that is wanted: itself where that is all of it. */
function partOf(shape: SchemaShape, names: readonly string[]): SchemaShape {
  const fields = fieldsOf(shape)
  if (names.length === fields.length && fields.every((field, f) => field.name === names[f])) return shape
  return schemaOf(names.map(name => fields[findField(shape, name, 'read')]))
}

/** @throws MillraceError `MR_TYPE_MISMATCH` for a type that cannot be read. */
function declared<S extends SchemaShape>(schema: S, operator: string): S {
  for (const { name, type } of fieldsOf(schemaOf(fieldsOf(schema)))) {
    if (leafType(type).kind !== 'struct') continue
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `${operator}: column ${quote(name)} is declared ${typeName(type)}; structs are reserved, this version has no operator for them`,
      {
        operator,
        column: name,
      },
    )
  }
  return schema
}
