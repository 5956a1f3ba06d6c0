/**
 * The live page: plays the flights as they were reported, and shows what closes while it plays. Everything else is a neighbour's: the replay (player.ts), what is asked
 * (live-queries.ts), how it is drawn (mean-line, window-strip, origin-bars), what is measured (latency, rate, meter).
 */
import type { Progress } from 'millrace'
import { byId } from './dom.js'
import { createFigures } from './figures.js'
import { formatBytes, formatDuration, formatMagnitude, formatShare, formatWhole } from './format.js'
import { laneChoices, lanesOfAddress, sayLanes, writeLanes } from './lanes.js'
import { createLatency } from './latency.js'
import { latest } from './latest.js'
import type { OriginHour } from './live-queries.js'
import { createMeanLine } from './mean-line.js'
import { watchLongTasks } from './meter.js'
import { createOriginBars } from './origin-bars.js'
import { createPace } from './pace.js'
import { play, type Standing } from './player.js'
import { createRate } from './rate.js'
import { createSegments } from './segments.js'
import { FIRST_SPEED, speeds, timesOf } from './speeds.js'
import { formatClock, formatMoment, formatSpan } from './when.js'
import { createWindowStrip } from './window-strip.js'

type State = 'reading' | 'playing' | 'paused' | 'ended' | 'stopped' | 'failed'

const calm = matchMedia('(prefers-reduced-motion: reduce)')
/** Figures in words are read, not watched; and who wants little motion gets a new picture a second. */
const FIGURES_EVERY_MS = 250
const CALM_EVERY_MS = 1000
/** At full speed nobody can follow each frame, and painting takes the time of the reports. */
const RACE_EVERY_MS = 60

const figure = createFigures(byId('meters'), ['Reports', 'Latency', 'Late', 'Watermark', 'Lanes', 'Longest task'])
const longTasks = watchLongTasks(() => {})
const line = createMeanLine(byId('line'), byId('line-reading'))
const strip = createWindowStrip(byId('windows'), byId('windows-reading'))
const bars = createOriginBars(byId<HTMLTableElement>('origins'), byId('origins-scale'))
const toggle = byId<HTMLButtonElement>('toggle')
const stop = byId<HTMLButtonElement>('stop')
const slider = byId<HTMLInputElement>('speed')

const rate = createRate()
let latency = createLatency()
let pace = createPace()
let state: State = 'reading'
let lanes = lanesOfAddress()
let standing: (() => Standing) | null = null
let hour: { readonly endMs: number; origins: readonly OriginHour[] } | null = null
/** What has come since the last frame that drew. */
let isNew = false
let isHourNew = false
let drawnMs = 0
let drawnWatermarkMs: number | null = null
let figuresMs = 0

const replay = latest(async signal => {
  forget()
  setState('reading')
  showProgress({ rows: 0, totalRows: 1, bytes: 0, totalBytes: 0 })
  const own = pace
  const measured = latency
  await play(lanes, own, signal, {
    onProgress: showProgress,
    onOpen(next) {
      if (signal.aborted) return
      standing = next
      // Who wants little motion starts it.
      setState(calm.matches ? 'paused' : 'playing')
    },
    onPush(watermarkMs) {
      measured.pushed(watermarkMs)
      isNew = true
    },
    onHour(endMs, flights) {
      if (signal.aborted) return
      strip.closed(endMs, flights)
      measured.answered(endMs)
      isNew = true
    },
    onOrigins(endMs, origins) {
      if (signal.aborted) return
      hour = { endMs, origins: hour?.endMs === endMs ? [...hour.origins, ...origins] : origins }
      isHourNew = true
    },
    onMean(mean) {
      if (!signal.aborted) line.add(mean)
    },
    onLate(report) {
      if (!signal.aborted) strip.late(report)
    },
  })
  if (!signal.aborted) setState('ended')
})

const start = () => void replay.start().catch(fail)

/** Of the replay before nothing is left on the page. */
function forget(): void {
  pace.speed = 0
  pace = createPace()
  latency.close()
  latency = createLatency()
  standing = null
  hour = null
  for (const each of [line, strip, bars]) each.clear()
  rate.reset()
  longTasks.reset()
}

function setState(next: State): void {
  state = next
  document.body.dataset.state = next
  performance.mark(`demo:${next}`)
  byId('reading').hidden = next !== 'reading'
  byId('controls').hidden = next === 'reading'
  byId('failure').hidden = next !== 'failed'
  pace.speed = next === 'playing' ? timesOf(chosenSpeed()) : 0
  toggle.textContent = next === 'playing' ? 'Pause' : next === 'paused' ? 'Play' : 'Play again'
  stop.disabled = next !== 'playing' && next !== 'paused'
  // Told by this element only: what moves would never let a screen reader come to an end.
  byId('said').textContent = sentence(next)
  if (next !== 'reading') figures()
}

function sentence(next: State): string {
  if (next === 'playing') return `Playing, ${chosenSpeed().label}.`
  if (next === 'paused') return `Paused at ${byId('clock').textContent}.`
  return next === 'ended' ? 'All reports have been played.' : next === 'stopped' ? 'Stopped.' : ''
}

function fail(error: unknown): void {
  console.error(error)
  byId('failure').textContent = error instanceof Error ? error.message : String(error)
  setState('failed')
}

const chosenSpeed = () => speeds[Number(slider.value)]

function showSpeed(): void {
  const { label } = chosenSpeed()
  byId('speed-text').textContent = label
  slider.setAttribute('aria-valuetext', label)
}

slider.max = String(speeds.length - 1)
slider.value = String(FIRST_SPEED)
showSpeed()
slider.addEventListener('input', () => {
  showSpeed()
  latency.reset()
  if (state === 'playing') pace.speed = timesOf(chosenSpeed())
})
toggle.addEventListener('click', () => {
  if (state === 'playing') setState('paused')
  else if (state === 'paused') setState('playing')
  else start()
})
stop.addEventListener('click', () => {
  figures()
  replay.stop()
  setState('stopped')
})
createSegments(byId('lanes'), laneChoices(lanes), lanes, next => {
  lanes = next
  writeLanes(next)
  start()
})
// A page that is left may be kept, and come back: it holds no lanes meanwhile.
addEventListener('pagehide', () => replay.stop())
addEventListener('pageshow', event => {
  if (event.persisted) start()
})

const drawEveryMs = () => (calm.matches ? CALM_EVERY_MS : pace.speed === Infinity ? RACE_EVERY_MS : 0)

function frame(now: number): void {
  requestAnimationFrame(frame)
  if (standing === null) return
  if (now - drawnMs >= drawEveryMs()) {
    const next = standing()
    // The watermark moves once a push is answered, also where that closes nothing.
    if (isNew || next.watermarkMs !== drawnWatermarkMs) {
      isNew = false
      drawnMs = now
      drawnWatermarkMs = next.watermarkMs
      draw(next)
      latency.drawn()
      // What was under way is answered in a pause too.
      if (state !== 'playing') figures()
    }
  }
  if (state === 'playing' && now - figuresMs >= (calm.matches ? CALM_EVERY_MS : FIGURES_EVERY_MS)) {
    figuresMs = now
    figures()
  }
}

function draw({ reportedMs, latestMs, watermarkMs, pushed, rowCount, groups }: Standing): void {
  if (watermarkMs === null || pushed === 0) return
  byId('clock').textContent = formatMoment(reportedMs)
  byId('played').textContent = `${formatWhole(pushed)} of ${formatWhole(rowCount)} reports`
  strip.draw({ reportedMs, latestMs, watermarkMs })
  line.draw(watermarkMs)
  figure(
    'Watermark',
    formatClock(watermarkMs),
    `${formatSpan(latestMs - watermarkMs)} behind ${formatClock(latestMs)}; ${formatWhole(groups)} groups open`,
  )
  if (hour === null || !isHourNew) return
  isHourNew = false
  bars.draw(hour.origins)
  byId('origins-reading').textContent = `of the hour to ${formatMoment(hour.endMs)}`
}

function figures(): void {
  const now = standing?.()
  figure('Lanes', String(lanes), sayLanes(lanes))
  showLongTasks()
  if (now === undefined || now.pushed === 0) return
  const { pushed, lateRows } = now
  const rows = state === 'playing' ? rate.at(pushed) : null
  if (state !== 'playing') rate.reset()
  figure(
    'Reports',
    rows === null
      ? state === 'playing'
        ? 'starting'
        : 'none'
      : `${rows < 1000 ? formatWhole(rows) : formatMagnitude(rows)} rows/s`,
    `${formatWhole(pushed)} so far`,
  )
  const median = latency.quantile(0.5)
  const worst = latency.quantile(0.99)
  figure(
    'Latency',
    median === null || worst === null ? '–' : `${formatDuration(median)} p50`,
    median === null || worst === null ? 'from push to shown' : `${formatDuration(worst)} p99, from push to shown`,
  )
  figure('Late', formatWhole(lateRows), `${formatShare(lateRows, pushed)} of all`)
}

function showProgress({ rows, totalRows, bytes, totalBytes }: Progress): void {
  const bar = byId<HTMLProgressElement>('progress')
  bar.max = totalRows
  bar.value = rows
  byId('progress-text').textContent =
    totalBytes === 0 ? 'starting' : `${formatWhole(rows)} flights, ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
}

function showLongTasks(): void {
  const { worstMs } = longTasks
  figure(
    'Longest task',
    worstMs === null ? 'not told' : worstMs > 50 ? `${formatWhole(worstMs)} ms` : 'under 50 ms',
    worstMs === null ? 'by this browser' : 'on the main thread, since it began',
  )
}

requestAnimationFrame(frame)
start()
