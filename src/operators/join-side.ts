/** The other side of a join: its rows, side by side in the heap of every lane, with the null row that stands for no row. What is looked up in them is join.ts's. */
import { type DataType, leafType, type SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import type { Kernels } from '../kernels/instance.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import { nullColumn } from '../kernels/null-column.js'
import { take } from '../kernels/select.js'
import type { LaneDictionary } from '../kernels/text.js'
import { freeVector } from '../kernels/transfer-batch.js'
import type { OperatorContext } from './build.js'
import { concatenate, sliceBatch } from './heap-batch.js'
import { RowStore } from './row-store.js'

export interface JoinSide {
  /** Takes the next rows. */
  add(batch: VectorBatch): void
  /** All rows are there: puts them side by side, with `null`s in one more row behind them where that is wanted. */
  settle(withNull: boolean): void
  /** Once settled: rows, the null row left out. */
  readonly rowCount: number
  readonly columns: readonly LaneVector[]
  /** Whether a column has nulls, those of the null row apart. */
  hasNulls(i: number): boolean
  /** Some columns' rows, from a multiple of 128 on. */
  slice(columns: readonly number[], from: number, to: number): readonly LaneVector[]
  /** Puts the rows in another order, u32 row numbers; the null row stays behind them. */
  reorder(order: number): void
  /** Columns that are not looked at any more. */
  drop(columns: readonly number[]): void
  free(): void
}

export function createJoinSide(context: OperatorContext, schema: SchemaShape): JoinSide {
  const { k, dictionaries: pool } = context
  const types = Object.values(schema)
  let store: RowStore | null = new RowStore(context)
  let parts = 0
  let rows: LaneBatch = { rowCount: 0, columns: [] }
  let rowCount = 0
  let nulls: boolean[] = []
  const dropped = new Set<number>()
  /** Of columns without rows. */
  const empty: LaneDictionary[] = []
  const makeEmpty = (type: DataType): LaneDictionary | null => {
    if (leafType(type).kind !== 'utf8') return null
    const dictionary = pool.create()
    empty.push(dictionary)
    return dictionary
  }
  return {
    add(batch) {
      store?.absorb({ kind: 'rows', split: parts++, batch })
    },
    settle(withNull) {
      const all = store?.take() ?? []
      rowCount = all.reduce((sum, { batch }) => sum + batch.rowCount, 0)
      nulls = types.map((_, i) => all.some(({ batch }) => batch.columns[i].validity !== 0))
      if (withNull) {
        const dictionaries = types.map((type, i) => {
          const column = all[0]?.batch.columns[i]
          return column === undefined ? makeEmpty(type) : dictionaryOf(column)
        })
        all.push({ split: parts, batch: nullRow(k, types, dictionaries) })
      }
      if (all.length > 0) rows = concatenate(k, all)
    },
    get rowCount() {
      return rowCount
    },
    get columns() {
      return rows.columns
    },
    hasNulls: i => nulls[i] ?? false,
    slice(columns, from, to) {
      return sliceBatch({ rowCount, columns: columns.map(i => rows.columns[i]) }, from, to - from).columns
    },
    reorder(order) {
      const indices = k.memory.allocate(4 * rowCount + 4)
      const columns: LaneVector[] = []
      try {
        k.memory.u8.copyWithin(indices, order, order + 4 * rowCount)
        k.memory.u32[(indices >>> 2) + rowCount] = rowCount
        for (const column of rows.columns)
          columns.push(take(k, column, indices, column.length, bytes => k.memory.allocate(bytes)))
      } catch (error) {
        for (const column of columns) freeVector(k, column)
        throw error
      } finally {
        k.memory.free(indices)
      }
      for (const column of rows.columns) freeVector(k, column)
      rows = { ...rows, columns }
    },
    drop(columns) {
      for (const i of columns) {
        if (dropped.has(i) || rows.columns[i] === undefined) continue
        dropped.add(i)
        freeVector(k, rows.columns[i])
      }
    },
    free() {
      rows.columns.forEach((column, i) => {
        if (!dropped.has(i)) freeVector(k, column)
      })
      rows = { rowCount: 0, columns: [] }
      store?.free()
      store = null
      for (const dictionary of empty.splice(0)) pool.release(dictionary)
    },
  }
}

const nullRow = (
  k: Kernels,
  types: readonly DataType[],
  dictionaries: readonly (LaneDictionary | null)[],
): LaneBatch => ({
  rowCount: 1,
  columns: types.map((type, i) => nullColumn(k, type, 1, dictionaries[i], bytes => k.memory.allocate(bytes))),
})
