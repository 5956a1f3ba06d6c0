/** Keys of groups that come from elsewhere: their strings get codes of the dictionaries that those of rows have, or will have. */
import type { VectorBatch } from '../columnar/vector.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { createBatchLoader } from './batch-loader.js'
import type { OperatorContext } from './build.js'
import type { OneDictionary } from './one-dictionary.js'

export interface KeyLoader {
  load(batch: VectorBatch): readonly LaneVector[]
  /** Once the dictionaries of rows are others. */
  close(): void
}

/** @param texts of rows. @param columns of these, the keys */
export function createKeyLoader(context: OperatorContext, texts: OneDictionary, columns: readonly number[]): KeyLoader {
  const loader = createBatchLoader(context)
  return {
    load(batch) {
      const known = columns.map(i => texts.of(i))
      for (const [key, dictionary] of known.entries()) if (dictionary !== null) loader.adopt(key, dictionary)
      const loaded = loader.load(batch).columns
      for (const [key, i] of columns.entries()) {
        const dictionary = loader.of(key)
        if (known[key] === null && dictionary !== null) texts.adopt(i, dictionary)
      }
      return loaded
    },
    close: () => loader.close(),
  }
}
