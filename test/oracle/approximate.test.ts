/** The checks of approximate results themselves: they let the exact answer pass, and refuse what no promise allows. */
import { describe, expect, it } from 'vitest'
import { whyNotNear } from './approximate.js'

const near = (...given: Parameters<typeof whyNotNear>) => whyNotNear(...given) === null

describe('approximate results', () => {
  it('of distinct values are within five and a half standard errors', () => {
    const values = Array.from({ length: 10_000 }, (_, i) => BigInt(i % 5000))
    const of = (result: bigint) => near('approxCountDistinct', values, { precision: 14 }, result)
    expect([of(5000n), of(5220n), of(4780n), of(5240n), of(4760n)]).toEqual([true, true, true, false, false])
    expect(near('approxCountDistinct', [], { precision: 4 }, 0n)).toBe(true)
    expect(near('approxCountDistinct', ['a', 'a'], { precision: 14 }, 3n)).toBe(false)
  })

  it('of a quantile are near the value of its rank', () => {
    const of = (q: number, result: number) =>
      near('approxQuantile', [100, 1, NaN, -Infinity], { q, error: 0.01 }, result)
    expect([of(0.34, 1.01), of(0.34, 0.99), of(0.34, 1.02), of(0.34, 100)]).toEqual([true, true, false, false])
    expect([of(1, NaN), of(0, -Infinity), of(0, NaN), of(1, 100)]).toEqual([true, true, false, false])
    expect(near('approxQuantile', [], { q: 0.5, error: 0.01 }, null as never)).toBe(true)
  })

  it('of the most frequent are exact while there are counters for all', () => {
    const values = ['a', 'b', 'a', 'c', 'b', 'a', 'd']
    const of = (capacity: number, ...result: string[]) => near('approxTopK', values, { n: 3, capacity }, result)
    expect([of(4, 'a', 'b', 'c'), of(4, 'a', 'b', 'd')]).toEqual([true, true])
    expect([of(4, 'b', 'a', 'c'), of(4, 'a', 'b'), of(4, 'a', 'a', 'b'), of(4, 'a', 'b', 'x')]).toEqual([
      false,
      false,
      false,
      false,
    ])
    expect([of(3, 'a', 'd', 'b'), of(3, 'd', 'b', 'a'), of(3, 'b', 'a')]).toEqual([true, true, true])
    expect(near('approxTopK', Array(100).fill('a').concat(['b', 'c']), { n: 1, capacity: 2 }, ['b'])).toBe(false)
  })
})
