// The process in which one contender is measured, so that none is slowed by what another left behind; suite.js says what to do.

import { setImmediate } from 'node:timers/promises'
import { millraceEntry } from '../millrace-entry.js'
import { measureNexmark } from '../nexmark/measure.js'
import { windowEvents } from './data.js'
import { measureLatency } from './latency.js'
import { measureUpdates } from './updates.js'
import { contenders } from './windows.js'

const api = await import(process.env.MILLRACE_ENTRY ?? millraceEntry())
let run = null
let events = 0

const commands = {
  async windows({ id, events: asked, seed, lanes }) {
    const { most, prepare } = contenders[id]
    events = Math.min(asked, most)
    run = await prepare(windowEvents(events, seed), api, lanes)
    return { events }
  },

  async again() {
    globalThis.gc?.()
    await setImmediate()
    const start = performance.now()
    const tally = await run()
    return { ms: performance.now() - start, events, tally }
  },

  nexmark: options => measureNexmark(api, options),
  latency: options => measureLatency(api, options),
  updates: options => measureUpdates(options, api),

  async close() {
    return {}
  },
}

process.on('message', async ({ command, argument }) => {
  try {
    process.send({ result: await commands[command](argument) })
  } catch (error) {
    process.send({
      error: (error instanceof Error ? (error.stack ?? error.message) : String(error))
        .split('\n')
        .slice(0, 2)
        .join(' '),
    })
  }
  if (command === 'close') process.exit(0)
})
