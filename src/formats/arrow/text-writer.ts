/**
 * A column of strings as Arrow's: plain, or codes into one dictionary that grows by deltas, whatever dictionaries the vectors come with. Which it is
 * the first rows decide, since the schema says it: codes where strings are said twice on average.
 *
 * What is remembered of the strings written is bounded: a column that turns out to have ever new ones has some written again, under another code, as
 * Arrow allows; a stream's dictionary begins anew instead.
 */
import type { Dictionary } from '../../columnar/dictionary.js'
import { decodeUtf8, encodeUtf8Into } from '../../columnar/utf8.js'
import { getBit } from '../../columnar/validity.js'
import type { Vector } from '../../columnar/vector.js'
import { MillraceError, quote } from '../../errors.js'
import { type BodyWriter, putBuffer } from './body-writer.js'

export interface TextWriter {
  readonly isCoded: boolean
  /** Decides how strings are written. */
  begin(vector: Vector): void
  /** What is to be written of the dictionary before rows that were coded by it; null where it has not changed. */
  takeDelta(): DictionaryDelta | null
  /** Forgets strings where there are too many. @param mayRestart whether the dictionary may begin anew. */
  trim(mayRestart: boolean): void
  /** The buffers of a vector behind its bitmap. */
  write(vector: Vector, body: BodyWriter): void
}

export interface DictionaryDelta {
  readonly isDelta: boolean
  readonly length: number
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

export const MOST_REMEMBERED = 2 ** 20
const MOST_REMEMBERED_BYTES = 2 ** 26
const MOST_TEXT_BYTES = 2 ** 31 - 1

/** @param mostRemembered strings, roughly. */
export function createTextWriter(column: string, mostRemembered: number): TextWriter {
  let isCoded = false
  let codes = new Map<string, number>()
  let rememberedBytes = 0
  /** Where each entry of a vector's dictionary is in ours; -1: not yet. */
  let codeMaps = new WeakMap<Dictionary, Int32Array>()
  let count = 0
  let textBytes = 0
  let isStarted = false
  let added: string[] = []

  const tooLong = (what: string) =>
    new MillraceError('MR_MEMORY_LIMIT', `arrow: column ${quote(column)} has more than 2 GiB of text in ${what}`, {
      column,
      maximumBytes: MOST_TEXT_BYTES,
    })

  const intern = (text: string): number => {
    let code = codes.get(text)
    if (code === undefined) {
      code = count++
      codes.set(text, code)
      rememberedBytes += 2 * text.length
      added.push(text)
    }
    return code
  }

  const codeMap = (dictionary: Dictionary): Int32Array => {
    const known = codeMaps.get(dictionary)
    if (known !== undefined && known.length >= dictionary.length) return known
    const map = new Int32Array(dictionary.length).fill(-1)
    if (known !== undefined) map.set(known)
    codeMaps.set(dictionary, map)
    return map
  }

  const coded = (vector: Vector): Int32Array => {
    const { length, validity, data, dictionary } = vector
    const own = new Int32Array(length)
    const map = dictionary === null ? null : codeMap(dictionary)
    const textAt = textsIn(vector)
    for (let row = 0; row < length; row++) {
      if (validity !== null && !getBit(validity, row)) continue
      if (map === null) own[row] = intern(textAt(row))
      else {
        const code = data[row] as number
        if (map[code] === -1) map[code] = intern(textAt(row))
        own[row] = map[code]
      }
    }
    return own
  }

  return {
    get isCoded() {
      return isCoded
    },
    begin({ dictionary, data, length, validity }) {
      if (dictionary === null || dictionary.isOfOneBatch) return
      const used = new Uint8Array(dictionary.length)
      let distinct = 0
      let valid = 0
      for (let row = 0; row < length; row++) {
        if (validity !== null && !getBit(validity, row)) continue
        valid++
        const code = data[row] as number
        if (used[code] === 0) distinct++
        used[code] = 1
      }
      isCoded = 2 * distinct <= valid
    },
    takeDelta() {
      if (added.length === 0 && isStarted) return null
      const offsets = new Int32Array(added.length + 1)
      const most = added.reduce((sum, text) => sum + 3 * text.length, 0)
      const bytes = new Uint8Array(most)
      for (const [i, text] of added.entries()) offsets[i + 1] = offsets[i] + encodeUtf8Into(text, bytes, offsets[i])
      const byteLength = offsets[added.length]
      textBytes += byteLength
      if (textBytes > MOST_TEXT_BYTES) throw tooLong('its dictionary; write a stream, or leave the column out')
      const delta = { isDelta: isStarted, length: added.length, offsets, bytes: bytes.subarray(0, byteLength) }
      isStarted = true
      added = []
      return delta
    },
    trim(mayRestart) {
      if (codes.size <= mostRemembered && rememberedBytes <= MOST_REMEMBERED_BYTES) return
      codes = new Map()
      rememberedBytes = 0
      if (!mayRestart) return
      codeMaps = new WeakMap()
      count = 0
      textBytes = 0
      isStarted = false
    },
    write(vector, body) {
      if (isCoded) {
        putBuffer(coded(vector), body)
        return
      }
      const { offsets, bytes } = plainTexts(vector, () => tooLong('one batch; write smaller ones'))
      putBuffer(offsets, body)
      putBuffer(bytes, body)
    },
  }
}

function textsIn({ data, dictionary, offsets }: Vector): (row: number) => string {
  if (dictionary !== null) return row => dictionary.get(data[row] as number)
  const ends = offsets as Int32Array
  return row => decodeUtf8(data as Uint8Array, ends[row], ends[row + 1])
}

/** The rows' strings end to end, from 0. */
function plainTexts(vector: Vector, tooLong: () => Error): { offsets: Int32Array; bytes: Uint8Array } {
  const { data, dictionary, length, validity } = vector
  if (dictionary === null) {
    const own = (vector.offsets as Int32Array).subarray(0, length + 1)
    const first = own[0]
    return {
      offsets: first === 0 ? own : own.map(offset => offset - first),
      bytes: (data as Uint8Array).subarray(first, own[length]),
    }
  }
  const { offsets: entries, bytes: texts } = dictionary
  const offsets = new Int32Array(length + 1)
  let end = 0
  for (let row = 0; row < length; row++) {
    const code = data[row] as number
    if (validity === null || getBit(validity, row)) end += entries[code + 1] - entries[code]
    if (end > MOST_TEXT_BYTES) throw tooLong()
    offsets[row + 1] = end
  }
  const bytes = new Uint8Array(end)
  for (let row = 0; row < length; row++) {
    const at = offsets[row]
    const start = entries[data[row] as number]
    if (offsets[row + 1] > at) bytes.set(texts.subarray(start, start + offsets[row + 1] - at), at)
  }
  return { offsets, bytes }
}
