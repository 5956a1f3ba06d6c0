// The group-by benchmark's data, seeded and made in place by every process that needs it; questions.js says what is asked of it.

import { randomStream } from '../random.js'
import { columnNames } from './questions.js'

/** Rows that share one random stream: the data are a function of the seed and the row count, never of who makes them. */
const BLOCK_ROWS = 65_536

/** The benchmark's K: the distinct values of a small key, and the rows behind each value of a large one. */
export const SMALL_KEYS = 100

/**
 * @typedef {{ codes: Int32Array, values: string[] }} DictionaryColumn code c means values[c]; values are sorted and distinct
 * @typedef {object} GroupByData
 * @property {number} rowCount
 * @property {{
 *   id1: DictionaryColumn, id2: DictionaryColumn, id3: DictionaryColumn,
 *   id4: Int32Array, id5: Int32Array, id6: Int32Array,
 *   v1: Int32Array, v2: Int32Array, v3: Float64Array,
 * }} columns
 */

/** How many distinct values id3 and id6 are drawn from. */
export function largeKeys(rowCount) {
  return Math.max(1, Math.floor(rowCount / SMALL_KEYS))
}

/** Digits of a string key: 'id001' in id1 and id2, 'id0000000001' in id3. */
export const keyDigits = { id1: 3, id2: 3, id3: 10 }

/**
 * The string that stands for a code.
 *
 * @param {'id1' | 'id2' | 'id3'} column
 * @param {number} code from 0
 */
export function keyText(column, code) {
  return `id${String(code + 1).padStart(keyDigits[column], '0')}`
}

/**
 * N rows: id1, id2 of 100 strings, id3 of N/100 strings, id4, id5 in 1..100, id6 in 1..N/100, v1 in 1..5, v2 in 1..15,
 * v3 in 0..100 rounded to six digits; all uniform and independent.
 *
 * @param {number} rowCount
 * @param {number} seed an integer
 * @param {string[]} [names] the columns to make; the others are left out, and these are as they are beside them
 * @returns {GroupByData} arrays that belong to the caller
 */
export function groupByData(rowCount, seed, names = columnNames) {
  const large = largeKeys(rowCount)
  // A column that is not wanted has no room, and what is stored beyond a typed array's end goes nowhere.
  const room = name => (names.includes(name) ? rowCount : 0)
  const id1 = new Int32Array(room('id1'))
  const id2 = new Int32Array(room('id2'))
  const id3 = new Int32Array(room('id3'))
  const id4 = new Int32Array(room('id4'))
  const id5 = new Int32Array(room('id5'))
  const id6 = new Int32Array(room('id6'))
  const v1 = new Int32Array(room('v1'))
  const v2 = new Int32Array(room('v2'))
  const v3 = new Float64Array(room('v3'))
  const arrays = { id1, id2, id3, id4, id5, id6, v1, v2, v3 }
  for (let from = 0; from < rowCount; from += BLOCK_ROWS) fillBlock(arrays, from, from, rowCount, seed)
  const texts = (name, codes, count) => ({ codes, values: names.includes(name) ? keyTexts(name, count) : [] })
  const columns = {
    id1: texts('id1', id1, SMALL_KEYS),
    id2: texts('id2', id2, SMALL_KEYS),
    id3: texts('id3', id3, large),
    id4,
    id5,
    id6,
    v1,
    v2,
    v3,
  }
  for (const name in columns) if (!names.includes(name)) delete columns[name]
  return { rowCount, columns }
}

/**
 * The same rows a block at a time, for tables that memory does not hold.
 *
 * @param {number} rowCount
 * @param {number} seed
 * @yields {{ rowCount: number, columns: Record<string, Int32Array | Float64Array> }} string keys as codes, as long as the longest block; the arrays
 *   are those of the next block too
 */
export function* groupByBlocks(rowCount, seed) {
  const arrays = Object.fromEntries(
    columnNames.map(name => [name, name === 'v3' ? new Float64Array(BLOCK_ROWS) : new Int32Array(BLOCK_ROWS)]),
  )
  for (let from = 0; from < rowCount; from += BLOCK_ROWS) {
    fillBlock(arrays, 0, from, rowCount, seed)
    yield { rowCount: Math.min(rowCount - from, BLOCK_ROWS), columns: arrays }
  }
}

/** Makes the rows of the block that begins at `from`, from place `at` of the arrays on. */
function fillBlock({ id1, id2, id3, id4, id5, id6, v1, v2, v3 }, at, from, rowCount, seed) {
  const large = largeKeys(rowCount)
  const next = randomStream(seed, from / BLOCK_ROWS)
  const end = at + Math.min(rowCount - from, BLOCK_ROWS)
  for (let i = at; i < end; i++) {
    id1[i] = next() * SMALL_KEYS
    id2[i] = next() * SMALL_KEYS
    id3[i] = next() * large
    id4[i] = 1 + next() * SMALL_KEYS
    id5[i] = 1 + next() * SMALL_KEYS
    id6[i] = 1 + next() * large
    v1[i] = 1 + next() * 5
    v2[i] = 1 + next() * 15
    v3[i] = Math.round(next() * 1e8) / 1e6
  }
}

function keyTexts(column, count) {
  return Array.from({ length: count }, (_, code) => keyText(column, code))
}
