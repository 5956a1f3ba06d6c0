// Tables put into each engine's own store, for suites that compute of one table: columns are typed arrays, or codes with the strings that they stand for.

/** Rows of one of DuckDB's data chunks. */
const CHUNK_ROWS = 2048

/** How many strings DuckDB is given in one statement. */
const TEXTS = 10_000

/**
 * @typedef {{ rowCount: number, columns: Record<string, Int32Array | Float64Array | import('../groupby/data.js').DictionaryColumn> }} StoredTable
 */

const isText = column => 'codes' in column

/**
 * A flow over the columns, for `load`.
 *
 * @param {any} api what `import 'millrace'` gives
 * @param {StoredTable} data
 */
export function flowOf({ columns, dictionary }, data) {
  const given = Object.entries(data.columns).map(([name, column]) => [
    name,
    isText(column) ? dictionary(column.codes, column.values) : column,
  ])
  return columns(Object.fromEntries(given))
}

/**
 * A table `x`, strings as VARCHAR.
 *
 * @param {any} api what `@duckdb/node-api` exports
 * @param {any} connection
 * @param {StoredTable} data
 */
export async function createDuckdbTable({ DOUBLE, DuckDBDataChunk, INTEGER }, connection, { rowCount, columns }) {
  const names = Object.keys(columns)
  const types = names.map(name => (columns[name] instanceof Float64Array ? DOUBLE : INTEGER))
  await connection.run(`CREATE TABLE raw (${names.map((name, i) => `"${name}" ${types[i]}`).join(', ')})`)
  const appender = await connection.createAppender('raw')
  for (let from = 0; from < rowCount; from += CHUNK_ROWS) {
    const to = Math.min(rowCount, from + CHUNK_ROWS)
    const chunk = DuckDBDataChunk.create(types, to - from)
    for (const [i, name] of names.entries()) {
      const column = columns[name]
      const vector = chunk.getColumnVector(i)
      vector.items.set((isText(column) ? column.codes : column).subarray(from, to))
      vector.flush()
    }
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
  const texts = names.filter(name => isText(columns[name]))
  for (const name of texts) {
    await connection.run(`CREATE TABLE "text_${name}" (code INTEGER, text VARCHAR)`)
    const rows = columns[name].values.map((text, code) => `(${code}, '${text}')`)
    for (let from = 0; from < rows.length; from += TEXTS)
      await connection.run(`INSERT INTO "text_${name}" VALUES ${rows.slice(from, from + TEXTS).join(', ')}`)
  }
  const selected = names.map(name => (texts.includes(name) ? `"text_${name}".text AS "${name}"` : `raw."${name}"`))
  const joins = texts.map(name => `JOIN "text_${name}" ON raw."${name}" = "text_${name}".code`)
  await connection.run(`CREATE TABLE x AS SELECT ${selected.join(', ')} FROM raw ${joins.join(' ')}`)
  for (const name of ['raw', ...texts.map(name => `text_${name}`)]) await connection.run(`DROP TABLE "${name}"`)
}

/**
 * A frame. Strings are joined to their codes, since ten million JavaScript strings would be read one by one.
 *
 * @param {any} pl what `nodejs-polars` exports
 * @param {StoredTable} data
 */
export function polarsFrame(pl, { columns }) {
  const names = Object.keys(columns)
  let frame = pl.DataFrame(
    Object.fromEntries(names.map(name => [name, isText(columns[name]) ? columns[name].codes : columns[name]])),
  )
  for (const name of names) {
    if (!isText(columns[name])) continue
    const { values } = columns[name]
    const texts = pl.DataFrame({ [name]: Int32Array.from(values, (_, code) => code), '#text': values })
    frame = frame.join(texts, { on: name, how: 'left' }).drop(name).rename({ '#text': name })
  }
  return frame.select(...names)
}
