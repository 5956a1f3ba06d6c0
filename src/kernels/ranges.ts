/** Rows parted by ranges of a sort key, so that each partition, sorted by itself, follows the one before: drawn in assembly/ranges.ts. */
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { type SortKey, sortImages } from './sort.js'

/** Ranges of values as bits, at most; a partition of nulls comes on top. */
export const MOST_RANGE_BITS = 8

export const partitionsOf = (bits: number): number => 2 ** bits + 1

/** Rows in the order of their partitions, in scratch. */
export interface RangedRows {
  /** u32 pointer: the row at each place. */
  readonly rows: number
  /** Where each partition begins, and the end. */
  readonly starts: Uint32Array<ArrayBuffer>
}

/**
 * Parts `rowCount` rows by a key whose ranges begin with the values of `bounds`: 2^bits - 1 of them, in the key's order and none null, or none at all where no
 * row has a value. Strings of both are of one dictionary.
 */
export function rangeRows(
  k: Kernels,
  { vector, descending, nulls }: SortKey,
  bounds: LaneVector,
  bits: number,
  rowCount: number,
): RangedRows {
  const { exports, memory } = k
  const partitions = partitionsOf(bits)
  const rows = memory.scratch(4 * rowCount)
  const starts = memory.scratch(4 * (partitions + 1))
  const mark = memory.mark()
  const ids = memory.scratch(2 * rowCount)
  const first = nulls === 'first' ? 1 : 0
  const images = bounds.length === 0 ? 0 : sortImages(k, vector, descending, rowCount)
  if (images !== 0) {
    const limits = sortImages(k, bounds, descending, bounds.length, true)
    exports.rangeFind(images, rowCount, limits, bits, first, ids)
  } else memory.u8.fill(0, ids, ids + 2 * rowCount)
  if (vector.validity !== 0) exports.rangeNulls(ids, vector.validity, rowCount, first === 1 ? 0 : partitions - 1)
  exports.rangeOrder(ids, rowCount, partitions, starts, rows)
  memory.reset(mark)
  return { rows, starts: memory.u32.slice(starts >>> 2, (starts >>> 2) + partitions + 1) }
}
