/**
 * A batch as bytes that say all of it but its types, which whoever reads it knows: what is spilled is never read by another build. A column of strings
 * brings the strings that it uses and no others, each once.
 *
 * ```
 * u32 words: rows, then for each vector, those within lists behind their list:
 *            length | nulls | bytes of data | bytes of validity, 0 for none | offsets, 0 for none | entries + 1, 0 for no dictionary | bytes of these
 * buffers in the same order, each padded to 16 bytes: data | validity | offsets | dictionary offsets | dictionary bytes
 * ```
 */
import { Dictionary } from '../columnar/dictionary.js'
import type { DataType } from '../columnar/type.js'
import { usedStrings } from '../columnar/used-strings.js'
import { bitmapBytes } from '../columnar/validity.js'
import {
  allocateData,
  type Codes,
  makeVector,
  type Vector,
  type VectorBatch,
  type VectorData,
  wideCodes,
} from '../columnar/vector.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'

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
    const data = dictionary === null ? vector.data : wideCodes(vector.data as Codes)
    const elements = type.kind === 'bool' ? bitmapBytes(length) : length
    head.push(
      length,
      nullCount,
      add(offsets === null ? data.subarray(0, elements) : type.kind === 'utf8' ? data : null),
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

/** Where the parts of a vector are, in bytes from the beginning. */
interface Part {
  readonly type: DataType
  readonly length: number
  readonly nullCount: number
  readonly data: readonly [from: number, byteLength: number]
  readonly validity: readonly [from: number, byteLength: number]
  readonly offsets: readonly [from: number, count: number]
  readonly entries: readonly [from: number, count: number]
  readonly entryBytes: readonly [from: number, byteLength: number]
  readonly child: Part | null
}

function partsOf(bytes: Uint8Array<ArrayBuffer>, types: readonly DataType[]): { rowCount: number; parts: Part[] } {
  const count = types.reduce((sum, type) => sum + vectorsOf(type), 0)
  const head = new Uint32Array(bytes.buffer, bytes.byteOffset, 1 + WORDS * count)
  let at = padded(head.byteLength)
  let word = 1
  const place = (size: number, each = 1): readonly [number, number] => {
    const from = at
    at += padded(size * each)
    return [from, size]
  }
  const read = (type: DataType): Part => {
    const [length, nullCount, ...sizes] = head.subarray(word, word + WORDS)
    word += WORDS
    const [data, validity] = [place(sizes[0]), place(sizes[1])]
    const [offsets, entries, entryBytes] = [place(sizes[2], 4), place(sizes[3], 4), place(sizes[4])]
    const child = type.kind === 'list' ? read(type.item as DataType) : null
    return { type, length, nullCount, data, validity, offsets, entries, entryBytes, child }
  }
  return { rowCount: head[0], parts: types.map(read) }
}

/** The batch that `batchBytes` wrote, over the bytes themselves, which begin at a multiple of 8. */
export function batchOfBytes(bytes: Uint8Array<ArrayBuffer>, types: readonly DataType[]): VectorBatch {
  const { buffer, byteOffset } = bytes
  const int32s = ([from, count]: readonly [number, number]) => new Int32Array(buffer, byteOffset + from, count)
  const uint8s = ([from, length]: readonly [number, number]) => new Uint8Array(buffer, byteOffset + from, length)
  const vector = ({ type, length, nullCount, child, ...at }: Part): Vector => {
    const hasOffsets = at.offsets[1] > 0
    const Data = (hasOffsets ? Uint8Array : allocateData(type.kind, 0).constructor) as Uint8ArrayConstructor
    return makeVector(type, length, new Data(buffer, byteOffset + at.data[0], at.data[1] / Data.BYTES_PER_ELEMENT), {
      nullCount,
      validity: at.validity[1] === 0 ? null : uint8s(at.validity),
      offsets: hasOffsets ? int32s(at.offsets) : null,
      dictionary: at.entries[1] === 0 ? null : Dictionary.adopt(int32s(at.entries), uint8s(at.entryBytes)),
      child: child === null ? null : vector(child),
    })
  }
  const { rowCount, parts } = partsOf(bytes, types)
  return { rowCount, vectors: parts.map(vector) }
}

/**
 * The same batch in one heap block of a lane, which is the caller's to free. What its strings have for a dictionary is no more than their bytes and
 * offsets: they can be compared and recoded, and nothing can be added.
 */
export function laneBatchOfBytes(
  k: Kernels,
  bytes: Uint8Array<ArrayBuffer>,
  types: readonly DataType[],
): { readonly pointer: number; readonly batch: LaneBatch } {
  const pointer = k.memory.allocate(bytes.length)
  k.memory.u8.set(bytes, pointer)
  const vector = ({ type, length, child, ...at }: Part): LaneVector => ({
    type,
    length,
    data: pointer + (at.offsets[1] > 0 ? at.offsets[0] : at.data[0]),
    validity: at.validity[1] === 0 ? 0 : pointer + at.validity[0],
    dictionary:
      at.entries[1] === 0
        ? null
        : ({
            length: at.entries[1] - 1,
            offsets: pointer + at.entries[0],
            bytes: pointer + at.entryBytes[0],
          } satisfies Pick<LaneDictionary, 'length' | 'offsets' | 'bytes'> as unknown as LaneDictionary),
    range: null,
    ...(child === null ? {} : { child: vector(child) }),
  })
  const { rowCount, parts } = partsOf(bytes, types)
  return { pointer, batch: { rowCount, columns: parts.map(vector) } }
}

/** The same rows, each column of strings with the strings that it uses only. */
export const narrowed = ({ rowCount, vectors }: VectorBatch): VectorBatch => ({
  rowCount,
  vectors: vectors.map(narrowedVector),
})

const narrowedVector = (vector: Vector): Vector =>
  vector.child ? { ...vector, child: narrowedVector(vector.child) } : usedStrings(vector)

const padded = (byteLength: number): number => Math.ceil(byteLength / 16) * 16

const vectorsOf = (type: DataType): number => 1 + (type.kind === 'list' ? vectorsOf(type.item as DataType) : 0)
