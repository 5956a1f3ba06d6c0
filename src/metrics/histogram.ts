/**
 * Durations counted in buckets whose width grows with them: a fixed size, whatever comes, and a share of the value is all that a quantile may be off by.
 *
 * ```
 * bucket   0      1      ...   15     | 16 ... 31           | 32 ... 47            | ...
 * from     0 us   1 us         15 us  | 16 us, steps of 1   | 32 us, steps of 2    | 64 us, steps of 4
 * ```
 */

export interface Histogram {
  /** @param count how many took so long; what is below 0 or no number counts as 0 */
  record(milliseconds: number, count?: number): void
  readonly count: number
  /** Milliseconds. */
  readonly max: number
  readonly sum: number
  /**
   * The least bound that a share `q` of all lies at or below, in milliseconds: at most a sixteenth above the exact quantile, and a microsecond. NaN where nothing has been recorded.
   */
  quantile(q: number): number
}

const STEPS = 16
const LOG_STEPS = 4
/** Up to 2^43 us, 100 days; longer ones count as that. */
const LOGS = 40
const BUCKETS = STEPS * LOGS

export function createHistogram(): Histogram {
  const counts = new Float64Array(BUCKETS)
  let count = 0
  let max = 0
  let sum = 0
  return {
    record(milliseconds, times = 1) {
      const given = milliseconds > 0 ? milliseconds : 0
      counts[bucketOf(given * 1000)] += times
      count += times
      sum += given * times
      if (given > max) max = given
    },
    get count() {
      return count
    },
    get max() {
      return max
    },
    get sum() {
      return sum
    },
    quantile(q) {
      if (count === 0) return Number.NaN
      const rank = Math.max(1, Math.ceil(q * count))
      let seen = 0
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        seen += counts[bucket] as number
        if (seen >= rank) return Math.min(max, endOf(bucket) / 1000)
      }
      return max
    },
  }
}

function bucketOf(microseconds: number): number {
  const whole = Math.floor(microseconds)
  if (whole < STEPS) return whole
  const log = Math.min(Math.floor(Math.log2(whole)), LOGS + LOG_STEPS - 2)
  const step = Math.min(STEPS - 1, Math.floor(whole / 2 ** (log - LOG_STEPS)) - STEPS)
  // Where the logarithm was rounded up the step is below 0.
  return Math.max(0, (log - LOG_STEPS + 1) * STEPS + step)
}

/** Microseconds at which the next bucket begins. */
function endOf(bucket: number): number {
  if (bucket < STEPS) return bucket + 1
  const log = Math.floor(bucket / STEPS) - 1
  return (STEPS + (bucket % STEPS) + 1) * 2 ** log
}
