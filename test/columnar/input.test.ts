// Facts about columns() and rows() input: inference, conversion to a schema, views, and errors with row and column.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dictionary } from '../../src/columnar/dictionary-input.js'
import { type ColumnInput, type ColumnsInput, inferColumns, inferRows } from '../../src/columnar/infer.js'
import { batchesFromColumns, batchesFromRows, openColumns, openRows } from '../../src/columnar/input.js'
import { MORSEL_ROWS } from '../../src/columnar/record-batch.js'
import { schema, schemaOf } from '../../src/columnar/schema.js'
import { Table } from '../../src/columnar/table.js'
import {
  bool,
  date,
  float32,
  float64,
  int32,
  int64,
  list,
  nullable,
  struct,
  timestamp,
  typeName,
  utf8,
} from '../../src/columnar/type.js'
import { expectSame } from '../arrays.js'
import { cuts, errorOf, samples } from './arbitraries.js'

const typesOf = (shape: object): Record<string, string> =>
  Object.fromEntries(Object.entries(shape).map(([name, type]) => [name, typeName(type)]))

const infer = (input: unknown): string => typeName(inferColumns({ a: input as ColumnInput }).a)

describe('inference', () => {
  test('types ordinary arrays by their values', () => {
    expect([[1, 2], [1n], ['x'], [true], [new Date(0)]].map(infer)).toEqual([
      'float64',
      'int64',
      'utf8',
      'bool',
      "timestamp('ms')",
    ])
  })

  test('is nullable where null, undefined or a hole is among them, and NaN is none of these', () => {
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is asked about
    expect([[1, null], [undefined, 'x'], [1n, , 2n], [Number.NaN]].map(infer)).toEqual([
      'nullable(float64)',
      'nullable(utf8)',
      'nullable(int64)',
      'float64',
    ])
  })

  test('makes nullable(float64) of nulls alone, and of nothing', () => {
    expect([[null, undefined], []].map(infer)).toEqual(['nullable(float64)', 'nullable(float64)'])
  })

  test('takes typed arrays and dictionaries as they are', () => {
    const arrays = [
      Int8Array,
      Int16Array,
      Int32Array,
      Uint8Array,
      Uint8ClampedArray,
      Uint16Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
    ]
    expect(arrays.map(make => infer(new make(2)))).toEqual([
      'int8',
      'int16',
      'int32',
      'uint8',
      'uint8',
      'uint16',
      'uint32',
      'float32',
      'float64',
      'int64',
      'int64',
    ])
    expect(infer(dictionary([0], ['a']))).toBe('utf8')
    expect(infer(dictionary([0, null], ['a']))).toBe('nullable(utf8)')
    expect(infer(dictionary([0], ['a'], { validity: [true] }))).toBe('nullable(utf8)')
  })

  test('refuses a mix, and what is no value, with the row', () => {
    const wrong: [unknown[], number][] = [
      [[1, null, 'x'], 2],
      [[1, 1n], 1],
      [[new Date(0), 5], 1],
      [['x', new Date(0)], 1],
      [[null, {}], 1],
      [[[1], [2, 'x']], 1],
      [[[1], 1], 1],
      [[1, [1]], 1],
      [[[1], [[1]]], 1],
      [[[Symbol('s')]], 0],
      [[Float64Array.of(1)], 0],
      [[1, Symbol('s')], 1],
      [[() => 1], 0],
    ]
    for (const [values, row] of wrong) {
      expect(errorOf(() => infer(values))).toMatchObject({ code: 'MR_TYPE_MISMATCH', column: 'a', row })
    }
    for (const input of [5, 'text', null, {}, new Set([1]), new DataView(new ArrayBuffer(8))]) {
      expect(errorOf(() => infer(input))).toMatchObject({ code: 'MR_TYPE_MISMATCH', column: 'a' })
    }
  })

  test('reports the least row of several columns that fail', () => {
    expect(errorOf(() => inferColumns({ a: [1, 2, 3, 'x' as never], b: [1, 'x' as never, 3, 4] }))).toMatchObject({
      column: 'b',
      row: 1,
    })
    expect(errorOf(() => inferRows([{ a: 1 }, { a: 1n }, null as never]))).toMatchObject({ column: 'a', row: 1 })
    expect(errorOf(() => inferRows([{ a: 1 }, 7 as never, { a: 1n }]))).toMatchObject({
      code: 'MR_TYPE_MISMATCH',
      row: 1,
    })
  })

  test('takes the names of all rows in order of first appearance', () => {
    const shape = inferRows([
      { a: 1, b: 'x' },
      { a: 2, c: true },
      { a: null, b: 'y' },
    ])
    expect(typesOf(shape)).toEqual({ a: 'nullable(float64)', b: 'nullable(utf8)', c: 'nullable(bool)' })
    expect(Object.keys(shape)).toEqual(['a', 'b', 'c'])
    expect(inferRows([])).toEqual({})
  })
})

const plain = (values: readonly unknown[]): unknown[] =>
  values.map(value => (typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value))

test('declared columns and rows come back as they went in, in any chunks', () => {
  const all = samples().chain(({ samples: columns, length }) =>
    fc.tuple(fc.constant(columns), fc.constant(length), cuts(length)),
  )
  fc.assert(
    fc.property(all, ([columns, length, ends]) => {
      const shape = schemaOf(columns.map(({ type }, c) => ({ name: `c${c}`, type })))
      const data = Object.fromEntries(columns.map(({ values }, c) => [`c${c}`, values])) as ColumnsInput
      const rows = Array.from({ length }, (_, i) =>
        Object.fromEntries(columns.map(({ values }, c) => [`c${c}`, plain(values)[i]])),
      )
      const inputs = [openRows(rows, shape), ...(columns.length === 0 ? [] : [openColumns(data, shape)])]
      for (const input of inputs) {
        const batches = ends.slice(1).map((end, b) => input.read(ends[b], end))
        expect(new Table(shape, batches).toRows({ bigint: true })).toEqual(rows)
      }
    }),
  )
})

test('columns are cut into chunks of at most 65,536 rows, views of typed arrays', () => {
  const x = Float64Array.from({ length: MORSEL_ROWS * 2 + 3 }, (_, i) => i)
  const d = dictionary(new Int32Array(x.length), ['a'])
  const batches = batchesFromColumns({ x, t: new BigInt64Array(x.length), d })
  expect(batches.map(batch => batch.rowCount)).toEqual([MORSEL_ROWS, MORSEL_ROWS, 3])
  for (const batch of batches) expect(batch.vectors[0].data.buffer).toBe(x.buffer)
  expect(batches[1].vectors[2].data.buffer).toBe((d.codes as Int32Array).buffer)
  expect(batches[2].column('x').toArray()).toEqual(x.slice(-3))
  const table = new Table(batches[0].schema, batches)
  expectSame(table.column('x').toArray(), x)
  expect(table.column('d').at(-1)).toBe('a')
})

test('inputs are read when asked to, and never changed or detached', () => {
  const x = [1, 2]
  const input = openColumns({ x })
  x[1] = 7
  expect(input.read(0, 2).column('x').toArray()).toEqual(Float64Array.of(1, 7))
  expect(x).toEqual([1, 7])
})

test('a part of the columns can be read, in any order', () => {
  const data = { a: [1, 2], b: ['x', 'y'], c: [true, false] }
  const rows = [
    { a: 1, b: 'x', c: true },
    { a: 2, b: 'y', c: false },
  ]
  for (const input of [openColumns(data), openRows(rows)]) {
    expect(input.read(1, 2, ['c', 'a']).toRows()).toEqual([{ c: false, a: 2 }])
    expect(input.read(0, 1, []).rowCount).toBe(1)
    expect(errorOf(() => input.read(0, 1, ['B'])).code).toBe('MR_UNKNOWN_COLUMN')
  }
})

test('empty input is one batch without rows, which carries the schema', () => {
  expect(batchesFromColumns({ a: [], b: new Int32Array(0) })).toMatchObject([
    { rowCount: 0, schema: { a: nullable(float64()), b: int32() } },
  ])
  expect(batchesFromRows([])).toMatchObject([{ rowCount: 0, schema: {} }])
  expect(batchesFromColumns({})).toMatchObject([{ rowCount: 0, schema: {} }])
  expect(batchesFromRows([{}, {}])).toMatchObject([{ rowCount: 2, schema: {} }])
  expect(batchesFromColumns({}, schema({}))[0].rowCount).toBe(0)
})

test('ragged columns are refused, naming both', () => {
  const error = errorOf(() => openColumns({ a: [1, 2], b: [1, 2], c: new Int8Array(3) }))
  expect(error).toMatchObject({ code: 'MR_COLUMN_LENGTH', column: 'c' })
  expect(error.message).toContain('column "c" has 3 rows where column "a" has 2')
})

test('an array that was transferred is refused: what it had is not to be taken for nothing', () => {
  const x = Float64Array.of(1, 2)
  structuredClone(x, { transfer: [x.buffer] })
  expect(errorOf(() => openColumns({ x }))).toMatchObject({ code: 'MR_SOURCE_CONSUMED', column: 'x' })
  expect(errorOf(() => openColumns({ y: [], x }))).toMatchObject({ code: 'MR_SOURCE_CONSUMED' })
})

test('a schema names what is read: others are left aside, a missing one is refused', () => {
  const shape = schema({ price: float64() })
  expect(batchesFromColumns({ price: [1], note: ['x', 'y'] }, shape)[0].toRows()).toEqual([{ price: 1 }])
  expect(errorOf(() => openColumns({ prise: [1] }, shape)).message).toContain('did you mean "prise"?')
  expect(batchesFromRows([{ price: 1, note: 'x' }], shape)[0].toRows()).toEqual([{ price: 1 }])
  expect(errorOf(() => batchesFromRows([{ price: 1 }, { prise: 2 }], shape))).toMatchObject({
    code: 'MR_TYPE_MISMATCH',
    column: 'price',
    row: 1,
  })
})

test('names that objects have by themselves are read only where a row has its own', () => {
  const odd = JSON.parse('[{"__proto__": 1, "constructor": "a", "": true}, {"toString": "t"}]') as object[]
  const [batch] = batchesFromRows(odd)
  expect(typesOf(batch.schema)).toEqual(
    typesOf(
      schemaOf([
        { name: '__proto__', type: nullable(float64()) },
        { name: 'constructor', type: nullable(utf8()) },
        { name: '', type: nullable(bool()) },
        { name: 'toString', type: nullable(utf8()) },
      ]),
    ),
  )
  expect(batch.column('__proto__').toArray()).toEqual([1, null])
  expect(batch.column('constructor').toArray()).toEqual(['a', null])
  expect(batch.column('toString').toArray()).toEqual([null, 't'])
  const data = JSON.parse('{"__proto__": [1, 2], "constructor": ["a", "b"]}') as ColumnsInput
  expect(batchesFromColumns(data)[0].toRows()).toEqual(
    JSON.parse('[{"__proto__":1,"constructor":"a"},{"__proto__":2,"constructor":"b"}]'),
  )
})

test('of several rows that cannot be read the least is reported', () => {
  const shape = schema({ a: int32(), b: int32() })
  expect(errorOf(() => batchesFromColumns({ a: [1, 2, 'x' as never], b: [1, null, 3] }, shape))).toMatchObject({
    column: 'b',
    row: 1,
  })
  expect(errorOf(() => batchesFromRows([{ a: 1, b: 1 }, 'row' as never, { a: 'x', b: 1 }], shape))).toMatchObject({
    row: 1,
  })
  expect(errorOf(() => batchesFromRows([{ a: 1, b: 1 }, { a: 1, b: 1.5 }, null as never], shape))).toMatchObject({
    code: 'MR_INEXACT_VALUE',
    column: 'b',
    row: 1,
  })
})

test('promises are no rows, and what they reject with is heard', async () => {
  const later = async () => {
    throw new Error('nobody hears')
  }
  const shape = schema({ a: nullable(int32()) })
  for (const read of [inferRows, (rows: object[]) => batchesFromRows(rows, shape)]) {
    const error = errorOf(() => read([{ a: 1 }, later(), later()]))
    expect(error).toMatchObject({ code: 'MR_TYPE_MISMATCH', row: 1 })
    expect(error.message).toContain('row 1 is a promise')
  }
  // Where it is not heard it is told by the next turn.
  await new Promise(resolve => setTimeout(resolve, 20))
})

test('a failed read leaves nothing behind for the next', () => {
  const input = openColumns({ a: ['x', 5 as never, 'z'] }, schema({ a: utf8() }))
  expect(errorOf(() => input.read(0, 3))).toMatchObject({ code: 'MR_TYPE_MISMATCH', row: 1 })
  expect(input.read(2, 3).toRows()).toEqual([{ a: 'z' }])
})

test('an invalid Date is refused with its row', () => {
  expect(errorOf(() => batchesFromColumns({ t: [new Date(0), new Date(Number.NaN)] }))).toMatchObject({
    code: 'MR_TYPE_MISMATCH',
    column: 't',
    row: 1,
  })
})

test('arrays and Dates of another realm are arrays and Dates', async () => {
  const vm = await import('node:vm')
  const data = vm.runInNewContext('({ x: Float64Array.of(1), t: [new Date(5)], n: [1] })') as ColumnsInput
  expect(batchesFromColumns(data)[0].toRows()).toEqual([{ x: 1, t: new Date(5), n: 1 }])
})

test('what is no data at all is refused', () => {
  for (const wrong of [null, undefined, 5, [1], new Int32Array(1)]) {
    expect(errorOf(() => openColumns(wrong as unknown as ColumnsInput)).code).toBe('MR_TYPE_MISMATCH')
  }
  for (const wrong of [null, {}, 'rows', new Int32Array(1)]) {
    expect(errorOf(() => openRows(wrong as unknown as object[])).code).toBe('MR_TYPE_MISMATCH')
  }
  expect(errorOf(() => openRows([], schema({ a: list(struct({ b: int32() })) })))).toMatchObject({
    code: 'MR_TYPE_MISMATCH',
    column: 'a',
  })
  expect(errorOf(() => openColumns({ a: [1] }, { a: 'int32' } as never))).toMatchObject({
    code: 'MR_TYPE_MISMATCH',
    column: 'a',
  })
})

test('rows may be objects with getters and a prototype', () => {
  class Reading {
    readonly at = new Date(1)
    get value(): number {
      return 0.5
    }
  }
  const shape = schema({ at: timestamp('ms'), value: float32() })
  expect(batchesFromRows([new Reading()], shape)[0].toRows()).toEqual([{ at: new Date(1), value: 0.5 }])
})

test('int64, date and timestamps are told apart by the schema', () => {
  const shape = schema({ n: int64(), d: date(), t: timestamp('s') })
  const [batch] = batchesFromRows([{ n: 5, d: '2024-02-29', t: new Date(9000) }], shape)
  expect(batch.toRows({ bigint: true })).toEqual([{ n: 5n, d: '2024-02-29', t: 9n }])
})
