/**
 * Filtering: from a bitmap to the indices of its rows, and gathering those rows of a column or a batch into scratch.
 */
import { bitmapBytes } from './bitmap.js'
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

/** Rows `indices[0..count)` (u32 pointer, in any order, repeats allowed) of a column, gathered into scratch. */
export function take(k: Kernels, vector: LaneVector, indices: number, count: number): LaneVector {
  const { exports, memory } = k
  const { type, data, validity } = vector
  const out = memory.scratch(dataBytes(type.kind, count))
  const width = elementBytes(type.kind)
  if (width === 4) exports.selectTake32(data, indices, count, out)
  else if (width === 8) exports.selectTake64(data, indices, count, out)
  else if (width === 0) exports.selectTakeBits(data, indices, count, out)
  else if (width === 1) exports.selectTake8(data, indices, count, out)
  else exports.selectTake16(data, indices, count, out)
  return { ...vector, length: count, data: out, validity: validity === 0 ? 0 : takeBits(k, validity, indices, count) }
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

function takeBits(k: Kernels, bitmap: number, indices: number, count: number): number {
  const out = k.memory.scratch(bitmapBytes(count))
  k.exports.selectTakeBits(bitmap, indices, count, out)
  return out
}
