/**
 * The main job: three million real flights, read from Parquet by worker lanes and aggregated three ways.
 *
 *   npm start                    as many lanes as there are cores
 *   npm start -- --lanes 0       inline, in one thread; the numbers are the same to the last bit
 *
 * Rows per second are those of the flights over the time from asking to having the whole answer.
 */
import { parseArgs } from 'node:util'
import cliProgress from 'cli-progress'
import { count, createEngine, desc, max, mean, parquet } from 'millrace'

const lanes = lanesAsked()

const file = new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets'))

const engine = await createEngine(lanes === undefined ? {} : { lanes })
const began = performance.now()
const flights = await withProgress(onProgress => parquet(file).load({ engine, onProgress }))
const { rowCount, byteLength } = flights
console.log(
  `flights-3m.parquet: ${rowCount.toLocaleString('en')} rows, ${inMegabytes(byteLength)} held in ${lanesText()}, read and decoded ${speed(began)}\n`,
)

await answer(
  'Busiest origins, with mean and worst delay in minutes',
  flights
    .groupBy('origin')
    .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
    .orderBy(desc('flights'))
    .limit(10),
)
await answer(
  'Delays by hour of day',
  flights
    .derive(t => ({ hour: t.date.hour() }))
    .groupBy('hour')
    .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
    .orderBy('hour'),
)
await answer(
  'The ten worst routes with at least 500 flights',
  flights
    .groupBy('origin', 'destination')
    .aggregate(t => ({ flights: count(), meanDelay: mean(t.delay), worstDelay: max(t.delay) }))
    .filter(t => t.flights.gte(500))
    .orderBy(desc('meanDelay'))
    .limit(10),
)

await flights.close()
await engine.close()

/** Runs a query over the held rows and prints its answer, how fast it came, and a digest by which two runs can be compared. */
async function answer(title, flow) {
  const asked = performance.now()
  const table = await flow.collect()
  const took = speed(asked)
  console.log(`${title}\n${table}\n${took}, ${lanesText()}; digest ${await digest(table)}\n`)
}

function speed(since) {
  const milliseconds = performance.now() - since
  const perSecond = rowCount / (milliseconds / 1000) / 1e6
  return `in ${milliseconds.toFixed(1)} ms: ${perSecond.toFixed(1)} million rows/s`
}

function lanesText() {
  return engine.lanes === 0 ? 'no lane (inline)' : `${engine.lanes} ${engine.lanes === 1 ? 'lane' : 'lanes'}`
}

/** Of every bit of every value. */
async function digest(table) {
  const text = JSON.stringify(table.toRows({ bigint: true }), (_, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(hash.subarray(0, 8), byte => byte.toString(16).padStart(2, '0')).join('')
}

async function withProgress(work) {
  const bar = new cliProgress.SingleBar(
    {
      format: 'reading {bar} {percentage}% | {rows} of {rowsTotal} rows',
      clearOnComplete: true,
      noTTYOutput: !process.stderr.isTTY,
      notTTYSchedule: 500,
    },
    cliProgress.Presets.shades_classic,
  )
  bar.start(1, 0, { rows: 0, rowsTotal: '?' })
  try {
    return await work(({ rows, totalRows }) => {
      bar.setTotal(totalRows)
      bar.update(rows, { rows: rows.toLocaleString('en'), rowsTotal: totalRows.toLocaleString('en') })
    })
  } finally {
    bar.stop()
  }
}

function inMegabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`
}

/** The number after `--lanes`, or undefined where there is none; anything else ends the program, saying why. */
function lanesAsked() {
  try {
    const { lanes } = parseArgs({ options: { lanes: { type: 'string' } } }).values
    if (lanes === undefined || /^\d+$/.test(lanes)) return lanes === undefined ? undefined : Number(lanes)
  } catch {
    // Said below.
  }
  console.error(
    `usage: npm start -- --lanes N, a whole number of workers, 0 for none; not ${process.argv.slice(2).join(' ')}`,
  )
  process.exit(2)
}
