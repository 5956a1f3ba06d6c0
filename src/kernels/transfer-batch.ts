/**
 * Between vectors in JavaScript buffers and `LaneBatch`, in a lane's memory: one copy each way. Between lanes nothing
 * travels but record batches, so this is the only door.
 *
 * Strings: on the way in every column is coded by the `LaneDictionary` that the caller keeps for it, whatever dictionaries the
 * batches come with. On the way out codes stay what they are, in fewer bytes where they go to the caller, and come with the lane dictionary's JavaScript mirror, which only
 * grows: whoever sends batches on sends of each `Dictionary` only the entries that the peer has not had. Where a batch uses few
 * entries of a large dictionary it comes with a small dictionary of its own instead.
 */
import { Dictionary, shifted } from '../columnar/dictionary.js'
import type { DataType } from '../columnar/type.js'
import {
  allocateData,
  type Codes,
  dataOver,
  itemsOf as itemsOfVector,
  makeVector,
  type Vector,
  type VectorBatch,
  type VectorData,
} from '../columnar/vector.js'
import { MillraceError } from '../errors.js'
import { bitmapBytes, count } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneBatch, LaneVector, LeavingBatch } from './lane-vector.js'
import { dataBytes } from './operand.js'
import { itemsOf } from './select.js'
import type { LaneDictionary } from './text.js'

/** Where a loaded batch lives: until the arena is reset, or in heap blocks (`data` and `validity` of each column) that the caller frees. */
export type Place = 'scratch' | 'heap'

/**
 * A copy of `batch` in lane memory. `dictionaries[i]` codes column i where it, or what its lists hold, is utf8, and grows; weights are not taken along.
 * @throws MillraceError `MR_TYPE_MISMATCH` for a type that has no lane form, `MR_MEMORY_LIMIT`
 */
export function loadBatch(
  k: Kernels,
  batch: VectorBatch,
  dictionaries: readonly (LaneDictionary | null)[],
  place: Place = 'scratch',
): LaneBatch {
  const columns: LaneVector[] = []
  try {
    batch.vectors.forEach((vector, i) => {
      columns.push(loadVector(k, vector, dictionaries[i], place))
    })
  } catch (error) {
    if (place === 'heap') for (const column of columns) freeVector(k, column)
    throw error
  }
  return { rowCount: batch.rowCount, columns }
}

/** A copy of one column in lane memory, as `loadBatch` makes it. */
export function loadVector(
  k: Kernels,
  vector: Vector,
  dictionary: LaneDictionary | null | undefined,
  place: Place = 'scratch',
): LaneVector {
  const { memory } = k
  const { type, length } = vector
  const take = (byteLength: number): number =>
    place === 'heap' ? memory.allocate(byteLength) : memory.scratch(byteLength)
  const isText = type.kind === 'utf8'
  if (isText && !dictionary) {
    throw new MillraceError('MR_TYPE_MISMATCH', 'loadVector: a column of strings needs a dictionary to be coded by')
  }
  const data = take(dataBytes(type.kind, length))
  const column = {
    type,
    length,
    data,
    validity: 0,
    dictionary: isText ? (dictionary ?? null) : null,
    range: null,
    child: null as LaneVector | null,
  }
  try {
    if (vector.validity !== null) {
      column.validity = take(bitmapBytes(length))
      memory.u8.set(vector.validity.subarray(0, Math.ceil(length / 8)), column.validity)
    }
    if (isText) loadCodes(k, vector, dictionary as LaneDictionary, column)
    else if (vector.child) {
      const { offsets, items } = itemsOfVector(vector)
      memory.i32.set(offsets, data >>> 2)
      column.child = loadVector(k, items, dictionary, place)
    } else memory.u8.set(bytesOf(vector.data, type.kind === 'bool' ? Math.ceil(length / 8) : length), data)
  } catch (error) {
    if (place === 'heap') freeVector(k, column)
    throw error
  }
  return column
}

/**
 * A copy of `batch` in fresh JavaScript buffers, each of its own, so that they can be transferred. Column i has type `types[i]`, or its own
 * where there is none; it must fit. `unloaded` is kept from batch to batch of one receiver.
 */
export function unloadBatch(
  k: Kernels,
  { rowCount, columns, columnAt }: LeavingBatch,
  types: readonly DataType[] = [],
  unloaded?: Unloaded,
): VectorBatch {
  const { memory } = k
  const mark = memory.mark()
  const vectors = columns.map((column, i) => {
    const vector = unloadVector(k, columnAt?.(i) ?? column, types[i], unloaded)
    memory.reset(mark)
    return vector
  })
  return { rowCount, vectors }
}

/** A copy of one column in fresh JavaScript buffers. */
export function unloadVector(
  k: Kernels,
  column: LaneVector,
  type: DataType = column.type,
  unloaded?: Unloaded,
): Vector {
  const { memory } = k
  const { length, validity, dictionary } = column
  const bitmap = validity === 0 ? null : new Uint8Array(memory.copyOut(validity, Math.ceil(length / 8)))
  const nullCount = validity === 0 ? 0 : length - count(k, validity, length)
  if (type.kind === 'utf8') {
    const coded = unloadCodes(k, column, unloaded)
    return makeVector(type, length, coded.codes, { validity: bitmap, nullCount, dictionary: coded.dictionary })
  }
  if (dictionary !== null) throw new MillraceError('MR_TYPE_MISMATCH', 'unloadVector: only strings have a dictionary')
  if (column.child) {
    const mark = memory.mark()
    const { items, base } = itemsOf(k, column)
    const offsets = memory.i32.slice(column.data >>> 2, (column.data >>> 2) + length + 1)
    const child = unloadVector(k, items, type.item, unloaded)
    memory.reset(mark)
    return makeVector(type, length, allocateData('list', 0), {
      validity: bitmap,
      nullCount,
      offsets: shifted(offsets, -base),
      child,
    })
  }
  const data = dataOver(type.kind, memory.copyOut(column.data, dataBytes(type.kind, length)))
  return makeVector(type, length, data, { validity: bitmap, nullCount })
}

/** Gives back the heap blocks of a column. */
export function freeVector(k: Kernels, { data, validity, child }: LaneVector): void {
  k.memory.free(data)
  k.memory.free(validity)
  if (child) freeVector(k, child)
}

function bytesOf(data: VectorData, elements: number): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, elements * data.BYTES_PER_ELEMENT)
}

function loadCodes(k: Kernels, vector: Vector, dictionary: LaneDictionary, column: LaneVector): void {
  const { exports, memory } = k
  const { length, data, offsets } = vector
  const mark = memory.mark()
  if (offsets !== null) {
    // Offsets keep their base: a pointer that many bytes before the copy makes up for it.
    const [from, to] = [offsets[0], offsets[length]]
    const bytes = memory.scratch(to - from + 16)
    memory.u8.set((data as Uint8Array).subarray(from, to), bytes)
    const copied = memory.scratch(4 * (length + 1))
    memory.i32.set(offsets.subarray(0, length + 1), copied >>> 2)
    dictionary.intern(copied, bytes - from, column.validity, length, column.data)
  } else if (vector.dictionary === null || vector.dictionary.length === 0) {
    // All null, and no entry to name.
    memory.bytes(column.data, 4 * length).fill(0)
  } else {
    const codes = (data as Int32Array).subarray(0, length)
    const map = dictionary.codeMap(vector.dictionary, codes)
    memory.i32.set(codes, column.data >>> 2)
    if (map !== 0) exports.textRemap(column.data, length, map, column.data)
  }
  memory.reset(mark)
}

/** A column of strings, or of lists of them, with codes of another dictionary, which gets the strings that it lacks; codes in scratch. */
export function recodeText(k: Kernels, column: LaneVector, dictionary: LaneDictionary): LaneVector {
  const { exports, memory } = k
  if (column.child) return { ...column, child: recodeText(k, column.child, dictionary) }
  const theirs = column.dictionary
  if (theirs === null || theirs === dictionary) return column
  const map = memory.scratch(4 * theirs.length + 4)
  dictionary.intern(theirs.offsets, theirs.bytes, 0, theirs.length, map)
  const codes = memory.scratch(4 * column.length)
  // Where there is no entry all rows are null, and have code 0.
  if (theirs.length === 0) memory.u32[map >>> 2] = 0
  exports.textRemap(column.data, column.length, map, codes)
  return { ...column, data: codes, dictionary }
}

/** What is known of the batches that one receiver gets. */
export interface Unloaded {
  /** Rows that are to come, 0 where nobody knows. */
  readonly expected: number
  /** How many have been unloaded with what they use of a dictionary. */
  readonly rows: WeakMap<LaneDictionary, number>
}

/**
 * A batch that uses less than a quarter of a dictionary takes only what it uses; once as many rows have done so as it has entries by four, the
 * others come with all of it, which then costs less.
 */
function unloadCodes(
  k: Kernels,
  { data, length, dictionary }: LaneVector,
  unloaded: Unloaded | undefined,
): { codes: Codes; dictionary: Dictionary } {
  if (dictionary === null) return { codes: codesOut(k, data, length, 0, unloaded), dictionary: new Dictionary() }
  const before = unloaded === undefined ? 0 : Math.max(unloaded.expected, unloaded.rows.get(dictionary) ?? 0)
  // A column without rows is there for its dictionary (operators/operator.ts).
  if (length === 0 || dictionary.length <= 4 * (before + length) + 1024)
    return { codes: codesOut(k, data, length, dictionary.length, unloaded), dictionary: dictionary.toDictionary() }
  unloaded?.rows.set(dictionary, before + length)
  return compact(k, data, length, dictionary, unloaded)
}

/** In the narrowest array that holds all codes below `entries`, where they go to the caller. */
function codesOut(
  { exports, memory }: Kernels,
  codes: number,
  length: number,
  entries: number,
  unloaded: Unloaded | undefined,
): Codes {
  if (unloaded === undefined || entries > 65_536) return new Int32Array(memory.copyOut(codes, 4 * length))
  const mark = memory.mark()
  const isBytes = entries <= 256
  const out = memory.scratch((isBytes ? 1 : 2) * length)
  if (isBytes) exports.textBytes(codes, length, out)
  else exports.textShorts(codes, length, out)
  const narrow = isBytes
    ? new Uint8Array(memory.copyOut(out, length))
    : new Uint16Array(memory.copyOut(out, 2 * length))
  memory.reset(mark)
  return narrow
}

/** Codes by first appearance, and the dictionary that they then name. */
function compact(
  k: Kernels,
  data: number,
  length: number,
  dictionary: LaneDictionary,
  unloaded: Unloaded | undefined,
): { codes: Codes; dictionary: Dictionary } {
  const { exports, memory } = k
  const mark = memory.mark()
  const numbers = memory.scratch(4 * dictionary.length)
  const codes = memory.scratch(4 * length)
  const used = memory.scratch(4 * length)
  const offsets = memory.scratch(4 * length + 4)
  memory.u8.fill(0, numbers, numbers + 4 * dictionary.length)
  memory.u8.copyWithin(codes, data, data + 4 * length)
  const count = exports.textNumber(codes, length, numbers, dictionary.offsets, used, offsets) >>> 0
  const byteLength = memory.u32[(offsets >>> 2) + count]
  const bytes = memory.scratch(byteLength + 16)
  exports.textGather(dictionary.offsets, dictionary.bytes, used, count, bytes)
  const own = Dictionary.adopt(
    new Int32Array(memory.copyOut(offsets, 4 * count + 4)),
    new Uint8Array(memory.copyOut(bytes, byteLength)),
  )
  own.isOfOneBatch = true
  own.isDistinct = true
  const renumbered = codesOut(k, codes, length, count, unloaded)
  memory.reset(mark)
  return { codes: renumbered, dictionary: own }
}
