// The questions of the group-by benchmark as data: what is grouped, what is asked; each file of ../peers/ says them in its own language.

/**
 * @typedef {'id1' | 'id2' | 'id3' | 'id4' | 'id5' | 'id6'} KeyName
 * @typedef {'v1' | 'v2' | 'v3'} ValueName
 *
 * A column of the answer: `range` is max - min; `stddev` is the sample's; `largest` holds the `count` largest values of each group, descending,
 * as a list a group or as a row each; `r2` is the square of the correlation of `x` and `y`. The last three may lack a value where a group has too
 * few rows.
 *
 * @typedef {{ name: string, of: 'count' }
 *   | { name: string, of: 'sum' | 'mean' | 'median' | 'stddev', column: ValueName }
 *   | { name: string, of: 'range', max: ValueName, min: ValueName }
 *   | { name: string, of: 'largest', column: ValueName, count: number }
 *   | { name: string, of: 'r2', x: ValueName, y: ValueName }} Output
 * @typedef {object} Question
 * @property {string} id
 * @property {string} text
 * @property {KeyName[]} keys columns of the answer too, in this order, before the outputs
 * @property {Output[]} outputs
 */

/** @type {Question[]} */
export const questions = [
  { id: 'q1', text: 'sum v1 by id1', keys: ['id1'], outputs: [sum('v1')] },
  { id: 'q2', text: 'sum v1 by id1, id2', keys: ['id1', 'id2'], outputs: [sum('v1')] },
  { id: 'q3', text: 'sum v1, mean v3 by id3', keys: ['id3'], outputs: [sum('v1'), mean('v3')] },
  { id: 'q4', text: 'mean v1, v2, v3 by id4', keys: ['id4'], outputs: [mean('v1'), mean('v2'), mean('v3')] },
  { id: 'q5', text: 'sum v1, v2, v3 by id6', keys: ['id6'], outputs: [sum('v1'), sum('v2'), sum('v3')] },
  {
    id: 'q6',
    text: 'median, sd v3 by id4, id5',
    keys: ['id4', 'id5'],
    outputs: [
      { name: 'median', of: 'median', column: 'v3' },
      { name: 'sd', of: 'stddev', column: 'v3' },
    ],
  },
  {
    id: 'q7',
    text: 'max v1 - min v2 by id3',
    keys: ['id3'],
    outputs: [{ name: 'range', of: 'range', max: 'v1', min: 'v2' }],
  },
  {
    id: 'q8',
    text: 'two largest v3 by id6',
    keys: ['id6'],
    outputs: [{ name: 'largest', of: 'largest', column: 'v3', count: 2 }],
  },
  {
    id: 'q9',
    text: 'corr(v1, v2)^2 by id2, id4',
    keys: ['id2', 'id4'],
    outputs: [{ name: 'r2', of: 'r2', x: 'v1', y: 'v2' }],
  },
  {
    id: 'q10',
    text: 'sum v3, count by id1..id6',
    keys: ['id1', 'id2', 'id3', 'id4', 'id5', 'id6'],
    outputs: [sum('v3'), { name: 'count', of: 'count' }],
  },
]

/** The benchmark's columns, in order. */
export const columnNames = ['id1', 'id2', 'id3', 'id4', 'id5', 'id6', 'v1', 'v2', 'v3']

/** Whether a column holds strings. */
export const isTextKey = name => name === 'id1' || name === 'id2' || name === 'id3'

/**
 * The columns that a question reads, keys first.
 *
 * @param {Question} question
 * @returns {(KeyName | ValueName)[]}
 */
export function inputsOf({ keys, outputs }) {
  const values = outputs.flatMap(output => {
    if (output.of === 'count') return []
    if (output.of === 'range') return [output.max, output.min]
    return output.of === 'r2' ? [output.x, output.y] : [output.column]
  })
  return [...new Set([...keys, ...values])]
}

/**
 * The least that answering reads: every input column once, a string as a code of 4 bytes.
 *
 * @param {Question} question
 * @param {number} rowCount
 * @returns {number} bytes
 */
export function bytesRead(question, rowCount) {
  return inputsOf(question).reduce((sum, name) => sum + (name === 'v3' ? 8 : 4), 0) * rowCount
}

/** @returns {Output} */
function sum(column) {
  return { name: column, of: 'sum', column }
}

/** @returns {Output} */
function mean(column) {
  return { name: column, of: 'mean', column }
}
