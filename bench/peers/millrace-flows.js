// The questions to Millrace, through its public interface only: loaded into the lanes once, then one `collect` a question; the same in Node and in a page.

import { isTextKey } from '../groupby/questions.js'

/**
 * @param {any} module what `import 'millrace'` gives
 * @param {number} lanes
 * @returns {Promise<import('./catalogue.js').Peer>}
 */
export async function openMillrace(module, lanes) {
  const api = named(module)
  const { columns, createEngine, dictionary, max, mean, min, sum } = api
  const engine = await createEngine({ lanes })
  let loaded = null

  // What a build may lack is looked up when it is asked for: a question without its function fails, and no other.
  const queries = {
    q1: flow => flow.groupBy('id1').aggregate(t => ({ v1: sum(t.v1) })),
    q2: flow => flow.groupBy('id1', 'id2').aggregate(t => ({ v1: sum(t.v1) })),
    q3: flow => flow.groupBy('id3').aggregate(t => ({ v1: sum(t.v1), v3: mean(t.v3) })),
    q4: flow => flow.groupBy('id4').aggregate(t => ({ v1: mean(t.v1), v2: mean(t.v2), v3: mean(t.v3) })),
    q5: flow => flow.groupBy('id6').aggregate(t => ({ v1: sum(t.v1), v2: sum(t.v2), v3: sum(t.v3) })),
    q6: flow => flow.groupBy('id4', 'id5').aggregate(t => ({ median: api.median(t.v3), sd: api.stddev(t.v3) })),
    q7: flow => flow.groupBy('id3').aggregate(t => ({ range: max(t.v1).sub(min(t.v2)) })),
    q8: flow => flow.groupBy('id6').aggregate(t => ({ largest: api.topK(t.v3, 2) })),
    q9: flow =>
      flow.groupBy('id2', 'id4').aggregate(t => ({ r2: api.correlation(t.v1, t.v2).mul(api.correlation(t.v1, t.v2)) })),
    q10: flow =>
      flow.groupBy('id1', 'id2', 'id3', 'id4', 'id5', 'id6').aggregate(t => ({ v3: sum(t.v3), count: api.count() })),
  }

  return {
    version: 'this build',

    async load(data) {
      const inputs = Object.entries(data.columns).map(([name, column]) => [
        name,
        isTextKey(name) ? dictionary(column.codes, column.values) : column,
      ])
      loaded = await columns(Object.fromEntries(inputs)).load({ engine })
      if (loaded.rowCount !== data.rowCount) throw new Error(`loaded ${loaded.rowCount} of ${data.rowCount} rows`)
      return { byteLength: loaded.byteLength }
    },

    async run({ id }) {
      const table = await queries[id](loaded).collect({ engine })
      return { rowCount: table.rowCount, column: name => table.column(name).toArray() }
    },

    async close() {
      await loaded?.close()
      await engine.close()
    },
  }
}

/** The module's exports by name; a name that it does not export is an error that says so. */
export function named(module) {
  return new Proxy(module, {
    get(exported, name) {
      if (!(name in exported)) throw new Error(`this build exports no ${String(name)}`)
      return exported[name]
    },
  })
}
