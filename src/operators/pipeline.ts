/**
 * A chain of transforms over one morsel. Its one difficulty: of several failing rows the least in row order is reported, although
 * each transform runs over a whole morsel before the next one begins.
 */
import type { LaneMemory } from '../kernels/memory.js'
import { type Morsel, RowFailure, type Transform } from './operator.js'

/**
 * All transforms in turn; null where no row is left.
 * @throws RowFailure of the least failing row, whichever transform it fails in.
 */
export function applyAll(transforms: readonly Transform[], morsel: Morsel, memory: LaneMemory): Morsel | null {
  try {
    let current: Morsel | null = morsel
    for (const transform of transforms) {
      if (current === null) return null
      current = transform.apply(current)
    }
    return current
  } catch (failure) {
    if (!(failure instanceof RowFailure) || failure.row === 0) throw failure
    // A later transform may fail on an earlier row: look at the rows before this one alone. Kernels read `rowCount` rows, so a prefix is free.
    const mark = memory.mark()
    applyAll(transforms, prefix(morsel, failure.row), memory)
    memory.reset(mark)
    throw failure
  }
}

/** The first rows of a morsel: the same buffers. */
export function prefix(morsel: Morsel, rowCount: number): Morsel {
  return { rowCount, rows: morsel.rows, columns: morsel.columns.map(column => ({ ...column, length: rowCount })) }
}
