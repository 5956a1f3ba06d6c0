/** Hand-computed facts about the model's aggregates, and its exact moments against ordinary arithmetic where that is exact too. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalResult, type ModelFunction, type ModelParameters, resultOf } from './aggregate.js'
import { exactCorrelation, exactCovariance, exactSlope } from './moments.js'
import type { Value } from './value.js'
import { groupingSets } from './verbs.js'

const of = (name: ModelFunction, values: readonly Value[], parameters: ModelParameters = {}) =>
  canonicalResult(
    resultOf(
      name,
      values.map(value => [value]),
      parameters,
    ),
  )
const ofPairs = (name: ModelFunction, pairs: readonly (readonly Value[])[], parameters: ModelParameters = {}) =>
  canonicalResult(resultOf(name, pairs, parameters))

describe('aggregates of the model', () => {
  it('give null of no rows, and counts 0', () => {
    expect(of('count', [])).toBe(0n)
    expect(of('countDistinct', [])).toBe(0n)
    const others = [
      'variance',
      'first',
      'argMin',
      'median',
      'topK',
      'collectList',
      'join',
      'every',
      'histogram',
    ] as const
    expect(others.map(name => of(name, []))).toEqual(others.map(() => null))
  })

  it('count different values, zeros and NaNs being one each', () => {
    expect(of('countDistinct', [0, -0, NaN, NaN, 1, 1])).toBe(3n)
    expect(of('countDistinct', ['a', 'b', 'a'])).toBe(2n)
  })

  it('take the first and the last, and by another column, the earliest of equals', () => {
    expect([of('first', [3, 1, 2]), of('any', [3, 1, 2]), of('last', [3, 1, 2])]).toEqual([3, 3, 2])
    const pairs = [
      ['a', 2],
      ['b', 1],
      ['c', NaN],
      ['d', 1],
      ['e', NaN],
    ]
    expect([ofPairs('argMin', pairs), ofPairs('argMax', pairs)]).toEqual(['b', 'c'])
    expect(of('first', [-0])).toBe(0)
  })

  it('take the most frequent, the least of equals', () => {
    expect(of('mode', [5n, 2n, 5n, 2n, 9n])).toBe(2n)
    expect(of('mode', [NaN, 1, NaN])).toBe(NaN)
    expect(of('mode', [-0, 0, 1, 1])).toBe(0)
  })

  it('list the greatest, the least and all, with one zero', () => {
    expect(of('topK', [1, NaN, 3, 2, 3], { n: 3 })).toEqual([NaN, 3, 3])
    expect(of('bottomK', ['b', 'a', '😀', '\uFF5E'], { n: 9 })).toEqual(['a', 'b', '\uFF5E', '😀'])
    expect(of('collectList', [2, -0, 1])).toEqual([2, 0, 1])
    expect(of('join', ['a', '', 'b'], { separator: '-' })).toBe('a--b')
  })

  it('judge booleans', () => {
    expect([of('every', [true, false]), of('some', [true, false])]).toEqual([false, true])
    expect([of('every', [true]), of('some', [false])]).toEqual([true, false])
  })

  it('interpolate between neighbours', () => {
    expect(of('median', [3, 1])).toBe(2)
    expect(of('median', [3n, 1n, 7n])).toBe(3)
    // numpy.quantile([1, 2, 4, 8], [0, 0.25, 0.5, 0.9, 1])
    const q = (at: number) => of('quantile', [8, 1, 4, 2], { q: at })
    expect([q(0), q(0.25), q(0.5), q(0.9), q(1)]).toEqual([1, 1.75, 3, 6.800000000000001, 8])
    expect(of('median', [-Infinity, Infinity])).toBe(NaN)
    expect(of('median', [1, NaN])).toBe(NaN)
    expect(of('median', [1, 2, NaN])).toBe(2)
    expect(of('median', [Number.MAX_VALUE, Number.MAX_VALUE])).toBe(Number.MAX_VALUE)
    expect(of('quantile', [-Number.MAX_VALUE, Number.MAX_VALUE], { q: 0.25 })).toBe(-8.988465674311578e307)
  })

  it('count what falls into bins as NumPy does', () => {
    // numpy.histogram([0, 0.5, 1, 2, 3, nan, -1, 4], [0, 1, 2, 3])
    expect(of('histogram', [0, 0.5, 1, 2, 3, NaN, -1, 4], { edges: [0, 1, 2, 3] })).toEqual([2n, 1n, 2n])
    expect(of('histogram', [2n ** 53n + 1n, 2n ** 53n], { edges: [0, 2 ** 53, 2 ** 54] })).toEqual([0n, 2n])
    expect(of('histogram', [NaN], { edges: [0, 1] })).toEqual([0n])
  })

  it('measure spread exactly where it would cancel', () => {
    const large = [1e15 + 1, 1e15 + 2, 1e15 + 3]
    expect(of('variance', large, { population: false })).toBe(1)
    expect(of('variance', large, { population: true })).toBe(2 / 3)
    expect(of('stddev', large, { population: false })).toBe(1)
    expect(of('variance', [5n], { population: false })).toBe(null)
    expect(of('variance', [5n], { population: true })).toBe(0)
    expect(of('variance', [1, NaN])).toBe(NaN)
    expect(of('variance', [Infinity], { population: false })).toBe(null)
    expect(of('variance', [Infinity], { population: true })).toBe(NaN)
    expect(of('variance', [-1e200, 1e200])).toBe(Infinity)
  })

  it('relate columns, with null where one of them does not vary', () => {
    const line = [
      [3, 1],
      [5, 2],
      [7, 3],
    ]
    expect(ofPairs('covariance', line)).toBe(2)
    expect(ofPairs('correlation', line)).toBe(1)
    expect(ofPairs('slope', line)).toBe(2)
    const flat = [
      [3, 1],
      [3, 2],
    ]
    expect([ofPairs('correlation', flat), ofPairs('slope', flat)]).toEqual([null, 0])
    const upright = flat.map(([y, x]) => [x, y] as Value[])
    expect([ofPairs('correlation', upright), ofPairs('slope', upright)]).toEqual([null, null])
    expect([ofPairs('correlation', [[1, 2]]), ofPairs('slope', [[NaN, 2]])]).toEqual([null, null])
  })

  it('moments of small whole numbers are those of ordinary arithmetic', () => {
    const small = fc.integer({ min: -50, max: 50 })
    fc.assert(
      fc.property(fc.array(fc.tuple(small, small), { minLength: 2, maxLength: 20 }), fc.boolean(), (pairs, whole) => {
        const n = pairs.length
        const sum = (f: (x: number, y: number) => number) => pairs.reduce((total, [x, y]) => total + f(x, y), 0)
        const central = (f: (x: number, y: number) => number, g: (x: number, y: number) => number) =>
          n * sum((x, y) => f(x, y) * g(x, y)) - sum(f) * sum(g)
        const [xx, yy, xy] = [
          central(
            x => x,
            x => x,
          ),
          central(
            (_, y) => y,
            (_, y) => y,
          ),
          central(
            x => x,
            (_, y) => y,
          ),
        ]
        const given = pairs.map(pair => (whole ? pair.map(BigInt) : pair) as unknown as [number, number])
        expect(exactCovariance(given, false)).toBe(xy / (n * (n - 1)) + 0)
        expect(exactCovariance(given, true)).toBe(xy / (n * n) + 0)
        expect(exactSlope(given)).toBe(xx === 0 ? null : xy / xx + 0)
        const r = xy / (Math.sqrt(xx) * Math.sqrt(yy)) + 0
        expect(exactCorrelation(given)).toBe(xx === 0 || yy === 0 ? null : Math.max(-1, Math.min(1, r)))
      }),
    )
  })

  it('moments scale by powers of two, whatever the exponents', () => {
    const value = fc.double({ min: -1e9, max: 1e9, noNaN: true }).filter(x => x === 0 || Math.abs(x) > 1e-9)
    const shift = fc.integer({ min: -400, max: 400 })
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 9 }), shift, shift, (pairs, i, j) => {
        const scaled = pairs.map(([x, y]) => [x * 2 ** i, y * 2 ** j] as const)
        expect(exactCorrelation(scaled)).toBe(exactCorrelation(pairs))
        const slope = exactSlope(pairs)
        if (slope !== null && Math.abs(slope) > 1e-40 && Math.abs(slope) < 1e40)
          expect(exactSlope(scaled)).toBe(slope * 2 ** (j - i))
      }),
    )
  })

  it('sets of a rollup drop keys from the right, those of a cube are all subsets', () => {
    const sets = (by: 'rollup' | 'cube') =>
      groupingSets({ verb: 'aggregate', keys: ['a', 'b', 'c'], by, aggregates: [] }).map(set => set.join(''))
    expect(sets('rollup')).toEqual(['abc', 'ab', 'a', ''])
    expect(sets('cube')).toEqual(['abc', 'ab', 'ac', 'bc', 'a', 'b', 'c', ''])
  })
})
