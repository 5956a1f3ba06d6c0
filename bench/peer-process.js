// The process that holds one peer and times it; peer.js is the other end, which says what to do next.

import { performance } from 'node:perf_hooks'
import { normalise } from './groupby/check.js'
import { groupByData } from './groupby/data.js'
import { questions } from './groupby/questions.js'

/**
 * A run: the milliseconds until the answer was in hand, those until every value of it had been read as well, and the answer.
 *
 * @typedef {{ inHandMs: number, readMs: number, answer: import('./groupby/reference.js').Answer }} Run
 *
 * `byteLength` is the peer's own account of its table, `residentBytes` what the process grew by.
 *
 * @typedef {{ loadMs: number, byteLength: number | null, residentBytes: number }} Load
 */

/** @type {import('./peers/catalogue.js').Peer} */
let peer

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
    globalThis.gc?.()
    return { loadMs, byteLength, residentBytes: process.memoryUsage().rss - before }
  },

  async run({ id }) {
    const question = questions.find(candidate => candidate.id === id)
    const start = performance.now()
    const raw = await peer.run(question)
    const inHand = performance.now()
    const columns = await raw.columns()
    const checksum = readAll(columns)
    const read = performance.now()
    if (Number.isNaN(checksum)) throw new Error('the answer holds NaN')
    return { inHandMs: inHand - start, readMs: read - start, answer: normalise(question, raw.rowCount, columns) }
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
    process.send({ error: error instanceof Error ? error.message : String(error) })
  }
  if (command === 'close') process.disconnect()
})

async function timedLoad(rowCount, seed) {
  const data = groupByData(rowCount, seed)
  const start = performance.now()
  const { byteLength = null } = await peer.load(data)
  return { loadMs: performance.now() - start, byteLength }
}

/** Touches every value, so that no peer is spared the making of any. */
function readAll(columns) {
  let checksum = 0
  for (const name in columns) {
    const column = columns[name]
    for (let row = 0; row < column.length; row++) {
      const value = column[row]
      checksum += typeof value === 'string' ? value.length : Number(value)
    }
  }
  return checksum
}
