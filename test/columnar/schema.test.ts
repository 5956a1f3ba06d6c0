// Facts about schemas and types.

import { describe, expect, expectTypeOf, test } from 'vitest'
import { fieldsOf, findField, schema, schemaOf } from '../../src/columnar/schema.js'
import {
  bool,
  type DataType,
  date,
  float64,
  int32,
  int64,
  list,
  nullable,
  type RowOf,
  sameType,
  struct,
  timestamp,
  typeName,
  utf8,
} from '../../src/columnar/type.js'
import { errorOf } from './arbitraries.js'

describe('a schema', () => {
  test('is a plain frozen object of names to types', () => {
    const trade = schema({ symbol: utf8(), price: nullable(float64()) })
    expect(trade).toEqual({ symbol: utf8(), price: nullable(float64()) })
    expect(Object.isFrozen(trade)).toBe(true)
    expect(fieldsOf(trade).map(field => field.name)).toEqual(['symbol', 'price'])
  })

  test('takes any string as a name', () => {
    const shape = schemaOf(['__proto__', 'constructor', '', 'n'.repeat(2 ** 20)].map(name => ({ name, type: int32() })))
    expect(Object.keys(shape)).toHaveLength(4)
    expect(findField(shape, '__proto__', 'select')).toBe(0)
    expect(Object.getPrototypeOf(shape)).toBe(Object.prototype)
  })

  test('puts integer-like names first, as objects do', () => {
    const shape = schemaOf(['b', '10', 'a', '9'].map(name => ({ name, type: int32() })))
    expect(fieldsOf(shape).map(field => field.name)).toEqual(['9', '10', 'b', 'a'])
  })

  test('refuses a name twice, and what is no type', () => {
    const twice = () =>
      schemaOf([
        { name: 'a', type: int32() },
        { name: 'a', type: utf8() },
      ])
    expect(errorOf(twice)).toMatchObject({ code: 'MR_DUPLICATE_COLUMN', column: 'a' })
    for (const wrong of [
      int32,
      'int32',
      null,
      undefined,
      5,
      list(5 as never),
      nullable(list({} as never)),
      nullable(5 as never),
      { kind: 'decimal' },
      { kind: 'timestamp' },
      { kind: 'timestamp', unit: 'h' },
      { kind: 'struct' },
      { kind: 'struct', fields: { b: { kind: 'list' } } },
    ]) {
      expect(errorOf(() => schema({ a: wrong as unknown as DataType }))).toMatchObject({
        code: 'MR_TYPE_MISMATCH',
        column: 'a',
      })
    }
  })

  test('is made of an object', () => {
    for (const wrong of [undefined, null, 5, 'a', [], [int32()]])
      expect(errorOf(() => schema(wrong as never))).toMatchObject({ code: 'MR_TYPE_MISMATCH' })
  })

  test('knows its rows in TypeScript', () => {
    const shape = schema({ a: int64(), b: nullable(timestamp()), c: date(), d: bool(), e: nullable(utf8()) })
    expectTypeOf<RowOf<typeof shape>>().toEqualTypeOf<{
      a: number
      b: Date | null
      c: string
      d: boolean
      e: string | null
    }>()
  })
})

describe('a type', () => {
  test('has the name it would be declared by', () => {
    expect(
      [nullable(timestamp('us', 'Europe/Berlin')), timestamp(), list(nullable(int32())), struct({ 'a b': utf8() })].map(
        typeName,
      ),
    ).toEqual([
      "nullable(timestamp('us', 'Europe/Berlin'))",
      "timestamp('ms')",
      'list(nullable(int32))',
      'struct({ "a b": utf8 })',
    ])
  })

  test('is the same as another of equal kind, unit, zone and shape, nullable or not', () => {
    expect(sameType(int32(), nullable(int32()))).toBe(true)
    expect(sameType(timestamp('ms'), timestamp('us'))).toBe(false)
    expect(sameType(list(int32()), list(int64()))).toBe(false)
  })

  test('has one of four units if it is a timestamp', () => {
    expect(errorOf(() => timestamp('minutes' as 's')).code).toBe('MR_INVALID_OPTION')
  })
})
