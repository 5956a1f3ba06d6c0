// Columns computed by all engines in turn, round by round, each in a process of its own; and what there is to say of it.

import { groupByData } from '../groupby/data.js'
import { openProcess } from '../peer.js'
import { median } from '../statistics.js'
import { formatCount, formatMs, formatRatio, markdownTable } from '../table.js'
import { computedColumns, expectedSums, inputNames } from './columns.js'

/** Of ours with the most lanes, to a native peer's time, from so many rows on. */
const TARGET_ROWS = 1e7
const TARGET = 0.7

/**
 * @param {{ families: string[], lanes: number[], threads: number }} options
 * @returns {{ id: string, label: string, isOurs: boolean, module: string, options: object }[]}
 */
export function chooseEngines({ families, lanes, threads }) {
  const ours = lanes.map(count => ({
    id: `millrace:${count}`,
    label: `millrace ${count} ${count === 1 ? 'lane' : 'lanes'}`,
    isOurs: true,
    module: './peers/millrace.js',
    options: { lanes: count },
  }))
  const others = ['duckdb', 'polars']
    .filter(family => families.includes(family))
    .map(family => ({ id: family, label: family, isOurs: false, module: `./peers/${family}.js`, options: { threads } }))
  return [...ours, ...others]
}

/**
 * @param {object} options
 * @param {number} options.rowCount
 * @param {number} options.seed
 * @param {number} options.runs warm rounds
 * @param {number} options.limitMs the longest that one command may take
 * @param {ReturnType<typeof chooseEngines>} options.engines
 * @param {(line: string) => void} options.log
 */
export async function runExpressions({ rowCount, seed, runs, limitMs, engines, log }) {
  const result = { rowCount, engines, versions: {}, times: {} }
  const expected = expectedSums(groupByData(rowCount, seed, inputNames))
  const handles = []
  try {
    for (const engine of engines) {
      const { send, close, kill } = openProcess(new URL('./expression-process.js', import.meta.url), { limitMs })
      const times = { cold: null, warm: [], problem: null }
      result.times[engine.id] = times
      try {
        result.versions[engine.id] = (await send('open', { module: engine.module, options: engine.options })).version
        await send('load', { rowCount, seed })
        handles.push({ times, send, close })
      } catch (error) {
        times.problem = error.message
        await kill()
      }
    }
    log(`${formatCount(rowCount)} rows, ${computedColumns.length} computed columns`)
    for (let round = 0; round <= runs; round++) {
      for (const { times, send } of handles) {
        if (times.problem) continue
        try {
          const { ms, sums } = await send('run')
          times.problem = wrong(sums, expected)
          if (round === 0) times.cold = ms
          else times.warm.push(ms)
        } catch (error) {
          times.problem = error.message
        }
      }
    }
  } finally {
    await Promise.all(handles.map(({ close }) => close()))
  }
  return result
}

/** The first column whose sum is not what it should be, to eight digits: of halves the engines round some up and some down. Null where all are. */
export function wrong(sums, expected) {
  for (const [i, { name }] of computedColumns.entries()) {
    if (!(Math.abs(sums[i] - expected[i]) <= 1e-8 * Math.abs(expected[i])))
      return `the sum of ${name} is ${sums[i]}, not ${expected[i]}`
  }
  return null
}

/**
 * @param {Awaited<ReturnType<typeof runExpressions>>[]} results one a size
 * @param {{ runs: number, threads: number }} options
 * @returns {import('../report.js').Section}
 */
export const expressionReport = (results, options) =>
  computedReport(results, options, {
    title: 'Expressions',
    columns: computedColumns,
    check: "Sums of the columns are held against JavaScript's, to eight digits",
  })

/**
 * What there is to say of columns computed of the group-by table, be they numbers or strings.
 *
 * @param {{ rowCount: number, engines: ReturnType<typeof chooseEngines>, versions: Record<string, string>, times: Record<string, { cold: number | null, warm: number[], problem: string | null }> }[]} results
 * @param {{ runs: number, threads: number }} options
 * @param {{ title: string, columns: { sql: string }[], check: string }} what
 * @returns {import('../report.js').Section}
 */
export function computedReport(results, { runs, threads }, { title, columns, check }) {
  const losses = []
  const text = [
    `## ${title}: method`,
    `${columns.length} columns computed of the group-by table, ${columns.map(({ sql }) => `\`${sql}\``).join(', ')}: from a table in each engine's own store to
columns in it (\`load\` of a loaded table, a temporary table, a frame). A cold round, then ${runs} warm ones whose median counts, engines in turn; native ones have
${threads} threads. ${check}.`,
  ]
  for (const { rowCount, engines, times } of results) {
    const warm = id => (times[id].warm.length > 0 ? median(times[id].warm) : null)
    const best = engines.filter(({ isOurs }) => isOurs).at(-1)
    const cell = ms => (ms === null ? '–' : formatMs(ms))
    const ratio = id => (best && warm(best.id) && warm(id) ? warm(best.id) / warm(id) : null)
    text.push(
      `## ${title}, ${formatCount(rowCount)} rows`,
      markdownTable(
        ['engine', 'warm ms', 'cold ms', ...(best ? [`${best.label} / it`] : [])],
        engines.map(({ id, label }) => [
          label,
          cell(warm(id)),
          cell(times[id].cold),
          ...(best ? [formatRatio(ratio(id))] : []),
        ]),
      ),
    )
    for (const { id, label, isOurs } of engines) {
      const most = rowCount >= TARGET_ROWS ? TARGET : 1
      if (!isOurs && ratio(id) > most)
        losses.push(
          `${title}, ${formatCount(rowCount)} rows: ${formatRatio(ratio(id))} of ${label}'s time, at most ${most} wanted`,
        )
    }
  }
  return {
    text,
    losses,
    problems: results.flatMap(({ rowCount, engines, times }) =>
      engines.flatMap(({ id, label }) =>
        times[id].problem ? [`${title}, ${formatCount(rowCount)} rows, ${label}: ${times[id].problem}`] : [],
      ),
    ),
    versions: results.flatMap(({ engines, versions }) =>
      engines.flatMap(({ id, isOurs }) => (isOurs || !versions[id] ? [] : [versions[id]])),
    ),
    measuresOurs: results.some(({ engines }) => engines.some(({ isOurs }) => isOurs)),
  }
}
