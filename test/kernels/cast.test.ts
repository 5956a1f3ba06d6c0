// Widening conversions, against Number and BigInt.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DataType,
  date,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  nullable,
  type TimeUnit,
  timestamp,
  uint8,
  uint16,
  uint32,
} from '../../src/columnar/type.js'
import { UNITS_PER_SECOND, unitsPerDay, widen } from '../../src/kernels/cast.js'
import { anyDouble, anyInt32, anyInt64, column, laneVector, makeKernels, valuesOf } from './support.js'

const k = await makeKernels()

const INTEGERS: readonly [DataType, fc.Arbitrary<number | bigint>][] = [
  [int8(), fc.integer({ min: -128, max: 127 })],
  [uint8(), fc.integer({ min: 0, max: 255 })],
  [int16(), fc.integer({ min: -32_768, max: 32_767 })],
  [uint16(), fc.integer({ min: 0, max: 65_535 })],
  [int32(), anyInt32],
  [uint32(), anyInt32.map(value => value >>> 0)],
  [int64(), anyInt64],
]

function checkWiden(
  from: DataType,
  to: DataType,
  value: fc.Arbitrary<number | bigint>,
  convert: (x: number | bigint) => number | bigint,
): void {
  fc.assert(
    fc.property(column(value), values => {
      const mark = k.memory.mark()
      const { vector, failedRow } = widen(k, laneVector(k, nullable(from), values), nullable(to))
      expect(failedRow).toBe(-1)
      expect(vector.type).toEqual(nullable(to))
      expect(valuesOf(k, vector)).toEqual(values.map(x => (x === null ? null : convert(x))))
      k.memory.reset(mark)
    }),
    { numRuns: 60 },
  )
}

describe('integers', () => {
  test.each(INTEGERS.map(([type, value]) => [type.kind, type, value] as const))(
    '%s becomes float64',
    (_, type, value) => {
      checkWiden(type, float64(), value, Number)
    },
  )
  test.each(INTEGERS.slice(0, 6).map(([type, value]) => [type.kind, type, value] as const))(
    '%s becomes int64',
    (_, type, value) => {
      checkWiden(type, int64(), value, BigInt)
    },
  )
  test.each(INTEGERS.slice(0, 4).map(([type, value]) => [type.kind, type, value] as const))(
    '%s becomes int32',
    (_, type, value) => {
      checkWiden(type, int32(), value, Number)
    },
  )
})

test('float32 becomes float64, NaN and signed zeros too', () => {
  checkWiden(float32(), float64(), anyDouble.map(Math.fround), Number)
})

const UNITS: readonly TimeUnit[] = ['s', 'ms', 'us', 'ns']
const INT64_MAX = 2n ** 63n - 1n

function scaled(
  values: readonly (bigint | number | null)[],
  factor: bigint,
): { values: (bigint | null)[]; failedRow: number } {
  const exact = values.map(value => (value === null ? null : BigInt(value) * factor))
  return {
    values: exact,
    failedRow: exact.findIndex(value => value !== null && (value > INT64_MAX || value < -INT64_MAX - 1n)),
  }
}

test('timestamps go to finer units exactly, or name the first row that leaves int64', () => {
  const units = fc.tuple(fc.nat(3), fc.nat(3)).filter(([a, b]) => a < b)
  fc.assert(
    fc.property(units, column(anyInt64), ([from, to], values) => {
      const mark = k.memory.mark()
      const factor = UNITS_PER_SECOND[UNITS[to]] / UNITS_PER_SECOND[UNITS[from]]
      const expected = scaled(values, factor)
      const { vector, failedRow } = widen(
        k,
        laneVector(k, nullable(timestamp(UNITS[from])), values),
        nullable(timestamp(UNITS[to])),
      )
      expect(failedRow).toBe(expected.failedRow)
      if (failedRow < 0) expect(valuesOf(k, vector)).toEqual(expected.values)
      k.memory.reset(mark)
    }),
    { numRuns: 200 },
  )
})

test('the extremes that just fit do not fail', () => {
  for (const factor of [1000n, 1_000_000n, 1_000_000_000n]) {
    const unit = UNITS[[1n, 1000n, 1_000_000n, 1_000_000_000n].indexOf(factor)]
    const most = INT64_MAX / factor
    for (const [value, failedRow] of [
      [most, -1],
      [-most, -1],
      [most + 1n, 0],
      [-most - 1n, 0],
    ] as const) {
      expect(widen(k, laneVector(k, timestamp('s'), [value]), timestamp(unit)).failedRow).toBe(failedRow)
    }
  }
})

test('dates become midnight, or name the first row that leaves int64', () => {
  fc.assert(
    fc.property(fc.constantFrom(...UNITS), column(anyInt32), (unit, values) => {
      const mark = k.memory.mark()
      const expected = scaled(values, unitsPerDay(unit))
      const { vector, failedRow } = widen(k, laneVector(k, nullable(date()), values), nullable(timestamp(unit)))
      expect(failedRow).toBe(expected.failedRow)
      if (failedRow < 0) expect(valuesOf(k, vector)).toEqual(expected.values)
      k.memory.reset(mark)
    }),
    { numRuns: 100 },
  )
})

test('a range that is known stays known where the result counts the same things', () => {
  const vector = { ...laneVector(k, int16(), [3, 9]), range: { min: 3n, max: 9n } }
  expect(widen(k, vector, int64()).vector.range).toEqual({ min: 3n, max: 9n })
  expect(widen(k, vector, float64()).vector.range).toBeNull()
  const days = { ...laneVector(k, date(), [1, 2]), range: { min: 1n, max: 2n } }
  expect(widen(k, days, timestamp('s')).vector.range).toEqual({ min: 86_400n, max: 172_800n })
})

test('the same type costs nothing, and narrowing is refused', () => {
  const vector = laneVector(k, int32(), [1, 2])
  expect(widen(k, vector, nullable(int32())).vector).toEqual({ ...vector, type: nullable(int32()) })
  for (const [from, to] of [
    [int64(), int32()],
    [float64(), int64()],
    [uint32(), int32()],
    [timestamp('ms'), timestamp('s')],
    [timestamp('ms'), date()],
    [float32(), int64()],
  ] as const) {
    expect(() => widen(k, laneVector(k, from, []), to)).toThrowError(
      expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }),
    )
  }
})
