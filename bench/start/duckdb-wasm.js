// Start-up of duckdb-wasm, the fastest way in: blocking, without a worker.

import { openDuckDbWasm } from '../peers/duckdb-wasm.js'
import { finish, keys, values } from './data.js'

const { connection, makeTable } = await openDuckDbWasm()
connection.insertArrowTable(makeTable({ value: values, key: Int32Array.from(keys, key => Number(key.slice(3))) }), {
  name: 'x',
  create: true,
})
finish(connection.query('SELECT key, sum(value) AS value FROM x GROUP BY key').getChild('value').toArray())
