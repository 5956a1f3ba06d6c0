/** From the codes of one dictionary of a lane to those of another: each entry is looked up once, however many rows have it. */
import type { Kernels } from './instance.js'
import type { LaneDictionary } from './text.js'

/** Dictionaries that come in turns, as the columns of several inputs do. */
const MOST_MAPS = 8

export interface CodeMap {
  /** i32 pointer, good until the next call: the code in `target` of each of the first `from.length` entries; -1 for one that it lacks. */
  of(from: LaneDictionary): number
  /** Forgets what it has looked up; it can be asked again. */
  free(): void
}

interface Known {
  readonly from: LaneDictionary
  pointer: number
  length: number
}

/**
 * @param adds whether `target` gets what it lacks.
 */
export function createCodeMap({ memory }: Kernels, target: LaneDictionary, adds: boolean): CodeMap {
  let maps: Known[] = []
  return {
    of(from) {
      let known = maps.find(each => each.from === from)
      if (known === undefined) {
        known = { from, pointer: 0, length: 0 }
        maps.unshift(known)
        for (const { pointer } of maps.splice(MOST_MAPS)) memory.free(pointer)
      }
      const { length } = from
      if (known.length < length || known.pointer === 0) {
        const first = known.length
        // Room for as much again: dictionaries grow with every morsel.
        known.pointer = memory.reallocate(known.pointer, 8 * length + 64)
        const codes = known.pointer + 4 * first
        if (adds) target.intern(from.offsets + 4 * first, from.bytes, 0, length - first, codes)
        else target.find(from.offsets + 4 * first, from.bytes, length - first, codes)
        known.length = length
      }
      return known.pointer
    },
    free() {
      for (const { pointer } of maps) memory.free(pointer)
      maps = []
    },
  }
}
