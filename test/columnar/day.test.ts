// Facts about days and instants as text, against `Date` where it reaches.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayText, parseDay } from '../../src/columnar/day.js'
import { epochMs, instantText } from '../../src/columnar/instant.js'
import { wordsOf } from '../../src/columnar/int64.js'
import type { TimeUnit } from '../../src/columnar/type.js'

test('a day reads as Date writes it, in all years that Date knows', () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), day => {
      expect(dayText(day)).toBe(new Date(day * 86_400_000).toISOString().split('T')[0])
    }),
  )
})

test('days beyond Date have an expanded year', () => {
  expect(dayText(2 ** 31 - 1)).toBe('+5881580-07-11')
  expect(dayText(-(2 ** 31))).toBe('-5877641-06-23')
  expect(dayText(-719_529)).toBe('-000001-12-31')
  expect(dayText(-719_528)).toBe('0000-01-01')
})

test('every int32 day parses back to itself', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), day => {
      expect(parseDay(dayText(day))).toBe(day)
    }),
  )
})

test('what names no day does not parse', () => {
  const wrong = [
    '',
    'today',
    '2023-02-29',
    '2024-13-01',
    '2024-00-10',
    '2024-1-1',
    '2024-01-01T00:00',
    ' 2024-01-01',
    '-000000-01-01',
    '+002024-01-01',
    '20240-01-01',
  ]
  expect(wrong.map(parseDay)).toEqual(wrong.map(() => null))
  expect(parseDay('2024-02-29')).toBe(19_782)
})

test('an instant in milliseconds reads as Date writes it', () => {
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true }), at => {
      expect(instantText(BigInt(at.getTime()), 'ms')).toBe(at.toISOString())
    }),
  )
})

test('an instant has as many digits as its unit, and floors before the epoch', () => {
  expect(instantText(-1n, 's')).toBe('1969-12-31T23:59:59Z')
  expect(instantText(-1n, 'us')).toBe('1969-12-31T23:59:59.999999Z')
  expect(instantText(1n, 'ns')).toBe('1970-01-01T00:00:00.000000001Z')
  expect(instantText(2n ** 63n - 1n, 'ns')).toBe('2262-04-11T23:47:16.854775807Z')
  expect(instantText(2n ** 63n - 1n, 's')).toBe('+292277026596-12-04T15:30:07Z')
})

test('the milliseconds of an instant are exact, or NaN', () => {
  const range = 8_640_000_000_000_000n
  fc.assert(
    fc.property(
      fc.constantFrom<TimeUnit>('s', 'ms', 'us', 'ns'),
      fc.oneof(
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
        fc.bigInt(-(10n ** 4n), 10n ** 4n),
        fc.bigInt(-range, range).map(ms => BigInt.asIntN(64, ms * 1000n)),
        fc.bigInt(-(9n * 10n ** 12n), 9n * 10n ** 12n).map(ms => ms * 1_000_000n),
      ),
      (unit, count) => {
        const nanoseconds = count * { s: 10n ** 9n, ms: 10n ** 6n, us: 1000n, ns: 1n }[unit]
        const ms = nanoseconds / 1_000_000n
        const isExact = nanoseconds % 1_000_000n === 0n && ms >= -range && ms <= range
        const data = BigInt64Array.of(count)
        expect(epochMs(data, wordsOf(data), 0, unit)).toBe(isExact ? Number(ms) : Number.NaN)
      },
    ),
    { numRuns: 500 },
  )
})
