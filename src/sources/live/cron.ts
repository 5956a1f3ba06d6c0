/**
 * Cron expressions: which instants they name in a zone. Pure: what waits for them is ticks.ts.
 *
 * ```
 * second?  minute  hour  day of month  month  day of week
 * 0-59     0-59    0-23  1-31          1-12 or JAN-DEC   0-7 or SUN-SAT (0 and 7 are Sunday)
 * each: *, ?, a, a-b, *\/n, a/n (from a on), a-b/n, and lists of these
 * ```
 */
import { MillraceError, quote } from '../../errors.js'
import { zoneOf } from '../../expressions/zone.js'
import { offsetsOf } from '../../expressions/zone-offsets.js'

export interface Schedule {
  /** The first instant after `after` (milliseconds since the epoch), or null where there is none within 60 years. */
  next(after: number): number | null
  /** The last instant after `after` and not after `now`; null where there is none. */
  last(after: number, now: number): number | null
}

interface Field {
  /** Ascending. */
  readonly values: readonly number[]
  /** Written with a star: it does not restrict, or only by steps. */
  readonly isAny: boolean
}

interface Kind {
  readonly name: string
  readonly least: number
  readonly most: number
  /** Of `least`, and those after it. */
  readonly words?: readonly string[]
}

const KINDS: readonly Kind[] = [
  { name: 'second', least: 0, most: 59 },
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of month', least: 1, most: 31 },
  {
    name: 'month',
    least: 1,
    most: 12,
    words: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  { name: 'day of week', least: 0, most: 7, words: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
]

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const DAY = 86_400
/** Leap days that fall on one weekday are up to 40 years apart. */
const MOST_DAYS = 60 * 366

/**
 * Where neither day is written with a star a day does that either names; otherwise both must. Clocks that change: an expression with a star in its hours goes by the time that passes, so that what clocks
 * skip does not come, and what they show twice comes twice. One with fixed hours comes once for each time that it names: at the first of two, and what clocks skip at the moment they skip it, once.
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function parseCron(expression: unknown, zoneName: unknown, operator = 'cron'): Schedule {
  const fail = (what: string): never => {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `${operator}: ${typeof expression === 'string' ? quote(expression) : String(expression)} ${what}`,
      { operator },
    )
  }
  if (typeof expression !== 'string' || expression.length > 1000)
    return fail('is no cron expression; write one such as "0 9 * * MON-FRI"')
  const zone = zoneOf(zoneName, operator)
  const trimmed = expression.trim()
  const texts = (SHORTHANDS[trimmed.toLowerCase()] ?? trimmed).split(/\s+/)
  if (texts.length === 5) texts.unshift('0')
  if (texts.length !== 6)
    return fail(
      `has ${texts.length} fields; there are five, minute, hour, day of month, month and day of week, or six with the second before them`,
    )
  const fields = texts.map((text, i) => parseField(text, KINDS[i], fail))
  const [seconds, minutes, hours, days, months, weekdays] = fields
  const named = { days: new Set(days.values), months: new Set(months.values), weekdays: new Set(weekdays.values) }
  if (named.weekdays.has(7)) named.weekdays.add(0)
  const isBoth = days.isAny || weekdays.isAny
  const isFixed = !hours.isAny

  const isDay = (date: Date): boolean => {
    const byDay = named.days.has(date.getUTCDate())
    const byWeekday = named.weekdays.has(date.getUTCDay())
    return isBoth ? byDay && byWeekday : byDay || byWeekday
  }
  const timeFrom = (second: number): number | null => {
    for (const hour of hours.values) {
      if ((hour + 1) * 3600 <= second) continue
      for (const minute of minutes.values) {
        const at = hour * 3600 + minute * 60
        if (at + 60 <= second) continue
        for (const each of seconds.values) if (at + each >= second) return at + each
      }
    }
    return null
  }
  /** What clocks show next that is named, `from` or later, in seconds as if they were UTC. */
  const shownFrom = (from: number): number | null => {
    let day = Math.floor(from / DAY)
    let second = from - day * DAY
    const last = day + MOST_DAYS
    while (day <= last) {
      const date = new Date(day * DAY * 1000)
      if (!named.months.has(date.getUTCMonth() + 1)) {
        day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / 1000 / DAY
        second = 0
        continue
      }
      const time = isDay(date) ? timeFrom(second) : null
      if (time !== null) return day * DAY + time
      day++
      second = 0
    }
    return null
  }

  const next = (afterMs: number): number | null => {
    const after = Math.floor(afterMs / 1000)
    let here = after
    let { starts, offsets } = offsetsOf(zone, after, after)
    let i = placeOf(starts, here)
    let from = after + 1 + offsets[i]
    // What has been shown before the clocks were set back is not named again.
    if (isFixed && i > 0) from = Math.max(from, starts[i] + offsets[i - 1])
    while (true) {
      const shown = shownFrom(from)
      if (shown === null) return null
      const offset = offsets[i]
      const at = shown - offset
      // Looking further may also find changes before those that were known.
      ;({ starts, offsets } = offsetsOf(zone, after, at))
      i = placeOf(starts, here) + 1
      if (i === starts.length || starts[i] > at) return at * 1000
      here = starts[i]
      if (isFixed && shown < here + offsets[i]) return here * 1000
      from = here + (isFixed ? Math.max(offset, offsets[i]) : offsets[i])
    }
  }
  if (shownFrom(0) === null) return fail('names no day that there is')
  return {
    next,
    last(after, now) {
      let found: number | null = null
      for (const window of [60, 3600, DAY, 32 * DAY, 367 * DAY, Infinity]) {
        const from = Math.max(after, now - window * 1000)
        for (let at = next(from); at !== null && at <= now; at = next(at)) found = at
        if (found !== null || from === after) break
      }
      return found
    },
  }
}

function parseField(text: string, kind: Kind, fail: (what: string) => never): Field {
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const match = /^(?:([*?])|([A-Za-z]+|\d+)(?:-([A-Za-z]+|\d+))?)(?:\/(\d+))?$/.exec(part)
    if (match === null)
      return fail(`has ${quote(part)} for a ${kind.name}; write *, 3, 1-5, */15, 2/10, 1-9/2, or a list of these`)
    const [, star, first, last, steps] = match
    const step = steps === undefined ? 1 : Number(steps)
    const from = star === undefined ? numberOf(first, kind, fail) : kind.least
    const top = kind.most === 7 && star !== undefined ? 6 : kind.most
    const end = last === undefined ? null : numberOf(last, kind, fail)
    // As in FRI-SUN.
    const to =
      end !== null
        ? end === 0 && from > 0 && kind.most === 7
          ? 7
          : end
        : star !== undefined || steps !== undefined
          ? top
          : from
    if (step === 0) fail(`has ${quote(part)} for a ${kind.name}; a step is 1 at least`)
    if (to < from) fail(`has ${quote(part)} for a ${kind.name}, which ends before it begins; write a list`)
    for (let value = from; value <= to; value += step) values.add(value)
  }
  return { values: [...values].sort((a, b) => a - b), isAny: /^[*?]/.test(text) }
}

function numberOf(text: string, { name, least, most, words = [] }: Kind, fail: (what: string) => never): number {
  const word = words.indexOf(text.toUpperCase())
  const value = word >= 0 ? word + least : /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  return fail(
    `has ${quote(text)} for a ${name}, which is from ${least} to ${most}${words.length === 0 ? '' : ` or ${words[0]} to ${words[words.length - 1]}`}`,
  )
}

/** The offset that holds at a second. */
function placeOf(starts: readonly number[], second: number): number {
  let i = starts.length - 1
  while (i > 0 && starts[i] > second) i--
  return i
}
