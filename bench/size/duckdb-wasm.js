// The same page with duckdb-wasm; bundled by size.js, not run.

import { AsyncDuckDB, VoidLogger } from '@duckdb/duckdb-wasm'

const database = new AsyncDuckDB(new VoidLogger(), new Worker('duckdb-browser-eh.worker.js'))
await database.instantiate('duckdb-eh.wasm')
const connection = await database.connect()
const answer = await connection.query(
  "SELECT key, sum(value) AS value FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) AS x(key, value) GROUP BY key",
)
document.body.textContent = answer.toString()
