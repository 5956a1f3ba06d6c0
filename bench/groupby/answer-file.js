// An exact answer as a file: written once by the process that knows it, read by each peer's, which checks what it answered by itself.

import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'

const kinds = { Int32Array, Float64Array }

/**
 * A file of columns and beside it (`.json`) what they are.
 *
 * @param {string} path
 * @param {import('./reference.js').Answer} answer
 */
export function writeAnswer(path, { rowCount, keys, outputs }) {
  const columns = [...Object.entries(keys), ...Object.entries(outputs)]
  const kindOf = column => (column instanceof Int32Array ? 'Int32Array' : 'Float64Array')
  const layout = record => Object.entries(record).map(([name, column]) => [name, kindOf(column)])
  writeFileSync(`${path}.json`, JSON.stringify({ rowCount, keys: layout(keys), outputs: layout(outputs) }))
  const file = openSync(path, 'w')
  try {
    for (const [, column] of columns) {
      for (let done = 0; done < column.byteLength; ) {
        done += writeSync(file, column, done, column.byteLength - done)
      }
    }
  } finally {
    closeSync(file)
  }
}

/**
 * @param {string} path
 * @returns {import('./reference.js').Answer}
 */
export function readAnswer(path) {
  const { rowCount, keys, outputs } = JSON.parse(readFileSync(`${path}.json`, 'utf8'))
  const file = openSync(path, 'r')
  const read = ([name, kind]) => {
    const column = new kinds[kind](rowCount)
    for (let done = 0; done < column.byteLength; ) {
      const count = readSync(file, column, done, column.byteLength - done, null)
      if (count === 0) throw new Error(`${path} ends early`)
      done += count
    }
    return [name, column]
  }
  try {
    return { rowCount, keys: Object.fromEntries(keys.map(read)), outputs: Object.fromEntries(outputs.map(read)) }
  } finally {
    closeSync(file)
  }
}
