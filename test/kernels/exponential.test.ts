// Exponentials, logarithms and powers: to the bit what the oracle's own writing of the algorithms gives, and both within a unit in the last place of the truth.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { float64 } from '../../src/columnar/type.js'
import { exp, ln, log10, pow } from '../../src/kernels/numbers.js'
import { EDGE_FLOATS } from '../laws/tables.js'
import * as oracle from '../oracle/exponential.js'
import { toUnits } from '../oracle/rational.js'
import { laneVector, makeKernels, valuesOf } from './support.js'

const k = await makeKernels()

const UNARY = { exp, ln, log10 }
const ORACLE = { exp: oracle.exp, ln: oracle.ln, log10: oracle.log10 }
type Unary = keyof typeof UNARY

function computed(name: Unary, values: readonly number[]): number[] {
  const mark = k.memory.mark()
  const { vector } = UNARY[name](k, laneVector(k, float64(), values))
  const results = valuesOf(k, vector) as number[]
  k.memory.reset(mark)
  return results
}

function powers(bases: readonly number[], exponents: readonly number[]): number[] {
  const mark = k.memory.mark()
  const operands = [bases, exponents].map(values => laneVector(k, float64(), values)) as [never, never]
  const results = valuesOf(k, pow(k, ...operands, bases.length).vector) as number[]
  k.memory.reset(mark)
  return results
}

// Fixed point of so many bits behind the point: far more than 53 beyond all that is lost.
const BITS = 600n
const ONE = 1n << BITS

/** A double as fixed point; what is below its last bit (of subnormals) is nothing here. */
const fixed = (value: number): bigint => shifted(toUnits(value), BITS - 1074n)
const shifted = (value: bigint, by: bigint): bigint => (by >= 0n ? value << by : value >> -by)

/** ln of a number of fixed point between 1/2 and 2: 2 atanh((x - 1) / (x + 1)). */
function lnNear(x: bigint): bigint {
  const z = ((x - ONE) << BITS) / (x + ONE)
  const square = (z * z) >> BITS
  let sum = 0n
  for (let term = z, n = 1n; term !== 0n && term !== -1n; n += 2n) {
    sum += term / n
    term = (term * square) >> BITS
  }
  return 2n * sum
}

const LN2 = 2n * lnNear((ONE * 4n) / 3n) - lnNear((ONE * 8n) / 9n)
const LN10 = 3n * LN2 + lnNear((ONE * 5n) / 4n)

/** Of a positive double. */
function lnOf(x: number): bigint {
  const units = toUnits(x)
  const length = BigInt(units.toString(2).length)
  return lnNear(shifted(units, BITS - length)) + (length - 1074n) * LN2
}

/** e^x as a number of fixed point times a power of two. */
function expOf(x: bigint): { mantissa: bigint; exponent: bigint } {
  const exponent = x / LN2
  const rest = x - exponent * LN2
  let sum = 0n
  for (let term = ONE, n = 1n; term !== 0n && term !== -1n; n++) {
    sum += term
    term = ((term * rest) >> BITS) / n
  }
  return { mantissa: sum, exponent }
}

/** How far `value` is from mantissa * 2^exponent, in units of its last place. */
function ulps(value: number, mantissa: bigint, exponent = 0n): number {
  // Fixed point of 2^-1200 holds all doubles and what is between them.
  const truth = shifted(mantissa, exponent - BITS + 1200n)
  const is = toUnits(value) << 126n
  const distance = is > truth ? is - truth : truth - is
  const magnitude = truth < 0n ? -truth : truth
  const length = magnitude.toString(2).length - 1200
  const place = Math.max(length - 53, -1074)
  return Number((distance * 1000n) >> BigInt(place + 1200)) / 1000
}

const positive = fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true })
const near = (center: number) => fc.double({ min: center - 0.5, max: center + 0.5, noNaN: true })
const exponents = fc.oneof(
  fc.double({ min: -745, max: 709.7, noNaN: true }),
  near(0),
  fc.double({ min: -1e-8, max: 1e-8, noNaN: true }),
)

const sampled = <T>(arbitrary: fc.Arbitrary<T>, numRuns = 2000): T[] => fc.sample(arbitrary, { numRuns, seed: 7 })

describe('unary functions', () => {
  it.each<[Unary, fc.Arbitrary<number>, (x: number) => [bigint, bigint?]]>([
    ['exp', exponents, x => Object.values(expOf(fixed(x))) as [bigint, bigint]],
    ['ln', fc.oneof(positive, near(1)), x => [lnOf(x)]],
    ['log10', fc.oneof(positive, near(1)), x => [(lnOf(x) << BITS) / LN10]],
  ])('%s is the oracle to the bit, and within a unit in the last place', (name, arbitrary, truth) => {
    const values = sampled(arbitrary)
    const results = computed(name, values)
    expect(results).toEqual(values.map(ORACLE[name]))
    const errors = values.map((value, i) => ulps(results[i], ...truth(value)))
    expect(Math.max(...errors)).toBeLessThan(1)
  })

  it.each<Unary>(['exp', 'ln', 'log10'])('%s of edges is the oracle', name => {
    const values = [
      ...EDGE_FLOATS,
      709.782712893384,
      709.7827128933841,
      -745.1332191019411,
      -745.1332191019412,
      -708.5,
      2 ** -28,
    ]
    expect(computed(name, values)).toEqual(values.map(ORACLE[name]))
  })

  it('are exact where they can be', () => {
    const tens = Array.from({ length: 309 }, (_, n) => Number(`1e${n}`))
    expect(computed('log10', tens)).toEqual(tens.map((_, n) => n))
    expect(computed('exp', [0, -0, -Infinity, Infinity])).toEqual([1, 1, 0, Infinity])
    expect(computed('ln', [1, 0, -0, -1, Infinity, NaN])).toEqual([0, -Infinity, -Infinity, NaN, Infinity, NaN])
  })
})

describe('pow', () => {
  const bases = fc.oneof(positive, near(1), fc.double({ min: 0.01, max: 100, noNaN: true }))
  const reals = fc.oneof(
    fc.double({ min: -300, max: 300, noNaN: true }),
    fc.integer({ min: -40, max: 40 }),
    fc.constantFrom(0.5, -0.5, 1 / 3, 3, 1e10),
  )

  it('is the oracle to the bit, and within a unit in the last place', () => {
    const pairs = sampled(fc.tuple(bases, reals), 3000)
    const results = powers(
      pairs.map(([x]) => x),
      pairs.map(([, y]) => y),
    )
    expect(results).toEqual(pairs.map(([x, y]) => oracle.pow(x, y)))
    const errors = pairs.flatMap(([x, y], i) => {
      if (!Number.isFinite(results[i]) || results[i] === 0) return []
      const { mantissa, exponent } = expOf((lnOf(x) * fixed(y)) >> BITS)
      return [ulps(results[i], mantissa, exponent)]
    })
    expect(errors.length).toBeGreaterThan(1500)
    expect(Math.max(...errors)).toBeLessThan(1)
  })

  it('of edges is the oracle, signs of zeros and infinities too', () => {
    const edges = [
      ...EDGE_FLOATS,
      2,
      -2,
      3,
      -3,
      0.5,
      -0.5,
      1.5,
      2 ** 31,
      2 ** 33,
      -(2 ** 33),
      2 ** 70,
      1 + 2 ** -40,
      1 - 2 ** -40,
      -1075,
      1024,
      -1074.5,
    ]
    const pairs = edges.flatMap(x => edges.map(y => [x, y] as const))
    const results = powers(
      pairs.map(([x]) => x),
      pairs.map(([, y]) => y),
    )
    expect(results).toEqual(pairs.map(([x, y]) => oracle.pow(x, y)))
  })

  it('is exact for integers whose powers are doubles', () => {
    const pairs: [number, number][] = []
    for (let x = -20; x <= 20; x++) for (let y = 0; y <= 40; y++) if (Math.abs(x) ** y < 2 ** 53) pairs.push([x, y])
    const results = powers(
      pairs.map(([x]) => x),
      pairs.map(([, y]) => y),
    )
    expect(results.map(String)).toEqual(pairs.map(([x, y]) => String(BigInt(x) ** BigInt(y))))
  })

  it('is as C has it where JavaScript differs', () => {
    expect(powers([1, -1, 1, NaN, 0, -0], [NaN, Infinity, -Infinity, 0, -1, -3])).toEqual([
      1,
      1,
      1,
      1,
      Infinity,
      -Infinity,
    ])
  })
})
