/**
 * A part of an expression that is asked of some rows only, as SQL's CASE asks: what fails in the other rows has not failed. It is computed for all of
 * them, which is fastest, and only where one fails that is none of those, once more for those alone.
 */
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import type { Operand } from '../kernels/operand.js'
import { isScalar } from '../kernels/scalar.js'
import { selection, take } from '../kernels/select.js'
import type { Run } from './call.js'
import { Failures } from './compiled.js'
import type { Morsel } from './operator.js'

/**
 * @param rows bitmap of those that are asked, wanted only where one fails
 * @returns null where no row is asked and some fail; what is said of rows that are not asked is unspecified
 */
export function forRows(k: Kernels, run: Run, morsel: Morsel, failures: Failures, rows: () => number): Operand | null {
  const whole = new Failures(failures)
  const all = run(morsel, whole)
  if (whole.least === null) return all
  const { row, expression, reason } = whole.least
  const bitmap = rows()
  if ((k.memory.u8[bitmap + (row >>> 3)] >>> (row & 7)) & 1) {
    failures.note(row, expression, reason)
    return all
  }
  const { rowCount } = morsel
  const { indices, count } = selection(k, bitmap, rowCount)
  if (count === 0) return null
  const some = new Failures(failures)
  const part = run(chosen(k, morsel, indices, count), some)
  if (some.least !== null) {
    failures.note(k.memory.u32[(indices >>> 2) + some.least.row], some.least.expression, some.least.reason)
  }
  return isScalar(part) ? part : take(k, part, placesOf(k, indices, count, rowCount), rowCount)
}

/** The rows `indices[0..count)`; a column is gathered when it is first read. */
function chosen(k: Kernels, { columns }: Morsel, indices: number, count: number): Morsel {
  const gathered: LaneVector[] = []
  columns.forEach((column, i) => {
    const get = () => {
      const value = take(k, column, indices, count)
      Object.defineProperty(gathered, i, { value })
      return value
    }
    Object.defineProperty(gathered, i, { get, configurable: true })
  })
  return { rowCount: count, rows: 0, columns: gathered }
}

/** Where each row of a morsel is among those that were chosen; of the others, the first. */
function placesOf({ memory }: Kernels, indices: number, count: number, rowCount: number): number {
  const places = memory.scratch(4 * rowCount)
  const { u32 } = memory
  u32.fill(0, places >>> 2, (places >>> 2) + rowCount)
  for (let i = 0; i < count; i++) u32[(places >>> 2) + u32[(indices >>> 2) + i]] = i
  return places
}
