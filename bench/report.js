// Lays a run out as Markdown, for the terminal and for results.md: run.js measures, groupby/summary.js counts.

import { compare, describeTarget, summarise, targetOf } from './groupby/summary.js'
import { formatCount, formatMegabytes, formatMs, formatRatio, markdownTable } from './table.js'

/**
 * @typedef {object} RunResult
 * @property {ReturnType<typeof import('./machine.js').describeMachine>} machine
 * @property {string} command the options that this run was given
 * @property {number} runs
 * @property {number} seed
 * @property {number} threads
 * @property {import('./groupby/suite.js').GroupByResult[]} groupBy one a size
 * @property {import('./start/start.js').StartResult[]} start
 * @property {import('./size/size.js').SizeResult[]} sizes
 */

/**
 * @param {RunResult} run
 * @returns {string} Markdown
 */
export function report(run) {
  const losses = []
  const problems = run.groupBy.flatMap(problemsOf)
  const sections = [
    '# Benchmark results',
    `Written by \`npm run bench -- ${run.command}\`. A ratio is *our time / the peer's time*: lower is better.`,
    machineSection(run),
    methodSection(run),
    ...run.groupBy.flatMap(result => groupBySection(result, losses)),
    ...(run.start.length ? [startSection(run.start, losses)] : []),
    ...(run.sizes.length ? [sizeSection(run.sizes, losses)] : []),
    '## Where we lose',
    lossSection(losses, run, problems.length > 0),
    ...(problems.length ? ['## Problems', problems.map(problem => `- ${problem}`).join('\n')] : []),
  ]
  return `${sections.join('\n\n')}\n`
}

function machineSection({ machine, groupBy }) {
  const versions = new Set(
    groupBy.flatMap(({ peers, versions }) => peers.filter(peer => !isOurs(peer)).map(peer => versions[peer.id])),
  )
  return [
    '## Machine and versions',
    ...[machine.processor, machine.memory, machine.system, machine.runtime, machine.library, ...versions]
      .filter(Boolean)
      .map(line => `- ${line}`),
  ].join('\n')
}

function methodSection({ runs, seed, threads }) {
  return `## Method

The same seeded data (seed ${seed}) in every peer, each in a process of its own with its table loaded beforehand. Questions are asked of all
peers in turn, round by round (A B C A B C), one thing running at a time: a first round, which is the cold one, and ${runs} warm rounds whose
median counts. *In hand* is the time until the whole answer is there in the peer's own form: for Millrace the \`Table\` that \`collect\` resolves
with, for DuckDB a materialised native result, for Polars a frame, for ClickHouse and duckdb-wasm an Arrow table. *Read* goes on until every value of every column has been seen
as a JavaScript value. Every answer of every run is checked against exact sums: each group, to 1e-6; ours to the last bit, with groups in
order of first appearance. Native engines have ${threads} threads; duckdb-wasm and Arquero have one. An ENUM key comes back as its code.
*Fastest native* is the fastest, question by question, of those that ran.
The floor is the time to read a question's columns once (a string as 4 bytes) with a SIMD sum measured in the same rounds.`
}

function groupBySection(result, losses) {
  const summaries = summarise(result)
  const peers = result.peers.filter(peer => peer.id in result.loads)
  const rows = `${formatCount(result.rowCount)} rows`
  const lines = [
    `## Group-by, ${rows}`,
    '### Warm, milliseconds: in hand / read',
    timesTable(summaries, peers, 'warm'),
    '### Cold, milliseconds: in hand / read',
    timesTable(summaries, peers, 'cold'),
  ]
  const ours = peers.filter(isOurs)
  if (ours.length) {
    lines.push('### Ratios of warm medians', ratiosTable(summaries, peers, ours, result.rowCount))
    lines.push('### Bytes read and multiples of the floor', floorTable(summaries, ours))
    recordLosses(summaries, peers, ours, result.rowCount, losses)
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
    const isHeld = own.options.lanes === mostLanes && measure === 'inHandMs'
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
      return [
        label,
        formatMs(loadMs),
        byteLength === null ? '–' : formatMegabytes(byteLength),
        formatMegabytes(residentBytes),
        (bytes / rowCount).toFixed(0),
        Number.isNaN(peaks[id]) ? '–' : formatMegabytes(peaks[id]),
      ]
    }),
  )
}

function recordLosses(summaries, peers, ours, rowCount, losses) {
  const rows = `${formatCount(rowCount)} rows`
  const mostLanes = mostLanesOf(ours)
  for (const { label, own, theirs, measure, target } of comparisons(peers, ours)) {
    if (own.options.lanes !== mostLanes || measure !== 'inHandMs') continue
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

function startSection(start, losses) {
  const ours = start.find(({ label }) => label.startsWith('millrace'))
  if (ours && !ours.problem && ours.aboveEmptyMs > 60) {
    losses.push(`Start-up: ${formatMs(ours.aboveEmptyMs)} ms above an empty process (the target is 60)`)
  }
  const rows = start.map(({ label, medianMs, aboveEmptyMs, problem }) => [
    label,
    problem ?? formatMs(medianMs),
    problem ? '–' : formatMs(aboveEmptyMs),
  ])
  return `## Start-up: a fresh Node process, import to the first result over 1,000 rows

${markdownTable(['process', 'ms', 'above an empty process'], rows)}`
}

function sizeSection(sizes, losses) {
  for (const { label, brotliBytes } of sizes.filter(({ label }) => label.startsWith('millrace'))) {
    if (brotliBytes > 60_000) losses.push(`Download, ${label}: ${kilobytes(brotliBytes)} kB (the target is 60)`)
  }
  const rows = sizes.map(({ label, brotliBytes, files }) => [
    label,
    kilobytes(brotliBytes),
    files.map(file => `${file.name.replace(/^assets\//, '')} ${kilobytes(file.brotliBytes)}`).join(', '),
  ])
  return `## Download: the least page, minified, kB after brotli

${markdownTable(['library', 'kB', 'files'], rows)}`
}

function lossSection(losses, { groupBy, start, sizes }, hasProblems) {
  const labels = [groupBy.flatMap(({ peers }) => peers), start, sizes].flat().map(({ label }) => label)
  if (!labels.some(label => label.startsWith('millrace'))) return 'Millrace was not measured.'
  if (losses.length) return losses.map(loss => `- ${loss}`).join('\n')
  return hasProblems
    ? 'Not known: see the problems.'
    : 'Nowhere in what was measured: no peer was faster and no target was missed.'
}

/** Whatever could not be opened, loaded or answered, or was answered wrongly. */
function problemsOf({ rowCount, peers, failures, questions }) {
  const rows = `${formatCount(rowCount)} rows`
  return peers.flatMap(({ id, label }) => [
    ...(id in failures ? [`${rows}, ${label}: ${failures[id]}`] : []),
    ...questions
      .filter(({ peers: times }) => times[id]?.problem)
      .map(({ question, peers: times }) => `${rows}, ${question.id}, ${label}: ${times[id].problem}`),
  ])
}

function kilobytes(byteLength) {
  return (byteLength / 1000).toFixed(1)
}

/** Whether a column is Millrace's: this build's or the baseline's. */
function isOurs(peer) {
  return peer.family === 'millrace' || peer.family === 'baseline'
}
