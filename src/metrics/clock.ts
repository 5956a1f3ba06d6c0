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

const timerOver =
  (now: () => number): Clock['setTimer'] =>
  (at, fn) => {
    let handle: ReturnType<typeof setTimeout>
    const sleep = () => {
      handle = setTimeout(wake, Math.min(Math.max(at - now(), 0), MOST_SLEEP_MS))
    }
    const wake = () => {
      if (now() < at) sleep()
      else fn()
    }
    sleep()
    return () => clearTimeout(handle)
  }

const wallNow = (): number => Date.now()

/** The computer's clock, for what is due at a date: one that is set back makes it wait. Timers keep a Node.js process alive. */
export const systemClock: Clock = { now: wallNow, setTimer: /* @__PURE__ */ timerOver(wallNow) }

/** The same, but it never goes back: for what is due after a while. Where the clock is set back it goes on from where it was. */
export function createSteadyClock(): Clock {
  let aheadMs = -Infinity
  const now = (): number => {
    const steady = performance.now()
    aheadMs = Math.max(aheadMs, Date.now() - steady)
    return Math.floor(steady + aheadMs)
  }
  return { now, setTimer: timerOver(now) }
}

export const steadyClock: Clock = /* @__PURE__ */ createSteadyClock()

/** What durations are measured by, in milliseconds: the clock that was given, otherwise the computer's, to its microseconds. */
export const stopwatch = (clock: Clock | undefined): (() => number) =>
  clock === undefined ? () => performance.now() : () => clock.now()
