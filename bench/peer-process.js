// The process that holds one peer and times it; peer.js is the other end, which says what to do next.

import { performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { readAnswer } from './groupby/answer-file.js'
import { answerColumns, difference, takeColumn, toAnswer } from './groupby/check.js'
import { groupByData } from './groupby/data.js'
import { questions } from './groupby/questions.js'

/**
 * A run: the milliseconds until the answer was in hand, those until every value of it had been read as well, and what was wrong with it.
 *
 * @typedef {{ inHandMs: number, readMs: number, problem: string | null }} Run
 *
 * `byteLength` is the peer's own account of its table, `residentBytes` what the process grew by.
 *
 * @typedef {{ loadMs: number, byteLength: number | null, residentBytes: number }} Load
 */

/** @type {import('./peers/catalogue.js').Peer} */
let peer

/** Answers above this have their garbage collected after each column, outside of what is timed. */
const LARGE_ROWS = 1e6

/** What the last reading came to, kept where the compiler cannot know that nobody asks. */
export let touched = 0

const commands = {
  async open({ module, options }) {
    const { openPeer } = await import(new URL(module, new URL('./peers/', import.meta.url)).href)
    peer = await openPeer(options)
    return { version: peer.version }
  },

  async load({ rowCount, seed }) {
    const before = process.memoryUsage().rss
    const { loadMs, byteLength } = await timedLoad(rowCount, seed)
    // What remains is the peer's: the generated arrays are garbage by now.
    await collectGarbage()
    return { loadMs, byteLength, residentBytes: process.memoryUsage().rss - before }
  },

  async run({ id, expected, exact }) {
    const question = questions.find(candidate => candidate.id === id)
    const { inHandMs, readMs, answer } = await timedRun(question)
    const problem = difference(question, answer, readAnswer(expected), { exact })
    // Garbage of one run is no burden of the next.
    await collectGarbage()
    return { inHandMs, readMs, problem }
  },

  /** The most that the process has held so far. */
  async peak() {
    return process.resourceUsage().maxRSS * 1024
  },

  async close() {
    await peer.close()
    return {}
  },
}

process.on('message', async ({ command, argument }) => {
  try {
    process.send({ result: await commands[command](argument) })
  } catch (error) {
    // The first line says it; an engine's further ones list stacks and plans.
    process.send({ error: (error instanceof Error ? error.message : String(error)).split('\n')[0] })
  }
  if (command === 'close') process.disconnect()
})

async function timedLoad(rowCount, seed) {
  const data = groupByData(rowCount, seed)
  const start = performance.now()
  const { byteLength = null } = await peer.load(data)
  return { loadMs: performance.now() - start, byteLength }
}

/** Columns are read one after another, and let go of: ten million rows of strings need not all be there at once. */
async function timedRun(question) {
  const start = performance.now()
  const raw = await peer.run(question)
  const inHandMs = performance.now() - start
  let readMs = inHandMs
  const taken = {}
  for (const name of answerColumns(question)) {
    const from = performance.now()
    const column = await raw.column(name)
    touched = readAll(column)
    readMs += performance.now() - from
    taken[name] = takeColumn(question, name, column, raw.rowCount)
    if (raw.rowCount > LARGE_ROWS) await collectGarbage()
  }
  return { inHandMs, readMs, answer: toAnswer(question, raw.rowCount, taken) }
}

/** What engines hold outside of JavaScript is let go of in turns of the event loop after the collection. */
async function collectGarbage() {
  globalThis.gc?.()
  await setImmediate()
}

/** Touches every value, those of lists too, so that no peer is spared the making of any. */
function readAll(column) {
  let checksum = 0
  for (let row = 0; row < column.length; row++) {
    const value = column[row]
    if (typeof value === 'string') checksum += value.length
    else if (typeof value === 'object' && value !== null) checksum += readAll(value)
    else checksum += Number(value)
  }
  return checksum
}
