/**
 * `orderBy`: all rows side by side in the first lane, one stable argsort over the keys, and then the rows in that order, morsel by morsel.
 * Rows arrive by (split, arrival), so stability keeps the row order between equal keys whatever the lanes. Many rows are parted first, and shared out
 * among the lanes: ranged-sort.ts. Of a sort that only the first rows are wanted of, few are kept: top-rows.ts.
 */

import type { SchemaShape } from '../columnar/type.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import { takeBatch } from '../kernels/select.js'
import { argsort, sortKeysOf } from '../kernels/sort.js'
import type { Stage } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { concatenate, freeHeapBatch } from './heap-batch.js'
import type { Breaker } from './operator.js'
import { RowStore } from './row-store.js'
import { createTopRows } from './top-rows.js'

export function createSort(context: OperatorContext, stage: Stage & { kind: 'sort' }, input: SchemaShape): Breaker {
  const { k } = context
  const { memory } = k
  const store = new RowStore(context)
  const names = Object.keys(input)
  const keys = stage.orders.map(({ name, descending, nulls }) => ({ column: names.indexOf(name), descending, nulls }))
  const top = stage.top === null ? null : createTopRows(context, store, keys, stage.top)
  const ranged = stage.top === null ? context.parts.partitions?.createRangedSort(context, keys, store) : undefined
  return {
    label: `sort by ${stage.orders.map(({ name, descending }) => `${name}${descending ? ' desc' : ''}`).join(', ')}`,
    kernels: () => ['radix argsort'],
    exchange: ranged?.exchange,
    takesLong: top !== null,
    consume: (morsel, split) => (top ?? store).add(morsel, split),
    wants: () => true,
    handOver() {
      top?.cut()
      return store.handOver()
    },
    absorb: part => store.absorb(part),
    *emit() {
      const rowCount = Math.min(store.rowCount, stage.top ?? Infinity)
      if (rowCount === 0) return
      if (ranged?.exchange.wanted) {
        yield* ranged.emit()
        return
      }
      const all = concatenate(k, store.take())
      let order = 0
      try {
        const mark = memory.mark()
        const sorted = argsort(k, sortKeysOf(all.columns, keys), all.rowCount)
        order = memory.allocate(4 * rowCount)
        memory.u8.copyWithin(order, sorted, sorted + 4 * rowCount)
        memory.reset(mark)
        for (let from = 0; from < rowCount; from += MORSEL_ROWS) {
          yield { ...takeBatch(k, all, order + 4 * from, Math.min(MORSEL_ROWS, rowCount - from)), rows: 0 }
        }
      } finally {
        memory.free(order)
        freeHeapBatch(k, all)
      }
    },
    free() {
      ranged?.free()
      store.free()
    },
  }
}
