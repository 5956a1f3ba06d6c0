// Millrace: a loaded table, and rows computed of it that stay in the lanes too.

import { pathToFileURL } from 'node:url'
import { millraceEntry } from '../../millrace-entry.js'
import { computedColumns } from '../columns.js'

/** @param {{ lanes: number, entry?: string }} options */
export async function openPeer({ lanes, entry }) {
  const { columns, createEngine, sum } = await import(entry ? pathToFileURL(entry).href : millraceEntry())
  const engine = await createEngine({ lanes })
  const names = computedColumns.map(({ name }) => name)
  let loaded = null
  let computed = null
  return {
    version: 'this build',
    async load(data) {
      loaded = await columns(data.columns).load({ engine })
    },
    async compute() {
      const query = loaded.derive(t => Object.fromEntries(computedColumns.map(({ name, ours }) => [name, ours(t)])))
      computed = await query.select(...names).load({ engine })
    },
    async sums() {
      const table = await computed
        .aggregate(t => Object.fromEntries(names.map(name => [name, sum(t[name])])))
        .collect({ engine })
      return names.map(name => Number(table.column(name).at(0)))
    },
    async forget() {
      await computed?.close()
      computed = null
    },
    async close() {
      await loaded?.close()
      await engine.close()
    },
  }
}
