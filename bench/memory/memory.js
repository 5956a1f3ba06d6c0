// Memory: what a loaded table takes beside its size in Arrow's form, and the peak while q10 runs over it; measure.js is the process that is measured.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { millraceEntry } from '../millrace-entry.js'
import { formatCount, formatMegabytes, formatRatio, markdownTable } from '../table.js'

/** Of the table's size in Arrow's form. */
const RESIDENT_TARGET = 1.1
const PEAK_TARGET = 3.5

/**
 * @typedef {object} MemoryResult
 * @property {string} label
 * @property {import('./measure.js').Memory | null} memory
 * @property {string | null} problem
 */

/**
 * @param {object} options
 * @param {number} options.rowCount
 * @param {number} options.seed
 * @param {number[]} options.lanes
 * @param {(line: string) => void} options.log
 * @returns {import('../report.js').Section}
 */
export function runMemory({ rowCount, seed, lanes, log }) {
  const entry = millraceEntry()
  if (!entry) throw new Error('Millrace has not been built: run `npm run build` first')
  const results = lanes.map(count => {
    const label = `millrace ${count} ${count === 1 ? 'lane' : 'lanes'}`
    log(`${formatCount(rowCount)} rows: memory, ${label}`)
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--expose-gc',
        fileURLToPath(new URL('./measure.js', import.meta.url)),
        entry,
        ...[count, rowCount, seed].map(String),
      ],
      { encoding: 'utf8' },
    )
    if (status === 0) return { label, memory: JSON.parse(stdout), problem: null }
    const problem = stderr.split('\n').find(line => /Error/.test(line)) ?? `the process ended (${status})`
    log(`  ${label}: ${problem}`)
    return { label, memory: null, problem }
  })
  return memoryReport(results, rowCount)
}

/**
 * @param {MemoryResult[]} results
 * @param {number} rowCount
 * @returns {import('../report.js').Section}
 */
function memoryReport(results, rowCount) {
  const rows = results.flatMap(({ label, memory }) => {
    if (memory === null) return []
    const { arrowBytes, ownBytes, residentBytes, peakBytes } = memory
    return [
      {
        label,
        ...memory,
        own: ownBytes / arrowBytes,
        resident: residentBytes / arrowBytes,
        peak: peakBytes / arrowBytes,
      },
    ]
  })
  return {
    text: [
      `## Memory, ${formatCount(rowCount)} rows`,
      `A process of its own for each; all figures above what it held with its lanes started and a small query answered. *Resident* is after loading,
with the arrays that were loaded collected. *Peak* is the most that the process held while it answered q10 from that table, the answer included.
Arrow's form has 4 bytes a code, and each dictionary once.`,
      markdownTable(
        [
          'lanes',
          'Arrow MB',
          'MB by its own account',
          'ratio',
          'resident MB',
          'ratio',
          'target',
          'peak MB in q10',
          'ratio',
          'target',
        ],
        rows.map(({ label, arrowBytes, ownBytes, residentBytes, peakBytes, own, resident, peak }) => [
          label,
          formatMegabytes(arrowBytes),
          formatMegabytes(ownBytes),
          formatRatio(own),
          formatMegabytes(residentBytes),
          formatRatio(resident),
          String(RESIDENT_TARGET),
          formatMegabytes(peakBytes),
          formatRatio(peak),
          String(PEAK_TARGET),
        ]),
      ),
    ],
    losses: rows.flatMap(({ label, resident, peak }) => [
      ...(resident > RESIDENT_TARGET
        ? [
            `Memory, ${label}: resident ${formatRatio(resident)} of the table in Arrow's form (the target is ${RESIDENT_TARGET})`,
          ]
        : []),
      ...(peak > PEAK_TARGET
        ? [`Memory, ${label}: a peak of ${formatRatio(peak)} of it in q10 (the target is ${PEAK_TARGET})`]
        : []),
    ]),
    problems: results.flatMap(({ label, problem }) => (problem ? [`memory, ${label}: ${problem}`] : [])),
    versions: [],
    measuresOurs: results.length > 0,
  }
}
