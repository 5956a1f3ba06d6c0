// The process that holds one peer and times it; peer.js is the other end, which says what to do next.

import { performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { readAnswer } from './groupby/answer-file.js'
import { ask } from './groupby/ask.js'
import { groupByData } from './groupby/data.js'
import { questions } from './groupby/questions.js'

/**
 * `byteLength` is the peer's own account of its table, `residentBytes` what the process grew by; null where it is not known.
 *
 * @typedef {{ loadMs: number, byteLength: number | null, residentBytes: number | null }} Load
 */

/** @type {import('./peers/catalogue.js').Peer} */
let peer

const commands = {
  async open({ module, options }) {
    const { openPeer } = await import(new URL(module, new URL('./peers/', import.meta.url)).href)
    peer = await openPeer(options)
    return { version: peer.version }
  },

  async load({ rowCount, seed, names }) {
    if (peer.elsewhere) return { ...(await peer.elsewhere.load(rowCount, seed, names)), residentBytes: null }
    const before = process.memoryUsage().rss
    const { loadMs, byteLength } = await timedLoad(rowCount, seed, names)
    // What remains is the peer's: the generated arrays are garbage by now.
    await collectGarbage()
    return { loadMs, byteLength, residentBytes: process.memoryUsage().rss - before }
  },

  async run({ id, expected, exact }) {
    if (peer.elsewhere) return peer.elsewhere.ask(id, expected)
    const question = questions.find(candidate => candidate.id === id)
    const run = await ask(peer, question, () => readAnswer(expected), exact, collectGarbage)
    // Garbage of one run is no burden of the next.
    await collectGarbage()
    return run
  },

  /** The most that the process has held so far. */
  async peak() {
    return peer.elsewhere ? null : process.resourceUsage().maxRSS * 1024
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

async function timedLoad(rowCount, seed, names) {
  const data = groupByData(rowCount, seed, names)
  const start = performance.now()
  const { byteLength = null } = await peer.load(data)
  return { loadMs: performance.now() - start, byteLength }
}

/** What engines hold outside of JavaScript is let go of in turns of the event loop after the collection. */
async function collectGarbage() {
  globalThis.gc?.()
  await setImmediate()
}
