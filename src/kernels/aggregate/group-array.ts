/** A growing array of one fixed-width state a group, in heap memory. States that only add share the slots of slots.ts instead. */
import type { Kernels } from '../instance.js'

export interface GroupArray {
  /** Moves when `resize` makes room. */
  readonly pointer: number
  /** States beyond those there were begin with the array's first value. */
  resize(groupCount: number): void
  free(): void
}

/** `first` is the 32-bit words that a new state repeats: zero by default. */
export function createGroupArray(k: Kernels, bytesPerGroup: number, first: readonly number[] = [0]): GroupArray {
  const { memory } = k
  let pointer = 0
  let capacity = 0
  let length = 0
  return {
    get pointer() {
      return pointer
    },
    resize(groupCount) {
      if (groupCount <= length) return
      if (groupCount > capacity) {
        capacity = Math.max(groupCount, capacity * 2, 16)
        pointer = memory.reallocate(pointer, bytesPerGroup * capacity)
      }
      const from = pointer + bytesPerGroup * length
      const to = pointer + bytesPerGroup * groupCount
      const [low, high = low] = first
      if (low === high) {
        // One byte repeated serves zeros and all ones, whatever the width.
        if (low === 0 || low === -1) memory.u8.fill(low, from, to)
        else memory.i32.fill(low, from >>> 2, to >>> 2)
      } else {
        for (let at = from >>> 2; at < to >>> 2; at += 2) {
          memory.i32[at] = low
          memory.i32[at + 1] = high
        }
      }
      length = groupCount
    },
    free() {
      memory.free(pointer)
      pointer = 0
      capacity = 0
      length = 0
    },
  }
}
