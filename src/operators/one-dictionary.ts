/**
 * Has every column of strings keep one dictionary, whatever the batches come with, until it is let go: what is kept has codes, and where something has
 * spilled, what feeds it begins new dictionaries (lane-job.ts), and so does what is read back.
 */
import { leafType } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'
import { loadBatch, loadVector, recodeText, unloadVector } from '../kernels/transfer-batch.js'
import { narrowed } from './batch-bytes.js'
import type { OperatorContext } from './build.js'

export interface OneDictionary {
  /** The same rows; a column with strings of another dictionary than the first one's is recoded, in scratch. */
  recode(batch: LaneBatch): LaneBatch
  /** Bytes that `recode` takes, about: dictionaries grow by doubling, old and new being there at once. */
  toCome(batch: LaneBatch): number
  /** The batch in scratch, coded likewise. */
  load(batch: VectorBatch): LaneBatch
  /** Of column `i`, null where none has come. */
  of(i: number): LaneDictionary | null
  /** From now on column `i` keeps this one, which is retained; it has none yet. */
  adopt(i: number, dictionary: LaneDictionary): void
  /** Forgets the dictionaries. */
  clear(): void
}

/** @param adopts whether the first dictionary that comes is kept, and gets what the others have; otherwise it is not written to. */
export function createOneDictionary(
  { k, dictionaries: pool }: OperatorContext,
  adopts = (_first: LaneDictionary): boolean => true,
): OneDictionary {
  let known: (LaneDictionary | null)[] = []
  const recode = (column: LaneVector, i: number): LaneVector => {
    const theirs = dictionaryOf(column)
    if (theirs === null) return column
    if (!known[i] && adopts(theirs)) {
      known[i] = theirs
      pool.retain(theirs)
    }
    known[i] ??= pool.create()
    const own = known[i] as LaneDictionary
    if (own === theirs) return column
    return isLong(theirs, column) ? loadVector(k, unloadVector(k, column), own) : recodeText(k, column, own)
  }
  return {
    recode: batch => ({ rowCount: batch.rowCount, columns: batch.columns.map(recode) }),
    toCome({ columns }) {
      let bytes = 0
      for (const [i, column] of columns.entries()) {
        const theirs = dictionaryOf(column)
        if (theirs === null || !known[i] || known[i] === theirs) continue
        const { length } = column.child ?? column
        bytes += 4 * theirs.storedBytes * (isLong(theirs, column) ? Math.min(1, length / theirs.length) : 1)
      }
      return bytes
    },
    load(batch) {
      batch.vectors.forEach(({ type }, i) => {
        if (leafType(type).kind === 'utf8') known[i] ??= pool.create()
      })
      return loadBatch(
        k,
        narrowed(batch),
        batch.vectors.map((_, i) => known[i] ?? null),
      )
    },
    of: i => known[i] ?? null,
    adopt(i, dictionary) {
      known[i] = dictionary
      pool.retain(dictionary)
    },
    clear() {
      for (const dictionary of known) if (dictionary) pool.release(dictionary)
      known = []
    },
  }
}

/** Whether only what the column uses of its dictionary is looked at. That of a block that was read back has little else, and cannot be unloaded (batch-bytes.ts). */
const isLong = (theirs: LaneDictionary, column: LaneVector): boolean =>
  'toDictionary' in theirs && theirs.length > 4 * column.length + 1024

/** What an entry of a dictionary takes in another, while that grows. */
export const entryBytes = ({ byteLength, length }: LaneDictionary): number =>
  2 * (byteLength / Math.max(1, length) + 24)
