// Writes answers.json, what DuckDB says to Nexmark's queries: `npm --prefix bench ci && node test/golden/nexmark/write.js`.

import { rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkedEvents, digest, rowText } from '../../../bench/nexmark/answers.js'
import { createNexmark, nexmarkColumns } from '../../../bench/nexmark/generator.js'
import { nexmarkQueries } from '../../../bench/nexmark/queries.js'

const bench = createRequire(new URL('../../../bench/package.json', import.meta.url))
const { DuckDBInstance } = await import(bench.resolve('@duckdb/node-api'))
const connection = await (await DuckDBInstance.create(':memory:')).connect()
const nexmark = createNexmark(checkedEvents.options)
for (const [kind, columns] of Object.entries(nexmarkColumns)) {
  const data = nexmark.columns(kind, 0, checkedEvents.events)
  const names = Object.keys(columns)
  const rows = data[names[0]].length
  const lines = Array.from({ length: rows }, (_, row) => {
    const cells = names.map(name => [name, typeof data[name][row] === 'bigint' ? Number(data[name][row]) : data[name][row]])
    return JSON.stringify({ place: row, ...Object.fromEntries(cells) })
  })
  const file = join(tmpdir(), `nexmark-${process.pid}.ndjson`)
  writeFileSync(file, lines.join('\n'))
  const types = names.map(name => `${name}: '${columns[name] === 'text' ? 'VARCHAR' : 'BIGINT'}'`).join(', ')
  await connection.run(
    `create table ${kind} as select * from read_json('${file}', format = 'newline_delimited', columns = {place: 'BIGINT', ${types}})`,
  )
  rmSync(file)
}

// Queries are built when they are asked for, so nothing of the library is needed for their SQL.
const answers = {}
for (const { id, sql } of nexmarkQueries({})) {
  const rows = (await connection.runAndReadAll(sql)).getRowObjects()
  answers[id] = digest(rows.map(row => rowText(plain(row))))
}
writeFileSync(new URL('./answers.json', import.meta.url), `${JSON.stringify(answers, null, 2)}\n`)

function plain(row) {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, Array.isArray(value?.items) ? [...value.items] : value]),
  )
}
