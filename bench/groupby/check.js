// Holds a peer's answer against the exact one of reference.js.

import { keyText } from './data.js'
import { isTextKey } from './questions.js'

/** The relative difference that other engines' float sums are allowed. */
const TOLERANCE = 1e-6

/**
 * Brings a peer's columns into the form of an `Answer`: string keys become codes, and a string that is no key is an error.
 *
 * @param {import('./questions.js').Question} question
 * @param {number} rowCount
 * @param {Record<string, ArrayLike<unknown>>} columns
 * @returns {import('./reference.js').Answer}
 */
export function normalise(question, rowCount, columns) {
  /** @type {Record<string, Float64Array>} */
  const normalised = {}
  for (const name of [...question.keys, ...question.outputs.map(output => output.name)]) {
    const column = columns[name]
    if (column === undefined) throw new Error(`the answer has no column ${name}`)
    if (column.length !== rowCount) throw new Error(`${name} has ${column.length} values in ${rowCount} rows`)
    const isText = isTextKey(name)
    normalised[name] = Float64Array.from(column, value => {
      if (!isText && (typeof value === 'number' || typeof value === 'bigint')) return Number(value)
      if (isText && typeof value === 'string') {
        const code = Number(value.slice(2)) - 1
        if (value === keyText(name, code)) return code
      }
      throw new Error(`${name} holds ${JSON.stringify(value)}`)
    })
  }
  return { rowCount, columns: normalised }
}

/**
 * Every group exactly once, and every value of it equal: to 1e-6 by default; with `exact` to the last bit and in order of
 * first appearance.
 *
 * @param {import('./questions.js').Question} question
 * @param {import('./reference.js').Answer} answer
 * @param {import('./reference.js').Answer} expected
 * @param {{ exact: boolean }} options
 * @returns {string | null} what is wrong first, or null
 */
export function difference(question, answer, expected, { exact }) {
  if (answer.rowCount !== expected.rowCount) return `${answer.rowCount} groups instead of ${expected.rowCount}`
  const places = exact ? null : rowsByKey(question, answer)
  const seen = new Uint8Array(answer.rowCount)
  for (let row = 0; row < expected.rowCount; row++) {
    const place = places ? places.get(keyAt(question, expected, row)) : row
    if (place === undefined) return `no group ${keyAt(question, expected, row)}`
    if (seen[place]++) return `group ${keyAt(question, expected, row)} twice`
    for (const name in expected.columns) {
      const value = answer.columns[name][place]
      const wanted = expected.columns[name][row]
      const isEqual = exact ? Object.is(value, wanted) : Math.abs(value - wanted) <= TOLERANCE * Math.abs(wanted)
      if (!isEqual) return `${name} of group ${keyAt(question, expected, row)} is ${value} instead of ${wanted}`
    }
  }
  for (const { name } of question.outputs) {
    const total = sumOf(answer.columns[name])
    const wanted = sumOf(expected.columns[name])
    if (!(Math.abs(total - wanted) <= TOLERANCE * Math.abs(wanted)))
      return `all of ${name} sums to ${total}, not ${wanted}`
  }
  return null
}

function rowsByKey(question, answer) {
  const rows = new Map()
  for (let row = 0; row < answer.rowCount; row++) rows.set(keyAt(question, answer, row), row)
  return rows
}

function keyAt(question, answer, row) {
  const [first, second] = question.keys
  return second ? `${answer.columns[first][row]},${answer.columns[second][row]}` : answer.columns[first][row]
}

function sumOf(values) {
  let total = 0
  for (const value of values) total += value
  return total
}
