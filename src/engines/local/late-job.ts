/** A job whose program is loaded first, so that what most pages never use is no part of their first download. run-job.ts and deliver.ts are such programs. */
import type { SchemaShape } from '../../columnar/type.js'
import type { Job } from './run-job.js'

/** @param isTold whether a failure is told elsewhere too, so that nobody need look at `finished` */
export function lateJob<S extends SchemaShape>(load: () => Promise<Job<S>>, isTold: boolean): Job<S> {
  let job: Job<S> | null = null
  let stopped = false
  const loading = load().then(loaded => {
    job = loaded
    if (stopped) job.stop()
    return loaded
  })
  const finished = loading.then(loaded => loaded.finished)
  if (isTold) finished.catch(() => {})
  return {
    finished,
    stop() {
      stopped = true
      job?.stop()
    },
    metrics: () =>
      job?.metrics() ?? { rows: 0, totalRows: 0, bytes: 0, totalBytes: 0, rowsWritten: 0, bytesWritten: 0 },
    async *[Symbol.asyncIterator]() {
      yield* await loading
    },
    async [Symbol.asyncDispose]() {
      finished.catch(() => {})
      await loading.then(
        loaded => loaded[Symbol.asyncDispose](),
        () => {},
      )
    },
  }
}
