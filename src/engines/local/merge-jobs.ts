/** Batches of several jobs as they come, one of each in turn where several have some, and which have been silent for how long. */
import type { RecordBatch } from '../../columnar/record-batch.js'
import { type Clock, steadyClock } from '../../metrics/clock.js'
import type { Job } from './run-job.js'

/** A batch of a job; null: it has ended. */
export interface Arrival {
  readonly job: number
  readonly batch: RecordBatch | null
  readonly rowCount: number
}

/**
 * Each job is asked for its next batch once the one before has been taken, so that none is read ahead of another by more than it reads ahead itself. A job that fails ends
 * all of them, and so does leaving the loop.
 * @param idle milliseconds, null: it may be silent
 * @param onSilent of jobs that have been asked for so long, and have had nothing: together, where a timer comes late, all that are by then
 */
export async function* mergeJobs(
  jobs: readonly Job[],
  idle: readonly (number | null)[] = [],
  onSilent: (jobs: readonly number[]) => void = () => {},
  clock: Clock = steadyClock,
): AsyncGenerator<Arrival, void, void> {
  const ready: Arrival[] = []
  let failure: { readonly error: unknown } | null = null
  let wake: () => void = () => {}
  const cancels: (() => void)[] = jobs.map(() => () => {})
  const sources = jobs.map(job => job[Symbol.asyncIterator]())
  let isOver = false

  /** When each will have been silent for so long. */
  const dueAt = jobs.map(() => Infinity)

  const watch = (job: number): void => {
    const afterMs = idle[job] ?? null
    if (afterMs === null) return
    const at = clock.now() + afterMs
    dueAt[job] = at
    const cancel = clock.setTimer(at, () => {
      // What has come while nobody looked is heard first.
      setTimeout(() => {
        if (isOver || dueAt[job] !== at) return
        const silent = [...jobs.keys()].filter(each => (dueAt[each] as number) <= clock.now())
        for (const each of silent) dueAt[each] = Infinity
        onSilent(silent)
      }, 0)
    })
    cancels[job] = () => {
      dueAt[job] = Infinity
      cancel()
    }
  }

  const ask = (job: number): void => {
    watch(job)
    ;(sources[job] as AsyncIterator<RecordBatch>).next().then(
      ({ value, done }) => {
        cancels[job]?.()
        ready.push({ job, batch: done ? null : value, rowCount: done ? 0 : value.rowCount })
        wake()
      },
      error => {
        cancels[job]?.()
        failure ??= { error }
        wake()
      },
    )
  }

  try {
    for (const job of jobs.keys()) ask(job)
    let open = jobs.length
    while (open > 0) {
      if (failure !== null) throw (failure as { readonly error: unknown }).error
      const next = ready.shift()
      if (next === undefined) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
        continue
      }
      if (next.batch === null) open--
      yield next
      if (next.batch !== null) ask(next.job)
    }
  } finally {
    isOver = true
    for (const cancel of cancels) cancel()
    await Promise.all(jobs.map(job => job[Symbol.asyncDispose]()))
  }
}
