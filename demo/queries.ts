/** What the page asks: flows over the held flights, and their answers as rows. Drawing them is the business of the neighbours. */
import { count, desc, max, mean } from 'millrace'
import { BIN_COUNT, BIN_MINUTES, type DelayRange, LEAST_MINUTES } from './delay-range.js'
import type { Flights } from './flights.js'

export interface Delays {
  readonly flights: number
  /** Minutes; null where there are no flights. */
  readonly meanDelay: number | null
  readonly worstDelay: number | null
}

export interface OriginDelays extends Delays {
  readonly origin: string
}

export interface RouteDelays extends OriginDelays {
  readonly destination: string
}

export interface HourDelays extends Delays {
  readonly hour: number
}

export interface Answers {
  readonly total: Delays
  /** The ten with the most flights. */
  readonly origins: readonly OriginDelays[]
  /** The ten with the greatest mean delay of those with at least 500 flights. */
  readonly routes: readonly RouteDelays[]
  /** Ascending; hours without a flight are absent. */
  readonly hours: readonly HourDelays[]
  readonly tookMs: number
}

/** Queries behind one `Answers`: each goes over all the held rows. */
export const QUERY_COUNT = 4

/** All answers over the flights with a delay in `range`. @throws (rejects) `signal.reason` where it is aborted */
export async function ask(flights: Flights, range: DelayRange, signal: AbortSignal): Promise<Answers> {
  const asked = performance.now()
  const chosen = withDelay(flights, range)
  const [total, origins, routes, hours] = await Promise.all([
    chosen
      .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
      .collect({ signal }),
    chosen
      .groupBy('origin')
      .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
      .orderBy(desc('flights'))
      .limit(10)
      .collect({ signal }),
    chosen
      .groupBy('origin', 'destination')
      .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
      .filter(t => t.flights.gte(500))
      .orderBy(desc('meanDelay'))
      .limit(10)
      .collect({ signal }),
    chosen
      .derive(t => ({ hour: t.date.hour() }))
      .groupBy('hour')
      .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
      .orderBy('hour')
      .collect({ signal }),
  ])
  return {
    total: total.at(0) as Delays,
    origins: origins.toRows(),
    routes: routes.toRows(),
    hours: hours.toRows(),
    tookMs: performance.now() - asked,
  }
}

/** Flights in each bin of delay-range.ts; those beyond its ends are counted in the first and the last. */
export async function countBins(flights: Flights, signal: AbortSignal): Promise<readonly number[]> {
  const table = await flights
    .derive(t => ({ bin: t.delay.intDiv(BIN_MINUTES) }))
    .groupBy('bin')
    .aggregate(() => ({ flights: count() }))
    .collect({ signal })
  const counts = new Array<number>(BIN_COUNT).fill(0)
  for (const { bin, flights } of table) {
    const position = Math.min(Math.max(bin - LEAST_MINUTES / BIN_MINUTES, 0), BIN_COUNT - 1)
    counts[position] += flights
  }
  return counts
}

function withDelay(flights: Flights, { from, to }: DelayRange) {
  if (from !== null && to !== null) return flights.filter(t => t.delay.between(from, to))
  if (from !== null) return flights.filter(t => t.delay.gte(from))
  return to === null ? flights : flights.filter(t => t.delay.lte(to))
}
