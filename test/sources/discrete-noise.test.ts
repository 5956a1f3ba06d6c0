/** Noise has the distribution that it is said to have: frequencies against exact probabilities, by seeds, and uniform integers below it. */
import { describe, expect, it } from 'vitest'
import { discreteGaussian, discreteLaplace, randomIntegers, rationalOf } from '../../src/sources/discrete-noise.js'
import { seededBytes } from './seeded-bytes.js'

/** Chi-square over cells of at least ten expected values; the rest is one cell. In standard deviations of the statistic. */
function excess(values: readonly bigint[], probability: (y: number) => number): number {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(Number(value), (counts.get(Number(value)) ?? 0) + 1)
  let [statistic, cells, restExpected, restFound] = [0, 0, values.length, values.length]
  for (let y = 0; ; y = y > 0 ? -y : 1 - y) {
    const expected = probability(y) * values.length
    if (expected < 10) break
    const found = counts.get(y) ?? 0
    statistic += (found - expected) ** 2 / expected
    cells++
    restExpected -= expected
    restFound -= found
  }
  if (restExpected > 1) {
    statistic += (restFound - restExpected) ** 2 / restExpected
    cells++
  }
  expect(cells).toBeGreaterThan(3)
  return (statistic - (cells - 1)) / Math.sqrt(2 * (cells - 1))
}

const DRAWS = 20_000

describe('discrete noise', () => {
  it('is exactly what a double is', () => {
    for (const value of [1, 0.5, 0.1, 3, 2 ** -40, 1e300, 5e-324, Math.PI]) {
      const { numerator, denominator } = rationalOf(value)
      let [scale, exact] = [denominator, value]
      for (; scale > 1n; scale /= 2n) exact *= 2
      expect(BigInt(exact)).toBe(numerator)
    }
  })

  it('draws integers below a bound, each as often', () => {
    for (const below of [1n, 2n, 3n, 7n, 1n << 64n, (1n << 64n) + 3n, 3n ** 90n]) {
      const random = randomIntegers(seededBytes(Number(below % 1000n)))
      const counts = [0, 0, 0, 0]
      for (let i = 0; i < 4000; i++) {
        const value = random(below)
        expect(value >= 0n && value < below).toBe(true)
        counts[Number((value * 4n) / below)]++
      }
      if (below > 7n) for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(130)
      else if (below === 7n) expect(counts.every(count => count > 400)).toBe(true)
    }
  })

  for (const epsilon of [0.25, 1, 2.5]) {
    it(`is Laplacian of scale 1 / ${epsilon}`, () => {
      const { numerator, denominator } = rationalOf(epsilon)
      const random = randomIntegers(seededBytes(epsilon * 100))
      const scale = { numerator: denominator, denominator: numerator }
      const values = Array.from({ length: DRAWS }, () => discreteLaplace(scale, random))
      const norm = (1 - Math.exp(-epsilon)) / (1 + Math.exp(-epsilon))
      expect(Math.abs(excess(values, y => norm * Math.exp(-epsilon * Math.abs(y))))).toBeLessThan(4)
      // The test itself tells another scale.
      expect(excess(values, y => norm * 1.1 * Math.exp(-epsilon * 1.1 * Math.abs(y)))).toBeGreaterThan(4)
    })
  }

  for (const variance of [0.7, 4, 150.25]) {
    it(`is Gaussian of variance ${variance}`, () => {
      const random = randomIntegers(seededBytes(variance * 100))
      const values = Array.from({ length: DRAWS }, () => discreteGaussian(rationalOf(variance), random))
      let norm = 0
      for (let y = -200; y <= 200; y++) norm += Math.exp((-y * y) / (2 * variance))
      expect(Math.abs(excess(values, y => Math.exp((-y * y) / (2 * variance)) / norm))).toBeLessThan(4)
    })
  }

  it('has large scales too, where its spread is as it should be', () => {
    const random = randomIntegers(seededBytes(5))
    const laplace = Array.from({ length: 3000 }, () =>
      Number(discreteLaplace({ numerator: 2n ** 34n, denominator: 3n }, random)),
    )
    const spread = laplace.reduce((sum, value) => sum + Math.abs(value), 0) / 3000 / (2 ** 34 / 3)
    expect(Math.abs(spread - 1)).toBeLessThan(0.08)
    const gauss = Array.from({ length: 3000 }, () => Number(discreteGaussian(rationalOf(2 ** 66), random)))
    const variance = gauss.reduce((sum, value) => sum + value * value, 0) / 3000 / 2 ** 66
    expect(Math.abs(variance - 1)).toBeLessThan(0.1)
  })
})
