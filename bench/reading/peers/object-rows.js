// What rows that are JavaScript objects or arrays come to, for the readers that make such.

import { columnNames, isTextKey } from '../../groupby/questions.js'

/**
 * @param {readonly any[]} rows with a value under each of `keys`, in the order of the columns
 * @param {readonly (string | number)[]} [keys]
 * @returns {import('../readers.js').Rows}
 */
export function objectRows(rows, keys = columnNames) {
  return {
    rowCount: rows.length,
    sums: () => Object.fromEntries(columnNames.map((name, c) => sumOf(name, rows.length, row => rows[row][keys[c]]))),
    release() {
      rows = []
    },
  }
}

/**
 * @param {readonly any[][]} columns in order
 * @returns {import('../readers.js').Rows}
 */
export function columnRows(columns) {
  return {
    rowCount: columns[0].length,
    sums: () =>
      Object.fromEntries(columnNames.map((name, c) => sumOf(name, columns[c].length, row => columns[c][row]))),
    release() {
      columns = []
    },
  }
}

/** A value of another type than the column's is an error: typed is what was asked for. */
function sumOf(name, rowCount, valueAt) {
  const isText = isTextKey(name)
  let sum = 0
  for (let row = 0; row < rowCount; row++) {
    const value = valueAt(row)
    if (isText ? typeof value !== 'string' : typeof value !== 'number') {
      throw new Error(`${name} holds ${JSON.stringify(value)} in row ${row}`)
    }
    sum += name === 'v3' ? Math.round(value * 1e6) : isText ? Number(value.slice(2)) : value
  }
  return [name === 'v3' ? 'millionths' : name, sum]
}
