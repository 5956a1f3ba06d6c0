// Runs the group-by benchmark at one size: peers loaded, as many as fit, then each question asked of all in turn, round by round; ../report.js tells it.

import { mkdtempSync, rmSync } from 'node:fs'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFloor } from '../floor/floor.js'
import { openPeer } from '../peer.js'
import { formatCount } from '../table.js'
import { writeAnswer } from './answer-file.js'
import { groupByData } from './data.js'
import { bytesRead, columnNames, inputsOf } from './questions.js'
import { referenceAnswer } from './reference.js'

/** A first run longer than this is followed by one warm run instead of all. */
const SLOW_MS = 10_000

/**
 * @typedef {{ inHandMs: number, readMs: number }} Times
 * @typedef {{ cold: Times | null, warm: Times[], problem: string | null }} PeerTimes
 * @typedef {Record<string, PeerTimes>} Sitting the times by peer of those that were asked in turn: only these are compared with one another
 *
 * @typedef {object} QuestionResult
 * @property {import('./questions.js').Question} question
 * @property {number} groupCount
 * @property {number} byteLength what answering reads at the least
 * @property {Record<number, number[]>} bandwidths bytes per second by number of threads, one a round
 * @property {Sitting[]} sittings
 *
 * @typedef {object} GroupByResult
 * @property {number} rowCount
 * @property {import('../peers/catalogue.js').PeerEntry[]} peers
 * @property {Record<string, string>} versions by id
 * @property {Record<string, import('../peer-process.js').Load>} loads by id
 * @property {Record<string, number | null>} peaks the most bytes that its process held where that is known, by id
 * @property {Record<string, string>} failures why a peer could not be opened or loaded, by id
 * @property {QuestionResult[]} questions
 */

/**
 * @param {object} options
 * @param {number} options.rowCount
 * @param {number} options.seed
 * @param {number} options.runs warm runs
 * @param {number} options.threads the most that a peer or a floor may use
 * @param {number} options.limitMs the longest one command to a peer may take
 * @param {import('./questions.js').Question[]} options.questions
 * @param {import('../peers/catalogue.js').PeerEntry[]} options.entries
 * @param {(line: string) => void} options.log
 * @param {number} [options.freeBytes] of memory for all that sit together
 * @returns {Promise<GroupByResult>}
 */
export async function runGroupBy({
  rowCount,
  seed,
  runs,
  threads,
  limitMs,
  questions,
  entries,
  log,
  freeBytes = freemem(),
}) {
  // Others are asked in SQL over the whole table; alone, ours need no more than is asked about.
  const names = entries.every(entry => entry.isExact) ? [...new Set(questions.flatMap(inputsOf))] : columnNames
  // Without the question that has as many groups as rows a peer holds little beside its table.
  const hasLargest = questions.some(({ keys }) => keys.length > 2)
  const sittings = seat(entries, hasLargest ? rowCount : rowCount / 2, freeBytes)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  /** @type {GroupByResult} */
  const result = { rowCount, peers: entries, versions: {}, loads: {}, peaks: {}, failures: {}, questions: [] }
  try {
    log(`${formatCount(rowCount)} rows: the exact answers`)
    const expected = writeExpected(folder, { rowCount, seed, names }, questions)
    result.questions = questions.map(question => ({
      question,
      groupCount: expected.get(question.id).groupCount,
      byteLength: bytesRead(question, rowCount),
      bandwidths: Object.fromEntries(Array.from({ length: threads }, (_, i) => [i + 1, []])),
      sittings: [],
    }))
    const floor = await openFloor(threads)
    try {
      for (const sitting of sittings) {
        await sit(sitting, floor, result, expected, { seed, names, runs, limitMs, log })
      }
    } finally {
      await floor.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return result
}

/**
 * Who is asked together: everyone, or where memory does not hold them all, ours with as many others as it does, and again with the next.
 *
 * @param {import('../peers/catalogue.js').PeerEntry[]} entries
 * @param {number} rowCount of which each takes `bytesPerRow`
 * @param {number} freeBytes
 * @returns {import('../peers/catalogue.js').PeerEntry[][]}
 */
export function seat(entries, rowCount, freeBytes) {
  const bytesOf = list => rowCount * list.reduce((sum, entry) => sum + entry.bytesPerRow, 0)
  const ours = entries.filter(entry => entry.isExact)
  const sittings = [[...ours]]
  for (const entry of entries.filter(entry => !entry.isExact)) {
    const last = sittings.at(-1)
    if (bytesOf([...last, entry]) <= freeBytes || last.length === ours.length) last.push(entry)
    else sittings.push([...ours, entry])
  }
  for (const sitting of sittings) {
    if (bytesOf(sitting) <= freeBytes) continue
    const gigabytes = bytes => `${(bytes / 1e9).toFixed(1)} GB`
    throw new Error(
      `this many rows in ${sitting.map(({ label }) => label).join(', ')} may need ${gigabytes(bytesOf(sitting))} of memory and ` +
        `${gigabytes(freeBytes)} are free: choose fewer lanes or rows`,
    )
  }
  return sittings
}

/** One sitting: everyone loaded, every question asked, everyone closed. What is learnt goes into `result`. */
async function sit(entries, floor, result, expected, { seed, names, runs, limitMs, log }) {
  const { rowCount } = result
  /** @type {Map<import('../peers/catalogue.js').PeerEntry, import('../peer.js').PeerHandle>} */
  const handles = new Map()
  const seatPeer = async entry => {
    log(`${formatCount(rowCount)} rows: loading ${entry.label}`)
    await handles.get(entry)?.close()
    handles.delete(entry)
    const handle = await openPeer(entry, { limitMs })
    try {
      result.versions[entry.id] = handle.version
      result.loads[entry.id] = await handle.load(rowCount, seed, names)
      handles.set(entry, handle)
    } catch (error) {
      await handle.close()
      throw error
    }
  }
  try {
    for (const entry of entries) {
      await seatPeer(entry).catch(error => {
        result.failures[entry.id] = error.message
        log(`  ${entry.label}: ${error.message}`)
      })
    }
    for (const { question, bandwidths, sittings } of result.questions) {
      log(`${formatCount(rowCount)} rows: ${question.id}, ${question.text}`)
      const { path } = expected.get(question.id)
      const { sitting, failed } = await askAll(question, path, [...handles.values()], floor, bandwidths, { runs, log })
      sittings.push(sitting)
      // A peer that failed has perhaps lost its table, or its process: the next question is asked of a fresh one.
      for (const entry of failed) {
        await seatPeer(entry).catch(error => log(`  ${entry.label}: ${error.message}`))
      }
    }
    for (const [entry, { peak }] of handles) result.peaks[entry.id] = await peak()
  } finally {
    await Promise.all([...handles.values()].map(handle => handle.close()))
  }
}

/** The data and the answers live only while this runs: what stays is files. */
function writeExpected(folder, { rowCount, seed, names }, questions) {
  const data = groupByData(rowCount, seed, names)
  const write = question => {
    const path = join(folder, question.id)
    const answer = referenceAnswer(data, question)
    writeAnswer(path, answer)
    return { path, groupCount: answer.rowCount }
  }
  return new Map(questions.map(question => [question.id, write(question)]))
}

/**
 * One round asks everyone once, A B C A B C: whatever else slows the machine slows all alike. The first round is the cold one.
 *
 * @returns {Promise<{ sitting: Sitting, failed: import('../peers/catalogue.js').PeerEntry[] }>} `failed` are those that gave no answer at all
 */
async function askAll(question, path, handles, floor, bandwidths, { runs, log }) {
  /** @type {Sitting} */
  const sitting = Object.fromEntries(handles.map(({ entry }) => [entry.id, { cold: null, warm: [], problem: null }]))
  const failed = []
  for (let round = 0; round <= runs; round++) {
    for (const count in bandwidths) bandwidths[count].push(await floor.measure(Number(count)))
    for (const { entry, run } of handles) {
      const times = sitting[entry.id]
      if (times.problem || (round > 1 && times.cold.inHandMs > SLOW_MS)) continue
      try {
        const { inHandMs, readMs, problem } = await run(question.id, path)
        times.problem = problem
        if (round === 0) times.cold = { inHandMs, readMs }
        else times.warm.push({ inHandMs, readMs })
      } catch (error) {
        times.problem = error.message
        failed.push(entry)
      }
      if (times.problem) log(`  ${entry.label}: ${times.problem}`)
    }
  }
  return { sitting, failed }
}
