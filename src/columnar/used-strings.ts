import { Dictionary } from './dictionary.js'
import { gatherTexts } from './gather.js'
import type { Codes, Vector } from './vector.js'

/** The same strings by codes of a dictionary that has no others; the very same vector where nearly all are used. */
export function usedStrings(vector: Vector): Vector {
  const { dictionary, length } = vector
  if (dictionary === null || (dictionary.length <= 64 && dictionary.byteLength <= 1024)) return vector
  const codes = vector.data as Codes
  const renumbered = new Int32Array(dictionary.length)
  const used = new Uint32Array(Math.min(length, dictionary.length))
  const own = new Int32Array(length)
  let count = 0
  for (let i = 0; i < length; i++) {
    const code = codes[i]
    if (renumbered[code] === 0) {
      used[count] = code
      renumbered[code] = ++count
    }
    own[i] = renumbered[code] - 1
  }
  if (count === dictionary.length) return vector
  const { offsets, bytes } = gatherTexts(dictionary.offsets, dictionary.bytes, used.subarray(0, count))
  const few = Dictionary.adopt(offsets, bytes)
  few.isOfOneBatch = true
  return { ...vector, data: own, dictionary: few }
}
