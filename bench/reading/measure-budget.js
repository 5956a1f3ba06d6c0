// `node measure-budget.js ENTRY LANES BYTES FILE`: aggregates the file within so many bytes and prints as JSON what it took; budget.js asks.

import { readFileSync } from 'node:fs'
import { tableSchema } from './peers/millrace-reader.js'

/**
 * @typedef {object} Figures
 * @property {number} ms
 * @property {number} beforeBytes what the process held with the library imported
 * @property {number} peakBytes the most that it held
 */

const [entry, lanes, memory, path] = process.argv.slice(2)
const api = await import(entry)
const beforeBytes = process.memoryUsage().rss

const start = performance.now()
const table = await api
  .csv(path, { schema: tableSchema(api) })
  .groupBy('id1')
  .aggregate(t => ({ v1: api.sum(t.v1), v3: api.mean(t.v3) }))
  .collect({ lanes: Number(lanes), memory: Number(memory) })
const ms = performance.now() - start

const columns = ['id1', 'v1', 'v3'].map(name => [name, Array.from(table.column(name).toArray())])
console.log(JSON.stringify({ ms, beforeBytes, peakBytes: peak(), answer: Object.fromEntries(columns) }))

function peak() {
  try {
    return 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
  } catch {
    return 1024 * process.resourceUsage().maxRSS
  }
}
