// What the raw times of suite.js amount to: medians, ratios, and the targets they are held against; ../report.js lays it out.

import { geometricMean, median } from '../statistics.js'

/**
 * The times of ours with the most lanes divided by a peer's: lower is better. `each` bounds every question but those in `but`, `mean` their geometric
 * mean; null where nothing was set.
 *
 * @typedef {{ each: number | null, but: Record<string, number>, mean: number | null }} Target
 * @type {Record<string, Record<number, Target>>}
 */
const targets = {
  native: { 1e6: { each: null, but: {}, mean: 0.4 }, 1e7: { each: 0.5, but: { q10: 0.7 }, mean: 0.2 } },
  'duckdb-wasm': { 1e7: { each: null, but: {}, mean: 0.05 } },
  secondLane: { 1e7: { each: 0.6, but: {}, mean: null } },
}

/**
 * @param {string} against `native`, `secondLane` or a family of peers
 * @param {number} rowCount
 * @returns {Target}
 */
export function targetOf(against, rowCount) {
  return targets[against]?.[rowCount] ?? { each: null, but: {}, mean: null }
}

/** A target in words, '' where there is none. */
export function describeTarget({ each, but, mean }) {
  const parts = []
  if (mean !== null) parts.push(`mean ${mean}`)
  if (each !== null) parts.push(`each ${each}`)
  for (const id in but) parts.push(`${id} ${but[id]}`)
  return parts.join(', ')
}

/**
 * @typedef {{ inHandMs: number, readMs: number }} Times
 * @typedef {object} QuestionSummary
 * @property {import('./questions.js').Question} question
 * @property {number} groupCount
 * @property {number} byteLength
 * @property {Record<number, number>} floorMs what reading the input takes at the bandwidth measured beside it, by threads
 * @property {Record<string, Times | null>} cold by peer
 * @property {Record<string, Times | null>} warm medians by peer
 */

/**
 * @param {import('./suite.js').GroupByResult} result
 * @returns {QuestionSummary[]}
 */
export function summarise({ questions }) {
  return questions.map(({ question, groupCount, byteLength, bandwidths, peers }) => ({
    question,
    groupCount,
    byteLength,
    floorMs: mapValues(bandwidths, values => (byteLength / median(values)) * 1000),
    cold: mapValues(peers, ({ cold, problem }) => (problem ? null : cold)),
    warm: mapValues(peers, ({ warm, problem }) => (problem || warm.length === 0 ? null : medianTimes(warm))),
  }))
}

/**
 * One line of the table of ratios: ours against the fastest of some peers, question by question.
 *
 * @param {QuestionSummary[]} summaries
 * @param {string} ours a peer's id
 * @param {string[]} theirs ids of peers; of each question the fastest counts
 * @param {keyof Times} measure
 * @returns {{ ratios: (number | null)[], mean: number | null }}
 */
export function compare(summaries, ours, theirs, measure) {
  const ratios = summaries.map(({ warm }) => {
    const best = Math.min(...theirs.map(id => warm[id]?.[measure] ?? Infinity))
    const own = warm[ours]?.[measure]
    return own === undefined || best === Infinity ? null : own / best
  })
  const known = ratios.filter(ratio => ratio !== null)
  return { ratios, mean: known.length ? geometricMean(known) : null }
}

function medianTimes(times) {
  return { inHandMs: median(times.map(time => time.inHandMs)), readMs: median(times.map(time => time.readMs)) }
}

function mapValues(record, change) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
