/** The keys of all groups of a group table, as words in order of first appearance; key-words.ts says what a word holds. */
import type { Kernels } from './instance.js'

export interface KeyStore {
  /** 64-bit words a key. */
  readonly width: number
  /** Pointer to u64[count * width]; moves when `reserve` makes room. */
  readonly pointer: number
  /** Groups so far; whoever writes keys behind the last counts them here. */
  count: number
  /** Makes room for `count` groups in all. */
  reserve(count: number): void
  free(): void
}

export function createKeyStore(k: Kernels, width: number): KeyStore {
  let pointer = 0
  let capacity = 0
  return {
    width,
    count: 0,
    get pointer() {
      return pointer
    },
    reserve(count) {
      if (count <= capacity) return
      const larger = Math.max(count, capacity * 2, 64)
      pointer = k.memory.reallocate(pointer, 8 * width * larger)
      capacity = larger
    },
    free() {
      k.memory.free(pointer)
      pointer = 0
      capacity = 0
    },
  }
}
