/** Rows that the clock says: every so often, at one time, or by a cron expression. Each `{ time, count }`: when it was due, and which it is. */
import { schemaOf } from '../../columnar/schema.js'
import { int64, timestamp } from '../../columnar/type.js'
import type { Clock } from '../../metrics/clock.js'
import type { Schedule } from './cron.js'
import type { Listen } from './feed.js'

export const tickSchema = () =>
  schemaOf([
    { name: 'time', type: timestamp('ms') },
    { name: 'count', type: int64() },
  ])

/**
 * Tick `count` is due `(count + 1) * periodMs` after the job began to read. A tick that comes late stands for those that were missed meanwhile: `count` leaves them out. Where the clock is set back
 * the next is due a period later.
 */
export const everyTick =
  (periodMs: number, clock: Clock): Listen =>
  queue => {
    let start = clock.now()
    let count = 0
    let cancel = () => {}
    const arm = () => {
      const now = clock.now()
      if (now < start + count * periodMs) start = now - count * periodMs
      cancel = clock.setTimer(start + (count + 1) * periodMs, fire)
    }
    const fire = () => {
      const due = Math.max(count, Math.floor((clock.now() - start) / periodMs) - 1)
      queue.push({ time: start + (due + 1) * periodMs, count: due })
      count = due + 1
      arm()
    }
    arm()
    return () => cancel()
  }

/** One, and the end. @param atMs told when the job begins to read */
export const oneTick =
  (atMs: (now: number) => number, clock: Clock): Listen =>
  queue => {
    const at = atMs(clock.now())
    return clock.setTimer(at, () => {
      queue.push({ time: at, count: 0 })
      queue.close()
    })
  }

/** One at each time of the schedule; of several that were missed the last comes. It ends where there are no more. */
export const scheduledTicks =
  (schedule: Schedule, clock: Clock): Listen =>
  queue => {
    let count = 0
    let cancel = () => {}
    const arm = (after: number) => {
      const at = schedule.next(after)
      if (at === null) queue.close()
      else cancel = clock.setTimer(at, () => fire(at))
    }
    const fire = (at: number) => {
      const time = schedule.last(at, clock.now()) ?? at
      queue.push({ time, count: count++ })
      arm(time)
    }
    arm(clock.now())
    return () => cancel()
  }
