/**
 * What the footer of a Parquet file tells: its columns, its row groups, and which of these a predicate rules out. The calling thread needs no
 * more; lane-extension.ts adds the decoders.
 */
import type { SchemaShape } from '../../columnar/type.js'
import type { Expression } from '../../expressions/node.js'
import { type ByteSource, type InputDescriptor, type OpenFile, openInput, pinned } from '../byte-source.js'
import type { DescribedFile, FormatDescriber } from '../format.js'
import { inputName } from '../input-name.js'
import { located } from './corrupt.js'
import type { ParquetMetadata } from './footer.js'
import { readMetadata } from './metadata.js'
import { pruneRowGroup } from './prune.js'
import type { ColumnStatistics } from './statistics.js'

export interface ParquetFile {
  /**
   * All top-level columns. One that cannot be read (DECIMAL, groups of fields, ...) has an empty struct for its type; reading it is the error that
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
  /** Compressed bytes of these columns in a row group: what reading them will fetch. */
  byteLength(rowGroup: number, columns: readonly string[]): number
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
 * @returns the file, and the source of its bytes, which `close` closes.
 * @throws `MR_INVALID_OPTION` where the input cannot be opened, `MR_FORMAT_ERROR` where it is no sound Parquet file.
 */
export async function openParquetFile(
  input: InputDescriptor,
  openFile: OpenFile | null = null,
  metadata: ParquetMetadata | null = null,
  signal?: AbortSignal,
): Promise<{ file: ParquetFile; source: ByteSource }> {
  const source = await openInput(input, openFile)
  try {
    return { file: describe(metadata ?? (await readMetadata(source, signal)), source), source }
  } catch (error) {
    await source.close()
    signal?.throwIfAborted()
    throw located(error, { file: inputName(input) })
  }
}

/** @throws what `openParquetFile` throws */
export async function describeFile(
  input: InputDescriptor,
  openFile: OpenFile | null,
  signal?: AbortSignal,
): ReturnType<FormatDescriber['describeFile']> {
  const { file, source } = await openParquetFile(input, openFile, null, signal)
  const own = await pinned(input, source).finally(() => file.close())
  const { schema, rowCount, rowGroups, metadata, candidates, byteLength } = file
  const described: DescribedFile = {
    schema,
    rowCount,
    parts: rowGroups,
    index: metadata,
    candidates,
    byteLength,
    hasNoNulls: name => rowGroups.every(group => group.statistics.get(name)?.nullCount === 0),
  }
  return { input: own, file: described }
}

function describe(metadata: ParquetMetadata, source: ByteSource): ParquetFile {
  const { columns, rowGroups } = metadata
  const names = columns.filter(column => column.unsupported === null).map(column => column.name)
  return {
    schema: metadata.schema,
    unsupported: new Map(
      columns.flatMap(({ name, unsupported }) => (unsupported === null ? [] : [[name, unsupported]])),
    ),
    rowCount: metadata.rowCount,
    rowGroups: rowGroups.map(({ rowCount, firstRow, chunks }, i) => ({
      rowCount,
      firstRow,
      byteLength: rowGroupBytes(metadata, i, names),
      statistics: new Map(
        chunks.flatMap((chunk, c) => (chunk === null ? [] : [[columns[c]?.name ?? '', chunk.statistics]])),
      ),
    })),
    metadata,
    candidates: predicate =>
      rowGroups.flatMap((_, i) => (predicate !== null && pruneRowGroup(metadata, i, predicate) ? [] : [i])),
    byteLength: (rowGroup, wanted) => rowGroupBytes(metadata, rowGroup, wanted),
    close: () => source.close(),
  }
}

function rowGroupBytes(metadata: ParquetMetadata, part: number, names: readonly string[]): number {
  const isWanted = new Set(names)
  let byteLength = 0
  for (const [i, { name }] of metadata.columns.entries()) {
    if (isWanted.has(name)) byteLength += metadata.rowGroups[part]?.chunks[i]?.byteLength ?? 0
  }
  return byteLength
}
