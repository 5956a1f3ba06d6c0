// Lays the reading benchmark out: times, megabytes a second, ratios, and where we lose; suite.js measures.

import { median } from '../statistics.js'
import { formatCount, formatMegabytes, formatMs, formatRatio, markdownTable } from '../table.js'

/** Of ours with the most lanes, to a peer's time, from so many rows on: a start that costs milliseconds is no part of reading. */
const TARGET_ROWS = 1e7
const targets = { csv: { polars: 0.5 }, ndjson: { native: 0.5 }, secondLane: 0.6, chromium: 1.3 }

/**
 * @param {import('./suite.js').ReadResult[]} results one a file
 * @param {{ runs: number, threads: number }} options that they were measured with
 * @param {'reading' | 'reading-browser'} suite
 * @returns {import('../report.js').Section}
 */
export function readingReport(results, options, suite = 'reading') {
  const title = suite === 'reading' ? 'Reading' : 'Reading in Chromium and in Node'
  const losses = []
  return {
    text: [
      `## ${title}: method`,
      suite === 'reading' ? method(options) : browserMethod(options),
      ...results.flatMap(result => fileSection(result, title, losses)),
    ],
    losses,
    problems: results.flatMap(result => problemsOf(result, title)),
    versions: results.flatMap(({ readers, versions }) =>
      readers.flatMap(({ id, family }) => (family === 'millrace' || !versions[id] ? [] : [versions[id]])),
    ),
    measuresOurs: results.some(({ readers }) => readers.some(isOurs)),
  }
}

const isOurs = ({ family }) => ['millrace', 'millrace-blob', 'chromium'].includes(family)

function method({ runs, threads }) {
  return `The group-by table as a file, its types declared, in the page cache. All readers read it in turn, round by round (A B C A B C), each in a process of
its own, one at a time: a first round, which is the cold one, and ${runs} warm rounds whose median counts. The time is until all rows are in hand in
the reader's own form: for Millrace rows held in the lanes (\`load\`) or a \`Table\` in the calling thread (\`collect\`), for Polars a frame, for DuckDB
and duckdb-wasm a table of theirs, for others typed JavaScript values: columns of uDSV, objects of the rest. After every reading the rows are counted and
each column is summed, and the sums are held against exact ones: whole numbers to the last digit, the numbers in strings too, v3 in millionths; ours
of v3 to the last bit. Native engines have ${threads} threads, all others but Millrace have one. Those that are slow read the smaller file only.`
}

function browserMethod({ runs }) {
  return `The page is given the file in an input, as a user gives it: a \`Blob\` that each lane slices itself. Of the processes of Node one is given its path and
one a \`Blob\`, which has the file's bytes in memory. All read it into their lanes in turn, a cold round and ${runs} warm ones, and check it alike. Times of
the page are taken there.`
}

function fileSection(result, title, losses) {
  const { file, readers, sittings, peaks } = result
  const measured = readers.filter(({ id }) => id in result.versions)
  const times = Object.fromEntries(measured.map(({ id }) => [id, timesOf(sittings, id)]))
  const name = `${file.format === 'csv' ? 'CSV' : 'NDJSON'}, ${formatCount(file.facts.rowCount)} rows, ${formatMegabytes(file.byteLength)} MB`
  const rate = ms => (ms === null ? '–' : Math.round(file.byteLength / 1e3 / ms).toString())
  const lines = [
    `## ${title}, ${name}`,
    markdownTable(
      ['reader', 'warm ms', 'MB/s', 'cold ms', 'MB/s, cold', 'MB at the peak of its process'],
      measured.map(({ id, label }) => {
        const { cold, warm } = times[id]
        const ms = value => (value === null ? '–' : formatMs(value))
        const peak = peaks[id] ?? null
        return [label, ms(warm), rate(warm), ms(cold), rate(cold), peak === null ? '–' : formatMegabytes(peak)]
      }),
    ),
  ]
  const compared = comparisons(measured, file).map(comparison => ({
    ...comparison,
    ratio: ratioOf(sittings, comparison),
  }))
  if (compared.length > 0) {
    lines.push(
      '### Ratios of warm medians',
      markdownTable(
        ['ratio', 'time', 'times as fast', 'target'],
        compared.map(({ label, ratio, target }) => [
          label,
          formatRatio(ratio),
          formatRatio(ratio === null ? null : 1 / ratio),
          target === null ? '–' : String(target),
        ]),
      ),
    )
  }
  for (const { label, ratio, target, limit } of compared) {
    if (ratio === null || ratio <= limit) continue
    const missed = target === null ? 'slower than the peer' : `the target is ${target}`
    losses.push(`${title}, ${name}, ${label}: ${formatRatio(ratio)} (${missed})`)
  }
  return lines
}

function timesOf(sittings, id) {
  const own = sittings.flatMap(sitting => (id in sitting && !sitting[id].problem ? [sitting[id]] : []))
  const warm = own.flatMap(({ warm }) => warm)
  return { cold: own[0]?.cold ?? null, warm: warm.length === 0 ? null : median(warm) }
}

/**
 * Every way and lane count of ours against each other reader, and against the fastest native; two lanes against one; a page against Node.
 * `limit` is what it may be before it counts as a loss.
 */
function comparisons(readers, { format, facts }) {
  const ours = readers.filter(({ family }) => family === 'millrace')
  const others = readers.filter(reader => !isOurs(reader))
  const most = Math.max(...ours.map(({ options }) => options.lanes))
  const isLarge = facts.rowCount >= TARGET_ROWS
  const found = []
  const add = (own, name, theirs, wanted, limit) => {
    const target = isLarge ? (wanted ?? null) : null
    const ids = theirs.map(({ id }) => id)
    found.push({ label: `${own.label} / ${name}`, own: own.id, theirs: ids, target, limit: target ?? limit })
  }
  for (const own of ours) {
    const isHeld = own.options.lanes === most
    const held = wanted => (isHeld ? wanted : undefined)
    const limit = isHeld ? 1 : Infinity
    for (const peer of others) add(own, peer.label, [peer], held(targets[format][peer.family]), limit)
    const native = others.filter(({ isNative }) => isNative)
    if (native.length > 1) add(own, 'fastest native', native, held(targets[format].native), limit)
    const one = ours.find(({ options }) => options.lanes === 1 && options.way === own.options.way)
    if (own.options.lanes === 2 && one) add(own, one.label, [one], targets.secondLane, Infinity)
    const alike = wanted =>
      readers.find(({ family, options }) => family === wanted && options.lanes === own.options.lanes)
    const [page, blob] = [alike('chromium'), alike('millrace-blob')]
    if (page) add(page, own.label, [own], undefined, Infinity)
    if (page && blob) add(page, blob.label, [blob], targets.chromium, Infinity)
  }
  return found
}

/** The median over sittings of our median over the least of theirs. */
function ratioOf(sittings, { own, theirs }) {
  const warm = times => (times && !times.problem && times.warm.length > 0 ? median(times.warm) : null)
  const ratios = sittings.flatMap(sitting => {
    const mine = warm(sitting[own])
    const least = theirs.map(id => warm(sitting[id])).filter(ms => ms !== null)
    return mine === null || least.length === 0 ? [] : [mine / Math.min(...least)]
  })
  return ratios.length === 0 ? null : median(ratios)
}

/** Whatever could not be opened or read, or was read wrongly. */
function problemsOf({ file, readers, failures, sittings }, title) {
  const name = `${title}, ${file.format}, ${formatCount(file.facts.rowCount)} rows`
  return readers.flatMap(({ id, label }) => [
    ...(id in failures ? [`${name}, ${label}: ${failures[id]}`] : []),
    ...sittings.flatMap(sitting => (sitting[id]?.problem ? [`${name}, ${label}: ${sitting[id].problem}`] : [])),
  ])
}
