// What goes step by step in the calling thread, fed by the test: that it ends whenever it is aborted.
import { describe, expect, it } from 'vitest'
import type { RecordBatch } from '../../../src/columnar/record-batch.js'
import { startSteps } from '../../../src/engines/local/live.js'
import { float64, rows, schema } from '../../../src/index.js'

const nothing = { rows: 0, totalRows: 0, bytes: 0, totalBytes: 0, rowsWritten: 0, bytesWritten: 0, elapsedMs: 0 }

describe('an abort', () => {
  it('is heard between what arrives and the wait for a reader, who has left', async () => {
    const shape = schema({ x: float64() })
    const batch = (await rows([{ x: 1 }], shape).collect({ lanes: 0 })).batches[0] as RecordBatch
    let isLetGo = false
    const reason = new Error('enough')
    const abort = new AbortController()
    const job = startSteps<typeof shape, RecordBatch>(
      () => ({
        open: async () => ({ plan: { output: shape }, pass: arrival => [arrival] }),
        async *arrivals() {
          try {
            for (let i = 1; ; i++) {
              // With it as many wait as may.
              if (i === 16) abort.abort(reason)
              yield batch
            }
          } finally {
            isLetGo = true
          }
        },
        arrived: () => undefined,
        finished: new Promise(() => {}),
        stop: () => {},
        metrics: () => nothing,
        spell: failure => failure,
      }),
      { signal: abort.signal },
    )
    await expect(job.finished).rejects.toBe(reason)
    expect(isLetGo).toBe(true)
  })
})
