/** The histogram of delays, with the brush of brush.ts over it. Bars count all flights, whatever is selected. */
import { createBrush } from './brush.js'
import {
  BIN_COUNT,
  binsOfDelays,
  type DelayRange,
  delaysOfBins,
  LEAST_MINUTES,
  MOST_MINUTES,
  minutesOfBin,
  sayRange,
} from './delay-range.js'
import { make, makeSvg } from './dom.js'
import { formatFlights } from './format.js'

export interface Histogram {
  /** One count a bin of delay-range.ts. */
  draw(counts: readonly number[]): void
  select(range: DelayRange): void
  enable(enabled: boolean): void
}

const TICK_MINUTES = 30
/** Heights are square roots, or the long tail would not be seen at all. */
const heightOf = (count: number, most: number): number => (most === 0 ? 0 : Math.sqrt(count / most))
const GRID_COUNTS = [10_000, 100_000, 300_000]

/**
 * @param container of the class `plot`, empty
 * @param reading where the bin under a mouse is put in words
 */
export function createHistogram(
  container: HTMLElement,
  reading: HTMLElement,
  onBrush: (range: DelayRange) => void,
): Histogram {
  const brush = createBrush({
    binCount: BIN_COUNT,
    labels: { first: 'Least delay', end: 'Greatest delay' },
    describedBy: 'brush-help',
    valueOfBound: minutesOfBin,
    sayBound: (bin, side) =>
      bin === 0 || bin === BIN_COUNT
        ? 'no bound'
        : `${side === 'first' ? minutesOfBin(bin) : minutesOfBin(bin) - 1} minutes`,
    onChange(selection) {
      mark(selection.first, selection.end)
      onBrush(delaysOfBins(selection))
    },
  })
  const svg = makeSvg('svg', { viewBox: `0 0 ${BIN_COUNT} 1`, preserveAspectRatio: 'none', 'aria-hidden': 'true' })
  const bars = Array.from({ length: BIN_COUNT }, (_, bin) =>
    makeSvg('rect', { x: bin + 0.08, width: 0.84, y: 1, height: 0, class: 'bin' }),
  )
  svg.append(...bars)
  const grid = make('div', { className: 'grid' })
  const area = make('div', { className: 'area' }, [grid, svg, brush.element])
  container.replaceChildren(area, axis())
  const rest = reading.textContent ?? ''
  let counts: readonly number[] = []

  function mark(first: number, end: number): void {
    bars.forEach((bar, bin) => bar.classList.toggle('out', bin < first || bin >= end))
  }

  area.addEventListener('pointermove', event => {
    if (event.pointerType !== 'mouse' || counts.length === 0) return
    const { left, width } = area.getBoundingClientRect()
    const bin = Math.floor(((event.clientX - left) / width) * BIN_COUNT)
    if (bin < 0 || bin >= BIN_COUNT) return
    const delays = sayRange(delaysOfBins({ first: bin, end: bin + 1 }))
    reading.textContent = `${delays}: ${formatFlights(counts[bin])}`
  })
  area.addEventListener('pointerleave', () => {
    reading.textContent = rest
  })

  return {
    draw(next) {
      counts = next
      const most = Math.max(...next)
      bars.forEach((bar, bin) => {
        const height = heightOf(next[bin], most)
        bar.setAttribute('y', String(1 - height))
        bar.setAttribute('height', String(height))
      })
      grid.replaceChildren(
        ...GRID_COUNTS.filter(count => count < most).map(count => {
          const line = make('div', { className: 'line' }, [make('span', { className: 'level' }, [`${count / 1000} k`])])
          line.style.bottom = `${heightOf(count, most) * 100}%`
          return line
        }),
      )
    },
    select(range) {
      const { first, end } = binsOfDelays(range)
      brush.select({ first, end })
      mark(first, end)
    },
    enable: brush.enable,
  }
}

function axis(): HTMLElement {
  const ticks: HTMLElement[] = []
  for (let minutes = LEAST_MINUTES; minutes <= MOST_MINUTES; minutes += TICK_MINUTES) {
    const text = minutes === MOST_MINUTES ? `${minutes}+` : String(minutes).replace('-', '−')
    const tick = make('span', { className: 'tick' }, [text])
    tick.style.left = `${((minutes - LEAST_MINUTES) / (minutesOfBin(BIN_COUNT) - LEAST_MINUTES)) * 100}%`
    ticks.push(tick)
  }
  const element = make('div', { className: 'axis' }, ticks)
  element.ariaHidden = 'true'
  return element
}
