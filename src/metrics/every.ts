/** What is done every so often, by whatever clock. */
import type { Clock } from './clock.js'

/**
 * Calls `fn` a period from now and so on, always a whole number of periods from the beginning. One that comes late stands for all that were missed; where the clock is set back the next is due a period later.
 * The answer ends it.
 * @param periodMs whole milliseconds, 1 at least
 */
export function every(clock: Clock, periodMs: number, fn: () => void): () => void {
  let start = clock.now()
  let cancel = () => {}
  let isOver = false
  const arm = () => {
    const now = clock.now()
    if (now < start) start = now
    start += Math.floor((now - start) / periodMs) * periodMs
    cancel = clock.setTimer(start + periodMs, () => {
      fn()
      if (!isOver) arm()
    })
  }
  arm()
  return () => {
    isOver = true
    cancel()
  }
}
