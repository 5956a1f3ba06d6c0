/** Statistics of three million flights, by origin and joined to their airports, held against those that DuckDB made of them: see test/golden/duckdb/write.js. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import {
  correlation,
  count,
  countDistinct,
  covariance,
  csv,
  max,
  mean,
  median,
  min,
  parquet,
  quantile,
  slope,
  stddev,
  sum,
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

type Found = Record<string, number | string | null>
const joins: { states: Found[]; kinds: Record<string, Found> } = JSON.parse(
  readFileSync(new URL('../golden/duckdb/airports.json', import.meta.url), 'utf8'),
)
const airportsPath = fileURLToPath(new URL('../../node_modules/vega-datasets/data/airports.csv', import.meta.url))

/** Doubles are summed up in another order there. */
const near = (row: Found): Found =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'number' && !Number.isInteger(value)
        ? expect.closeTo(value, 9 - Math.log10(Math.abs(value)))
        : value,
    ]),
  ) as Found

it.each([0, 2])(
  'joined to their airports are what DuckDB makes of both, on %i lanes',
  { timeout: 120_000 },
  async lanes => {
    const flights: any = parquet(path)
    const airports: any = csv(airportsPath)
    const places = airports.select('iata', 'state', 'city', 'latitude', 'longitude')
    const states = await flights
      .join(places, { origin: 'iata' })
      .join(places, { destination: 'iata' }, { suffix: '_there' })
      .groupBy('state')
      .aggregate((t: any) => ({
        n: count(),
        delay: sum(t.delay),
        furthest: max(t.distance),
        cities: countDistinct(t.city_there),
        northward: count().where(t.latitude_there.gt(t.latitude)),
        longitude: mean(t.longitude_there),
      }))
      .orderBy('state')
      .collect({ lanes })
    expect(states.toRows()).toEqual(joins.states.map(near))

    const north = places.filter((t: any) => t.latitude.gt(37))
    for (const [kind, expected] of Object.entries(joins.kinds)) {
      const isHalf = kind === 'semiJoin' || kind === 'antiJoin'
      const found = await flights[kind](north, { origin: 'iata' })
        .aggregate((t: any) => ({
          n: count(),
          delay: sum(t.delay),
          flights: count(kind === 'rightJoin' || kind === 'fullJoin' ? t.delay : t.origin),
          ...(isHalf ? {} : { airports: count(t.state), latitude: sum(t.latitude) }),
        }))
        .collect({ lanes })
      expect([kind, found.toRows()[0]]).toEqual([kind, near(expected)])
    }
  },
)
