// `node --expose-gc measure.js ENTRY LANES ROWS SEED`: loads the table, answers q10 from it, and prints as JSON what this process held; memory.js asks.

import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { groupByData } from '../groupby/data.js'
import { questions } from '../groupby/questions.js'
import { openMillrace } from '../peers/millrace-flows.js'

/**
 * Bytes; all but the first two above what the process held before.
 *
 * @typedef {object} Memory
 * @property {number} arrowBytes the table in Arrow's form
 * @property {number} ownBytes by the library's own account
 * @property {number} residentBytes
 * @property {number} peakBytes
 */

const [entry, lanes, rowCount, seed] = process.argv.slice(2).map((text, i) => (i === 0 ? text : Number(text)))
const q10 = questions.find(({ id }) => id === 'q10')
const module = await import(entry)

// Lanes, code and buffers that any query needs are there before the first figure.
const small = await openMillrace(module, lanes)
await small.load(groupByData(1000, seed))
await small.run(q10)
await small.close()
const peer = await openMillrace(module, lanes)
await settle()
const before = process.memoryUsage().rss

const { arrowBytes, ownBytes } = await load()
await settle()
const residentBytes = process.memoryUsage().rss - before

resetPeak()
const { rowCount: groupCount } = await peer.run(q10)
const peakBytes = readPeak() - before
if (groupCount < rowCount / 2) throw new Error(`q10 gave ${groupCount} groups of ${rowCount} rows`)
await peer.close()
console.log(JSON.stringify({ arrowBytes, ownBytes, residentBytes, peakBytes }))

/** The arrays are garbage once this returns. */
async function load() {
  const data = groupByData(rowCount, seed)
  const { byteLength } = await peer.load(data)
  return { arrowBytes: arrowSize(data), ownBytes: byteLength }
}

/** Columns without nulls; dictionaries of UTF-8 with offsets of 4 bytes. */
function arrowSize({ columns }) {
  return Object.values(columns).reduce((sum, column) => {
    if (ArrayBuffer.isView(column)) return sum + column.byteLength
    const texts = column.values.reduce((bytes, value) => bytes + Buffer.byteLength(value), 0)
    return sum + column.codes.byteLength + 4 * (column.values.length + 1) + texts
  }, 0)
}

/** Until what is garbage has been given back: some of it is freed in turns of the event loop, or by threads of their own. */
async function settle() {
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc()
    await setTimeout(100)
  }
}

/** From here on the kernel counts the peak anew; where it cannot, the peak is that of the whole life of the process. */
function resetPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    console.error('the peak cannot be reset here: it includes the making of the data')
  }
}

function readPeak() {
  try {
    return 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
  } catch {
    return 1024 * process.resourceUsage().maxRSS
  }
}
