/**
 * The group table: turns key columns into group indices. It knows no aggregates (aggregate/aggregation.ts). Small key domains are indexed
 * directly (direct.ts), and an index is then a place in the domain; where the values seen stop fitting, the groups move to a hash table (hash.ts),
 * whose indices are dense and in order of first appearance.
 */
import type { DataType } from '../columnar/type.js'
import { createDirectIndex, type DirectIndex, mayIndexDirectly, promisedBounds } from './direct.js'
import { createHashIndex, type HashIndex } from './hash.js'
import type { Kernels } from './instance.js'
import { createKeyStore } from './key-store.js'
import { type KeyBounds, type KeyLayout, layoutHolds, layoutKeys, packKeys, unpackKeys } from './key-words.js'
import type { LaneVector } from './lane-vector.js'
import type { LaneDictionary } from './text.js'

export interface GroupTable {
  /** Groups so far. Without keys there is one group from the start. */
  readonly length: number
  /** Every index is below this; there may be indices without a group. */
  readonly indexCount: number
  /** u32 pointer, kept: the indices of the groups in order of first appearance; 0 where group g has index g. */
  readonly order: number
  /** How several keys, and those of large domains, are packed. */
  readonly layout: KeyLayout
  /** What finds groups by slots; null where they are hashed. */
  readonly direct: DirectIndex | null
  /** Whose codes string keys are, by key; null before the first row. */
  readonly dictionaries: (LaneDictionary | null)[]
  /** What finds groups now, for `explain`: `single`, `direct`, `direct composite`, `hash 32`, `hash 64` or `hash 3 words`. */
  readonly kernel: string
  /**
   * Makes the table take these rows; call it before `find`. Where groups that there are get other indices, it says which: in scratch, or kept by the
   * table until it is called again. A column whose type is not nullable here has no nulls.
   * @throws MillraceError `MR_MEMORY_LIMIT`
   */
  cover(keys: readonly LaneVector[], rowCount: number): Move | null
  /**
   * One group index per row, as a u32 pointer in scratch or the column's own (0 without keys: every row is of group 0); adds new groups, for `expected`
   * of which there is room at once. All string columns given for one key must have codes of one dictionary.
   * @throws MillraceError `MR_MEMORY_LIMIT`
   */
  find(keys: readonly LaneVector[], rowCount: number, expected?: number): number
  /** Has groups found by an index of more slots than the table would make; there are none yet. */
  adopt(index: DirectIndex): void
  /**
   * One vector per key, `length` rows in order of first appearance, in scratch. One zero (+0) and one NaN; null is a value of its
   * own. String keys keep their dictionary (null before the first row).
   */
  keys(): LaneVector[]
  /** Those of the groups with these indices (u32 pointer), in scratch. */
  keysAt(indices: number, count: number): LaneVector[]
  free(): void
}

/** `count` groups got the index `to[i]` in the place of `from[i]`: u32 pointers, 0 where that is i. */
export interface Move {
  readonly from: number
  readonly to: number
  readonly count: number
}

const SINGLE: GroupTable = {
  length: 1,
  indexCount: 1,
  order: 0,
  layout: { width: 0, fields: [], storedBytes: 0 },
  direct: null,
  dictionaries: [],
  kernel: 'single',
  cover: () => null,
  find: () => 0,
  adopt: () => {},
  keys: () => [],
  keysAt: () => [],
  free: () => {},
}

/** @param mostSlots of direct indexing. */
export function createGroupTable(k: Kernels, keyTypes: readonly DataType[], mostSlots?: number): GroupTable {
  if (keyTypes.length === 0) return SINGLE
  const { memory } = k
  let layout = layoutKeys(keyTypes)
  let store = createKeyStore(k, layout.width)
  const dictionaries: (LaneDictionary | null)[] = keyTypes.map(() => null)
  let direct: DirectIndex | null = mayIndexDirectly(keyTypes) ? createDirectIndex(k, keyTypes, mostSlots) : null
  let hash: HashIndex | null = null
  let isFitted = false

  /** Another layout for words: what the store has is packed anew. */
  const layOut = (next: KeyLayout) => {
    const { count } = store
    const mark = memory.mark()
    const keys = count === 0 ? [] : unpackKeys(k, layout, store.pointer, count, dictionaries)
    const moved = createKeyStore(k, next.width)
    try {
      moved.reserve(count)
      if (count > 0) packKeys(k, next, keys, 0, count, moved.pointer)
    } catch (error) {
      moved.free()
      throw error
    }
    moved.count = count
    memory.reset(mark)
    hash?.free()
    hash = null
    store.free()
    store = moved
    layout = next
  }

  /** Words as narrow as is known to be enough; once that proves wrong, as wide as the types. */
  const fitLayout = (bounds: readonly KeyBounds[]) => {
    if (keyTypes.length === 1) return
    if (!isFitted) layOut(layoutKeys(keyTypes, bounds))
    else if (!layoutHolds(layout, bounds)) layOut(layoutKeys(keyTypes))
    isFitted = true
  }

  /** The groups of the direct index into the hash table's store, in order. */
  const leaveDirect = (index: DirectIndex): Move | null => {
    const count = index.length
    // Rows that come from elsewhere may be known to span less.
    fitLayout(index.spans)
    const from = memory.scratch(4 * count)
    memory.u8.copyWithin(from, index.order, index.order + 4 * count)
    if (count > 0) {
      const keys = index.keys(dictionaries)
      store.reserve(count)
      packKeys(k, layout, keys, 0, count, store.pointer)
      store.count = count
    }
    index.free()
    direct = null
    return count === 0 ? null : { from, to: 0, count }
  }

  return {
    get length() {
      return direct === null ? store.count : direct.length
    },
    get indexCount() {
      return direct === null ? store.count : direct.slotCount
    },
    get order() {
      return direct === null ? 0 : direct.order
    },
    get layout() {
      return layout
    },
    get direct() {
      return direct
    },
    dictionaries,
    get kernel() {
      if (direct !== null) return keyTypes.length === 1 ? 'direct' : 'direct composite'
      if (layout.width > 1) return `hash ${layout.width} words`
      return layout.storedBytes === 4 ? 'hash 32' : 'hash 64'
    },
    cover(columns, rowCount) {
      for (const [i, { dictionary }] of columns.entries()) dictionaries[i] = dictionary
      if (direct !== null) {
        const count = direct.length
        const outcome = direct.cover(columns, rowCount)
        if (outcome !== 'refused')
          return outcome === 'moved' && count > 0 ? { from: direct.before, to: direct.order, count } : null
      }
      fitLayout(columns.map(promisedBounds))
      return direct === null ? null : leaveDirect(direct)
    },
    find(columns, rowCount, expected) {
      if (direct !== null) return direct.find(columns, rowCount)
      const groups = memory.scratch(4 * rowCount)
      const mark = memory.mark()
      hash ??= createHashIndex(k, store, layout.storedBytes === 4 ? 4 : 8)
      if (rowCount > 0) hash.find(wordsOf(k, layout, columns, rowCount), rowCount, groups, expected)
      memory.reset(mark)
      return groups
    },
    adopt(index) {
      direct = index
    },
    keys: () =>
      direct === null ? unpackKeys(k, layout, store.pointer, store.count, dictionaries) : direct.keys(dictionaries),
    keysAt(indices, count) {
      if (direct !== null) throw new Error('groups of a direct index are asked for all together')
      const bytes = 8 * layout.width
      const words = memory.scratch(bytes * count)
      k.exports.statesTake(store.pointer, bytes, bytes, indices, count, words)
      return unpackKeys(k, layout, words, count, dictionaries)
    },
    free() {
      direct?.free()
      hash?.free()
      store.free()
    },
  }
}

function wordsOf(k: Kernels, layout: KeyLayout, columns: readonly LaneVector[], rowCount: number): number {
  if (layout.storedBytes !== 0) return columns[0].data
  const words = k.memory.scratch(8 * layout.width * rowCount)
  packKeys(k, layout, columns, 0, rowCount, words)
  return words
}
