// Facts about columns of lists in JavaScript's memory. That random lists come back as they were is builder.test.ts's and column.test.ts's.

import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { createBuilder } from '../../src/columnar/builder.js'
import { type ArrayOf, Column } from '../../src/columnar/column.js'
import { concatVectors } from '../../src/columnar/concat.js'
import { batchesFromColumns, batchesFromRows, openColumns, openRows } from '../../src/columnar/input.js'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { schema } from '../../src/columnar/schema.js'
import {
  bool,
  type DataType,
  float64,
  type Int64,
  int8,
  int32,
  int64,
  type List,
  leafType,
  list,
  type Nullable,
  nullable,
  type RowOf,
  timestamp,
  typeName,
  type Utf8,
  utf8,
} from '../../src/columnar/type.js'
import { itemsOf, makeVector, sliceVector, type Vector } from '../../src/columnar/vector.js'
import { errorOf, listSample, vectorOf } from './arbitraries.js'

const read = (vector: Vector): unknown[] => [...new Column('x', vector.type, [vector])]
const text = (type: DataType, values: readonly unknown[]): string[] =>
  new RecordBatch(schema({ x: type }), [vectorOf(type, values)], values.length)
    .toString()
    .split('\n')
    .slice(3, 3 + values.length)

describe('the layout', () => {
  test('is offsets into one child, and a null row is an empty one', () => {
    const vector = vectorOf(nullable(list(int32())), [[1, 2], null, [], [3]])
    expect(vector).toMatchObject({
      length: 4,
      nullCount: 1,
      offsets: Int32Array.of(0, 2, 2, 2, 3),
      dictionary: null,
      child: { length: 3, data: Int32Array.of(1, 2, 3) },
    })
    expect(vector.data.length).toBe(0)
  })

  test('a slice is a view: offsets from another base, and the very same child', () => {
    const vector = vectorOf(list(utf8()), [['a'], ['b', 'c'], ['d']])
    const slice = sliceVector(vector, 1, 3)
    expect(slice.child).toBe(vector.child)
    expect(slice.offsets?.buffer).toBe(vector.offsets?.buffer)
    expect(read(slice)).toEqual([['b', 'c'], ['d']])
    expect(itemsOf(slice).offsets).toEqual(Int32Array.of(0, 2, 3))
    expect(read(itemsOf(slice).items)).toEqual(['b', 'c', 'd'])
  })

  test('what a null row spans is nobody’s: rows may have items that no one reads', () => {
    const child = vectorOf(int32(), [1, 2, 3, 4])
    const parts = { offsets: Int32Array.of(0, 1, 3, 4), child, validity: Uint8Array.of(0b101) }
    const vector = makeVector(nullable(list(int32())), 3, new Uint8Array(0), parts)
    expect(read(vector)).toEqual([[1], null, [4]])
    expect(read(concatVectors([sliceVector(vector, 1, 3), vector]))).toEqual([null, [4], [1], null, [4]])
  })

  test('leafType is what lists of lists hold in the end', () => {
    expect(leafType(list(nullable(list(timestamp('us')))))).toEqual(timestamp('us'))
    expect(leafType(nullable(utf8()))).toEqual(nullable(utf8()))
  })

  test('a batch refuses lists that do not hang together', () => {
    const good = vectorOf(list(int32()), [[1], [2, 3]])
    const batch = (vector: Vector, type: DataType = list(int32())) => new RecordBatch(schema({ x: type }), [vector], 2)
    expect(batch(good).toRows()).toEqual([{ x: [1] }, { x: [2, 3] }])
    for (const [vector, type, code] of [
      [{ ...good, offsets: null }, list(int32()), 'MR_TYPE_MISMATCH'],
      [{ ...good, child: null }, list(int32()), 'MR_TYPE_MISMATCH'],
      [{ ...good, offsets: Int32Array.of(0, 1) }, list(int32()), 'MR_COLUMN_LENGTH'],
      [{ ...good, offsets: Int32Array.of(0, 1, 4) }, list(int32()), 'MR_COLUMN_LENGTH'],
      [good, list(int64()), 'MR_TYPE_MISMATCH'],
      [good, int32(), 'MR_TYPE_MISMATCH'],
      [vectorOf(list(nullable(int32())), [[1], [null]]), list(int32()), 'MR_TYPE_MISMATCH'],
    ] as const) {
      expect(errorOf(() => batch(vector as Vector, type as DataType))).toMatchObject({ code, column: 'x' })
    }
  })
})

describe('reading', () => {
  test('an int64 beyond 2^53 in a list is refused with the row that the list is in, and read as bigint', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(9), { maxLength: 4 })), fc.nat(20), fc.nat(4), (before, cut, at) => {
        const bad = [...Array.from({ length: at }, () => 1n), 2n ** 53n, 2n]
        const type = list(list(int64()))
        const rows: unknown[] = [...before.map(row => [[], row]), [[1n], bad], [[2n ** 60n]]]
        const cutAt = Math.min(cut, rows.length)
        const chunks = [vectorOf(type, rows.slice(0, cutAt)), vectorOf(type, rows.slice(cutAt))]
        const column = new Column('x', type, chunks)
        for (const way of [() => column.toArray(), () => [...column], () => column.at(before.length)]) {
          expect(errorOf(way)).toMatchObject({ code: 'MR_UNSAFE_INTEGER', column: 'x', row: before.length })
        }
      }),
    )
  })

  test('timestamps are Dates, in their unit under bigint', () => {
    const batch = batchesFromRows([{ t: [new Date(5), null] }], schema({ t: list(nullable(timestamp('us'))) }))[0]
    expect(batch.toRows()).toEqual([{ t: [new Date(5), null] }])
    expect(batch.toRows({ bigint: true })).toEqual([{ t: [5000n, null] }])
  })

  test('every read makes new arrays, so that what a user does to one changes no table', () => {
    const column = new Column<DataType>('x', list(int32()), [vectorOf(list(int32()), [[1, 2]])])
    ;(column.at(0) as number[]).push(9)
    expect(column.at(0)).toEqual([1, 2])
    expect(errorOf(() => column.toBigInt64Array()).code).toBe('MR_TYPE_MISMATCH')
  })

  test('types: rows, arrays and bigint rows of lists', () => {
    const shape = schema({ a: list(nullable(int64())), b: nullable(list(list(utf8()))) })
    type Row = { a: (number | null)[]; b: string[][] | null }
    expectTypeOf<RowOf<typeof shape>>().toEqualTypeOf<Row>()
    expectTypeOf<ArrayOf<List<Utf8>>>().toEqualTypeOf<string[][]>()
    expectTypeOf<ArrayOf<Nullable<List<Int64>>>>().toEqualTypeOf<(number[] | null)[]>()
    const [batch] = batchesFromRows([{ a: [1, null], b: null }], shape)
    const rows = batch.toRows({ bigint: true })
    expectTypeOf(rows).toEqualTypeOf<{ a: (bigint | null)[]; b: string[][] | null }[]>()
    expect(rows).toEqual([{ a: [1n, null], b: null }])
  })
})

describe('as text', () => {
  test('lists are short: their first items, and how many more there are', () => {
    expect(text(nullable(list(nullable(float64()))), [[1, -0, Number.NaN, null], [], null])).toEqual([
      '[1, -0, NaN, null]',
      '[]',
      'null',
    ])
    expect(text(list(int32()), [Array.from({ length: 1000 }, (_, i) => 1000 + i)])).toEqual([
      '[1000, 1001, 1002, 1003, … 996 more]',
    ])
    expect(text(list(list(bool())), [[[true], [], [false]]])).toEqual(['[[true], [], [false]]'])
  })

  test('strings in them are quoted, and null is none', () => {
    expect(text(list(nullable(utf8())), [['a', 'null', null, 'b, "c"\n']])).toEqual(['["a", "null", null, … 1 more]'])
    expect(text(list(utf8()), [['x'.repeat(100), 'y']])[0]).toMatch(/^\["xxx.*… 1 more\]$/)
  })

  test('a list of a million items costs no more than its first', () => {
    const start = performance.now()
    const vector = vectorOf(list(int8()), [new Int8Array(1_000_000)])
    const batch = new RecordBatch(schema({ x: list(int8()) }), [vector], 1)
    const built = performance.now() - start
    expect(batch.toString()).toContain('[0, 0, 0, 0, 0, 0, 0, 0, … 999992 more]')
    expect(performance.now() - start - built).toBeLessThan(Math.max(20, built))
  })
})

describe('input', () => {
  test('takes arrays and typed arrays as lists, by the rules of their items', () => {
    const shape = schema({ a: list(int32()), b: nullable(list(nullable(utf8()))) })
    const rows = [
      { a: Int16Array.of(1, 2), b: ['x', undefined] },
      { a: [3n], b: null },
      { a: [], b: [] },
    ]
    const [batch] = batchesFromRows(rows, shape)
    expect(batch.toRows()).toEqual([
      { a: [1, 2], b: ['x', null] },
      { a: [3], b: null },
      { a: [], b: [] },
    ])
    const [columns] = batchesFromColumns({ a: [[1], Float64Array.of(2, 3)] }, schema({ a: list(int32()) }))
    expect(columns.toRows()).toEqual([{ a: [1] }, { a: [2, 3] }])
  })

  test.each([
    [list(int32()), 5, 'MR_TYPE_MISMATCH', '5 is not an array, as list(int32) needs'],
    [list(int32()), 'text', 'MR_TYPE_MISMATCH', 'is not an array'],
    [list(int32()), new Set([1]), 'MR_TYPE_MISMATCH', 'is not an array'],
    [list(int32()), new DataView(new ArrayBuffer(4)), 'MR_TYPE_MISMATCH', 'is not an array'],
    [list(int32()), null, 'MR_TYPE_MISMATCH', 'null in a column declared list(int32)'],
    [list(int32()), [1, null], 'MR_TYPE_MISMATCH', 'null in a list of items declared int32'],
    [list(int32()), [1, 1.5], 'MR_INEXACT_VALUE', '1.5 cannot be held exactly as int32'],
    [list(list(int8())), [[1], [1, 128]], 'MR_INTEGER_OVERFLOW', '128 is out of range for int8; declare a wider type'],
    [int64(), 2n ** 63n, 'MR_INTEGER_OVERFLOW', 'no integer is wider'],
    [timestamp('ns'), new Date(8.64e15), 'MR_INTEGER_OVERFLOW', 'declare a coarser unit'],
  ] as const)('%o refuses %o', (type, value, code, message) => {
    const error = errorOf(() => openRows([{ x: value }], schema({ x: type })).read(0, 1))
    expect(error).toMatchObject({ code, column: 'x', row: 0 })
    expect(error.message).toContain(message)
  })

  test('a refused row leaves a builder as it was, however deep it failed', () => {
    const bad = Symbol('no value')
    fc.assert(
      fc.property(listSample(20), fc.infiniteStream(fc.nat(6)), ({ type, values }, draws) => {
        const builder = createBuilder(type, 'x')
        const draw = () => draws.next().value as number
        values.forEach((value, row) => {
          if (draw() < 3) expect(() => builder.append(spoilt(value, bad, draw), row)).toThrow('MR_')
          builder.append(value, row)
        })
        expect(builder.length).toBe(values.length)
        const vector = builder.finish()
        expect(new RecordBatch(schema({ x: type }), [vector], values.length).toRows({ bigint: true })).toEqual(
          new RecordBatch(schema({ x: type }), [vectorOf(type, values)], values.length).toRows({ bigint: true }),
        )
        expect(itemsOf(vector).items.length).toBe((vector.child as Vector).length)
      }),
      { numRuns: 200 },
    )
  })

  test('truncate forgets rows, whose bits and items are as new', () => {
    fc.assert(
      fc.property(listSample(30), fc.nat(30), ({ type, values }, at) => {
        const keep = Math.min(at, values.length)
        const builder = createBuilder(type, 'x')
        builder.appendAll(values, 0, values.length)
        builder.truncate(keep)
        builder.appendAll([...values].reverse(), 0, values.length)
        const expected = vectorOf(type, [...values.slice(0, keep), ...[...values].reverse()])
        const vector = builder.finish()
        expect(vector.nullCount).toBe(expected.nullCount)
        const seen = (one: Vector) => new RecordBatch(schema({ x: type }), [one], one.length).toRows({ bigint: true })
        expect(seen(vector)).toEqual(seen(expected))
      }),
    )
  })

  test('types are inferred from arrays, all lists of a column as one', () => {
    const infer = (values: unknown[]) => typeName(openColumns({ a: values as never }).schema.a as DataType)
    expect(infer([[1], [2, 3]])).toBe('list(float64)')
    expect(infer([null, ['a', null], []])).toBe('nullable(list(nullable(utf8)))')
    expect(infer([[], []])).toBe('list(nullable(float64))')
    expect(infer([[[1n]], [[], null]])).toBe('list(nullable(list(int64)))')
    expect(errorOf(() => infer([['a'], ['b', 1]]))).toMatchObject({ code: 'MR_TYPE_MISMATCH', column: 'a', row: 1 })
  })

  test('a typed array alone is no column of lists', () => {
    const open = () => openColumns({ a: Int32Array.of(1) }, schema({ a: list(int32()) })).read(0, 1)
    expect(errorOf(open)).toMatchObject({ code: 'MR_TYPE_MISMATCH', column: 'a' })
  })
})

/** A list with something that no type takes put somewhere in it, at any depth. */
function spoilt(value: unknown, bad: symbol, draw: () => number): unknown {
  if (!Array.isArray(value)) return bad
  const at = draw() % (value.length + 1)
  const spoiltItem = at < value.length && draw() % 2 === 0 ? spoilt(value[at], bad, draw) : bad
  return [...value.slice(0, at), spoiltItem, ...value.slice(at)]
}
