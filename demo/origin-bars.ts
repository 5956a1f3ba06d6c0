/** The busiest origins of the hour that has closed last, each with a bar of its mean delay: a table, so that it can be read as one. */
import { cityOf } from './airports.js'
import { formatTenths, formatWhole } from './format.js'
import type { OriginHour } from './live-queries.js'
import { createTable } from './table.js'

export interface OriginBars {
  /** All origins of the hour, in any order. */
  draw(origins: readonly OriginHour[]): void
  clear(): void
}

const ROWS = 14
/** Of a full bar, in minutes. */
const STEPS = [30, 60, 120, 240, 480, 960, 1920]

/**
 * @param table empty
 * @param scale where it is said what a full bar is
 */
export function createOriginBars(table: HTMLTableElement, scale: HTMLElement): OriginBars {
  let fullMinutes = STEPS[0]
  const show = createTable<OriginHour>(
    table,
    [
      { title: 'Airport', text: ({ origin }) => origin, detail: ({ origin }) => cityOf(origin) },
      { title: 'Flights', text: ({ flights }) => formatWhole(flights) },
      {
        title: 'Mean delay, min',
        text: ({ meanDelay }) => formatTenths(meanDelay),
        share: ({ meanDelay }) => Math.max(-1, meanDelay / fullMinutes),
      },
    ],
    ROWS,
    'No hour has closed yet.',
  )
  show([])
  return {
    draw(origins) {
      const busiest = [...origins]
        .sort((a, b) => b.flights - a.flights || (a.origin < b.origin ? -1 : 1))
        .slice(0, ROWS)
      const most = Math.max(...busiest.map(({ meanDelay }) => Math.abs(meanDelay)), 0)
      fullMinutes = STEPS.find(step => step >= most) ?? most
      scale.textContent = `A full bar is ${formatWhole(fullMinutes)} minutes; teal is early on the whole.`
      show(busiest)
    },
    clear: () => show([]),
  }
}
