/** Flows over files of text: CSV, NDJSON and JSON. What they are told is checked here by name; how it is read is sources/text.ts's business. */
import type { SchemaShape } from '../columnar/type.js'
import type { IllFormedText, RejectedRow } from '../sources/source.js'
import { type CsvOptions as CsvReading, type InferenceReport, type TextOptions, textSource } from '../sources/text.js'
import { type Flow, flowOf } from './flow.js'
import { type Inputs, inputsOf } from './inputs.js'
import { optionsOf, wholeNumber } from './options.js'
import { invalid, show } from './refusal.js'

/** What `csv`, `ndjson` and `json` have in common. */
export interface TextFileOptions<S extends SchemaShape = SchemaShape> {
  /** The columns to read, by name. With it the flow is typed, and verbs are checked at once; without, types are inferred from a sample. */
  readonly schema?: S
  /** A label of the WHATWG encodings, such as 'windows-1252'; by default UTF-8, or what a byte order mark says. */
  readonly encoding?: string
  /** By default seen by the file's first bytes. */
  readonly compression?: 'gzip' | 'deflate' | 'none' | 'auto'
  /** Bytes that may come of one compressed byte, on average beyond the first 16 MiB: 1,000. */
  readonly maximumExpansion?: number
  /** Whether ill-formed text makes a bad row; by default it is replaced by U+FFFD. */
  readonly fatal?: boolean
  /** Rows that types are inferred from, at most: 10,000 of the first 256 KiB. */
  readonly sample?: number
  /** Told, in row order, of rows that cannot be read, which are left out; without it the first ends the job with its error. What it throws, or rejects with, ends the job; so does what the others do. */
  readonly onBadRow?: (row: RejectedRow) => void
  /** Told, in row order, of strings in which ill-formed text was replaced: how many, of which rows. `job.metrics().illFormed` is their sum. */
  readonly onIllFormed?: (text: IllFormedText) => void
  /** Told what has been inferred, whenever a terminal opens the file. */
  readonly onInferred?: (report: InferenceReport) => void
}

export interface CsvOptions<S extends SchemaShape = SchemaShape> extends TextFileOptions<S> {
  /** One ASCII character; by default seen from a sample: comma, semicolon, tab or bar. */
  readonly delimiter?: string
  /** By default `"`; null: no character quotes. */
  readonly quote?: string | null
  /** Lines that begin with this character are skipped. */
  readonly comment?: string
  /** Whether the first row names the columns (the default); their names, where no row does. Without any they are column0, column1 and so on. */
  readonly header?: boolean | readonly string[]
  /** Unquoted fields that are null; by default the empty one. */
  readonly nulls?: readonly string[]
  /** What becomes of rows with too few or too many fields: an error, or nulls in the place of missing ones while others are ignored ('pad'). */
  readonly ragged?: 'error' | 'pad'
  /** Lines before the header. */
  readonly skipRows?: number
}

export interface JsonOptions<S extends SchemaShape = SchemaShape> extends TextFileOptions<S> {
  /** Where the records are in a document, keys joined by dots: 'data.items'. By default the document is their array. */
  readonly path?: string
  /** Whether nested objects become columns named by their path, as in 'address.city' (the default); otherwise columns of their JSON text. */
  readonly flatten?: boolean
}

const COMMON = [
  'schema',
  'encoding',
  'compression',
  'maximumExpansion',
  'fatal',
  'sample',
  'onBadRow',
  'onIllFormed',
  'onInferred',
] as const

/**
 * A flow over CSV files, TSV and their like: a path or a glob (Node), a URL, a `File` or `Blob`, a `Response`, bytes, a stream, `{ text }`, or an array of
 * these. Quotes are those of RFC 4180, and an empty field without quotes is null. Lanes read a file's parts side by side, and parse only the columns
 * that the flow reads.
 *
 * ```ts
 * const trips = csv({ text: 'city,degrees\nRome,31\nOslo,17\n' })
 * show(await trips.filter(t => t.degrees.gt(20)).collect())
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`; the terminal `MR_FORMAT_ERROR`, `MR_TYPE_MISMATCH`, `MR_INTEGER_OVERFLOW` or `MR_INEXACT_VALUE` for the first
 *   row that cannot be read, with row, column, byte offset and text; `MR_UNKNOWN_COLUMN`, `MR_DUPLICATE_COLUMN` for a header
 */
export function csv<const S extends SchemaShape>(
  input: Inputs,
  options: CsvOptions<S> & { readonly schema: S },
): Flow<S>
export function csv(input: Inputs, options?: CsvOptions): Flow<any>
export function csv(input: Inputs, options: CsvOptions = {}): Flow<any> {
  const known = [...COMMON, 'delimiter', 'quote', 'comment', 'header', 'nulls', 'ragged', 'skipRows']
  optionsOf('csv', options, '{ schema }', known)
  const { delimiter, quote = '"', comment, header = true, nulls = [''], ragged = 'error', skipRows = 0 } = options
  for (const [name, value] of Object.entries({ delimiter, quote, comment })) {
    if (value === undefined || (value === null && name === 'quote')) continue
    if (typeof value !== 'string' || !isAscii(value) || value === '\n' || value === '\r')
      throw invalid('csv', `${name} is one ASCII character that breaks no line, not ${show(value)}`)
  }
  if (delimiter !== undefined && (delimiter === quote || delimiter === comment))
    throw invalid('csv', `${show(delimiter)} cannot both delimit and do something else`)
  if (typeof header !== 'boolean' && !isStrings(header))
    throw invalid('csv', `header is true, false or an array of names, not ${show(header)}`)
  if (!isStrings(nulls)) throw invalid('csv', `nulls is an array of strings, not ${show(nulls)}`)
  if (ragged !== 'error' && ragged !== 'pad') throw invalid('csv', `ragged is 'error' or 'pad', not ${show(ragged)}`)
  const reading: CsvReading = {
    format: 'csv',
    ...commonOptions('csv', options),
    delimiter: delimiter ?? null,
    quote,
    comment: comment ?? null,
    header,
    nulls,
    ragged,
    skipRows: wholeNumber('csv', 'skipRows', skipRows, 0, 2 ** 31),
  }
  return flowOf(textSource('csv', inputsOf('csv', input), reading))
}

/**
 * A flow over files of a JSON record a line (NDJSON, JSON lines), from what `csv` takes. Numbers are exact, nested objects become columns named by their path,
 * arrays of scalars lists, and other arrays their JSON text. A field that a record lacks is null.
 *
 * ```ts
 * const trips = ndjson({ text: '{"city":"Rome","sky":{"clouds":2}}\n{"city":"Oslo","sky":{"clouds":7}}\n' })
 * show(await trips.select('city', 'sky.clouds').collect())
 * ```
 * @throws MillraceError as `csv` does
 */
export function ndjson<const S extends SchemaShape>(
  input: Inputs,
  options: JsonOptions<S> & { readonly schema: S },
): Flow<S>
export function ndjson(input: Inputs, options?: Omit<JsonOptions, 'path'>): Flow<any>
export function ndjson(input: Inputs, options: JsonOptions = {}): Flow<any> {
  optionsOf('ndjson', options, '{ schema }', [...COMMON, 'flatten'])
  return jsonFlow('ndjson', input, options, 'lines')
}

/**
 * A flow over JSON documents that hold an array of records, from what `csv` takes; a file of a record a line is seen as that. One lane reads a document.
 *
 * ```ts
 * const trips = json({ text: '{"trips":[{"city":"Rome","degrees":31},{"city":"Oslo","degrees":17}]}' }, { path: 'trips' })
 * show(await trips.collect())
 * ```
 * @throws MillraceError as `csv` does
 */
export function json<const S extends SchemaShape>(
  input: Inputs,
  options: JsonOptions<S> & { readonly schema: S },
): Flow<S>
export function json(input: Inputs, options?: JsonOptions): Flow<any>
export function json(input: Inputs, options: JsonOptions = {}): Flow<any> {
  optionsOf('json', options, '{ schema }', [...COMMON, 'path', 'flatten'])
  return jsonFlow('json', input, options, 'auto')
}

function jsonFlow(verb: string, input: Inputs, options: JsonOptions, layout: 'lines' | 'auto'): Flow<any> {
  const { path, flatten = true } = options
  if (path !== undefined && typeof path !== 'string')
    throw invalid(verb, `path is keys joined by dots, as in 'data.items', not ${show(path)}`)
  if (typeof flatten !== 'boolean') throw invalid(verb, `flatten is true or false, not ${show(flatten)}`)
  const common = commonOptions(verb, options)
  return flowOf(
    textSource(verb, inputsOf(verb, input), { format: 'json', ...common, path: path ?? null, layout, flatten }),
  )
}

function commonOptions(verb: string, options: TextFileOptions): TextOptions {
  const { schema, encoding, compression = 'auto', maximumExpansion = 1000, fatal = false, sample = 10_000 } = options
  const { onBadRow, onIllFormed, onInferred } = options
  if (encoding !== undefined && typeof encoding !== 'string')
    throw invalid(verb, `encoding is the name of one, such as 'windows-1252', not ${show(encoding)}`)
  if (!['gzip', 'deflate', 'none', 'auto'].includes(compression))
    throw invalid(verb, `compression is 'gzip', 'deflate', 'none' or 'auto', not ${show(compression)}`)
  if (typeof fatal !== 'boolean') throw invalid(verb, `fatal is true or false, not ${show(fatal)}`)
  for (const [name, value] of Object.entries({ onBadRow, onIllFormed, onInferred })) {
    if (value !== undefined && typeof value !== 'function') throw invalid(verb, `${name} is a function`)
  }
  if (schema !== undefined && (typeof schema !== 'object' || schema === null))
    throw invalid(verb, `schema is one of schema({ ... }), not ${show(schema)}`)
  return {
    schema: schema ?? null,
    encoding: encoding ?? null,
    compression,
    maximumExpansion: wholeNumber(verb, 'maximumExpansion', maximumExpansion, 1, 2 ** 31),
    fatal,
    sampleRows: wholeNumber(verb, 'sample', sample, 1, 2 ** 31),
    onBadRow,
    onIllFormed,
    onInferred,
    splitBytes: null,
  }
}

/** Of one character. */
const isAscii = (value: string): boolean => value.length === 1 && value.charCodeAt(0) < 128

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string')
