/**
 * The Parquet reader as a lane extension: the one module that lanes get, with the decoders and what they need of hyparquet bundled in.
 *
 * It is bundled apart from the core, so its classes are not the core's. What crosses is plain: descriptors and expressions in, `PlainBatch`es
 * out; errors have the shape of a `MillraceError` (`name`, `code`, `details`), not its identity. Receivers use `createReviver` and `reviveError`
 * of formats/plain-batch.ts.
 */
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import type { Expression } from '../../expressions/node.js'
import { type InputDescriptor, type OpenFile, openInput } from '../byte-source.js'
import { inputName } from '../input.js'
import type { PlainBatch } from '../plain-batch.js'
import { located } from './corrupt.js'
import { readRowGroup, rowGroupBytes } from './decode.js'
import type { ParquetMetadata } from './footer.js'
import { readMetadata } from './metadata.js'
import { pruneRowGroup } from './prune.js'
import type { ColumnStatistics } from './statistics.js'

export interface ParquetReader {
  /**
   * All top-level columns. One that cannot be read (DECIMAL, nested, ...) has an empty struct for its type; reading it is the error that
   * names it and its Parquet type.
   */
  readonly schema: SchemaShape
  /** Parquet's type of each column that cannot be read. */
  readonly unsupported: ReadonlyMap<string, string>
  readonly rowCount: number
  /** The parts that lanes share: in row order. */
  readonly rowGroups: readonly RowGroupInfo[]
  /** The footer, to be kept or sent: a reader opened with it does not read it again. */
  readonly metadata: ParquetMetadata
  /** Positions of the row groups in which some row may pass a resolved predicate; the others are proved to have none. */
  candidates(predicate: Expression | null): number[]
  /** Compressed bytes of these columns in a row group. */
  byteLength(rowGroup: number, columns: readonly string[]): number
  /**
   * A row group's rows, in order, in batches of at most 65,536; only these columns are fetched and decoded, and vectors come in their order.
   * Every batch of a row group shares its dictionaries, by identity.
   * @throws `MR_FORMAT_ERROR`, `MR_UNKNOWN_COLUMN`, `MR_INTEGER_OVERFLOW`, `MR_CLOSED`; the signal's reason.
   */
  read(rowGroup: number, columns: readonly string[], signal?: AbortSignal): AsyncIterable<PlainBatch>
  close(): Promise<void>
}

export interface RowGroupInfo {
  readonly rowCount: number
  /** Position of its first row in the file. */
  readonly firstRow: number
  /** Compressed, of all columns that can be read. */
  readonly byteLength: number
  readonly statistics: ReadonlyMap<string, ColumnStatistics>
}

/**
 * Opens a Parquet file and reads its footer.
 * @param openFile for paths; the platform's, or null where there are none.
 * @param metadata of another reader of the same input.
 * @throws `MR_INVALID_OPTION` where the input cannot be opened, `MR_FORMAT_ERROR` where it is no sound Parquet file.
 */
export async function openParquet(
  input: InputDescriptor,
  openFile: OpenFile | null = null,
  metadata: ParquetMetadata | null = null,
): Promise<ParquetReader> {
  const source = await openInput(input, openFile)
  const file = inputName(input)
  try {
    metadata ??= await readMetadata(source)
  } catch (error) {
    await source.close()
    throw located(error, { file })
  }
  const known = metadata
  let isOpen = true
  const names = known.columns.filter(column => column.unsupported === null).map(column => column.name)
  return {
    schema: known.schema,
    unsupported: new Map(
      known.columns.flatMap(({ name, unsupported }) => (unsupported === null ? [] : [[name, unsupported]])),
    ),
    rowCount: known.rowCount,
    rowGroups: known.rowGroups.map(({ rowCount, firstRow, chunks }, i) => ({
      rowCount,
      firstRow,
      byteLength: rowGroupBytes(known, i, names),
      statistics: new Map(
        chunks.flatMap((chunk, c) => (chunk === null ? [] : [[known.columns[c]?.name ?? '', chunk.statistics]])),
      ),
    })),
    metadata: known,
    candidates: predicate =>
      known.rowGroups.flatMap((_, i) => (predicate !== null && pruneRowGroup(known, i, predicate) ? [] : [i])),
    byteLength: (rowGroup, columns) => rowGroupBytes(known, rowGroup, columns),
    async *read(rowGroup, columns, signal) {
      if (!isOpen) throw new MillraceError('MR_CLOSED', 'parquet: the reader is closed', { file })
      yield* readRowGroup(source, known, rowGroup, columns, file, signal)
    },
    async close() {
      if (!isOpen) return
      isOpen = false
      await source.close()
    },
  }
}
