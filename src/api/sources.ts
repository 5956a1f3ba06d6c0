/**
 * Where flows begin: functions that take rows or files and give a `Flow`. What a source is to the engine is sources/source.ts.
 */
import { type Codes, type DictionaryOptions, dictionary as dictionaryInput } from '../columnar/dictionary-input.js'
import { type ColumnsInput, inferColumns, inferRows } from '../columnar/infer.js'
import { checkColumns, checkRows, openColumns, openRows } from '../columnar/input.js'
import type { Nullable, SchemaShape, Utf8 } from '../columnar/type.js'
import { quote } from '../errors.js'
import { arrowFormat } from '../formats/arrow/format.js'
import type { ArrowTable } from '../formats/arrow/from-table.js'
import type { Format } from '../formats/format.js'
import { parquetFormat } from '../formats/parquet/format.js'
import { arrowTableSource } from '../sources/arrow-table.js'
import { inputSource } from '../sources/memory.js'
import { partsSource } from '../sources/parts-source.js'
import { streamSource } from '../sources/stream.js'
import { type Flow, flowOf } from './flow.js'
import { type Inputs, inputsOf } from './inputs.js'
import { optionsOf } from './options.js'
import { invalid, mismatch, show } from './refusal.js'
import type { DictionaryOf, SchemaOfRows, TypeOfInput } from './types.js'

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
  checkColumns(data)
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
export function rows<R extends object>(data: readonly R[]): Flow<SchemaOfRows<R>>
export function rows(data: readonly object[], schema?: SchemaShape): Flow<SchemaShape> {
  checkRows(data)
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
 * schema the columns are known once the file is opened, so a misspelt one is refused by the terminal. Lists of values are list columns. A DECIMAL is
 * the float64 nearest to it, as the same number in a CSV file is, a UUID its text. Groups of fields, maps and lists of these are refused where the flow reads them.
 *
 * ```ts
 * await parquet('flights.parquet').groupBy('origin').aggregate(t => ({ flights: count(), delay: mean(t.delay) })).collect()
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`; the terminal `MR_FORMAT_ERROR` for what is no Parquet file, `MR_TYPE_MISMATCH` where a file has another type,
 *   `MR_SOURCE_FAILED` where there is no such file, or a server or a disk fails
 */
export function parquet<const S extends SchemaShape>(
  input: Inputs,
  options: ParquetOptions<S> & { readonly schema: S },
): Flow<S>
export function parquet(input: Inputs, options?: ParquetOptions): Flow<any>
export function parquet(input: Inputs, options: ParquetOptions = {}): Flow<any> {
  return filesFlow(parquetFormat, input, options)
}

export interface ArrowOptions<S extends SchemaShape = SchemaShape> {
  /** The columns to read, as the file has them. With it the flow is typed, and verbs are checked at once. */
  readonly schema?: S
}

/**
 * A flow over Arrow IPC files or streams (Feather version 2 too), given as to `parquet`. Their batches are what lanes share; only the columns that
 * the flow reads are read. Strings, dictionary-encoded or not, are utf8; uint64 is read as int64, float16 as float32, dates in milliseconds as
 * date, nulls without a type as `nullable(float64)`; what has no type here (decimals, structs, ...) is refused where the flow reads it.
 *
 * ```ts
 * await arrow('flights.arrow').filter(t => t.delay.gt(60)).groupBy('distance').aggregate(() => ({ late: count() })).collect()
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`; the terminal `MR_FORMAT_ERROR` for what is no Arrow file or stream, `MR_TYPE_MISMATCH` where a file has
 * another type, or one that is not read, `MR_INTEGER_OVERFLOW` for a uint64 beyond int64, `MR_INEXACT_VALUE` for a date that is no whole day
 */
export function arrow<const S extends SchemaShape>(
  input: Inputs,
  options: ArrowOptions<S> & { readonly schema: S },
): Flow<S>
export function arrow(input: Inputs, options?: ArrowOptions): Flow<any>
export function arrow(input: Inputs, options: ArrowOptions = {}): Flow<any> {
  return filesFlow(arrowFormat, input, options)
}

/**
 * A flow over a table of apache-arrow or flechette, whose buffers are read as they are. Types are read as by `arrow`; with a schema the flow is
 * typed, and verbs are checked at once.
 *
 * ```ts
 * const peer = tableFromIPC(await (await flow.collect()).toArrow())
 * await fromArrow(peer).groupBy('symbol').aggregate(t => ({ size: sum(t.size) })).collect()
 * ```
 * @throws MillraceError `MR_TYPE_MISMATCH` for what is no such table; the terminal what `arrow` calls for
 */
export function fromArrow<const S extends SchemaShape>(
  table: ArrowTable,
  options: ArrowOptions<S> & { readonly schema: S },
): Flow<S>
export function fromArrow(table: ArrowTable, options?: ArrowOptions): Flow<any>
export function fromArrow(table: ArrowTable, options: ArrowOptions = {}): Flow<any> {
  if (
    typeof table?.numRows !== 'number' ||
    !Array.isArray(table.schema?.fields) ||
    typeof table.getChildAt !== 'function'
  ) {
    throw mismatch('fromArrow', `fromArrow takes a table of apache-arrow or flechette, not ${show(table)}`)
  }
  checkSchemaOption('fromArrow', options)
  return flowOf(arrowTableSource(table, options.schema ?? null))
}

function filesFlow(format: Format, input: Inputs, options: { readonly schema?: SchemaShape }): Flow<any> {
  const { name } = format
  checkSchemaOption(name, options)
  return flowOf(partsSource(format, inputsOf(name, input), options.schema ?? null))
}

function checkSchemaOption(name: string, options: object): void {
  if (typeof options !== 'object' || options === null)
    throw invalid(name, `options are an object such as { schema }, not ${show(options)}`)
  for (const option of Object.keys(options)) {
    if (option !== 'schema') throw invalid(name, `there is no option ${quote(option)}; there is schema`)
  }
}

/** What a stream gives: rows, arrays of them, or columns, batches and tables of the declared columns. */
export type StreamItem = object | readonly object[]

/**
 * A flow over rows that come while it runs: an async iterable or a `ReadableStream` of row objects, arrays of them, batches, tables, or columns of equal length, as `channel` takes
 * them (an object is columns where the value of the first column that is no list is an array). They are taken as fast as lanes want them, so a slow reader slows the stream. Arrays are copied. It can be read once.
 *
 * ```ts
 * async function* readings() {
 *   yield { city: 'Rome', degrees: 31 }
 *   yield [{ city: 'Oslo', degrees: 17 }, { city: 'Rome', degrees: 29 }]
 *   yield { city: ['Lima', 'Oslo'], degrees: Float64Array.of(22, 19) }
 * }
 * const weather = stream(readings(), { schema: schema({ city: utf8(), degrees: float64() }) })
 * show(await weather.groupBy('city').aggregate(t => ({ highest: max(t.degrees) })).collect())
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`; the terminal what conversion calls for, `MR_SOURCE_CONSUMED` the second time, `MR_SOURCE_FAILED` where the stream fails, with what it failed of as its cause
 */
export function stream<const S extends SchemaShape>(
  items: AsyncIterable<StreamItem> | ReadableStream<StreamItem>,
  options: { readonly schema: S },
): Flow<S> {
  const given: unknown = items
  if (
    !(given instanceof ReadableStream) &&
    !(typeof given === 'object' && given !== null && Symbol.asyncIterator in given)
  )
    throw invalid('stream', `it is over an async iterable or a ReadableStream, not ${show(given)}`)
  optionsOf('stream', options, '{ schema }', ['schema'])
  if (typeof options.schema !== 'object' || options.schema === null)
    throw invalid('stream', 'a stream cannot be looked into beforehand, so its columns are declared: { schema }')
  return flowOf(streamSource(items, options.schema)) as Flow<S>
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
 * @throws MillraceError `MR_TYPE_MISMATCH` where `codes` or `values` is no array, `MR_INVALID_OPTION`
 */
export function dictionary(codes: FullCodes, values: readonly string[]): DictionaryOf<Utf8>
export function dictionary(
  codes: Codes,
  values: readonly string[],
  options?: DictionaryOptions,
): DictionaryOf<Nullable<Utf8>>
export function dictionary(codes: Codes, values: readonly string[], options?: DictionaryOptions): DictionaryOf<any> {
  return dictionaryInput(codes, values, optionsOf('dictionary', options ?? {}, '{ validity }', ['validity']))
}
