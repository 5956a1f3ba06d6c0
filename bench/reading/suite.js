// Reads one file by all readers in turn, round by round, each in a process of its own; report.js tells it.

import { freemem } from 'node:os'
import { seat } from '../groupby/suite.js'
import { openProcess } from '../peer.js'
import { formatCount } from '../table.js'

/** A first reading longer than this is followed by one warm one instead of all. */
const SLOW_MS = 10_000

/**
 * @typedef {{ cold: number | null, warm: number[], problem: string | null }} ReadTimes milliseconds
 * @typedef {Record<string, ReadTimes>} Sitting by reader, of those that read in turn: only these are compared with one another
 *
 * @typedef {object} ReadResult
 * @property {import('./files.js').DataFile} file
 * @property {import('./readers.js').ReaderEntry[]} readers
 * @property {Record<string, string>} versions by id
 * @property {Record<string, number | null>} peaks the most bytes that its process held, by id
 * @property {Record<string, string>} failures why a reader could not be opened, by id
 * @property {Sitting[]} sittings
 */

/**
 * @param {object} options
 * @param {import('./files.js').DataFile} options.file
 * @param {import('./readers.js').ReaderEntry[]} options.entries
 * @param {number} options.runs warm runs
 * @param {number} options.limitMs the longest that one reading may take
 * @param {(line: string) => void} options.log
 * @param {number} [options.freeBytes] of memory for all that sit together
 * @returns {Promise<ReadResult>}
 */
export async function runReading({ file, entries, runs, limitMs, log, freeBytes = freemem() }) {
  const readers = entries.filter(({ formats }) => formats.includes(file.format))
  /** @type {ReadResult} */
  const result = { file, readers, versions: {}, peaks: {}, failures: {}, sittings: [] }
  for (const sitting of seat(readers, file.facts.rowCount, freeBytes)) {
    const handles = []
    try {
      for (const entry of sitting) {
        try {
          handles.push(await openReader(entry, limitMs))
          result.versions[entry.id] = handles.at(-1).version
        } catch (error) {
          result.failures[entry.id] = error.message
          log(`  ${entry.label}: ${error.message}`)
        }
      }
      log(
        `${formatCount(file.facts.rowCount)} rows of ${file.format}: ${handles.map(({ entry }) => entry.label).join(', ')}`,
      )
      result.sittings.push(await readAll(file, handles, { runs, log }))
      for (const { entry, peak } of handles) result.peaks[entry.id] = await peak().catch(() => null)
    } finally {
      await Promise.all(handles.map(({ close }) => close()))
    }
  }
  return result
}

async function openReader(entry, limitMs) {
  const { send, close, kill } = openProcess(new URL('./reader-process.js', import.meta.url), { limitMs })
  try {
    const { version } = await send('open', { module: entry.module, options: entry.options })
    /** @type {(file: import('./files.js').DataFile) => Promise<import('./timed-read.js').Reading>} */
    const read = file => send('read', { file, exact: entry.isExact })
    return { entry, version, read, peak: () => send('peak'), close }
  } catch (error) {
    await kill()
    throw error
  }
}

/** One round has everyone read once, A B C A B C: whatever else slows the machine slows all alike. The first round is the cold one. */
async function readAll(file, handles, { runs, log }) {
  /** @type {Sitting} */
  const sitting = Object.fromEntries(handles.map(({ entry }) => [entry.id, { cold: null, warm: [], problem: null }]))
  for (let round = 0; round <= runs; round++) {
    for (const { entry, read } of handles) {
      const times = sitting[entry.id]
      if (times.problem || (round > 1 && times.cold > SLOW_MS)) continue
      try {
        const { ms, problem } = await read(file)
        times.problem = problem
        if (round === 0) times.cold = ms
        else times.warm.push(ms)
      } catch (error) {
        times.problem = error.message
      }
      if (times.problem) log(`  ${entry.label}: ${times.problem}`)
    }
  }
  return sitting
}
