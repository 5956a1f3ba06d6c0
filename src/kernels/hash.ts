/**
 * Group index by hashing key words: serves keys of any domain. The table is drawn in assembly/hash.ts; small domains are
 * direct.ts's.
 */
import type { Kernels } from './instance.js'
import type { KeyStore } from './key-store.js'

/** Rows that a kernel call takes at a time, and so the room it needs below the limit: `BLOCK` in assembly/hash.ts. */
const BLOCK_ROWS = 1024
const HEADER_BYTES = 40
const LEAST_SLOTS_LOG2 = 12

export interface HashIndex {
  /**
   * Writes one group index per row to `groups` (u32, caller's); new keys open groups in row order, in `store`. `keys` points to
   * the rows' key words, or to their 32-bit keys. `expected` new ones get room at once.
   */
  find(keys: number, rowCount: number, groups: number, expected?: number): void
  free(): void
}

/**
 * An index over the groups that `store` holds already; it alone adds to the store from now on. `keyBytes` is 4 where keys are
 * given as 32-bit elements, 8 where as words. `expected` groups get room at once.
 */
export function createHashIndex(k: Kernels, store: KeyStore, keyBytes: 4 | 8, expected = 0): HashIndex {
  const { exports, memory } = k
  const inSlot = store.width === 1 ? keyBytes : 0
  const slotBytes = inSlot === 8 ? 16 : 8
  const findIn = inSlot === 8 ? exports.hashFindOne : inSlot === 4 ? exports.hashFindHalf : exports.hashFindMany
  const header = memory.allocate(HEADER_BYTES)
  const multipliers = multipliersOf(k)
  let slots = 0
  let slotsLog2 = 0

  const limit = () => 2 ** (slotsLog2 - 1)
  // At most half full: a key is then in its first slot four times out of five.
  const grow = (groups: number) => {
    slotsLog2 = Math.max(LEAST_SLOTS_LOG2, slotsLog2 + 1)
    while (limit() < groups + BLOCK_ROWS) slotsLog2++
    const byteLength = slotBytes * 2 ** slotsLog2
    store.reserve(limit())
    memory.free(slots)
    slots = 0
    slots = memory.allocate(byteLength)
    memory.u8.fill(0xff, slots, slots + byteLength)
    memory.u32.set(
      [slots, store.pointer, store.count, limit(), 64 - slotsLog2, store.width, ...multipliers],
      header >>> 2,
    )
    exports.hashFill(header, inSlot)
  }
  try {
    grow(Math.max(expected, store.count))
  } catch (error) {
    memory.free(header)
    throw error
  }

  return {
    find(keys, rowCount, groups, more = 0) {
      if (store.count + more > limit()) grow(store.count + more)
      const mark = memory.mark()
      const misses = memory.scratch(4 * BLOCK_ROWS + 4)
      for (let row = 0; row < rowCount; ) {
        row = findIn(header, keys, row, rowCount, groups, misses) >>> 0
        store.count = memory.u32[(header >>> 2) + 2]
        if (row < rowCount) grow(store.count)
      }
      memory.reset(mark)
    },
    free() {
      memory.free(slots)
      memory.free(header)
    },
  }
}

/** The secret of hash-table.ts: two u64, each as two u32, the lesser first. */
const multipliersOf = ({ seed }: Kernels): number[] => [
  word(seed, 1) | 1,
  word(seed, 2),
  word(seed, 3) | 1,
  word(seed, 4),
]

/** The same as kernels take it. */
export function secretOf(k: Kernels): { readonly a: bigint; readonly b: bigint } {
  const [a, b] = new BigUint64Array(Uint32Array.from(multipliersOf(k)).buffer)
  return { a, b }
}

/** 32 bits of the `index`th number that follows from a seed: the finalizer of MurmurHash3. */
function word(seed: number, index: number): number {
  let h = seed + Math.imul(index, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
