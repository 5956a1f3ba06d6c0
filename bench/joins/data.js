// The db-benchmark's join data, seeded and made in place by every process that needs it: keys of which nine in ten are on both sides, each once on the right.

import { randomStream } from '../random.js'
import { joinColumns } from './questions.js'

/**
 * Numbers of keys: 1e6, 1e3 and 1 rows to a key of id1, id2 and id3.
 *
 * @param {number} rowCount of x
 */
export const keyCounts = rowCount => ({
  id1: Math.max(1, Math.round(rowCount / 1e6)),
  id2: Math.max(1, Math.round(rowCount / 1e3)),
  id3: rowCount,
})

/** Numbers from 1 to 1.1 `count` in random order: those of x come first, those of the right side last, and a tenth of each is not on the other. */
function keysOf(count, next) {
  const all = Int32Array.from({ length: Math.ceil(1.1 * count) }, (_, i) => i + 1)
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    const kept = all[i]
    all[i] = all[j]
    all[j] = kept
  }
  return { x: all.subarray(0, count), right: all.subarray(all.length - count) }
}

/**
 * Each table as numbers; the texts of id4, id5, id6 are 'id' before the number of id1, id2, id3.
 *
 * @param {number} rowCount of x
 * @param {number} seed
 * @returns {Record<'x' | 'small' | 'medium' | 'big', { rowCount: number, columns: Record<string, Int32Array | Float64Array> }>}
 */
export function joinData(rowCount, seed) {
  const next = randomStream(seed, 0)
  const counts = keyCounts(rowCount)
  const keys = {}
  for (const name of ['id1', 'id2', 'id3']) keys[name] = keysOf(counts[name], next)
  const value = count => Float64Array.from({ length: count }, () => Math.round(next() * 1e8) / 1e6)
  const drawn = (list, count) => Int32Array.from({ length: count }, () => list[Math.floor(next() * list.length)])
  const tables = {}
  for (const [name, own] of [
    ['x', null],
    ['small', 'id1'],
    ['medium', 'id2'],
    ['big', 'id3'],
  ]) {
    const count = own === null ? rowCount : counts[own]
    const columns = {}
    for (const column of joinColumns[name]) {
      if (column === 'v1' || column === 'v2') columns[column] = value(count)
      else if (!(column in keys)) continue
      else if (column === own) columns[column] = Int32Array.from(keys[column].right)
      else columns[column] = drawn(own === null ? keys[column].x : keys[column].right, count)
    }
    tables[name] = { rowCount: count, columns }
  }
  return tables
}
