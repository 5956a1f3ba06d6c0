/**
 * States that are strings: in a lane codes of one dictionary (-1 for none), in a serialised state the strings themselves, because each lane
 * has codes of its own. The dictionary is that of the column, or one made here where a merge comes before any row.
 *
 * ```
 * serialised   byte lengths u32[count], 0xffffffff for none     bytes, end to end
 * repeated     distinct strings u32, these as above             number of each among them u32[count]
 * ```
 */
import { bitmapBytes } from '../bitmap.js'
import type { LaneVector } from '../lane-vector.js'
import type { LaneDictionary } from '../text.js'
import { loadVector, unloadVector } from '../transfer-batch.js'
import type { AccumulatorContext } from './accumulator.js'
import { type StateReader, type StateWriter, statesOf } from './state-bytes.js'

export interface TextStates {
  /** Whose codes the states are; made where there is none yet. */
  dictionary(): LaneDictionary
  /** The same, or null while nothing has come. */
  known(): LaneDictionary | null
  /** A column's codes as they may become states: its own where the dictionary is its own, else in scratch. 0 where all its rows are null. */
  codes(vector: LaneVector): number
  /** Writes the strings of codes `states[groups[0..count)]` (u32 pointers; with `groups` 0 of the first `count`). */
  write(writer: StateWriter, states: number, groups: number, count: number): void
  /** What `write` wrote, as codes in scratch; `validity` is a bitmap of those that are strings, or 0 where all are. */
  read(reader: StateReader, count: number): { codes: number; validity: number }
  /** The same of codes of which many are the same: a string is written once, with a number for each code. */
  writeRepeated(writer: StateWriter, codes: number, count: number): void
  /** What `writeRepeated` wrote, as codes in scratch. */
  readRepeated(reader: StateReader, count: number): number
  free(): void
}

export function createTextStates({ k, dictionaries, texts }: AccumulatorContext): TextStates {
  const { exports, memory } = k
  let dictionary: LaneDictionary | null = null

  const first = texts?.({ known: () => dictionary })

  const known = (): LaneDictionary => {
    if (dictionary !== null) return dictionary
    dictionary = first?.() ?? null
    if (dictionary === null) dictionary = dictionaries.create()
    else dictionaries.retain(dictionary)
    return dictionary
  }

  const write: TextStates['write'] = (writer, states, groups, count) => {
    const mark = memory.mark()
    const codes = statesOf(k, { pointer: states, stride: 4 }, 4, groups, count)
    // Where nothing has come all codes are -1, and no entry is looked at.
    const { offsets, bytes: entries } = dictionary ?? { offsets: 0, bytes: 0 }
    const lengths = memory.scratch(4 * count)
    const byteLength = exports.statesTextLengths(codes, offsets, count, lengths) >>> 0
    const bytes = memory.scratch(byteLength + 16)
    exports.statesTextBytes(codes, offsets, entries, count, bytes)
    writer.lane(k, lengths, 4 * count)
    writer.u32(byteLength)
    writer.lane(k, bytes, byteLength)
    memory.reset(mark)
  }

  const read: TextStates['read'] = (reader, count) => {
    const lengths = reader.lane(k, 4 * count)
    const byteLength = reader.u32()
    const bytes = reader.lane(k, byteLength, byteLength + 16)
    const offsets = memory.scratch(4 * (count + 1))
    const bits = memory.scratch(bitmapBytes(count))
    const valid = exports.statesTextOffsets(lengths, count, offsets, bits)
    const validity = valid === count ? 0 : bits
    const codes = memory.scratch(4 * count)
    known().intern(offsets, bytes, validity, count, codes)
    return { codes, validity }
  }

  return {
    dictionary: known,
    known: () => dictionary,
    codes(vector) {
      const { data, length, dictionary: theirs } = vector
      if (theirs === null) return 0
      if (dictionary === null) {
        // The column may be another aggregate's result, which is freed before these states are.
        dictionaries.retain(theirs)
        dictionary = theirs
      }
      if (theirs === dictionary) return data
      // A merge came before the first row. Of a dictionary much longer than the column only what is used is looked at.
      if (theirs.length > 4 * length + 1024) return loadVector(k, unloadVector(k, vector), dictionary).data
      const map = memory.scratch(4 * theirs.length)
      dictionary.intern(theirs.offsets, theirs.bytes, 0, theirs.length, map)
      const out = memory.scratch(4 * length)
      exports.textRemap(data, length, map, out)
      return out
    },
    write,
    read,
    writeRepeated(writer, codes, count) {
      const mark = memory.mark()
      const { length } = known()
      const numbers = memory.scratch(4 * length)
      memory.u32.fill(0xffffffff, numbers >>> 2, (numbers >>> 2) + length)
      const local = memory.scratch(4 * count)
      const distinct = memory.scratch(4 * Math.min(count, length))
      const distinctCount = exports.listDistinct(codes, count, numbers, local, distinct)
      writer.u32(distinctCount)
      write(writer, distinct, 0, distinctCount)
      writer.lane(k, local, 4 * count)
      memory.reset(mark)
    },
    readRepeated(reader, count) {
      const { codes } = read(reader, reader.u32())
      const out = memory.scratch(4 * count)
      exports.textRemap(reader.lane(k, 4 * count), count, codes, out)
      return out
    },
    free() {
      if (dictionary !== null) dictionaries.release(dictionary)
      dictionary = null
    },
  }
}
