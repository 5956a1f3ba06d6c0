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
/** With fewer entries for a row strings come again and again; with more, not all of them come, and those that do are picked. */
const LEAST_ENTRIES = 1 / 4
const MOST_ENTRIES = 2

type Texts = Pick<Vector, 'data' | 'dictionary' | 'offsets'>

function concatTexts(given: readonly Vector[], length: number): Texts {
  const vectors = entriesOf(given) > MOST_ENTRIES * length ? given.map(usedStrings) : given
  const entries = entriesOf(vectors)
  const ends = vectors.map(endsOf)
  const byteLength = ends.reduce((sum, each) => sum + each[each.length - 1] - each[0], 0)
  if (byteLength > MOST_BYTES || entries < LEAST_ENTRIES * length) return internTexts(vectors, length)
  // Entries that several have come several times.
  const offsets = new Int32Array(entries + 1)
  const bytes = new Uint8Array(byteLength)
  const codes = new Int32Array(length)
  let entry = 0
  let at = 0
  for (const [i, { dictionary, data, length: rows }] of vectors.entries()) {
    const own = ends[i]
    const count = own.length - 1
    const end = offsets[entry]
    bytes.set((dictionary?.bytes ?? (data as Uint8Array)).subarray(own[0], own[count]), end)
    offsets.set(shifted(own, end - own[0]), entry)
    // Where there is no entry all are null, and have code 0.
    for (let row = 0; row < rows && count > 0; row++)
      codes[at + row] = entry + (dictionary === null ? row : (data[row] as number))
    entry += count
    at += rows
  }
  if (vectors.every(({ dictionary }) => dictionary === null)) return { data: bytes, offsets, dictionary: null }
  const dictionary = Dictionary.adopt(offsets, bytes)
  dictionary.isOfOneBatch = true
  return { data: codes, offsets: null, dictionary }
}

const entriesOf = (vectors: readonly Vector[]): number =>
  vectors.reduce((sum, { dictionary, length }) => sum + (dictionary?.length ?? length), 0)

const endsOf = ({ dictionary, offsets, length }: Vector): Int32Array =>
  dictionary?.offsets ?? (offsets as Int32Array).subarray(0, length + 1)

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
