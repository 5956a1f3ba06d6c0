// Events for windows, seeded: a hundred a millisecond of event time, up to 200 ms late, of a thousand keys.

import { randomStream } from '../random.js'

export const BATCH_ROWS = 8192
export const KEYS = 1000
/** The most by which an event is behind the latest, in milliseconds. */
export const DELAY_MS = 200
export const SIZE_MS = 1000
const BASE = 1_700_000_000_000
const EVENTS_A_MS = 100

/** @returns {{ time: Float64Array, key: Int32Array, amount: Int32Array }[]} batches */
export function windowEvents(events, seed) {
  const random = randomStream(seed, 1)
  const batches = []
  for (let from = 0; from < events; from += BATCH_ROWS) {
    const rows = Math.min(BATCH_ROWS, events - from)
    const batch = { time: new Float64Array(rows), key: new Int32Array(rows), amount: new Int32Array(rows) }
    for (let i = 0; i < rows; i++) {
      batch.time[i] = BASE + Math.floor((from + i) / EVENTS_A_MS) + DELAY_MS - Math.floor(random() * DELAY_MS)
      batch.key[i] = random() * KEYS
      batch.amount[i] = random() * 1000
    }
    batches.push(batch)
  }
  return batches
}

/** @returns {{ time: number, key: number, amount: number }[][]} the same as objects */
export function objectsOf(batches) {
  return batches.map(({ time, key, amount }) =>
    Array.from(time, (each, i) => ({ time: each, key: key[i], amount: amount[i] })),
  )
}

/** Sums up results, in whatever order they come: each is there once, with its window and key. */
export function createTally() {
  const tally = { results: 0, sum: 0, mark: 0 }
  return {
    tally,
    add(windowStart, key, sum) {
      tally.results++
      tally.sum += sum
      tally.mark += sum * (((windowStart / SIZE_MS) % 97) + 1) * (key + 1)
    },
  }
}
