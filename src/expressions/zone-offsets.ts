/**
 * How far the clocks of a zone are ahead of UTC, and since when: what `Intl` says, which is the tz database of the JavaScript engine. It is asked every few
 * days, and where two answers differ the second of the change is found by halving. A lane asks once for each year that it meets.
 *
 * Before 1800 nobody had another time than that of then. From 2100 on rules repeat every 400 years, as the calendar and its weekdays do.
 */
import { fixedOffset } from './zone.js'

/** In seconds: `offsets[i]` holds from `starts[i]` on; the first also before, as far as the asked-for years reach. */
export interface ZoneOffsets {
  readonly starts: readonly number[]
  readonly offsets: readonly number[]
}

const DAY = 86_400
const secondsOf = (year: number): number => Date.UTC(year, 0, 1) / 1000

export const FIRST_SECOND = secondsOf(1800)
const LATE_SECOND = secondsOf(2100)
/** What is not before it is as it was a cycle, or several, earlier. */
export const CYCLE_SECOND = secondsOf(2500)
export const CYCLE_SECONDS = 146_097 * DAY

/** No zone has changed its clocks twice within less than six days; from 2100 on none does so within weeks. */
const STEP = 4 * DAY
const LATE_STEP = 20 * DAY
/** Answers are asked for in stretches that begin and end at multiples of it, so that ascending rows ask rarely. */
const STRETCH = 366 * DAY

interface Known {
  readonly offsetAt: (second: number) => number
  from: number
  to: number
  starts: number[]
  offsets: number[]
}

const zones = new Map<string, Known>()

/** Good for all instants from `first` to `last` (seconds), and a few days around them. */
export function offsetsOf(zone: string, first: number, last: number): ZoneOffsets {
  const fixed = fixedOffset(zone)
  if (fixed !== null) return { starts: [FIRST_SECOND], offsets: [fixed] }
  let known = zones.get(zone)
  if (known === undefined) {
    known = { offsetAt: clockOf(zone), from: 0, to: 0, starts: [], offsets: [] }
    zones.set(zone, known)
  }
  // What is beyond a cycle is looked for in the one from 2100 to 2500.
  const isCyclic = last + 8 * DAY >= CYCLE_SECOND
  const from = isCyclic ? Math.min(first, LATE_SECOND) : first
  extend(
    known,
    Math.max(FIRST_SECOND, Math.floor((from - 8 * DAY) / STRETCH) * STRETCH),
    Math.min(CYCLE_SECOND + STRETCH, Math.ceil((last + 8 * DAY) / STRETCH) * STRETCH),
  )
  return known
}

function extend(known: Known, first: number, last: number): void {
  const from = Math.min(first, CYCLE_SECOND)
  const to = Math.max(last, from + STRETCH)
  if (known.starts.length === 0) {
    Object.assign(known, { from, to, starts: [from], offsets: [known.offsetAt(from)] })
    append(known.offsetAt, from, to, known.starts, known.offsets)
    return
  }
  if (from < known.from) {
    const starts = [from]
    const offsets = [known.offsetAt(from)]
    append(known.offsetAt, from, known.from, starts, offsets)
    // The change at the seam, if there is one, has been found; else the stretches have one offset there.
    const isSame = offsets[offsets.length - 1] === known.offsets[0]
    known.starts = [...starts, ...known.starts.slice(isSame ? 1 : 0)]
    known.offsets = [...offsets, ...known.offsets.slice(isSame ? 1 : 0)]
    known.from = from
  }
  if (to > known.to) {
    append(known.offsetAt, known.to, to, known.starts, known.offsets)
    known.to = to
  }
}

/** Adds the changes after `from`, at which the last of `offsets` holds, up to `to`. */
function append(
  offsetAt: (second: number) => number,
  from: number,
  to: number,
  starts: number[],
  offsets: number[],
): void {
  let at = from
  let offset = offsets[offsets.length - 1]
  while (at < to) {
    const next = Math.min(to, at + (at < LATE_SECOND ? STEP : LATE_STEP))
    if (offsetAt(next) === offset) {
      at = next
      continue
    }
    let same = at
    let other = next
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2)
      if (offsetAt(middle) === offset) same = middle
      else other = middle
    }
    at = other
    offset = offsetAt(at)
    starts.push(at)
    offsets.push(offset)
  }
}

function clockOf(zone: string): (second: number) => number {
  const { format } = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  return second => {
    // As in `07/28/1914, 13:05:09`.
    const [month, day, year, hour, minute, sec] = format(second * 1000)
      .split(/\D+/)
      .map(Number)
    return Date.UTC(year, month - 1, day, hour, minute, sec) / 1000 - second
  }
}
