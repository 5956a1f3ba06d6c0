/**
 * What a format of files in parts is to the rest: how its modules are loaded, what it says of a file, how it reads a part. A program that names no
 * function of a format has nothing of it, not even the addresses of its chunks: each is one object, which only its source imports.
 */
import type { SchemaShape } from '../columnar/type.js'
import type { Expression } from '../expressions/node.js'
import type { InputDescriptor, OpenFile } from './byte-source.js'
import type { PlainBatch } from './plain-batch.js'

/** What lanes load in order to read a source. */
export interface LaneReader {
  /** Of the part of lanes that it is. */
  readonly name: 'parquet' | 'arrow' | 'csv' | 'json' | 'files'
  /** For a lane in the calling thread. */
  load(): Promise<unknown>
  /** For a worker: an ES module's text. */
  text(): Promise<{ readonly laneSource: string }>
  /** Where it has kernels of its own. */
  readonly kernels?: () => Promise<{ kernels(): Promise<unknown> }>
}

export interface Format extends LaneReader {
  /** Also what its files are called by in messages. */
  readonly name: 'parquet' | 'arrow'
  /** For the calling thread: what is in a file. */
  describe(): Promise<FormatDescriber>
  /** The reader for a lane in the calling thread. */
  load(): Promise<FormatModule>
  /** The reader for a worker: an ES module's text that needs nothing else. */
  text(): Promise<{ readonly laneSource: string }>
}

export interface FormatDescriber {
  /**
   * Opens the file, finds what is in it, and closes it. The input comes back pinned: opened as another version it is refused.
   * @param openFile for paths; null where there are none.
   * @throws MillraceError `MR_SOURCE_FAILED` where it cannot be opened, `MR_FORMAT_ERROR` where it is no sound file of the format; the signal's reason.
   */
  describeFile(
    input: InputDescriptor,
    openFile: OpenFile | null,
    signal?: AbortSignal,
  ): Promise<{ readonly input: InputDescriptor; readonly file: DescribedFile }>
}

export interface DescribedFile {
  /** All columns. One that cannot be read has an empty struct for its type; reading it is the error that names it. */
  readonly schema: SchemaShape
  readonly rowCount: number
  /** What lanes share, in row order. */
  readonly parts: readonly { readonly firstRow: number; readonly rowCount: number }[]
  /** Plain data, for a reader of the same file: it need not find out again what is in it. */
  readonly index: unknown
  /** Positions of the parts in which some row may pass a resolved predicate; the others are proved to have none. */
  candidates(predicate: Expression | null): number[]
  /** What reading these columns of a part will fetch, nearly. */
  byteLength(part: number, columns: readonly string[]): number
  /** Whether the file promises that no row of a column is null, though its type may have nulls. */
  hasNoNulls(column: string): boolean
}

/** What a lane extension exports. */
export interface FormatModule {
  /** @param index of the file, as described; null: the reader finds it. @throws as `describeFile` does */
  open(input: InputDescriptor, openFile: OpenFile | null, index: unknown): Promise<FormatReader>
}

export interface FormatReader {
  /** A part's rows, in order, in batches of at most 65,536; only these columns are read, and vectors come in their order. */
  read(part: number, columns: readonly string[], signal?: AbortSignal): AsyncIterable<PlainBatch>
  close(): Promise<void>
}
