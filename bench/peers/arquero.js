// Arquero, over the same typed arrays, with its string keys as dictionary columns.

import { createRequire } from 'node:module'
import { desc, op, table } from 'arquero'

/** @returns {Promise<import('./catalogue.js').Peer>} */
export async function openPeer() {
  const { version } = createRequire(import.meta.url)('arquero/package.json')
  let rows = null

  const queries = {
    q1: t => t.groupby('id1').rollup({ v1: op.sum('v1') }),
    q2: t => t.groupby('id1', 'id2').rollup({ v1: op.sum('v1') }),
    q3: t => t.groupby('id3').rollup({ v1: op.sum('v1'), v3: op.mean('v3') }),
    q4: t => t.groupby('id4').rollup({ v1: op.mean('v1'), v2: op.mean('v2'), v3: op.mean('v3') }),
    q5: t => t.groupby('id6').rollup({ v1: op.sum('v1'), v2: op.sum('v2'), v3: op.sum('v3') }),
    q6: t => t.groupby('id4', 'id5').rollup({ median: op.median('v3'), sd: op.stdev('v3') }),
    q7: t => t.groupby('id3').rollup({ range: d => op.max(d.v1) - op.min(d.v2) }),
    q8: t => t.select('id6', { v3: 'largest' }).groupby('id6').orderby(desc('largest')).slice(0, 2).reify(),
    q9: t => t.groupby('id2', 'id4').rollup({ r2: d => op.pow(op.corr(d.v1, d.v2), 2) }),
    q10: t => t.groupby('id1', 'id2', 'id3', 'id4', 'id5', 'id6').rollup({ v3: op.sum('v3'), count: op.count() }),
  }

  return {
    version: `Arquero ${version}, 1 thread`,

    async load(data) {
      const { id1, id2, id3, ...numbers } = data.columns
      rows = table({ id1: dictionaryColumn(id1), id2: dictionaryColumn(id2), id3: dictionaryColumn(id3), ...numbers })
      return {}
    },

    async run({ id }) {
      const answer = queries[id](rows)
      return { rowCount: answer.numRows(), column: name => answer.array(name) }
    },

    async close() {
      rows = null
    },
  }
}

/** A column as Arquero takes it: anything with `length` and `at`. */
function dictionaryColumn({ codes, values }) {
  return { length: codes.length, at: row => values[codes[row]] }
}
