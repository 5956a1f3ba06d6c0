/**
 * `limit(count, offset)`: the first rows in row order. A lane sees its own splits in ascending order, so it needs no more than `offset + count` rows
 * and can stop reading once it has them; which of them count is settled in the first lane. A row that fails behind them is no failure.
 */
import { rangeIndices, takeBatch } from '../kernels/select.js'
import type { Stage } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import type { Breaker, PositionedFailure } from './operator.js'
import { RowStore, type Rows } from './row-store.js'

export function createLimit(
  context: OperatorContext,
  stage: Stage & { kind: 'limit' },
  store: Rows = new RowStore(context),
): Breaker {
  const { k } = context
  const { count, offset } = stage
  const end = offset + count
  const failures: { readonly split: number; readonly failure: PositionedFailure }[] = []
  const part = (from: number, to: number, batch: Parameters<RowStore['add']>[0]) =>
    from === 0 && to === batch.rowCount ? batch : takeBatch(k, batch, rangeIndices(k, from, to), to - from)
  return {
    label: `limit ${count}${offset === 0 ? '' : ` offset ${offset}`}`,
    kernels: () => [],
    consume(morsel, split) {
      const wanted = Math.min(morsel.rowCount, end - store.rowCount)
      if (wanted > 0) store.add(part(0, wanted, morsel), split)
    },
    defer(failure, split) {
      failures.push({ split, failure })
    },
    wants: () => failures.length === 0 && store.rowCount < end,
    *handOver() {
      yield* store.handOver()
      for (const each of failures) yield { kind: 'failure', ...each }
    },
    absorb(each) {
      if (each.kind === 'failure') failures.push(each)
      else store.absorb(each)
    },
    *emit() {
      failures.sort((a, b) => a.split - b.split)
      const throwUntil = (split: number) => {
        const [first] = failures
        if (first !== undefined && first.split < split) throw first.failure
      }
      let row = 0
      for (const rows of store.drain()) {
        if (rows === null) {
          yield null
          continue
        }
        const { batch, split } = rows
        if (row < end) throwUntil(split)
        const from = Math.max(0, offset - row)
        const to = Math.min(batch.rowCount, end - row)
        row += batch.rowCount
        // What is left out is let go of, too: rows that are read back are in scratch.
        yield from < to ? { ...part(from, to, batch), rows: 0 } : null
        if (row >= end) return
      }
      if (row < end) throwUntil(Infinity)
    },
    free: () => store.free(),
  }
}
