/**
 * Where flows begin: functions that take rows or files and give a `Flow`. What a source is to the engine is sources/source.ts.
 */
import { type Codes, type DictionaryOptions, dictionary as dictionaryInput } from '../columnar/dictionary-input.js'
import { type ColumnsInput, inferColumns, inferRows } from '../columnar/infer.js'
import { openColumns, openRows } from '../columnar/input.js'
import type { Nullable, SchemaShape, Utf8 } from '../columnar/type.js'
import { quote } from '../errors.js'
import type { Input } from '../formats/input.js'
import { inputSource } from '../sources/memory.js'
import { parquetSource } from '../sources/parquet.js'
import { type Flow, flowOf } from './flow.js'
import { invalid, mismatch, show } from './refusal.js'
import type { DictionaryOf, TypeOfCells, TypeOfInput } from './types.js'

/**
 * A flow over columns: typed arrays, ordinary arrays and `dictionary()`, all of one length. Without a schema types are inferred: typed arrays
 * as they are, number as float64, bigint as int64, `Date` as timestamp('ms'), string as utf8, boolean as bool, array as a list of what it holds;
 * with one, its columns are read and converted where that is exact. Inputs are read again by each terminal, and never changed or detached.
 *
 * ```ts
 * columns({ city: ['Rome', 'Oslo'], degrees: Float64Array.of(31, 17) })
 * ```
 * @throws MillraceError `MR_TYPE_MISMATCH` where no type can be inferred; the terminal also `MR_COLUMN_LENGTH` and what conversion calls for.
 */
export function columns<const S extends SchemaShape>(data: ColumnsInput, schema: S): Flow<S>
export function columns<D extends ColumnsInput>(data: D): Flow<{ readonly [K in keyof D]: TypeOfInput<D[K]> }>
export function columns(data: ColumnsInput, schema?: SchemaShape): Flow<SchemaShape> {
  if (typeof data !== 'object' || data === null || Array.isArray(data) || ArrayBuffer.isView(data)) {
    throw mismatch(
      'columns',
      `columns takes an object of names to arrays, as in columns({ price: [1, 2] }), not ${show(data)}`,
    )
  }
  const shape = schema ?? inferColumns(data)
  return flowOf(inputSource('columns', shape, () => openColumns(data, shape)))
}

/**
 * A flow over row objects; types are inferred as by `columns`, and a property that a row lacks is null.
 *
 * ```ts
 * rows([{ city: 'Rome', degrees: 31 }, { city: 'Oslo', degrees: 17 }])
 * ```
 * @throws MillraceError `MR_TYPE_MISMATCH` where no type can be inferred; the terminal what conversion calls for.
 */
export function rows<const S extends SchemaShape>(data: readonly object[], schema: S): Flow<S>
export function rows<R extends object>(data: readonly R[]): Flow<{ readonly [K in keyof R]-?: TypeOfCells<R[K]> }>
export function rows(data: readonly object[], schema?: SchemaShape): Flow<SchemaShape> {
  if (!Array.isArray(data))
    throw mismatch('rows', `rows takes an array of objects, as in rows([{ price: 1 }]), not ${show(data)}`)
  const shape = schema ?? inferRows(data)
  return flowOf(inputSource('rows', shape, () => openRows(data, shape)))
}

export interface ParquetOptions<S extends SchemaShape = SchemaShape> {
  /** The columns to read, as the file has them. With it the flow is typed, and verbs are checked at once. */
  readonly schema?: S
}

/**
 * A flow over Parquet files: a path or a pattern of paths (Node), a URL, a `File` or `Blob`, a `Response`, bytes, a stream, or an array of these, read one
 * after another; those that a pattern such as `2024/*.parquet` matches, in the order of their paths. What a server fails at for a while is asked again.
 * Lanes open the input themselves, each a few row groups at a time, and decode only the columns that the flow reads. Without a
 * schema the columns are known once the file is opened, so a misspelt one is refused by the terminal.
 *
 * ```ts
 * await parquet('flights.parquet').groupBy('origin').aggregate(t => ({ flights: count(), delay: mean(t.delay) })).collect()
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`; the terminal `MR_FORMAT_ERROR` for what is no Parquet file, `MR_TYPE_MISMATCH` where a file has another type,
 *   `MR_SOURCE_FAILED` where a server or a disk fails
 */
export function parquet<const S extends SchemaShape>(
  input: Input | readonly Input[],
  options: ParquetOptions<S> & { readonly schema: S },
): Flow<S>
export function parquet(input: Input | readonly Input[], options?: ParquetOptions): Flow<any>
export function parquet(input: Input | readonly Input[], options: ParquetOptions = {}): Flow<any> {
  const inputs = Array.isArray(input) ? (input as readonly Input[]) : [input as Input]
  if (inputs.length === 0) throw invalid('parquet', 'an array of inputs has at least one')
  for (const each of inputs) {
    if ((typeof each !== 'object' && typeof each !== 'string') || each === null) {
      throw invalid(
        'parquet',
        `an input is a path, a URL, a File or Blob, a Response, a stream or bytes, not ${show(each)}`,
      )
    }
  }
  if (typeof options !== 'object' || options === null)
    throw invalid('parquet', `options are an object such as { schema }, not ${show(options)}`)
  for (const option of Object.keys(options)) {
    if (option !== 'schema') throw invalid('parquet', `there is no option ${quote(option)}; there is schema`)
  }
  return flowOf(parquetSource(inputs, options.schema ?? null))
}

/** Codes that cannot hold a null. */
type FullCodes = Exclude<Codes, readonly (number | null | undefined)[]> | readonly number[]

/**
 * A string column as codes into distinct values, an input of `columns`. Both are read when a terminal runs, and a code outside `values`
 * is then `MR_INVALID_CODE`. Equal values are one key. With `validity`, or nulls among the codes, the column is nullable.
 *
 * ```ts
 * columns({ origin: dictionary(Uint16Array.of(0, 1, 0), ['ATL', 'ORD']) })   // ATL, ORD, ATL
 * ```
 * @throws MillraceError `MR_TYPE_MISMATCH` where `codes` or `values` is no array
 */
export function dictionary(codes: FullCodes, values: readonly string[]): DictionaryOf<Utf8>
export function dictionary(
  codes: Codes,
  values: readonly string[],
  options?: DictionaryOptions,
): DictionaryOf<Nullable<Utf8>>
export function dictionary(codes: Codes, values: readonly string[], options?: DictionaryOptions): DictionaryOf<any> {
  return dictionaryInput(codes, values, options ?? {})
}
