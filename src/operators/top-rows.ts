/**
 * Of rows that are to be sorted, and of which only the first are wanted: once there are many more, those behind these go, and of what comes later whatever the last of them
 * shows to be behind it.
 *
 * ```
 *   morsel --[first key not behind the bound]--> kept rows --[many]--> sorted: the first `top` stay, the key of the last is the bound
 * ```
 * Rows with the bound's own key stay, whichever came first: what tells them apart are the other keys, and the order of rows.
 */
import type { LaneBatch } from '../kernels/lane-vector.js'
import { selection, takeBatch } from '../kernels/select.js'
import { argsort, boundOf, type ColumnKey, notBehind, sortKeysOf } from '../kernels/sort.js'
import type { OperatorContext } from './build.js'
import { concatenate, freeHeapBatch, sliceBatch } from './heap-batch.js'
import { type RowStore, rowsByPart } from './row-store.js'

export interface TopRows {
  add(batch: LaneBatch, split: number): void
  /** Leaves the first rows alone. */
  cut(): void
}

/** Rows that are kept before any go, at least; strings have to be put in order first, all there are. */
const LEAST_ROWS = 2 ** 14
const LEAST_ROWS_OF_STRINGS = 2 ** 20
/** How many times as many as are wanted. */
const SPARE = 4

/** @param leastRows that are kept before any go; for tests, which have few */
export function createTopRows(
  { k }: OperatorContext,
  store: RowStore,
  keys: readonly ColumnKey[],
  top: number,
  leastRows?: number,
): TopRows {
  const { memory } = k
  /** Where the last row that is wanted is by its first key, once that is known. */
  let bound: bigint | null | undefined

  function cut(): void {
    if (store.rowCount <= top) return
    const parts = store.take()
    const all = concatenate(k, parts)
    const mark = memory.mark()
    try {
      const sortKeys = sortKeysOf(all.columns, keys)
      const order = argsort(k, sortKeys, all.rowCount)
      const rows = memory.u32.subarray(order >>> 2, (order >>> 2) + top)
      bound = boundOf(k, sortKeys[0], rows[top - 1])
      rows.sort()
      for (const { split, indices, count } of rowsByPart(k, order, top, parts)) {
        const inner = memory.mark()
        store.add(takeBatch(k, all, indices, count), split)
        memory.reset(inner)
      }
    } finally {
      memory.reset(mark)
      freeHeapBatch(k, all)
    }
  }

  function keep(batch: LaneBatch, split: number): void {
    const bits = bound === undefined ? 0 : notBehind(k, sortKeysOf(batch.columns, keys)[0], bound, batch.rowCount)
    if (bits === 0) store.add(batch, split)
    else {
      const { indices, count } = selection(k, bits, batch.rowCount)
      if (count > 0) store.add(takeBatch(k, batch, indices, count), split)
    }
  }

  return {
    add(batch, split) {
      if (top === 0) return
      const isText = keys.some(({ column }) => batch.columns[column].type.kind === 'utf8')
      const most = Math.max(leastRows ?? (isText ? LEAST_ROWS_OF_STRINGS : LEAST_ROWS), SPARE * top)
      for (let from = 0; from < batch.rowCount; ) {
        // The first rows show that most others are behind them, but for strings.
        const count = Math.min(batch.rowCount - from, bound === undefined && !isText ? LEAST_ROWS : Infinity)
        keep(sliceBatch(batch, from, count), split)
        if (store.rowCount >= most) cut()
        from += count
      }
    },
    cut,
  }
}
