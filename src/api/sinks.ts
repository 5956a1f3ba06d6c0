/** Files that flows are written to, as functions. What a sink is to the engine is sinks/sink.ts; what each does is loaded with the job that needs it. */
import type { ArrowWriteOptions } from '../formats/arrow/write.js'
import type { CsvWriteOptions } from '../formats/csv/write.js'
import type { JsonWriteOptions } from '../formats/json/write.js'
import type { OpfsFile, Sink } from '../sinks/sink.js'
import type { FileTarget } from '../sinks/target.js'

/**
 * A CSV file to write a flow to: by a path (Node), to a `WritableStream` of bytes, to a `FileSystemFileHandle` that the user picked, or to an `opfsFile`. It reads back as it was: text
 * is quoted where it must be, a null is an empty field and an empty string `""`, numbers have the fewest digits that give them back, timestamps are ISO 8601 with Z, lists JSON.
 *
 * A file by its path is there whole or not at all: it is written beside, and takes the place of what was there once all of it is on the disk. So is one of the browser's.
 *
 * ```ts
 * await flow.to(csvSink('trades.csv', { delimiter: ';' })).finished
 * ```
 * @throws (the job) MillraceError `MR_SINK_FAILED` where the file cannot be written, `MR_INVALID_OPTION`
 */
export const csvSink = (target: FileTarget, options?: CsvWriteOptions): Sink =>
  lateSink(async () => (await import('../sinks/files.js')).csvFile(target, options))

/**
 * The same as NDJSON: a JSON object a line. int64s keep all their digits, timestamps and dates are ISO 8601 strings, lists arrays. A NaN or an infinity, for which JSON has no word,
 * is refused, or with `{ nonFinite: 'null' }` null. With `{ nest: true }` columns `place.city` and `place.country` are an object `place`.
 *
 * ```ts
 * await flow.to(ndjsonSink('trades.ndjson', { nonFinite: 'null' })).finished
 * ```
 * @throws (the job) as `csvSink`; `MR_INEXACT_VALUE` for a NaN or an infinity, with its row and column
 */
export const ndjsonSink = (target: FileTarget, options?: JsonWriteOptions): Sink =>
  lateSink(async () => (await import('../sinks/files.js')).jsonFile(target, 'lines', options))

/**
 * The same as one JSON array of objects.
 *
 * ```ts
 * await flow.to(jsonSink('trades.json')).finished
 * ```
 * @throws (the job) as `ndjsonSink`
 */
export const jsonSink = (target: FileTarget, options?: JsonWriteOptions): Sink =>
  lateSink(async () => (await import('../sinks/files.js')).jsonFile(target, 'array', options))

/**
 * An Arrow IPC file to write a flow to, as `csvSink` does, or with `{ layout: 'stream' }` a stream, which can be read while it is written. Columns are written as they lie, strings as
 * codes into dictionaries that grow.
 *
 * ```ts
 * await flow.to(arrowSink('trades.arrow')).finished
 * ```
 * @throws (the job) as `csvSink`; `MR_MEMORY_LIMIT` where the distinct strings of a column outgrow 2 GiB
 */
export const arrowSink = (target: FileTarget, options?: ArrowWriteOptions): Sink =>
  lateSink(async () => (await import('../sinks/files.js')).arrowFile(target, options))

/**
 * A file of the origin private file system, by its path, for a sink to write to; folders on the way are made. It is there whole, in place of what was there, or not at all.
 *
 * ```ts
 * const file = opfsFile('exports/trades.csv')
 * if (typeof document !== 'undefined') {
 *   await flow.to(csvSink(file)).finished
 *   show(await (await file.file()).text())
 * }
 * ```
 */
export const opfsFile = (path: string): OpfsFile => ({
  path,
  file: async () => (await import('../sinks/opfs.js')).readOpfs(path),
})

/** A sink whose program comes with the job that opens it. */
const lateSink = (load: () => Promise<Sink>): Sink => ({
  open: async (schema, services) => (await load()).open(schema, services),
  fail: async reason => (await load()).fail?.(reason),
})
