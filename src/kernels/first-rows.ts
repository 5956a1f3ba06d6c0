/** Which rows are the first of their groups: drawn in assembly/first-rows.ts. */
import type { Kernels } from './instance.js'
import type { LaneVector } from './lane-vector.js'

/** Rows whose group (u32 pointer, one a row) no byte of `seen` knows yet, in scratch, ascending; these are known from now on. */
export function unseenRows({ exports, memory }: Kernels, groups: number, rowCount: number, seen: number) {
  const rows = memory.scratch(4 * rowCount + 4)
  return { rows, count: exports.firstSeen(groups, rowCount, seen, rows) >>> 0 }
}

/**
 * Marks in a bitmap those of `count` rows whose group is `next`, which then is one more. Row i is `rows[i]` (u32 pointer), or where that is 0 `first` + i.
 * Returns the last `next`.
 */
export const markFirst = (
  { exports }: Kernels,
  groups: number,
  count: number,
  next: number,
  rows: number,
  first: number,
  marks: number,
): number => exports.firstMark(groups, count, next, rows, first, marks) >>> 0

/** Marks `rows[i]` for every bit i that is set. */
export const applyMarks = ({ exports }: Kernels, bits: number, count: number, rows: number, marks: number): void =>
  exports.firstApply(bits, count, rows, marks)

/** The key words of rows `from` to `to` of planes, row by row, to `out`. */
export function copyWords(
  { exports, memory }: Kernels,
  planes: readonly LaneVector[],
  from: number,
  to: number,
  out: number,
): void {
  const [{ data }] = planes
  if (planes.length === 1) memory.u8.copyWithin(out, data + 8 * from, data + 8 * to)
  else
    for (const [j, plane] of planes.entries())
      exports.radixPlane(plane.data + 8 * from, 8, out + 8 * j, 8 * planes.length, to - from)
}
