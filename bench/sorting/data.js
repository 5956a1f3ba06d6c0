// The table that is sorted and freed of doubles, seeded and made in place by every process that needs it.

import { keyText, largeKeys } from '../groupby/data.js'
import { randomStream } from '../random.js'

/** Rows are drawn from so many times fewer distinct ones: of each there are two on average. */
const DRAWN = 2

/**
 * `key` of all of int32, `text` of rowCount / 100 strings 'id%010d', `value` in 0..100 rounded to six digits; every row is one of rowCount / 2, so that
 * about 0.43 rowCount of them are distinct.
 *
 * @param {number} rowCount
 * @param {number} seed
 * @returns {{ rowCount: number, columns: { key: Int32Array, text: import('../groupby/data.js').DictionaryColumn, value: Float64Array } }}
 */
export function sortingData(rowCount, seed) {
  const next = randomStream(seed, 0)
  const texts = largeKeys(rowCount)
  const distinct = Math.ceil(rowCount / DRAWN)
  const pool = { key: new Int32Array(distinct), text: new Int32Array(distinct), value: new Float64Array(distinct) }
  for (let i = 0; i < distinct; i++) {
    pool.key[i] = next() * 2 ** 32
    pool.text[i] = next() * texts
    pool.value[i] = Math.round(next() * 1e8) / 1e6
  }
  const key = new Int32Array(rowCount)
  const codes = new Int32Array(rowCount)
  const value = new Float64Array(rowCount)
  for (let row = 0; row < rowCount; row++) {
    const i = Math.floor(next() * distinct)
    key[row] = pool.key[i]
    codes[row] = pool.text[i]
    value[row] = pool.value[i]
  }
  const values = Array.from({ length: texts }, (_, code) => keyText('id3', code))
  return { rowCount, columns: { key, text: { codes, values }, value } }
}
