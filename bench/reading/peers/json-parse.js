// The plain loop that everyone writes: the text split at its line breaks, each line given to JSON.parse.

import { readFile } from 'node:fs/promises'
import { objectRows } from './object-rows.js'

/** @returns {Promise<import('../readers.js').Reader>} */
export async function openReader() {
  return {
    version: `JSON.parse of Node.js ${process.version.slice(1)}, 1 thread`,
    async read({ path }) {
      const text = await readFile(path, 'utf8')
      const rows = []
      for (let at = 0; at < text.length; ) {
        const end = text.indexOf('\n', at)
        rows.push(JSON.parse(text.slice(at, end)))
        at = end + 1
      }
      return objectRows(rows)
    },
    async close() {},
  }
}
