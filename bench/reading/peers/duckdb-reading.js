// What both builds of DuckDB are told: a table from a file, with the types declared, and what its columns come to.

import { columnNames, isTextKey } from '../../groupby/questions.js'

const types = columnNames.map(
  name => `'${name}': '${isTextKey(name) ? 'VARCHAR' : name === 'v3' ? 'DOUBLE' : 'INTEGER'}'`,
)

/**
 * @param {string} path
 * @param {import('../files.js').Format} format
 */
export function createTable(path, format) {
  const options = `columns={${types.join(', ')}}`
  const source =
    format === 'csv'
      ? `read_csv('${path}', header=true, delim=',', quote='"', auto_detect=false, ${options})`
      : `read_json('${path}', format='newline_delimited', auto_detect=false, ${options})`
  return `CREATE TABLE x AS SELECT * FROM ${source}`
}

const sums = columnNames.map(name => {
  if (isTextKey(name)) return `sum(substr(${name}, 3)::BIGINT)::BIGINT AS ${name}`
  return name === 'v3' ? 'sum(round(v3 * 1000000)::BIGINT)::BIGINT AS millionths' : `sum(${name})::BIGINT AS ${name}`
})

/** One row: the number of rows as `count`, then the sums. */
export const selectSums = `SELECT count(*)::BIGINT AS "count", ${sums.join(', ')} FROM x`

export const dropTable = 'DROP TABLE x'
