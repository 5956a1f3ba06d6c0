/** How long to wait before a connection is tried again: longer after each failure, and not in step with everyone else who lost it. */
export interface BackoffOptions {
  readonly minMs: number
  readonly maxMs: number
  /** The share of a wait that chance may take away, 0 to 1. */
  readonly jitter: number
  /** Attempts in a row that may fail. */
  readonly attempts: number
  /** At least 0, less than 1. */
  readonly random: () => number
}

export interface Backoff {
  /** Milliseconds before the next attempt, or null where there is none. `leastMs` in the place of the shortest, where the server says so. */
  next(leastMs?: number): number | null
  /** It has worked. */
  reset(): void
  /** Failures in a row. */
  readonly failures: number
}

export function createBackoff({ minMs, maxMs, jitter, attempts, random }: BackoffOptions): Backoff {
  let failures = 0
  return {
    get failures() {
      return failures
    },
    next(leastMs = minMs) {
      if (failures >= attempts) return null
      // Nothing doubled is nothing, for ever.
      const least = Math.max(1, leastMs)
      const wait = Math.min(Math.max(maxMs, least), least * 2 ** Math.min(failures, 40))
      failures++
      return Math.round(wait * (1 - jitter * random()))
    },
    reset() {
      failures = 0
    },
  }
}

/** Chance that a seed repeats: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
