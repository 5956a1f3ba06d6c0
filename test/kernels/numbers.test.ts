// Functions of numbers at the edges that random flows seldom meet: halves, the last place, the ends of int64, bounds that are not there.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { float64, int64 } from '../../src/columnar/type.js'
import { abs, bucket, clamp, floor, round, sign } from '../../src/kernels/numbers.js'
import type { Computed, Operand } from '../../src/kernels/operand.js'
import { EDGE_FLOATS } from '../laws/tables.js'
import { FUNCTIONS } from '../oracle/functions.js'
import { ModelError, type ModelType, type Value } from '../oracle/value.js'
import { laneVector, makeKernels, ROW_COUNTS, valuesOf } from './support.js'

const k = await makeKernels()
const MAX = 2n ** 63n - 1n
const MIN = -(2n ** 63n)

type Numbers = readonly (number | bigint | null)[]

const vectorOf = (values: Numbers) =>
  laneVector(k, values.some(value => typeof value === 'number') ? float64() : int64(), values)

/** Values, or the row that failed. */
function run(compute: () => Computed): unknown {
  const mark = k.memory.mark()
  const { vector, failedRow } = compute()
  const result = failedRow >= 0 ? failedRow : valuesOf(k, vector)
  k.memory.reset(mark)
  return result
}

/** The same of the model. */
function model(name: string, rows: readonly (readonly Value[])[], parameters = {}): unknown {
  const { evaluate } = FUNCTIONS[name]
  const kind = rows.flat().some(value => typeof value === 'bigint') ? 'int64' : 'float64'
  const values: Value[] = []
  for (const [row, given] of rows.entries()) {
    const types = given.map((): ModelType => ({ kind, nullable: true }))
    try {
      values.push(evaluate(given, { parameters, types, row }))
    } catch (error) {
      if (error instanceof ModelError) return row
      throw error
    }
  }
  return values
}

const alone = (values: Numbers) => values.map(value => [value])

describe('round', () => {
  it.each([
    [0.5, 0, 1],
    [-0.5, 0, -1],
    [0.49999999999999994, 0, 0],
    [-0.4, 0, -0],
    [2.5, 0, 3],
    [4503599627370495.5, 0, 4503599627370496],
    [4503599627370497, 0, 4503599627370497],
    // What the names stand for is a little less.
    [1.005, 2, 1],
    [2.675, 2, 2.67],
    [1.115, 2, 1.11],
    [0.125, 2, 0.13],
    [-0.125, 2, -0.13],
    [0.285, 2, 0.28],
    [1.45, 1, 1.4],
    [8.345, 2, 8.35],
    [5e-324, 22, 0],
    [-5e-324, 22, -0],
    [1e-22, 22, 1e-22],
    [1e300, 22, 1e300],
    [9007199254740991, 1, 9007199254740991],
    [1234.5678, -2, 1200],
    [1250, -2, 1300],
    [1249.9999999999998, -2, 1200],
    [-1250, -2, -1300],
    [49, -2, 0],
    [-49, -2, -0],
    [5e21, -22, 1e22],
    [4.999999999999999e21, -22, 0],
    [1.7976931348623157e308, -22, 1.7976931348623157e308],
    [NaN, 2, NaN],
    [Infinity, -2, Infinity],
    [-Infinity, 2, -Infinity],
  ])('%d to %d decimals is %d', (value, decimals, result) => {
    expect(run(() => round(k, vectorOf([value, 1]), decimals))).toEqual([result, round1(decimals)])
  })

  const round1 = (decimals: number) => (decimals < 0 ? 0 : 1)

  it('is the double nearest to the exact value rounded, near halves above all', () => {
    const decimals = fc.integer({ min: -22, max: 22 })
    const near = fc
      .tuple(
        decimals,
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
        fc.integer({ min: -2, max: 2 }),
        fc.integer({ min: 0, max: 12 }),
      )
      .map(([places, half, steps, scale]): [number, number] => {
        const unit = Number(`1e${-places}`)
        return [places, nudged((half / 2) * unit * Number(`1e${places > 10 ? 0 : scale}`), steps)]
      })
    const any = fc.tuple(decimals, fc.oneof(fc.double(), fc.constantFrom(...EDGE_FLOATS)))
    fc.assert(
      fc.property(fc.oneof(near, any), ([places, value]) => {
        // Beside it a value that is plain, and none.
        for (const values of [[value], [value, 0.1], [0.1, value, null]]) {
          expect(run(() => round(k, vectorOf(values), places))).toEqual(
            model('round', alone(values), { decimals: places }),
          )
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('of integers is exact, and fails where int64 ends', () => {
    const values = fc.oneof(
      fc.bigInt({ min: MIN, max: MAX }),
      fc.bigInt({ min: -2000n, max: 2000n }),
      fc.constantFrom(MAX, MIN, 0n, 5n * 10n ** 18n, -5n * 10n ** 18n, 5n * 10n ** 18n - 1n),
    )
    fc.assert(
      fc.property(
        fc.array(values, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: -22, max: 3 }),
        (given, places) => {
          expect(run(() => round(k, vectorOf(given), places))).toEqual(
            model('round', alone(given), { decimals: places }),
          )
        },
      ),
      { numRuns: 2000 },
    )
  })
})

function nudged(value: number, steps: number): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(steps))
  return view.getFloat64(0)
}

describe('integers', () => {
  it('have their magnitude, but for the least, and their sign', () => {
    expect(run(() => abs(k, vectorOf([MAX, -5n, null, 0n])))).toEqual([MAX, 5n, null, 0n])
    expect(run(() => abs(k, vectorOf([1n, MIN])))).toBe(1)
    expect(run(() => sign(k, vectorOf([MAX, MIN, 0n, null, -1n])))).toEqual([1n, -1n, 0n, null, -1n])
    expect(run(() => sign(k, vectorOf([NaN, -0, 0, -5e-324, Infinity])))).toEqual([NaN, -0, 0, -1, 1])
  })

  it('are whole, so that floor leaves them where they are', () => {
    const vector = vectorOf([MAX, 1n])
    expect(floor(k, vector).vector).toBe(vector)
  })
})

describe('clamp', () => {
  const columns: readonly (readonly [Numbers, Numbers, Numbers])[] = [
    [
      [1n, 5n, 9n, null, MIN, MAX, 4n],
      [2n, 2n, 2n, 2n, null, 0n, 6n],
      [7n, 7n, 7n, 7n, 7n, null, 3n],
    ],
    [
      [1.5, NaN, 9, null, -0, 0, -Infinity],
      [2, 2, NaN, 2, 0, -0, null],
      [7, 7, 7.25, 7, 7, null, NaN],
    ],
  ]

  it('takes no account of bounds that are null or NaN, leaves NaN, and goes by the upper of bounds that cross', () => {
    for (const [values, low, high] of columns) {
      const wanted = model(
        'clamp',
        values.map((value, i) => [value, low[i] as Value, high[i] as Value]),
      )
      expect(run(() => clamp(k, vectorOf(values), vectorOf(low), vectorOf(high)))).toEqual(wanted)
    }
    expect(run(() => clamp(k, vectorOf([4n]), vectorOf([6n]), vectorOf([3n])))).toEqual([3n])
  })

  it('takes constants, and null for none', () => {
    for (const [values] of columns) {
      const type = vectorOf(values).type
      const constants = type.kind === 'int64' ? [2n, 7n] : [-1, 7]
      for (const low of [constants[0], null]) {
        for (const high of [constants[1], null]) {
          const [least, most] = [low, high].map((value): Operand => ({ type, value })) as [Operand, Operand]
          const wanted = model(
            'clamp',
            values.map(value => [value, low, high]),
          )
          expect(run(() => clamp(k, vectorOf(values), least, most))).toEqual(wanted)
        }
      }
    }
  })
})

describe('bucket', () => {
  it('of integers is exact to the ends of int64, and fails beyond', () => {
    const widths = fc.oneof(fc.bigInt({ min: 1n, max: 20n }), fc.bigInt({ min: 1n, max: MAX }))
    const values = fc.oneof(
      fc.bigInt({ min: MIN, max: MAX }),
      fc.bigInt({ min: -50n, max: 50n }),
      fc.constantFrom(MIN, MAX, MIN + 1n),
    )
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), widths, values, (given, width, offset) => {
        expect(run(() => bucket(k, vectorOf(given), width, offset))).toEqual(
          model('bucket', alone(given), { width, offset }),
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('knows its bounds', () => {
    const column = { ...vectorOf([-5n, 12n]), range: { min: -5n, max: 12n } }
    expect(bucket(k, column, 10n, 3n).vector.range).toEqual({ min: -7n, max: 3n })
  })

  it('of floats is the floor of what it is divided by', () => {
    const given = [-0.5, 0, 0.5, 0.3, NaN, Infinity, null]
    expect(run(() => bucket(k, vectorOf(given), 0.1, 0))).toEqual(
      model('bucket', alone(given), { width: 0.1, offset: 0 }),
    )
  })
})

it('any count of rows will do', () => {
  for (const n of ROW_COUNTS) {
    const floats = Array.from({ length: n }, (_, i) => (i % 7 === 3 ? null : (i - n / 2) * 0.375))
    const given = n > 0 && floats.every(value => value === null) ? [0.5] : floats
    if (given.length === 0) continue
    expect(run(() => round(k, vectorOf(given), 2))).toEqual(model('round', alone(given), { decimals: 2 }))
    expect(run(() => floor(k, vectorOf(given)))).toEqual(model('floor', alone(given)))
    expect(run(() => sign(k, vectorOf(given)))).toEqual(model('sign', alone(given)))
  }
})
