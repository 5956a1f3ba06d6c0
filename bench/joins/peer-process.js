// The process that holds one peer of the join task and times it; suite.js says what to do next.

import { performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { joinData } from './data.js'
import { openers } from './peers.js'
import { joinQuestions } from './questions.js'

let peer

const commands = {
  async open({ kind, options }) {
    peer = await openers[kind](options)
    return { version: peer.version }
  },

  async load({ rowCount, seed }) {
    await peer.load(joinData(rowCount, seed))
    return {}
  },

  /** The answer in hand is what is timed; it is then summed up, to be held against the others'. */
  async run({ id }) {
    const question = joinQuestions.find(candidate => candidate.id === id)
    globalThis.gc?.()
    await setImmediate()
    const start = performance.now()
    const answer = await peer.run(question)
    const inHandMs = performance.now() - start
    const sums = ['v1', 'v2'].map(name => {
      let sum = 0
      for (const value of answer.column(name)) sum += value ?? 0
      return sum
    })
    return { inHandMs, rowCount: answer.rowCount, sums }
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
