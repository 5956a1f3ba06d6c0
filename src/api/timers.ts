/** Flows of ticks, for what is done when the clock says so: `interval`, `timer`, `cron`. When they are due is sources/live/ticks.ts's business. */
import type { Int64, Timestamp } from '../columnar/type.js'
import { type Clock, steadyClock, systemClock } from '../metrics/clock.js'
import { nanosecondsOf } from '../plan/duration.js'
import { parseCron } from '../sources/live/cron.js'
import { byClock, feedSource, type Listen } from '../sources/live/feed.js'
import { everyTick, oneTick, scheduledTicks, tickSchema } from '../sources/live/ticks.js'
import { type Flow, flowOf } from './flow.js'
import { optionsOf } from './options.js'
import { invalid, show } from './refusal.js'

/** When a tick was due, and which it is, from 0 on. */
export type TickSchema = { readonly time: Timestamp; readonly count: Int64 }

export interface ClockOptions {
  /** What time it is and what waits for it; by default the job's clock (`RunOptions.clock`), and where it has none the computer's. */
  readonly clock?: Clock
}

/** Ticks that a slow job has not taken: `count` tells which are gone. */
const MOST_TICKS = 65_536

/**
 * A tick every so often: row `{ time, count }` with `count` 0, 1, 2, ..., the first a period after the job begins to read. `time` is when the tick was due, so ticks do not drift. Where they come late (a tab in
 * the background, a computer that slept) one stands for all that were missed, and `count` leaves those out.
 *
 * ```ts
 * interval('2ms').limit(3)
 * ```
 * @param period a duration such as `'1s'`, of a fixed length, or milliseconds; one millisecond at least
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function interval(period: string | number, options: ClockOptions = {}): Flow<TickSchema> {
  const periodMs = millisecondsOf('interval', 'the period', period, 1)
  return ticks(
    'interval',
    byClock(clockOf('interval', options), steadyClock, clock => everyTick(periodMs, clock)),
  )
}

/**
 * One tick, `{ time, count: 0 }`, and the end: at a time, or so long after the job begins to read. A time that has passed comes at once.
 *
 * ```ts
 * timer('5ms')
 * ```
 * @param when a `Date`, or a duration such as `'10m'`, or milliseconds
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function timer(when: Date | string | number, options: ClockOptions = {}): Flow<TickSchema> {
  const own = clockOf('timer', options)
  if (when instanceof Date) {
    const at = when.getTime()
    if (Number.isNaN(at)) throw invalid('timer', 'the time is an invalid Date')
    return ticks(
      'timer',
      byClock(own, systemClock, clock => oneTick(() => at, clock)),
    )
  }
  const afterMs = millisecondsOf('timer', 'the time', when, 0)
  return ticks(
    'timer',
    byClock(own, steadyClock, clock => oneTick(now => now + afterMs, clock)),
  )
}

/**
 * A tick at each time of a cron expression, `{ time, count }`: five fields (minute, hour, day of month, month, day of week) or six (the second before them), or `@hourly`, `@daily` and their like. A field is `*`,
 * a number, `1-5`, `*\/15`, `2/10`, a list of these; months and weekdays have names too. Where both days are restricted a day does that either names.
 *
 * Clocks that change: with fixed hours each time that is named comes once, the first of two, and one that the clocks skip at the moment they skip it; with a star in the hours
 * ticks go by the time that passes. Of ticks that were missed the last comes.
 *
 * ```ts
 * const mornings = cron('0 9 * * MON-FRI', 'Europe/Berlin')
 * const job = mornings.subscribe(batch => show(batch))
 * job.stop()
 * await job.finished
 * ```
 * @param zone a name such as `'Europe/Berlin'` or an offset such as `'+05:30'`
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function cron(expression: string, zone = 'UTC', options: ClockOptions = {}): Flow<TickSchema> {
  const schedule = parseCron(expression, zone)
  return ticks(
    `cron ${expression}`,
    byClock(clockOf('cron', options), systemClock, clock => scheduledTicks(schedule, clock)),
  )
}

const ticks = (label: string, listen: Listen, isEndless = true): Flow<TickSchema> =>
  flowOf(feedSource(label, tickSchema(), { capacity: MOST_TICKS, whenFull: 'dropOldest' }, listen, isEndless))

function clockOf(operator: string, options: ClockOptions): Clock | undefined {
  const { clock } = optionsOf(operator, options, '{ clock }', ['clock'])
  return clock === undefined ? undefined : checkClock(operator, clock)
}

/** @throws MillraceError `MR_INVALID_OPTION` */
export function checkClock(operator: string, clock: Clock): Clock {
  if (typeof clock?.now === 'function' && typeof clock.setTimer === 'function') return clock
  throw invalid(operator, `clock has now() and setTimer(at, fn), and is not ${show(clock)}`)
}

/** Whole milliseconds of a duration. @throws MillraceError `MR_INVALID_OPTION` */
export function millisecondsOf(operator: string, what: string, value: unknown, least: number): number {
  let milliseconds = value
  if (typeof value === 'string') {
    const nanoseconds = nanosecondsOf(value, operator)
    milliseconds = nanoseconds % 1_000_000n === 0n ? Number(nanoseconds / 1_000_000n) : Number.NaN
  }
  if (Number.isSafeInteger(milliseconds) && (milliseconds as number) >= least && (milliseconds as number) < 2 ** 43)
    return milliseconds as number
  throw invalid(
    operator,
    `${what} is a duration such as '10s', or milliseconds, whole and ${least} at least, not ${show(value)}`,
  )
}
