/**
 * Brings record batches into a lane's memory, column by column with one growing dictionary each, however many dictionaries the batches come with.
 * Retains its dictionaries, those that it was given too, until it is closed: rows and groups that are kept have codes of them.
 */
import { leafType } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'
import { loadBatch, type Place } from '../kernels/transfer-batch.js'
import type { OperatorContext } from './build.js'

export interface BatchLoader {
  /** The batch in scratch, or in heap blocks that are the caller's to free. All batches of one loader have the same columns. */
  load(batch: VectorBatch, place?: Place): LaneBatch
  /** From now on column `i` is coded by `dictionary`, unless it has one already. */
  adopt(i: number, dictionary: LaneDictionary): void
  /** That of column `i`; null where there is none yet. */
  of(i: number): LaneDictionary | null
  /** Of its dictionaries: strings, and what finds them. */
  readonly byteLength: number
  /** Forgets its dictionaries; what is loaded next has new ones. */
  close(): void
}

export function createBatchLoader({ k, dictionaries: pool }: OperatorContext): BatchLoader {
  const dictionaries: (LaneDictionary | null)[] = []
  const own = new Set<LaneDictionary>()
  return {
    load(batch, place) {
      batch.vectors.forEach(({ type }, i) => {
        if (leafType(type).kind !== 'utf8' || dictionaries[i]) return
        const dictionary = pool.create()
        own.add(dictionary)
        dictionaries[i] = dictionary
      })
      return loadBatch(
        k,
        batch,
        batch.vectors.map((_, i) => dictionaries[i] ?? null),
        place,
      )
    },
    adopt(i, dictionary) {
      if (dictionaries[i]) return
      dictionaries[i] = dictionary
      if (own.has(dictionary)) return
      own.add(dictionary)
      pool.retain(dictionary)
    },
    of: i => dictionaries[i] ?? null,
    get byteLength() {
      let bytes = 0
      for (const dictionary of own) bytes += dictionary.storedBytes
      return bytes
    },
    close() {
      for (const dictionary of own) {
        // Others may keep it for long, and it would keep the dictionaries that batches came with.
        dictionary.forgetMaps()
        pool.release(dictionary)
      }
      own.clear()
      dictionaries.length = 0
    },
  }
}
