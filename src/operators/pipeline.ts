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

/**
 * All transforms, those that make several morsels of one too: `use` gets what comes out, morsel by morsel, each good until it returns.
 * @param isDeferred whether `use` is to get what comes of the rows before a failing one too.
 * @throws RowFailure as `applyAll` does
 */
export function runAll(
  transforms: readonly Transform[],
  morsel: Morsel,
  memory: LaneMemory,
  use: (morsel: Morsel) => void,
  isDeferred: boolean,
): void {
  const at = transforms.findIndex(({ expand }) => expand !== undefined)
  const before = at < 0 ? transforms : transforms.slice(0, at)
  let failure: unknown = null
  let current: Morsel | null
  try {
    current = applyAll(before, morsel, memory)
  } catch (error) {
    if (!(error instanceof RowFailure) || (at < 0 && !isDeferred)) throw error
    failure = error
    current = error.row === 0 ? null : applyAll(before, prefix(morsel, error.row), memory)
  }
  if (current !== null && at < 0) use(current)
  if (current !== null && at >= 0) {
    const after = transforms.slice(at + 1)
    // What expands may itself fail, in a row before those of the morsels that it has not given yet.
    for (const piece of (transforms[at] as Required<Transform>).expand(current)) {
      try {
        runAll(after, { ...piece, rows: 0 }, memory, use, isDeferred)
      } catch (error) {
        if (!(error instanceof RowFailure) || piece.rows === 0) throw error
        throw new RowFailure(memory.u32[(piece.rows >>> 2) + error.row], error.error)
      }
    }
  }
  if (failure !== null) throw failure
}

/** The first rows of a morsel: the same buffers. */
export function prefix(morsel: Morsel, rowCount: number): Morsel {
  return { rowCount, rows: morsel.rows, columns: morsel.columns.map(column => ({ ...column, length: rowCount })) }
}
