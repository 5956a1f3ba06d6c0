/**
 * The page: reads the flights once, holds them in the lanes, and asks the same questions again whenever the brush moves. Everything else
 * is a neighbour's: what is asked (queries.ts), how it is drawn (histogram, bars, table), what is measured (meter).
 */
import type { Progress } from 'millrace'
import { cityOf } from './airports.js'
import { createHourBars, type Measure, measures } from './bars.js'
import { type DelayRange, everything, presets, sameRange, sayRange } from './delay-range.js'
import { byId, make } from './dom.js'
import { createFigures } from './figures.js'
import { type OpenFlights, openFlights } from './flights.js'
import {
  formatBytes,
  formatDuration,
  formatFlights,
  formatHour,
  formatMagnitude,
  formatShare,
  formatTenths,
  formatWhole,
} from './format.js'
import { createHistogram } from './histogram.js'
import { laneChoices, lanesOfAddress, sayLanes, writeLanes } from './lanes.js'
import { latest } from './latest.js'
import { measureDownloads, watchLongTasks } from './meter.js'
import {
  ask,
  countBins,
  type Delays,
  type HourDelays,
  type OriginDelays,
  QUERY_COUNT,
  type RouteDelays,
} from './queries.js'
import { createSegments } from './segments.js'
import { createTable, type TableColumn } from './table.js'

performance.setResourceTimingBufferSize(1000)

const figure = createFigures(byId('meters'), [
  'Reading',
  'Answering',
  'Lanes',
  'Downloaded',
  'Held in memory',
  'Longest task',
])
const longTasks = watchLongTasks(showLongTasks)
const histogram = createHistogram(byId('histogram'), byId('delay-reading'), range => void choose(range))
const hourBars = createHourBars(byId('hours-chart'), byId('hours-reading'))

const delayColumns: readonly TableColumn<Delays>[] = [
  {
    title: 'Flights',
    text: ({ flights }) => formatWhole(flights),
    share: ({ flights }, rows) => flights / Math.max(...rows.map(row => row.flights)),
  },
  { title: 'Mean delay', text: ({ meanDelay }) => (meanDelay === null ? '–' : formatTenths(meanDelay)) },
  { title: 'Worst delay', text: ({ worstDelay }) => (worstDelay === null ? '–' : formatWhole(worstDelay)) },
]
const showOrigins = createTable<OriginDelays>(
  byId<HTMLTableElement>('origins'),
  [{ title: 'Airport', text: ({ origin }) => origin, detail: ({ origin }) => cityOf(origin) }, ...delayColumns],
  10,
  'No flights have such a delay.',
)
const showRoutes = createTable<RouteDelays>(
  byId<HTMLTableElement>('routes'),
  [
    {
      title: 'Route',
      text: ({ origin, destination }) => `${origin} → ${destination}`,
      detail: ({ origin, destination }) => `${cityOf(origin)} to ${cityOf(destination)}`,
    },
    ...delayColumns,
  ],
  10,
  'No route has 500 flights with such a delay.',
)
const showHours = createTable<HourDelays>(
  byId<HTMLTableElement>('hours'),
  [{ title: 'Hour', text: ({ hour }) => formatHour(hour) }, ...delayColumns],
  24,
  'No flights have such a delay.',
)

let open: OpenFlights | null = null
let range: DelayRange = everything
let measure: Measure = measures[0]
let hours: readonly HourDelays[] = []

const reopen = latest(async (signal, lanes: number) => {
  const before = open
  open = null
  answer.stop()
  setState('reading')
  histogram.enable(false)
  await before?.close()
  signal.throwIfAborted()
  longTasks.reset()
  showLongTasks()
  showProgress({ rows: 0, totalRows: 1, bytes: 0, totalBytes: 0 })
  const opened = await openFlights(lanes, signal, showProgress)
  if (signal.aborted) return opened.close()
  open = opened
  showReading(opened)
  histogram.draw(await countBins(opened.flights, signal))
  histogram.enable(true)
  await refilter(opened)
})

const answer = latest(async (signal, { flights }: OpenFlights) => {
  const asked = performance.now()
  const chosen = range
  // The sentence and the bars follow a moving brush; the tables are laid out once, when all is there.
  const tables: (() => void)[] = []
  for await (const next of ask(flights, chosen, signal)) {
    if (signal.aborted) return
    if (next.about === 'total') showTotal(next.total, chosen, flights.rowCount)
    else if (next.about === 'origins') tables.push(() => showOrigins(next.origins))
    else if (next.about === 'routes') tables.push(() => showRoutes(next.routes))
    else {
      hours = next.hours
      hourBars.draw(next.hours, measure)
      tables.push(() => showHours(next.hours))
    }
  }
  for (const show of tables) show()
  showAnswering(flights.rowCount, performance.now() - asked)
  setState('ready')
})

async function refilter(on: OpenFlights): Promise<void> {
  if (document.body.dataset.state === 'ready') setState('asking')
  await answer.start(on)
}

/** Shows flights with a delay in `next` only, from now on. */
async function choose(next: DelayRange): Promise<void> {
  range = next
  showPresets()
  if (open !== null) await refilter(open).catch(fail)
}

createSegments(byId('lanes'), laneChoices(lanesOfAddress()), lanesOfAddress(), lanes => {
  writeLanes(lanes)
  reopen.start(lanes).catch(fail)
})
createSegments(
  byId('measure'),
  measures.map(value => ({ label: value.name, value })),
  measure,
  value => {
    measure = value
    hourBars.draw(hours, measure)
  },
)
const presetButtons = presets.map(preset => {
  const button = make('button', { type: 'button' }, [preset.name])
  button.addEventListener('click', () => {
    histogram.select(preset.range)
    void choose(preset.range)
  })
  return { preset, button }
})
byId('presets').append(...presetButtons.map(({ button }) => button))
showPresets()
showLongTasks()
reopen.start(lanesOfAddress()).catch(fail)

/** `reading`, `asking`, `ready` or `failed`: what the style sheet dims by, and what a test waits for; also marks on the browser's timeline. */
function setState(state: 'reading' | 'asking' | 'ready' | 'failed'): void {
  document.body.dataset.state = state
  performance.mark(`demo:${state}`)
  byId('reading').hidden = state !== 'reading'
  byId('headline').hidden = state === 'reading' || state === 'failed'
  byId('failure').hidden = state !== 'failed'
}

function fail(error: unknown): void {
  console.error(error)
  byId('failure').textContent = error instanceof Error ? error.message : String(error)
  setState('failed')
}

function showProgress({ rows, totalRows, bytes, totalBytes }: Progress): void {
  const bar = byId<HTMLProgressElement>('progress')
  bar.max = totalRows
  bar.value = rows
  byId('progress-text').textContent =
    totalBytes === 0 ? 'starting' : `${formatWhole(rows)} flights, ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
}

function showReading({ flights, lanes, beganMs, startMs, readMs, readBytes }: OpenFlights): void {
  figure(
    'Reading',
    `${formatMagnitude(flights.rowCount / (readMs / 1000))} rows/s`,
    `${formatWhole(flights.rowCount)} rows in ${formatDuration(readMs)}`,
  )
  figure('Lanes', String(lanes), `${sayLanes(lanes)}; up in ${formatDuration(startMs)}`)
  figure('Held in memory', formatBytes(flights.byteLength), 'columns, in the lanes that read them')
  const { core, reader, file, isDevelopment } = measureDownloads(beganMs)
  // Inline, this thread reads all of the file, and the browser's own account is the better one.
  const fileBytes = lanes === 0 ? file : file + readBytes
  figure(
    'Downloaded',
    `${formatBytes(core + reader)} of code`,
    `${isDevelopment ? 'unminified; ' : `core ${formatBytes(core)}, Parquet ${formatBytes(reader)}; `}file ${formatBytes(fileBytes)}`,
  )
}

function showTotal({ flights, meanDelay, worstDelay }: Delays, chosen: DelayRange, rowCount: number): void {
  const isAll = flights === rowCount
  byId('headline').replaceChildren(
    make('strong', {}, [formatFlights(flights)]),
    isAll
      ? '.'
      : `, ${formatShare(flights, rowCount)} of all, ${flights === 1 ? 'has' : 'have'} a delay of ${sayRange(chosen)}.`,
    meanDelay === null || worstDelay === null
      ? ''
      : ` Their mean ${isAll ? 'delay ' : ''}is ${formatTenths(meanDelay)} minutes, the worst ${formatWhole(worstDelay)}.`,
  )
}

function showAnswering(rowCount: number, tookMs: number): void {
  figure(
    'Answering',
    `${formatMagnitude((rowCount * QUERY_COUNT) / (tookMs / 1000))} rows/s`,
    `${QUERY_COUNT} queries in ${formatDuration(tookMs)}`,
  )
}

function showPresets(): void {
  for (const { preset, button } of presetButtons) button.ariaPressed = String(sameRange(preset.range, range))
}

function showLongTasks(): void {
  const { worstMs } = longTasks
  const isBad = worstMs !== null && worstMs > 50
  figure(
    'Longest task',
    worstMs === null ? 'not told' : isBad ? `${formatWhole(worstMs)} ms` : 'under 50 ms',
    worstMs === null ? 'by this browser' : 'on the main thread, since reading began',
  )
}
