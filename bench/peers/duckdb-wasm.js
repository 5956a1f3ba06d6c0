// DuckDB compiled to WebAssembly, blocking in its own process: one thread, as it comes; duckdb.js holds the native build.

import { createRequire } from 'node:module'
import { columnNames, isTextKey } from '../groupby/questions.js'
import { createRaw, createTable, enumTexts, questionSql, rawRows } from './duckdb-sql.js'

const require = createRequire(import.meta.url)

/** Rows of one insertion, so that Arrow's copy of them stays small beside the table. */
const INSERT_ROWS = 500_000

/**
 * @param {{ strings: 'varchar' | 'enum' }} options
 * @returns {Promise<import('./catalogue.js').Peer>}
 */
export async function openPeer({ strings }) {
  const { connection, makeTable, version, packageVersion } = await openDuckDbWasm()
  let texts = {}

  return {
    version: `duckdb-wasm ${packageVersion} (DuckDB ${version}), 1 thread`,

    async load(data) {
      connection.query(createRaw)
      for (let from = 0; from < data.rowCount; from += INSERT_ROWS) {
        const to = Math.min(data.rowCount, from + INSERT_ROWS)
        const rows = Object.fromEntries(columnNames.map(name => [name, rawRows(data, name, from, to)]))
        connection.insertArrowTable(makeTable(rows), { name: 'raw', create: false })
      }
      for (const statement of createTable(strings, data.rowCount)) connection.query(statement)
      texts = enumTexts(data)
      return {}
    },

    async run(question) {
      const table = connection.query(questionSql(question, strings))
      return {
        rowCount: table.numRows,
        column: name => readColumn(table, name, strings === 'enum' ? texts[name] : undefined),
      }
    },

    async close() {
      connection.close()
    },
  }
}

/** Opens a database in this process; `makeTable` makes the Arrow tables that it takes. */
export async function openDuckDbWasm() {
  // Required, not imported: duckdb-wasm requires it too, and takes no table of another instance.
  const { makeTable } = require('apache-arrow')
  const { createDuckDB, NODE_RUNTIME, PACKAGE_VERSION, VoidLogger } = require('@duckdb/duckdb-wasm/blocking')
  const bundle = (module, worker) => ({
    mainModule: require.resolve(`@duckdb/duckdb-wasm/dist/${module}`),
    mainWorker: require.resolve(`@duckdb/duckdb-wasm/dist/${worker}`),
  })
  const bundles = {
    mvp: bundle('duckdb-mvp.wasm', 'duckdb-node-mvp.worker.cjs'),
    eh: bundle('duckdb-eh.wasm', 'duckdb-node-eh.worker.cjs'),
  }
  const database = await createDuckDB(bundles, new VoidLogger(), NODE_RUNTIME)
  await database.instantiate()
  database.open({})
  return { connection: database.connect(), makeTable, version: database.getVersion(), packageVersion: PACKAGE_VERSION }
}

function readColumn(table, name, strings) {
  const column = table.getChild(name)
  if (column.nullCount === 0 && !isTextKey(name)) return column.toArray()
  return Array.from(column, value => (strings ? strings[value] : value))
}
