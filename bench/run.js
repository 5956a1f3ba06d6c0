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
const { runGroupBy } = await import('./groupby/suite.js')
const { choosePeers } = await import('./peers/catalogue.js')
const { report } = await import('./report.js')
const { measureSizes } = await import('./size/size.js')
const { measureStart } = await import('./start/start.js')

const withMillrace = options.lanes.length > 0
if (withMillrace && !millraceEntry())
  fail('Millrace has not been built: run `npm run build` first, or give `--lanes none`.')

const log = line => console.error(line)
const { runs, seed, threads, families } = options
/** @type {import('./report.js').RunResult} */
const result = {
  machine: describeMachine(),
  command: process.argv.slice(2).join(' '),
  runs,
  seed,
  threads,
  groupBy: [],
  start: [],
  sizes: [],
}

if (options.suites.includes('groupby')) {
  const entries = choosePeers(options)
  const asked = questions.filter(({ id }) => options.questions.includes(id))
  for (const rowCount of options.rows) {
    result.groupBy.push(
      await runGroupBy({ rowCount, seed, runs, threads, limitMs: options.limitMs, questions: asked, entries, log }),
    )
  }
}
if (options.suites.includes('start')) result.start = measureStart({ runs: 2 * runs, families, withMillrace, log })
if (options.suites.includes('size')) result.sizes = await measureSizes({ families, withMillrace, log })

const text = report(result)
console.log(text)
await writeFile(options.output, text)
log(`Written to ${fileURLToPath(options.output)}`)
const hasProblems =
  result.groupBy.some(
    ({ failures, questions }) =>
      Object.keys(failures).length > 0 ||
      questions.some(({ peers }) => Object.values(peers).some(({ problem }) => problem !== null)),
  ) || result.start.some(({ problem }) => problem !== null)
process.exit(hasProblems ? 1 : 0)

function fail(message) {
  console.error(message)
  process.exit(2)
}
