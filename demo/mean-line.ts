/** A line of means that moves on as event time does: a week of it. */
import { gridValues } from './bars.js'
import { make, makeSvg } from './dom.js'
import { formatFlights, formatTenths, formatWhole } from './format.js'
import type { MeanOfHours } from './live-queries.js'
import { formatClock, formatDay } from './when.js'

export interface MeanLine {
  add(mean: MeanOfHours): void
  /** With the watermark at the right edge. */
  draw(watermarkMs: number): void
  clear(): void
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const SPAN_MS = 7 * DAY_MS
/** What is always seen, so that a calm week does not look like a wild one. */
const LEAST_SHOWN: readonly [number, number] = [0, 20]
const FLOOR_STEP = 5

/**
 * @param container of the class `plot`, empty
 * @param reading where the last mean is put in words
 */
export function createMeanLine(container: HTMLElement, reading: HTMLElement): MeanLine {
  const svg = makeSvg('svg', { preserveAspectRatio: 'none', viewBox: '0 0 1 1', 'aria-hidden': 'true' })
  const fill = makeSvg('path', { class: 'fill' })
  const line = makeSvg('path', { class: 'mean', 'vector-effect': 'non-scaling-stroke' })
  svg.append(fill, line)
  const grid = make('div', { className: 'grid' })
  const dot = make('div', { className: 'dot', hidden: true })
  const clip = make('div', { className: 'clip' }, [svg])
  const area = make('div', { className: 'area', role: 'img' }, [grid, clip, dot])
  const ticks = Array.from({ length: 8 }, () => make('span', { className: 'tick' }))
  const axis = make('div', { className: 'axis' }, ticks)
  axis.ariaHidden = 'true'
  container.replaceChildren(area, axis)
  let means: MeanOfHours[] = []
  let scale = ''
  let said: MeanOfHours | undefined

  /** Anew only when it changes: it is not what moves. */
  function drawGrid(lines: readonly number[], floor: number, heightOf: (value: number) => number): void {
    const next = `${lines} from ${floor}`
    if (scale === next) return
    scale = next
    grid.replaceChildren(
      ...lines.map(value => {
        const line = make('div', { className: value === 0 ? 'line zero' : 'line' }, [
          make('span', { className: 'level' }, [`${formatWhole(value)} min`]),
        ])
        line.style.bottom = `${heightOf(value) * 100}%`
        return line
      }),
    )
  }

  function say(): void {
    const last = means.at(-1)
    if (last !== undefined && last === said) return
    said = last
    reading.textContent =
      last === undefined
        ? 'no window has closed yet'
        : `${formatTenths(last.meanDelay)} min, of ${formatFlights(last.flights)} to ${formatClock(last.endMs)}`
    const values = means.map(({ meanDelay }) => meanDelay)
    area.ariaLabel =
      last === undefined
        ? 'A line of the mean delay over six hours; no window has closed yet.'
        : `A line of the mean delay over six hours, for the week to ${formatDay(last.endMs)}: from ${formatTenths(Math.min(...values))} to ${formatTenths(Math.max(...values))} minutes, at last ${formatTenths(last.meanDelay)}.`
  }

  say()
  return {
    add(mean) {
      means.push(mean)
    },
    draw(watermarkMs) {
      const first = watermarkMs - SPAN_MS
      // One beyond the left edge, that the line may come in from.
      while (means.length > 1 && means[1].endMs < first) means.shift()
      const values = means.map(({ meanDelay }) => meanDelay)
      const lines = gridValues(Math.min(LEAST_SHOWN[0], ...values), Math.max(LEAST_SHOWN[1], ...values))
      const high = lines[lines.length - 1]
      // In whole steps, or the grid would move with every value.
      const floor = Math.floor(Math.min(LEAST_SHOWN[0], ...values) / FLOOR_STEP) * FLOOR_STEP
      const heightOf = (value: number) => (value - floor) / (high - floor)
      const at = (ms: number) => (ms - first) / SPAN_MS
      drawGrid(lines, floor, heightOf)
      const points = means.map(
        ({ endMs, meanDelay }) => `${at(endMs).toFixed(5)},${(1 - heightOf(meanDelay)).toFixed(4)}`,
      )
      const last = means.at(-1)
      line.setAttribute('d', points.length === 0 ? '' : `M${points.join('L')}`)
      fill.setAttribute(
        'd',
        last === undefined
          ? ''
          : `M${at(means[0].endMs)},${1 - heightOf(0)}L${points.join('L')}L${at(last.endMs)},${1 - heightOf(0)}Z`,
      )
      dot.hidden = last === undefined
      if (last !== undefined) {
        dot.style.left = `${at(last.endMs) * 100}%`
        dot.style.bottom = `${heightOf(last.meanDelay) * 100}%`
      }
      const midnight = Math.ceil(first / DAY_MS) * DAY_MS
      ticks.forEach((tick, i) => {
        const ms = midnight + i * DAY_MS
        const place = at(ms)
        const text = formatDay(ms)
        if (tick.textContent !== text) tick.textContent = text
        tick.classList.toggle('odd', (ms / DAY_MS) % 2 !== 0)
        tick.style.left = `${place * 100}%`
        tick.hidden = place > 0.97 || place < 0.03
      })
      say()
    },
    clear() {
      means = []
      line.setAttribute('d', '')
      fill.setAttribute('d', '')
      dot.hidden = true
      say()
    },
  }
}
