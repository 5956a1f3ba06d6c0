import { Dictionary } from './dictionary.js'
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

/** Strings end to end, in turn; those that follow one another are copied at once. */
export function gatherTexts(
  offsets: Int32Array,
  bytes: Uint8Array,
  which: Uint32Array,
): { readonly offsets: Int32Array; readonly bytes: Uint8Array } {
  const count = which.length
  const ends = new Int32Array(count + 1)
  for (let i = 0; i < count; i++) ends[i + 1] = ends[i] + offsets[which[i] + 1] - offsets[which[i]]
  const gathered = new Uint8Array(ends[count])
  for (let from = 0; from < count; ) {
    let to = from + 1
    while (to < count && which[to] === which[to - 1] + 1) to++
    gathered.set(bytes.subarray(offsets[which[from]], offsets[which[to - 1] + 1]), ends[from])
    from = to
  }
  return { offsets: ends, bytes: gathered }
}
