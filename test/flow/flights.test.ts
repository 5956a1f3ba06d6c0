/** Statistics of three million flights, by origin, held against those that DuckDB made of them: see test/golden/duckdb/write.js. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import {
  correlation,
  count,
  countDistinct,
  covariance,
  max,
  mean,
  median,
  min,
  parquet,
  quantile,
  slope,
  stddev,
  variance,
} from '../../src/index.js'

const expected: Record<string, number | string | null>[] = JSON.parse(
  readFileSync(new URL('../golden/duckdb/flights.json', import.meta.url), 'utf8'),
)
const path = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))

it.each([0, 2])('are what DuckDB makes of them, on %i lanes', { timeout: 120_000 }, async lanes => {
  const table = await parquet(path)
    .groupBy('origin')
    .aggregate((t: any) => ({
      n: count(),
      mean: mean(t.delay),
      variance: variance(t.delay),
      deviation: stddev(t.delay, { population: true }),
      correlation: correlation(t.delay, t.distance),
      covariance: covariance(t.delay, t.distance),
      slope: slope(t.delay, t.distance),
      median: median(t.delay),
      ninth: quantile(t.delay, 0.9),
      destinations: countDistinct(t.destination),
      least: min(t.delay),
      most: max(t.delay),
    }))
    .orderBy('origin')
    .collect({ lanes })
  const found = table.toRows() as typeof expected
  expect(found.length).toBe(expected.length)
  for (const [i, row] of expected.entries()) {
    for (const [name, given] of Object.entries(row)) {
      // Of one distance alone there is no correlation: null here, as wherever a divisor is zero.
      const value = given === 'NaN' ? null : given
      const mine = found[i][name]
      // Its sums are rounded as they go, ours once.
      const isNear =
        typeof value === 'number' && Math.abs((mine as number) - value) <= 1e-9 * Math.max(1e-3, Math.abs(value))
      if (!isNear) expect([row.origin, name, mine]).toEqual([row.origin, name, value])
    }
  }
})
