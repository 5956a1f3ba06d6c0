/**
 * Filtering: from a bitmap to the indices of its rows, and gathering those rows of a column or a batch into scratch; rows side by side need no
 * gathering.
 */
import { bitmapBytes, copyBits } from './bitmap.js'
import type { Kernels } from './instance.js'
import type { LaneBatch, LaneVector } from './lane-vector.js'
import { dataBytes, elementBytes } from './operand.js'

export interface Selection {
  /** Pointer to `count` ascending u32 row indices in scratch. */
  readonly indices: number
  readonly count: number
}

/** The rows whose bit is set. */
export function selection(k: Kernels, bitmap: number, rowCount: number): Selection {
  // The kernel stores indices in fours.
  const indices = k.memory.scratch(4 * rowCount + 16)
  return { indices, count: k.exports.selectIndices(bitmap, rowCount, indices) }
}

/** Rows `indices[0..count)` (u32 pointer, in any order, repeats allowed) of a column, gathered into scratch, or where `room` says. */
export function take(
  k: Kernels,
  vector: LaneVector,
  indices: number,
  count: number,
  room = (byteLength: number): number => k.memory.scratch(byteLength),
): LaneVector {
  const { exports, memory } = k
  const { type, data, validity, child } = vector
  const out = room(dataBytes(type.kind, count))
  const bits = validity && takeBits(k, validity, indices, count, room(bitmapBytes(count)))
  const taken = { ...vector, length: count, data: out, validity: bits }
  if (child) {
    const itemCount = exports.listOffsets(data, indices, count, out) >>> 0
    const items = memory.scratch(4 * itemCount)
    exports.listItems(data, indices, count, items)
    return { ...taken, child: take(k, child, items, itemCount, room) }
  }
  const width = elementBytes(type.kind)
  if (width === 4) exports.selectTake32(data, indices, count, out)
  else if (width === 8) exports.selectTake64(data, indices, count, out)
  else if (width === 0) exports.selectTakeBits(data, indices, count, out)
  else if (width === 1) exports.selectTake8(data, indices, count, out)
  else exports.selectTake16(data, indices, count, out)
  return taken
}

/**
 * Rows `[from, to)` of a column: the same buffers, but bitmaps copied to scratch where `from` is no multiple of 128. Data is then aligned as its
 * elements are.
 */
export function slice(k: Kernels, vector: LaneVector, from: number, to: number): LaneVector {
  const length = to - from
  const bits = (bitmap: number): number => {
    if (bitmap === 0 || from % 128 === 0) return bitmap && bitmap + from / 8
    const out = k.memory.scratch(bitmapBytes(length))
    copyBits(k, bitmap, from, out, 0, length)
    return out
  }
  const width = vector.child ? 4 : elementBytes(vector.type.kind)
  const data = width === 0 ? bits(vector.data) : vector.data + from * width
  return { ...vector, length, data, validity: bits(vector.validity) }
}

/** The rows' items of a list column, no more, as `slice` gives them, and how many items lie before them. */
export function itemsOf(k: Kernels, { data, length, child }: LaneVector): { items: LaneVector; base: number } {
  const { u32 } = k.memory
  const base = u32[data >>> 2]
  return { items: slice(k, child as LaneVector, base, u32[(data >>> 2) + length]), base }
}

/** list[indices[i]] in scratch, for lists of u32; either may be 0, which stands for i itself. */
export function takeIndices({ exports, memory }: Kernels, list: number, indices: number, count: number): number {
  if (list === 0 || indices === 0) return list || indices
  const out = memory.scratch(4 * count)
  exports.selectTake32(list, indices, count, out)
  return out
}

/** `take` of every column. */
export function takeBatch(k: Kernels, batch: LaneBatch, indices: number, count: number): LaneBatch {
  return { rowCount: count, columns: batch.columns.map(column => take(k, column, indices, count)) }
}

/** Bits `indices[0..count)` of a bitmap. */
export function takeBits(
  k: Kernels,
  bitmap: number,
  indices: number,
  count: number,
  out = k.memory.scratch(bitmapBytes(count)),
): number {
  k.exports.selectTakeBits(bitmap, indices, count, out)
  return out
}

/** Pointer in scratch to the u32 row numbers `from` to `to`. */
export function rangeIndices(k: Kernels, from: number, to: number): number {
  const indices = k.memory.scratch(4 * (to - from))
  const { u32 } = k.memory
  for (let row = from, at = indices >>> 2; row < to; row++, at++) u32[at] = row
  return indices
}
