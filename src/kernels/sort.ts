/**
 * A stable order of rows by any number of keys, as row indices; `take` of select.ts then gathers them. Any number of rows, not
 * only a morsel.
 */
import type { Kind } from '../columnar/type.js'
import { and, filled, not, or } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { withBlocks } from './memory.js'
import { elementBytes, integerKind } from './operand.js'

export interface SortKey {
  readonly vector: LaneVector
  readonly descending: boolean
  /** Where nulls go, whatever the direction. */
  readonly nulls: 'first' | 'last'
}

/** A key by the place of its column. */
export interface ColumnKey extends Omit<SortKey, 'vector'> {
  readonly column: number
}

export const sortKeysOf = (columns: readonly LaneVector[], keys: readonly ColumnKey[]): SortKey[] =>
  keys.map(({ column, ...how }) => ({ ...how, vector: columns[column] }))

const COUNTS_BYTES = 8 * 256 * 4

/**
 * Pointer in scratch to the u32 indices of all rows in the order of the keys, the first key first; rows equal in all keys keep
 * their order. NaN is greatest, -0 equals 0, false is before true, strings go by unsigned bytes.
 * Room to work, 12 to 28 bytes a row, comes from the heap and is given back.
 */
export function argsort(k: Kernels, keys: readonly SortKey[], rowCount: number): number {
  const { exports, memory } = k
  const indices = memory.scratch(4 * rowCount)
  exports.sortIota(rowCount, indices)
  // From the last key to the first, each pass stable.
  for (const key of [...keys].reverse()) sortBy(k, key, indices, rowCount)
  return indices
}

function sortBy(k: Kernels, { vector, descending, nulls }: SortKey, indices: number, rowCount: number): void {
  const { exports, memory } = k
  let from = indices
  let count = rowCount
  if (vector.validity !== 0) {
    const mark = memory.mark()
    const parted = memory.scratch(4 * rowCount)
    count = exports.sortPartition(indices, rowCount, vector.validity, nulls === 'first', parted)
    memory.u32.copyWithin(indices >>> 2, parted >>> 2, (parted >>> 2) + rowCount)
    memory.reset(mark)
    if (nulls === 'first') from = indices + 4 * (rowCount - count)
  }
  if (isWide(vector.type.kind)) sortWide(k, vector, descending, from, count)
  else sortNarrow(k, vector, descending, from, count)
}

function sortWide(k: Kernels, vector: LaneVector, descending: boolean, indices: number, count: number): void {
  const { exports, memory } = k
  withBlocks(memory, [8 * count, 8 * count, 4 * count, COUNTS_BYTES], ([images, otherImages, otherIndices, counts]) => {
    const isDouble = vector.type.kind === 'float64'
    exports.sortImages64(isDouble, vector.data, indices, count, descending ? -1n : 0n, images)
    if (exports.sortPairs(images, indices, otherImages, otherIndices, count, counts) !== 0) {
      memory.u32.copyWithin(indices >>> 2, otherIndices >>> 2, (otherIndices >>> 2) + count)
    }
  })
}

function sortNarrow(k: Kernels, vector: LaneVector, descending: boolean, indices: number, count: number): void {
  const { exports, memory } = k
  const { kind } = vector.type
  const flip = descending ? -1 : 0
  withBlocks(memory, [8 * count, 8 * count, COUNTS_BYTES], ([images, otherImages, counts]) => {
    const ranks = ranksOf(vector)
    // A column of strings without a dictionary is all null: there is nothing to sort.
    if (kind === 'utf8' && ranks === 0) return
    exports.sortImages32(imageOf(kind), vector.data, ranks, indices, count, flip, images)
    exports.sortPacked(images, otherImages, count, counts, indices)
  })
}

/** Kinds of keys that rows can be held against one by one, quickly. */
const isBounded = (kind: Kind): boolean => isWide(kind) || kind === 'int32' || kind === 'date'

/** The bits of a row's key, to hold others against; null of a key that is null. Undefined where only a sort can tell. */
export function boundOf({ memory }: Kernels, { vector }: SortKey, row: number) {
  const { type, data, validity } = vector
  if (!isBounded(type.kind)) return undefined
  if (validity !== 0 && ((memory.u8[validity + (row >> 3)] >> (row & 7)) & 1) === 0) return null
  return isWide(type.kind) ? memory.i64[(data >>> 3) + row] : BigInt(memory.i32[(data >>> 2) + row])
}

/** Bitmap in scratch of the rows whose keys may not be behind a bound; 0: none is. */
export function notBehind(k: Kernels, { vector, descending, nulls }: SortKey, bound: bigint | null, rowCount: number) {
  const { memory } = k
  const { type, data, validity } = vector
  const isLast = nulls === 'last'
  if (bound === null && isLast) return 0
  const bits = filled(k, false, rowCount)
  if (bound !== null) {
    const limit = memory.scratch(8)
    memory.i64[limit >>> 3] = bound
    k.exports.sortWithin(type.kind === 'float64', elementBytes(type.kind), data, rowCount, descending, limit, bits)
  }
  if (validity === 0) return bits
  return isLast ? and(k, bits, validity, rowCount) : or(k, bits, not(k, validity, rowCount), rowCount)
}

export const isWide = (kind: Kind): boolean => kind === 'int64' || kind === 'float64' || kind === 'timestamp'

export const ranksOf = ({ type, dictionary }: LaneVector): number =>
  type.kind === 'utf8' ? (dictionary?.ranks() ?? 0) : 0

/** How `sortImages32` is told of a type. */
export const imageOf = (kind: Kind): number => (kind === 'utf8' ? 6 : kind === 'float32' ? 5 : integerKind(kind))
