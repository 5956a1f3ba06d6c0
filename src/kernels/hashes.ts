/**
 * Published hashes of columns: XXH64 as int64, and SipHash-2-4-128 under a key as 32 hexadecimal digits. A number is hashed as 8 bytes, low byte first:
 * integers, dates, timestamps and truths as int64, floats as float64 with one zero and one NaN; a string as its UTF-8, once per entry of its dictionary.
 */
import { float64, int32, int64, utf8 } from '../columnar/type.js'
import { widen } from './cast.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { nullableIf } from './operand.js'
import type { LaneDictionary } from './text.js'

export interface Hasher {
  /** In scratch, null where the value is. */
  hash(vector: LaneVector): LaneVector
  free(): void
}

/** @param seed as unsigned 64 bits */
export function createHasher(k: Kernels, seed: bigint): Hasher {
  const { memory, exports } = k
  const table = createEntryTable(k, 8)
  return {
    hash(vector) {
      const { length, validity, data, dictionary } = vector
      const out = memory.scratch(8 * length + 16)
      if (dictionary === null) exports.hashesOfWords(wordsOf(k, vector), seed, length, out)
      else {
        const { pointer, known } = table.of(dictionary)
        exports.hashesOfEntries(dictionary.offsets, dictionary.bytes, seed, known, dictionary.length, pointer)
        exports.selectTake64(pointer, data, length, out)
      }
      return { type: nullableIf(int64(), validity), length, data: out, validity, dictionary: null, range: null }
    },
    free: table.free,
  }
}

/**
 * @param key 16 bytes as two words, each low byte first
 * @param into the dictionary of the results, until `renew` is called: the column's own has been replaced by another
 */
export function createKeyedHasher(
  k: Kernels,
  [key0, key1]: readonly [bigint, bigint],
  into: () => LaneDictionary,
  renew: () => void,
): Hasher {
  const { memory, exports } = k
  const table = createEntryTable(k, 4)
  const digits = () => 32
  return {
    hash(vector) {
      const { length, validity, data, dictionary } = vector
      const room = memory.scratch(64)
      const codes = memory.scratch(4 * length + 16)
      if (dictionary === null) {
        const words = wordsOf(k, vector)
        into().internBy(
          length,
          (own, row) => exports.hashesKeyedWords(own, words, validity, key0, key1, row, length, room, codes),
          digits,
        )
      } else {
        if (table.isOther(dictionary)) renew()
        const { pointer, known } = table.of(dictionary)
        into().internBy(
          dictionary.length,
          (own, entry) =>
            exports.hashesKeyedEntries(
              own,
              dictionary.offsets,
              dictionary.bytes,
              key0,
              key1,
              Math.max(entry, known),
              dictionary.length,
              room,
              pointer,
            ),
          digits,
        )
        exports.textRemap(data, length, pointer, codes)
      }
      const type = nullableIf(utf8(), validity)
      return { type, length, data: codes, validity, dictionary: into(), range: null }
    },
    free: table.free,
  }
}

/** 8 bytes a row, equal where values are. */
function wordsOf(k: Kernels, vector: LaneVector): number {
  const { type, data, length } = vector
  const { kind } = type
  if (kind === 'timestamp' || kind === 'int64') return data
  if (kind === 'bool') {
    const out = k.memory.scratch(8 * length + 16)
    k.exports.hashesBitWords(data, length, out)
    return out
  }
  if (kind !== 'float32' && kind !== 'float64') {
    return widen(k, kind === 'date' ? { ...vector, type: int32() } : vector, int64()).vector.data
  }
  const doubles = widen(k, vector, float64()).vector.data
  const out = k.memory.scratch(8 * length + 16)
  k.exports.hashesCanonical(doubles, length, out)
  return out
}

/** What is kept of the entries of one dictionary at a time, so many bytes each. */
function createEntryTable({ memory }: Kernels, width: 4 | 8) {
  let dictionary: LaneDictionary | null = null
  let pointer = 0
  let capacity = 0
  let known = 0
  const free = () => {
    memory.free(pointer)
    pointer = capacity = known = 0
    dictionary = null
  }
  return {
    isOther: (theirs: LaneDictionary): boolean => dictionary !== null && dictionary !== theirs,
    /** Room for all entries, of which those below `known` have been there before. */
    of(theirs: LaneDictionary): { readonly pointer: number; readonly known: number } {
      if (dictionary !== theirs) free()
      dictionary = theirs
      const before = known
      // Null rows have code 0, be there such an entry or not.
      const wanted = Math.max(1, theirs.length)
      if (wanted > capacity) {
        capacity = Math.max(wanted, 2 * capacity)
        pointer = memory.reallocate(pointer, width * capacity)
      }
      if (theirs.length === 0) memory.bytes(pointer, width).fill(0)
      known = theirs.length
      return { pointer, known: before }
    },
    free,
  }
}
