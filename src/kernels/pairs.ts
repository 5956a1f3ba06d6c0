/** Pairs of rows of two sides, as lists of row numbers in scratch (u32): from what join.ts finds to what is gathered. Drawn in assembly/join.ts. */
import { MORSEL_ROWS } from '../columnar/vector.js'
import { bitmapBytes } from './bitmap.js'
import type { CodeMap } from './code-map.js'
import type { Kernels } from './instance.js'
import { type JoinIndex, NONE } from './join.js'
import type { LaneVector } from './lane-vector.js'
import type { LaneDictionary } from './text.js'

export interface RowPairs {
  readonly count: number
  readonly left: number
  readonly right: number
  /** Bitmap of the left rows, where each has one pair at most; else 0 or absent. */
  readonly bits?: number
}

/** Bitmap of the rows that are less than `end`, by default those that are not NONE. */
export function foundBits({ exports, memory }: Kernels, rows: number, count: number, end = NONE): number {
  const bits = memory.scratch(bitmapBytes(count))
  exports.joinBelow(rows, count, end, bits)
  return bits
}

/** Bitmap of the bytes that are not 0. */
export function byteBits({ exports, memory }: Kernels, bytes: number, count: number): number {
  const bits = memory.scratch(bitmapBytes(count))
  exports.joinBytes(bytes, count, bits)
  return bits
}

/** marks[rows[i]] = 1, a byte a row; NONE is none. */
export function markRows({ exports }: Kernels, rows: number, count: number, marks: number): void {
  exports.joinMark(rows, count, marks)
}

/** Pairs (i, rows[i]) where that is not NONE. */
export function foundPairs(k: Kernels, rows: number, count: number): RowPairs {
  const { exports, memory } = k
  const left = memory.scratch(4 * count + 4)
  const right = memory.scratch(4 * count + 4)
  const found = exports.joinMatches(rows, count, left, right) >>> 0
  return { left, right, count: found, bits: found === count ? 0 : foundBits(k, rows, count) }
}

/** NONE to `instead`, in place; returns how many there were. */
export const replaceNone = ({ exports }: Kernels, rows: number, count: number, instead: number): number =>
  exports.joinInstead(rows, count, instead) >>> 0

/** Where an expansion has got to: the next left row, and how many of its pairs have been given. */
export function startExpansion({ memory }: Kernels): number {
  const state = memory.scratch(16)
  memory.u32.fill(0, state >>> 2, (state >>> 2) + 2)
  return state
}

const list = ({ memory }: Kernels): number => memory.scratch(4 * MORSEL_ROWS + 16)

/** The next pairs, no more than a morsel has rows; a row without any gives one with `lone`, unless that is NONE. `state` is moved on. */
export function expandPairs(
  k: Kernels,
  index: JoinIndex,
  ids: number,
  rowCount: number,
  lone: number,
  state: number,
): RowPairs {
  const [left, right] = [list(k), list(k)]
  const { starts, rows } = index
  const count = k.exports.joinExpand(ids, starts, rows, rowCount, lone, MORSEL_ROWS, state, left, right) >>> 0
  return { left, right, count }
}

/**
 * What is left of the pairs of rows [first, end) once a condition has had its say: those whose bit is set in `passed`, and one with `lone` for each row that none is left of,
 * unless that is NONE. `met` is a byte a left row, and is told of those that have one left; row `end` may have pairs that are still to come.
 */
export function resolvePairs(
  k: Kernels,
  pairs: RowPairs,
  passed: number,
  [first, end]: readonly [number, number],
  met: number,
  lone: number,
): RowPairs {
  const [left, right] = [list(k), list(k)]
  const count =
    k.exports.joinResolve(pairs.left, pairs.right, passed, pairs.count, first, end, met, lone, left, right) >>> 0
  return { left, right, count }
}

/** A column of strings with the codes of the dictionary that `map` leads to, which has them all; codes in scratch. */
export function remapText(
  { exports, memory }: Kernels,
  column: LaneVector,
  map: CodeMap,
  to: LaneDictionary,
): LaneVector {
  const { data, length, dictionary } = column
  if (dictionary === null) return { ...column, dictionary: to }
  const pointer = map.of(dictionary)
  const codes = memory.scratch(4 * length)
  // Where there is no entry all rows are null, and have code 0.
  if (dictionary.length === 0) memory.u8.fill(0, codes, codes + 4 * length)
  else exports.textRemap(data, length, pointer, codes)
  return { ...column, data: codes, dictionary: to }
}
