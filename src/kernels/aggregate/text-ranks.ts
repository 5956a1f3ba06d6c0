/** The order of a growing dictionary's entries, for kernels that compare codes: ranks of most of them, kept until the dictionary is much longer. */
import type { Kernels } from '../instance.js'
import type { LaneDictionary } from '../text.js'

export interface TextRanks {
  /** What `textOrder` (assembly/inline.ts) takes: u32 ranks, how many, and the entries for those behind. */
  of(dictionary: LaneDictionary): readonly [ranks: number, ranked: number, offsets: number, bytes: number]
  free(): void
}

/** Ranks are made anew once the dictionary is so much longer: in all, they then cost a few sorts of the last. */
const GROWTH = 1.5

export function createTextRanks({ memory }: Kernels): TextRanks {
  let ranks = 0
  let ranked = 0
  return {
    of(dictionary) {
      const { length } = dictionary
      if (length > ranked * GROWTH) {
        const fresh = dictionary.ranks()
        ranks = memory.reallocate(ranks, 4 * length)
        memory.u8.copyWithin(ranks, fresh, fresh + 4 * length)
        ranked = length
      }
      return [ranks, ranked, dictionary.offsets, dictionary.bytes]
    },
    free() {
      memory.free(ranks)
      ranks = 0
      ranked = 0
    },
  }
}
