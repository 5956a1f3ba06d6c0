// The process that holds one reader and times it; suite.js is the other end, which says what to read next.

import { setImmediate } from 'node:timers/promises'
import { timedRead } from './timed-read.js'

/** @type {import('./readers.js').Reader} */
let reader

const commands = {
  async open({ module, options }) {
    const { openReader } = await import(new URL(module, import.meta.url).href)
    reader = await openReader(options)
    return { version: reader.version }
  },

  async read({ file, exact }) {
    const reading = await (reader.elsewhere ? reader.elsewhere(file) : timedRead(reader, file, exact))
    // Garbage of one run is no burden of the next; what engines hold outside of JavaScript is let go of in turns of the event loop.
    globalThis.gc?.()
    await setImmediate()
    return reading
  },

  /** The most that the process has held so far; null where the reader is in another. */
  async peak() {
    return reader.elsewhere ? null : process.resourceUsage().maxRSS * 1024
  },

  async close() {
    await reader.close()
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
