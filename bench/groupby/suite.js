// Runs the group-by benchmark at one size: every peer loaded, then each question asked of all in turn, round by round; ../report.js tells it.

import { mkdtempSync, rmSync } from 'node:fs'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFloor } from '../floor/floor.js'
import { openPeer } from '../peer.js'
import { formatCount } from '../table.js'
import { writeAnswer } from './answer-file.js'
import { groupByData } from './data.js'
import { bytesRead } from './questions.js'
import { referenceAnswer } from './reference.js'

/** A first run longer than this is followed by one warm run instead of all. */
const SLOW_MS = 10_000

/**
 * @typedef {{ inHandMs: number, readMs: number }} Times
 * @typedef {{ cold: Times | null, warm: Times[], problem: string | null }} PeerTimes
 *
 * @typedef {object} QuestionResult
 * @property {import('./questions.js').Question} question
 * @property {number} groupCount
 * @property {number} byteLength what answering reads at the least
 * @property {Record<number, number[]>} bandwidths bytes per second by number of threads, one a round
 * @property {Record<string, PeerTimes>} peers by id
 *
 * @typedef {object} GroupByResult
 * @property {number} rowCount
 * @property {import('../peers/catalogue.js').PeerEntry[]} peers
 * @property {Record<string, string>} versions by id
 * @property {Record<string, import('../peer-process.js').Load>} loads by id
 * @property {Record<string, number>} peaks the most bytes that its process held, by id
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
 * @returns {Promise<GroupByResult>}
 */
export async function runGroupBy({ rowCount, seed, runs, threads, limitMs, questions, entries, log }) {
  const needed = rowCount * entries.reduce((sum, entry) => sum + entry.bytesPerRow, 0)
  if (needed > freemem()) {
    const gigabytes = bytes => `${(bytes / 1e9).toFixed(1)} GB`
    throw new Error(
      `${formatCount(rowCount)} rows in ${entries.length} peers may need ${gigabytes(needed)} of memory and ${gigabytes(freemem())} are free: ` +
        'choose fewer peers, lanes or rows',
    )
  }
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  log(`${formatCount(rowCount)} rows: the exact answers`)
  const expected = writeExpected(folder, rowCount, seed, questions)
  const floor = await openFloor(threads)
  /** @type {import('../peer.js').PeerHandle[]} */
  const handles = []
  /** @type {GroupByResult} */
  const result = { rowCount, peers: entries, versions: {}, loads: {}, peaks: {}, failures: {}, questions: [] }
  try {
    for (const entry of entries) {
      log(`${formatCount(rowCount)} rows: loading ${entry.label}`)
      try {
        const handle = await openPeer(entry, { limitMs })
        handles.push(handle)
        result.versions[entry.id] = handle.version
        result.loads[entry.id] = await handle.load(rowCount, seed)
      } catch (error) {
        result.failures[entry.id] = error.message
        log(`  ${entry.label}: ${error.message}`)
      }
    }
    const loaded = handles.filter(handle => handle.entry.id in result.loads)
    for (const question of questions) {
      log(`${formatCount(rowCount)} rows: ${question.id}, ${question.text}`)
      result.questions.push(
        await askAll(question, expected.get(question.id), loaded, floor, { rowCount, runs, threads, log }),
      )
    }
    // A process that took too long has ended.
    for (const { entry, peak } of loaded) result.peaks[entry.id] = await peak().catch(() => NaN)
  } finally {
    await Promise.all([floor.close(), ...handles.map(handle => handle.close())])
    rmSync(folder, { recursive: true, force: true })
  }
  return result
}

/** The data and the answers live only while this runs: what stays is files. */
function writeExpected(folder, rowCount, seed, questions) {
  const data = groupByData(rowCount, seed)
  const write = question => {
    const path = join(folder, question.id)
    const answer = referenceAnswer(data, question)
    writeAnswer(path, answer)
    return { path, groupCount: answer.rowCount }
  }
  return new Map(questions.map(question => [question.id, write(question)]))
}

/** One round asks everyone once, A B C A B C: whatever else slows the machine slows all alike. The first round is the cold one. */
async function askAll(question, expected, handles, floor, { rowCount, runs, threads, log }) {
  const bandwidths = Object.fromEntries(Array.from({ length: threads }, (_, i) => [i + 1, []]))
  /** @type {Record<string, PeerTimes>} */
  const peers = Object.fromEntries(handles.map(({ entry }) => [entry.id, { cold: null, warm: [], problem: null }]))
  for (let round = 0; round <= runs; round++) {
    for (const count in bandwidths) bandwidths[count].push(await floor.measure(Number(count)))
    for (const { entry, run } of handles) {
      const times = peers[entry.id]
      if (times.problem || (round > 1 && times.cold.inHandMs > SLOW_MS)) continue
      try {
        const { inHandMs, readMs, problem } = await run(question.id, expected.path)
        times.problem = problem
        if (round === 0) times.cold = { inHandMs, readMs }
        else times.warm.push({ inHandMs, readMs })
      } catch (error) {
        times.problem = error.message
      }
      if (times.problem) log(`  ${entry.label}: ${times.problem}`)
    }
  }
  return { question, groupCount: expected.groupCount, byteLength: bytesRead(question, rowCount), bandwidths, peers }
}
