/**
 * The Parquet reader as a lane extension: the one module that lanes get, with the decoders and what they need of hyparquet bundled in.
 *
 * It is bundled apart from the core, so its classes are not the core's. What crosses is plain: descriptors and expressions in, `PlainBatch`es
 * out; errors have the shape of a `MillraceError` (`name`, `code`, `details`), not its identity. Receivers use `createReviver` and `reviveError`
 * of formats/plain-batch.ts.
 */
import { MillraceError } from '../../errors.js'
import type { InputDescriptor, OpenFile } from '../byte-source.js'
import type { FormatModule } from '../format.js'
import { inputName } from '../input-name.js'
import type { PlainBatch } from '../plain-batch.js'
import { readRowGroup } from './decode.js'
import { openParquetFile, type ParquetFile } from './file.js'
import type { ParquetMetadata } from './footer.js'

export interface ParquetReader extends ParquetFile {
  /**
   * A row group's rows, in order, in batches of at most 65,536; only these columns are fetched and decoded, and vectors come in their order.
   * Every batch of a row group shares its dictionaries, by identity.
   * @throws `MR_FORMAT_ERROR`, `MR_UNKNOWN_COLUMN`, `MR_INTEGER_OVERFLOW`, `MR_CLOSED`; the signal's reason.
   */
  read(rowGroup: number, columns: readonly string[], signal?: AbortSignal): AsyncIterable<PlainBatch>
}

export const open: FormatModule['open'] = (input, openFile, index) =>
  openParquet(input, openFile, index as ParquetMetadata | null)

/** Opens a Parquet file, as `openParquetFile` does, for reading its rows. */
export async function openParquet(
  input: InputDescriptor,
  openFile: OpenFile | null = null,
  metadata: ParquetMetadata | null = null,
): Promise<ParquetReader> {
  const { file, source } = await openParquetFile(input, openFile, metadata)
  const name = inputName(input)
  let isOpen = true
  return {
    ...file,
    async *read(rowGroup, columns, signal) {
      if (!isOpen) throw new MillraceError('MR_CLOSED', 'parquet: the reader is closed', { file: name })
      yield* readRowGroup(source, file.metadata, rowGroup, columns, name, signal)
    },
    async close() {
      if (!isOpen) return
      isOpen = false
      await file.close()
    },
  }
}
