/**
 * The Arrow reader as a lane extension: the one module that lanes get. Where the batches are is known already, or found by file-index.ts.
 * What crosses its border is plain, see the Parquet reader's.
 */
import { MORSEL_ROWS } from '../../columnar/vector.js'
import { MillraceError, quote, unknownColumn } from '../../errors.js'
import type { InputDescriptor, OpenFile } from '../byte-source.js'
import { corrupt } from '../fault.js'
import type { FormatReader } from '../format.js'
import { inputName } from '../input-name.js'
import type { PlainBatch } from '../plain-batch.js'
import { type ArrowArray, type BatchContext, readArray } from './arrays.js'
import { createRangeReader, openBody, type RangeReader } from './body.js'
import { type Dictionaries, openDictionaries } from './dictionaries.js'
import type { ArrowField } from './field.js'
import { located, openArrowFile } from './file.js'
import { type ArrowIndex, type BatchBlock, evenRows, messageIn } from './file-index.js'
import { placesOf } from './places.js'
import type { Repairs } from './texts.js'
import { vectorOf } from './vectors.js'

/** Bytes of the columns asked for that a morsel has on average: fewer rows of long strings are handed on at a time. */
const MORSEL_BYTES = 16 * 2 ** 20

/** Rows of one batch, as read. */
interface Slice {
  readonly batch: number
  readonly firstRow: number
  readonly rowCount: number
  readonly arrays: readonly ArrowArray[]
}

/**
 * Opens an Arrow file or stream for reading its rows.
 * @param known the index of another reader of the same input.
 * @throws what `openArrowFile` throws
 */
export async function open(
  input: InputDescriptor,
  openFile: OpenFile | null = null,
  known: unknown = null,
): Promise<FormatReader> {
  const { index, source } = await openArrowFile(input, openFile, known as ArrowIndex | null)
  const file = inputName(input)
  const repairs: Repairs = { illFormedCount: 0 }
  const reader = createRangeReader(source)
  const columnOf = new Map(index.fields.map(({ name }, column) => [name, column]))
  let dictionaries: Dictionaries
  try {
    dictionaries = openDictionaries(index, reader, repairs)
  } catch (error) {
    await source.close()
    throw located(error, { file })
  }
  let isOpen = true
  return {
    async *read(part, names, signal) {
      if (!isOpen) throw new MillraceError('MR_CLOSED', 'arrow: the reader is closed', { file })
      const columns = names.map(name => readable(index, name, columnOf.get(name), file))
      const own = index.parts[part]
      if (own === undefined)
        throw new MillraceError(
          'MR_INVALID_OPTION',
          `there is no part ${part} of ${quote(file)}, which has ${index.parts.length}`,
          { file },
        )
      const fields = columns.map(column => index.fields[column] as ArrowField)
      const bytes = columns.reduce((sum, column) => sum + (index.columnBytes[column] as number), 0)
      const morselRows = Math.min(MORSEL_ROWS, evenRows((MORSEL_BYTES * index.rowCount) / Math.max(1, bytes)))
      signal?.throwIfAborted()
      const slices = await Promise.all(
        slicesOf(index, own).map(slice => readSlice(index, reader, dictionaries, columns, slice, file)),
      )
      for (const { batch, firstRow, rowCount, arrays } of slices) {
        for (let row = 0; row < rowCount; row += morselRows) {
          signal?.throwIfAborted()
          const end = Math.min(row + morselRows, rowCount)
          const vectors = arrays.map((array, i) => {
            const field = fields[i] as ArrowField
            try {
              return vectorOf(field, array, row, end, repairs)
            } catch (error) {
              throw located(error, { file, batch, column: field.name }, firstRow + row)
            }
          })
          yield { rowCount: end - row, vectors, illFormedCount: repairs.illFormedCount } satisfies PlainBatch
          repairs.illFormedCount = 0
        }
      }
    },
    async close() {
      if (!isOpen) return
      isOpen = false
      await source.close()
    },
  }
}

/** The position of a column, where it can be read. */
function readable({ fields }: ArrowIndex, name: string, column: number | undefined, file: string): number {
  const field = column === undefined ? undefined : fields[column]
  if (column === undefined || field === undefined)
    throw unknownColumn(
      name,
      fields.map(known => known.name),
      `arrow ${quote(file)}`,
    )
  if (field.type === null) {
    throw located(
      new MillraceError(
        'MR_TYPE_MISMATCH',
        `it is ${field.arrowName}, which this version does not read; leave it out with select or drop`,
      ),
      { file, column: name },
    )
  }
  return column
}

/** A part's rows, batch by batch: rows [from, to) of each. */
function slicesOf({ batches }: ArrowIndex, { firstRow, rowCount, batch }: ArrowIndex['parts'][number]) {
  const slices: { batch: number; from: number; to: number }[] = []
  for (let i = batch; i < batches.length; i++) {
    const block = batches[i] as BatchBlock
    const from = Math.max(0, firstRow - block.firstRow)
    const to = Math.min(block.rowCount, firstRow + rowCount - block.firstRow)
    if (block.firstRow >= firstRow + rowCount) break
    if (from < to) slices.push({ batch: i, from, to })
  }
  return slices
}

async function readSlice(
  index: ArrowIndex,
  reader: RangeReader,
  dictionaries: Dictionaries,
  columns: readonly number[],
  { batch, from, to }: { batch: number; from: number; to: number },
  file: string,
): Promise<Slice> {
  const block = index.batches[batch] as BatchBlock
  const { at, metadataLength } = block
  const slice = { batch, firstRow: block.firstRow + from, rowCount: to - from }
  if (columns.length === 0) return { ...slice, arrays: [] }
  try {
    const message = messageIn(await reader.read(at, at + metadataLength), block)
    if (message.kind !== 'batch' || message.batch.rowCount !== block.rowCount)
      throw corrupt('there was another batch here: the input changed while it was read', at)
    const header = message.batch
    const places = placesOf(index.fields, header, at)
    const body = openBody(reader, header, at + metadataLength)
    const context: BatchContext = { header, body, dictionaryOf: id => dictionaries.find(id, at) }
    const arrays = await Promise.all(
      columns.map(async column => {
        const field = index.fields[column] as ArrowField
        try {
          return await readArray(context, field, places[column] as (typeof places)[number], from, to)
        } catch (error) {
          throw located(error, { file, batch, column: field.name })
        }
      }),
    )
    return { ...slice, arrays }
  } catch (error) {
    throw located(error, { file, batch })
  }
}
