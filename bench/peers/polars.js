// Polars, through its Node client, over a frame in memory: string keys as strings or as categories.

import { columnNames, isTextKey } from '../groupby/questions.js'

/**
 * @param {{ strings: 'string' | 'category', threads: number }} options
 * @returns {Promise<import('./catalogue.js').Peer>}
 */
export async function openPeer({ strings, threads }) {
  // Read once, as the engine starts.
  process.env.POLARS_MAX_THREADS = String(threads)
  const { default: pl } = await import('nodejs-polars')
  const { col } = pl
  let rows = null

  const queries = {
    q1: [['id1'], col('v1').sum()],
    q2: [['id1', 'id2'], col('v1').sum()],
    q3: [['id3'], col('v1').sum(), col('v3').mean()],
    q4: [['id4'], col('v1').mean(), col('v2').mean(), col('v3').mean()],
    q5: [['id6'], col('v1').sum(), col('v2').sum(), col('v3').sum()],
    q6: [['id4', 'id5'], col('v3').median().alias('median'), col('v3').std().alias('sd')],
    q7: [['id3'], col('v1').max().sub(col('v2').min()).alias('range')],
    q8: [['id6'], col('v3').sort({ descending: true }).head(2).alias('largest')],
    q9: [['id2', 'id4'], pl.pearsonCorr('v1', 'v2').pow(2).alias('r2')],
    q10: [['id1', 'id2', 'id3', 'id4', 'id5', 'id6'], col('v3').sum(), pl.len().alias('count')],
  }

  return {
    version: `Polars (nodejs-polars ${pl.version}), ${threads} threads`,

    async load(data) {
      rows = frameOf(pl, data, strings)
      return {}
    },

    async run({ id }) {
      const [keys, ...aggregates] = queries[id]
      const grouped = rows
        .lazy()
        .groupBy(keys)
        .agg(...aggregates)
      const answer = await (id === 'q8' ? grouped.explode('largest') : grouped).collect()
      return { rowCount: answer.height, column: name => readColumn(answer.getColumn(name), name) }
    },

    async close() {
      rows = null
    },
  }
}

/** Strings are joined to their codes, since ten million JavaScript strings would be read one by one. */
function frameOf(pl, data, strings) {
  const textKeys = columnNames.filter(isTextKey)
  const numbers = columnNames.map(name => [name, isTextKey(name) ? data.columns[name].codes : data.columns[name]])
  let frame = pl.DataFrame(Object.fromEntries(numbers))
  for (const name of textKeys) {
    const { values } = data.columns[name]
    const texts = pl.DataFrame({ [name]: Int32Array.from(values, (_, code) => code), text: values })
    frame = frame.join(texts, { on: name, how: 'left' }).drop(name).rename({ text: name })
    if (strings === 'category') frame = frame.withColumn(pl.col(name).cast(pl.Categorical))
  }
  return frame.select(...columnNames)
}

function readColumn(series, name) {
  return isTextKey(name) || series.nullCount() > 0 ? series.toArray() : series.toTypedArray()
}
