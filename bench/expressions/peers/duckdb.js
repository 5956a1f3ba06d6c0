// DuckDB native: a table in memory, and a temporary table computed of it.

import { DOUBLE, DuckDBDataChunk, DuckDBInstance, INTEGER } from '@duckdb/node-api'
import { computedColumns, inputNames } from '../columns.js'

const CHUNK_ROWS = 2048

/** @param {{ threads: number }} options */
export async function openPeer({ threads }) {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
  const connection = await instance.connect()
  return {
    version: `DuckDB ${(await connection.runAndReadAll('SELECT version()')).getRows()[0][0]}, ${threads} threads`,
    async load(data) {
      const isDouble = name => data.columns[name] instanceof Float64Array
      await connection.run(
        `CREATE TABLE x (${inputNames.map(name => `${name} ${isDouble(name) ? 'DOUBLE' : 'INTEGER'}`).join(', ')})`,
      )
      const appender = await connection.createAppender('x')
      const types = inputNames.map(name => (isDouble(name) ? DOUBLE : INTEGER))
      for (let from = 0; from < data.rowCount; from += CHUNK_ROWS) {
        const to = Math.min(data.rowCount, from + CHUNK_ROWS)
        const chunk = DuckDBDataChunk.create(types, to - from)
        for (const [i, name] of inputNames.entries()) {
          const vector = chunk.getColumnVector(i)
          vector.items.set(data.columns[name].subarray(from, to))
          vector.flush()
        }
        appender.appendDataChunk(chunk)
      }
      appender.closeSync()
    },
    async compute() {
      await connection.run(
        `CREATE TEMP TABLE y AS SELECT ${computedColumns.map(({ name, sql }) => `${sql} AS "${name}"`).join(', ')} FROM x`,
      )
    },
    async sums() {
      const selected = computedColumns.map(({ name }) => `sum("${name}")::DOUBLE`).join(', ')
      return (await connection.runAndReadAll(`SELECT ${selected} FROM y`)).getRows()[0]
    },
    async forget() {
      await connection.run('DROP TABLE IF EXISTS y')
    },
    async close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
