/** Columns of several batches end to end in a lane's memory: copied once, as those of one batch are, so that a step is of many rows whatever batches they come in. */
import type { RecordBatch } from '../columnar/record-batch.js'
import { MORSEL_ROWS, type Vector } from '../columnar/vector.js'
import { bitmapBytes, copyBits } from '../kernels/bitmap.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { elementBytes } from '../kernels/operand.js'
import type { LaneDictionary } from '../kernels/text.js'
import { loadVector } from '../kernels/transfer-batch.js'
import type { BatchLoader } from '../operators/batch-loader.js'
import type { OperatorContext } from '../operators/build.js'

/** Whether there is a way for columns of this kind. */
const canLoadTogether = ({ type }: Vector): boolean => type.kind !== 'list' && type.kind !== 'bool'

export const rowsOf = (batches: readonly RecordBatch[]): number =>
  batches.reduce((sum, { rowCount }) => sum + rowCount, 0)

/** These columns of batches as one, in scratch, strings coded by what `loader` has for them; null where there is no way, or there are too many rows. @param batches at least one */
export function loadAll(
  { k, dictionaries }: OperatorContext,
  batches: readonly RecordBatch[],
  columns: readonly number[],
  loader: BatchLoader,
): LaneBatch | null {
  const rowCount = rowsOf(batches)
  const parts = columns.map(i => batches.map(({ vectors }) => vectors[i] as Vector))
  if (batches.length === 1) return loader.load({ rowCount, vectors: parts.map(([only]) => only as Vector) })
  if (rowCount > MORSEL_ROWS || !parts.every(([first]) => canLoadTogether(first as Vector))) return null
  const loaded = parts.map((each, i) => {
    if (each[0]?.type.kind === 'utf8' && loader.of(i) === null) {
      const dictionary = dictionaries.create()
      loader.adopt(i, dictionary)
      dictionaries.release(dictionary)
    }
    return loadTogether(k, each, loader.of(i))
  })
  return { rowCount, columns: loaded }
}

/** In scratch. @param parts of one column, at least one, of kinds that can be; `dictionary` is what strings are coded by */
function loadTogether(k: Kernels, parts: readonly Vector[], dictionary: LaneDictionary | null): LaneVector {
  const { memory } = k
  const [first] = parts as [Vector]
  if (parts.length === 1) return loadVector(k, first, dictionary)
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const width = elementBytes(first.type.kind)
  const data = memory.scratch(width * length)
  let validity = 0
  if (parts.some(part => part.validity !== null)) {
    validity = memory.scratch(bitmapBytes(length))
    memory.bytes(validity, bitmapBytes(length)).fill(0xff)
  }
  let at = 0
  for (const part of parts) {
    if (dictionary === null && part.validity === null) {
      const { buffer, byteOffset } = part.data
      memory.u8.set(new Uint8Array(buffer, byteOffset, width * part.length), data + width * at)
    } else {
      const mark = memory.mark()
      const loaded = loadVector(k, part, dictionary)
      memory.u8.copyWithin(data + width * at, loaded.data, loaded.data + width * part.length)
      if (loaded.validity !== 0) copyBits(k, loaded.validity, 0, validity, at, part.length)
      memory.reset(mark)
    }
    at += part.length
  }
  const type = parts.find(part => part.type.nullable)?.type ?? first.type
  return { type, length, data, validity, dictionary, range: null, child: null }
}
