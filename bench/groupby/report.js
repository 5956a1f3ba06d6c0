// Lays the group-by benchmark out: tables of times, ratios and multiples of the floor, and where we lose; suite.js measures, summary.js counts.

import { formatCount, formatMegabytes, formatMs, formatRatio, markdownTable } from '../table.js'
import { compare, describeTarget, summarise, targetOf } from './summary.js'

/**
 * @param {import('./suite.js').GroupByResult[]} results one a size
 * @param {{ runs: number, seed: number, threads: number }} options that they were measured with
 * @param {'groupby' | 'browser'} suite
 * @returns {import('../report.js').Section}
 */
export function groupByReport(results, options, suite = 'groupby') {
  const title = suite === 'groupby' ? 'Group-by' : 'Group-by in Chromium and in Node'
  const losses = []
  return {
    text: [
      `## ${title}: method`,
      suite === 'groupby' ? method(options) : browserMethod(options),
      ...results.flatMap(result => groupBySection(result, title, losses)),
    ],
    losses,
    problems: results.flatMap(result => problemsOf(result, title)),
    versions: results.flatMap(({ peers, versions }) =>
      peers.flatMap(({ id, family }) => (family === 'millrace' || !versions[id] ? [] : [versions[id]])),
    ),
    measuresOurs: results.some(({ peers }) => peers.some(isOurs)),
  }
}

function method({ runs, seed, threads }) {
  return `The same seeded data (seed ${seed}) in every peer, each in a process of its own with its table loaded beforehand. Questions are asked of all
peers in turn, round by round (A B C A B C), one thing running at a time: a first round, which is the cold one, and ${runs} warm rounds whose
median counts. Where memory does not hold all peers at once, ours sit with some of them, then with the others, and a ratio is always of
times of one sitting. *In hand* is the time until the whole answer is there in the peer's own form: for Millrace the \`Table\` that \`collect\`
resolves with, for DuckDB a materialised native result, for Polars a frame, for ClickHouse and duckdb-wasm an Arrow table. *Read* goes on until
every value of every column, lists included, has been seen as a JavaScript value. Every answer of every run is checked against exact ones:
each group, to 1e-6; ours to the last bit, with groups in order of first appearance. Native engines have ${threads} threads; duckdb-wasm and
Arquero have one. *Fastest native* is the fastest of the native engines that ran, question by question. An ENUM key comes back as its code.
The floor is the time to read a question's columns once (a string as 4 bytes) with a SIMD sum measured in the same rounds.`
}

function browserMethod({ runs, seed }) {
  return `A page for each number of lanes, cross-origin isolated, imports the built \`dist/web\`. It makes the same data (seed ${seed}), times the same
questions, reads and checks the same answers as the process of Node that is asked in turn with it: a first, cold round, and ${runs} warm ones whose
medians count. Times are taken in the page.`
}

function groupBySection(result, title, losses) {
  const summaries = summarise(result)
  const peers = result.peers.filter(peer => peer.id in result.loads)
  const rows = `${formatCount(result.rowCount)} rows`
  const lines = [
    `## ${title}, ${rows}`,
    '### Warm, milliseconds: in hand / read',
    timesTable(summaries, peers, 'warm'),
    '### Cold, milliseconds: in hand / read',
    timesTable(summaries, peers, 'cold'),
  ]
  const ours = peers.filter(isOurs)
  if (ours.length) {
    lines.push('### Ratios of warm medians', ratiosTable(summaries, peers, ours, result.rowCount))
    lines.push('### Bytes read and multiples of the floor', floorTable(summaries, ours))
    recordLosses(summaries, peers, ours, result.rowCount, title, losses)
  }
  lines.push('### Loading', loadTable(result, peers))
  return lines
}

function timesTable(summaries, peers, kind) {
  const cell = times => (times ? `${formatMs(times.inHandMs)} / ${formatMs(times.readMs)}` : '–')
  return markdownTable(
    ['question', 'groups', ...peers.map(peer => peer.label)],
    summaries.map(summary => [
      `${summary.question.id} ${summary.question.text}`,
      formatCount(summary.groupCount),
      ...peers.map(peer => cell(summary[kind][peer.id])),
    ]),
  )
}

function ratiosTable(summaries, peers, ours, rowCount) {
  const mostLanes = mostLanesOf(ours)
  const lines = comparisons(peers, ours).map(({ label, own, theirs, measure, target }) => {
    const { ratios, mean } = compare(summaries, own.id, theirs, measure)
    const isHeld = (own.options.lanes === mostLanes || target === 'node') && measure === 'inHandMs'
    const wanted = isHeld ? describeTarget(targetOf(target, rowCount)) : ''
    return [label, ...ratios.map(formatRatio), formatRatio(mean), wanted || '–']
  })
  return markdownTable(['ratio', ...summaries.map(({ question }) => question.id), 'geometric mean', 'target'], lines)
}

/** What targets are set for. */
function mostLanesOf(ours) {
  return Math.max(...ours.map(peer => peer.options.lanes))
}

/** Every lane count against the fastest native peer, each other family of peers, the baseline, and one lane. */
function comparisons(peers, ours) {
  const found = []
  const add = (own, name, theirs, measure, target) => {
    const stage = measure === 'inHandMs' ? 'in hand' : 'read'
    found.push({ label: `${own.label} / ${name}, ${stage}`, own, theirs: theirs.map(peer => peer.id), measure, target })
  }
  const native = peers.filter(peer => peer.isNative)
  const others = [...new Set(peers.filter(peer => !isOurs(peer) && !peer.isNative).map(peer => peer.family))]
  const current = ours.filter(peer => peer.family === 'millrace')
  for (const own of current) {
    for (const measure of ['inHandMs', 'readMs']) {
      if (native.length) add(own, 'fastest native', native, measure, 'native')
      for (const family of others) {
        const theirs = peers.filter(peer => peer.family === family)
        add(own, theirs.length > 1 ? `fastest ${family}` : family, theirs, measure, family)
      }
    }
    const page = peers.find(peer => peer.family === 'chromium' && peer.options.lanes === own.options.lanes)
    if (page) add(page, own.label, [own], 'inHandMs', 'node')
    const baseline = peers.find(peer => peer.family === 'baseline' && peer.options.lanes === own.options.lanes)
    if (baseline) add(own, baseline.label, [baseline], 'inHandMs', 'baseline')
    const oneLane = current.find(peer => peer.options.lanes === 1)
    if (own.options.lanes === 2 && oneLane) add(own, oneLane.label, [oneLane], 'inHandMs', 'secondLane')
  }
  return found
}

function floorTable(summaries, ours) {
  const threads = Object.keys(summaries[0]?.floorMs ?? {}).map(Number)
  return markdownTable(
    [
      'question',
      'MB read',
      ...threads.map(count => `floor ms, ${count} ${count === 1 ? 'thread' : 'threads'}`),
      ...ours.map(peer => peer.label),
    ],
    summaries.map(({ question, byteLength, floorMs, warm }) => [
      question.id,
      formatMegabytes(byteLength),
      ...threads.map(count => formatMs(floorMs[count])),
      ...ours.map(({ id, options }) => {
        const floor = floorMs[Math.min(Math.max(1, options.lanes), threads.length)]
        return warm[id] ? `${(warm[id].inHandMs / floor).toFixed(1)} x` : '–'
      }),
    ]),
  )
}

function loadTable({ rowCount, loads, peaks }, peers) {
  return markdownTable(
    ['peer', 'load ms', 'MB by its own account', 'MB the process grew by', 'bytes a row', 'MB at the peak of the run'],
    peers.map(({ id, label }) => {
      const { loadMs, byteLength, residentBytes } = loads[id]
      const bytes = byteLength ?? residentBytes
      const megabytes = count => (count === null ? '–' : formatMegabytes(count))
      return [
        label,
        formatMs(loadMs),
        megabytes(byteLength),
        megabytes(residentBytes),
        (bytes / rowCount).toFixed(0),
        megabytes(peaks[id] ?? null),
      ]
    }),
  )
}

function recordLosses(summaries, peers, ours, rowCount, title, losses) {
  const rows = `${title}, ${formatCount(rowCount)} rows`
  const mostLanes = mostLanesOf(ours)
  for (const { label, own, theirs, measure, target } of comparisons(peers, ours)) {
    if ((own.options.lanes !== mostLanes && target !== 'node') || measure !== 'inHandMs') continue
    const { ratios, mean } = compare(summaries, own.id, theirs, measure)
    const { each, but, mean: wanted } = targetOf(target, rowCount)
    const beyond = summaries
      .map(({ question }, i) => ({ id: question.id, ratio: ratios[i], limit: but[question.id] ?? each ?? 1 }))
      .filter(({ ratio, limit }) => ratio !== null && ratio > limit)
    if (beyond.length) {
      const list = beyond
        .map(({ id, ratio, limit }) => `${id} ${formatRatio(ratio)}${limit === (each ?? 1) ? '' : ` (${limit})`}`)
        .join(', ')
      losses.push(
        `${rows}, ${label}: ${list} (${each === null ? 'slower than the peer' : `the target is ${each} each`})`,
      )
    }
    if (wanted !== null && mean !== null && mean > wanted) {
      losses.push(`${rows}, ${label}: geometric mean ${formatRatio(mean)} (the target is ${wanted})`)
    }
  }
}

/** Whatever could not be opened, loaded or answered, or was answered wrongly. */
function problemsOf(result, title) {
  const { rowCount, peers, failures } = result
  const rows = `${title}, ${formatCount(rowCount)} rows`
  const summaries = summarise(result)
  return peers.flatMap(({ id, label }) => [
    ...(id in failures ? [`${rows}, ${label}: ${failures[id]}`] : []),
    ...summaries
      .filter(({ problems }) => id in problems)
      .map(({ question, problems }) => `${rows}, ${question.id}, ${label}: ${problems[id]}`),
  ])
}

/** Whether a column is Millrace's: this build's in Node or in a page, or the baseline's. */
function isOurs(peer) {
  return peer.isExact
}
