/**
 * An index of the short strings of a dictionary, which is looked into first: drawn in assembly/json/codes.ts. It belongs to the one that reads, and
 * grows from call to call; without one all works the same.
 */
import type { Kernels } from '../instance.js'
import type { LaneDictionary } from '../text.js'

const SLOT_BYTES = 16
const LEAST_SLOTS = 1024
/** A string has at least two slots to itself, and four in a new index. */
const SLOTS_OF_EACH = 2
const SLOTS_OF_NEW = 4
/** So many strings make an index of 8 MiB. Where there are more, it is of no more; and of no use where there are many more. */
const MOST_STRINGS = 2 ** 17
const TOO_MANY_STRINGS = 2 ** 19

export interface StringIndex {
  /** 0 where there is none. */
  readonly pointer: number
  /** It has 2^(64 - shift) slots. */
  readonly shift: number
  /** Strings that may yet be added: kernels count it down. */
  room: number
  /** Makes it the index of this dictionary, of a size that goes with it. */
  attach(dictionary: LaneDictionary): void
  free(): void
}

export function createStringIndex({ memory }: Kernels): StringIndex {
  let attached: LaneDictionary | null = null
  let slotCount = 0
  let pointer = 0
  let room = 0

  const free = (): void => {
    memory.free(pointer)
    pointer = 0
    slotCount = 0
    room = 0
    attached = null
  }

  return {
    get pointer() {
      return pointer
    },
    get shift() {
      return 64 - Math.log2(slotCount)
    },
    get room() {
      return room
    },
    set room(strings) {
      room = strings
    },
    attach(dictionary) {
      const { length } = dictionary
      const isOurs = attached === dictionary
      const isEnough = SLOTS_OF_EACH * length < slotCount || (length > MOST_STRINGS && length <= TOO_MANY_STRINGS)
      if (isOurs && isEnough) return
      free()
      if (length > MOST_STRINGS) return
      // Strings come into it as they are met.
      const slots = 2 ** Math.ceil(Math.log2(Math.max(LEAST_SLOTS, SLOTS_OF_NEW * length)))
      try {
        pointer = memory.allocate(SLOT_BYTES * slots)
      } catch {
        return
      }
      memory.bytes(pointer, SLOT_BYTES * slots).fill(0)
      slotCount = slots
      room = slots / SLOTS_OF_EACH
      attached = dictionary
    },
    free,
  }
}
