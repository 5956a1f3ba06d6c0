/** Rows of a bounded flow at the pace at which they were recorded, or faster: a stage (../stage.ts) that holds each back until it is due. */
import { numberAt, wordsOf } from '../../columnar/int64.js'
import type { RecordBatch } from '../../columnar/record-batch.js'
import { findField } from '../../columnar/schema.js'
import type { DataType, SchemaShape } from '../../columnar/type.js'
import { isNullAt, type Vector } from '../../columnar/vector.js'
import type { Clock } from '../../metrics/clock.js'
import type { RowStage } from '../stage.js'

/** Counts in a millisecond. */
const PER_MS: Readonly<Record<string, number>> = { s: 1e-3, ms: 1, us: 1e3, ns: 1e6 }
const DAY_MS = 86_400_000

/**
 * Row i is due `(time of row i - time of the first row) / speed` after the first. A row that lies before one that has come is due with it, and so is one without a time: order is never changed.
 * @param columnOf the column of times. @throws where there is none
 */
export function replayStage(columnOf: (schema: SchemaShape) => string, speed: number, clock: Clock): RowStage {
  return {
    isPaced: true,
    output(input) {
      columnOf(input)
      return input
    },
    async *run(batches, input, signal) {
      const column = columnOf(input)
      const place = findField(input, column, 'replay')
      const type = input[column]
      /** When the first row came, and its time. */
      let start: { readonly now: number; readonly time: number } | null = null
      /** The greatest time so far. */
      let reached = -Infinity
      for await (const batch of batches) {
        const times = millisecondsOf(batch.vectors[place], type)
        let from = 0
        while (from < batch.rowCount) {
          let to = from
          let dueAt = -Infinity
          const now = clock.now()
          for (; to < batch.rowCount; to++) {
            const time = times(to)
            if (!Number.isNaN(time)) {
              if (start === null) start = { now, time }
              if (time > reached) reached = time
            }
            if (start === null) continue
            dueAt = start.now + Math.ceil((reached - start.time) / speed)
            if (dueAt > now) break
          }
          if (to > from) yield slice(batch, from, to)
          from = to
          if (from < batch.rowCount) await sleepUntil(clock, dueAt, signal)
          if (signal.aborted) return
        }
      }
    },
  }
}

const slice = (batch: RecordBatch, from: number, to: number): RecordBatch =>
  from === 0 && to === batch.rowCount ? batch : batch.slice(from, to)

/** Also resolves once nobody wants more. */
function sleepUntil(clock: Clock, at: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.setTimer(at, done)
    signal.addEventListener('abort', done)
  })
}

/** Milliseconds since the epoch of each row, NaN where it has none. */
function millisecondsOf(vector: Vector, type: DataType): (i: number) => number {
  if (type.kind === 'date') {
    const days = vector.data as Int32Array
    return i => (isNullAt(vector, i) ? Number.NaN : days[i] * DAY_MS)
  }
  const words = wordsOf(vector.data as BigInt64Array)
  const perMs = PER_MS[type.unit as string]
  return i => (isNullAt(vector, i) ? Number.NaN : numberAt(words, i) / perMs)
}
