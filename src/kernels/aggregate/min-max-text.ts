/**
 * Least and greatest strings by their bytes: a group's state is a code of the column's dictionary. Other types are min-max.ts's.
 */
import type { DataType } from '../../columnar/type.js'
import { bitmapBytes } from '../bitmap.js'
import type { Kernels } from '../instance.js'
import type { LaneVector } from '../lane-vector.js'
import type { LaneDictionary } from '../text.js'
import { createGroupArray } from './group-array.js'
import type { MinMax } from './min-max.js'

/** Ranks are made anew once the dictionary is so much longer: in all, they then cost a few sorts of the last. */
const GROWTH = 1.5

export function createMinMaxText(k: Kernels, name: 'min' | 'max', type: DataType): MinMax {
  const { exports, memory } = k
  const states = createGroupArray(k, 4, [-1])
  const wanted = name === 'max' ? 1 : -1
  let groupCount = 0
  let dictionary: LaneDictionary | null = null
  let ranks = 0
  let ranked = 0

  const rank = (entries: LaneDictionary) => {
    if (entries.length <= ranked * GROWTH) return
    const { length } = entries
    const fresh = entries.ranks()
    ranks = memory.reallocate(ranks, 4 * length)
    memory.u8.copyWithin(ranks, fresh, fresh + 4 * length)
    ranked = length
  }

  const add = (entries: LaneDictionary, codes: number, validity: number, groups: number, rowCount: number) => {
    rank(entries)
    const { offsets, bytes } = entries
    exports.minMaxText(states.pointer, groups, codes, validity, rowCount, ranks, ranked, offsets, bytes, wanted)
  }

  /** The states as a column, null where there is no string yet. */
  const evaluate = (): LaneVector => {
    const data = memory.scratch(4 * groupCount)
    memory.u8.copyWithin(data, states.pointer, states.pointer + 4 * groupCount)
    const bits = memory.scratch(bitmapBytes(groupCount))
    const validity = exports.minMaxTextBits(data, groupCount, bits) === groupCount ? 0 : bits
    return { type, length: groupCount, data, validity, dictionary, range: null }
  }

  return {
    kernel: 'utf8',
    resize(count) {
      groupCount = count
      states.resize(count)
    },
    update(vector, validity, groups, rowCount) {
      dictionary = vector.dictionary ?? dictionary
      if (dictionary !== null) add(dictionary, vector.data, validity, groups, rowCount)
    },
    write: () => {},
    merge(_reader, vectors, groupMap, count) {
      const { value: vector } = vectors.next()
      const theirs: LaneDictionary | null = vector.dictionary
      if (theirs === null) return
      dictionary ??= theirs
      const mark = memory.mark()
      const codes = theirs === dictionary ? vector.data : translate(theirs, dictionary, vector.data, count)
      add(dictionary, codes, vector.validity, groupMap, count)
      memory.reset(mark)
    },
    stateVectors: () => [evaluate()],
    evaluate,
    free() {
      states.free()
      memory.free(ranks)
      ranks = 0
    },
  }

  /** Codes of one dictionary as codes of another, in scratch. */
  function translate(from: LaneDictionary, to: LaneDictionary, codes: number, count: number): number {
    const map = memory.scratch(4 * from.length)
    to.intern(from.offsets, from.bytes, 0, from.length, map)
    const out = memory.scratch(4 * count)
    exports.textRemap(codes, count, map, out)
    return out
  }
}
