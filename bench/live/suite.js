// Flows that run on: windows beside hand-written loops, rxjs and db-ivm; Nexmark; latency; and what a change costs after many. Each is measured in a process of its own, windows in rounds.

import { nexmarkIds } from '../nexmark/ids.js'
import { openProcess } from '../peer.js'
import { median } from '../statistics.js'
import { formatCount, formatRatio, markdownTable } from '../table.js'

/** Windows by column and by object, in the order of the table; the first of a kind in plain JavaScript is what ratios are of. */
const windowPeers = [
  { id: 'millrace-columns', kind: 'columns' },
  { id: 'plain-columns', kind: 'columns' },
  { id: 'millrace-pushed', kind: 'objects' },
  { id: 'millrace-rows', kind: 'objects' },
  { id: 'plain-objects', kind: 'objects' },
  { id: 'rxjs-windows', kind: 'objects' },
  { id: 'rxjs', kind: 'objects' },
  { id: 'db-ivm', kind: 'objects' },
]
/** Millions of events a second that are wanted with one lane. */
const TARGETS = { 'millrace-columns': 150, 'millrace-pushed': 15 }
/** What Flink is known to do on a core, in thousands of events a second: with exactly-once, from a source of its own, so no like for like. */
const FLINK = {
  q0: 379,
  q4: 34,
  q5: 75,
  q7: 12,
  q9: 14,
  q11: 46,
  q12: 194,
  q15: 168,
  q16: 19,
  q17: 161,
  q18: 54,
  q19: 44,
}
const FLINK_TIMES = 20
const RATE = 1e5
const HISTORIES = [1e4, 1e5, 1e6, 1e7]

/**
 * @param {object} options
 * @param {number} options.events of the windows
 * @param {number} options.nexmarkEvents
 * @param {number} options.seconds of each latency
 * @param {number} options.seed
 * @param {number} options.runs
 * @param {number[]} options.lanes
 * @param {number} options.limitMs
 * @param {(line: string) => void} options.log
 */
export async function runLive({ events, nexmarkEvents, seconds, seed, runs, lanes, limitMs, log }) {
  const problems = []
  const alone = async (what, argument, command) => {
    log(`live: ${what}`)
    const peer = openProcess(new URL('./live-process.js', import.meta.url), { limitMs })
    try {
      return await peer.send(command, argument)
    } catch (error) {
      problems.push(`Live, ${what}: ${error.message}`)
      return null
    } finally {
      await peer.close()
    }
  }
  const windows = await runWindows({ events, seed, runs, lanes: lanes[0] ?? 0, limitMs, log, problems })
  const nexmark = []
  for (const id of nexmarkIds) {
    const found = await alone(
      `Nexmark ${id}`,
      { id, events: nexmarkEvents, seed, runs, lanes: lanes[0] ?? 0 },
      'nexmark',
    )
    if (found !== null) nexmark.push(found)
  }
  const latency = []
  for (const shape of ['rows', 'groups']) {
    for (const count of lanes) {
      const what = `latency of ${shape}, ${lanesLabel(count)}`
      const options = { lanes: count, shape, rate: RATE, seconds, burstSeconds: seconds }
      const found = await alone(what, options, 'latency')
      if (found !== null) latency.push({ shape, lanes: count, ...found })
    }
  }
  const updates = []
  for (const keys of [1000, 1e6]) {
    for (const who of ['millrace', 'plain', 'db-ivm']) {
      // Its cost goes with all rows of a group so far.
      const histories = who === 'db-ivm' ? HISTORIES.slice(0, 2) : HISTORIES
      const options = { who, keys, histories, updates: 1e6, seed }
      const found = await alone(`updates of ${formatCount(keys)} keys, ${who}`, options, 'updates')
      if (found !== null) updates.push({ who, keys, measured: found })
    }
  }
  return { events, nexmarkEvents, windows, nexmark, latency, updates, problems, measuresOurs: lanes.length > 0 }
}

async function runWindows({ events, seed, runs, lanes, limitMs, log, problems }) {
  const rates = Object.fromEntries(windowPeers.map(({ id }) => [id, []]))
  const counts = {}
  const peers = []
  try {
    for (const { id } of windowPeers) {
      log(`live: windows, ${id}`)
      const peer = { id, ...openProcess(new URL('./live-process.js', import.meta.url), { limitMs }) }
      peers.push(peer)
      counts[id] = (await peer.send('windows', { id, events, seed, lanes })).events
    }
    const tallies = new Map()
    for (let round = 0; round <= runs; round++) {
      for (const { id, send } of peers) {
        const { ms, tally } = await send('again')
        if (round > 0) rates[id].push(counts[id] / ms / 1000)
        // Whoever is given as many events has the same answer.
        const expected = tallies.get(counts[id]) ?? JSON.stringify(tally)
        tallies.set(counts[id], expected)
        if (JSON.stringify(tally) !== expected)
          problems.push(`Live, windows, ${id}: ${JSON.stringify(tally)}, not ${expected}`)
      }
    }
  } catch (error) {
    problems.push(`Live, windows: ${error.message}`)
  } finally {
    await Promise.all(peers.map(({ close }) => close()))
  }
  return { rates, counts }
}

const lanesLabel = count => (count === 0 ? 'inline' : `${count} ${count === 1 ? 'lane' : 'lanes'}`)

/**
 * @param {Awaited<ReturnType<typeof runLive>>} result
 * @param {Record<string, string>} labels of who makes windows
 * @returns {import('../report.js').Section}
 */
export function liveReport(result, labels) {
  const losses = []
  return {
    text: [
      '## Live: flows that run on',
      ...windowsText(result, labels, losses),
      ...nexmarkText(result, losses),
      ...latencyText(result, losses),
      ...updatesText(result, losses),
    ],
    losses,
    problems: result.problems,
    versions: ['rxjs 7.8.2', '@tanstack/db-ivm 0.2.0'],
    measuresOurs: result.measuresOurs,
  }
}

function windowsText({ windows: { rates, counts } }, labels, losses) {
  const rateOf = id => (rates[id].length === 0 ? Number.NaN : median(rates[id]))
  const rows = windowPeers.map(({ id, kind }) => [
    labels[id],
    formatCount(counts[id] ?? 0),
    rateOf(id).toFixed(2),
    // Of times, so that less is better, as everywhere.
    formatRatio(rateOf(`plain-${kind}`) / rateOf(id)),
  ])
  for (const [id, target] of Object.entries(TARGETS)) {
    if (!(rateOf(id) >= target))
      losses.push(`Live, ${labels[id]}: ${rateOf(id).toFixed(1)} M events/s (the target is ${target})`)
  }
  return [
    '### Sums by tumbling second and 1,000 keys',
    `Events come up to 200 ms late, in batches of 8,192, and are made beforehand. Every result is taken as its window closes, and all are the same. The ratio is of the time an event takes to that in plain JavaScript over the same form.`,
    markdownTable(['', 'events', 'M events/s', 'time, to plain'], rows),
  ]
}

function nexmarkText({ nexmark, nexmarkEvents }, losses) {
  const rows = nexmark.map(({ id, rows, results, ms, isCollected, runsOn, why }) => {
    const rate = rows / median(ms)
    const flink = FLINK[id]
    if (flink !== undefined && rate < FLINK_TIMES * flink)
      losses.push(
        `Nexmark ${id}: ${(rate / flink).toFixed(1)} times Flink's rate on a core (the target is ${FLINK_TIMES})`,
      )
    const how = {
      yes: 'runs on',
      both: 'runs on',
      sides: 'runs on, one side known',
      end: 'collected',
      no: 'collected',
    }[runsOn]
    return [
      id,
      isCollected ? `${how}: ${why}` : how,
      formatCount(rows),
      formatCount(results),
      (rate / 1000).toFixed(2),
      flink === undefined ? '–' : (rate / flink).toFixed(1),
    ]
  })
  return [
    '### Nexmark',
    `${formatCount(nexmarkEvents)} events of 25 s, up to 1,000 places out of order, made beforehand and streamed in batches of 8,192 of the kind that the query reads; every batch of the answer is taken, its rows are not looked at. Flink's published rate on a core is with exactly-once and a source of its own, so this is no like for like. q12 is by the time of arrival, which is a column; q19 gives prices. Answers are held against DuckDB's in test/bench/nexmark.test.ts.`,
    markdownTable(['', 'how', 'rows read', 'rows given', 'M rows/s', "times Flink's"], rows),
  ]
}

function latencyText({ latency }, losses) {
  for (const { shape, lanes, p99 } of latency) {
    const target = lanes === 0 ? 2 : 5
    if (p99 > target)
      losses.push(
        `Latency of ${shape}, ${lanesLabel(lanes)}: ${p99} ms at the 99th of a hundred (the target is ${target})`,
      )
  }
  const ms = value => value.toFixed(2)
  return [
    '### From push to subscriber',
    '100,000 rows a second, steadily, pushed whenever a timer of a millisecond has its turn; then ten times as many for as long, and back. `rows`: a filter and a computed column. `groups`: 1,000 groups that tell their changes.',
    markdownTable(
      ['', 'p50 ms', 'p99 ms', 'p99.9 ms', 'worst in the burst', 'steady again after ms', 'memory MB'],
      latency.map(({ shape, lanes, p50, p99, p999, burst }) => [
        `${shape}, ${lanesLabel(lanes)}`,
        ms(p50),
        ms(p99),
        ms(p999),
        ms(burst.worstMs),
        burst.steadyAfterMs.toFixed(0),
        burst.heapMegabytes.toFixed(0),
      ]),
    ),
  ]
}

function updatesText({ updates }, losses) {
  const cost = (measured, history) => measured.find(each => each.history === history)?.usPerUpdate
  for (const { who, keys, measured } of updates) {
    if (who !== 'millrace') continue
    // Until most keys have been there once, updates make groups.
    const settled = measured.filter(({ history }) => history >= keys).map(({ usPerUpdate }) => usPerUpdate)
    // What is dear at first is the engine warming up, not history.
    if (settled.some((us, i) => us > 1.5 * Math.min(...settled.slice(0, i + 1))))
      losses.push(`Updates of ${formatCount(keys)} keys: dearer as history grows`)
  }
  const labels = { millrace: 'Millrace', plain: 'plain JavaScript, a map', 'db-ivm': '@tanstack/db-ivm' }
  return [
    '### A group-by that tells its changes: microseconds an update',
    'Counts and sums, a thousand updates at a time, up to 1,000,000 of them after as many as the column says; every change is taken.',
    markdownTable(
      ['', ...HISTORIES.map(history => `after ${formatCount(history)}`)],
      updates.map(({ who, keys, measured }) => [
        `${labels[who]}, ${formatCount(keys)} keys`,
        ...HISTORIES.map(history => cost(measured, history)?.toFixed(3) ?? '–'),
      ]),
    ),
  ]
}
