// Columns of strings computed of the group-by table's keys (../groupby/data.js), by all engines in turn, each in a process of its own: the suite `strings`;
// columns of numbers, and what there is to say of both, are suite.js's.
//
// From a table in each engine's own store to columns in it: a loaded table, a temporary table, a frame. Answers are held against JavaScript's by the bytes of
// all strings of a column.

import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { groupByData } from '../groupby/data.js'
import { millraceEntry } from '../millrace-entry.js'
import { openProcess } from '../peer.js'
import { createDuckdbTable, flowOf, polarsFrame } from '../peers/stores.js'
import { formatCount } from '../table.js'
import { computedReport } from './suite.js'

/**
 * @typedef {object} TextColumn
 * @property {string} name
 * @property {(t: any) => any} ours
 * @property {string} sql
 * @property {(col: (name: string) => any, pl: any) => any} polars
 * @property {(row: Record<string, string>) => string} exact what a row's value is
 */

/** @type {TextColumn[]} */
const textColumns = [
  {
    name: 'shouted',
    ours: t => t.id3.upper(),
    sql: 'upper(id3)',
    polars: col => col('id3').str.toUpperCase(),
    exact: ({ id3 }) => id3.toUpperCase(),
  },
  {
    name: 'both',
    ours: t => t.id1.concat('/', t.id2),
    sql: "id1 || '/' || id2",
    polars: (col, pl) => pl.concatString([col('id1'), col('id2')], '/'),
    exact: ({ id1, id2 }) => `${id1}/${id2}`,
  },
  {
    name: 'digits',
    ours: t => t.id3.replace('id', '').slice(-4),
    sql: "right(replace(id3, 'id', ''), 4)",
    polars: col => col('id3').str.replace('id', '').str.slice(-4),
    exact: ({ id3 }) => id3.replaceAll('id', '').slice(-4),
  },
]
const inputNames = ['id1', 'id2', 'id3']

/** The bytes of each computed column, as JavaScript has them; all are ASCII. */
function expectedBytes({ rowCount, columns }) {
  const sums = textColumns.map(() => 0)
  const row = {}
  for (let i = 0; i < rowCount; i++) {
    for (const name of inputNames) row[name] = columns[name].values[columns[name].codes[i]]
    for (const [c, { exact }] of textColumns.entries()) sums[c] += exact(row).length
  }
  return sums
}

const peers = {
  async millrace({ lanes }) {
    const api = await import(millraceEntry())
    const { sum } = api
    const engine = await api.createEngine({ lanes })
    const names = textColumns.map(({ name }) => name)
    let loaded
    let computed
    return {
      version: 'this build',
      async load(data) {
        loaded = await flowOf(api, data).load({ engine })
      },
      async compute() {
        const query = loaded.derive(t => Object.fromEntries(textColumns.map(({ name, ours }) => [name, ours(t)])))
        computed = await query.select(...names).load({ engine })
      },
      async bytes() {
        const sums = t => Object.fromEntries(names.map(name => [name, sum(t[name].length())]))
        const table = await computed.aggregate(sums).collect({ engine })
        return names.map(name => Number(table.column(name).at(0)))
      },
      forget: () => computed.close(),
      async close() {
        await loaded.close()
        await engine.close()
      },
    }
  },

  async duckdb({ threads }) {
    const api = await import('@duckdb/node-api')
    const instance = await api.DuckDBInstance.create(':memory:', { threads: String(threads) })
    const connection = await instance.connect()
    return {
      version: `DuckDB ${(await connection.runAndReadAll('SELECT version()')).getRows()[0][0]}, ${threads} threads`,
      load: data => createDuckdbTable(api, connection, data),
      compute: () =>
        connection.run(
          `CREATE TEMP TABLE y AS SELECT ${textColumns.map(({ name, sql }) => `${sql} AS "${name}"`).join(', ')} FROM x`,
        ),
      async bytes() {
        const sums = textColumns.map(({ name }) => `sum(strlen("${name}"))::DOUBLE`).join(', ')
        return (await connection.runAndReadAll(`SELECT ${sums} FROM y`)).getRows()[0]
      },
      forget: () => connection.run('DROP TABLE y'),
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
    let rows
    let computed
    return {
      version: `Polars (nodejs-polars ${pl.version}), ${threads} threads`,
      async load(data) {
        rows = polarsFrame(pl, data)
      },
      async compute() {
        const expressions = textColumns.map(({ name, polars }) => polars(pl.col, pl).alias(name))
        computed = await rows
          .lazy()
          .select(...expressions)
          .collect()
      },
      async bytes() {
        const lengths = computed.select(...textColumns.map(({ name }) => pl.col(name).str.lengths().alias(name)))
        return textColumns.map(({ name }) => Number(lengths.getColumn(name).sum()))
      },
      async forget() {
        computed = null
      },
      async close() {},
    }
  },
}

/** The side of one engine's process: what `openProcess` sends. */
function serve() {
  let peer
  const commands = {
    async open({ name, options }) {
      peer = await peers[name](options)
      return { version: peer.version }
    },
    async load({ rowCount, seed }) {
      await peer.load(groupByData(rowCount, seed, inputNames))
      globalThis.gc?.()
      return {}
    },
    async run() {
      const start = performance.now()
      await peer.compute()
      const ms = performance.now() - start
      const bytes = await peer.bytes()
      await peer.forget()
      globalThis.gc?.()
      return { ms, bytes }
    },
    async close() {
      await peer.close()
      return {}
    },
  }
  process.on('message', async ({ command, argument }) => {
    try {
      process.send({ result: await commands[command](argument) })
    } catch (error) {
      process.send({ error: (error instanceof Error ? error.message : String(error)).split('\n')[0] })
    }
    if (command === 'close') process.disconnect()
  })
}

/**
 * @param {object} options
 * @param {number} options.rowCount
 * @param {number} options.seed
 * @param {number} options.runs warm rounds
 * @param {number} options.limitMs the longest that one command may take
 * @param {ReturnType<typeof import('./suite.js').chooseEngines>} options.engines
 * @param {(line: string) => void} options.log
 */
export async function runStrings({ rowCount, seed, runs, limitMs, engines, log }) {
  const result = { rowCount, engines, versions: {}, times: {} }
  const expected = expectedBytes(groupByData(rowCount, seed, inputNames))
  const handles = []
  try {
    for (const { id, isOurs, options } of engines) {
      const { send, close, kill } = openProcess(new URL(import.meta.url), { limitMs })
      const times = { cold: null, warm: [], problem: null }
      result.times[id] = times
      try {
        result.versions[id] = (await send('open', { name: isOurs ? 'millrace' : id, options })).version
        await send('load', { rowCount, seed })
        handles.push({ times, send, close })
      } catch (error) {
        times.problem = error.message
        await kill()
      }
    }
    log(`${formatCount(rowCount)} rows, ${textColumns.length} computed columns of strings`)
    for (let round = 0; round <= runs; round++) {
      for (const { times, send } of handles) {
        if (times.problem) continue
        try {
          const { ms, bytes } = await send('run')
          const i = bytes.findIndex((sum, i) => sum !== expected[i])
          if (i >= 0) times.problem = `${textColumns[i].name} has ${bytes[i]} bytes, not ${expected[i]}`
          if (round === 0) times.cold = ms
          else times.warm.push(ms)
        } catch (error) {
          times.problem = error.message
        }
      }
    }
  } finally {
    await Promise.all(handles.map(({ close }) => close()))
  }
  return result
}

/**
 * @param {Awaited<ReturnType<typeof runStrings>>[]} results one a size
 * @param {{ runs: number, threads: number }} options
 * @returns {import('../report.js').Section}
 */
export const stringsReport = (results, options) =>
  computedReport(results, options, {
    title: 'Strings',
    columns: textColumns,
    check: "The bytes of all strings of a column are held against JavaScript's",
  })

if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) serve()
