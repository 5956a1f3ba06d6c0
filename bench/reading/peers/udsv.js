// uDSV: typed columns, which is its fastest typed form, of the text as a whole.

import { readFile } from 'node:fs/promises'
import { inferSchema, initParser } from 'udsv'
import { columnRows } from './object-rows.js'
import { versionOf } from './version.js'

/** @returns {Promise<import('../readers.js').Reader>} */
export async function openReader() {
  return {
    version: `uDSV ${versionOf('udsv')}, 1 thread`,
    async read({ path }) {
      const text = await readFile(path, 'utf8')
      return columnRows(initParser(inferSchema(text)).typedCols(text))
    },
    async close() {},
  }
}
