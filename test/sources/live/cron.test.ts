/** Cron expressions against a model that looks at the clocks of the zone minute by minute. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCron } from '../../../src/sources/live/cron.js'

const MINUTE = 60_000

/** What the clocks of a zone show, as milliseconds as if it were UTC. */
function shownIn(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  return at => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    return Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute)
  }
}

const NAMES: Readonly<Record<string, number>> = { SUN: 0, MON: 1, SAT: 6, JAN: 1, MAR: 3, OCT: 10, NOV: 11 }

/** Whether a field names a value, read anew for each. */
function names(field: string, value: number, least: number, most: number): boolean {
  return field.split(',').some(part => {
    const [range, step = '1'] = part.split('/') as [string, string?]
    const number = (text: string) => NAMES[text] ?? Number(text)
    let [from, to] = range === '*' ? [least, most] : (range.split('-').map(number) as [number, number?])
    to ??= part.includes('/') ? most : from
    for (let each = from; each <= to; each += Number(step)) if (each === value) return true
    return false
  })
}

function matches(expression: string, shown: number): boolean {
  const [minute, hour, day, month, weekday] = expression.split(' ') as [string, string, string, string, string]
  const date = new Date(shown)
  const byDay = names(day, date.getUTCDate(), 1, 31)
  const dayOfWeek = date.getUTCDay()
  const byWeekday = names(weekday, dayOfWeek, 0, 6) || (dayOfWeek === 0 && names(weekday, 7, 0, 7))
  return (
    names(minute, date.getUTCMinutes(), 0, 59) &&
    names(hour, date.getUTCHours(), 0, 23) &&
    names(month, date.getUTCMonth() + 1, 1, 12) &&
    (day.startsWith('*') || weekday.startsWith('*') ? byDay && byWeekday : byDay || byWeekday)
  )
}

/** All instants in a stretch, minute by minute. */
function model(expression: string, shownAt: (at: number) => number, from: number, to: number): number[] {
  const isFixed = !expression.split(' ')[1]!.startsWith('*')
  const found: number[] = []
  // What has been shown lately; every change is within a day of itself.
  const seen = new Set<number>()
  let before = shownAt(from - 24 * 60 * MINUTE)
  for (let at = from - 24 * 60 * MINUTE; at <= to; at += MINUTE) {
    const shown = shownAt(at)
    let comes = matches(expression, shown) && !(isFixed && seen.has(shown))
    if (isFixed) for (let gap = before + MINUTE; gap < shown; gap += MINUTE) comes ||= matches(expression, gap)
    if (comes && at > from) found.push(at)
    seen.add(shown)
    before = shown
  }
  return found
}

function all(expression: string, zone: string, from: number, to: number): number[] {
  const schedule = parseCron(expression, zone)
  const found: number[] = []
  for (let at = schedule.next(from); at !== null && at <= to; at = schedule.next(at)) found.push(at)
  return found
}

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Africa/Casablanca',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Pacific/Apia',
  'Asia/Gaza',
  'Asia/Kathmandu',
]
/** Stretches of days with changes of clocks in most of them, Samoa's lost day and Sao Paulo's midnight among them. */
const STRETCHES = ['2024-03-08', '2024-03-29', '2024-10-04', '2024-10-25', '2024-11-01', '2011-12-28', '2018-11-02']

const number = (least: number, most: number) => fc.integer({ min: least, max: most }).map(String)
const field = (least: number, most: number, words: readonly string[] = []) => {
  const range = fc
    .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
    .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
  const part = fc.oneof(
    number(least, most),
    range,
    fc
      .tuple(fc.oneof(range, number(least, most), fc.constant('*')), fc.integer({ min: 1, max: 20 }))
      .map(([a, n]) => `${a}/${n}`),
    ...(words.length === 0 ? [] : [fc.constantFrom(...words)]),
  )
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant('*') },
    { weight: 3, arbitrary: fc.array(part, { minLength: 1, maxLength: 3 }).map(parts => parts.join(',')) },
  )
}
const expressions = fc
  .tuple(
    field(0, 59),
    fc.oneof(field(0, 23), field(0, 4)),
    field(1, 31),
    field(1, 12, ['MAR', 'OCT', 'NOV']),
    field(0, 7, ['SUN', 'MON', 'SAT']),
  )
  .map(fields => fields.join(' '))

describe('cron', () => {
  it('names the instants that looking minute by minute finds, over changes of clocks', () => {
    const tables = new Map<string, Map<number, number>>()
    const tableOf = (zone: string) => {
      const known = tables.get(zone) ?? new Map<number, number>()
      tables.set(zone, known)
      const ask = shownIn(zone)
      return (at: number) => {
        // No clocks of these zones change within a quarter of an hour.
        const quarter = at - (at % (15 * MINUTE))
        const shown = known.get(quarter) ?? ask(quarter)
        known.set(quarter, shown)
        return shown + at - quarter
      }
    }
    fc.assert(
      fc.property(expressions, fc.constantFrom(...ZONES), fc.constantFrom(...STRETCHES), (expression, zone, day) => {
        const from = Date.parse(`${day}T00:00:00Z`)
        const to = from + 3 * 24 * 60 * MINUTE
        let found: number[]
        try {
          found = all(expression, zone, from, to)
        } catch (error) {
          expect(error).toMatchObject({ code: 'MR_INVALID_OPTION' })
          expect((error as Error).message).toContain('no day that there is')
          found = []
        }
        expect(found).toEqual(model(expression, tableOf(zone), from, to))
      }),
      { numRuns: 150, seed: 1 + Number(process.env.MILLRACE_SEED ?? 0) },
    )
  })

  const iso = (times: readonly (number | null)[]) => times.map(at => at && new Date(at).toISOString().slice(0, 16))
  const some = (expression: string, zone: string, from: string, count: number) => {
    const schedule = parseCron(expression, zone)
    const found: (number | null)[] = []
    let at: number | null = Date.parse(from)
    while (found.length < count && at !== null) {
      at = schedule.next(at)
      found.push(at)
    }
    return iso(found)
  }

  it('comes once where clocks skip or repeat a fixed time, and by the time that passes otherwise', () => {
    // Berlin skips 02:00 to 03:00 on 2024-03-31, and shows it twice on 2024-10-27.
    expect(some('30 2 * * *', 'Europe/Berlin', '2024-03-30T00:00Z', 3)).toEqual([
      '2024-03-30T01:30',
      '2024-03-31T01:00',
      '2024-04-01T00:30',
    ])
    expect(some('*/20 2 * * *', 'Europe/Berlin', '2024-03-31T00:00Z', 2)).toEqual([
      '2024-03-31T01:00',
      '2024-04-01T00:00',
    ])
    expect(some('30 2 * * *', 'Europe/Berlin', '2024-10-26T12:00Z', 2)).toEqual([
      '2024-10-27T00:30',
      '2024-10-28T01:30',
    ])
    expect(some('30 * * * *', 'Europe/Berlin', '2024-10-27T00:00Z', 3)).toEqual([
      '2024-10-27T00:30',
      '2024-10-27T01:30',
      '2024-10-27T02:30',
    ])
    // One that is asked in the middle of the repeated hour.
    expect(some('45 2 * * *', 'Europe/Berlin', '2024-10-27T01:10Z', 1)).toEqual(['2024-10-28T01:45'])
  })

  it('knows seconds, names, shorthands, Sundays by two numbers, and leap days', () => {
    expect(some('*/30 0 0 1 JAN ?', 'UTC', '2024-06-01T00:00Z', 3)).toEqual([
      '2025-01-01T00:00',
      '2025-01-01T00:00',
      '2026-01-01T00:00',
    ])
    expect(some('@weekly', 'UTC', '2024-06-03T00:00Z', 1)).toEqual(['2024-06-09T00:00'])
    expect(some('0 0 * * 7', 'UTC', '2024-06-03T00:00Z', 1)).toEqual(['2024-06-09T00:00'])
    expect(some('0 0 * * fri-sun', 'UTC', '2024-06-03T00:00Z', 3)).toEqual([
      '2024-06-07T00:00',
      '2024-06-08T00:00',
      '2024-06-09T00:00',
    ])
    expect(some('0 9 * * *', '+05:45', '2024-06-03T00:00Z', 1)).toEqual(['2024-06-03T03:15'])
  })

  it('finds leap days, and days of the month or of the week', () => {
    expect(some('0 0 29 2 *', 'UTC', '2096-03-01T00:00Z', 1)).toEqual(['2104-02-29T00:00'])
    expect(some('0 0 13 * FRI', 'UTC', '2024-09-10T00:00Z', 3)).toEqual([
      '2024-09-13T00:00',
      '2024-09-20T00:00',
      '2024-09-27T00:00',
    ])
  })

  it('finds the last of those that were missed', () => {
    const schedule = parseCron('* * * * * *', 'UTC')
    const at = Date.UTC(2024, 0, 1)
    expect(schedule.last(at, at + 366 * 864e5 + 250)).toBe(at + 366 * 864e5)
    expect(schedule.last(at, at + 999)).toBeNull()
    expect(parseCron('0 0 1 1 *', 'UTC').last(at, at + 800 * 864e5)).toBe(Date.UTC(2026, 0, 1))
  })

  it('refuses what is none, and says what is wrong', () => {
    const message = (expression: unknown, zone: unknown = 'UTC') => {
      try {
        parseCron(expression, zone)
        return 'taken'
      } catch (error) {
        expect(error).toMatchObject({ code: 'MR_INVALID_OPTION' })
        return (error as Error).message
      }
    }
    expect(message('* * * *')).toContain('has 4 fields')
    expect(message('60 * * * *')).toContain('"60" for a minute, which is from 0 to 59')
    expect(message('* * * FOO *')).toContain('from 1 to 12 or JAN to DEC')
    expect(message('*/0 * * * *')).toContain('a step is 1 at least')
    expect(message('5-1 * * * *')).toContain('ends before it begins')
    expect(message('* * L * *')).toContain('"L" for a day of month')
    expect(message('* * * * MON#2')).toContain('"MON#2" for a day of week')
    expect(message('0 0 31 2 *')).toContain('no day that there is')
    expect(message(7)).toContain('no cron expression')
    expect(message('* * * * *', 'Mars/Olympus')).toContain('there is no time zone')
  })
})
