/** Real rows: flights between airports joined to these, both ends, against a map of JavaScript. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { count, csv, desc, sum } from '../../src/index.js'

const data = join(import.meta.dirname, '../../node_modules/vega-datasets/data')

interface Airport {
  readonly iata: string
  readonly state: string
}

it.each([0, 1, 2, 3])('flights meet the airports at both ends, on %d lanes', async lanes => {
  const airports = csv(join(data, 'airports.csv')).select('iata', 'state')
  const flights = csv(join(data, 'flights-airport.csv'))
  const texts = await Promise.all(
    ['airports.csv', 'flights-airport.csv'].map(name => readFile(join(data, name), 'utf8')),
  )
  const [airportRows, flightRows] = await Promise.all(
    texts.map(async text => (await csv({ text }).collect({ lanes: 0 })).toRows()),
  )
  const byCode = new Map((airportRows as unknown as Airport[]).map(each => [each.iata, each]))
  expect(byCode.size).toBe(airportRows?.length)
  const wanted = (flightRows as { origin: string; destination: string; count: number }[]).flatMap(flight => {
    const [from, to] = [byCode.get(flight.origin), byCode.get(flight.destination)]
    return from === undefined ? [] : [{ ...flight, state: from.state, state_to: to?.state ?? null }]
  })
  expect(wanted.length).toBeGreaterThan(5000)
  const both = flights.join(airports, { origin: 'iata' }).leftJoin(airports, { destination: 'iata' }, { suffix: '_to' })
  const o = { lanes }
  expect((await both.collect(o)).toRows()).toEqual(wanted)
  const known = new Set(wanted.map(({ origin }) => origin))
  const idle = await airports
    .antiJoin(flights, { iata: 'origin' })
    .aggregate(() => ({ n: count() }))
    .collect(o)
  expect(idle.at(0)).toEqual({ n: byCode.size - known.size })
  const states = await both
    .groupBy('state')
    .aggregate(t => ({ flights: sum(t.count) }))
    .orderBy(desc('flights'), 'state')
    .limit(3)
    .collect(o)
  const totals = new Map<string, number>()
  for (const { state, count } of wanted) totals.set(state, (totals.get(state) ?? 0) + count)
  const most = [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 3)
  expect(states.toRows()).toEqual(most.map(([state, flights]) => ({ state, flights })))
})
