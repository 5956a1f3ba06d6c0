/**
 * One row group as batches: the chunks of the columns asked for are fetched, no others, and decoded morsel by morsel (column-reader.ts).
 */
import { MORSEL_ROWS } from '../../columnar/record-batch.js'
import { MillraceError, quote, unknownColumn } from '../../errors.js'
import type { ByteSource } from '../byte-source.js'
import type { PlainBatch } from '../plain-batch.js'
import { readRanges } from '../read-ranges.js'
import { createColumnReader } from './column-reader.js'
import { corrupt, located, unsupported } from './corrupt.js'
import type { Chunk, ParquetColumn, ParquetMetadata, RowGroup } from './footer.js'

interface Wanted {
  readonly column: ParquetColumn
  readonly chunk: Chunk
}

/**
 * The rows of one row group, in order, in batches of at most 65,536.
 * @throws MillraceError `MR_FORMAT_ERROR` with file, row group, column and byte offset; `MR_UNKNOWN_COLUMN`; `MR_INTEGER_OVERFLOW`.
 */
export async function* readRowGroup(
  source: ByteSource,
  metadata: ParquetMetadata,
  part: number,
  names: readonly string[],
  file: string,
  signal?: AbortSignal,
): AsyncGenerator<PlainBatch, void, void> {
  const rowGroup = metadata.rowGroups[part]
  if (rowGroup === undefined) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `there is no row group ${part} in ${quote(file)}, which has ${metadata.rowGroups.length}`,
      { file },
    )
  }
  const places = new Map(metadata.columns.map(({ name }, i) => [name, i]))
  const wanted = names.map(name => resolve(metadata, rowGroup, name, places.get(name) ?? -1, file, part))
  const bytes = await fetchChunks(source, wanted, file, part, signal)
  const readers = wanted.map(({ column, chunk }, i) =>
    createColumnReader(column, chunk, bytes[i] as Uint8Array, rowGroup.rowCount),
  )
  const morselRows = rowsOfMorsel(wanted, rowGroup.rowCount)
  for (let row = 0; row < rowGroup.rowCount; row += morselRows) {
    signal?.throwIfAborted()
    const rowCount = Math.min(morselRows, rowGroup.rowCount - row)
    const vectors = readers.map((reader, i) => {
      try {
        return reader.next(rowCount)
      } catch (error) {
        // Without an offset of its own, a fault is in the page read last.
        const place = {
          file,
          rowGroup: part,
          column: (wanted[i] as Wanted).column.name,
          byteOffset: reader.byteOffset(),
        }
        throw located(error, place, rowGroup.firstRow + row)
      }
    })
    yield { rowCount, vectors, illFormedCount: readers.reduce((sum, reader) => sum + reader.takeIllFormedCount(), 0) }
  }
}

/** Items of one batch's lists that are aimed at; how long each list is, only its levels tell. */
const MORSEL_ITEMS = 2 ** 20

/** Fewer where lists are long: a multiple of 8 where that can be. */
function rowsOfMorsel(wanted: readonly Wanted[], rowCount: number): number {
  const longest = Math.max(1, ...wanted.map(({ chunk }) => chunk.valueCount / Math.max(rowCount, 1)))
  const rows = Math.min(MORSEL_ROWS, Math.max(1, Math.floor(MORSEL_ITEMS / longest)))
  return rows < 8 ? rows : rows & ~7
}

function resolve(
  metadata: ParquetMetadata,
  rowGroup: RowGroup,
  name: string,
  i: number,
  file: string,
  part: number,
): Wanted {
  const column = metadata.columns[i]
  if (column === undefined)
    throw unknownColumn(
      name,
      metadata.columns.map(known => known.name),
      `parquet ${quote(file)}`,
    )
  const place = { file, column: name }
  if (column.unsupported !== null) {
    throw located(
      unsupported(`it is ${column.unsupported}, which this version does not read; leave it out with select or drop`),
      place,
    )
  }
  const chunk = rowGroup.chunks[i] as Chunk
  if (chunk.refusal !== null) throw located(unsupported(`it ${chunk.refusal}; leave it out with select or drop`), place)
  if (column.list === null ? chunk.valueCount !== rowGroup.rowCount : chunk.valueCount < rowGroup.rowCount) {
    throw located(corrupt(`the footer counts ${chunk.valueCount} values for ${rowGroup.rowCount} rows`), {
      ...place,
      rowGroup: part,
    })
  }
  return { column, chunk }
}

/** Each chunk's bytes, as views of the ranges fetched. */
async function fetchChunks(
  source: ByteSource,
  wanted: readonly Wanted[],
  file: string,
  rowGroup: number,
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const fileLength = await source.byteLength()
  for (const { column, chunk } of wanted) {
    if (chunk.from < 4 || chunk.from + chunk.byteLength > fileLength - 8) {
      const what = `its ${chunk.byteLength} bytes from ${chunk.from} on are not all inside the file, which has ${fileLength}`
      throw located(corrupt(what, chunk.from), { file, rowGroup, column: column.name })
    }
  }
  const ranges = wanted.map(({ chunk: { from, byteLength } }) => ({ from, to: from + byteLength }))
  return readRanges(source, ranges, signal).catch(error => {
    throw located(error, { file, rowGroup })
  })
}
