/** What time it is, and being called when it comes: given to whatever waits, so that tests have a clock of their own. */

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /**
   * Calls `fn` once, as soon as `now()` is `at` or later, never at once. The answer calls that off; it may be called at any time, and twice.
   */
  setTimer(at: number, fn: () => void): () => void
}

/** The longest that a timer sleeps before it looks at the clock again: a computer that slept, or whose clock was set, is late by so much at most. */
const MOST_SLEEP_MS = 60_000

/** The clock of the computer. Its timers keep a Node.js process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(at, fn) {
    let handle: ReturnType<typeof setTimeout>
    const sleep = () => {
      handle = setTimeout(wake, Math.min(Math.max(at - Date.now(), 0), MOST_SLEEP_MS))
    }
    const wake = () => {
      if (Date.now() < at) sleep()
      else fn()
    }
    sleep()
    return () => clearTimeout(handle)
  },
}
