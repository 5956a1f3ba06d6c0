// The process that holds one engine and times it; suite.js says what to do next.

import { performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { groupByData } from '../groupby/data.js'
import { inputNames } from './columns.js'

let peer

const commands = {
  async open({ module, options }) {
    const { openPeer } = await import(new URL(module, import.meta.url).href)
    peer = await openPeer(options)
    return { version: peer.version }
  },

  async load({ rowCount, seed }) {
    await peer.load(groupByData(rowCount, seed, inputNames))
    await collectGarbage()
    return {}
  },

  /** Milliseconds until the columns are there, in the engine's own form; their sums, and the columns are gone again. */
  async run() {
    const start = performance.now()
    await peer.compute()
    const ms = performance.now() - start
    const sums = await peer.sums()
    await peer.forget()
    await collectGarbage()
    return { ms, sums }
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
    process.send({ error: (error instanceof Error ? error.message : String(error)).split('\n')[0] })
  }
  if (command === 'close') process.disconnect()
})

async function collectGarbage() {
  globalThis.gc?.()
  await setImmediate()
}
