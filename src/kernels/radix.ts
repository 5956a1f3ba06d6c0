/**
 * Key words as planes (all first words, then all second ones), hashed so that equal keys of all lanes have equal hashes whatever their codes, and
 * rows parted by these hashes. Drawn in assembly/radix.ts; the words themselves are key-words.ts's.
 */
import type { Kernels } from './instance.js'
import { type KeyLayout, packKeys, unpackKeys } from './key-words.js'
import type { LaneVector } from './lane-vector.js'
import type { LaneDictionary } from './text.js'

/** Partitions: fewer were consistently slower, and more are too many places to write to at once. */
export const PARTITION_BITS = 8
export const PARTITIONS = 2 ** PARTITION_BITS

/** Rows in the order of their partitions, in scratch. */
export interface PartedRows {
  /** u32 pointer: the row at each place. */
  readonly rows: number
  /** Places, those between partitions among them. */
  readonly length: number
  /** First place of each partition, a multiple of 8, and how many rows it has. */
  readonly starts: Uint32Array
  readonly counts: Uint32Array
}

/** The planes of some columns' key words, in scratch, end to end: u64[width][rowCount]. */
export function keyPlanes(k: Kernels, layout: KeyLayout, keys: readonly LaneVector[], rowCount: number): number {
  const { exports, memory } = k
  const { width } = layout
  const planes = memory.scratch(8 * width * rowCount)
  if (width === 1) {
    packKeys(k, layout, keys, 0, rowCount, planes)
    return planes
  }
  const mark = memory.mark()
  const words = memory.scratch(8 * width * rowCount)
  packKeys(k, layout, keys, 0, rowCount, words)
  for (let j = 0; j < width; j++) exports.radixPlane(words + 8 * j, 8 * width, planes + 8 * j * rowCount, 8, rowCount)
  memory.reset(mark)
  return planes
}

/** The words of planes that need not lie end to end, row by row: in scratch, or the one plane itself. */
export function wordsOfPlanes({ exports, memory }: Kernels, planes: readonly number[], rowCount: number): number {
  const width = planes.length
  if (width === 1) return planes[0]
  const words = memory.scratch(8 * width * rowCount)
  for (const [j, plane] of planes.entries()) exports.radixPlane(plane, 8, words + 8 * j, 8 * width, rowCount)
  return words
}

/** The planes of words row by row, end to end, in scratch. */
export function planesOfWords({ exports, memory }: Kernels, words: number, width: number, rowCount: number): number {
  const planes = memory.scratch(8 * width * rowCount)
  for (let j = 0; j < width; j++) exports.radixPlane(words + 8 * j, 8 * width, planes + 8 * j * rowCount, 8, rowCount)
  return planes
}

/** The key columns of planes, in scratch. */
export function keysOfPlanes(
  k: Kernels,
  layout: KeyLayout,
  planes: readonly number[],
  rowCount: number,
  dictionaries: readonly (LaneDictionary | null)[],
): LaneVector[] {
  return unpackKeys(k, layout, wordsOfPlanes(k, planes, rowCount), rowCount, dictionaries)
}

/** A 32-bit hash a row, in scratch, of rows given as `keyPlanes` gives them. */
function hashesOf(
  k: Kernels,
  layout: KeyLayout,
  planes: number,
  rowCount: number,
  dictionaries: readonly (LaneDictionary | null)[],
): number {
  const { exports, memory } = k
  const texts = layout.fields.flatMap((field, i) => (field.type.kind === 'utf8' ? [{ ...field, i }] : []))
  const hashes = memory.scratch(4 * rowCount)
  const mark = memory.mark()
  const masks = memory.scratch(8 * layout.width)
  // Codes are each lane's own: of strings the bytes count.
  for (let j = 0; j < layout.width; j++) {
    const codes = texts.filter(({ word }) => word === j)
    const mask = codes.reduce((all, { bits, shift }) => all & ~(((1n << BigInt(bits)) - 1n) << BigInt(shift)), -1n)
    memory.i64[(masks >>> 3) + j] = BigInt.asIntN(64, mask)
  }
  const pitch = 8 * rowCount
  exports.radixHash(planes, pitch, layout.width, masks, BigInt(k.seed ^ 0x51ed270b), rowCount, hashes)
  for (const { i, word, shift, bits: codeBits, nullBit } of texts) {
    const nulls = nullBit === null ? 0 : planes + pitch * nullBit.word
    const lut = dictionaries[i]?.hashes() ?? zeros(k)
    exports.radixMix(hashes, planes + pitch * word, shift, codeBits, nulls, nullBit?.shift ?? 0, lut, rowCount)
  }
  memory.reset(mark)
  return hashes
}

/** Parts rows, given as `keyPlanes` gives them; `bits` of the hash are passed over: those by which the rows have been parted before. */
export function partRows(
  k: Kernels,
  layout: KeyLayout,
  planes: number,
  rowCount: number,
  dictionaries: readonly (LaneDictionary | null)[],
  bits = 0,
): PartedRows {
  const { exports, memory } = k
  const rows = memory.scratch(4 * (rowCount + 8 * PARTITIONS))
  const starts = memory.scratch(4 * (PARTITIONS + 1))
  const counts = memory.scratch(4 * PARTITIONS)
  const mark = memory.mark()
  const hashes = hashesOf(k, layout, planes, rowCount, dictionaries)
  const first = hashes >>> 2
  if (bits > 0) for (let row = first; row < first + rowCount; row++) memory.u32[row] <<= bits
  const length = exports.radixOrder(hashes, rowCount, PARTITION_BITS, starts, counts, rows)
  memory.reset(mark)
  const { u32 } = memory
  return {
    rows,
    length,
    starts: u32.slice(starts >>> 2, (starts >>> 2) + PARTITIONS),
    counts: u32.slice(counts >>> 2, (counts >>> 2) + PARTITIONS),
  }
}

/** The same with nothing between partitions: u32 pointer in scratch to the rows, and where each partition begins, and the end. */
export function orderRows(
  k: Kernels,
  layout: KeyLayout,
  planes: number,
  rowCount: number,
  dictionaries: readonly (LaneDictionary | null)[],
): { readonly rows: number; readonly starts: Uint32Array<ArrayBuffer> } {
  const { exports, memory } = k
  const rows = memory.scratch(4 * rowCount)
  const starts = memory.scratch(4 * (PARTITIONS + 1))
  const mark = memory.mark()
  const ids = memory.scratch(2 * rowCount)
  exports.firstIds(hashesOf(k, layout, planes, rowCount, dictionaries), rowCount, ids)
  exports.rangeOrder(ids, rowCount, PARTITIONS, starts, rows)
  memory.reset(mark)
  return { rows, starts: memory.u32.slice(starts >>> 2, (starts >>> 2) + PARTITIONS + 1) }
}

/** The look-up table of a column that has no dictionary: all its rows are null. */
function zeros({ memory }: Kernels): number {
  const lut = memory.scratch(8)
  memory.u32[lut >>> 2] = 0
  return lut
}

/** Rewrites the codes of key `i` in its plane: `map` (u32 pointer) has the new one of each. */
export function recodeKey(
  { exports }: Kernels,
  { fields }: KeyLayout,
  i: number,
  planes: readonly number[],
  map: number,
  rowCount: number,
): void {
  const { word, shift, bits, nullBit } = fields[i]
  const nulls = nullBit === null ? 0 : planes[nullBit.word]
  exports.radixRecode(planes[word], shift, bits, nulls, nullBit?.shift ?? 0, map, rowCount)
}

/** The ranks of rows (u32 pointer) of which row 0 has the rank `first`, to `out`. */
export function ranksOfRows({ exports }: Kernels, first: number, rows: number, count: number, out: number): void {
  exports.radixRanks(BigInt(first), rows, count, out)
}

/** leasts[groups[i]] = the lesser of itself and ranks[i]: all are pointers, the first two to an int64 a group and a u32 a row. */
export function leastRanks(
  { exports }: Kernels,
  leasts: number,
  groups: number,
  ranks: number,
  rowCount: number,
): void {
  exports.minMaxLeast64(leasts, groups, ranks, rowCount)
}

/** Rows whose rank belongs to a lane, ascending: `lanes` is a u32 pointer to the lane of each split. In scratch. */
export function rowsOfLane(
  { exports, memory }: Kernels,
  ranks: number,
  rowCount: number,
  lanes: number,
  lane: number,
): { readonly rows: number; readonly count: number } {
  const rows = memory.scratch(4 * rowCount + 4)
  return { rows, count: exports.radixOfLane(ranks, rowCount, lanes, lane, rows) >>> 0 }
}

/** Notes in `at` (u32[rows of the lane], 0xffffffff where nothing is) the row that each rank stands for; `firsts` has the number of each split's first row. */
export function placeRanks({ exports }: Kernels, ranks: number, rowCount: number, firsts: number, at: number): void {
  exports.radixPlace(ranks, rowCount, firsts, at)
}

/** What has been placed among `count` entries, in order, to `out` (room for one more than there are). Returns how many. */
export const placed = ({ exports }: Kernels, at: number, count: number, out: number): number =>
  exports.radixPlaced(at, count, out) >>> 0
