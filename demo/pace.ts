/** The clock of a replay: a recording's time goes by as much faster as the page says, stands still, or goes as fast as the rows can be taken. */
import type { Clock } from 'millrace'

export interface Pace extends Clock {
  /** How much of the recording goes by in the same time: 0 is a pause, `Infinity` does not wait at all. */
  speed: number
}

/** The most that goes by between two looks at the clock: what cannot keep pace, or was asleep, is late and does not leap. */
const MOST_STEP_MS = 200
/** Sleeps are shorter than that, so that no step is cut by them. */
const MOST_SLEEP_MS = 100
/** Played at once where nothing is waited for: some thousand flights, a few milliseconds' work. */
const LEAP_MS = 6 * 3_600_000

/** It stands still, and begins at 0: `replay` looks at differences only. */
export function createPace(): Pace {
  let speed = 0
  let position = 0
  let looked = performance.now()
  const waiting = new Set<() => void>()

  function now(): number {
    const real = performance.now()
    if (speed !== Infinity) position += speed * Math.min(real - looked, MOST_STEP_MS)
    looked = real
    return position
  }

  function setTimer(at: number, fn: () => void): () => void {
    let disarm = () => {}
    const arm = () => {
      disarm()
      if (speed === 0) disarm = () => {}
      else if (speed === Infinity) disarm = soon(wake)
      else {
        const handle = setTimeout(wake, Math.min(Math.max((at - now()) / speed, 0), MOST_SLEEP_MS))
        disarm = () => clearTimeout(handle)
      }
    }
    const wake = () => {
      if (speed === Infinity) position = Math.max(position, at + LEAP_MS)
      if (now() < at) return arm()
      waiting.delete(arm)
      fn()
    }
    waiting.add(arm)
    arm()
    return () => {
      waiting.delete(arm)
      disarm()
    }
  }

  return {
    now,
    setTimer,
    get speed() {
      return speed
    },
    set speed(next) {
      now()
      speed = next
      for (const arm of waiting) arm()
    },
  }
}

/** As another task, without the milliseconds that a timer takes. The answer calls it off. */
function soon(fn: () => void): () => void {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    port1.close()
    fn()
  }
  port2.postMessage(null)
  return () => port1.close()
}
