/** Event time as it goes: hours that have closed and those that are open, the watermark between them, the latest time, the report that has just come, and those that came too late. */
import { make } from './dom.js'
import { formatWhole } from './format.js'
import type { LateReport } from './live-queries.js'
import { formatClock, formatMoment, formatSpan } from './when.js'

export interface Moments {
  /** When the last report came. */
  readonly reportedMs: number
  readonly latestMs: number
  readonly watermarkMs: number
}

export interface WindowStrip {
  closed(endMs: number, flights: number): void
  late(report: LateReport): void
  draw(moments: Moments): void
  clear(): void
}

const HOUR_MS = 3_600_000
const BEFORE_MS = 12 * HOUR_MS
const AFTER_MS = 3 * HOUR_MS
const SPAN_MS = BEFORE_MS + AFTER_MS
const CELLS = SPAN_MS / HOUR_MS + 1
const LATE_SHOWN = 120
/** Of a dot at the top: told so long after its time. */
const MOST_LATE_MS = 8 * HOUR_MS

/**
 * @param container of the class `plot`, empty
 * @param reading where it is put in words
 */
export function createWindowStrip(container: HTMLElement, reading: HTMLElement): WindowStrip {
  const cells = Array.from({ length: CELLS }, () => {
    const bar = make('div', { className: 'closed' })
    const element = make('div', { className: 'cell' }, [bar])
    const tick = make('span', { className: 'tick' })
    return { element, bar, tick }
  })
  const dots = Array.from({ length: LATE_SHOWN }, () => make('div', { className: 'late', hidden: true }))
  const markers = {
    watermark: make('div', { className: 'marker watermark' }, [make('span', {}, ['watermark'])]),
    latest: make('div', { className: 'marker newest' }, [make('span', {}, ['latest time'])]),
    reported: make('div', { className: 'marker reported' }, [make('span', {}, ['now'])]),
  }
  const clip = make('div', { className: 'clip' }, [...cells.map(({ element }) => element), ...dots])
  const area = make('div', { className: 'area strip', role: 'img' }, [clip, ...Object.values(markers)])
  const axis = make(
    'div',
    { className: 'axis' },
    cells.map(({ tick }) => tick),
  )
  axis.ariaHidden = 'true'
  container.replaceChildren(area, axis)
  const hours = new Map<number, number>()
  let late: LateReport[] = []
  /** The hour of the label: it is not told anew with every report. */
  let said = Number.NaN

  function clear(): void {
    hours.clear()
    late = []
    said = Number.NaN
    for (const marker of Object.values(markers)) marker.hidden = true
    for (const { element, tick } of cells) element.hidden = tick.hidden = true
    for (const dot of dots) dot.hidden = true
    reading.textContent = 'no report has come yet'
    area.ariaLabel = 'Hours and the watermark; no report has come yet.'
  }

  clear()
  return {
    closed(endMs, flights) {
      hours.set(endMs, (hours.get(endMs) ?? 0) + flights)
    },
    late(report) {
      late.push(report)
      if (late.length > LATE_SHOWN) late.shift()
    },
    draw({ reportedMs, latestMs, watermarkMs }) {
      const first = reportedMs - BEFORE_MS
      const at = (ms: number) => (ms - first) / SPAN_MS
      for (const endMs of hours.keys()) if (endMs < first) hours.delete(endMs)
      const most = Math.max(1, ...hours.values())
      const begin = Math.floor(first / HOUR_MS) * HOUR_MS
      cells.forEach(({ element, bar, tick }, i) => {
        const startMs = begin + i * HOUR_MS
        const endMs = startMs + HOUR_MS
        const left = at(startMs)
        element.hidden = false
        element.classList.toggle('open', endMs > watermarkMs)
        element.style.left = `${left * 100}%`
        element.style.width = `${(HOUR_MS / SPAN_MS) * 100}%`
        bar.style.height = `${((hours.get(endMs) ?? 0) / most) * 100}%`
        tick.hidden = left < 0.02 || left > 0.98 || (startMs / HOUR_MS) % 3 !== 0
        const text = formatClock(startMs)
        if (tick.textContent !== text) tick.textContent = text
        tick.style.left = `${left * 100}%`
      })
      dots.forEach((dot, i) => {
        const report = late[i]
        const left = report === undefined ? -1 : at(report.dateMs)
        dot.hidden = left < 0
        if (dot.hidden) return
        dot.style.left = `${left * 100}%`
        const share = Math.min(1, (report.reportedMs - report.dateMs) / MOST_LATE_MS)
        dot.style.bottom = `${4 + 91 * Math.max(0, share)}%`
      })
      const places = { watermark: watermarkMs, latest: latestMs, reported: reportedMs }
      for (const name of Object.keys(places) as (keyof typeof places)[]) {
        const left = at(places[name])
        markers[name].hidden = left < 0 || left > 1
        markers[name].style.left = `${left * 100}%`
      }
      const last = late.at(-1)
      reading.textContent =
        last === undefined
          ? `hours up to ${formatClock(watermarkMs)} are closed`
          : `late: ${last.origin} of ${formatClock(last.dateMs)}, by ${formatSpan(last.reportedMs - last.dateMs)}`
      const closedHours = Math.floor(watermarkMs / HOUR_MS)
      if (closedHours === said) return
      said = closedHours
      area.ariaLabel = `Hours up to the watermark, ${formatMoment(watermarkMs)}, are closed; the latest flight has the time ${formatMoment(latestMs)}. ${formatWhole(late.filter(({ dateMs }) => dateMs >= first).length)} reports came for hours that were closed.`
    },
    clear,
  }
}
