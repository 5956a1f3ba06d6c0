// Polars, through its Node client: a frame in memory, of declared types.

import { columnNames, isTextKey } from '../../groupby/questions.js'

/**
 * @param {{ threads: number }} options
 * @returns {Promise<import('../readers.js').Reader>}
 */
export async function openReader({ threads }) {
  // Read once, as the engine starts.
  process.env.POLARS_MAX_THREADS = String(threads)
  const { default: pl } = await import('nodejs-polars')
  const typeOf = name => (isTextKey(name) ? pl.Utf8 : name === 'v3' ? pl.Float64 : pl.Int32)
  const schema = Object.fromEntries(columnNames.map(name => [name, typeOf(name)]))

  const sums = columnNames.map(name => {
    const column = pl.col(name)
    if (isTextKey(name)) return column.str.slice(2).cast(pl.Int64).sum()
    if (name === 'v3') return column.mul(1e6).round(0).cast(pl.Int64).sum().alias('millionths')
    return column.cast(pl.Int64).sum()
  })

  return {
    version: `Polars (nodejs-polars ${pl.version}), ${threads} threads`,

    async read({ path, format }) {
      let frame = format === 'csv' ? pl.readCSV(path, { dtypes: schema }) : pl.scanJson(path, { schema }).collectSync()
      return {
        rowCount: frame.height,
        sums: () => frame.select(...sums).toRecords()[0],
        release() {
          frame = null
        },
      }
    },

    async close() {},
  }
}
