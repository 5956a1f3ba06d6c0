/** A clock that stands still until it is moved. */
import type { Clock } from '../../src/metrics/clock.js'

export interface VirtualClock extends Clock {
  /** Moves on to `at`, timer by timer; each has a turn of the event loop for what it wakes. */
  advanceTo(at: number): Promise<void>
  advance(milliseconds: number): Promise<void>
  /** Moves at once, over all timers, which then come late; or back. */
  jumpTo(at: number): Promise<void>
  /** Timers that wait. */
  readonly timers: number
  /** When the first of them is due. */
  next(): number | undefined
}

export function virtualClock(start = 0): VirtualClock {
  let now = start
  let order = 0
  const timers = new Map<number, { readonly at: number; readonly fn: () => void }>()
  const turn = () => new Promise<void>(resolve => setTimeout(resolve, 0))
  const due = (): number | undefined => {
    let first: number | undefined
    for (const [id, { at }] of timers) {
      if (at <= now && (first === undefined || at < (timers.get(first)?.at as number))) first = id
    }
    return first
  }
  const fireDue = async () => {
    for (let id = due(); id !== undefined; id = due()) {
      const { fn } = timers.get(id) as { fn: () => void }
      timers.delete(id)
      fn()
      await turn()
    }
  }
  const clock: VirtualClock = {
    now: () => now,
    setTimer(at, fn) {
      const id = order++
      timers.set(id, { at, fn })
      return () => void timers.delete(id)
    },
    async advanceTo(at) {
      await turn()
      while (true) {
        const next = Math.min(...[...timers.values()].map(timer => timer.at))
        if (next > at) break
        now = Math.max(now, next)
        await fireDue()
      }
      now = at
      await turn()
    },
    advance: milliseconds => clock.advanceTo(now + milliseconds),
    async jumpTo(at) {
      now = at
      await fireDue()
      await turn()
    },
    get timers() {
      return timers.size
    },
    next: () => (timers.size === 0 ? undefined : Math.min(...[...timers.values()].map(({ at }) => at))),
  }
  return clock
}
