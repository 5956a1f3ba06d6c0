/**
 * Joining vectors end to end. Taking them apart is `sliceVector` in vector.ts; tables mostly need neither, being lists
 * of chunks.
 */
import { Dictionary, shifted } from './dictionary.js'
import { type TextInterner, textInterner } from './text-interner.js'
import { usedStrings } from './used-strings.js'
import { decodeUtf8 } from './utf8.js'
import { copyBits, onesBitmap } from './validity.js'
import { allocateData, dataOf, isNullAt, itemsOf, makeVector, type Vector } from './vector.js'

/**
 * The rows of all `vectors`, of one kind, end to end in new buffers (one vector alone is returned as it is). Strings come out as codes of the vectors' own dictionary where they share
 * one, as bytes where all are bytes, else as codes of a new dictionary. The type is the first's, nullable where any is. At least one vector.
 */
export function concatVectors(vectors: readonly Vector[]): Vector {
  if (vectors.length === 1) return vectors[0]
  const length = vectors.reduce((sum, vector) => sum + vector.length, 0)
  const nullCount = vectors.reduce((sum, vector) => sum + vector.nullCount, 0)
  const first = vectors[0].type
  const type = first.nullable || vectors.every(vector => !vector.type.nullable) ? first : { ...first, nullable: true }
  const validity = nullCount === 0 ? null : onesBitmap(length)
  if (validity !== null) {
    let at = 0
    for (const vector of vectors) {
      if (vector.validity !== null) copyBits(vector.validity, 0, validity, at, vector.length)
      at += vector.length
    }
  }
  const { dictionary } = vectors[0]
  if (type.kind === 'utf8' && (dictionary === null || vectors.some(vector => vector.dictionary !== dictionary))) {
    const { data, ...parts } = concatTexts(vectors, length)
    return makeVector(type, length, data, { validity, nullCount, ...parts })
  }
  const data = allocateData(type.kind, length)
  const offsets = type.kind === 'list' ? new Int32Array(length + 1) : null
  const items: Vector[] = []
  let at = 0
  for (const vector of vectors) {
    if (type.kind === 'bool') copyBits(vector.data as Uint8Array, 0, data as Uint8Array, at, vector.length)
    else if (offsets !== null) {
      const own = itemsOf(vector)
      offsets.set(shifted(own.offsets, offsets[at]), at)
      items.push(own.items)
    } else data.set(dataOf(vector) as never, at)
    at += vector.length
  }
  const child = offsets === null ? null : concatVectors(items)
  return makeVector(type, length, data, { validity, nullCount, dictionary, offsets, child })
}

/** Beyond so many bytes of text the same strings had better be there once. */
const MOST_BYTES = 2 ** 30
/** So many rows for each entry of a dictionary, and they are few. */
const FEW_ENTRIES = 4

type Texts = Pick<Vector, 'data' | 'dictionary' | 'offsets'>

function concatTexts(vectors: readonly Vector[], length: number): Texts {
  let entries = 0
  let bytes = 0
  for (const vector of vectors) {
    entries += vector.dictionary?.length ?? vector.length
    bytes += vector.dictionary?.byteLength ?? plainBytes(vector)
  }
  if (bytes > MOST_BYTES || entries * FEW_ENTRIES < length) return internTexts(vectors, length)
  return vectors.every(({ offsets }) => offsets !== null)
    ? appendPlain(vectors, length, bytes)
    : appendEntries(vectors, length)
}

const plainBytes = ({ offsets, length }: Vector): number => {
  const ends = offsets as Int32Array
  return ends[length] - ends[0]
}

function appendPlain(vectors: readonly Vector[], length: number, byteLength: number): Texts {
  const data = new Uint8Array(byteLength)
  const offsets = new Int32Array(length + 1)
  let at = 0
  for (const vector of vectors) {
    const own = (vector.offsets as Int32Array).subarray(0, vector.length + 1)
    const end = offsets[at]
    data.set((vector.data as Uint8Array).subarray(own[0], own[vector.length]), end)
    offsets.set(shifted(own, end - own[0]), at)
    at += vector.length
  }
  return { data, offsets, dictionary: null }
}

/** Entries that several have come several times. */
function appendEntries(vectors: readonly Vector[], length: number): Texts {
  const parts = vectors.map(usedStrings)
  const entriesOf = ({ dictionary, offsets, length: rows }: Vector): Int32Array =>
    dictionary?.offsets ?? (offsets as Int32Array).subarray(0, rows + 1)
  const all = parts.map(entriesOf)
  const entries = all.reduce((sum, { length: ends }) => sum + ends - 1, 0)
  const byteLength = all.reduce((sum, ends) => sum + ends[ends.length - 1] - ends[0], 0)
  const offsets = new Int32Array(entries + 1)
  const bytes = new Uint8Array(byteLength)
  const codes = new Int32Array(length)
  let entry = 0
  let at = 0
  for (const [i, part] of parts.entries()) {
    const ends = all[i]
    const count = ends.length - 1
    const end = offsets[entry]
    bytes.set((part.dictionary?.bytes ?? (part.data as Uint8Array)).subarray(ends[0], ends[count]), end)
    for (let j = 1; j <= count; j++) offsets[entry + j] = end + ends[j] - ends[0]
    if (part.dictionary === null) for (let row = 0; row < part.length; row++) codes[at + row] = entry + row
    // Where there is no entry all are null, and have code 0.
    else if (count > 0) for (let row = 0; row < part.length; row++) codes[at + row] = entry + (part.data[row] as number)
    entry += count
    at += part.length
  }
  return { data: codes, dictionary: Dictionary.adopt(offsets, bytes), offsets: null }
}

function internTexts(vectors: readonly Vector[], length: number): Texts {
  const interner = textInterner()
  const codes = new Int32Array(length)
  let at = 0
  for (const vector of vectors) {
    internRows(vector, interner, codes, at)
    at += vector.length
  }
  return { data: codes, dictionary: interner.dictionary, offsets: null }
}

/**
 * Writes the codes of `vector`'s strings in the interner's dictionary to `codes` from `at`. Null rows get the code of
 * an empty string.
 */
function internRows(vector: Vector, interner: TextInterner, codes: Int32Array, at: number): void {
  const { length, data, dictionary, offsets } = vector
  if (offsets !== null) {
    for (let i = 0; i < length; i++) {
      codes[at + i] = interner.intern(
        isNullAt(vector, i) ? '' : decodeUtf8(data as Uint8Array, offsets[i], offsets[i + 1]),
      )
    }
    return
  }
  const recoded = new Int32Array((dictionary as Dictionary).length).fill(-1)
  for (let i = 0; i < length; i++) {
    const code = data[i] as number
    if (recoded[code] < 0) recoded[code] = interner.intern((dictionary as Dictionary).get(code))
    codes[at + i] = recoded[code]
  }
}
