/** The order in which groups first appeared, once another lane's groups have joined this one's: drawn in assembly/appearance.ts. */
import type { Kernels } from './instance.js'

export interface Appearance {
  /** The rank of each group by its place (i64 pointer), and the places by rank (u32 pointer): kept until the next `merge`. */
  readonly ranks: number
  readonly sequence: number
  /**
   * Puts another's groups into the order.
   *
   * @param own how many groups there were, of which `ranks` are the ranks where nothing has been merged before
   * @param length how many there are now
   * @param theirs the ranks of the other's `count` groups (i64 pointer), ascending, and `map` the index of each (u32 pointer)
   * @param order the index of each place (u32 pointer), all below `indexCount`; 0 where they are the same
   */
  merge(
    own: number,
    length: number,
    theirs: number,
    count: number,
    map: number,
    order: number,
    indexCount: number,
  ): void
  free(): void
}

/**
 * (split, how manieth group of it) of each group as one ascending number, an i64 pointer in scratch: a split belongs to one lane, so these order all
 * groups, and none is the rank of a row that came once there were all these groups.
 *
 * @param pairs (split, first group that appeared in it)
 * @param start a split of which rows had been taken before: its groups follow those rows
 */
export function ranksOfGroups(
  { exports, memory }: Kernels,
  pairs: ArrayLike<number>,
  groupCount: number,
  start: { readonly split: number; readonly rowCount: number } | null = null,
): number {
  const ranks = memory.scratch(8 * groupCount)
  const mark = memory.mark()
  const list = memory.scratch(8 * pairs.length)
  memory.f64.set(pairs, list >>> 3)
  exports.appearanceRanks(list, pairs.length / 2, groupCount, start?.split ?? -1, start?.rowCount ?? 0, ranks)
  memory.reset(mark)
  return ranks
}

/** @param initial ranks of the `length` groups there are, by place (i64 pointer) */
export function createAppearance(k: Kernels, initial: number, length: number): Appearance {
  const { exports, memory } = k
  let ranks = memory.allocate(8 * length)
  memory.u8.copyWithin(ranks, initial, initial + 8 * length)
  let sequence = 0
  return {
    get ranks() {
      return ranks
    },
    get sequence() {
      return sequence
    },
    merge(own, count, theirs, theirCount, map, order, indexCount) {
      const merged = memory.allocate(4 * count + 4)
      const mark = memory.mark()
      ranks = memory.reallocate(ranks, 8 * count)
      const places = order === 0 ? 0 : memory.scratch(4 * indexCount)
      const moved = memory.scratch(count)
      const earlier = memory.scratch(4 * theirCount + 4)
      exports.appearanceMerge(
        ranks,
        sequence,
        own,
        count,
        theirs,
        theirCount,
        map,
        order,
        places,
        moved,
        earlier,
        merged,
      )
      memory.reset(mark)
      memory.free(sequence)
      sequence = merged
    },
    free() {
      memory.free(ranks)
      memory.free(sequence)
    },
  }
}
