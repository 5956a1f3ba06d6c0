// csv-parse: objects, numbers by its own casting.

import { readFile } from 'node:fs/promises'
import { parse } from 'csv-parse/sync'
import { objectRows } from './object-rows.js'
import { versionOf } from './version.js'

/** @returns {Promise<import('../readers.js').Reader>} */
export async function openReader() {
  return {
    version: `csv-parse ${versionOf('csv-parse')}, 1 thread`,
    read: async ({ path }) => objectRows(parse(await readFile(path), { columns: true, cast: true })),
    async close() {},
  }
}
