/**
 * Brings record batches into a lane's memory, column by column with one growing dictionary each, however many dictionaries the batches come with.
 * Owns the dictionaries that it makes; those that it was given stay whose they were.
 */
import { leafType } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'
import { loadBatch } from '../kernels/transfer-batch.js'
import type { OperatorContext } from './build.js'

export interface BatchLoader {
  /** The batch in scratch. All batches of one loader have the same columns. */
  load(batch: VectorBatch): LaneBatch
  /** From now on column `i` is coded by `dictionary`, unless it has one already. */
  adopt(i: number, dictionary: LaneDictionary): void
  close(): void
}

export function createBatchLoader({ k, dictionaries: pool }: OperatorContext): BatchLoader {
  const dictionaries: (LaneDictionary | null)[] = []
  const own = new Set<LaneDictionary>()
  return {
    load(batch) {
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
      )
    },
    adopt(i, dictionary) {
      dictionaries[i] ??= dictionary
    },
    close() {
      for (const dictionary of own) pool.release(dictionary)
      own.clear()
      dictionaries.length = 0
    },
  }
}
