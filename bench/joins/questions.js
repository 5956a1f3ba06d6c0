// The five questions of the db-benchmark's join task; data.js makes the tables.

/**
 * @typedef {object} JoinQuestion
 * @property {string} id
 * @property {string} text
 * @property {'small' | 'medium' | 'big'} right
 * @property {'id1' | 'id2' | 'id3' | 'id5'} key
 * @property {boolean} isLeft whether rows of `x` without a partner are kept
 */

/** @type {JoinQuestion[]} */
export const joinQuestions = [
  { id: 'q1', text: 'small inner on int', right: 'small', key: 'id1', isLeft: false },
  { id: 'q2', text: 'medium inner on int', right: 'medium', key: 'id2', isLeft: false },
  { id: 'q3', text: 'medium outer on int', right: 'medium', key: 'id2', isLeft: true },
  { id: 'q4', text: 'medium inner on string', right: 'medium', key: 'id5', isLeft: false },
  { id: 'q5', text: 'big inner on int', right: 'big', key: 'id3', isLeft: false },
]

/** Columns of each table: numbers and their texts side by side, then a value. */
export const joinColumns = {
  x: ['id1', 'id2', 'id3', 'id4', 'id5', 'id6', 'v1'],
  small: ['id1', 'id4', 'v2'],
  medium: ['id1', 'id2', 'id4', 'id5', 'v2'],
  big: ['id1', 'id2', 'id3', 'id4', 'id5', 'id6', 'v2'],
}

/** Columns that hold the texts of the numbers three columns before. */
export const isText = name => name === 'id4' || name === 'id5' || name === 'id6'

/** The number behind a column, be it a text. */
export const numberOf = name => (isText(name) ? `id${Number(name[2]) - 3}` : name)
