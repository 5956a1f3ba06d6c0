// Start-up time: a fresh Node process that imports a library and sums 1,000 rows by key, above a process that does nothing.

import { spawnSync } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { millraceEntry } from '../millrace-entry.js'
import { median } from '../statistics.js'
import { formatMs, markdownTable } from '../table.js'

/** What Millrace as it comes may take above an empty process. */
const TARGET_MS = 60

/**
 * @typedef {{ label: string, medianMs: number, aboveEmptyMs: number, problem: string | null }} StartResult
 */

/**
 * Runs every program once a round, in turn, after a round that only warms the disk's cache.
 *
 * @param {object} options
 * @param {number} options.runs
 * @param {string[]} options.families peers to measure beside Millrace
 * @param {boolean} options.withMillrace
 * @param {(line: string) => void} options.log
 * @returns {StartResult[]} the empty process first
 */
export function measureStart({ runs, families, withMillrace, log }) {
  log('start-up')
  const programs = [{ label: 'an empty process', args: [script('empty')] }]
  if (withMillrace) {
    const entry = millraceEntry()
    if (!entry) throw new Error('Millrace has not been built: run `npm run build` first')
    programs.push({ label: 'millrace, as it comes', args: [script('millrace'), entry] })
    programs.push({ label: 'millrace, 1 lane', args: [script('millrace'), entry, '1'] })
  }
  for (const family of ['duckdb-wasm', 'arquero']) {
    if (families.includes(family)) programs.push({ label: family, args: [script(family)] })
  }
  const measured = programs.map(({ label, args }) => ({ label, args, times: [], problem: null }))
  for (let round = 0; round <= runs; round++) {
    for (const program of measured) {
      const start = performance.now()
      const { status, stderr } = spawnSync(process.execPath, program.args, { encoding: 'utf8' })
      if (round > 0) program.times.push(performance.now() - start)
      if (status !== 0) program.problem = stderr.trim().split('\n').at(-1) || `wrong answer (exit ${status})`
    }
  }
  const emptyMs = median(measured[0].times)
  return measured.map(({ label, times, problem }) => {
    if (problem) log(`  ${label}: ${problem}`)
    return { label, medianMs: median(times), aboveEmptyMs: median(times) - emptyMs, problem }
  })
}

/**
 * @param {StartResult[]} results
 * @returns {import('../report.js').Section}
 */
export function startReport(results) {
  const rows = results.map(({ label, medianMs, aboveEmptyMs, problem }) => [
    label,
    problem ? '–' : formatMs(medianMs),
    problem ? '–' : formatMs(aboveEmptyMs),
  ])
  const ours = results.find(({ label }) => label.startsWith('millrace'))
  const isSlow = ours && !ours.problem && ours.aboveEmptyMs > TARGET_MS
  return {
    text: [
      '## Start-up: a fresh Node process, import to the first result over 1,000 rows',
      markdownTable(['process', 'ms', 'above an empty process'], rows),
    ],
    losses: isSlow
      ? [`Start-up: ${formatMs(ours.aboveEmptyMs)} ms above an empty process (the target is ${TARGET_MS})`]
      : [],
    problems: results.flatMap(({ label, problem }) => (problem ? [`start-up, ${label}: ${problem}`] : [])),
    versions: [],
    measuresOurs: ours !== undefined,
  }
}

function script(name) {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url))
}
