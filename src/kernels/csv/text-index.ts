/**
 * A column of strings, coded by a dictionary, and the index of its short strings that lies before the dictionary: drawn in assembly/csv/text.ts. It is
 * as large as it takes to find most strings at once, and given up where there are too many of them.
 */
import type { Kernels } from '../instance.js'
import type { LaneDictionary } from '../text.js'
import type { Fields } from './columns.js'
import { type CsvContext, WORD } from './context.js'

const SLOT_BYTES = 16
const BUCKET_BYTES = 64
const LEAST_SLOTS = 2048
/** Slots for each string, at least: fewer fit the caches better, and few buckets go on in the next. */
const SPARE = 1.25
/** 16 MiB. */
const MOST_SLOTS = 2 ** 20
/** With so many slots for a string nearly all are where they are looked for first. */
const SLOTS_OF_FEW = 16
/** Up to so many slots there are so many for each string. */
const MOST_SLOTS_OF_FEW = 32_768

export interface TextIndex {
  /** Writes codes of `dictionary` for the fields to `codes`; returns how many are at fault. */
  read(
    dictionary: LaneDictionary,
    fields: Fields,
    place: number,
    skip: number,
    codes: number,
    validity: number,
    row: number,
  ): number
  free(): void
}

export function createTextIndex(k: Kernels, context: CsvContext): TextIndex {
  const { exports, memory } = k
  let pointer = 0
  let slotCount = 0
  /** Strings in it, and null tokens. */
  let count = context.tokenCount
  let isGivenUp = false
  /** Whose codes are in the index. */
  let coding: LaneDictionary | null = null

  const maskOf = (slots: number): number => (slots / (BUCKET_BYTES / SLOT_BYTES) - 1) * BUCKET_BYTES

  const giveUp = (): void => {
    memory.free(pointer)
    pointer = 0
    slotCount = 0
    isGivenUp = true
  }

  /** 0 where there is no memory: all works without an index. */
  const allocate = (byteLength: number): number => {
    try {
      return memory.allocate(byteLength)
    } catch {
      return 0
    }
  }

  const grow = (slots: number): void => {
    const larger = slots > MOST_SLOTS ? 0 : allocate(SLOT_BYTES * slots)
    if (larger === 0) {
      giveUp()
      return
    }
    memory.bytes(larger, SLOT_BYTES * slots).fill(0)
    if (pointer === 0) exports.csvStartIndex(context.pointer, larger, maskOf(slots))
    else exports.csvGrowIndex(pointer, slotCount, larger, maskOf(slots))
    memory.free(pointer)
    pointer = larger
    slotCount = slots
  }

  const makeRoom = (dictionary: LaneDictionary, rowCount: number): void => {
    if (coding !== dictionary) {
      memory.free(pointer)
      pointer = 0
      slotCount = 0
      count = context.tokenCount
      isGivenUp = false
      coding = dictionary
    }
    if (isGivenUp) return
    const most = count + rowCount
    if (slotCount < SPARE * most) grow(Math.max(LEAST_SLOTS, 2 ** Math.ceil(Math.log2(SPARE * most))))
    else if (slotCount < MOST_SLOTS_OF_FEW && slotCount < SLOTS_OF_FEW * count) grow(4 * slotCount)
  }

  return {
    read(dictionary, { step, count: rowCount, repair }, place, skip, codes, validity, row) {
      makeRoom(dictionary, rowCount)
      context.set(WORD.textFaults, 0)
      context.set(WORD.added, 0)
      const few = SLOTS_OF_FEW * count <= slotCount
      dictionary.internBy(
        rowCount,
        (header, from) =>
          exports.csvText(
            context.pointer,
            header,
            pointer,
            maskOf(slotCount),
            few,
            repair,
            skip,
            place,
            step,
            from,
            rowCount,
            codes,
            validity,
            row,
          ),
        // A replacement character takes three bytes, for one that is none.
        from => {
          const at = (place + step * from) >>> 2
          return Math.max(0, memory.u32[at + 1] - memory.u32[at]) * (repair ? 3 : 1)
        },
      )
      count += context.get(WORD.added)
      return context.get(WORD.textFaults)
    },
    free() {
      memory.free(pointer)
      pointer = 0
    },
  }
}
