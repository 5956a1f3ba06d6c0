// Facts about typed arrays as input: every array into every type, exactly or not at all.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchesFromColumns } from '../../src/columnar/input.js'
import { schema } from '../../src/columnar/schema.js'
import {
  bool,
  type DataType,
  date,
  float32,
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
  utf8,
} from '../../src/columnar/type.js'
import type { TypedArray } from '../../src/columnar/typed-input.js'
import { errorOf } from './arbitraries.js'

const convert = (input: TypedArray, type: DataType): unknown[] =>
  batchesFromColumns({ x: input }, schema({ x: type }))[0]
    .toRows({ bigint: true })
    .map(row => (row as { x: unknown }).x)

const arrays: fc.Arbitrary<TypedArray> = fc.oneof(
  fc.int8Array(),
  fc.int16Array(),
  fc.int32Array(),
  fc.uint8Array(),
  fc.uint8ClampedArray(),
  fc.uint16Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
  fc.array(fc.integer({ min: 0, max: 200 })).map(values => Float64Array.from(values)),
  fc.array(fc.bigInt(0n, 200n)).map(values => BigInt64Array.from(values)),
)

const RANGES: readonly (readonly [DataType, number, number])[] = [
  [int8(), -128, 127],
  [int16(), -32768, 32767],
  [int32(), -(2 ** 31), 2 ** 31 - 1],
  [uint8(), 0, 255],
  [uint16(), 0, 65535],
  [uint32(), 0, 2 ** 32 - 1],
]

/** Whether `type` has this very value. */
function holds(type: DataType, value: number | bigint): boolean {
  const number = Number(value)
  if (type.kind === 'float64') return typeof value === 'number' || BigInt(number) === value
  if (type.kind === 'float32')
    return Object.is(Math.fround(number), number) && (typeof value === 'number' || BigInt(number) === value)
  if (!Number.isInteger(number)) return false
  if (type.kind === 'int64') return typeof value === 'bigint' ? value < 2n ** 63n : Number.isSafeInteger(value)
  const [, least, greatest] = RANGES.find(([other]) => other === type) as (typeof RANGES)[number]
  return number >= least && number <= greatest
}

test('every array becomes every number type exactly, or names the first row that cannot', () => {
  fc.assert(
    fc.property(
      arrays,
      fc.constantFrom(...RANGES.map(([type]) => type), int64(), float32(), float64()),
      (input, type) => {
        const values = Array.from(input as ArrayLike<number | bigint>)
        const row = values.findIndex(value => !holds(type, value))
        if (row >= 0) {
          const error = errorOf(() => convert(input, type))
          expect(error).toMatchObject({ column: 'x', row })
          expect(error.code).toMatch(/^MR_(INEXACT_VALUE|INTEGER_OVERFLOW|UNSAFE_INTEGER)$/)
        } else {
          const expected = values.map(value => (type.kind === 'int64' ? BigInt(value) : Number(value)))
          const canonical = type.kind.startsWith('float') ? expected : expected.map(value => (value === 0 ? 0 : value))
          expect(convert(input, type)).toEqual(canonical)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

describe('views', () => {
  const vectorOf = (input: TypedArray, type: DataType) =>
    batchesFromColumns({ x: input }, schema({ x: type }))[0].vectors[0]
  test.each([
    [new Int32Array(3), date()],
    [new BigInt64Array(3), timestamp('ns')],
    [new BigUint64Array(3), int64()],
    [new BigUint64Array(3), timestamp('us')],
    [new Uint8ClampedArray(3), uint8()],
    [new Float64Array(3), nullable(float64())],
    [new Float64Array(9).subarray(2, 5), float64()],
  ] as const)('%o is a %o without copying', (input, type) => {
    expect(vectorOf(input, type).data.buffer).toBe(input.buffer)
    expect(vectorOf(input, type).data.byteOffset).toBe(input.byteOffset)
  })
})

test('a BigUint64Array beyond int64 is refused with its row', () => {
  const input = BigUint64Array.of(1n, 2n ** 63n - 1n, 2n ** 63n)
  expect(errorOf(() => convert(input, int64()))).toMatchObject({ code: 'MR_INTEGER_OVERFLOW', column: 'x', row: 2 })
  expect(convert(input.subarray(0, 2), int64())).toEqual([1n, 2n ** 63n - 1n])
})

test('zeros and ones are a bool, nothing else is', () => {
  expect(convert(Uint8Array.of(1, 0, 1), bool())).toEqual([true, false, true])
  expect(convert(BigInt64Array.of(1n), bool())).toEqual([true])
  expect(errorOf(() => convert(Uint8Array.of(1, 2), bool()))).toMatchObject({
    code: 'MR_TYPE_MISMATCH',
    column: 'x',
    row: 1,
  })
})

test('days and counts of a unit may come in any array that holds them exactly', () => {
  expect(convert(Int16Array.of(-1), date())).toEqual(['1969-12-31'])
  expect(convert(Float64Array.of(19_782), date())).toEqual(['2024-02-29'])
  expect(convert(Float64Array.of(1e12), timestamp('ms'))).toEqual([10n ** 12n])
  expect(errorOf(() => convert(Float64Array.of(0.5), timestamp('ms')))).toMatchObject({
    code: 'MR_INEXACT_VALUE',
    row: 0,
  })
})

test('no typed array is a string column', () => {
  expect(errorOf(() => convert(Uint8Array.of(65), utf8()))).toMatchObject({ code: 'MR_TYPE_MISMATCH', column: 'x' })
})
