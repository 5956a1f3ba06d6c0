// Comparisons and membership, against the order that SEMANTICS says.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bool, type DataType, date, float64, int32, int64, timestamp, utf8 } from '../../src/columnar/type.js'
import { compare, inSet } from '../../src/kernels/compare.js'
import type { LaneVector } from '../../src/kernels/lane-vector.js'
import type { CompareOp } from '../../src/kernels/operand.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { anyDouble, anyInt32, anyInt64, bitsOf, laneVector, makeKernels, ROW_COUNTS } from './support.js'

type Cell = number | bigint | boolean | string

const k = await makeKernels()
const OPS: readonly CompareOp[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte']

function order(a: Cell, b: Cell): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  const [aNaN, bNaN] = [Number.isNaN(a), Number.isNaN(b)]
  if (aNaN || bNaN) return Number(aNaN) - Number(bNaN)
  // JavaScript compares bigint with number by their exact values.
  return a < b ? -1 : a > b ? 1 : 0
}

function holds(op: CompareOp, a: Cell, b: Cell): boolean {
  const sign = order(a, b)
  return { eq: sign === 0, ne: sign !== 0, lt: sign < 0, lte: sign <= 0, gt: sign > 0, gte: sign >= 0 }[op]
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', 'a', 'ab', 'a\0', 'abcdefgh', 'abcdefghi', 'é', '\u{10ffff}', '\uffff'),
)

const dictionaries = [new LaneDictionary(k), new LaneDictionary(k)]

function vectorOf(type: DataType, values: readonly Cell[], dictionary = dictionaries[0]): LaneVector {
  if (type.kind !== 'utf8') return laneVector(k, type, values as (number | bigint | boolean)[])
  return { ...laneVector(k, type, Array.from(dictionary.internStrings(values as string[]))), dictionary }
}

function check(
  leftType: DataType,
  left: fc.Arbitrary<Cell>,
  rightType: DataType,
  right: fc.Arbitrary<Cell>,
  rightDictionary = dictionaries[0],
): void {
  const input = fc.constantFrom(...ROW_COUNTS.filter(n => n < 200)).chain(n =>
    fc.record({
      a: fc.array(left, { minLength: n, maxLength: n }),
      b: fc.array(right, { minLength: n, maxLength: n }),
      one: right,
      other: left,
      copied: fc.boolean(),
    }),
  )
  fc.assert(
    fc.property(input, fc.constantFrom(...OPS), ({ a, b, one, other, copied }, op) => {
      const mark = k.memory.mark()
      const n = a.length
      // Where both sides are alike, half the rows are equal.
      const other2 = copied && leftType === rightType ? b.map((value, i) => (i % 2 === 0 ? a[i] : value)) : b
      const [x, y] = [vectorOf(leftType, a), vectorOf(rightType, other2, rightDictionary)]
      expect(bitsOf(k, compare(k, op, x, y, n), n)).toEqual(a.map((value, i) => holds(op, value, other2[i])))
      const rightScalar = { type: rightType, value: one }
      expect(bitsOf(k, compare(k, op, x, rightScalar, n), n)).toEqual(a.map(value => holds(op, value, one)))
      const leftScalar = { type: leftType, value: other }
      expect(bitsOf(k, compare(k, op, leftScalar, y, n), n)).toEqual(other2.map(value => holds(op, other, value)))
      k.memory.reset(mark)
    }),
    { numRuns: 80 },
  )
}

describe('all six comparisons, of columns and of a column with a constant on either side', () => {
  test('int32 and date', () => {
    check(int32(), anyInt32, int32(), anyInt32)
    check(date(), anyInt32, date(), anyInt32)
  })
  test('int64 and timestamp', () => {
    check(int64(), anyInt64, int64(), anyInt64)
    check(timestamp('us'), anyInt64, timestamp('us'), anyInt64)
  })
  test('float64: NaN equals itself and is greatest, -0 equals 0', () =>
    check(float64(), anyDouble, float64(), anyDouble))
  test('int64 with float64, exactly', () => {
    const near = anyInt64.chain(x => fc.constantFrom(Number(x), Number(x) + 0.5, Number(x) - 0.5))
    check(int64(), anyInt64, float64(), fc.oneof(anyDouble, near))
    check(float64(), fc.oneof(anyDouble, near), int64(), anyInt64)
  })
  test('bool: false before true', () => check(bool(), fc.boolean(), bool(), fc.boolean()))
  test('utf8 of one dictionary, by unsigned bytes', () => check(utf8(), anyText, utf8(), anyText))
  test('utf8 of two dictionaries', () => check(utf8(), anyText, utf8(), anyText, dictionaries[1]))
})

test('int64 beside doubles that would round to it', () => {
  const pairs: [bigint, number, number][] = [
    [2n ** 53n + 1n, 2 ** 53, 1],
    [2n ** 63n - 1n, 2 ** 63, -1],
    [-(2n ** 63n), -(2 ** 63), 0],
    [-(2n ** 63n), -Infinity, 1],
    [0n, -0, 0],
    [0n, 5e-324, -1],
    [-1n, -1.5, 1],
    [2n ** 63n - 1n, NaN, -1],
  ]
  for (const [integer, float, sign] of pairs) {
    const [a, b] = [laneVector(k, int64(), [integer]), laneVector(k, float64(), [float])]
    const got = (['lt', 'eq', 'gt'] as const).map(op => bitsOf(k, compare(k, op, a, b, 1), 1)[0])
    expect([integer, float, got]).toEqual([integer, float, [sign < 0, sign === 0, sign > 0]])
  }
})

test('a whole morsel agrees with a loop', () => {
  const n = 65_536
  const values = Array.from({ length: n }, (_, i) => ((i * 2_654_435_761) % 1000) / 8)
  const bits = compare(k, 'lt', laneVector(k, float64(), values), { type: float64(), value: 60 }, n)
  expect(bitsOf(k, bits, n)).toEqual(values.map(value => value < 60))
})

test('two constants are compared for every row', () => {
  const four = { type: int64(), value: 4n }
  expect(bitsOf(k, compare(k, 'lt', four, { type: int64(), value: 5n }, 3), 3)).toEqual([true, true, true])
  expect(bitsOf(k, compare(k, 'gt', { type: float64(), value: 4.5 }, four, 3), 3)).toEqual([true, true, true])
})

test('a string predicate is kept and extended as the dictionary grows', () => {
  const dictionary = new LaneDictionary(k)
  const predicate = (values: string[]) => {
    const column = vectorOf(utf8(), values, dictionary)
    return bitsOf(k, compare(k, 'gte', column, { type: utf8(), value: 'm' }, values.length), values.length)
  }
  expect(predicate(['a', 'm', 'z'])).toEqual([false, true, true])
  const many = Array.from({ length: 1000 }, (_, i) => `${i % 2 === 0 ? 'b' : 'y'}${i}`)
  expect(predicate(many)).toEqual(many.map((_, i) => i % 2 === 1))
  dictionary.free()
})

test('kinds without a kernel are refused', () => {
  const text = vectorOf(utf8(), ['a'])
  expect(() => compare(k, 'eq', text, laneVector(k, int32(), [1]), 1)).toThrowError(
    expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }),
  )
})

describe('membership', () => {
  function checkIn(type: DataType, value: fc.Arbitrary<Cell>): void {
    const input = fc.tuple(
      fc.array(value, { maxLength: 140 }),
      fc.array(value, { maxLength: 30 }),
      fc.array(fc.nat(), { maxLength: 9 }),
    )
    fc.assert(
      fc.property(input, ([values, others, picks]) => {
        const mark = k.memory.mark()
        const set = [...others, ...picks.flatMap(pick => (values.length === 0 ? [] : [values[pick % values.length]]))]
        const bits = inSet(k, vectorOf(type, values), set)
        expect(bitsOf(k, bits, values.length)).toEqual(values.map(x => set.some(y => order(x, y) === 0)))
        k.memory.reset(mark)
      }),
      { numRuns: 80 },
    )
  }

  test('of int32', () => checkIn(int32(), anyInt32))
  test('of int64', () => checkIn(int64(), anyInt64))
  test('of float64', () => checkIn(float64(), anyDouble))
  test('of bool', () => checkIn(bool(), fc.boolean()))
  test('of utf8', () => checkIn(utf8(), anyText))

  test('of a set with -0, 0 and NaN', () => {
    const values = [0, -0, NaN, 1, 2]
    const bits = inSet(k, laneVector(k, float64(), values), [-0, 5, 6, 7, 8, NaN])
    expect(bitsOf(k, bits, 5)).toEqual([true, true, true, false, false])
  })
})
