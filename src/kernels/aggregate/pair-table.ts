/**
 * Pairs of a group and a value, and how often each came: a group table (../group.ts) of which they are the keys, and a count for each. What multiset.ts is
 * made of; drawn in assembly/aggregate/multiset.ts.
 */
import { type DataType, uint32 } from '../../columnar/type.js'
import { createGroupTable } from '../group.js'
import type { Kernels } from '../instance.js'
import type { LaneVector } from '../lane-vector.js'
import { take } from '../select.js'
import { numbers } from './accumulator.js'
import { createGroupArray } from './group-array.js'
import { statesOf } from './state-bytes.js'

/** Pairs side by side, in scratch or as they are kept. */
export interface Pairs {
  /** u32 pointer: groups, or what stands for them; 0 where all are of group 0. */
  readonly groups: number
  readonly values: LaneVector
  /** i64 pointer. */
  readonly counts: number
  readonly length: number
}

export interface PairTable {
  /** Pairs there have been; some may have no rows any more. */
  readonly length: number
  /** Pairs that have rows. */
  readonly live: number
  readonly kernel: string
  /**
   * Adds the i64 weights at `weights`, or where that is 0 `weight` for each, to the pairs of these rows, at least one. `groups` is 0 where all are of group 0;
   * some `expected` of the pairs are new.
   */
  add(values: LaneVector, groups: number, weights: number, weight: bigint, expected?: number): void
  /** Adds to `distinct` (u32 pointer) how many pairs that have rows there are of each group. */
  countDistinct(distinct: number): void
  /** All pairs there have been. */
  pairs(): Pairs
  /**
   * Those that have rows and whose group has a place (u32; 0xffffffff is none) in `places`, or with 0 all; `groups` are the places.
   */
  chosen(places: number): Pairs
  free(): void
}

/**
 * While `groupCount` is 1 the values alone are keys. No row may be of a group that is not below.
 *
 * @param distinct where pairs that have rows are counted, u32 a group, or 0
 */
export function createPairTable(
  k: Kernels,
  type: DataType,
  groupCount: () => number,
  distinct: () => number,
): PairTable {
  const { exports, memory } = k
  const keyed = groupCount() > 1
  const table = createGroupTable(k, keyed ? [uint32(), type] : [type])
  let counts = createGroupArray(k, 8)
  let live = 0

  const counted = (order: number, length: number): number =>
    statesOf(k, { pointer: counts.pointer, stride: 8 }, 8, order, length)

  const pairs = (): Pairs => {
    const { length, order } = table
    const columns = table.keys()
    const groups = keyed ? columns[0].data : 0
    return { groups, values: columns[columns.length - 1], counts: counted(order, length), length }
  }

  return {
    get length() {
      return table.length
    },
    get live() {
      return live
    },
    get kernel() {
      return table.kernel
    },
    add(values, groups, weights, weight, expected) {
      const { length } = values
      const columns = [values]
      if (keyed) {
        const range = { min: 0n, max: BigInt(groupCount() - 1) }
        columns.unshift({ ...numbers(uint32(), length, groups || zeros(k, length)), range })
      }
      const move = table.cover(columns, length)
      if (move !== null) {
        const moved = createGroupArray(k, 8)
        moved.resize(table.indexCount)
        exports.multisetMove(counts.pointer, move.from, moved.pointer, move.to, move.count)
        counts.free()
        counts = moved
      }
      const found = table.find(columns, length, expected)
      counts.resize(table.indexCount)
      live += exports.multisetAdd(counts.pointer, found, length, weights, weight, groups, distinct())
    },
    countDistinct(pointer) {
      if (table.length === 0) return
      const mark = memory.mark()
      const { groups, counts: weights, length } = pairs()
      exports.multisetDistinct(groups, weights, length, pointer)
      memory.reset(mark)
    },
    pairs,
    chosen(places) {
      const all = pairs()
      const order = memory.scratch(4 * all.length + 4)
      const groups = memory.scratch(4 * all.length + 4)
      const length = exports.multisetChoose(all.groups, all.counts, all.length, places, order, groups) >>> 0
      const weights = statesOf(k, { pointer: all.counts, stride: 8 }, 8, order, length)
      return { groups, values: take(k, all.values, order, length), counts: weights, length }
    },
    free() {
      table.free()
      counts.free()
    },
  }
}

/** u32 zeros in scratch. */
export function zeros({ memory }: Kernels, count: number): number {
  const pointer = memory.scratch(4 * count)
  memory.u32.fill(0, pointer >>> 2, (pointer >>> 2) + count)
  return pointer
}
