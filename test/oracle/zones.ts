/**
 * Zones in the naive model: `Intl` asked anew for every instant, and local times found by trying. Instants are counts of a unit in bigint, of which
 * `perSecond` are a second.
 */
import { civilOfDays, floorDiv } from './calendar.js'

const HOUR = 3600n
const formats = new Map<string, Intl.DateTimeFormat>()
const answers = new Map<string, bigint>()

/** Seconds that clocks are ahead of UTC; null is UTC. */
export function offsetAt(zone: string | null, instant: bigint, perSecond: bigint): bigint {
  if (zone === null || zone === 'UTC') return 0n
  const fixed = /^([+-])(\d\d):(\d\d)$/.exec(zone)
  if (fixed !== null) return (fixed[1] === '-' ? -1n : 1n) * (BigInt(fixed[2]) * 60n + BigInt(fixed[3])) * 60n
  let second = floorDiv(instant, perSecond)
  // The calendar, weekdays too, is the same every 400 years, and so are rules that have no end; there is no year 0 in what Intl writes.
  const cycle = 146_097n * 86_400n
  while (second > 20_000_000_000n) second -= cycle
  if (second < -5_400_000_000n) second = -5_400_000_000n
  const key = `${zone} ${second}`
  let offset = answers.get(key)
  if (offset === undefined) {
    offset = asked(zone, second)
    if (answers.size > 100_000) answers.clear()
    answers.set(key, offset)
  }
  return offset
}

function asked(zone: string, second: bigint): bigint {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    })
    formats.set(zone, format)
  }
  const shown = Object.fromEntries(
    format.formatToParts(Number(second) * 1000).map(({ type, value }) => [type, Number(value)]),
  )
  const { year, month, day, hour, minute, second: sec } = shown as Record<string, number>
  return BigInt(Date.UTC(year, month - 1, day, hour, minute, sec)) / 1000n - second
}

export const localAt = (zone: string | null, instant: bigint, perSecond: bigint): bigint =>
  instant + offsetAt(zone, instant, perSecond) * perSecond

/**
 * When clocks show `local`: the first instant, or, where they skip it, the moment at which they are put forward (`start`), or as much later.
 * `prefer` is an offset in seconds that is taken where it is right.
 */
export function instantOf(
  zone: string | null,
  local: bigint,
  perSecond: bigint,
  how: 'compatible' | 'start',
  prefer?: bigint,
): bigint {
  const shows = (instant: bigint) => localAt(zone, instant, perSecond) === local
  if (prefer !== undefined && shows(local - prefer * perSecond)) return local - prefer * perSecond
  const hours = Array.from({ length: 97 }, (_, i) => local + (BigInt(i) - 48n) * HOUR * perSecond)
  const offsets = new Set(hours.map(instant => offsetAt(zone, instant, perSecond)))
  const instants = [...offsets].map(offset => local - offset * perSecond).filter(shows)
  if (instants.length > 0) return instants.reduce((a, b) => (a < b ? a : b))
  // Skipped: the hour in which clocks pass it, halved down to a tick.
  const passed = (instant: bigint) => localAt(zone, instant, perSecond) > local
  const i = hours.findIndex((hour, n) => n > 0 && passed(hour) && !passed(hours[n - 1] as bigint))
  let [before, after] = [hours[i - 1] as bigint, hours[i] as bigint]
  while (after - before > 1n) {
    const middle = (before + after) / 2n
    if (passed(middle)) after = middle
    else before = middle
  }
  return how === 'start' ? after : local - offsetAt(zone, before, perSecond) * perSecond
}

/** Days from 1970-01-01 to a date, by asking which day has it; the day of the month is cut to what the month has. */
export function daysOfCivil(year: bigint, month: number, day: number): bigint {
  let days =
    (year - 1970n) * 365n + floorDiv(year - 1969n, 4n) - floorDiv(year - 1901n, 100n) + floorDiv(year - 1601n, 400n)
  // January 1st: from here month by month.
  const startsMonth = (of: bigint) => civilOfDays(of).day === 1
  for (let left = month; left > 1; left--) {
    days += 28n
    while (!startsMonth(days)) days++
  }
  let last = days + 27n
  while (!startsMonth(last + 1n)) last++
  return days + BigInt(day) - 1n < last ? days + BigInt(day) - 1n : last
}
