/** Hand-computed facts about the naive calendar, and its agreement with `Date` where that reaches. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { civilOfDays, timePart } from './calendar.js'
import { dateText } from './javascript.js'

const timestamp = (unit: 's' | 'ms' | 'us' | 'ns') => ({ kind: 'timestamp', nullable: false, unit }) as const
const date = { kind: 'date', nullable: false } as const

describe('the naive calendar', () => {
  it('knows some days by heart', () => {
    expect(dateText(0n)).toBe('1970-01-01')
    expect(dateText(-1n)).toBe('1969-12-31')
    expect(dateText(11_016n)).toBe('2000-02-29')
    expect(dateText(-719_162n)).toBe('0001-01-01')
    expect(dateText(2_932_896n)).toBe('9999-12-31')
    expect(civilOfDays(-719_529n)).toEqual({ year: -1n, month: 12, day: 31 })
  })

  it('floors what lies before 1970', () => {
    expect(timePart('hour', -1n, timestamp('us'))).toBe(23n)
    expect(timePart('year', -1n, timestamp('us'))).toBe(1969n)
    expect(timePart('hour', -1n, timestamp('s'))).toBe(23n)
  })

  it('counts the days of a week from Monday as 1', () => {
    expect(timePart('dayOfWeek', 0n, date)).toBe(4n)
    expect(timePart('dayOfWeek', 4n, date)).toBe(1n)
    expect(timePart('dayOfWeek', -4n, date)).toBe(7n)
  })

  it('agrees with Date in UTC', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), instant => {
        const value = BigInt(instant.getTime())
        expect(timePart('year', value, timestamp('ms'))).toBe(BigInt(instant.getUTCFullYear()))
        expect(timePart('month', value, timestamp('ms'))).toBe(BigInt(instant.getUTCMonth() + 1))
        expect(timePart('hour', value, timestamp('ms'))).toBe(BigInt(instant.getUTCHours()))
        expect(timePart('dayOfWeek', value, timestamp('ms'))).toBe(BigInt(instant.getUTCDay() || 7))
      }),
    )
  })
})
