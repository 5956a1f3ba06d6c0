/** Rows parted by ranges of a sort key, so that each partition, sorted by itself, follows the one before: drawn in assembly/ranges.ts. */
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'
import { imageOf, isWide, ranksOf, type SortKey } from './sort.js'

/** Ranges of values as bits, at most; a partition of nulls comes on top. */
export const MOST_RANGE_BITS = 8

/** `rangeFind` has room for so many. */
const CELLS = 2 ** 12

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
    exports.rangeFind(images, rowCount, limits, bits, first, ids, memory.scratch(2 * CELLS + 2))
  } else memory.u8.fill(0, ids, ids + 2 * rowCount)
  if (vector.validity !== 0) exports.rangeNulls(ids, vector.validity, rowCount, first === 1 ? 0 : partitions - 1)
  exports.rangeOrder(ids, rowCount, partitions, starts, rows)
  memory.reset(mark)
  return { rows, starts: memory.u32.slice(starts >>> 2, (starts >>> 2) + partitions + 1) }
}

/**
 * Pointer in scratch to a u64 a row that ascends as the values do, by `descending`; 0 for strings that are all null. Those of 32 bits have the row below
 * them, or with `isBound` nothing, so that such an image is at most that of every row with an equal value.
 */
function sortImages(k: Kernels, vector: LaneVector, descending: boolean, count: number, isBound = false): number {
  const { exports, memory } = k
  const { kind } = vector.type
  const images = memory.scratch(8 * count)
  const indices = memory.scratch(4 * count)
  exports.sortIota(count, indices)
  if (isWide(kind)) {
    exports.sortImages64(kind === 'float64', vector.data, indices, count, descending ? -1n : 0n, images)
    return images
  }
  const ranks = ranksOf(vector)
  if (kind === 'utf8' && ranks === 0) return 0
  exports.sortImages32(imageOf(kind), vector.data, ranks, indices, count, descending ? -1 : 0, images)
  if (isBound) for (let i = 0; i < count; i++) memory.u32[(images >>> 2) + 2 * i] = 0
  return images
}

/** Rows of one range in one batch. */
export interface Piece {
  readonly columns: readonly LaneVector[]
  readonly from: number
  readonly to: number
}

/** Column i of pieces, its elements of `width` bytes each, one after another to `out`. */
export function joinPieces(
  { exports, memory }: Kernels,
  pieces: readonly Piece[],
  i: number,
  width: number,
  out: number,
): void {
  const mark = memory.mark()
  const list = memory.scratch(8 * pieces.length)
  const { u32 } = memory
  let at = list >>> 2
  for (const { columns, from, to } of pieces) {
    u32[at++] = columns[i].data + width * from
    u32[at++] = width * (to - from)
  }
  exports.rangeJoin(list, pieces.length, out)
  memory.reset(mark)
}
