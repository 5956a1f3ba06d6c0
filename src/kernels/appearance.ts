/** The order in which groups first appeared, once another lane's groups have joined this one's: drawn in assembly/appearance.ts. */
import type { Kernels } from './instance.js'

export interface Appearance {
  /** The rank of each group by its place, and the places by rank (u32 pointer): kept until the next `merge`. */
  readonly ranks: Float64Array
  readonly sequence: number
  /**
   * Puts another's groups into the order.
   *
   * @param own how many groups there were, of which `ranks` are the ranks where nothing has been merged before
   * @param length how many there are now
   * @param theirs the ranks of the other's groups, ascending, and `map` the index of each (u32 pointer)
   * @param order the index of each place (u32 pointer), all below `indexCount`; 0 where they are the same
   */
  merge(own: number, length: number, theirs: Float64Array, map: number, order: number, indexCount: number): void
  free(): void
}

/** @param ranks of the groups there are, by place */
export function createAppearance(k: Kernels, initial: Float64Array): Appearance {
  const { exports, memory } = k
  let length = initial.length
  let ranks = memory.allocate(8 * length)
  memory.f64.set(initial, ranks >>> 3)
  let sequence = 0
  return {
    get ranks() {
      return memory.f64.slice(ranks >>> 3, (ranks >>> 3) + length)
    },
    get sequence() {
      return sequence
    },
    merge(own, count, theirs, map, order, indexCount) {
      const merged = memory.allocate(4 * count)
      const mark = memory.mark()
      ranks = memory.reallocate(ranks, 8 * count)
      const others = memory.scratch(8 * theirs.length)
      memory.f64.set(theirs, others >>> 3)
      const places = order === 0 ? 0 : memory.scratch(4 * indexCount)
      const moved = memory.scratch(count)
      const earlier = memory.scratch(4 * theirs.length)
      exports.appearanceMerge(
        ranks,
        sequence,
        own,
        count,
        others,
        theirs.length,
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
      length = count
    },
    free() {
      memory.free(ranks)
      memory.free(sequence)
    },
  }
}
