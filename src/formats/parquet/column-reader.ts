/**
 * One column chunk as vectors, morsel by morsel: pages come from chunk-pages.ts, values from column-values.ts; here it is said which rows
 * are null. list-reader.ts does so for lists. Nothing is held but one page and one morsel, whatever the chunk claims to hold.
 */
import type { PlainVector } from '../plain-batch.js'
import { createChunkPages } from './chunk-pages.js'
import { createValues } from './column-values.js'
import type { Chunk, ParquetColumn } from './footer.js'
import { readBits } from './hybrid.js'
import { createListReader } from './list-reader.js'

export interface ColumnReader {
  /** The next `rowCount` rows. @throws MillraceError `MR_FORMAT_ERROR`, `MR_INTEGER_OVERFLOW` */
  next(rowCount: number): PlainVector
  /** Strings that were repaired since the last call. */
  takeIllFormedCount(): number
  /** Of the page read last, for errors. */
  byteOffset(): number
}

/**
 * @param bytes the chunk's, in full.
 * @param rowCount of its row group.
 */
export function createColumnReader(
  column: ParquetColumn,
  chunk: Chunk,
  bytes: Uint8Array,
  rowCount: number,
): ColumnReader {
  const { encoded, type, list } = column
  const pages = createChunkPages(column, chunk, bytes)
  const { takeIllFormedCount, byteOffset } = pages
  if (list !== null)
    return { next: createListReader(type, encoded, list, pages, rowCount), takeIllFormedCount, byteOffset }
  return {
    next(rowCount) {
      const bitmap = type.nullable ? new Uint8Array((rowCount + 7) >> 3) : null
      const values = createValues(encoded, type, rowCount, pages)
      let nullCount = 0
      for (let row = 0; row < rowCount; ) {
        const page = pages.current()
        const rows = Math.min(rowCount - row, page.left)
        const dense = page.levels === null ? rows : readBits(page.levels, bitmap as Uint8Array, row, rows)
        values.put(page, row, rows, dense, bitmap)
        page.left -= rows
        nullCount += rows - dense
        row += rows
      }
      const validity = nullCount === 0 ? null : bitmap
      return { type, length: rowCount, nullCount, validity, ...values.finish(rowCount, validity) }
    },
    takeIllFormedCount,
    byteOffset,
  }
}
