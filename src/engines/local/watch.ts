/** Has someone told of a job's metrics every so often: `onMetrics`. */
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import { steadyClock } from '../../metrics/clock.js'
import { every } from '../../metrics/every.js'
import { heardAfter } from '../../sources/heard.js'
import { checkOptions, type RunOptions } from './options.js'
import type { Job } from './run-job.js'
import { unlessAborted } from './unless-aborted.js'

const PERIOD_MS = 1000

/**
 * Starts a job, with the same options but for `onMetrics`.
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function startWatched<S extends SchemaShape>(
  what: string,
  options: RunOptions,
  start: (options: RunOptions) => Job<S>,
): Job<S> {
  checkOptions(what, options)
  const { onMetrics, metricsEvery = PERIOD_MS, ...rest } = options
  const invalid = (option: string, text: string) =>
    new MillraceError('MR_INVALID_OPTION', `${what}: ${option} is ${text}`, { operator: what, option })
  if (onMetrics === undefined) return start(rest)
  if (typeof onMetrics !== 'function') throw invalid('onMetrics', 'a function')
  if (!(Number.isSafeInteger(metricsEvery) && metricsEvery >= 1))
    throw invalid('metricsEvery', `a number of milliseconds, whole and 1 at least, not ${String(metricsEvery)}`)
  const { signal, clock = steadyClock } = rest
  const failed = new AbortController()
  const job = start({
    ...rest,
    signal: joined(signal, failed),
  })
  // Asynchronous ones are waited for at the end.
  let heard = Promise.resolve()
  const tell = () => {
    heard = heardAfter(
      heard,
      () => onMetrics(job.metrics()),
      error => failed.abort(error),
    )
  }
  const stop = every(clock, metricsEvery, tell)
  const last = () => {
    stop()
    if (!failed.signal.aborted) tell()
  }
  const lastHeard = async () => {
    last()
    await unlessAborted(heard, signal)
    failed.signal.throwIfAborted()
  }
  const finished = job.finished.then(lastHeard, error => {
    last()
    throw error
  })
  finished.catch(() => {})
  return { ...job, finished }
}

/** Aborted when either is; nothing is left behind on the caller's. */
function joined(signal: AbortSignal | undefined, failed: AbortController): AbortSignal {
  return signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
}
