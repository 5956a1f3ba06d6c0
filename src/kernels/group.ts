/**
 * The group table: turns key columns into dense group indices, in order of first appearance. It knows no aggregates
 * (aggregate/aggregation.ts). Small key domains are indexed directly (direct.ts); where the values seen stop fitting, the
 * groups move to a hash table (hash.ts) and keep their indices.
 */
import type { DataType } from '../columnar/type.js'
import { createDirectIndex, type DirectIndex, mayIndexDirectly } from './direct.js'
import { createHashIndex, type HashIndex } from './hash.js'
import type { Kernels } from './instance.js'
import { createKeyStore } from './key-store.js'
import { type KeyLayout, layoutKeys, packKeys, unpackKeys } from './key-words.js'
import type { LaneVector } from './lane-vector.js'
import type { LaneDictionary } from './text.js'

export interface GroupTable {
  /** Groups so far. Without keys there is one group from the start. */
  readonly length: number
  /** What finds groups now, for `explain`: `single`, `direct`, `direct composite`, `hash 32`, `hash 64` or `hash 3 words`. */
  readonly kernel: string
  /**
   * One group index per row, as a u32 pointer in scratch (0 without keys: every row is of group 0); adds new groups. All
   * string columns given for one key must have codes of one dictionary. A column whose type is not nullable here has no nulls.
   * @throws MillraceError `MR_MEMORY_LIMIT`
   */
  find(keys: readonly LaneVector[], rowCount: number): number
  /**
   * One vector per key, `length` rows, in scratch: row g is group g's key. One zero (+0) and one NaN; null is a value of its
   * own. String keys keep their dictionary (null before the first row).
   */
  keys(): LaneVector[]
  free(): void
}

export function createGroupTable(k: Kernels, keyTypes: readonly DataType[]): GroupTable {
  if (keyTypes.length === 0) return { length: 1, kernel: 'single', find: () => 0, keys: () => [], free: () => {} }
  const { memory } = k
  const layout = layoutKeys(keyTypes)
  const store = createKeyStore(k, layout.width)
  const dictionaries: (LaneDictionary | null)[] = keyTypes.map(() => null)
  let direct: DirectIndex | null = mayIndexDirectly(keyTypes) ? createDirectIndex(k, keyTypes) : null
  let hash: HashIndex | null = null

  const keys = () => unpackKeys(k, layout, store.pointer, store.count, dictionaries)

  const findDirectly = (index: DirectIndex, columns: readonly LaneVector[], rowCount: number, groups: number) => {
    const opened = memory.scratch(4 * rowCount)
    const groupCount = index.find(columns, rowCount, store.count, groups, opened)
    const added = groupCount - store.count
    if (added === 0) return
    store.reserve(groupCount)
    packKeys(k, layout, columns, opened, added, store.pointer + 8 * layout.width * store.count)
    store.count = groupCount
  }

  const findByHash = (columns: readonly LaneVector[], rowCount: number, groups: number) => {
    hash ??= createHashIndex(k, store, layout.storedBytes === 4 ? 4 : 8)
    hash.find(wordsOf(k, layout, columns, rowCount), rowCount, groups)
  }

  return {
    get length() {
      return store.count
    },
    get kernel() {
      if (direct !== null) return keyTypes.length === 1 ? 'direct' : 'direct composite'
      if (layout.width > 1) return `hash ${layout.width} words`
      return layout.storedBytes === 4 ? 'hash 32' : 'hash 64'
    },
    find(columns, rowCount) {
      const groups = memory.scratch(4 * rowCount)
      if (rowCount === 0) return groups
      const mark = memory.mark()
      for (const [i, { dictionary }] of columns.entries()) dictionaries[i] = dictionary
      if (direct !== null && !direct.cover(columns, keys)) {
        direct.free()
        direct = null
      }
      if (direct === null) findByHash(columns, rowCount, groups)
      else findDirectly(direct, columns, rowCount, groups)
      memory.reset(mark)
      return groups
    },
    keys,
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
