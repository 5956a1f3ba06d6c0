// Facts about record batches: what they assert, rows as objects, slices.

import { describe, expect, test } from 'vitest'
import { Dictionary } from '../../src/columnar/dictionary.js'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { schema, schemaOf } from '../../src/columnar/schema.js'
import { bool, type DataType, float64, int32, int64, nullable, timestamp, utf8 } from '../../src/columnar/type.js'
import type { Vector } from '../../src/columnar/vector.js'
import { errorOf, vectorOf } from './arbitraries.js'

const batchOf = (columns: readonly (readonly [string, DataType, unknown[]])[], weights: Int32Array | null = null) =>
  new RecordBatch(
    schemaOf(columns.map(([name, type]) => ({ name, type }))),
    columns.map(([, type, values]) => vectorOf(type, values)),
    columns[0]?.[2].length ?? 0,
    weights,
  )

describe('rows', () => {
  test('are ordinary objects with own properties in schema order', () => {
    const batch = batchOf([
      ['b', utf8(), ['x', 'y']],
      ['a', nullable(int32()), [1, null]],
    ])
    expect(batch.toRows()).toEqual([
      { b: 'x', a: 1 },
      { b: 'y', a: null },
    ])
    expect(Object.keys(batch.at(0) ?? {})).toEqual(['b', 'a'])
    expect([...batch]).toEqual(batch.toRows())
    expect(batch.at(-1)).toEqual({ b: 'y', a: null })
    expect(batch.at(2)).toBeUndefined()
  })

  test('take any name, and leave the prototype alone', () => {
    const long = 'n'.repeat(2 ** 20)
    const names = ['0', '__proto__', 'constructor', 'toString', 'hasOwnProperty', '', long]
    const batch = batchOf(names.map((name, i) => [name, int32(), [i]]))
    for (const row of [batch.at(0), batch.toRows()[0], ...batch]) {
      const own = row as Record<string, unknown>
      expect(Object.getPrototypeOf(own)).toBe(Object.prototype)
      expect(Object.keys(own).sort()).toEqual([...names].sort())
      for (const [i, name] of names.entries()) expect(Object.getOwnPropertyDescriptor(own, name)?.value).toBe(i)
    }
    expect(Object.getOwnPropertyDescriptor(batch.toColumns(), '__proto__')?.value).toEqual(Int32Array.of(1))
    expect(batch.column('__proto__').toArray()).toEqual(Int32Array.of(1))
    expect({}.constructor).toBe(Object)
  })

  test('have bigints for int64s and timestamps when asked, and then nothing is refused', () => {
    const batch = batchOf([
      ['n', nullable(int64()), [2n ** 60n, null]],
      ['t', timestamp('us'), [1n, -1n]],
      ['f', bool(), [true, false]],
    ])
    expect(batch.toRows({ bigint: true })).toEqual([
      { n: 2n ** 60n, t: 1n, f: true },
      { n: null, t: -1n, f: false },
    ])
    expect(errorOf(() => batch.toRows())).toMatchObject({ code: 'MR_UNSAFE_INTEGER', column: 'n', row: 0 })
    expect(errorOf(() => batch.at(1))).toMatchObject({ code: 'MR_INEXACT_VALUE', column: 't', row: 1 })
  })
})

test('an unknown column is named with the nearest one', () => {
  const batch = batchOf([['price', float64(), [1]]])
  expect(errorOf(() => batch.column('prise')).message).toContain('did you mean "price"?')
  expect(errorOf(() => batch.column('toString')).code).toBe('MR_UNKNOWN_COLUMN')
})

test('toColumns gives every column as its toArray does', () => {
  const batch = batchOf([
    ['a', float64(), [1, 2]],
    ['b', nullable(utf8()), [null, 'x']],
  ])
  expect(batch.toColumns()).toEqual({ a: Float64Array.of(1, 2), b: [null, 'x'] })
})

test('a slice counts as Array.slice does, shares memory, and takes its weights along', () => {
  const values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
  const batch = batchOf(
    [['a', int32(), values]],
    Int32Array.from(values, v => (v % 2 === 0 ? 1 : -1)),
  )
  for (const [from, to] of [
    [2, 5],
    [-3, undefined],
    [0, -8],
    [7, 3],
    [-99, 99],
    [1.5, 3.9],
    [undefined, undefined],
  ] as const) {
    const slice = batch.slice(from, to)
    const expected = values.slice(from, to)
    expect(slice.toColumns()).toEqual({ a: Int32Array.from(expected) })
    expect(slice.rowCount).toBe(expected.length)
    expect([...(slice.weights ?? [])]).toEqual(expected.map(v => (v % 2 === 0 ? 1 : -1)))
  }
  expect(batch.slice(2, 5).vectors[0].data.buffer).toBe(batch.vectors[0].data.buffer)
  expect(batchOf([['a', int32(), values]]).weights).toBeNull()
})

test('a batch may have rows and no columns', () => {
  const batch = new RecordBatch(schema({}), [], 2)
  expect(batch.toRows()).toEqual([{}, {}])
  expect(batch.slice(1).rowCount).toBe(1)
})

describe('the constructor refuses', () => {
  const type = nullable(int32())
  const good: Vector = {
    type,
    length: 2,
    nullCount: 0,
    validity: null,
    data: Int32Array.of(1, 2),
    dictionary: null,
    offsets: null,
  }
  const text: Vector = { ...good, type: utf8(), dictionary: new Dictionary() }
  const wrong: readonly (readonly [string, DataType, Partial<Vector>, string])[] = [
    ['another number of rows', type, { length: 3 }, 'MR_COLUMN_LENGTH'],
    ['another type', float64(), {}, 'MR_TYPE_MISMATCH'],
    ['another array', type, { data: Float64Array.of(1, 2) }, 'MR_TYPE_MISMATCH'],
    ['too little data', type, { data: Int32Array.of(1) }, 'MR_COLUMN_LENGTH'],
    ['nulls without a bitmap', type, { nullCount: 1 }, 'MR_COLUMN_LENGTH'],
    ['a bitmap without nulls', type, { validity: Uint8Array.of(3) }, 'MR_COLUMN_LENGTH'],
    ['a bitmap too short', type, { nullCount: 1, validity: new Uint8Array(0) }, 'MR_COLUMN_LENGTH'],
    ['nulls where none are allowed', int32(), { nullCount: 1, validity: Uint8Array.of(1) }, 'MR_TYPE_MISMATCH'],
    ['numbers with a dictionary', type, { dictionary: new Dictionary() }, 'MR_TYPE_MISMATCH'],
  ]
  test.each(wrong)('%s', (_, declared, change, code) => {
    const make = () => new RecordBatch(schema({ x: declared }), [{ ...good, ...change }], 2)
    expect(errorOf(make)).toMatchObject({ code, column: 'x' })
  })

  test('another unit of time', () => {
    const make = () => new RecordBatch(schema({ x: timestamp('ms') }), [vectorOf(timestamp('us'), [1n])], 1)
    expect(errorOf(make).code).toBe('MR_TYPE_MISMATCH')
  })

  test('strings with neither dictionary nor offsets, with both, or with offsets that do not fit', () => {
    const refused = [
      { dictionary: null },
      { offsets: Int32Array.of(0, 0, 0) },
      { dictionary: null, offsets: Int32Array.of(0, 0), data: new Uint8Array(0) },
      { dictionary: null, offsets: Int32Array.of(0, 1, 2), data: new Uint8Array(1) },
    ]
    for (const change of refused) {
      expect(errorOf(() => new RecordBatch(schema({ x: utf8() }), [{ ...text, ...change }], 2)).message).toMatch(
        /MR_(TYPE_MISMATCH|COLUMN_LENGTH)/,
      )
    }
  })

  test('vectors or weights in another number', () => {
    expect(errorOf(() => new RecordBatch(schema({ x: type }), [], 2)).code).toBe('MR_COLUMN_LENGTH')
    expect(errorOf(() => new RecordBatch(schema({ x: type }), [good], 2, Int32Array.of(1))).code).toBe(
      'MR_COLUMN_LENGTH',
    )
  })
})
