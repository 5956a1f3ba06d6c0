// Instants from text in formats, held against the same instants written.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { timeParser } from '../../../src/operators/text/time-format.js'

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const parse = (format: string, text: string, perSecond = 1000n) => timeParser(format, perSecond, 'parseTime')(text)
const utc = (text: string) => BigInt(Date.parse(text))
const two = (value: number) => String(value).padStart(2, '0')

it('what has been written is read', () => {
  const write: Record<string, (date: Date) => string> = {
    Y: date => String(date.getUTCFullYear()).padStart(4, '0'),
    m: date => two(date.getUTCMonth() + 1),
    b: date => (MONTHS[date.getUTCMonth()] as string).slice(0, 3),
    B: date => MONTHS[date.getUTCMonth()] as string,
    d: date => two(date.getUTCDate()),
    e: date => String(date.getUTCDate()),
    j: date => String(1 + (Date.UTC(2000, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2000, 0, 1)) / 86_400_000),
    A: date => DAYS[date.getUTCDay()] as string,
    H: date => two(date.getUTCHours()),
    I: date => String(date.getUTCHours() % 12 || 12),
    p: date => (date.getUTCHours() < 12 ? 'AM' : 'pm'),
    M: date => two(date.getUTCMinutes()),
    S: date => two(date.getUTCSeconds()),
    f: date => String(date.getUTCMilliseconds()).padStart(3, '0'),
    z: () => '+00:00',
  }
  const formats = [
    '%Y-%m-%dT%H:%M:%S.%f%z',
    '%d.%m.%Y %H:%M:%S,%f',
    '%A, %e %B %Y %I:%M:%S %p and %f ms',
    '%b %d %Y %T',
    '%F %R',
  ]
  const dates = fc.date({
    min: new Date('0000-01-01T00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(dates, fc.constantFrom(...formats), (date, format) => {
      const whole = format.replace('%F', '%Y-%m-%d').replace('%R', '%H:%M').replace('%T', '%H:%M:%S')
      const text = whole.replace(/%(\w)/g, (_, letter: string) => (write[letter] as (date: Date) => string)(date))
      const unit = format.includes('%f') ? 1 : format.includes('%R') ? 60_000 : 1000
      expect(parse(format, ` ${text}\n`), text).toBe(BigInt(Math.floor(date.getTime() / unit) * unit))
    }),
    { numRuns: 300 },
  )
})

it('days of the year, two-digit years, offsets and seconds', () => {
  expect(parse('%Y-%j', '2024-366')).toBe(utc('2024-12-31'))
  expect(parse('%Y-%j', '2023-366')).toBe(null)
  expect(parse('%D', '02/29/68')).toBe(utc('2068-02-29'))
  expect(parse('%D', '01/01/69')).toBe(utc('1969-01-01'))
  expect(parse('%F %T%z', '2024-01-01 00:30:00+0530')).toBe(utc('2023-12-31T19:00Z'))
  expect(parse('%F%z', '2024-01-01-01')).toBe(utc('2024-01-01T01:00Z'))
  expect(parse('%s', '-1', 1n)).toBe(-1n)
  expect(parse('%s.%f', '1.000000001', 1_000_000_000n)).toBe(1_000_000_001n)
  expect(parse('100%% %Y%m%d', '100% 20240131')).toBe(utc('2024-01-31'))
})

it('what is no such day or time, or finer than the unit, is none', () => {
  for (const text of ['2023-02-29', '2024-13-01', '2024-00-10', '2024-04-31', '2024-4-31x', 'yesterday', ''])
    expect(parse('%F', text), text).toBe(null)
  expect(parse('%F %T', '2024-01-01 24:00:00')).toBe(null)
  expect(parse('%F %T', '2024-01-01 23:59:60')).toBe(null)
  expect(parse('%F %T.%f', '2024-01-01 00:00:00.0001')).toBe(null)
  expect(parse('%F %T.%f', '2024-01-01 00:00:00.0001', 1_000_000n)).not.toBe(null)
  expect(parse('%F', '9999-01-01', 1_000_000_000n)).toBe(null)
})

it('a format that says no day, or nothing that is known, is refused', () => {
  for (const format of ['%H:%M', '%Y-%m', '%Y %Q', '%', '%d %b'])
    expect(() => parse(format, 'x'), format).toThrow('MR_INVALID_OPTION')
})

it('what is behind a percent sign of the text is no shorthand', () => {
  expect(parse('%Y-%m-%d %%T', '2024-03-31 %T')).toBe(utc('2024-03-31T00:00Z'))
  expect(parse('%F %%%R', '2024-03-31 %12:30')).toBe(utc('2024-03-31T12:30Z'))
  expect(parse('%%F %F', '%F 2024-03-31')).toBe(utc('2024-03-31T00:00Z'))
})

it('spaces take no longer where the format has some around it', () => {
  const spaces = ' '.repeat(300_000)
  expect(parse(' %F ', `${spaces}2024-03-31${spaces}`)).toBe(utc('2024-03-31T00:00Z'))
  for (const text of [`${spaces}x`, `2024-03-31${spaces}x`]) expect(parse(' %F ', text)).toBe(null)
})
