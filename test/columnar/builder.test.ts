// Facts about values going into vectors and coming back, for every type.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../src/columnar/builder.js'
import { concatVectors } from '../../src/columnar/concat.js'
import {
  bool,
  type DataType,
  date,
  float32,
  float64,
  int8,
  int32,
  int64,
  nullable,
  timestamp,
  uint32,
  utf8,
} from '../../src/columnar/type.js'
import { readerOf } from '../../src/columnar/values.js'
import { checkVector, sliceVector, type Vector } from '../../src/columnar/vector.js'
import { cuts, errorOf, sample, vectorOf } from './arbitraries.js'

const read = (vector: Vector): unknown[] => {
  const at = readerOf(vector, { column: 'x', firstRow: 0 }, true)
  return Array.from({ length: vector.length }, (_, i) => at(i))
}
const wellFormed = (values: readonly unknown[]): unknown[] =>
  values.map(value =>
    Array.isArray(value)
      ? wellFormed(value)
      : typeof value === 'string'
        ? value.replace(/\p{Surrogate}/gu, '\ufffd')
        : value,
  )

describe('every type', () => {
  test('gives back the very values that were appended', () => {
    fc.assert(
      fc.property(sample(), ({ type, values }) => {
        const vector = vectorOf(type, values)
        checkVector(vector, 'x', type, values.length)
        expect(vector.nullCount).toBe(values.filter(value => value === null).length)
        expect(read(vector)).toEqual(wellFormed(values))
      }),
      { numRuns: 400 },
    )
  })

  test('does so value by value while the buffers grow, and again after every finish', () => {
    fc.assert(
      fc.property(
        sample().chain(one => fc.tuple(fc.constant(one), cuts(one.values.length))),
        fc.integer({ min: 1, max: 20 }),
        ([{ type, values }, ends], capacity) => {
          const builder = createBuilder(type, 'x', { capacity })
          for (let c = 1; c < ends.length; c++) {
            const run = values.slice(ends[c - 1], ends[c])
            run.forEach((value, i) => {
              builder.append(value, i)
            })
            expect(builder.length).toBe(run.length)
            expect(read(builder.finish())).toEqual(wellFormed(run))
          }
        },
      ),
    )
  })

  test('can be sliced anywhere, and joined again', () => {
    fc.assert(
      fc.property(
        sample().chain(one => fc.tuple(fc.constant(one), cuts(one.values.length))),
        fc.boolean(),
        ([{ type, values }, ends], isShared) => {
          const whole = vectorOf(type, values)
          const pieces = ends
            .slice(1)
            .map((end, c) => (isShared ? sliceVector(whole, ends[c], end) : vectorOf(type, values.slice(ends[c], end))))
          pieces.forEach((piece, c) => {
            checkVector(piece, 'x', type, ends[c + 1] - ends[c])
            expect(read(piece)).toEqual(wellFormed(values.slice(ends[c], ends[c + 1])))
          })
          const joined = concatVectors(pieces)
          checkVector(joined, 'x', type, values.length)
          expect(read(joined)).toEqual(wellFormed(values))
        },
      ),
    )
  })
})

test('undefined is null', () => {
  expect(read(vectorOf(nullable(int32()), [1, undefined, null]))).toEqual([1, null, null])
})

test('plain strings, with offsets, are read and joined too', () => {
  const bytes = new TextEncoder().encode('__ATLORD')
  const vector: Vector = {
    type: nullable(utf8()),
    length: 3,
    nullCount: 1,
    validity: Uint8Array.of(0b101),
    data: bytes,
    dictionary: null,
    offsets: Int32Array.of(2, 5, 5, 8),
  }
  checkVector(vector, 'x', vector.type, 3)
  expect(read(vector)).toEqual(['ATL', null, 'ORD'])
  expect(read(sliceVector(vector, 1, 3))).toEqual([null, 'ORD'])
  expect(read(concatVectors([vector, vectorOf(utf8(), ['ORD', 'é'])]))).toEqual(['ATL', null, 'ORD', 'ORD', 'é'])
})

test('a column of nulls alone has codes that are in range of its dictionary', () => {
  const vector = vectorOf(nullable(utf8()), [null, null])
  expect(vector.dictionary?.length).toBe(1)
  expect(vector.data).toEqual(Int32Array.of(0, 0))
})

test('an empty vector has no rows, no nulls and no bitmap', () => {
  expect(vectorOf(nullable(float64()), [])).toMatchObject({ length: 0, nullCount: 0, validity: null })
})

describe('values that do not fit', () => {
  const invalid = new Date(Number.NaN)
  const cases: readonly (readonly [DataType, unknown, string])[] = [
    [int32(), null, 'MR_TYPE_MISMATCH'],
    [int32(), undefined, 'MR_TYPE_MISMATCH'],
    [int32(), '1', 'MR_TYPE_MISMATCH'],
    [int32(), true, 'MR_TYPE_MISMATCH'],
    [int32(), 1.5, 'MR_INEXACT_VALUE'],
    [int32(), Number.NaN, 'MR_INEXACT_VALUE'],
    [int32(), 2 ** 31, 'MR_INTEGER_OVERFLOW'],
    [int32(), Infinity, 'MR_INTEGER_OVERFLOW'],
    [int32(), -(2n ** 31n) - 1n, 'MR_INTEGER_OVERFLOW'],
    [int8(), 128, 'MR_INTEGER_OVERFLOW'],
    [uint32(), -1, 'MR_INTEGER_OVERFLOW'],
    [int64(), 2n ** 63n, 'MR_INTEGER_OVERFLOW'],
    [int64(), -(2n ** 63n) - 1n, 'MR_INTEGER_OVERFLOW'],
    [int64(), 2 ** 63, 'MR_INTEGER_OVERFLOW'],
    [int64(), 2 ** 53, 'MR_UNSAFE_INTEGER'],
    [int64(), 0.5, 'MR_INEXACT_VALUE'],
    [int64(), new Date(0), 'MR_TYPE_MISMATCH'],
    [float64(), 2n ** 53n + 1n, 'MR_INEXACT_VALUE'],
    [float64(), 10n ** 400n, 'MR_INEXACT_VALUE'],
    [float64(), '1', 'MR_TYPE_MISMATCH'],
    [float32(), 0.1, 'MR_INEXACT_VALUE'],
    [float32(), 1e300, 'MR_INEXACT_VALUE'],
    [bool(), 1, 'MR_TYPE_MISMATCH'],
    [utf8(), 1, 'MR_TYPE_MISMATCH'],
    [utf8(), Symbol('s'), 'MR_TYPE_MISMATCH'],
    [utf8(), {}, 'MR_TYPE_MISMATCH'],
    [utf8(), Object.create(null), 'MR_TYPE_MISMATCH'],
    [timestamp('ms'), invalid, 'MR_TYPE_MISMATCH'],
    [timestamp('ms'), '2024-01-01', 'MR_TYPE_MISMATCH'],
    [timestamp('s'), new Date(1), 'MR_INEXACT_VALUE'],
    [timestamp('ns'), new Date(8.64e15), 'MR_INTEGER_OVERFLOW'],
    [timestamp('ms'), 1.5, 'MR_INEXACT_VALUE'],
    [date(), '2023-02-29', 'MR_TYPE_MISMATCH'],
    [date(), invalid, 'MR_TYPE_MISMATCH'],
    [date(), new Date(1), 'MR_INEXACT_VALUE'],
    [date(), 2 ** 31, 'MR_INTEGER_OVERFLOW'],
    [date(), '+5881580-07-12', 'MR_INTEGER_OVERFLOW'],
    [date(), true, 'MR_TYPE_MISMATCH'],
  ]
  test.each(cases)('%o refuses %o', (type, value, code) => {
    const builder = createBuilder(type, 'delay', { operator: 'columns' })
    const error = errorOf(() => builder.append(value, 7))
    expect(error).toMatchObject({ code, column: 'delay', row: 7 })
    expect(error.message).toMatch(/^MR_\w+: columns: column "delay", row 7: /)
    expect(builder.length).toBe(0)
  })

  test('leave the values before and after them unharmed', () => {
    const builder = createBuilder(nullable(bool()), 'x')
    builder.append(true, 0)
    expect(() => builder.append('no', 1)).toThrow('MR_TYPE_MISMATCH')
    builder.append(null, 1)
    builder.append(false, 2)
    expect(read(builder.finish())).toEqual([true, null, false])
  })
})

test('dates, instants and integers are taken in every exact form', () => {
  expect(read(vectorOf(date(), ['2024-02-29', new Date('2024-02-29'), 19_782]))).toEqual(Array(3).fill('2024-02-29'))
  expect(read(vectorOf(timestamp('us'), [new Date(5), 5000n, 5000]))).toEqual([5000n, 5000n, 5000n])
  expect(read(vectorOf(timestamp('s'), [new Date(-5000)]))).toEqual([-5n])
  expect(read(vectorOf(timestamp('ns'), [new Date(8e12)]))).toEqual([8n * 10n ** 18n])
  expect(read(vectorOf(int32(), [3n, -0, 4]))).toEqual([3, 0, 4])
  expect(read(vectorOf(int64(), [3, -4n]))).toEqual([3n, -4n])
  expect(read(vectorOf(float64(), [2n ** 60n]))).toEqual([2 ** 60])
})
