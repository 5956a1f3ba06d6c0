// What the raw times of suite.js amount to: medians, ratios, and the targets they are held against; ../report.js lays it out.

import { geometricMean, median } from '../statistics.js'

/**
 * The times of ours, with the most lanes where nothing else is said, divided by a peer's: lower is better. `each` bounds every question but those in `but`, `mean` their geometric
 * mean; null where nothing was set.
 *
 * @typedef {{ each: number | null, but: Record<string, number>, mean: number | null }} Target
 * @type {Record<string, Record<number, Target>>}
 */
const targets = {
  native: { 1e6: { each: null, but: {}, mean: 0.4 }, 1e7: { each: 0.5, but: { q10: 0.7 }, mean: 0.2 } },
  'duckdb-wasm': { 1e7: { each: null, but: {}, mean: 0.05 } },
  // A page against Node, whatever the lanes.
  node: {
    1e6: { each: 1.3, but: {}, mean: null },
    1e7: { each: 1.3, but: {}, mean: null },
  },
  secondLane: { 1e7: { each: 0.6, but: {}, mean: null } },
}

/**
 * @param {string} against `native`, `secondLane`, `node` or a family of peers
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
 * @property {Record<string, Times | null>} cold by peer, of the first sitting
 * @property {Record<string, Times | null>} warm medians by peer, of all sittings
 * @property {Record<string, Times | null>[]} sittings medians by peer of each
 * @property {Record<string, string>} problems by peer
 */

/**
 * @param {import('./suite.js').GroupByResult} result
 * @returns {QuestionSummary[]}
 */
export function summarise({ questions }) {
  return questions.map(({ question, groupCount, byteLength, bandwidths, sittings }) => {
    const all = together(sittings)
    const medians = peers => mapValues(peers, ({ warm, problem }) => (problem ? null : medianTimes(warm)))
    return {
      question,
      groupCount,
      byteLength,
      floorMs: mapValues(bandwidths, values => (byteLength / median(values)) * 1000),
      cold: mapValues(all, ({ cold, problem }) => (problem ? null : cold)),
      warm: medians(all),
      sittings: sittings.map(medians),
      problems: Object.fromEntries(
        Object.entries(all).flatMap(([id, { problem }]) => (problem ? [[id, problem]] : [])),
      ),
    }
  })
}

/**
 * The sittings of a question as one: only ours were in several.
 *
 * @param {import('./suite.js').Sitting[]} sittings
 * @returns {import('./suite.js').Sitting}
 */
function together(sittings) {
  /** @type {import('./suite.js').Sitting} */
  const all = {}
  for (const [id, { cold, warm, problem }] of sittings.flatMap(Object.entries)) {
    all[id] = {
      cold: all[id]?.cold ?? cold,
      warm: [...(all[id]?.warm ?? []), ...warm],
      problem: all[id]?.problem ?? problem,
    }
  }
  return all
}

/**
 * One line of the table of ratios: ours against the fastest of some peers, question by question. A ratio is of times of one sitting; against peers
 * that we sat with more than once, the median.
 *
 * @param {QuestionSummary[]} summaries
 * @param {string} ours a peer's id
 * @param {string[]} theirs ids of peers; of each question the fastest counts
 * @param {keyof Times} measure
 * @returns {{ ratios: (number | null)[], mean: number | null }}
 */
export function compare(summaries, ours, theirs, measure) {
  const ratios = summaries.map(({ sittings }) => {
    const against = theirs.flatMap(id => {
      const known = sittings.filter(times => times[ours] && times[id])
      return known.length ? [median(known.map(times => times[ours][measure] / times[id][measure]))] : []
    })
    return against.length ? Math.max(...against) : null
  })
  const known = ratios.filter(ratio => ratio !== null)
  return { ratios, mean: known.length ? geometricMean(known) : null }
}

function medianTimes(times) {
  if (times.length === 0) return null
  return { inHandMs: median(times.map(time => time.inHandMs)), readMs: median(times.map(time => time.readMs)) }
}

function mapValues(record, change) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
