// Calendar parts, against the oracle's slow calendar.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { date, int32, nullable, type TimeUnit, timestamp } from '../../src/columnar/type.js'
import { part } from '../../src/kernels/calendar.js'
import { timePart } from '../oracle/calendar.js'
import { anyInt32, anyInt64, column, laneVector, makeKernels, valuesOf } from './support.js'

const k = await makeKernels()
const UNITS: readonly TimeUnit[] = ['s', 'ms', 'us', 'ns']
const PARTS = ['year', 'month', 'dayOfWeek', 'hour'] as const

test.each(PARTS)('%s of timestamps in every unit, before 1970 too', which => {
  // Around midnights and year ends as well as anywhere in int64.
  const edge = fc.tuple(fc.integer({ min: -800_000, max: 3_000_000 }), fc.integer({ min: -2, max: 2 }))
  fc.assert(
    fc.property(fc.constantFrom(...UNITS), column(fc.oneof(anyInt64, edge)), (unit, cells) => {
      const mark = k.memory.mark()
      const perDay = 86_400n * 1000n ** BigInt(UNITS.indexOf(unit))
      const values = cells.map(cell =>
        Array.isArray(cell) ? BigInt.asIntN(64, BigInt(cell[0]) * perDay + BigInt(cell[1])) : cell,
      )
      const { vector, failedRow } = part(k, which, laneVector(k, nullable(timestamp(unit)), values))
      const expected = values.map(value => (value === null ? null : timePart(which, value, timestamp(unit) as never)))
      const fails = (x: bigint | null) => x !== null && BigInt.asIntN(32, x) !== x
      expect(failedRow).toBe(expected.findIndex(fails))
      const got = valuesOf(k, vector)
      expected.forEach((x, i) => {
        if (!fails(x)) expect(got[i]).toBe(x === null ? null : Number(x))
      })
      k.memory.reset(mark)
    }),
    { numRuns: 150 },
  )
})

test.each(PARTS.slice(0, 3))('%s of dates', which => {
  fc.assert(
    fc.property(column(anyInt32), values => {
      const mark = k.memory.mark()
      const { vector, failedRow } = part(k, which, laneVector(k, nullable(date()), values))
      expect(failedRow).toBe(-1)
      expect(valuesOf(k, vector)).toEqual(
        values.map(value => (value === null ? null : Number(timePart(which, BigInt(value), date() as never)))),
      )
      k.memory.reset(mark)
    }),
    { numRuns: 150 },
  )
})

test('every day of four centuries', () => {
  const n = 146_097
  const days = Array.from({ length: n }, (_, i) => i - 719_468)
  const vector = laneVector(k, date(), days)
  const [years, months, weekdays] = PARTS.slice(0, 3).map(which => valuesOf(k, part(k, which, vector).vector))
  for (let i = 0; i < n; i++) {
    const day = new Date(days[i] * 86_400_000)
    if (
      years[i] !== day.getUTCFullYear() ||
      months[i] !== day.getUTCMonth() + 1 ||
      weekdays[i] !== (day.getUTCDay() || 7)
    ) {
      expect([days[i], years[i], months[i], weekdays[i]]).toEqual([
        days[i],
        day.getUTCFullYear(),
        day.getUTCMonth() + 1,
        day.getUTCDay() || 7,
      ])
    }
  }
  expect(years[0]).toBe(0)
})

test('the type is int32, and the small parts tell their range', () => {
  const vector = laneVector(k, timestamp('ms'), [0n])
  expect(part(k, 'hour', vector).vector).toMatchObject({ type: int32(), range: { min: 0n, max: 23n } })
  expect(part(k, 'dayOfWeek', vector).vector.range).toEqual({ min: 1n, max: 7n })
  expect(part(k, 'year', vector).vector.range).toBeNull()
})

test('what has no such part is refused', () => {
  for (const [which, type] of [
    ['hour', date()],
    ['year', int32()],
  ] as const) {
    expect(() => part(k, which, laneVector(k, type, []))).toThrowError(
      expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }),
    )
  }
})
