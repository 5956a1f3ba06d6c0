// One question asked of one peer: timed, every value read, the answer checked; in Node (../peer-process.js) and in a page (../peers/chromium-page.js).

import { answerColumns, difference, takeColumn, toAnswer } from './check.js'

/**
 * A run: the milliseconds until the answer was in hand, those until every value of it had been read as well, and what was wrong with it.
 *
 * @typedef {{ inHandMs: number, readMs: number, problem: string | null }} Run
 */

/** Answers above this have their garbage collected after each column, outside of what is timed. */
const LARGE_ROWS = 1e6

/** What the last reading came to, kept where the compiler cannot know that nobody asks. */
export let touched = 0

/**
 * Columns are read one after another, and let go of: ten million rows of strings need not all be there at once.
 *
 * @param {Pick<import('../peers/catalogue.js').Peer, 'run'>} peer
 * @param {import('./questions.js').Question} question
 * @param {() => Promise<import('./reference.js').Answer> | import('./reference.js').Answer} expected
 * @param {boolean} exact
 * @param {() => Promise<void>} collectGarbage
 * @returns {Promise<Run>}
 */
export async function ask(peer, question, expected, exact, collectGarbage) {
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
  const answer = toAnswer(question, raw.rowCount, taken)
  return { inHandMs, readMs, problem: difference(question, answer, await expected(), { exact }) }
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
