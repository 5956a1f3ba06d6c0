// Exact sums through the public interface, against a plain JavaScript loop over the same columns; and columns with nulls against those without.

import { performance } from 'node:perf_hooks'
import { millraceEntry } from '../millrace-entry.js'
import { median } from '../statistics.js'
import { formatMs, formatRatio, markdownTable } from '../table.js'
import { floatColumns } from './columns.js'

/** Of the plain loop, for each column; and of the same without nulls. */
const TARGETS = { whole: 2.5, v3: 2.5, prices: 2.5, normal: 2.5, wide: 6 }
const NULLS_TARGET = 2.2

/** One row in so many is null. */
const NULL_EVERY = 10

/**
 * @typedef {{ text: string, ms: number, nullsMs: number, plainMs: number, target: number }} SumResult
 */

/**
 * @param {object} options
 * @param {Record<string, Int32Array | Float64Array>} options.columns of ./columns.js
 * @param {number} options.runs
 * @param {(line: string) => void} options.log
 * @returns {Promise<SumResult[]>}
 */
export async function measureSums({ columns, runs, log }) {
  const url = millraceEntry()
  if (!url) throw new Error('Millrace has not been built: run `npm run build` first')
  const api = await import(url)
  const results = []
  for (const [name, text] of Object.entries(floatColumns)) {
    log(`  sum of ${text}, through the public interface`)
    const values = columns[name]
    const key = columns.middle
    const nulls = Array.from(values, (value, row) => (row % NULL_EVERY === 0 ? null : value))
    const flows = [values, nulls].map(value => api.columns({ key, value }))
    const [whole, gaps] = await Promise.all(flows.map(flow => flow.load({ lanes: 0 })))
    const ask = async flow => {
      const start = performance.now()
      const table = await flow
        .groupBy('key')
        .aggregate(t => ({ sum: api.sum(t.value) }))
        .collect({ lanes: 0 })
      const ms = performance.now() - start
      if (table.rowCount !== 10_000) throw new Error(`${table.rowCount} groups instead of 10,000`)
      return ms
    }
    const times = { whole: [], gaps: [], plain: [] }
    for (let round = -2; round < runs; round++) {
      const [wholeMs, gapsMs, plainMs] = [await ask(whole), await ask(gaps), plainLoop(key, values)]
      if (round < 0) continue
      times.whole.push(wholeMs)
      times.gaps.push(gapsMs)
      times.plain.push(plainMs)
    }
    await Promise.all([whole.close(), gaps.close()])
    results.push({
      text,
      ms: median(times.whole),
      nullsMs: median(times.gaps),
      plainMs: median(times.plain),
      target: TARGETS[name],
    })
  }
  return results
}

/** @param {SumResult[]} results */
export function sumsReport(results) {
  const slow = results.filter(({ ms, plainMs, target }) => ms / plainMs > target)
  const slowNulls = results.filter(({ ms, nullsMs }) => nullsMs / ms > NULLS_TARGET)
  return {
    text: [
      '### Exact sums by 10,000 groups, through the public interface, inline',
      `Against a JavaScript loop that adds to a \`Float64Array\` by the key itself; with nulls, one row in ${NULL_EVERY} is null.`,
      markdownTable(
        ['sum of', 'plain loop ms', 'ms', 'ratio', 'target', 'with nulls ms', 'ratio to without', 'target'],
        results.map(({ text, ms, nullsMs, plainMs, target }) => [
          text,
          formatMs(plainMs),
          formatMs(ms),
          formatRatio(ms / plainMs),
          String(target),
          formatMs(nullsMs),
          formatRatio(nullsMs / ms),
          String(NULLS_TARGET),
        ]),
      ),
    ],
    losses: [
      ...slow.map(
        ({ text, ms, plainMs, target }) =>
          `Sum of ${text}, public interface: ${formatRatio(ms / plainMs)} of a plain loop (the target is ${target})`,
      ),
      ...slowNulls.map(
        ({ text, ms, nullsMs }) =>
          `Sum of ${text} with nulls: ${formatRatio(nullsMs / ms)} of without (the target is ${NULLS_TARGET})`,
      ),
    ],
    problems: [],
  }
}

function plainLoop(keys, values) {
  const start = performance.now()
  const sums = new Float64Array(10_000)
  for (let row = 0; row < values.length; row++) sums[keys[row]] += values[row]
  const ms = performance.now() - start
  if (Number.isNaN(sums[0])) throw new Error('the plain loop has no sum')
  return ms
}
