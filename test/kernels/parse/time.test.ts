// Days and instants from text, against a calendar that counts years and months one by one or in BigInt.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayText, twoDigits } from '../../../src/columnar/day.js'
import { instantText } from '../../../src/columnar/instant.js'
import type { TimeUnit } from '../../../src/columnar/type.js'
import { type Answer, dates, type Instants, instants } from './module.js'

const PER_SECOND: Record<Instants, bigint> = {
  seconds: 1n,
  milliseconds: 1000n,
  microseconds: 1_000_000n,
  nanoseconds: 1_000_000_000n,
}
const UNITS = Object.keys(PER_SECOND) as Instants[]
const UNIT: Record<Instants, TimeUnit> = { seconds: 's', milliseconds: 'ms', microseconds: 'us', nanoseconds: 'ns' }

const floorDiv = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b
const isLeap = (year: bigint): boolean => year % 4n === 0n && (year % 100n !== 0n || year % 400n === 0n)
const monthDays = (year: bigint, month: number): number =>
  [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]

/** Days since 1970-01-01 of any year, month and day of a calendar without end. */
function daysOf(year: bigint, month: number, day: number): bigint {
  const before = year - 1n
  const leapDays = floorDiv(before, 4n) - floorDiv(before, 100n) + floorDiv(before, 400n)
  let days = 365n * before + leapDays - 719_162n
  for (let m = 1; m < month; m++) days += BigInt(monthDays(year, m))
  return days + BigInt(day - 1)
}

const DATE = /^(?:(\d{4})|([+-]\d{4,}))-(\d\d)-(\d\d)/
const CLOCK = /^[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d)(?::(\d\d))?)?$/

function dateModel(text: string): bigint | null {
  const match = DATE.exec(text)
  if (match === null) return null
  const [year, month, day] = [BigInt((match[1] ?? match[2]).replace(/^\+/, '')), Number(match[3]), Number(match[4])]
  if (/^-0+$/.test(match[2] ?? '') || month < 1 || month > 12 || day < 1 || day > monthDays(year, month)) return null
  return daysOf(year, month, day)
}

const fits = (value: bigint, bits: number): boolean => BigInt.asIntN(bits, value) === value

function dayModel(text: string): Answer<number> {
  const days = dateModel(text)
  if (days === null || DATE.exec(text)?.[0] !== text) return { code: 1 }
  return fits(days, 32) ? Number(days) : { code: 2 }
}

function instantModel(text: string, unit: Instants): Answer<bigint> {
  const days = dateModel(text)
  if (days === null) return { code: 1 }
  const rest = text.slice((DATE.exec(text) as RegExpExecArray)[0].length)
  const match = rest === '' ? [] : CLOCK.exec(rest)
  if (match === null) return { code: 1 }
  const [hour, minute, second, offsetHour, offsetMinute] = [1, 2, 3, 6, 7].map(i => Number(match[i] ?? 0))
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return { code: 1 }
  const offset = (match[5] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute) * 60
  const seconds = days * 86_400n + BigInt(hour * 3600 + minute * 60 + second - offset)
  const digits = match[4] ?? ''
  const scaled = seconds * 10n ** BigInt(digits.length) + BigInt(digits === '' ? 0 : digits)
  const ticks = scaled * PER_SECOND[unit]
  const denominator = 10n ** BigInt(digits.length)
  if (ticks % denominator !== 0n) return { code: 2 }
  return fits(ticks / denominator, 64) ? ticks / denominator : { code: 2 }
}

const two = fc
  .oneof(fc.nat(60), fc.constantFrom(0, 1, 2, 12, 13, 23, 24, 28, 29, 30, 31, 32, 59, 60, 99))
  .map(n => String(n).padStart(2, '0'))
const month = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 12 }).map(n => String(n).padStart(2, '0')) },
  two,
)
const day = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 31 }).map(n => String(n).padStart(2, '0')) },
  two,
)
const year = fc.oneof(
  fc.integer({ min: 0, max: 9999 }).map(n => String(n).padStart(4, '0')),
  fc.constantFrom('1970', '2000', '1900', '2024', '0000', '9999', '1969', '0001'),
  fc
    .tuple(
      fc.constantFrom('+', '-'),
      fc.oneof(fc.integer({ min: 0, max: 6_000_000 }), fc.bigInt({ min: 0n, max: 10n ** 13n })),
      fc.constantFrom(4, 5, 6, 9, 30),
    )
    .map(([sign, n, width]) => sign + String(n).padStart(width, '0')),
  fc.constantFrom(
    '+292277026596',
    '-292277022657',
    '+5881580',
    '-5877641',
    '-0000',
    '+0000',
    '-000000',
    '024',
    '20240',
    '+024',
    '-',
  ),
)
const dateText = fc.tuple(year, month, day).map(parts => parts.join('-'))
const hour = fc.oneof({ weight: 6, arbitrary: fc.nat(23).map(n => String(n).padStart(2, '0')) }, two)
const sixtieth = fc.oneof({ weight: 6, arbitrary: fc.nat(59).map(n => String(n).padStart(2, '0')) }, two)
const fraction = fc.oneof(
  fc.constant(''),
  fc
    .tuple(
      fc.constantFrom('.', ','),
      fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 12 }),
      fc.constantFrom('', '', '000', '0'.repeat(30)),
    )
    .map(parts => parts.join('')),
)
const zone = fc.oneof(
  fc.constantFrom('', 'Z', 'z', '+00:00', '-00:00', '+00', '+0530', '+05:3', '+5:30', 'UTC', ' Z', 'Z '),
  fc
    .tuple(fc.constantFrom('+', '-'), hour, fc.constantFrom('', ':'), fc.oneof(sixtieth, fc.constant('')))
    .map(parts => parts.join('')),
)
const clockText = fc
  .tuple(
    fc.constantFrom('T', ' ', 'T', ' ', 't', '', '  '),
    hour,
    fc.constant(':'),
    sixtieth,
    fc.oneof(
      fc.constant(''),
      fc.tuple(fc.constant(':'), sixtieth, fraction).map(parts => parts.join('')),
    ),
    zone,
  )
  .map(parts => parts.join(''))
const instantTextOf = fc
  .tuple(dateText, fc.oneof({ weight: 1, arbitrary: fc.constant('') }, { weight: 6, arbitrary: clockText }))
  .map(parts => parts.join(''))

/** With a character left out, put in or changed. */
const damaged = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(text, fc.nat(40), fc.nat(2), fc.constantFrom(...'0123456789-+:.,TZ /é'))
    .map(([whole, at, removed, put]) => whole.slice(0, at) + put + whole.slice(at + removed))

test('dates, and what is none', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(dateText, damaged(dateText)), { maxLength: 100 }), texts => {
      expect(dates(texts)).toEqual(texts.map(dayModel))
    }),
    { numRuns: 300 },
  )
})

test('instants in every unit, and what is none', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...UNITS),
      fc.array(fc.oneof(instantTextOf, damaged(instantTextOf)), { maxLength: 100 }),
      (unit, texts) => {
        expect(instants(unit, texts)).toEqual(texts.map(text => instantModel(text, unit)))
      },
    ),
    { numRuns: 400 },
  )
})

test('every day from 1580 to 2420 is the one after the day before', () => {
  const texts: string[] = []
  const expected: (number | null)[] = []
  let next = Number(daysOf(1580n, 1, 1))
  for (let y = 1580; y <= 2420; y++) {
    for (let m = 1; m <= 12; m++) {
      const count = monthDays(BigInt(y), m)
      for (let d = 1; d <= count + 1; d++) {
        texts.push(`${y}-${twoDigits(m)}-${twoDigits(d)}`)
        expected.push(d <= count ? next++ : null)
      }
    }
  }
  const got = dates(texts).map(answer => (typeof answer === 'number' ? answer : null))
  expect(got.findIndex((day, i) => day !== expected[i])).toBe(-1)
})

test('all that is written is read back: any int32 of days, any int64 of ticks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer(), fc.integer({ min: -800_000, max: 3_000_000 })), { maxLength: 300 }),
      days => {
        expect(dates(days.map(dayText))).toEqual(days)
      },
    ),
    { numRuns: 50 },
  )
  const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n]
  const anyTicks = fc.oneof(
    fc.bigInt({ min: least, max: most }),
    fc.bigInt({ min: least, max: least + 90_000n }),
    fc.bigInt({ min: most - 90_000n, max: most }),
    fc.bigInt({ min: -2_000_000_000n, max: 2_000_000_000n }),
  )
  fc.assert(
    fc.property(fc.constantFrom(...UNITS), fc.array(anyTicks, { maxLength: 100 }), (unit, ticks) => {
      expect(
        instants(
          unit,
          ticks.map(count => instantText(count, UNIT[unit])),
        ),
      ).toEqual(ticks)
    }),
    { numRuns: 200 },
  )
})

test('the edges of int64 in every unit, however they are written', () => {
  for (const unit of UNITS) {
    for (const edge of [-(2n ** 63n), 2n ** 63n - 1n]) {
      for (let by = -3n; by <= 3n; by++) {
        const ticks = edge + by
        // In nanoseconds of BigInt, so that any of them has a text.
        const seconds = floorDiv(ticks, PER_SECOND[unit])
        const rest = String(ticks - seconds * PER_SECOND[unit]).padStart(String(PER_SECOND[unit]).length - 1, '0')
        for (const offset of [0, 1, -1, 720, -720, 1439, -1439]) {
          const local = seconds + BigInt(offset * 60)
          const text = instantText(local, 's').replace('Z', '')
          const sign = offset < 0 ? '-' : '+'
          const clock = `${String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0')}:${String(Math.abs(offset) % 60).padStart(2, '0')}`
          const whole = `${text}${unit === 'seconds' ? '' : `.${rest}`}${sign}${clock}`
          expect(instants(unit, [whole]), whole).toEqual([fits(ticks, 64) ? ticks : { code: 2 }])
        }
      }
    }
  }
})

test('spelled out', () => {
  expect(
    instants('milliseconds', [
      '1970-01-01',
      '1970-01-01T00:00',
      '1969-12-31 23:59:59,999',
      '2024-02-29T12:00:00.5+05:30',
      '2024-02-29T12:00:00.500000000000-08',
    ]),
  ).toEqual([0n, 0n, -1n, BigInt(Date.UTC(2024, 1, 29, 6, 30, 0, 500)), BigInt(Date.UTC(2024, 1, 29, 20, 0, 0, 500))])
  const none = [
    '',
    'today',
    '2024-1-1',
    '2024-02-30',
    '2023-02-29',
    '1900-02-29',
    '2024-00-01',
    '2024-13-01',
    '2024-01-00',
    '2024/01/01',
    '20240101',
    '2024-01-01T',
    '2024-01-01T24:00',
    '2024-01-01T00:60',
    '2024-01-01T00:00:60',
    '2024-01-01T00:00:00.',
    '2024-01-01T00',
    '2024-01-01Z',
    '2024-01-01T00:00.5',
    '2024-01-01T00:00+24:00',
    '2024-01-01T00:00+0000',
    '-0000-01-01',
    '10000-01-01',
    '+999-01-01',
  ]
  expect(instants('nanoseconds', none)).toEqual(none.map(() => ({ code: 1 })))
  expect(
    instants('seconds', [
      '2024-01-01T00:00:00.0',
      '2024-01-01T00:00:00.1',
      '+292277026596-12-04T15:30:07Z',
      '+292277026596-12-04T15:30:08Z',
      '+999999999999999999999999-01-01',
      // 2^64 + 2024 and -2^64 + 2024.
      '+18446744073709553640-01-01',
      '-18446744073709549592-01-01',
    ]),
  ).toEqual([1_704_067_200n, { code: 2 }, 2n ** 63n - 1n, { code: 2 }, { code: 2 }, { code: 2 }, { code: 2 }])
  expect(
    dates([
      '+5881580-07-11',
      '+5881580-07-12',
      '-5877641-06-23',
      '-5877641-06-22',
      '+000000-01-01',
      '2024-01-01T00:00',
    ]),
  ).toEqual([2_147_483_647, { code: 2 }, -2_147_483_648, { code: 2 }, -719_528, { code: 1 }])
})
