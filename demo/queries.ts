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

/** One of the four answers, as soon as it is there. */
export type Answer =
  | { readonly about: 'total'; readonly total: Delays }
  /** Ascending; hours without a flight are absent. */
  | { readonly about: 'hours'; readonly hours: readonly HourDelays[] }
  /** The ten with the most flights. */
  | { readonly about: 'origins'; readonly origins: readonly OriginDelays[] }
  /** The ten with the greatest mean delay of those with at least 500 flights. */
  | { readonly about: 'routes'; readonly routes: readonly RouteDelays[] }

/** Each goes over all the held rows. */
export const QUERY_COUNT = 4

/**
 * Answers over the flights with a delay in `range`, one query after the other: the lanes are as busy as with all at once, the first answer
 * is drawn while the others are computed, and of a question that is overtaken most has not begun.
 * @throws (rejects) `signal.reason` where it is aborted
 */
export async function* ask(flights: Flights, range: DelayRange, signal: AbortSignal): AsyncGenerator<Answer> {
  const chosen = withDelay(flights, range)
  const total = await chosen
    .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
    .collect({ signal })
  yield { about: 'total', total: total.at(0) as Delays }
  const hours = await chosen
    .derive(t => ({ hour: t.date.hour() }))
    .groupBy('hour')
    .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
    .orderBy('hour')
    .collect({ signal })
  yield { about: 'hours', hours: hours.toRows() }
  const origins = await chosen
    .groupBy('origin')
    .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
    .orderBy(desc('flights'))
    .limit(10)
    .collect({ signal })
  yield { about: 'origins', origins: origins.toRows() }
  const routes = await chosen
    .groupBy('origin', 'destination')
    .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
    .filter(t => t.flights.gte(500))
    .orderBy(desc('meanDelay'))
    .limit(10)
    .collect({ signal })
  yield { about: 'routes', routes: routes.toRows() }
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
