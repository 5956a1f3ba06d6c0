/** The options of terminals and of `createEngine`, checked: a wrong one is refused by name before anything is opened. */
import { MillraceError, nearestName, quote } from '../../errors.js'
import type { Clock } from '../../metrics/clock.js'
import type { Engine } from './engine.js'
import type { Progress } from './job-request.js'
import type { ALL, JobMetrics } from './run-job.js'

export interface EngineOptions {
  /** Workers; 0: inline. By default the cores, at most 16. */
  readonly lanes?: number
  /** Bytes that all lanes together may use. */
  readonly memory?: number
  /**
   * Where jobs write what is beyond their own `memory`. In Node.js a folder, by default that of temporary files; in browsers the origin's private file
   * system, which has no folders to choose from. `false`: nowhere, and such a job fails.
   */
  readonly spill?: string | false
}

export interface RunOptions {
  /** Workers; 0: inline. By default the cores, at most 16, and inline where rows are few. */
  readonly lanes?: number
  /**
   * Bytes that the job may take in all lanes together, an equal share in each; rows that are loaded already do not count. What group-bys (of windows too), sorts, limits and joins
   * have beyond it is written to a file, where the engine allows it (`EngineOptions.spill`); shares of less than 8 MiB may be too small to begin with. Not written, and so refused where
   * they have more (`MR_MEMORY_LIMIT`): the state of an `aggregate` without keys, such as all values of a `countDistinct`; what `load` keeps, and what the flows of `collectAll` share;
   * the rows of sessions and windows of so many rows, of `over`, of `topK` in groups or windows and of `dedupe` within a time; joins by time, right and full joins, joins with `where`,
   * and the other side of any join whose rows do not wait for all: in a job that is `run`, before a `limit`, and in an input of a union.
   */
  readonly memory?: number
  /** An engine of `createEngine`; then `lanes` are the engine's. */
  readonly engine?: Engine
  /** Cancels: the terminal rejects with its reason. */
  readonly signal?: AbortSignal
  /** Called some thirty times a second at most, and once at the end. What it throws, or rejects with, ends the job. */
  readonly onProgress?: (progress: Progress) => void
  /**
   * What time it is and what waits for it, for all of the job that goes by a clock: `emit({ every })`, timers, reconnecting, metrics, sources that have been given none of their own. By default the
   * computer's. A test may drive a job by a clock of its own.
   */
  readonly clock?: Clock
  /**
   * Of a job (`run`, `to`, `subscribe`, `runAll`, `live`), and of `collect`: told what `metrics()` tells, every so often and once at the end. What it throws, or rejects with, ends the job.
   */
  readonly onMetrics?: (metrics: JobMetrics) => void
  /** How often `onMetrics` is told, in milliseconds: 1,000. */
  readonly metricsEvery?: number
  /**
   * Whether each piece of work of each stage is a span, `millrace: filter`, of `performance.measure`: a recording of developer tools shows them, of every lane in its own thread, and a `PerformanceObserver` hears
   * of those of its own. Each costs some microseconds.
   */
  readonly spans?: boolean
}

/** Aborted once the input of a job is to end: for what is run before it, which knows of it by its options alone. */
export const ENDED = Symbol('ended')

/** A job's own. */
export interface OwnOptions extends RunOptions {
  readonly [ENDED]?: AbortSignal
  readonly [ALL]?: AbortSignal | undefined
}

const MOST_LANES = 64
const RUN_OPTIONS = ['lanes', 'memory', 'engine', 'signal', 'onProgress', 'clock', 'onMetrics', 'metricsEvery', 'spans']

/** Of a string that it is one: "2" is no number of lanes, and 2 is. */
const shown = (value: unknown): string => (typeof value === 'string' ? quote(value) : String(value))

/** @throws MillraceError `MR_INVALID_OPTION` */
export function checkOptions(
  what: string,
  options: RunOptions & EngineOptions,
  known: readonly string[] = RUN_OPTIONS,
): void {
  const invalid = (option: string, text: string) =>
    new MillraceError('MR_INVALID_OPTION', `${what}: ${text}`, { operator: what, option })
  const wrong = (option: string, text: string) => invalid(option, `${option} ${text}`)
  // Of any realm, and neither an array nor what else is made for something.
  const tag = Object.prototype.toString.call(options)
  if (tag !== '[object Object]') throw wrong('options', `are an object, not ${tag.slice(8, -1)}`)
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const near = nearestName(name, known)
    throw invalid(
      name,
      `there is no option ${quote(name)}; ${near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`}`,
    )
  }
  const { lanes, memory, spill, signal, onProgress, engine, clock } = options
  if (lanes !== undefined && !(Number.isInteger(lanes) && lanes >= 0 && lanes <= MOST_LANES)) {
    throw wrong('lanes', `is a whole number from 0 (inline) to ${MOST_LANES}, not ${shown(lanes)}`)
  }
  if (memory !== undefined && !(Number.isFinite(memory) && memory >= 2 ** 20)) {
    throw wrong('memory', `is a number of bytes, at least 1 MiB (${2 ** 20}), not ${shown(memory)}`)
  }
  if (spill !== undefined && spill !== false && (typeof spill !== 'string' || spill === '')) {
    throw wrong('spill', `is the path of a folder, or false, not ${String(spill)}`)
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw wrong('signal', 'is an AbortSignal')
  if (onProgress !== undefined && typeof onProgress !== 'function') throw wrong('onProgress', 'is a function')
  if (clock !== undefined && !(typeof clock?.now === 'function' && typeof clock.setTimer === 'function'))
    throw wrong('clock', 'has now() and setTimer(at, fn)')
  if (engine !== undefined && lanes !== undefined && lanes !== engine.lanes) {
    throw invalid(
      'lanes',
      `the engine has ${engine.lanes} lanes, and lanes: ${lanes} was asked for; leave one of them out`,
    )
  }
}
