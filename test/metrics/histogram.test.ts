import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createHistogram } from '../../src/metrics/histogram.js'

const durations = fc.array(
  fc.tuple(
    fc.oneof(fc.double({ min: 0, max: 5, noNaN: true }), fc.double({ min: 0, max: 1e9, noNaN: true })),
    fc.integer({ min: 1, max: 5 }),
  ),
  { minLength: 1, maxLength: 60 },
)

it('gives quantiles that are at most a sixteenth and a microsecond too large, and never too small', () => {
  fc.assert(
    fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (all, q) => {
      const histogram = createHistogram()
      const sorted: number[] = []
      for (const [milliseconds, count] of all) {
        histogram.record(milliseconds, count)
        for (let i = 0; i < count; i++) sorted.push(milliseconds)
      }
      sorted.sort((a, b) => a - b)
      const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] as number
      expect(histogram.count).toBe(sorted.length)
      expect(histogram.max).toBe(sorted.at(-1))
      expect(histogram.quantile(q)).toBeGreaterThanOrEqual(exact)
      expect(histogram.quantile(q)).toBeLessThanOrEqual(exact * (1 + 1 / 16) + 0.001)
    }),
    { numRuns: 1000 },
  )
})

it('takes what is no duration as none, and what is too long as the longest', () => {
  const histogram = createHistogram()
  expect(histogram.quantile(0.5)).toBeNaN()
  for (const odd of [-1, Number.NaN]) histogram.record(odd)
  expect([histogram.count, histogram.max, histogram.quantile(1)]).toEqual([2, 0, 0])
  histogram.record(1e15)
  expect(histogram.quantile(1)).toBeGreaterThan(0)
})
