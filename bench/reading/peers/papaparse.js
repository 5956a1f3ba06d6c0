// PapaParse: objects, numbers by its dynamic typing.

import { readFile } from 'node:fs/promises'
import Papa from 'papaparse'
import { objectRows } from './object-rows.js'
import { versionOf } from './version.js'

/** @returns {Promise<import('../readers.js').Reader>} */
export async function openReader() {
  return {
    version: `PapaParse ${versionOf('papaparse')}, 1 thread`,
    async read({ path }) {
      const { data, errors } = Papa.parse(await readFile(path, 'utf8'), {
        header: true,
        dynamicTyping: true,
        skipEmptyLines: true,
      })
      if (errors.length > 0) throw new Error(errors[0].message)
      return objectRows(data)
    },
    async close() {},
  }
}
