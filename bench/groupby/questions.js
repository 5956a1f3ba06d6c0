// The questions of the group-by benchmark as data: what is grouped, what is asked; each file of ../peers/ says them in its own language.

/**
 * @typedef {'id1' | 'id2' | 'id3' | 'id4' | 'id5' | 'id6'} KeyName
 * @typedef {'v1' | 'v2' | 'v3'} ValueName
 * @typedef {{ name: string, of: 'sum' | 'mean', column: ValueName }
 *   | { name: string, of: 'range', max: ValueName, min: ValueName }} Output a column of the answer; range is max - min
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
    id: 'q7',
    text: 'max v1 - min v2 by id3',
    keys: ['id3'],
    outputs: [{ name: 'range', of: 'range', max: 'v1', min: 'v2' }],
  },
]

/** The benchmark's columns, in order. */
export const columnNames = ['id1', 'id2', 'id3', 'id4', 'id5', 'id6', 'v1', 'v2', 'v3']

/** Whether a column holds strings. */
export const isTextKey = name => name === 'id1' || name === 'id2' || name === 'id3'

/**
 * The least that answering reads: every input column once, a string as a code of 4 bytes.
 *
 * @param {Question} question
 * @param {number} rowCount
 * @returns {number} bytes
 */
export function bytesRead(question, rowCount) {
  /** @type {Set<KeyName | ValueName>} */
  const inputs = new Set(question.keys)
  for (const output of question.outputs) {
    if (output.of === 'range') inputs.add(output.max).add(output.min)
    else inputs.add(output.column)
  }
  let bytesPerRow = 0
  for (const name of inputs) bytesPerRow += name === 'v3' ? 8 : 4
  return bytesPerRow * rowCount
}

/** @returns {Output} */
function sum(column) {
  return { name: column, of: 'sum', column }
}

/** @returns {Output} */
function mean(column) {
  return { name: column, of: 'mean', column }
}
