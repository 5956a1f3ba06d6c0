/**
 * Group index by hashing key words: serves keys of any domain. The table is drawn in assembly/hash.ts; small domains are
 * direct.ts's.
 */
import type { Kernels } from './instance.js'
import type { KeyStore } from './key-store.js'

/** Rows that a kernel call takes at a time, and so the room it needs below the limit: `BLOCK` in assembly/hash.ts. */
const BLOCK_ROWS = 1024
const HEADER_BYTES = 32
const LEAST_SLOTS_LOG2 = 12

export interface HashIndex {
  /** Writes one group index per row to `groups` (u32, caller's); new keys open groups in row order, in `store`. */
  find(words: number, rowCount: number, groups: number): void
  free(): void
}

/** An index over the groups that `store` holds already; it alone adds to the store from now on. */
export function createHashIndex(k: Kernels, store: KeyStore): HashIndex {
  const { exports, memory } = k
  const slotBytes = store.width === 1 ? 16 : 8
  const findIn = store.width === 1 ? exports.hashFindOne : exports.hashFindMany
  const header = memory.allocate(HEADER_BYTES)
  let slots = 0
  let slotsLog2 = 0

  // At most half full: a key is then in its first slot four times out of five.
  const grow = () => {
    slotsLog2 = Math.max(LEAST_SLOTS_LOG2, slotsLog2 + 1)
    while (2 ** (slotsLog2 - 1) < store.count + BLOCK_ROWS) slotsLog2++
    const byteLength = slotBytes * 2 ** slotsLog2
    const limit = 2 ** (slotsLog2 - 1)
    store.reserve(limit)
    memory.free(slots)
    slots = 0
    slots = memory.allocate(byteLength)
    memory.u8.fill(0xff, slots, slots + byteLength)
    const seeds = [k.seed, Math.imul(k.seed, 0x9e3779b1) ^ 0x85ebca6b]
    memory.u32.set([slots, store.pointer, store.count, limit, 64 - slotsLog2, store.width, ...seeds], header >>> 2)
    exports.hashFill(header)
  }
  grow()

  return {
    find(words, rowCount, groups) {
      const mark = memory.mark()
      const misses = memory.scratch(4 * BLOCK_ROWS + 4)
      for (let row = 0; row < rowCount; ) {
        row = findIn(header, words, row, rowCount, groups, misses) >>> 0
        store.count = memory.u32[(header >>> 2) + 2]
        if (row < rowCount) grow()
      }
      memory.reset(mark)
    },
    free() {
      memory.free(slots)
      memory.free(header)
    },
  }
}
