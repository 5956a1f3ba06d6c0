// Polars, through its Node client: a frame in memory, and a frame computed of it.

import { computedColumns, inputNames } from '../columns.js'

/** @param {{ threads: number }} options */
export async function openPeer({ threads }) {
  // Read once, as the engine starts.
  process.env.POLARS_MAX_THREADS = String(threads)
  const { default: pl } = await import('nodejs-polars')
  let rows = null
  let computed = null
  return {
    version: `Polars (nodejs-polars ${pl.version}), ${threads} threads`,
    async load(data) {
      rows = pl.DataFrame(Object.fromEntries(inputNames.map(name => [name, data.columns[name]])))
    },
    async compute() {
      const expressions = computedColumns.map(({ name, polars }) => polars(pl.col, pl).alias(name))
      computed = await rows
        .lazy()
        .select(...expressions)
        .collect()
    },
    async sums() {
      return computedColumns.map(({ name }) => Number(computed.getColumn(name).sum()))
    },
    async forget() {
      computed = null
    },
    async close() {
      rows = null
    },
  }
}
