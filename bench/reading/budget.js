// A file larger than its memory: a CSV file of any size aggregated within a budget, told with the time and the peak; measure-budget.js is the process
// that is measured.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { millraceEntry } from '../millrace-entry.js'
import { formatCount, formatMegabytes, formatMs, markdownTable } from '../table.js'

/** What the job is given. */
const BUDGET = 512 * 2 ** 20

/**
 * @param {object} options
 * @param {import('./files.js').DataFile} options.file
 * @param {number[]} options.lanes
 * @param {(line: string) => void} options.log
 * @returns {import('../report.js').Section}
 */
export function runBudget({ file, lanes, log }) {
  const entry = millraceEntry()
  if (!entry) throw new Error('Millrace has not been built: run `npm run build` first')
  const results = lanes.map(count => {
    const label = `millrace ${count} ${count === 1 ? 'lane' : 'lanes'}`
    log(`${formatMegabytes(file.byteLength)} MB within ${formatMegabytes(BUDGET)} MB: ${label}`)
    const result = measure(entry, count, file)
    if (result.problem) log(`  ${label}: ${result.problem}`)
    return { label, ...result }
  })
  return budgetReport(results, file)
}

/** @returns {{ figures: import('./measure-budget.js').Figures | null, problem: string | null }} */
function measure(entry, lanes, file) {
  const script = fileURLToPath(new URL('./measure-budget.js', import.meta.url))
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [script, entry, String(lanes), String(BUDGET), file.path],
    { encoding: 'utf8', maxBuffer: 2 ** 26 },
  )
  if (status !== 0) {
    return {
      figures: null,
      problem: stderr.split('\n').find(line => /Error/.test(line)) ?? `the process ended (${status})`,
    }
  }
  const { answer, ...figures } = JSON.parse(stdout)
  return { figures, problem: difference(answer, file.facts) }
}

/** Sums and means are exact, whatever the order of rows. */
function difference(answer, { byId1 }) {
  const present = byId1.v1.filter(sum => sum > 0).length
  if (answer.id1.length !== present) return `${answer.id1.length} groups instead of ${present}`
  for (const [group, text] of answer.id1.entries()) {
    const code = Number(text.slice(2)) - 1
    for (const name of ['v1', 'v3']) {
      if (answer[name][group] !== byId1[name][code])
        return `${text} has ${name} ${answer[name][group]} instead of ${byId1[name][code]}`
    }
  }
  return null
}

function budgetReport(results, file) {
  const name = `Reading ${formatMegabytes(file.byteLength)} MB of CSV within ${Math.round(BUDGET / 2 ** 20)} MiB`
  const measured = results.filter(({ figures }) => figures !== null)
  return {
    text: [
      `## ${name}`,
      `Sum of v1 and mean of v3 by id1 over ${formatCount(file.facts.rowCount)} rows of a file, with \`memory\` set; a process of its own for each, whose peak is all
that it held resident, Node itself included. The page cache holds of the file what it can.`,
      markdownTable(
        ['lanes', 'seconds', 'MB/s', 'MB at the peak of the process', 'MB before'],
        measured.map(({ label, figures: { ms, peakBytes, beforeBytes } }) => [
          label,
          formatMs(ms / 1e3),
          Math.round(file.byteLength / 1e3 / ms).toString(),
          formatMegabytes(peakBytes),
          formatMegabytes(beforeBytes),
        ]),
      ),
    ],
    losses: measured.flatMap(({ label, figures: { peakBytes, beforeBytes } }) =>
      peakBytes - beforeBytes > BUDGET
        ? [`${name}, ${label}: the process grew by ${formatMegabytes(peakBytes - beforeBytes)} MB`]
        : [],
    ),
    problems: results.flatMap(({ label, problem }) => (problem ? [`${name}, ${label}: ${problem}`] : [])),
    versions: [],
    measuresOurs: results.length > 0,
  }
}
