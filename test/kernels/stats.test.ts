// Ranges of columns, against Math.min and Math.max over bigint.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bool,
  type DataType,
  date,
  float64,
  int8,
  int16,
  int32,
  int64,
  nullable,
  timestamp,
  uint8,
  uint16,
  uint32,
} from '../../src/columnar/type.js'
import { rangeOf } from '../../src/kernels/stats.js'
import { anyInt32, anyInt64, column, laneVector, makeKernels } from './support.js'

const k = await makeKernels()

const TYPES: readonly [DataType, fc.Arbitrary<number | bigint>][] = [
  [int8(), fc.integer({ min: -128, max: 127 })],
  [uint8(), fc.integer({ min: 0, max: 255 })],
  [int16(), fc.integer({ min: -32_768, max: 32_767 })],
  [uint16(), fc.integer({ min: 0, max: 65_535 })],
  [int32(), anyInt32],
  [uint32(), anyInt32.map(value => value >>> 0)],
  [date(), anyInt32],
  [int64(), anyInt64],
  [timestamp('ns'), anyInt64],
]

test.each(TYPES.map(([type, value]) => [type.kind, type, value] as const))(
  'the range of %s is that of its non-null values',
  (_, type, value) => {
    fc.assert(
      fc.property(
        fc.boolean().chain(nulls => column(value, { nulls })),
        values => {
          const present = values
            .flatMap(x => (x === null ? [] : [BigInt(x)]))
            .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
          const mark = k.memory.mark()
          expect(rangeOf(k, laneVector(k, nullable(type), values))).toEqual(
            present.length === 0 ? null : { min: present[0], max: present[present.length - 1] },
          )
          expect(k.memory.mark()).toBeGreaterThanOrEqual(mark)
          k.memory.reset(mark)
        },
      ),
      { numRuns: 150 },
    )
  },
)

test('the least and the greatest are found at every place of a morsel', () => {
  for (const at of [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 999]) {
    const values = new Array<number>(1000).fill(5)
    values[at] = -9
    values[999 - at] = 77
    for (const type of [int8(), int16(), int32(), int64()]) {
      expect(rangeOf(k, laneVector(k, type, values))).toEqual({ min: -9n, max: 77n })
    }
  }
})

test('an only value beside nulls is both ends', () => {
  const values = new Array<number | null>(200).fill(null)
  values[170] = -3
  expect(rangeOf(k, laneVector(k, nullable(int32()), values))).toEqual({ min: -3n, max: -3n })
})

test('floats and booleans have none', () => {
  expect(rangeOf(k, laneVector(k, float64(), [1]))).toBeNull()
  expect(rangeOf(k, laneVector(k, bool(), [true]))).toBeNull()
})
