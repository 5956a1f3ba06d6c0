/** Which keys each cell of a live aggregate has, windows left out: by these the cells of one group are known in all panes that a window is made of. */
import type { DataType } from '../columnar/type.js'
import { createGroupTable, type GroupTable } from '../kernels/group.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'

export interface CellKeys {
  /** Indices of the keys of rows (u32 pointer). */
  find(keys: readonly LaneVector[], rowCount: number): number
  /** The key of the next cell. */
  push(key: number): void
  at(cell: number): number
  /** Cells that have a key, ascending. */
  cellsOf(key: number): readonly number[]
  /** Other cells have taken the place of all there were. */
  renew(keys: readonly LaneVector[], cellCount: number): void
  free(): void
}

export function createCellKeys(k: Kernels, types: readonly DataType[], mostSlots: number): CellKeys {
  const { memory } = k
  const makeTable = (): GroupTable => createGroupTable(k, types, mostSlots)
  let table = makeTable()
  let keyOf: number[] = []
  let cellsOf: number[][] = []
  const find = (keys: readonly LaneVector[], rowCount: number): number => {
    table.cover(keys, rowCount)
    return table.find(keys, rowCount)
  }
  const push = (key: number): void => {
    cellsOf[key] ??= []
    cellsOf[key].push(keyOf.length)
    keyOf.push(key)
  }
  return {
    find,
    push,
    at: cell => keyOf[cell] as number,
    cellsOf: key => cellsOf[key] as number[],
    renew(keys, cellCount) {
      table.free()
      table = makeTable()
      const found = cellCount === 0 ? 0 : find(keys, cellCount) >>> 2
      keyOf = []
      cellsOf = []
      for (const key of memory.u32.slice(found, found + cellCount)) push(key)
    },
    free: () => table.free(),
  }
}
