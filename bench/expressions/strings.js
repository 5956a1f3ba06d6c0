// Columns of strings computed of the group-by table's keys (../groupby/data.js), by all engines in turn, each in a process of its own:
//
//   node --expose-gc bench/expressions/strings.js --rows 1e7 --lanes 2 --runs 5 --peers duckdb,polars
//
// From a table in each engine's own store to columns in it: a loaded table, a temporary table, a frame. Answers are held against JavaScript's by the bytes of
// all strings of a column.

import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { groupByData } from '../groupby/data.js'
import { millraceEntry } from '../millrace-entry.js'
import { openProcess } from '../peer.js'
import { median } from '../statistics.js'
import { formatCount, formatMs, formatRatio, markdownTable } from '../table.js'

const SEED = 1
const LIMIT_MS = 600_000
const CHUNK_ROWS = 2048

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
    const { columns, createEngine, dictionary, sum } = await import(millraceEntry())
    const engine = await createEngine({ lanes })
    const names = textColumns.map(({ name }) => name)
    let loaded
    let computed
    return {
      async load(data) {
        const given = inputNames.map(name => [name, dictionary(data.columns[name].codes, data.columns[name].values)])
        loaded = await columns(Object.fromEntries(given)).load({ engine })
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
    const { DuckDBDataChunk, DuckDBInstance, INTEGER } = await import('@duckdb/node-api')
    const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
    const connection = await instance.connect()
    const fill = async (table, types, rowCount, valuesOf) => {
      const appender = await connection.createAppender(table)
      for (let from = 0; from < rowCount; from += CHUNK_ROWS) {
        const to = Math.min(rowCount, from + CHUNK_ROWS)
        const chunk = DuckDBDataChunk.create(types, to - from)
        for (let i = 0; i < types.length; i++) {
          const vector = chunk.getColumnVector(i)
          vector.items.set(valuesOf(i, from, to))
          vector.flush()
        }
        appender.appendDataChunk(chunk)
      }
      appender.closeSync()
    }
    return {
      async load({ rowCount, columns }) {
        await connection.run(`CREATE TABLE codes (${inputNames.map(name => `${name} INTEGER`).join(', ')})`)
        const types = inputNames.map(() => INTEGER)
        await fill('codes', types, rowCount, (i, from, to) => columns[inputNames[i]].codes.subarray(from, to))
        for (const name of inputNames) {
          const texts = columns[name].values.map((text, code) => `(${code}, '${text}')`)
          await connection.run(`CREATE TABLE text_${name} (code INTEGER, text VARCHAR)`)
          for (let from = 0; from < texts.length; from += 10_000)
            await connection.run(`INSERT INTO text_${name} VALUES ${texts.slice(from, from + 10_000).join(', ')}`)
        }
        const joins = inputNames.map(name => `JOIN text_${name} ON codes.${name} = text_${name}.code`)
        const selected = inputNames.map(name => `text_${name}.text AS ${name}`)
        await connection.run(`CREATE TABLE x AS SELECT ${selected.join(', ')} FROM codes ${joins.join(' ')}`)
      },
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
      async load({ columns }) {
        rows = pl.DataFrame(Object.fromEntries(inputNames.map(name => [name, columns[name].codes])))
        for (const name of inputNames) {
          const { values } = columns[name]
          const texts = pl.DataFrame({ [name]: Int32Array.from(values, (_, code) => code), text: values })
          rows = rows.join(texts, { on: name, how: 'left' }).drop(name).rename({ text: name })
        }
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
      return {}
    },
    async load({ rowCount }) {
      await peer.load(groupByData(rowCount, SEED, inputNames))
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

async function main() {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '1e7' },
      lanes: { type: 'string', default: '2' },
      threads: { type: 'string', default: '2' },
      runs: { type: 'string', default: '5' },
      peers: { type: 'string', default: 'duckdb,polars' },
    },
  })
  const rowCount = Number(values.rows)
  const threads = Number(values.threads)
  const engines = [
    ...values.lanes
      .split(',')
      .map(lanes => ({ label: `millrace ${lanes} lanes`, name: 'millrace', options: { lanes: Number(lanes) } })),
    ...values.peers
      .split(',')
      .filter(Boolean)
      .map(name => ({ label: name, name, options: { threads } })),
  ]
  const expected = expectedBytes(groupByData(rowCount, SEED, inputNames))
  const opened = []
  for (const engine of engines) {
    const { send, close } = openProcess(new URL(import.meta.url), { limitMs: LIMIT_MS })
    await send('open', { name: engine.name, options: engine.options })
    await send('load', { rowCount })
    opened.push({ ...engine, send, close, warm: [], cold: 0 })
  }
  for (let round = 0; round <= Number(values.runs); round++) {
    for (const engine of opened) {
      const { ms, bytes } = await engine.send('run')
      if (bytes.some((sum, i) => sum !== expected[i]))
        throw new Error(`${engine.label} has ${bytes} bytes, not ${expected}`)
      if (round === 0) engine.cold = ms
      else engine.warm.push(ms)
    }
  }
  const ours = opened.findLast(({ name }) => name === 'millrace')
  const rows = opened.map(({ label, warm, cold }) => [
    label,
    formatMs(median(warm)),
    formatMs(Math.min(...warm)),
    formatMs(cold),
    formatRatio(median(ours.warm) / median(warm)),
  ])
  console.log(`${formatCount(rowCount)} rows, ${textColumns.map(({ sql }) => `\`${sql}\``).join(', ')}\n`)
  console.log(markdownTable(['engine', 'warm ms', 'least ms', 'cold ms', `${ours.label} / it`], rows))
  await Promise.all(opened.map(({ close }) => close()))
}

if (process.send) serve()
else if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
