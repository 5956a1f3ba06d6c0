// Who sorts and dedupes: Millrace, DuckDB native and Polars, each over a table in its own store, each giving whole rows in hand.

import { pathToFileURL } from 'node:url'
import { millraceEntry } from '../millrace-entry.js'
import { createDuckdbTable, flowOf, polarsFrame } from '../peers/stores.js'

/**
 * @typedef {object} SortingAnswer
 * @property {number} rowCount
 * @property {(name: 'key' | 'text' | 'value') => ArrayLike<number | string>} column
 */

export const openers = {
  async millrace({ lanes, entry }) {
    const url = entry ? pathToFileURL(entry).href : millraceEntry()
    if (!url) throw new Error('Millrace has not been built: run `npm run build` first')
    const api = await import(url)
    const engine = await api.createEngine({ lanes })
    let loaded
    return {
      version: `Millrace, ${lanes} lanes`,
      async load(data) {
        loaded = await flowOf(api, data).load({ engine })
      },
      async run({ ours }) {
        const table = await ours(loaded).collect({ engine })
        return { rowCount: table.rowCount, column: name => table.column(name).toArray() }
      },
      async close() {
        await loaded?.close()
        await engine.close()
      },
    }
  },

  async duckdb({ threads }) {
    const api = await import('@duckdb/node-api')
    const instance = await api.DuckDBInstance.create(':memory:', { threads: String(threads) })
    const connection = await instance.connect()
    const version = (await connection.runAndReadAll('SELECT version()')).getRows()[0][0]
    return {
      version: `DuckDB ${version}, ${threads} threads`,
      load: data => createDuckdbTable(api, connection, data),
      async run({ sql }) {
        const result = await connection.run(sql)
        const names = result.columnNames()
        return {
          rowCount: Number(result.rowCount),
          column(name) {
            const values = new Array(Number(result.rowCount))
            let row = 0
            for (let i = 0; i < Number(result.chunkCount); i++) {
              const vector = result.getChunk(i).getColumnVector(names.indexOf(name))
              for (let item = 0; item < vector.itemCount; item++) values[row++] = vector.getItem(item)
            }
            return values
          },
        }
      },
      async close() {
        connection.closeSync()
        instance.closeSync()
      },
    }
  },

  async polars({ threads }) {
    // Read once, as the engine starts.
    process.env.POLARS_MAX_THREADS = String(threads)
    const { default: pl } = await import('nodejs-polars')
    let frame
    return {
      version: `Polars (nodejs-polars ${pl.version}), ${threads} threads`,
      async load(data) {
        frame = polarsFrame(pl, data)
      },
      async run({ polars }) {
        const answer = await polars(frame.lazy()).collect()
        return {
          rowCount: answer.height,
          column: name => (name === 'text' ? answer.getColumn(name).toArray() : answer.getColumn(name).toTypedArray()),
        }
      },
      async close() {},
    }
  },
}
