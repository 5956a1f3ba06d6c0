// Facts about reading a column: by index, by iteration, all at once, over one chunk or many.

import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { type ArrayOf, Column } from '../../src/columnar/column.js'
import { dayText } from '../../src/columnar/day.js'
import {
  bool,
  type DataType,
  date,
  type Float64,
  float32,
  float64,
  type Int32,
  type Int64,
  int8,
  int32,
  int64,
  isNumber,
  leafType,
  type Nullable,
  nullable,
  type Timestamp,
  timestamp,
  type Utf8,
  uint16,
  utf8,
} from '../../src/columnar/type.js'
import { cuts, errorOf, sample, vectorOf } from './arbitraries.js'

const column = (type: DataType, ...chunks: unknown[][]): Column =>
  new Column(
    'x',
    type,
    chunks.map(values => vectorOf(type, values)),
  )

/** What a user should see of a value that the builder took, or undefined where it must be refused. */
function seen(type: DataType, value: unknown): unknown {
  if (value === null) return null
  if (typeof value === 'string') return value.replace(/\p{Surrogate}/gu, '\ufffd')
  if (type.kind === 'list') {
    const items = (value as unknown[]).map(item => seen(type.item as DataType, item))
    return items.includes(undefined) ? undefined : items
  }
  if (type.kind === 'int64') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined
  if (type.kind !== 'timestamp') return value
  const nanoseconds = (value as bigint) * { s: 10n ** 9n, ms: 10n ** 6n, us: 1000n, ns: 1n }[type.unit ?? 'ns']
  const ms = Number(nanoseconds / 1_000_000n)
  return nanoseconds % 1_000_000n === 0n && Math.abs(ms) <= 8.64e15 ? new Date(ms) : undefined
}

test('every way to read gives the same values, whatever the chunks', () => {
  fc.assert(
    fc.property(
      sample().chain(one => fc.tuple(fc.constant(one), cuts(one.values.length))),
      ([{ type, values: all }, ends]) => {
        // Rows that must be refused are another property's.
        const pieces = ends
          .slice(1)
          .map((end, c) => all.slice(ends[c], end).filter(value => seen(type, value) !== undefined))
        const values = pieces.flat().map(value => seen(type, value))
        const it = column(type, ...pieces)
        expect(it.length).toBe(values.length)
        expect(it.nullCount).toBe(values.filter(value => value === null).length)
        expect([...it]).toEqual(values)
        expect(Array.from(it.toArray() as ArrayLike<unknown>)).toEqual(values)
        expect(values.map((_, i) => it.at(i))).toEqual(values)
        expect(values.map((_, i) => it.at(i - values.length))).toEqual(values)
        expect([it.at(values.length), it.at(-values.length - 1)]).toEqual([undefined, undefined])
        expect(Array.isArray(it.toArray())).toBe(!(isNumber(type.kind) && it.nullCount === 0))
      },
    ),
    { numRuns: 300 },
  )
})

test('a row that would be rounded is refused by every way to read, naming column, row and the way out', () => {
  fc.assert(
    fc.property(
      sample().filter(({ type, values }) => values.some(value => seen(type, value) === undefined)),
      fc.nat(200),
      ({ type, values }, n) => {
        const cut = Math.min(n, values.length)
        const it = column(type, values.slice(0, cut), values.slice(cut))
        const row = values.findIndex(value => seen(type, value) === undefined)
        const code = leafType(type).kind === 'int64' ? 'MR_UNSAFE_INTEGER' : 'MR_INEXACT_VALUE'
        for (const read of [() => it.toArray(), () => it.at(row), () => [...it]]) {
          const error = errorOf(read)
          expect(error).toMatchObject({ code, column: 'x', row })
          expect(error.message).toContain('toBigInt64Array()')
        }
        if (it.nullCount === 0 && type.kind !== 'list') expect([...it.toBigInt64Array()]).toEqual(values)
      },
    ),
  )
})

describe('toArray', () => {
  test('gives the typed array of the type where there are no nulls, and an int64 as a Float64Array', () => {
    const typed = ([type, values]: [DataType, unknown[]]) => column(type, values).toArray()
    expect(
      (
        [
          [int8(), [1]],
          [uint16(), [1]],
          [int32(), [1]],
          [float32(), [1]],
          [float64(), [1]],
          [int64(), [1n]],
        ] as [DataType, unknown[]][]
      ).map(typed),
    ).toEqual([
      Int8Array.of(1),
      Uint16Array.of(1),
      Int32Array.of(1),
      Float32Array.of(1),
      Float64Array.of(1),
      Float64Array.of(1),
    ])
    expect(column(nullable(int32()), [1, 2]).toArray()).toEqual(Int32Array.of(1, 2))
  })

  test('gives ordinary arrays where there are nulls, and for what is no number', () => {
    expect(column(nullable(int64()), [1n, null]).toArray()).toEqual([1, null])
    expect(column(bool(), [true, false]).toArray()).toEqual([true, false])
    expect(column(nullable(utf8()), ['a', null]).toArray()).toEqual(['a', null])
    expect(column(date(), ['2024-02-29']).toArray()).toEqual(['2024-02-29'])
    expect(column(timestamp('us'), [1000n]).toArray()).toEqual([new Date(1)])
  })

  test('is a view where numbers lie in one chunk, a copy where in several', () => {
    const one = vectorOf(float64(), [1, 2])
    expect((new Column('x', float64(), [one]).toArray() as Float64Array).buffer).toBe(one.data.buffer)
    expect(column(float64(), [1], [2, 3]).toArray()).toEqual(Float64Array.of(1, 2, 3))
  })

  test('keeps -0 and NaN as they are', () => {
    expect(column(float64(), [-0, Number.NaN]).toArray()).toEqual(Float64Array.of(-0, Number.NaN))
  })

  test('gives an empty array of the right kind for no chunks at all', () => {
    expect(new Column('x', float64(), []).toArray()).toEqual(new Float64Array(0))
    expect(new Column('x', int64(), []).toArray()).toEqual(new Float64Array(0))
    expect(new Column('x', utf8(), []).toArray()).toEqual([])
    expect(new Column('x', int64(), []).toBigInt64Array()).toEqual(new BigInt64Array(0))
  })
})

describe('toBigInt64Array', () => {
  test('gives int64s and timestamps exactly, a view where they lie in one chunk', () => {
    const it = column(int64(), [2n ** 63n - 1n, -5n])
    expect(it.toBigInt64Array()).toEqual(BigInt64Array.of(2n ** 63n - 1n, -5n))
    expect(it.toBigInt64Array().buffer).toBe(it.chunks[0].data.buffer)
    expect(column(timestamp('ns'), [1n], [2n]).toBigInt64Array()).toEqual(BigInt64Array.of(1n, 2n))
  })

  test('refuses other types, and nulls', () => {
    expect(errorOf(() => column(int32(), [1]).toBigInt64Array())).toMatchObject({
      code: 'MR_TYPE_MISMATCH',
      column: 'x',
    })
    expect(errorOf(() => column(nullable(int64()), [null]).toBigInt64Array())).toMatchObject({
      code: 'MR_TYPE_MISMATCH',
      column: 'x',
    })
  })
})

test('at() takes what Array.prototype.at takes', () => {
  const values = [1, 2, 3]
  const it = column(float64(), values)
  for (const i of [0, -1, 1.9, -1.9, -0.5, Number.NaN, Infinity, -Infinity, 3, -4]) expect(it.at(i)).toBe(values.at(i))
})

test('more days than a reader keeps are all read right', () => {
  const days = Array.from({ length: 40_000 }, (_, i) => i - 20_000)
  const it = column(date(), [...days, ...days])
  expect(it.toArray()).toEqual([...days, ...days].map(dayText))
})

test('arrays are typed by kind and nullability', () => {
  expectTypeOf<ArrayOf<Float64>>().toEqualTypeOf<Float64Array>()
  expectTypeOf<ArrayOf<Int64>>().toEqualTypeOf<Float64Array>()
  expectTypeOf<ArrayOf<Nullable<Int32>>>().toEqualTypeOf<Int32Array | (number | null)[]>()
  expectTypeOf<ArrayOf<Utf8>>().toEqualTypeOf<string[]>()
  expectTypeOf<ArrayOf<Nullable<Timestamp>>>().toEqualTypeOf<Date[] | (Date | null)[]>()
  const known = new Column('x', nullable(utf8()), [vectorOf(nullable(utf8()), ['a', null])])
  expectTypeOf(known.at(0)).toEqualTypeOf<string | null | undefined>()
  expect(known.at(0)).toBe('a')
})
