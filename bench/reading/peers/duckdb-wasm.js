// DuckDB compiled to WebAssembly, blocking in its own process: one thread, as it comes, given the file by its name; duckdb.js holds the native build.

import { openDuckDbWasm } from '../../peers/duckdb-wasm.js'
import { createTable, dropTable, selectSums } from './duckdb-reading.js'

/** @returns {Promise<import('../readers.js').Reader>} */
export async function openReader() {
  const { connection, version, packageVersion } = await openDuckDbWasm()
  const rowOf = sql => connection.query(sql).toArray()[0].toJSON()

  return {
    version: `duckdb-wasm ${packageVersion} (DuckDB ${version}), 1 thread`,

    async read({ path, format }) {
      connection.query(createTable(path, format))
      const { rows } = rowOf('SELECT count(*)::INTEGER AS rows FROM x')
      return {
        rowCount: Number(rows),
        sums: () => rowOf(selectSums),
        release: () => void connection.query(dropTable),
      }
    },

    async close() {
      connection.close()
    },
  }
}
