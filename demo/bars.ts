/** A bar chart over the hours of the day, with a zero line where values fall below it. table.ts shows the same numbers as text. */
import { make, makeSvg } from './dom.js'
import { formatFlights, formatHour, formatTenths, formatWhole } from './format.js'
import type { HourDelays } from './queries.js'

export interface Measure {
  readonly name: string
  readonly valueOf: (hour: HourDelays) => number | null
  /** Of a line of the grid. */
  readonly format: (value: number) => string
}

export const measures: readonly Measure[] = [
  { name: 'Mean delay', valueOf: ({ meanDelay }) => meanDelay, format: value => `${formatWhole(value)} min` },
  { name: 'Flights', valueOf: ({ flights }) => flights, format: formatCount },
]

export interface HourBars {
  draw(hours: readonly HourDelays[], measure: Measure): void
}

const HOURS = 24
/** The bars begin where the day of an airline does, so that delays are seen to grow into the night. */
const FIRST_HOUR = 5
const TICK_HOURS = 3
const hourAt = (position: number): number => (position + FIRST_HOUR) % HOURS

/**
 * @param container of the class `plot`, empty
 * @param reading where the hour under a mouse, or else the greatest, is put in words
 */
export function createHourBars(container: HTMLElement, reading: HTMLElement): HourBars {
  const svg = makeSvg('svg', { preserveAspectRatio: 'none', viewBox: `0 0 ${HOURS} 1`, 'aria-hidden': 'true' })
  const bars = Array.from({ length: HOURS }, (_, position) =>
    makeSvg('rect', { x: position + 0.12, width: 0.76, y: 1, height: 0, class: 'hour' }),
  )
  svg.append(...bars)
  const grid = make('div', { className: 'grid' })
  const area = make('div', { className: 'area', role: 'img' }, [grid, svg])
  container.replaceChildren(area, axis())
  let shown: readonly (HourDelays | undefined)[] = []
  let rest = ''

  area.addEventListener('pointermove', event => {
    const { left, width } = area.getBoundingClientRect()
    const hour = shown[Math.floor(((event.clientX - left) / width) * HOURS)]
    if (event.pointerType === 'mouse' && hour !== undefined) reading.textContent = sayHour(hour)
  })
  area.addEventListener('pointerleave', () => {
    reading.textContent = rest
  })

  return {
    draw(hours, measure) {
      shown = Array.from({ length: HOURS }, (_, position) => hours.find(({ hour }) => hour === hourAt(position)))
      const values = shown.map(hour => (hour === undefined ? 0 : (measure.valueOf(hour) ?? 0)))
      const [low, most] = [Math.min(0, ...values), Math.max(0, ...values)]
      const lines = gridValues(low, most)
      const high = lines[lines.length - 1]
      /** 0 at the bottom, 1 at the top. */
      const heightOf = (value: number) => (high === low ? 0 : (value - low) / (high - low))
      bars.forEach((bar, position) => {
        const value = values[position]
        const [bottom, top] = [heightOf(Math.min(0, value)), heightOf(Math.max(0, value))]
        bar.style.setProperty('y', `${1 - top}px`)
        bar.style.setProperty('height', `${top - bottom}px`)
        bar.classList.toggle('below', value < 0)
      })
      grid.replaceChildren(
        ...lines.map(value => {
          const line = make('div', { className: value === 0 ? 'line zero' : 'line' }, [
            make('span', { className: 'level' }, [measure.format(value)]),
          ])
          line.style.bottom = `${heightOf(value) * 100}%`
          return line
        }),
      )
      const greatest = shown[values.indexOf(Math.max(...values))]
      rest = greatest === undefined ? 'no flights' : `most at ${sayHour(greatest)}`
      reading.textContent = rest
      area.ariaLabel = `Bars of ${measure.name.toLowerCase()} for each hour of the day; ${rest}. The table of hours has all values.`
    },
  }
}

const sayHour = ({ hour, flights, meanDelay }: HourDelays): string =>
  `${formatHour(hour)}: ${formatFlights(flights)}, ${meanDelay === null ? 'no' : formatTenths(meanDelay)} min mean`

function formatCount(value: number): string {
  return value >= 1000 ? `${formatWhole(value / 1000)} k` : formatWhole(value)
}

/** Round values, zero among them, from at least `low` to at least `high`: three to six of them. */
export function gridValues(low: number, high: number): number[] {
  if (low === high) return [0, 1]
  const rough = (high - low) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find(factor => factor * power >= rough) as number)
  const values: number[] = []
  for (let i = Math.ceil(low / step); i < high / step + 1; i++) values.push(i === 0 ? 0 : i * step)
  return values
}

function axis(): HTMLElement {
  const ticks: HTMLElement[] = []
  for (let position = 0; position < HOURS; position += TICK_HOURS) {
    const tick = make('span', { className: 'tick' }, [formatHour(hourAt(position)).slice(0, 2)])
    tick.style.left = `${((position + 0.5) / HOURS) * 100}%`
    ticks.push(tick)
  }
  const element = make('div', { className: 'axis' }, ticks)
  element.ariaHidden = 'true'
  return element
}
