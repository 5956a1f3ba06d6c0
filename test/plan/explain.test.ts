/** What explain prints, held against test/golden: change a golden file knowingly (`npx vitest run test/plan -u`). */
import { expect, it } from 'vitest'
import { flowOf } from '../../src/api/flow.js'
import {
  approxQuantile,
  approxTopK,
  argMax,
  count,
  countDistinct,
  date,
  desc,
  every,
  float64,
  histogram,
  int8,
  int32,
  join,
  mean,
  median,
  min,
  nullable,
  quantile,
  rows,
  schema,
  sliding,
  stddev,
  sum,
  timestamp,
  topK,
  utf8,
  variance,
} from '../../src/index.js'

const flights = schema({
  time: timestamp('us'),
  day: date(),
  origin: utf8(),
  destination: utf8(),
  delay: nullable(int32()),
  distance: float64(),
  carrier: nullable(int8()),
})
const known = rows([], flights)
const unknown = flowOf<any>({
  label: 'parquet flights.parquet',
  schema: null,
  rowCount: null,
  describe: async () => flights,
  open: async () => ({ splits: [] }),
})

const EXPLAINED = {
  source: known,
  'filter-and-select': known
    .filter(t => t.delay.gt(2.5).and(t.origin.in(['ATL', 'ORD', null])))
    .select('origin', 'delay'),
  'group-and-top': known
    .filter(t => t.day.between('2001-01-01', '2001-03-31'))
    .derive(t => ({ hour: t.time.hour(), speed: t.distance.div(t.delay.add(1)) }))
    .groupBy('origin', 'hour')
    .aggregate(t => ({
      flights: count(),
      late: count().where(t.delay.gt(15)),
      share: count().where(t.delay.gt(15)).div(count()).mul(100),
      speed: mean(t.speed),
    }))
    .filter(t => t.flights.gte(500))
    .orderBy(desc('share', { nulls: 'first' }), 'origin')
    .limit(10, 5),
  'every-aggregate': known.groupBy('origin').aggregate(t => ({
    places: countDistinct(t.destination).where(t.delay.gt(0)),
    spread: stddev(t.distance).div(variance(t.distance, { population: true })),
    middle: median(t.delay),
    high: quantile(t.delay, 0.9),
    worst: topK(t.delay, 3),
    farthest: argMax(t.destination, t.distance),
    path: join(t.destination, ' > '),
    bins: histogram(t.delay, { min: 0, max: 100, bins: 20 }),
    late: every(t.delay.gt(0)),
    about: approxQuantile(t.distance, 0.5, { error: 0.05 }),
    often: approxTopK(t.destination, 2),
  })),
  'grouping-sets': known.cube('origin', 'day', 'carrier').aggregate(t => ({ n: count(), far: mean(t.distance) })),
  'whole-and-count': known.aggregate(() => ({ rows: count() })),
  'limit-then-more': known
    .limit(1000)
    .derive(t => ({ total: t.delay.mul(2) }))
    .groupBy('destination')
    .aggregate(t => ({ least: min(t.total), sum: sum(t.total) })),
  'sort-everything': known.orderBy('time', desc('delay')).drop('time'),
  'odd-names': rows([], schema({ 'two words': utf8(), ['x'.repeat(200)]: int32(), '': int32() })).filter(t =>
    (t as any)[''].gt(0),
  ),
  'first-rows-of-groups': known
    .filter(t => t.delay.gt(0))
    .groupBy('origin')
    .topK(3, desc('delay'))
    .derive(t => ({ hours: t.delay.div(60) }))
    .groupBy('destination')
    .aggregate(t => ({ n: count(), hours: sum(t.hours) })),
  'first-rows-of-windows': known
    .watermark('time', { delay: '1m' })
    .window(sliding('1h', '15m'))
    .groupBy('origin')
    .topK(2, 'delay')
    .select('windowEnd', 'origin', 'delay'),
  'sums-of-windows': known
    .filter(t => t.delay.gt(0))
    .watermark('time', { delay: '1m' })
    .window(sliding('1h', '15m'))
    .groupBy('origin')
    .aggregate(t => ({ delay: sum(t.delay) })),
  'dedupe-within': known
    .watermark('time')
    .dedupe({ keys: ['origin', 'carrier'], within: '10s' })
    .filter(t => t.delay.gt(5)),
  'unknown-schema': unknown
    .filter(t => t.delay.gt(10))
    .derive(t => ({ hour: t.time.hour() }))
    .drop('carrier')
    .rename({ distance: 'miles' })
    .groupBy('hour')
    .aggregate(t => ({ n: count(), miles: sum(t.miles).div(count()) }))
    .orderBy(desc('n'))
    .limit(3),
}

it.each(Object.entries(EXPLAINED))('explains %s', async (name, flow) => {
  await expect(`${flow.explain()}\n`).toMatchFileSnapshot(`../golden/explain/${name}.txt`)
})
