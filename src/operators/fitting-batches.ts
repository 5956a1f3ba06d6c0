/** Batches as small as a small budget wants them: a source knows no budget, and what it gives at once may be more than that. */
import { leafType } from '../columnar/type.js'
import { usedStrings } from '../columnar/used-strings.js'
import { itemsOf, sliceVector, type Vector, type VectorBatch } from '../columnar/vector.js'

const LEAST_ROWS = 1024
/** What a string takes in a lane's dictionary beside its bytes: its offset, two slots at least, and all that again while it grows. */
const ENTRY_BYTES = 40

/**
 * The rows of a batch in batches of which each takes about `byteLength` in a lane, or has few rows. Where a dictionary by itself takes more than `textBytes`
 * it is replaced by one of the strings that the rows use.
 */
export function* fittingBatches(batch: VectorBatch, byteLength: number, textBytes = byteLength): Iterable<VectorBatch> {
  const { rowCount, vectors } = batch
  const perRow = vectors.reduce((sum, vector) => sum + rowBytes(vector, textBytes), 0)
  const count = Math.max(LEAST_ROWS, 8 * Math.floor(byteLength / Math.max(1, perRow) / 8))
  const isLong = (vector: Vector): boolean =>
    vector.child ? isLong(vector.child) : vector.dictionary !== null && dictionaryBytes(vector) > textBytes
  if (count >= rowCount && !vectors.some(isLong)) {
    yield batch
    return
  }
  for (let from = 0; from < rowCount; from += count) {
    const to = Math.min(rowCount, from + count)
    const own = vectors.map(vector => {
      const rows = sliceVector(vector, from, to)
      return isLong(vector) ? narrowed(rows) : rows
    })
    yield { rowCount: to - from, vectors: own }
  }
}

function narrowed(vector: Vector): Vector {
  if (!vector.child) return usedStrings(vector)
  const { offsets, items } = itemsOf(vector)
  return { ...vector, offsets, child: narrowed(items) }
}

/** Bytes of a row in a lane, about, with its strings if no two rows have the same: of few rows those of a dictionary beyond `textBytes` may all differ. */
function rowBytes(vector: Vector, textBytes: number): number {
  const { type, length, data, offsets, dictionary, child } = vector
  if (length === 0) return 0
  if (child) return 4 + (rowBytes(child, textBytes) * child.length) / length
  if (leafType(type).kind !== 'utf8') return data.byteLength / Math.max(1, data.length)
  const strings = dictionary === null ? (offsets?.[length] ?? 0) - (offsets?.[0] ?? 0) : dictionaryBytes(vector)
  const entries = dictionary === null ? length : dictionary.length
  const each = strings / Math.max(1, entries) + (dictionary === null ? ENTRY_BYTES : 0)
  return 4 + each * (dictionaryBytes(vector) > textBytes ? 1 : Math.min(1, entries / length))
}

const dictionaryBytes = ({ dictionary }: Vector): number =>
  dictionary === null ? 0 : dictionary.byteLength + ENTRY_BYTES * dictionary.length
