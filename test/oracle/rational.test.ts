/** Hand-computed facts about the exact sums that every other test of sums leans on. */
import { describe, expect, it } from 'vitest'
import { exactMean, exactSum, roundFraction, toUnits } from './rational.js'

describe('exact sums of doubles', () => {
  it('counts a double in units of 2^-1074', () => {
    expect(toUnits(5e-324)).toBe(1n)
    expect(toUnits(-5e-324)).toBe(-1n)
    expect(toUnits(1)).toBe(1n << 1074n)
    expect(toUnits(-0)).toBe(0n)
    expect(toUnits(Number.MAX_VALUE)).toBe(((1n << 53n) - 1n) << (971n + 1074n))
  })

  it('gives back every double that it took apart', () => {
    for (const value of [
      1,
      -1,
      0.1,
      1 / 3,
      5e-324,
      2.2250738585072014e-308,
      2.225073858507201e-308,
      Number.MAX_VALUE,
    ]) {
      expect(roundFraction(toUnits(value), 1n << 1074n)).toBe(value)
      expect(roundFraction(-toUnits(value), 1n << 1074n)).toBe(-value)
    }
  })

  it('keeps what cancellation would lose', () => {
    expect(exactSum([1e308, 1e-300, -1e308])).toBe(1e-300)
    expect(exactSum([1e16, 1, 1, -1e16])).toBe(2)
    expect(exactSum([0.1, 0.2, 0.3])).toBe(0.6)
    expect(exactSum([1e308, 1e308, -1e308])).toBe(1e308)
    expect(exactSum([5e-324, 5e-324])).toBe(1e-323)
  })

  it('rounds ties to even, and only once', () => {
    const ulp = 2 ** -52
    expect(exactSum([1, ulp / 2])).toBe(1)
    expect(exactSum([1 + ulp, ulp / 2])).toBe(1 + 2 * ulp)
    expect(exactSum([1, ulp / 2, 5e-324])).toBe(1 + ulp)
    expect(roundFraction(1n, 3n)).toBe(1 / 3)
    expect(roundFraction(2n ** 53n + 1n, 1n)).toBe(2 ** 53)
    expect(roundFraction(2n ** 53n + 3n, 1n)).toBe(2 ** 53 + 4)
    expect(roundFraction(1n, 1n << 1075n)).toBe(0)
    expect(roundFraction(3n, 1n << 1075n)).toBe(1e-323)
  })

  it('overflows to infinity only where the rounded sum does', () => {
    expect(exactSum([Number.MAX_VALUE, Number.MAX_VALUE])).toBe(Infinity)
    expect(exactSum([Number.MAX_VALUE, 2 ** 969])).toBe(Number.MAX_VALUE)
    expect(exactSum([Number.MAX_VALUE, 2 ** 970])).toBe(Infinity)
    expect(exactMean([Number.MAX_VALUE, Number.MAX_VALUE])).toBe(Number.MAX_VALUE)
  })

  it('counts NaN and infinities apart', () => {
    expect(exactSum([1, NaN, Infinity])).toBeNaN()
    expect(exactSum([Infinity, -Infinity])).toBeNaN()
    expect(exactSum([-Infinity, 1e308])).toBe(-Infinity)
    expect(exactMean([Infinity, 1])).toBe(Infinity)
  })

  it('has one zero, and no mean of nothing', () => {
    expect(exactSum([-0, -0])).toBe(0)
    expect(exactMean([1, -1])).toBe(0)
    expect(exactMean([])).toBeNull()
    expect(exactMean([5e-324, 0])).toBe(0)
    expect(exactMean([5e-324, 5e-324, 0])).toBe(5e-324)
  })
})
