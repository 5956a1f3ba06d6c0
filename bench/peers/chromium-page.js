// What runs in the page that chromium.js opens: the same data, questions, timing and check as in Node.

import { ask } from '../groupby/ask.js'
import { groupByData } from '../groupby/data.js'
import { questions } from '../groupby/questions.js'
import { openMillrace } from './millrace-flows.js'

/** @type {import('./catalogue.js').Peer} */
let peer

globalThis.millrace = {
  async open(lanes) {
    peer = await openMillrace(await import('/dist/web/index.js'), lanes)
  },

  async load(rowCount, seed, names) {
    const data = groupByData(rowCount, seed, names)
    const start = performance.now()
    const { byteLength } = await peer.load(data)
    return { loadMs: performance.now() - start, byteLength }
  },

  async ask(id) {
    const question = questions.find(candidate => candidate.id === id)
    const run = await ask(peer, question, fetchAnswer, true, collectGarbage)
    await collectGarbage()
    return run
  },
}

/** As groupby/answer-file.js writes it. */
async function fetchAnswer() {
  const [layout, bytes] = await Promise.all([
    fetch('/answer.json').then(response => response.json()),
    fetch('/answer').then(response => response.arrayBuffer()),
  ])
  let at = 0
  const read = ([name, kind]) => {
    const Kind = { Int32Array, Float64Array }[kind]
    const end = at + Kind.BYTES_PER_ELEMENT * layout.rowCount
    // Copied, since a column need not begin where its type could.
    const column = new Kind(bytes.slice(at, end))
    at = end
    return [name, column]
  }
  const { rowCount, keys, outputs } = layout
  return { rowCount, keys: Object.fromEntries(keys.map(read)), outputs: Object.fromEntries(outputs.map(read)) }
}

async function collectGarbage() {
  globalThis.gc?.()
  await new Promise(resolve => setTimeout(resolve))
}
