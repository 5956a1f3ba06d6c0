/** A job whose program is loaded first, so that what most pages never use is no part of their first download. run-job.ts and deliver.ts are such programs. */
import type { RecordBatch } from '../../columnar/record-batch.js'
import type { SchemaShape } from '../../columnar/type.js'
import type { Job } from './run-job.js'

/** How long a failure waits for someone to ask for it. */
const UNSEEN_MS = 1_000

/**
 * @param isTold whether a failure is told elsewhere too. Otherwise one that nobody has asked for after a second is an unhandled rejection: it is not lost in silence.
 * @param onStop told of `stop`, also before there is a job
 */
export function lateJob<S extends SchemaShape>(
  load: () => Promise<Job<S>>,
  isTold: boolean,
  onStop = () => {},
): Job<S> {
  let job: Job<S> | null = null
  let stopped = false
  let isSeen = isTold
  const loading = load().then(loaded => {
    job = loaded
    if (stopped) job.stop()
    return loaded
  })
  const ended = loading.then(loaded => loaded.finished)
  ended.catch(error => {
    if (!isSeen) setTimeout(() => void (isSeen || Promise.reject(error)), UNSEEN_MS)
  })
  let finished: Promise<void> | null = null
  return {
    get finished() {
      isSeen = true
      // Whoever asks has a promise of their own, which is handled or not as any other; where a failure is told elsewhere it need not be.
      finished ??= isTold ? ended : ended.then(() => {})
      return finished
    },
    stop() {
      stopped = true
      onStop()
      job?.stop()
    },
    metrics: () =>
      job?.metrics() ?? { rows: 0, totalRows: 0, bytes: 0, totalBytes: 0, rowsWritten: 0, bytesWritten: 0 },
    [Symbol.asyncIterator]() {
      let batches: AsyncGenerator<RecordBatch<S>> | undefined
      const call = (name: 'next' | 'return') => async () => {
        const loaded = await loading
        batches ??= loaded[Symbol.asyncIterator]() as AsyncGenerator<RecordBatch<S>>
        return batches[name](undefined)
      }
      return { next: call('next'), return: call('return') }
    },
    async [Symbol.asyncDispose]() {
      isSeen = true
      finished?.catch(() => {})
      await loading.then(
        loaded => loaded[Symbol.asyncDispose](),
        () => {},
      )
    },
  }
}
