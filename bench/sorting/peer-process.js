// The process that holds one engine, times it and sums up its answers; suite.js says what to do next.

import { performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { sortingData } from './data.js'
import { openers } from './peers.js'
import { sortingQuestions } from './questions.js'

let peer

const commands = {
  async open({ kind, options }) {
    peer = await openers[kind](options)
    return { version: peer.version }
  },

  async load({ rowCount, seed }) {
    await peer.load(sortingData(rowCount, seed))
    await collectGarbage()
    return {}
  },

  /** What is timed is the answer in hand. Every value of it is read after that. */
  async run({ id }) {
    const question = sortingQuestions.find(candidate => candidate.id === id)
    await collectGarbage()
    const start = performance.now()
    const answer = await peer.run(question)
    const inHandMs = performance.now() - start
    const marks = new Int32Array(answer.rowCount)
    let isAscending = true
    for (const name of ['key', 'text', 'value']) {
      const values = answer.column(name)
      if (values.length !== answer.rowCount) throw new Error(`${name} has ${values.length} rows of ${answer.rowCount}`)
      if (name === question.ascending) isAscending = ascends(values)
      if (question.fixed.includes(name)) mark(marks, values, wholeNumbers[name])
      await collectGarbage()
    }
    return { inHandMs, rowCount: answer.rowCount, isAscending, sum: marks.reduce((sum, mark) => sum + mark, 0) }
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

function ascends(values) {
  for (let row = 1; row < values.length; row++) if (values[row - 1] > values[row]) return false
  return true
}

/** A value as a whole number, which strings and doubles of the table are by other words. */
const wholeNumbers = {
  key: value => value,
  text: value => Number(value.slice(2)),
  value: value => Math.round(value * 1e6),
}

/** Mixes a column into a number of 28 bits a row: the sum of all of them is exact, so that no order of rows changes it. */
function mark(marks, values, wholeNumber) {
  for (let row = 0; row < marks.length; row++)
    marks[row] = Math.imul(marks[row] ^ wholeNumber(values[row]), 0x9e3779b1) >>> 4
}

/** What engines hold outside of JavaScript is let go of in turns of the event loop after the collection. */
async function collectGarbage() {
  globalThis.gc?.()
  await setImmediate()
}
