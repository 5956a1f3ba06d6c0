/**
 * The main job: three million real flights, read from Parquet by worker lanes and aggregated three ways; then smaller files of other formats, read as they
 * come, their types inferred: airports and bird strikes from CSV, and flights from JSON, NDJSON and Arrow, whose answers are held against each other; last,
 * a file that is dirty: movies, whose dates are texts and partly a century off, repaired where that can be done, and what is broken told.
 *
 *   npm start                    as many lanes as there are cores
 *   npm start -- --lanes 0       inline, in one thread; the numbers are the same to the last bit
 *
 * Rows per second are those of the flights over the time from asking to having the whole answer.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import cliProgress from 'cli-progress'
import {
  arrow,
  collectAll,
  count,
  createEngine,
  csv,
  desc,
  json,
  max,
  mean,
  min,
  ndjson,
  ndjsonSink,
  parquet,
  sum,
  when,
} from 'millrace'
import { liveFlights } from './live.js'

const lanes = lanesAsked()

const dataset = name => new URL(`../data/${name}`, import.meta.resolve('vega-datasets'))

const engine = await createEngine(lanes === undefined ? {} : { lanes })
const began = performance.now()
const flights = await withProgress(onProgress => parquet(dataset('flights-3m.parquet')).load({ engine, onProgress }))
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

if (!(await liveFlights(flights, { engine, lanesText }))) process.exitCode = 1

await flights.close()

console.log('Files of text, their types inferred\n')
await show(
  'airports.csv: the states with most airports',
  csv(dataset('airports.csv'), { onInferred: report => console.log(`airports.csv\n${report}`) })
    .groupBy('state')
    .aggregate(t => ({ airports: count(), northernmost: max(t.latitude) }))
    .orderBy(desc('airports'))
    .limit(5),
)
await show(
  'birdstrikes.csv: the costliest phases of flight',
  csv(dataset('birdstrikes.csv'), { onInferred: report => console.log(`birdstrikes.csv\n${report}`) })
    .groupBy('Phase of flight')
    .aggregate(t => ({ strikes: count(), costs: sum(t['Cost Total $']) }))
    .orderBy(desc('costs'))
    .limit(5),
)
await formatsAgree()
await cleanMovies()
await engine.close()

/** The same flights from three formats, the third written here by the way: every answer is the same. (Arrow's has times as float32, so they are not summed.) */
async function formatsAgree() {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  try {
    const lines = join(folder, 'flights.ndjson')
    await json(dataset('flights-200k.json')).to(ndjsonSink(lines), { engine }).finished
    const sources = {
      'flights-200k.json': json(dataset('flights-200k.json')),
      'flights-200k.arrow': arrow(dataset('flights-200k.arrow')),
      'the JSON written as NDJSON': ndjson(lines),
    }
    const answers = []
    for (const [name, source] of Object.entries(sources)) {
      const table = await source
        .aggregate(t => ({
          flights: count(),
          delay: sum(t.delay),
          meanDelay: mean(t.delay),
          farthest: max(t.distance),
          afternoon: count().where(t.time.gte(12)),
        }))
        .collect({ engine })
      answers.push(JSON.stringify(table.toRows()))
      console.log(`${name}: ${answers.at(-1)}`)
    }
    const agree = answers.every(answer => answer === answers[0])
    console.log(agree ? 'JSON, Arrow and NDJSON agree\n' : 'the formats DISAGREE\n')
    if (!agree) process.exitCode = 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Movies as they come, then repaired, and each row held against rules: what breaks one is told and counted, and no row is lost. */
async function cleanMovies() {
  const movies = json(dataset('movies.json')).derive(t => ({
    Title: t.Title.trim(),
    // 'Jun 12 1998': the third word is the year. Years of two digits have been read as 2046 for 1946.
    written: t['Release Date'].split(' ', 2).toNumber(),
  }))
  const repaired = movies.derive(t => ({
    year: when(t.written.gt(2010)).then(t.written.sub(100)).otherwise(t.written),
    genre: t['Major Genre'].coalesce('Unknown'),
  }))
  const once = repaired.dedupe('Title', 'year')
  const { valid, rejected, counts } = once.validate({
    titled: t => t.Title.length().gt(0),
    dated: t => t.year.between(1900, 2010),
    budgeted: t => t['Production Budget'].gt(0),
    'gross adds up': t => t['Worldwide Gross'].gte(t['US Gross']),
    'rating in range': t => t['IMDB Rating'].isNull().or(t['IMDB Rating'].between(1, 10)),
  })
  const answers = await collectAll(
    {
      read: movies.aggregate(t => ({
        rows: count(),
        years: count().where(t.written.gt(2010)),
        genres: count().where(t['Major Genre'].isNull()),
      })),
      once: once.aggregate(() => ({ rows: count() })),
      valid: valid
        .groupBy('genre')
        .aggregate(t => ({ movies: count(), from: min(t.year), to: max(t.year), gross: mean(t['Worldwide Gross']) }))
        .orderBy(desc('movies'))
        .limit(5),
      rejected: rejected.select(
        'Title',
        'Release Date',
        'Production Budget',
        'US Gross',
        'Worldwide Gross',
        'brokenRules',
      ),
      counts,
      kept: valid.aggregate(() => ({ rows: count() })),
    },
    { engine },
  )
  const [{ rows, years, genres }] = answers.read.toRows()
  const [{ rows: distinct }] = answers.once.toRows()
  const [{ rows: kept }] = answers.kept.toRows()
  const broken = answers.rejected.rowCount
  console.log(
    `movies.json, cleaned: ${rows} rows read, ${years} years a century off and ${genres} genres repaired, ${rows - distinct} doubles dropped`,
  )
  console.log(
    `${kept} rows are valid, ${broken} are rejected; of these so many break each rule\n${answers.counts}\n\n${answers.rejected}\n`,
  )
  console.log(`The valid ones by genre\n${answers.valid}\n`)
  if (kept + broken !== distinct) {
    console.log('rows were LOST')
    process.exitCode = 1
  }
}

/** Runs a query over a file, as a user would, and prints its answer and how long it took. */
async function show(title, flow) {
  const asked = performance.now()
  const table = await flow.collect({ engine })
  console.log(`\n${title}\n${table}\nin ${(performance.now() - asked).toFixed(1)} ms\n`)
}

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
