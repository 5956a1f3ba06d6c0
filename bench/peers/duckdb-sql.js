// What both builds of DuckDB are told: the tables, and the questions in SQL.

import { keyDigits, largeKeys, SMALL_KEYS } from '../groupby/data.js'
import { columnNames } from '../groupby/questions.js'

const textKeys = Object.keys(keyDigits)

/** The table that rows are first appended to: string keys as numbers from 1. */
export const createRaw = `CREATE TABLE raw (${columnNames.map(name => `${name} ${name === 'v3' ? 'DOUBLE' : 'INTEGER'}`).join(', ')})`

/**
 * Statements that turn `raw` into the table `x` that is asked, with its string keys as VARCHAR or as ENUM.
 *
 * @param {'varchar' | 'enum'} strings
 * @param {number} rowCount
 */
export function createTable(strings, rowCount) {
  const text = name => `printf('id%0${keyDigits[name]}d', ${name})`
  const enums = textKeys.map(name => {
    const count = name === 'id3' ? largeKeys(rowCount) : SMALL_KEYS
    return `CREATE TYPE ${name}_enum AS ENUM (SELECT ${text(name)} FROM range(1, ${count + 1}) AS r(${name}))`
  })
  const selected = columnNames.map(name => {
    if (!textKeys.includes(name)) return name
    return strings === 'enum' ? `${text(name)}::${name}_enum AS ${name}` : `${text(name)} AS ${name}`
  })
  return [
    ...(strings === 'enum' ? enums : []),
    `CREATE TABLE x AS SELECT ${selected.join(', ')} FROM raw`,
    'DROP TABLE raw',
    'CHECKPOINT',
  ]
}

const queries = {
  q1: 'SELECT id1, sum(v1)::BIGINT AS v1 FROM x GROUP BY id1',
  q2: 'SELECT id1, id2, sum(v1)::BIGINT AS v1 FROM x GROUP BY id1, id2',
  q3: 'SELECT id3, sum(v1)::BIGINT AS v1, avg(v3) AS v3 FROM x GROUP BY id3',
  q4: 'SELECT id4, avg(v1) AS v1, avg(v2) AS v2, avg(v3) AS v3 FROM x GROUP BY id4',
  q5: 'SELECT id6, sum(v1)::BIGINT AS v1, sum(v2)::BIGINT AS v2, sum(v3) AS v3 FROM x GROUP BY id6',
  q6: 'SELECT id4, id5, median(v3) AS median, stddev(v3) AS sd FROM x GROUP BY id4, id5',
  q7: 'SELECT id3, max(v1) - min(v2) AS "range" FROM x GROUP BY id3',
  q8: 'SELECT id6, unnest(max(v3, 2)) AS largest FROM x GROUP BY id6',
  q9: 'SELECT id2, id4, pow(corr(v1, v2), 2) AS r2 FROM x GROUP BY id2, id4',
  q10: 'SELECT id1, id2, id3, id4, id5, id6, sum(v3) AS v3, count(*) AS "count" FROM x GROUP BY ALL',
}

/**
 * A question in SQL. An ENUM key is given back as its code (`enumTexts` says what it stands for): read through JavaScript as
 * an ENUM, every chunk of the answer would list the whole type first, which is no fault of the engine.
 *
 * @param {import('../groupby/questions.js').Question} question
 * @param {'varchar' | 'enum'} strings
 */
export function questionSql({ id, keys, outputs }, strings) {
  if (strings === 'varchar') return queries[id]
  const selected = keys.map(key => (textKeys.includes(key) ? `enum_code(${key})::INTEGER AS ${key}` : key))
  return `SELECT ${[...selected, ...outputs.map(({ name }) => `"${name}"`)].join(', ')} FROM (${queries[id]})`
}

/**
 * The strings behind the codes of the ENUM types, taken from the data as it is loaded.
 *
 * @param {import('../groupby/data.js').GroupByData} data
 * @returns {Record<string, string[]>} by column
 */
export function enumTexts(data) {
  return Object.fromEntries(textKeys.map(name => [name, data.columns[name].values]))
}

/**
 * Rows from `from` to `to` of a column as `raw` wants them.
 *
 * @param {import('../groupby/data.js').GroupByData} data
 * @param {string} name
 * @returns {Int32Array | Float64Array} a view, or for a string key a copy of codes from 1
 */
export function rawRows(data, name, from, to) {
  const column = data.columns[name]
  return textKeys.includes(name) ? column.codes.subarray(from, to).map(code => code + 1) : column.subarray(from, to)
}
