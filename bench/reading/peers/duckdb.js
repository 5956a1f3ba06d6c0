// DuckDB native, in memory, through its Node client: a table of its own; duckdb-wasm.js holds its WebAssembly build.

import { DuckDBInstance } from '@duckdb/node-api'
import { createTable, dropTable, selectSums } from './duckdb-reading.js'

/**
 * @param {{ threads: number }} options
 * @returns {Promise<import('../readers.js').Reader>}
 */
export async function openReader({ threads }) {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
  const connection = await instance.connect()
  const rowsOf = async sql => (await connection.runAndReadAll(sql)).getRowObjects()
  const [{ version }] = await rowsOf('SELECT version() AS version')

  return {
    version: `DuckDB ${version}, ${threads} threads`,

    async read({ path, format }) {
      await connection.run(createTable(path, format))
      const [{ rows }] = await rowsOf('SELECT count(*)::INTEGER AS rows FROM x')
      return {
        rowCount: Number(rows),
        sums: async () => (await rowsOf(selectSums))[0],
        release: async () => void (await connection.run(dropTable)),
      }
    },

    async close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
