// The cost per row of two questions as the table grows: linear where it stays the same.

import { groupByReport } from '../groupby/report.js'
import { runGroupBy } from '../groupby/suite.js'
import { summarise } from '../groupby/summary.js'
import { formatCount, formatMs, formatRatio, markdownTable } from '../table.js'

/** What a lane count may take per row at its dearest size, of what it takes at its cheapest. */
const TARGET = 1.2

/** Only a few columns are made and loaded: what a process holds for each row of them, and of the table that was loaded from them. */
const BYTES_PER_ROW = 80

/** A small table is asked more often: the compiler's best tier comes after so many rows, not after so many runs. */
const SMALL_ROWS = 1e6
const SMALL_ROUNDS = 5

/**
 * @typedef {{ label: string, id: string, rowCount: number, ms: number | null }} ScalingResult
 */

/**
 * @param {object} options
 * @param {number[]} options.rows ascending
 * @param {import('../groupby/questions.js').Question[]} options.questions
 * @param {import('../peers/catalogue.js').PeerEntry[]} options.entries each is measured alone, so that the largest table fits
 * @param {number} options.seed
 * @param {number} options.runs
 * @param {number} options.threads
 * @param {number} options.limitMs
 * @param {(line: string) => void} options.log
 * @returns {Promise<import('../report.js').Section>}
 */
export async function runScaling({ rows, questions, entries, runs, ...options }) {
  /** @type {ScalingResult[]} */
  const results = []
  const problems = []
  for (const rowCount of rows) {
    for (const entry of entries) {
      const alone = [{ ...entry, bytesPerRow: BYTES_PER_ROW }]
      const rounds = rowCount <= SMALL_ROWS ? SMALL_ROUNDS * runs : runs
      const result = await runGroupBy({ ...options, runs: rounds, rowCount, questions, entries: alone })
      problems.push(...groupByReport([result], { ...options, runs }).problems)
      for (const { question, warm } of summarise(result)) {
        results.push({ label: entry.label, id: question.id, rowCount, ms: warm[entry.id]?.inHandMs ?? null })
      }
    }
  }
  return scalingReport(results, rows, problems)
}

/** @returns {import('../report.js').Section} */
function scalingReport(results, rows, problems) {
  const lines = [...new Map(results.map(({ id, label }) => [`${id}, ${label}`, { id, label }]))].map(
    ([name, { id, label }]) => {
      const times = rows.map(
        rowCount => results.find(each => each.id === id && each.label === label && each.rowCount === rowCount)?.ms,
      )
      const perRow = times.map((ms, i) => (ms ? (ms * 1e6) / rows[i] : null))
      const known = perRow.filter(ns => ns !== null)
      return { name, times, perRow, spread: known.length ? Math.max(...known) / Math.min(...known) : null }
    },
  )
  const cell = (ms, ns) => (ms && ns ? `${formatMs(ms)} / ${ns.toFixed(2)}` : '–')
  return {
    text: [
      '## Scaling: milliseconds / nanoseconds a row, in hand, warm',
      markdownTable(
        ['question', ...rows.map(rowCount => `${formatCount(rowCount)} rows`), 'dearest row / cheapest', 'target'],
        lines.map(({ name, times, perRow, spread }) => [
          name,
          ...times.map((ms, i) => cell(ms, perRow[i])),
          formatRatio(spread),
          String(TARGET),
        ]),
      ),
    ],
    losses: lines
      .filter(({ spread }) => spread !== null && spread > TARGET)
      .map(
        ({ name, spread }) =>
          `Scaling, ${name}: a row costs up to ${formatRatio(spread)} times as much as at the cheapest size (the target is ${TARGET})`,
      ),
    problems,
    versions: [],
    measuresOurs: lines.length > 0,
  }
}
