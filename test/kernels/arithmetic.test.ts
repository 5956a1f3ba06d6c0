// Arithmetic on columns and constants, against BigInt and against JavaScript's own doubles.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DataType, float64, int32, int64, nullable } from '../../src/columnar/type.js'
import { arithmetic, negate } from '../../src/kernels/arithmetic.js'
import type { ArithmeticOp, Operand } from '../../src/kernels/operand.js'
import { anyDouble, anyInt64, laneVector, makeKernels, ROW_COUNTS, valuesOf } from './support.js'

const k = await makeKernels()

const LEAST = -(2n ** 63n)
const MOST = 2n ** 63n - 1n

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}

function integers(op: ArithmeticOp, a: bigint | null, b: bigint | null): bigint | null {
  if (a === null || b === null || ((op === 'intDiv' || op === 'mod') && b === 0n)) return null
  if (op === 'add') return a + b
  if (op === 'sub') return a - b
  if (op === 'mul') return a * b
  return op === 'intDiv' ? floorDiv(a, b) : a - floorDiv(a, b) * b
}

function floats(op: ArithmeticOp, a: number | null, b: number | null): number | null {
  if (a === null || b === null) return null
  if (op === 'add') return a + b
  if (op === 'sub') return a - b
  if (op === 'mul') return a * b
  if (b === 0) return null
  if (op === 'div') return a / b
  if (op === 'intDiv') return Math.floor(a / b)
  const remainder = a % b
  return remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder
}

/** Two operands of equal length, of which one may be one value for all rows. */
function operands<T>(
  value: fc.Arbitrary<T>,
): fc.Arbitrary<{ a: (T | null)[]; b: (T | null)[]; constant: 'a' | 'b' | 'none' }> {
  const item = fc.oneof({ weight: 5, arbitrary: value }, fc.constant(null))
  return fc.constantFrom(...ROW_COUNTS.filter(n => n < 200)).chain(n =>
    fc
      .record({
        a: fc.array(item, { minLength: n, maxLength: n }),
        b: fc.array(item, { minLength: n, maxLength: n }),
        one: item,
        constant: fc.constantFrom('a' as const, 'b' as const, 'none' as const),
      })
      .map(({ a, b, one, constant }) => ({
        a: constant === 'a' ? a.map(() => one) : a,
        b: constant === 'b' ? b.map(() => one) : b,
        constant,
      })),
  )
}

function operand(type: DataType, values: readonly (number | bigint | null)[], isConstant: boolean): Operand {
  return isConstant && values.length > 0 ? { type, value: values[0] } : laneVector(k, nullable(type), values)
}

test.each(['add', 'sub', 'mul', 'intDiv', 'mod'] as const)(
  'int64 %s is exact, null where it must be, and names the first row that overflows',
  op => {
    fc.assert(
      fc.property(operands(anyInt64), ({ a, b, constant }) => {
        const mark = k.memory.mark()
        const { vector, failedRow } = arithmetic(
          k,
          op,
          operand(int64(), a, constant === 'a'),
          operand(int64(), b, constant === 'b'),
          a.length,
        )
        const exact = a.map((x, i) => integers(op, x, b[i]))
        const fails = (x: bigint | null) => x !== null && (x < LEAST || x > MOST)
        expect(failedRow).toBe(exact.findIndex(fails))
        const got = valuesOf(k, vector)
        exact.forEach((x, i) => {
          // An expectation a value is what takes the time.
          if (!fails(x) && got[i] !== x) expect([i, got[i]]).toEqual([i, x])
        })
        k.memory.reset(mark)
      }),
      { numRuns: 150 },
    )
  },
)

test.each(['add', 'sub', 'mul', 'div', 'intDiv', 'mod'] as const)(
  'float64 %s is what IEEE 754 says, null for a zero divisor',
  op => {
    fc.assert(
      fc.property(operands(anyDouble), ({ a, b, constant }) => {
        const mark = k.memory.mark()
        const { vector, failedRow } = arithmetic(
          k,
          op,
          operand(float64(), a, constant === 'a'),
          operand(float64(), b, constant === 'b'),
          a.length,
        )
        expect(failedRow).toBe(-1)
        expect(valuesOf(k, vector)).toEqual(a.map((x, i) => floats(op, x, b[i])))
        k.memory.reset(mark)
      }),
      { numRuns: 150 },
    )
  },
)

test('the extremes of int64', () => {
  const run = (op: ArithmeticOp, a: bigint, b: bigint) =>
    arithmetic(k, op, laneVector(k, int64(), [a]), laneVector(k, int64(), [b]), 1).failedRow
  expect([run('add', MOST, 0n), run('add', MOST, 1n), run('add', LEAST, -1n)]).toEqual([-1, 0, 0])
  expect([run('sub', LEAST, 0n), run('sub', LEAST, 1n), run('sub', 0n, LEAST), run('sub', -1n, LEAST)]).toEqual([
    -1, 0, 0, -1,
  ])
  expect([run('mul', LEAST, 1n), run('mul', LEAST, -1n), run('mul', -1n, LEAST), run('mul', 0n, LEAST)]).toEqual([
    -1, 0, 0, -1,
  ])
  expect([
    run('mul', 2n ** 32n, 2n ** 31n),
    run('mul', 2n ** 32n, -(2n ** 31n)),
    run('mul', 3_037_000_500n, 3_037_000_500n),
  ]).toEqual([0, -1, 0])
  expect([run('intDiv', LEAST, -1n), run('mod', LEAST, -1n), run('intDiv', LEAST, 1n)]).toEqual([0, -1, -1])
})

test('an overflow on a null row is none', () => {
  const a = laneVector(k, nullable(int64()), [null, 1n, null, MOST])
  k.memory.i64[a.data >>> 3] = MOST
  k.memory.i64[(a.data >>> 3) + 2] = LEAST
  const b = laneVector(k, int64(), [1n, 1n, -1n, 0n])
  const { vector, failedRow } = arithmetic(k, 'add', a, b, 4)
  expect(failedRow).toBe(-1)
  expect(valuesOf(k, vector)).toEqual([null, 2n, null, MOST])
})

test('of several rows that overflow the first is named, across a whole morsel', () => {
  const n = 65_536
  const values = Array.from({ length: n }, (_, i) => (i === 40_001 || i === 65_535 ? MOST : BigInt(i)))
  expect(arithmetic(k, 'mul', laneVector(k, int64(), values), { type: int64(), value: 3n }, n).failedRow).toBe(40_001)
  expect(
    negate(
      k,
      laneVector(
        k,
        int64(),
        values.map(x => (x === MOST ? LEAST : x)),
      ),
    ).failedRow,
  ).toBe(40_001)
})

test('a nonzero constant divisor makes no nulls, a zero one only nulls', () => {
  const column = laneVector(k, int64(), [-7n, 7n])
  expect(arithmetic(k, 'mod', column, { type: int64(), value: 2n }, 2).vector.validity).toBe(0)
  expect(valuesOf(k, arithmetic(k, 'mod', column, { type: int64(), value: 0n }, 2).vector)).toEqual([null, null])
  expect(
    valuesOf(k, arithmetic(k, 'div', laneVector(k, float64(), [1, 2]), { type: float64(), value: -0 }, 2).vector),
  ).toEqual([null, null])
  const divided = arithmetic(k, 'div', laneVector(k, float64(), [1, 2]), { type: float64(), value: 2 }, 2).vector
  expect([divided.validity, divided.type.nullable]).toEqual([0, false])
})

test('neg turns the sign, of zeros and NaN too, and refuses the least int64', () => {
  fc.assert(
    fc.property(fc.array(fc.option(anyInt64, { nil: null }), { maxLength: 70 }), values => {
      const { vector, failedRow } = negate(k, laneVector(k, nullable(int64()), values))
      expect(failedRow).toBe(values.indexOf(LEAST))
      if (failedRow < 0) expect(valuesOf(k, vector)).toEqual(values.map(x => (x === null ? null : -x)))
    }),
  )
  expect(valuesOf(k, negate(k, laneVector(k, float64(), [0, -0, 1.5, NaN, -Infinity])).vector)).toEqual([
    -0,
    0,
    -1.5,
    NaN,
    Infinity,
  ])
})

test('types that typing should have widened are refused', () => {
  const narrow = laneVector(k, int32(), [1])
  expect(() => arithmetic(k, 'add', narrow, narrow, 1)).toThrowError(
    expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }),
  )
  const wide = laneVector(k, int64(), [1n])
  expect(() => arithmetic(k, 'div', wide, wide, 1)).toThrowError(expect.objectContaining({ code: 'MR_TYPE_MISMATCH' }))
})
