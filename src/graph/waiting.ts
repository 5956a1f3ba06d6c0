/** Rows that wait until the watermark is past them. */

import { gatherVector } from '../columnar/gather.js'
import { gatherBatch } from '../columnar/gather-batch.js'
import type { RecordBatch } from '../columnar/record-batch.js'
import type { Vector } from '../columnar/vector.js'

interface Waiting {
  /** In the order of their times. */
  readonly batch: RecordBatch
  readonly times: BigInt64Array
  next: number
}

export interface WaitingRows {
  add(batch: RecordBatch, times: Vector): void
  /** The rows whose time is past, each once; `isPast` of a time is so of all before it. */
  take(isPast: (time: bigint) => boolean): { readonly batch: RecordBatch }[]
  readonly size: number
}

export function createWaiting(): WaitingRows {
  let all: Waiting[] = []
  let size = 0
  return {
    add(batch, times) {
      const data = times.data as BigInt64Array
      let isInOrder = true
      for (let row = 1; row < batch.rowCount && isInOrder; row++)
        isInOrder = (data[row - 1] as bigint) <= (data[row] as bigint)
      size += batch.rowCount
      if (isInOrder) {
        all.push({ batch, times: data, next: 0 })
        return
      }
      const order = Uint32Array.from({ length: batch.rowCount }, (_, row) => row)
      order.sort((a, b) => ((data[a] as bigint) < (data[b] as bigint) ? -1 : data[a] === data[b] ? a - b : 1))
      const sorted = gatherVector(times, order).data as BigInt64Array
      all.push({ batch: gatherBatch(batch, order), times: sorted, next: 0 })
    },
    take(isPast) {
      const out: { batch: RecordBatch }[] = []
      for (const each of all) {
        const { batch, times, next } = each
        while (each.next < batch.rowCount && isPast(times[each.next] as bigint)) each.next++
        if (each.next > next) out.push({ batch: batch.slice(next, each.next) as RecordBatch })
        size -= each.next - next
      }
      if (out.length > 0) all = all.filter(({ batch, next }) => next < batch.rowCount)
      return out
    },
    get size() {
      return size
    },
  }
}
