// The db-benchmark's join task: every peer holds the tables, each question is asked of all in turn, round by round, and answers are held against DuckDB's.

import { openProcess } from '../peer.js'
import { geometricMean, median } from '../statistics.js'
import { formatCount, formatMs, formatRatio, markdownTable } from '../table.js'
import { joinQuestions } from './questions.js'

/**
 * @param {{ families: string[], lanes: number[], threads: number, baseline?: string }} options
 * @returns {{ id: string, label: string, kind: string, options: object }[]} DuckDB first, against which the others are checked
 */
export function chooseJoinPeers({ families, lanes, threads, baseline }) {
  const natives = [
    { id: 'duckdb', label: `DuckDB, ${threads} threads`, kind: 'duckdb', options: { threads } },
    { id: 'polars', label: `Polars, ${threads} threads`, kind: 'polars', options: { threads } },
  ].filter(({ id }) => families.includes(id))
  const ours = (entry, suffix) =>
    lanes.map(count => ({
      id: `millrace-${count}${suffix}`,
      label: `Millrace${suffix}, ${count === 0 ? 'inline' : `${count} ${count === 1 ? 'lane' : 'lanes'}`}`,
      kind: 'millrace',
      options: { lanes: count, entry },
    }))
  return [...natives, ...ours(undefined, ''), ...(baseline ? ours(baseline, ' (baseline)') : [])]
}

/** @returns {Promise<{ rowCount: number, peers: object[], versions: Record<string, string>, times: Record<string, Record<string, number[]>>, problems: string[] }>} */
export async function runJoins({ rowCount, seed, runs, limitMs, entries, log }) {
  const result = { rowCount, peers: entries, versions: {}, times: {}, problems: [] }
  const handles = []
  try {
    for (const entry of entries) {
      log(`${formatCount(rowCount)} rows to join: loading ${entry.label}`)
      const handle = openProcess(new URL('./peer-process.js', import.meta.url), { limitMs })
      handles.push({ entry, ...handle })
      result.versions[entry.id] = (await handle.send('open', { kind: entry.kind, options: entry.options })).version
      await handle.send('load', { rowCount, seed })
    }
    for (const { id, text } of joinQuestions) {
      log(`${formatCount(rowCount)} rows to join: ${id}, ${text}`)
      const times = Object.fromEntries(entries.map(entry => [entry.id, []]))
      result.times[id] = times
      for (let round = 0; round <= runs; round++) {
        let expected = null
        for (const { entry, send } of handles) {
          const { inHandMs, ...answer } = await send('run', { id })
          if (round > 0) times[entry.id].push(inHandMs)
          expected ??= { answer, by: entry.label }
          const problem = difference(answer, expected.answer)
          if (problem) result.problems.push(`${id}, ${entry.label} against ${expected.by}: ${problem}`)
        }
      }
    }
  } finally {
    await Promise.all(handles.map(({ close }) => close()))
  }
  return result
}

/** Sums are of millions of doubles, added in whatever order. */
function difference(a, b) {
  if (a.rowCount !== b.rowCount) return `${a.rowCount} rows, not ${b.rowCount}`
  const i = a.sums.findIndex((sum, i) => Math.abs(sum - b.sums[i]) > 1e-9 * Math.abs(b.sums[i]))
  return i < 0 ? null : `a sum of ${a.sums[i]}, not ${b.sums[i]}`
}

const TARGET = 0.5

/**
 * @param {Awaited<ReturnType<typeof runJoins>>[]} results
 * @returns {import('../report.js').Section}
 */
export function joinReport(results) {
  const ids = joinQuestions.map(({ id }) => id)
  const text = ['## Joins: milliseconds, all columns of both sides in hand, warm']
  const losses = []
  for (const { rowCount, peers, times } of results) {
    const medianOf = (id, peer) => median(times[id][peer.id])
    text.push(
      `### ${formatCount(rowCount)} rows`,
      markdownTable(
        ['', ...joinQuestions.map(({ id, text }) => `${id} ${text}`)],
        peers.map(peer => [peer.label, ...ids.map(id => formatMs(medianOf(id, peer)))]),
      ),
    )
    const natives = peers.filter(({ kind }) => kind !== 'millrace')
    const ours = peers.filter(({ kind }) => kind === 'millrace')
    if (natives.length === 0 || ours.length === 0) continue
    const ratios = ours.map(peer => ({
      peer,
      each: ids.map(id => medianOf(id, peer) / Math.min(...natives.map(native => medianOf(id, native)))),
    }))
    text.push(
      'Our time by that of the fastest native engine:',
      markdownTable(
        ['', ...ids, 'geometric mean'],
        ratios.map(({ peer, each }) => [peer.label, ...each.map(formatRatio), formatRatio(geometricMean(each))]),
      ),
    )
    for (const { peer, each } of ratios) {
      if (geometricMean(each) > TARGET)
        losses.push(
          `Joins, ${formatCount(rowCount)} rows, ${peer.label}: geometric mean ${formatRatio(geometricMean(each))} (the target is ${TARGET})`,
        )
    }
  }
  return {
    text,
    losses,
    problems: results.flatMap(({ rowCount, problems }) =>
      problems.map(problem => `Joins, ${formatCount(rowCount)} rows, ${problem}`),
    ),
    versions: [...new Set(results.flatMap(({ versions }) => Object.values(versions)))].filter(
      version => !version.startsWith('Millrace'),
    ),
    measuresOurs: results.some(({ peers }) => peers.some(({ kind }) => kind === 'millrace')),
  }
}
