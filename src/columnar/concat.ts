/**
 * Joining vectors end to end. Taking them apart is `sliceVector` in vector.ts; tables mostly need neither, being lists
 * of chunks.
 */
import { type Dictionary, shifted } from './dictionary.js'
import { type TextInterner, textInterner } from './text-interner.js'
import { decodeUtf8 } from './utf8.js'
import { copyBits, onesBitmap } from './validity.js'
import { allocateData, dataOf, isNullAt, itemsOf, makeVector, type Vector } from './vector.js'

/**
 * The rows of all `vectors`, of one kind, end to end in new buffers (one vector alone is returned as it is). Strings
 * come out as codes: of the vectors' own dictionary where they share one, else of a new one. The type is the first's,
 * nullable where any is. At least one vector.
 */
export function concatVectors(vectors: readonly Vector[]): Vector {
  if (vectors.length === 1) return vectors[0]
  const length = vectors.reduce((sum, vector) => sum + vector.length, 0)
  const nullCount = vectors.reduce((sum, vector) => sum + vector.nullCount, 0)
  const first = vectors[0].type
  const type = first.nullable || vectors.every(vector => !vector.type.nullable) ? first : { ...first, nullable: true }
  const validity = nullCount === 0 ? null : onesBitmap(length)
  const data = allocateData(type.kind, length)
  const shared = vectors.every(vector => vector.dictionary === vectors[0].dictionary) ? vectors[0].dictionary : null
  const interner = type.kind === 'utf8' && shared === null ? textInterner() : null
  const offsets = type.kind === 'list' ? new Int32Array(length + 1) : null
  const items: Vector[] = []
  let at = 0
  for (const vector of vectors) {
    if (validity !== null && vector.validity !== null) copyBits(vector.validity, 0, validity, at, vector.length)
    if (type.kind === 'bool') copyBits(vector.data as Uint8Array, 0, data as Uint8Array, at, vector.length)
    else if (offsets !== null) {
      const own = itemsOf(vector)
      offsets.set(shifted(own.offsets, offsets[at]), at)
      items.push(own.items)
    } else if (interner !== null) internRows(vector, interner, data as Int32Array, at)
    else data.set(dataOf(vector) as never, at)
    at += vector.length
  }
  return makeVector(type, length, data, {
    validity,
    nullCount,
    dictionary: interner?.dictionary ?? shared,
    offsets,
    child: offsets === null ? null : concatVectors(items),
  })
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
