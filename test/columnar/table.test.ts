// Facts about tables: a list of chunks reads as one.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { schema, schemaOf } from '../../src/columnar/schema.js'
import { setTableMethods, Table } from '../../src/columnar/table.js'
import { type DataType, float64, int32, int64, nullable, timestamp, utf8 } from '../../src/columnar/type.js'
import { cuts, errorOf, samples, vectorOf } from './arbitraries.js'

/** A table of these columns, each chunk with vectors, and so dictionaries, of its own. */
function tableOf(columns: readonly { type: DataType; values: readonly unknown[] }[], ends: readonly number[]): Table {
  const shape = schemaOf(columns.map(({ type }, c) => ({ name: `c${c}`, type })))
  const batches = ends.slice(1).map((end, b) => {
    const vectors = columns.map(({ type, values }) => vectorOf(type, values.slice(ends[b], end)))
    return new RecordBatch(shape, vectors, end - ends[b])
  })
  return new Table(shape, batches)
}

const tables = samples().chain(({ samples: columns, length }) =>
  fc.tuple(fc.constant(columns), fc.constant(length), cuts(length)),
)

test('rows, columns and slices are the same whatever the chunks', () => {
  fc.assert(
    fc.property(
      tables,
      fc.integer({ min: -70, max: 70 }),
      fc.integer({ min: -70, max: 70 }),
      ([columns, length, ends], from, to) => {
        const whole = tableOf(columns, [0, length])
        const cut = tableOf(columns, ends)
        const rows = whole.toRows({ bigint: true })
        expect(cut.rowCount).toBe(length)
        expect(cut.toRows({ bigint: true })).toEqual(rows)
        expect(cut.slice(from, to).toRows({ bigint: true })).toEqual(rows.slice(from, to))
        expect(cut.toString()).toBe(whole.toString())
        columns.forEach(({ type, values }, c) => {
          expect(cut.column(`c${c}`).nullCount).toBe(values.filter(value => value === null).length)
          expect(cut.column(`c${c}`).type).toBe(type)
        })
      },
    ),
  )
})

test('at(), iteration and toRows give the same rows', () => {
  const table = tableOf(
    [
      { type: utf8(), values: ['a', 'b', 'c', 'd'] },
      { type: nullable(float64()), values: [1, null, 3, -0] },
    ],
    [0, 1, 1, 4],
  )
  const rows = table.toRows()
  expect(rows[3]).toEqual({ c0: 'd', c1: -0 })
  expect([...table]).toEqual(rows)
  expect([0, 1, 2, 3].map(i => table.at(i))).toEqual(rows)
  expect([table.at(-1), table.at(-4), table.at(4), table.at(-5)]).toEqual([rows[3], rows[0], undefined, undefined])
  expect(table.toColumns()).toEqual({ c0: ['a', 'b', 'c', 'd'], c1: [1, null, 3, -0] })
})

test('errors count rows from the start of the table, not of the chunk', () => {
  const table = tableOf([{ type: int64(), values: [1n, 2n, 3n, 2n ** 62n] }], [0, 3, 4])
  for (const read of [() => table.toRows(), () => [...table], () => table.at(3), () => table.column('c0').toArray()]) {
    expect(errorOf(read)).toMatchObject({ code: 'MR_UNSAFE_INTEGER', column: 'c0', row: 3 })
  }
  const late = tableOf([{ type: timestamp('us'), values: [1000n, 1n] }], [0, 1, 2])
  expect(errorOf(() => late.toColumns())).toMatchObject({ code: 'MR_INEXACT_VALUE', row: 1 })
})

test('a slice shares memory and leaves out what it does not touch', () => {
  const table = tableOf([{ type: int32(), values: [0, 1, 2, 3, 4, 5] }], [0, 2, 4, 6])
  const slice = table.slice(2, 5)
  expect(slice.batches.map(batch => batch.rowCount)).toEqual([2, 1])
  expect(slice.batches[0]).toMatchObject({ rowCount: 2 })
  expect(slice.column('c0').chunks[0].data.buffer).toBe(table.column('c0').chunks[1].data.buffer)
})

test('a table may be empty, of batches or of columns', () => {
  const empty = new Table(schema({ a: float64() }), [])
  expect(empty.toRows()).toEqual([])
  expect(empty.at(0)).toBeUndefined()
  expect(empty.toColumns()).toEqual({ a: new Float64Array(0) })
  const narrow = new Table(schema({}), [new RecordBatch(schema({}), [], 3)])
  expect(narrow.rowCount).toBe(3)
  expect(narrow.toRows()).toEqual([{}, {}, {}])
})

test('toRows knows one option, and refuses all others', () => {
  const table = tableOf([{ type: int64(), values: [1n, 2n] }], [0, 1, 2])
  expect(table.toRows({ bigint: true })).toEqual([{ c0: 1n }, { c0: 2n }])
  expect(table.toRows({ bigint: false })).toEqual([{ c0: 1 }, { c0: 2 }])
  for (const reader of [table, table.batches[0] as RecordBatch]) {
    for (const wrong of [{ bigInt: true }, { bigint: 'yes' }, 5, true, 'bigint', null]) {
      const error = errorOf(() => reader.toRows(wrong as never))
      expect(error.code).toBe('MR_INVALID_OPTION')
      expect(error.message).toContain('{ bigint: true }')
    }
    expect(errorOf(() => reader.toRows({ bigInt: true } as never)).message).toContain('there is no option "bigInt"')
  }
})

test('an unknown column is named with the nearest one', () => {
  expect(errorOf(() => tableOf([{ type: int32(), values: [1] }], [0, 1]).column('C0')).message).toContain(
    'did you mean "c0"?',
  )
})

describe('the constructor refuses', () => {
  const shape = schema({ a: int32() })
  const batch = (type: DataType, values: unknown[], name = 'a') =>
    new RecordBatch(schemaOf([{ name, type }]), [vectorOf(type, values)], values.length) as RecordBatch
  test('batches of another schema', () => {
    for (const other of [
      batch(float64(), [1]),
      batch(int32(), [1], 'b'),
      batch(nullable(int32()), [1]),
      new RecordBatch(schema({}), [], 0),
    ]) {
      expect(errorOf(() => new Table(shape, [other as RecordBatch<typeof shape>])).code).toBe('MR_TYPE_MISMATCH')
    }
    const wide = new RecordBatch(
      schema({ a: int32(), b: int32() }),
      [vectorOf(int32(), [1]), vectorOf(int32(), [1])],
      1,
    )
    expect(errorOf(() => new Table(shape, [wide as unknown as RecordBatch<typeof shape>])).code).toBe(
      'MR_TYPE_MISMATCH',
    )
  })

  test('weights, but not a batch without nulls where the table allows them', () => {
    const weighted = new RecordBatch(shape, [vectorOf(int32(), [1])], 1, Int32Array.of(-1))
    expect(errorOf(() => new Table(shape, [weighted])).code).toBe('MR_TYPE_MISMATCH')
    const loose = schema({ a: nullable(int32()) })
    expect(new Table(loose, [batch(int32(), [1]) as unknown as RecordBatch<typeof loose>]).rowCount).toBe(1)
  })
})

test('the api floor can give tables their flow()', () => {
  const before = Object.getOwnPropertyDescriptor(Table.prototype, 'flow')
  try {
    setTableMethods({ flow: table => ['flow over', table.rowCount] })
    const table = tableOf([{ type: int32(), values: [1, 2] }], [0, 2]) as unknown as { flow(): unknown }
    expect(table.flow()).toEqual(['flow over', 2])
    expect(Object.keys(table)).not.toContain('flow')
  } finally {
    if (before !== undefined) Object.defineProperty(Table.prototype, 'flow', before)
    else Reflect.deleteProperty(Table.prototype, 'flow')
  }
})
