// Who is asked the join questions: Millrace, DuckDB native and Polars, each over tables that it holds in memory.

import { pathToFileURL } from 'node:url'
import { millraceEntry } from '../millrace-entry.js'
import { isText, joinColumns, numberOf } from './questions.js'

/** Rows of one of DuckDB's data chunks. */
const CHUNK_ROWS = 2048

/**
 * @typedef {object} JoinAnswer
 * @property {number} rowCount
 * @property {(name: 'v1' | 'v2') => ArrayLike<number | null>} column
 */

export const openers = {
  async millrace({ lanes, entry }) {
    const url = entry ? pathToFileURL(entry).href : millraceEntry()
    if (!url) throw new Error('Millrace has not been built: run `npm run build` first')
    const { columns, createEngine, dictionary } = await import(url)
    const engine = await createEngine({ lanes })
    const held = {}
    return {
      version: `Millrace, ${lanes} lanes`,
      async load(tables) {
        for (const name of Object.keys(tables)) {
          const { columns: numbers } = tables[name]
          const given = joinColumns[name].map(column => {
            if (!isText(column)) return [column, numbers[column]]
            const values = numbers[numberOf(column)]
            const most = values.reduce((most, value) => Math.max(most, value), 0)
            const texts = Array.from({ length: most + 1 }, (_, i) => `id${i}`)
            return [column, dictionary(values, texts)]
          })
          held[name] = await columns(Object.fromEntries(given)).load({ engine })
        }
      },
      async run({ right, key, isLeft }) {
        const table = await held.x[isLeft ? 'leftJoin' : 'join'](held[right], key).collect({ engine })
        return { rowCount: table.rowCount, column: name => table.column(name).toArray() }
      },
      close: () => engine.close(),
    }
  },

  async duckdb({ threads }) {
    const { DOUBLE, DuckDBDataChunk, DuckDBInstance, INTEGER } = await import('@duckdb/node-api')
    const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
    const connection = await instance.connect()
    const version = (await connection.runAndReadAll('SELECT version()')).getRows()[0][0]
    return {
      version: `DuckDB ${version}, ${threads} threads`,
      async load(tables) {
        for (const name of Object.keys(tables)) {
          const { rowCount, columns } = tables[name]
          const names = Object.keys(columns)
          const types = names.map(column => (column[0] === 'v' ? DOUBLE : INTEGER))
          const declared = names.map((column, i) => `${column} ${types[i]}`)
          await connection.run(`CREATE TABLE raw (${declared.join(', ')})`)
          const appender = await connection.createAppender('raw')
          for (let from = 0; from < rowCount; from += CHUNK_ROWS) {
            const to = Math.min(rowCount, from + CHUNK_ROWS)
            const chunk = DuckDBDataChunk.create(types, to - from)
            for (const [i, column] of names.entries()) {
              const vector = chunk.getColumnVector(i)
              vector.items.set(columns[column].subarray(from, to))
              vector.flush()
            }
            appender.appendDataChunk(chunk)
          }
          appender.closeSync()
          const selected = joinColumns[name].map(column =>
            isText(column) ? `'id' || ${numberOf(column)} AS ${column}` : column,
          )
          await connection.run(`CREATE TABLE ${name} AS SELECT ${selected.join(', ')} FROM raw`)
          await connection.run('DROP TABLE raw')
        }
      },
      async run({ right, key, isLeft }) {
        const how = isLeft ? 'LEFT JOIN' : 'JOIN'
        const others = joinColumns[right].filter(name => name !== key)
        const taken = others.map(name => `r.${name} AS ${joinColumns.x.includes(name) ? `${name}_right` : name}`)
        const result = await connection.run(`SELECT x.*, ${taken.join(', ')} FROM x ${how} ${right} r USING (${key})`)
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
    process.env.POLARS_MAX_THREADS = String(threads)
    const { default: pl } = await import('nodejs-polars')
    const frames = {}
    return {
      version: `Polars (nodejs-polars ${pl.version}), ${threads} threads`,
      async load(tables) {
        for (const name of Object.keys(tables)) {
          const { columns } = tables[name]
          const frame = pl.DataFrame(columns)
          const texts = joinColumns[name]
            .filter(isText)
            .map(column => pl.concatString([pl.lit('id'), pl.col(numberOf(column)).cast(pl.Utf8)], '').alias(column))
          frames[name] = frame.withColumns(...texts).select(...joinColumns[name])
        }
      },
      async run({ right, key, isLeft }) {
        const answer = await frames.x
          .lazy()
          .join(frames[right].lazy(), { on: key, how: isLeft ? 'left' : 'inner' })
          .collect()
        return { rowCount: answer.height, column: name => answer.getColumn(name).toArray() }
      },
      async close() {},
    }
  },
}
