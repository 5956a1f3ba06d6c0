/**
 * What an Arrow file or stream tells before its rows are read: its columns and its parts. The calling thread needs no more; lane-extension.ts
 * reads the rows.
 */
import { schemaOf } from '../../columnar/schema.js'
import { type SchemaShape, struct } from '../../columnar/type.js'
import { type ByteSource, type InputDescriptor, type OpenFile, openInput, pinned } from '../byte-source.js'
import { locatedIn, type Place } from '../fault.js'
import type { DescribedFile, FormatDescriber } from '../format.js'
import { inputName } from '../input-name.js'
import { type ArrowIndex, readIndex } from './file-index.js'

/** The error with its place, see `locatedIn`. */
export const located = (error: unknown, place: Place, firstRow = 0): unknown =>
  locatedIn('arrow', error, place, firstRow)

/**
 * Opens an Arrow file or stream and finds its batches.
 * @param openFile for paths; the platform's, or null where there are none.
 * @param known of another reader of the same input.
 * @returns the index, and the source of its bytes, which the caller closes.
 * @throws `MR_INVALID_OPTION` where the input cannot be opened, `MR_FORMAT_ERROR` where it is no sound Arrow file or stream.
 */
export async function openArrowFile(
  input: InputDescriptor,
  openFile: OpenFile | null = null,
  known: ArrowIndex | null = null,
  signal?: AbortSignal,
): Promise<{ index: ArrowIndex; source: ByteSource }> {
  const source = await openInput(input, openFile)
  try {
    return { index: known ?? (await readIndex(source, signal)), source }
  } catch (error) {
    await source.close()
    signal?.throwIfAborted()
    throw located(error, { file: inputName(input) })
  }
}

/** @throws what `openArrowFile` throws; `MR_DUPLICATE_COLUMN` */
export async function describeFile(
  input: InputDescriptor,
  openFile: OpenFile | null,
  signal?: AbortSignal,
): ReturnType<FormatDescriber['describeFile']> {
  const { index, source } = await openArrowFile(input, openFile, null, signal)
  const own = await pinned(input, source).finally(() => source.close())
  const { fields, parts, columnBytes, nullCounts, rowCount } = index
  const schema = arrowSchema(index)
  const columnOf = new Map(fields.map(({ name }, column) => [name, column]))
  const file: DescribedFile = {
    schema,
    rowCount,
    parts,
    index,
    candidates: () => [...parts.keys()],
    // What a part's rows take on average.
    byteLength: (part, names) => {
      const bytes = names.reduce((sum, name) => sum + (columnBytes[columnOf.get(name) ?? -1] ?? 0), 0)
      return Math.round((bytes * (parts[part]?.rowCount ?? 0)) / Math.max(1, rowCount))
    },
    hasNoNulls: name => nullCounts[columnOf.get(name) ?? -1] === 0,
  }
  return { input: own, file }
}

/** All columns. One that cannot be read has an empty struct for its type; reading it is the error that names its Arrow type. */
export const arrowSchema = ({ fields }: Pick<ArrowIndex, 'fields'>): SchemaShape =>
  schemaOf(fields.map(({ name, type }) => ({ name, type: type ?? struct({}) })))
