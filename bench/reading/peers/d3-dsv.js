// d3-dsv: objects, each made by a function that converts the fields it names.

import { readFile } from 'node:fs/promises'
import { csvParse } from 'd3-dsv'
import { objectRows } from './object-rows.js'
import { versionOf } from './version.js'

const typed = ({ id1, id2, id3, id4, id5, id6, v1, v2, v3 }) => ({
  id1,
  id2,
  id3,
  id4: +id4,
  id5: +id5,
  id6: +id6,
  v1: +v1,
  v2: +v2,
  v3: +v3,
})

/** @returns {Promise<import('../readers.js').Reader>} */
export async function openReader() {
  return {
    version: `d3-dsv ${versionOf('d3-dsv')}, 1 thread`,
    read: async ({ path }) => objectRows(csvParse(await readFile(path, 'utf8'), typed)),
    async close() {},
  }
}
