/**
 * Instants from text in formats of `strftime`: `%Y-%m-%d %H:%M:%S`. In UTC where the format has no `%z`.
 *
 * ```
 * %Y  year, four digits or with a sign     %H  hour 0 to 23     %f  fraction of a second, 1 to 9 digits
 * %y  year of 1969 to 2068, two digits     %I  hour 1 to 12     %p  AM or PM, in any case
 * %m  month                                %M  minute           %z  Z, +hh, +hhmm or +hh:mm
 * %d %e  day of the month                  %S  second           %b %B  month by its English name, short or long
 * %j  day of the year                      %s  seconds since 1970-01-01T00:00Z      %a %A  weekday in English, which is not held against the date
 * %F  %Y-%m-%d    %T  %H:%M:%S    %R  %H:%M    %D  %m/%d/%y    %%  a percent sign
 * ```
 * Numbers may lack zeros before them; a space stands for any space, or none.
 */
import { MillraceError, quote } from '../../errors.js'

export type ParseInstant = (text: string) => bigint | null

interface Fields {
  year: number
  month: number
  day: number
  dayOfYear: number
  hour: number
  minute: number
  second: number
  nanoseconds: bigint
  isAfternoon: boolean | null
  offset: number
  epoch: bigint | null
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const LONG_MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const LONG_WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

const SHORTHANDS: Readonly<Record<string, string>> = { F: '%Y-%m-%d', T: '%H:%M:%S', R: '%H:%M', D: '%m/%d/%y' }

type Take = (fields: Fields, text: string) => boolean

const within =
  (least: number, most: number, set: (fields: Fields, value: number) => void): Take =>
  (fields, text) => {
    const value = Number(text)
    set(fields, value)
    return value >= least && value <= most
  }

const named =
  (names: readonly string[], set: (fields: Fields, index: number) => void): Take =>
  (fields, text) => {
    set(fields, names.indexOf(text.toLowerCase()))
    return true
  }

const setMonth = (fields: Fields, month: number) => {
  fields.month = month
}
const setDay = (fields: Fields, day: number) => {
  fields.day = day
}
const setHour = (fields: Fields, hour: number) => {
  fields.hour = hour
}
const nothing = () => {}

const DIRECTIVES: Readonly<Record<string, readonly [pattern: string, take: Take]>> = {
  Y: [
    '[+-]\\d{4,6}|\\d{4}',
    within(-271_821, 275_760, (fields, year) => {
      fields.year = year
    }),
  ],
  y: [
    '\\d\\d',
    within(0, 99, (fields, year) => {
      fields.year = year < 69 ? 2000 + year : 1900 + year
    }),
  ],
  m: ['\\d{1,2}', within(1, 12, setMonth)],
  b: [MONTHS.join('|'), named(MONTHS, (fields, i) => setMonth(fields, i + 1))],
  B: [LONG_MONTHS.join('|'), named(LONG_MONTHS, (fields, i) => setMonth(fields, i + 1))],
  d: ['\\d{1,2}', within(1, 31, setDay)],
  e: [' ?\\d{1,2}', within(1, 31, setDay)],
  j: [
    '\\d{1,3}',
    within(1, 366, (fields, day) => {
      fields.dayOfYear = day
    }),
  ],
  a: [WEEKDAYS.join('|'), named(WEEKDAYS, nothing)],
  A: [LONG_WEEKDAYS.join('|'), named(LONG_WEEKDAYS, nothing)],
  H: ['\\d{1,2}', within(0, 23, setHour)],
  I: ['\\d{1,2}', within(1, 12, setHour)],
  M: [
    '\\d{1,2}',
    within(0, 59, (fields, minute) => {
      fields.minute = minute
    }),
  ],
  S: [
    '\\d{1,2}',
    within(0, 59, (fields, second) => {
      fields.second = second
    }),
  ],
  f: [
    '\\d{1,9}',
    (fields, text) => {
      fields.nanoseconds = BigInt(text.padEnd(9, '0'))
      return true
    },
  ],
  p: [
    '[ap]\\.?m\\.?',
    (fields, text) => {
      fields.isAfternoon = text.toLowerCase().startsWith('p')
      return true
    },
  ],
  z: [
    'Z|[+-]\\d\\d(?::?[0-5]\\d)?',
    (fields, text) => {
      const [hours, minutes = '0'] = text.slice(1).match(/\d\d/g) ?? ['0']
      fields.offset = (text.startsWith('-') ? -60 : 60) * (Number(hours) * 60 + Number(minutes))
      return Number(hours) < 24
    },
  ],
  s: [
    '-?\\d{1,16}',
    (fields, text) => {
      fields.epoch = BigInt(text)
      return true
    },
  ],
}

/**
 * What gives the ticks of a text, of which `perSecond` are a second; null where it is not in the format, there is no such day or time, or none in that unit.
 * @throws MillraceError `MR_INVALID_OPTION` for a format that cannot be
 */
export function timeParser(format: string, perSecond: bigint, operator: string): ParseInstant {
  // Spaces around it are any already: taken twice they would be shared out in all ways.
  const written = format.trim().replace(/%([FTRD%])/g, (all, letter: string) => SHORTHANDS[letter] ?? all)
  const takes: Take[] = []
  const letters = new Set<string>()
  const pattern = written.replace(/%(.?)|\s+|[^\w%\s]/gs, (all, letter?: string) => {
    if (letter === undefined) return all.trim() === '' ? '\\s*' : `\\${all}`
    if (letter === '%') return '%'
    const directive = Object.hasOwn(DIRECTIVES, letter) ? DIRECTIVES[letter] : undefined
    if (directive === undefined) throw invalid(format, `has no meaning for %${letter}`, operator)
    takes.push(directive[1])
    letters.add(letter)
    return `(${directive[0]})`
  })
  const hasDate =
    letters.has('s') || (/[Yy]/.test([...letters].join('')) && (letters.has('j') || hasMonthAndDay(letters)))
  if (!hasDate) throw invalid(format, 'does not say which day it is: it takes a year, a month and a day', operator)
  const whole = new RegExp(`^\\s*${pattern}\\s*$`, 'is')
  return text => {
    const match = whole.exec(text)
    if (match === null) return null
    const fields: Fields = {
      ...{ year: 1970, month: 1, day: 1, dayOfYear: 0, hour: 0, minute: 0, second: 0 },
      ...{ nanoseconds: 0n, isAfternoon: null, offset: 0, epoch: null },
    }
    if (!takes.every((take, i) => take(fields, match[i + 1]))) return null
    return ticksOf(fields, perSecond)
  }
}

const hasMonthAndDay = (letters: ReadonlySet<string>): boolean =>
  ['m', 'b', 'B'].some(letter => letters.has(letter)) && ['d', 'e'].some(letter => letters.has(letter))

function ticksOf(fields: Fields, perSecond: bigint): bigint | null {
  const { year, month, day, dayOfYear, minute, second, nanoseconds, isAfternoon, offset, epoch } = fields
  const hour = isAfternoon === null ? fields.hour : (fields.hour % 12) + (isAfternoon ? 12 : 0)
  // Years below 100 are those, not of 1900.
  const date = new Date(0)
  if (dayOfYear > 0) date.setUTCFullYear(year, 0, dayOfYear)
  else date.setUTCFullYear(year, month - 1, day)
  const isThere = dayOfYear > 0 ? date.getUTCFullYear() === year : date.getUTCDate() === day
  if (!isThere || Number.isNaN(date.getTime())) return null
  const seconds = epoch ?? BigInt(date.getTime() / 1000 + (hour * 60 + minute) * 60 + second - offset)
  const perTick = 1_000_000_000n / perSecond
  if (nanoseconds % perTick !== 0n) return null
  const ticks = seconds * perSecond + nanoseconds / perTick
  return BigInt.asIntN(64, ticks) === ticks ? ticks : null
}

const invalid = (format: string, text: string, operator: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `${operator}: the format ${quote(format)} ${text}`, { operator })
