// `npm run bench`: measures what the options name, prints the tables and writes them to results.md.

import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describeMachine } from './machine.js'
import { parseOptions, usage } from './options.js'

const { options, problem } = parseOptions(process.argv.slice(2))
if (problem) fail(`${problem}\n\n${usage}`)
if (options.help) {
  console.log(usage)
  process.exit(0)
}
if (!existsSync(new URL('./node_modules', import.meta.url))) {
  fail('The peers are not installed: run `npm --prefix bench ci` first.')
}

// Imported late, so that a missing peer is told by the lines above.
const { millraceEntry } = await import('./millrace-entry.js')
const { questions } = await import('./groupby/questions.js')
const { chooseEngines, expressionReport, runExpressions } = await import('./expressions/suite.js')
const { runStrings, stringsReport } = await import('./expressions/strings.js')
const { groupByReport } = await import('./groupby/report.js')
const { runGroupBy } = await import('./groupby/suite.js')
const { chooseJoinPeers, joinReport, runJoins } = await import('./joins/suite.js')
const { liveReport, runLive } = await import('./live/suite.js')
const { contenders } = await import('./live/windows.js')
const { runKernels } = await import('./kernels/kernels.js')
const { runMemory } = await import('./memory/memory.js')
const { chooseBrowser, choosePeers } = await import('./peers/catalogue.js')
const { runBudget } = await import('./reading/budget.js')
const { dataFile, rowsOfBytes } = await import('./reading/files.js')
const { chooseBrowserReaders, chooseReaders } = await import('./reading/readers.js')
const { readingReport } = await import('./reading/report.js')
const { runReading } = await import('./reading/suite.js')
const { report } = await import('./report.js')
const { runScaling } = await import('./scaling/scaling.js')
const { runSorting, sortingReport } = await import('./sorting/suite.js')
const { measureSizes, sizeReport } = await import('./size/size.js')
const { measureStart, startReport } = await import('./start/start.js')

const withMillrace = options.lanes.length > 0
if (withMillrace && !millraceEntry())
  fail('Millrace has not been built: run `npm run build` first, or give `--lanes none`.')

const log = line => console.error(line)
const { runs, seed, threads, families } = options

/** In the order of the report; each measures only when it is asked to. */
const suites = {
  groupby: async () => groupByReport(await groupBy(choosePeers(options)), options),
  joins: async () => joinReport(await joins(chooseJoinPeers(options))),
  browser: async () => groupByReport(await groupBy(chooseBrowser(options.lanes)), options, 'browser'),
  scaling: () => {
    const { limitMs } = options
    const asked = questions.filter(({ id }) => id === 'q1' || id === 'q5')
    const entries = choosePeers({ families: [], lanes: options.lanes, threads })
    return runScaling({ rows: options.scalingRows, questions: asked, entries, seed, runs, threads, limitMs, log })
  },
  memory: () => runMemory({ rowCount: options.memoryRows, seed, lanes: options.lanes, log }),
  expressions: async () => expressionReport(await expressions(chooseEngines(options)), options),
  strings: async () => stringsReport(await strings(chooseEngines(options)), options),
  sorting: async () => sortingReport(await sorting(chooseJoinPeers(options))),
  reading: async () => readingReport(await reading(chooseReaders({ ...options, families: options.readers })), options),
  'reading-browser': async () =>
    readingReport(await reading(chooseBrowserReaders(options.lanes)), options, 'reading-browser'),
  'reading-memory': () =>
    runBudget({ file: dataFile('csv', rowsOfBytes(options.readingBytes), seed, log), lanes: options.lanes, log }),
  live: async () =>
    liveReport(
      await runLive({
        events: options.liveEvents,
        nexmarkEvents: options.nexmarkEvents,
        seconds: options.liveSeconds,
        seed,
        runs,
        lanes: options.lanes,
        limitMs: options.limitMs,
        log,
      }),
      Object.fromEntries(Object.entries(contenders).map(([id, { label }]) => [id, label])),
    ),
  kernels: () => runKernels({ rowCount: options.kernelRows, seed, runs, log }),
  start: () => startReport(measureStart({ runs: 2 * runs, families, withMillrace, log })),
  size: async () => sizeReport(await measureSizes({ families, withMillrace, log })),
}

async function groupBy(entries) {
  const asked = questions.filter(({ id }) => options.questions.includes(id))
  const results = []
  for (const rowCount of options.rows) {
    const { limitMs } = options
    results.push(await runGroupBy({ rowCount, seed, runs, threads, limitMs, questions: asked, entries, log }))
  }
  return results
}

async function joins(entries) {
  const results = []
  for (const rowCount of options.joinRows)
    results.push(await runJoins({ rowCount, seed, runs, limitMs: options.limitMs, entries, log }))
  return results
}

async function expressions(engines) {
  const results = []
  for (const rowCount of options.rows) {
    results.push(await runExpressions({ rowCount, seed, runs, limitMs: options.limitMs, engines, log }))
  }
  return results
}

async function strings(engines) {
  const results = []
  for (const rowCount of options.rows)
    results.push(await runStrings({ rowCount, seed, runs, limitMs: options.limitMs, engines, log }))
  return results
}

async function sorting(entries) {
  const results = []
  for (const rowCount of options.rows)
    results.push(await runSorting({ rowCount, seed, runs, limitMs: options.limitMs, entries, log }))
  return results
}

async function reading(entries) {
  const results = []
  for (const rowCount of options.readingRows) {
    for (const format of ['csv', 'ndjson']) {
      const readers = entries.filter(({ isSlow }) => !isSlow || rowCount <= options.slowRows)
      const { limitMs } = options
      results.push(
        await runReading({ file: dataFile(format, rowCount, seed, log), entries: readers, runs, limitMs, log }),
      )
    }
  }
  return results
}

const sections = []
for (const name of Object.keys(suites)) {
  if (options.suites.includes(name)) sections.push(await suites[name]())
}
const text = report({ machine: describeMachine(), command: process.argv.slice(2).join(' '), sections })
console.log(text)
await writeFile(options.output, text)
log(`Written to ${fileURLToPath(options.output)}`)
process.exit(sections.some(({ problems }) => problems.length > 0) ? 1 : 0)

function fail(message) {
  console.error(message)
  process.exit(2)
}
