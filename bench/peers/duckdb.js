// DuckDB native, in memory, through its Node client; duckdb-wasm.js holds its WebAssembly build.

import { DOUBLE, DuckDBDataChunk, DuckDBInstance, INTEGER } from '@duckdb/node-api'
import { columnNames } from '../groupby/questions.js'
import { createRaw, createTable, enumTexts, questionSql, rawRows } from './duckdb-sql.js'

/** Rows of one of DuckDB's data chunks. */
const CHUNK_ROWS = 2048

/**
 * @param {{ strings: 'varchar' | 'enum', threads: number }} options
 * @returns {Promise<import('./catalogue.js').Peer>}
 */
export async function openPeer({ strings, threads }) {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
  const connection = await instance.connect()
  let texts = {}

  return {
    version: `DuckDB ${(await connection.runAndReadAll('SELECT version()')).getRows()[0][0]}, ${threads} threads`,

    async load(data) {
      await connection.run(createRaw)
      await append(connection, data)
      for (const statement of createTable(strings, data.rowCount)) await connection.run(statement)
      texts = enumTexts(data)
      return {}
    },

    async run(question) {
      const result = await connection.run(questionSql(question, strings))
      // Fetched once for all columns: what a chunk holds outside of JavaScript is freed long after the chunk is dropped.
      let fetched = null
      const chunks = () => {
        fetched ??= Array.from({ length: Number(result.chunkCount) }, (_, i) => result.getChunk(i))
        return fetched
      }
      return {
        rowCount: Number(result.rowCount),
        column: name => readColumn(result, chunks(), name, strings === 'enum' ? texts[name] : undefined),
      }
    },

    async close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

async function append(connection, data) {
  const appender = await connection.createAppender('raw')
  const types = columnNames.map(name => (name === 'v3' ? DOUBLE : INTEGER))
  for (let from = 0; from < data.rowCount; from += CHUNK_ROWS) {
    const to = Math.min(data.rowCount, from + CHUNK_ROWS)
    const chunk = DuckDBDataChunk.create(types, to - from)
    for (const [i, name] of columnNames.entries()) {
      const vector = chunk.getColumnVector(i)
      vector.items.set(rawRows(data, name, from, to))
      vector.flush()
    }
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
}

function readColumn(result, chunks, name, strings) {
  const i = result.columnNames().indexOf(name)
  const values = new Array(Number(result.rowCount))
  let row = 0
  for (const chunk of chunks) {
    const vector = chunk.getColumnVector(i)
    for (let item = 0; item < vector.itemCount; item++) {
      const value = vector.getItem(item)
      values[row++] = strings ? strings[value] : value
    }
  }
  return values
}
