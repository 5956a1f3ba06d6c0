// Brings a peer's answer into the form of reference.js's, and holds it against that.

import { keyDigits } from './data.js'
import { KeyTable } from './key-table.js'
import { isTextKey } from './questions.js'
import { outputNames } from './reference.js'

/** The relative difference that other engines' floats are allowed. */
const TOLERANCE = 1e-6

/** What a squared correlation may be off beside that: near 0 it is a difference of large sums, and has no exact digits in plain floats. */
const R2_SLACK = 1e-9

/** What may be null, undefined or NaN in an answer: a deviation or a correlation of too few rows. */
const mayLack = of => of === 'stddev' || of === 'r2'

/** Every column of an answer, keys first. */
export const answerColumns = ({ keys, outputs }) => [...keys, ...outputs.map(output => output.name)]

/**
 * Copies a peer's column into compact form, so that the peer's own may be let go of before the next is read.
 *
 * @param {import('./questions.js').Question} question
 * @param {string} name
 * @param {ArrayLike<unknown>} column
 * @param {number} rowCount
 * @returns {Int32Array | Float64Array | Float64Array[]} codes of string keys, other keys, outputs with NaN for what is not there; a `largest`
 *   that comes as lists is a column a place
 */
export function takeColumn({ keys, outputs }, name, column, rowCount) {
  if (column === undefined) throw new Error(`the answer has no column ${name}`)
  if (column.length !== rowCount) throw new Error(`${name} has ${column.length} values in ${rowCount} rows`)
  if (isTextKey(name)) return takeCodes(name, column)
  if (keys.includes(name)) return takeNumbers(name, column, new Int32Array(rowCount), false)
  const output = outputs.find(candidate => candidate.name === name)
  if (output.of === 'largest' && rowCount > 0 && typeof column[0] === 'object') return takeLists(output, column)
  return takeNumbers(name, column, new Float64Array(rowCount), mayLack(output.of))
}

/**
 * @param {import('./questions.js').Question} question
 * @param {number} rowCount
 * @param {Record<string, ReturnType<typeof takeColumn>>} taken every column of the answer
 * @returns {import('./reference.js').Answer} a row a group
 */
export function toAnswer({ keys, outputs }, rowCount, taken) {
  /** @type {import('./reference.js').Answer} */
  const answer = { rowCount, keys: {}, outputs: {} }
  for (const key of keys) answer.keys[key] = taken[key]
  for (const output of outputs) {
    const column = taken[output.name]
    if (output.of === 'largest' && !Array.isArray(column)) return foldRows(keys, output, rowCount, taken)
    const columns = Array.isArray(column) ? column : [column]
    outputNames(output).forEach((name, i) => {
      answer.outputs[name] = columns[i]
    })
  }
  return answer
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
export function difference({ keys, outputs }, answer, expected, { exact }) {
  if (answer.rowCount !== expected.rowCount) return `${answer.rowCount} groups instead of ${expected.rowCount}`
  const keysOf = ({ keys: columns }) => keys.map(key => columns[key])
  const wantedKeys = keysOf(expected)
  const givenKeys = keysOf(answer)
  const text = (columns, row) => columns.map(column => column[row]).join(',')
  const table = new KeyTable(givenKeys, answer.rowCount)
  for (let row = 0; row < answer.rowCount; row++) {
    if (table.add(row) !== row) return `group ${text(givenKeys, row)} twice`
  }
  const columns = outputs.flatMap(output =>
    outputNames(output).map(name => {
      const slack = output.of === 'r2' ? R2_SLACK : 0
      return { name, given: answer.outputs[name], wanted: expected.outputs[name], slack }
    }),
  )
  for (let row = 0; row < expected.rowCount; row++) {
    const place = table.find(wantedKeys, row)
    if (place < 0) return `no group ${text(wantedKeys, row)}`
    if (exact && place !== row) return `group ${text(wantedKeys, row)} is row ${place}, not ${row}`
    for (const { name, given, wanted, slack } of columns) {
      const [value, right] = [given[place], wanted[row]]
      if (Object.is(value, right)) continue
      if (exact || !(Math.abs(value - right) <= TOLERANCE * Math.abs(right) + slack)) {
        return `${name} of group ${text(wantedKeys, row)} is ${value} instead of ${right}`
      }
    }
  }
  return null
}

/** Codes of string keys; a string that is no key of the column is an error. */
function takeCodes(name, column) {
  const digits = keyDigits[name]
  const codes = new Int32Array(column.length)
  for (let row = 0; row < column.length; row++) {
    const text = column[row]
    const code = typeof text === 'string' && text.length === digits + 2 && text.startsWith('id') ? codeOf(text) : -1
    if (code < 0) throw new Error(`${name} holds ${JSON.stringify(text)}`)
    codes[row] = code
  }
  return codes
}

/** 'id001' is code 0; -1 where a character is no digit or the number is 0. */
function codeOf(text) {
  let number = 0
  for (let i = 2; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    number = 10 * number + digit
  }
  return number - 1
}

function takeNumbers(name, column, taken, mayBeNull) {
  for (let row = 0; row < taken.length; row++) {
    const value = column[row]
    if (typeof value === 'number' || typeof value === 'bigint') taken[row] = Number(value)
    else if (mayBeNull && (value === null || value === undefined)) taken[row] = NaN
    else throw new Error(`${name} holds ${value === null ? 'null' : JSON.stringify(value)}`)
    if (Number.isNaN(taken[row]) ? !mayBeNull : taken[row] !== Number(value ?? NaN)) {
      throw new Error(`${name} holds ${value}`)
    }
  }
  return taken
}

/** Lists of at most `count` numbers, descending: a column a place, NaN beyond a list's end. */
function takeLists({ name, count }, column) {
  const places = Array.from({ length: count }, () => new Float64Array(column.length).fill(NaN))
  for (let row = 0; row < column.length; row++) {
    const list = column[row]
    if (!(list?.length >= 1 && list.length <= count)) throw new Error(`${name} holds ${JSON.stringify(list)}`)
    for (let i = 0; i < list.length; i++) {
      if (typeof list[i] !== 'number' || list[i] > list[i - 1]) throw new Error(`${name} holds ${JSON.stringify(list)}`)
      places[i][row] = list[i]
    }
  }
  return places
}

/** An answer with a row a value becomes one with a row a group; SQL promises no order within a group, so values are put in descending order. */
function foldRows(keys, output, rowCount, taken) {
  const columns = keys.map(key => taken[key])
  const table = new KeyTable(columns, rowCount)
  const groupAt = new Int32Array(rowCount)
  const firstRow = []
  const lists = []
  for (let row = 0; row < rowCount; row++) {
    const first = table.add(row)
    if (first === row) {
      groupAt[row] = lists.length
      firstRow.push(row)
      lists.push([])
    }
    lists[groupAt[first]].push(taken[output.name][row])
  }
  for (const list of lists) list.sort((a, b) => b - a)
  const places = takeLists(output, lists)
  return {
    rowCount: lists.length,
    keys: Object.fromEntries(keys.map((key, k) => [key, Int32Array.from(firstRow, row => columns[k][row])])),
    outputs: Object.fromEntries(outputNames(output).map((name, i) => [name, places[i]])),
  }
}
