/** What suites of flows that run on have in common: rows by a time in milliseconds, and what comes out of a job, as it comes. */
import { expect } from 'vitest'
import { float64, type Job, type JobMetrics, type RecordBatch, schema, timestamp, utf8 } from '../../src/index.js'

/** A machine may be busy. */
export const slow = { timeout: 10_000 }

export const tick = schema({ time: timestamp(), key: utf8(), x: float64() })
export const at = (ms: number, key = 'a', x = 1) => ({ time: new Date(ms), key, x })

/** Rows as arrays, instants in milliseconds, and the weight where some are taken back. */
export const shown = (batch: RecordBatch): unknown[] =>
  batch
    .toRows()
    .map((row: any, i) => [
      ...Object.values(row).map(value => (value instanceof Date ? value.getTime() : value)),
      ...(batch.weights === null ? [] : [batch.weights[i]]),
    ])

/** What has come so far, as it comes. */
export function watched(job: AsyncIterable<RecordBatch> & { readonly finished: Promise<void> }) {
  const found: unknown[] = []
  const done = (async () => {
    for await (const batch of job) found.push(...shown(batch))
  })()
  done.catch(() => {})
  return { found, done }
}

/** What shows that a row has gone through: on lanes it takes its time. */
export const until = (job: Job, metrics: Partial<JobMetrics>) =>
  expect.poll(() => job.metrics(), slow).toMatchObject(metrics)
