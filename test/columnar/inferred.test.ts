// Facts about what TypeScript knows of input without a schema, held against what inference finds.

import { expect, expectTypeOf, test } from 'vitest'
import type { ArrayOf } from '../../src/columnar/column.js'
import { dictionary } from '../../src/columnar/dictionary-input.js'
import { inferColumns, inferRows } from '../../src/columnar/infer.js'
import type { SchemaOfColumns, SchemaOfRows } from '../../src/columnar/inferred.js'
import type { RecordBatch } from '../../src/columnar/record-batch.js'
import type { Table } from '../../src/columnar/table.js'
import {
  type Bool,
  bool,
  type DataType,
  type Float64,
  float64,
  type Int32,
  type Int64,
  int32,
  int64,
  type Nullable,
  nullable,
  type Timestamp,
  timestamp,
  type Uint8,
  type Utf8,
  uint8,
  utf8,
} from '../../src/columnar/type.js'

test('columns are typed as they are inferred', () => {
  const data = {
    a: Int32Array.of(1),
    b: new Uint8ClampedArray(1),
    c: BigUint64Array.of(1n),
    d: [1],
    e: [null],
    f: [true, null].slice(1, 2).concat([true]),
    g: dictionary(Uint8Array.of(0), ['x']),
    h: dictionary([0], ['x'], { validity: [true] }),
    i: dictionary([0], ['x']),
  }
  const same = { a: data.a, b: data.b, c: data.c, d: data.d, e: data.e, g: data.g, h: data.h, i: data.i }
  expect(inferColumns(same)).toEqual({
    a: int32(),
    b: uint8(),
    c: int64(),
    d: float64(),
    e: nullable(float64()),
    g: utf8(),
    h: nullable(utf8()),
    i: utf8(),
  })
  expectTypeOf<SchemaOfColumns<typeof data>>().toEqualTypeOf<{
    readonly a: Int32
    readonly b: Uint8
    readonly c: Int64
    readonly d: Float64
    readonly e: Nullable<Float64>
    readonly f: Nullable<Bool>
    readonly g: Utf8
    readonly h: Nullable<Utf8>
    readonly i: Utf8
  }>()
})

test('rows are typed as they are inferred', () => {
  interface Row {
    a: number
    b: string | null
    c?: bigint
    d: Date
  }
  const rows: Row[] = [
    { a: 1, b: null, d: new Date(0) },
    { a: 1, b: 'x', c: 1n, d: new Date(0) },
  ]
  expect(inferRows(rows)).toEqual({ a: float64(), b: nullable(utf8()), c: nullable(int64()), d: timestamp('ms') })
  expectTypeOf<SchemaOfRows<Row>>().toEqualTypeOf<{
    readonly a: Float64
    readonly b: Nullable<Utf8>
    readonly c: Nullable<Int64>
    readonly d: Timestamp
  }>()
  expectTypeOf<SchemaOfRows<{ a: string | number; b: unknown }>>().toEqualTypeOf<{
    readonly a: DataType
    readonly b: DataType
  }>()
})

test('arrays are typed by kind and nullability', () => {
  expect(bool().nullable).toBe(false)
  expectTypeOf<ArrayOf<Float64>>().toEqualTypeOf<Float64Array>()
  expectTypeOf<ArrayOf<Int64>>().toEqualTypeOf<Float64Array>()
  expectTypeOf<ArrayOf<Nullable<Int32>>>().toEqualTypeOf<Int32Array | (number | null)[]>()
  expectTypeOf<ArrayOf<Utf8>>().toEqualTypeOf<string[]>()
  expectTypeOf<ArrayOf<Nullable<Timestamp>>>().toEqualTypeOf<Date[] | (Date | null)[]>()
})

test('a batch of a known schema is a batch, and a table knows its rows', () => {
  type Known = { readonly a: Int32; readonly b: Nullable<Utf8> }
  expectTypeOf<RecordBatch<Known>>().toExtend<RecordBatch>()
  expectTypeOf<ReturnType<Table<Known>['toRows']>>().toExtend<{ a: number; b: string | null }[]>()
  expect(utf8().kind).toBe('utf8')
})
