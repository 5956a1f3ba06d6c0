/**
 * A batch as bytes that say all of it but its types, which whoever reads it knows: what is spilled is never read by another build. A column of strings
 * brings the strings that it uses and no others, each once.
 *
 * ```
 * u32 words: rows, then for each vector, those within lists behind their list:
 *            length | nulls | bytes of data | bytes of validity, 0 for none | offsets, 0 for none | entries + 1, 0 for no dictionary | bytes of these
 * buffers in the same order, each padded to 8 bytes: data | validity | offsets | dictionary offsets | dictionary bytes
 * ```
 */
import { Dictionary } from '../columnar/dictionary.js'
import type { DataType } from '../columnar/type.js'
import { bitmapBytes } from '../columnar/validity.js'
import { allocateData, makeVector, type Vector, type VectorBatch, type VectorData } from '../columnar/vector.js'

const WORDS = 7

export function batchBytes({ rowCount, vectors }: VectorBatch): Uint8Array<ArrayBuffer> {
  const head: number[] = [rowCount]
  const buffers: Uint8Array[] = []
  const add = (array: VectorData | null): number => {
    if (array === null) return 0
    const { buffer, byteOffset, byteLength } = array
    buffers.push(new Uint8Array(buffer, byteOffset, byteLength))
    return byteLength
  }
  const write = (given: Vector) => {
    const vector = given.dictionary === null ? given : usedStrings(given)
    const { type, length, nullCount, validity, offsets, dictionary, child } = vector
    const elements = type.kind === 'bool' ? bitmapBytes(length) : length
    head.push(
      length,
      nullCount,
      add(offsets === null ? vector.data.subarray(0, elements) : type.kind === 'utf8' ? vector.data : null),
      add(validity?.subarray(0, bitmapBytes(length)) ?? null),
      offsets === null ? 0 : add(offsets.subarray(0, length + 1)) / 4,
      dictionary === null ? 0 : add(dictionary.offsets) / 4,
      add(dictionary?.bytes ?? null),
    )
    if (child) write(child)
  }
  for (const vector of vectors) write(vector)
  const total = buffers.reduce((sum, { length }) => sum + padded(length), padded(4 * head.length))
  const bytes = new Uint8Array(total)
  bytes.set(new Uint8Array(Uint32Array.from(head).buffer))
  let at = padded(4 * head.length)
  for (const buffer of buffers) {
    bytes.set(buffer, at)
    at += padded(buffer.length)
  }
  return bytes
}

/** The batch that `batchBytes` wrote, over the bytes themselves, which begin at a multiple of 8. */
export function batchOfBytes(bytes: Uint8Array<ArrayBuffer>, types: readonly DataType[]): VectorBatch {
  const { buffer, byteOffset } = bytes
  const count = types.reduce((sum, type) => sum + vectorsOf(type), 0)
  const head = new Uint32Array(buffer, byteOffset, 1 + WORDS * count)
  let at = byteOffset + padded(head.byteLength)
  let word = 1
  const take = (byteLength: number): number => {
    const from = at
    at += padded(byteLength)
    return from
  }
  const read = (type: DataType): Vector => {
    const [length, nullCount, dataBytes, validityBytes, offsetCount, entries, entryBytes] = head.subarray(
      word,
      word + WORDS,
    )
    word += WORDS
    const Data = (offsetCount > 0 ? Uint8Array : allocateData(type.kind, 0).constructor) as Uint8ArrayConstructor
    const data = new Data(buffer, take(dataBytes), dataBytes / Data.BYTES_PER_ELEMENT)
    const validity = validityBytes === 0 ? null : new Uint8Array(buffer, take(validityBytes), validityBytes)
    const offsets = offsetCount === 0 ? null : new Int32Array(buffer, take(4 * offsetCount), offsetCount)
    const dictionary =
      entries === 0
        ? null
        : Dictionary.adopt(
            new Int32Array(buffer, take(4 * entries), entries),
            new Uint8Array(buffer, take(entryBytes), entryBytes),
          )
    const child = type.kind === 'list' ? read(type.item as DataType) : null
    return makeVector(type, length, data, { validity, nullCount, offsets, dictionary, child })
  }
  const [rowCount] = head
  return { rowCount, vectors: types.map(read) }
}

/** The same rows, each column of strings with the strings that it uses only. */
export const narrowed = ({ rowCount, vectors }: VectorBatch): VectorBatch => ({
  rowCount,
  vectors: vectors.map(narrowedVector),
})

const narrowedVector = (vector: Vector): Vector =>
  vector.child ? { ...vector, child: narrowedVector(vector.child) } : usedStrings(vector)

/** The same strings by codes of a dictionary that has no others; the very same vector where nearly all are used. */
export function usedStrings(vector: Vector): Vector {
  const { dictionary, length } = vector
  if (dictionary === null || dictionary.length <= 64) return vector
  const codes = vector.data as Int32Array
  const { offsets, bytes } = dictionary
  const renumbered = new Int32Array(dictionary.length)
  const used: number[] = []
  const own = new Int32Array(length)
  let byteLength = 0
  for (let i = 0; i < length; i++) {
    const code = codes[i]
    if (renumbered[code] === 0) {
      renumbered[code] = used.push(code)
      byteLength += offsets[code + 1] - offsets[code]
    }
    own[i] = renumbered[code] - 1
  }
  if (used.length === dictionary.length) return vector
  const ownOffsets = new Int32Array(used.length + 1)
  const ownBytes = new Uint8Array(byteLength)
  for (let i = 0; i < used.length; i++) {
    const [from, to] = [offsets[used[i]], offsets[used[i] + 1]]
    ownOffsets[i + 1] = ownOffsets[i] + to - from
    ownBytes.set(bytes.subarray(from, to), ownOffsets[i])
  }
  const few = Dictionary.adopt(ownOffsets, ownBytes)
  few.isOfOneBatch = true
  return { ...vector, data: own, dictionary: few }
}

const padded = (byteLength: number): number => Math.ceil(byteLength / 8) * 8

const vectorsOf = (type: DataType): number => 1 + (type.kind === 'list' ? vectorsOf(type.item as DataType) : 0)
