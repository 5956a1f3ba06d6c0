/** Rows that wait until the watermark is past them, in runs: one is put together with another that is not much larger, so that few are asked each time, in whatever batches rows have come. */

import { gatherBatch } from '../columnar/gather-batch.js'
import { MORSEL_ROWS, type RecordBatch } from '../columnar/record-batch.js'
import { endToEnd } from './live-join.js'

interface Run {
  /** In the order of their times, and of equal times as they came. */
  readonly batch: RecordBatch
  next: number
}

export interface WaitingRows {
  add(batch: RecordBatch): void
  /** The rows whose time is past, each once, a morsel at most in a batch; `isPast` of a time is so of all before it. */
  take(isPast: (time: bigint) => boolean): RecordBatch[]
  readonly size: number
}

/** @param time where the column of times is, which has no nulls */
export function createWaiting(time: number): WaitingRows {
  let runs: Run[] = []
  let size = 0
  const timesOf = ({ vectors }: RecordBatch) => vectors[time]?.data as BigInt64Array

  function inOrder(batch: RecordBatch): RecordBatch {
    const times = timesOf(batch)
    let isInOrder = true
    for (let row = 1; row < batch.rowCount && isInOrder; row++)
      isInOrder = (times[row - 1] as bigint) <= (times[row] as bigint)
    if (isInOrder) return batch
    const order = Uint32Array.from({ length: batch.rowCount }, (_, row) => row)
    order.sort((a, b) => ((times[a] as bigint) < (times[b] as bigint) ? -1 : times[a] === times[b] ? a - b : 1))
    return gatherBatch(batch, order)
  }

  return {
    add(batch) {
      size += batch.rowCount
      let added = batch
      for (let last = runs.at(-1); last; last = runs.at(-1)) {
        const left = last.batch.rowCount - last.next
        if (left >= 2 * added.rowCount || left + added.rowCount > MORSEL_ROWS) break
        runs.pop()
        added = endToEnd([last.batch.slice(last.next), added])
      }
      runs.push({ batch: inOrder(added), next: 0 })
    },
    take(isPast) {
      const out: RecordBatch[] = []
      for (const run of runs) {
        const { batch, next } = run
        const times = timesOf(batch)
        while (run.next < batch.rowCount && isPast(times[run.next] as bigint)) run.next++
        if (run.next > next) out.push(batch.slice(next, run.next))
        size -= run.next - next
      }
      if (out.length > 0) runs = runs.filter(({ batch, next }) => next < batch.rowCount)
      return out
    },
    get size() {
      return size
    },
  }
}
