// Whole rows sorted and freed of doubles: every engine holds the table, each question is asked of all in turn, round by round, and answers are held against the first engine's.

import { openProcess } from '../peer.js'
import { median } from '../statistics.js'
import { formatCount, formatMs, formatRatio, markdownTable } from '../table.js'
import { sortingQuestions } from './questions.js'

/** Of ours with the most lanes, to the fastest native engine's time. */
const TARGET = 0.7

/**
 * @param {object} options
 * @param {number} options.rowCount
 * @param {number} options.seed
 * @param {number} options.runs warm rounds
 * @param {number} options.limitMs the longest that one command may take
 * @param {ReturnType<typeof import('../joins/suite.js').chooseJoinPeers>} options.entries
 * @param {(line: string) => void} options.log
 * @returns {Promise<{ rowCount: number, peers: object[], versions: Record<string, string>, times: Record<string, Record<string, number[]>>, problems: string[] }>}
 */
export async function runSorting({ rowCount, seed, runs, limitMs, entries, log }) {
  const result = { rowCount, peers: entries, versions: {}, times: {}, problems: [] }
  const handles = []
  try {
    for (const entry of entries) {
      log(`${formatCount(rowCount)} whole rows: loading ${entry.label}`)
      const handle = openProcess(new URL('./peer-process.js', import.meta.url), { limitMs })
      handles.push({ entry, ...handle })
      result.versions[entry.id] = (await handle.send('open', { kind: entry.kind, options: entry.options })).version
      await handle.send('load', { rowCount, seed })
    }
    for (const { id, text } of sortingQuestions) {
      log(`${formatCount(rowCount)} whole rows: ${id}, ${text}`)
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

function difference(a, b) {
  if (!a.isAscending) return 'rows out of order'
  if (a.rowCount !== b.rowCount) return `${a.rowCount} rows, not ${b.rowCount}`
  return a.sum === b.sum ? null : `rows that sum up to ${a.sum}, not ${b.sum}`
}

/**
 * @param {Awaited<ReturnType<typeof runSorting>>[]} results one a size
 * @returns {import('../report.js').Section}
 */
export function sortingReport(results) {
  const ids = sortingQuestions.map(({ id }) => id)
  const text = [
    '## Whole rows sorted and deduped: milliseconds, all columns in hand, warm',
    `Three columns, an int32 of all bits, a string of one in a hundred rows and a double; every row is there twice on average. ${sortingQuestions.map(({ id, sql }) => `${id} \`${sql}\``).join(', ')}.
Ours come sorted stably, or with the first row of each in the order of rows; others in whatever order they find, and of rows with the same key any.`,
  ]
  const losses = []
  for (const { rowCount, peers, times } of results) {
    const medianOf = (id, peer) => median(times[id][peer.id])
    text.push(
      `### ${formatCount(rowCount)} rows`,
      markdownTable(
        ['', ...sortingQuestions.map(({ id, text }) => `${id} ${text}`)],
        peers.map(peer => [peer.label, ...ids.map(id => formatMs(medianOf(id, peer)))]),
      ),
    )
    const natives = peers.filter(({ kind }) => kind !== 'millrace')
    const ours = peers.filter(({ kind }) => kind === 'millrace')
    if (natives.length === 0 || ours.length === 0) continue
    const ratiosOf = peer =>
      ids.map(id => medianOf(id, peer) / Math.min(...natives.map(native => medianOf(id, native))))
    text.push(
      'Our time by that of the fastest native engine:',
      markdownTable(
        ['', ...ids],
        ours.map(peer => [peer.label, ...ratiosOf(peer).map(formatRatio)]),
      ),
    )
    const best = ours.filter(({ options }) => !options.entry).at(-1)
    for (const [i, ratio] of best ? ratiosOf(best).entries() : []) {
      if (ratio > TARGET)
        losses.push(
          `Whole rows, ${formatCount(rowCount)}, ${sortingQuestions[i].text}, ${best.label}: ${formatRatio(ratio)} of the fastest native engine's time, at most ${TARGET} wanted`,
        )
    }
  }
  return {
    text,
    losses,
    problems: results.flatMap(({ rowCount, problems }) =>
      problems.map(problem => `Whole rows, ${formatCount(rowCount)}, ${problem}`),
    ),
    versions: [...new Set(results.flatMap(({ versions }) => Object.values(versions)))].filter(
      version => !version.startsWith('Millrace'),
    ),
    measuresOurs: results.some(({ peers }) => peers.some(({ kind }) => kind === 'millrace')),
  }
}
