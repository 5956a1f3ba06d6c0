// ClickHouse in this process (chdb), string keys as String or as LowCardinality(String). Its packages are large, so they are installed by hand:
// ../README.md says how.

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { keyDigits } from '../groupby/data.js'
import { columnNames, isTextKey } from '../groupby/questions.js'

/** Rows that are written to the file at once. */
const BLOCK_ROWS = 65_536

const queries = {
  q1: 'SELECT id1, sum(x.v1) AS v1 FROM x GROUP BY id1',
  q2: 'SELECT id1, id2, sum(x.v1) AS v1 FROM x GROUP BY id1, id2',
  q3: 'SELECT id3, sum(x.v1) AS v1, avg(x.v3) AS v3 FROM x GROUP BY id3',
  q4: 'SELECT id4, avg(x.v1) AS v1, avg(x.v2) AS v2, avg(x.v3) AS v3 FROM x GROUP BY id4',
  q5: 'SELECT id6, sum(x.v1) AS v1, sum(x.v2) AS v2, sum(x.v3) AS v3 FROM x GROUP BY id6',
  q6: 'SELECT id4, id5, quantileExactInclusive(0.5)(v3) AS median, stddevSamp(v3) AS sd FROM x GROUP BY id4, id5',
  q7: 'SELECT id3, max(v1) - min(v2) AS range FROM x GROUP BY id3',
  // The two least of what is negated: faster here than sorting, and than LIMIT BY.
  q8: 'SELECT id6, arrayJoin(arrayMap(y -> -y, groupArraySorted(2)(-v3))) AS largest FROM x GROUP BY id6',
  q9: 'SELECT id2, id4, pow(corr(v1, v2), 2) AS r2 FROM x GROUP BY id2, id4',
  q10: 'SELECT id1, id2, id3, id4, id5, id6, sum(x.v3) AS v3, count() AS count FROM x GROUP BY id1, id2, id3, id4, id5, id6',
}

/**
 * @param {{ strings: 'string' | 'low-cardinality', threads: number }} options
 * @returns {Promise<import('./catalogue.js').Peer>}
 */
export async function openPeer({ strings, threads }) {
  const { default: chdb } = await import('chdb').catch(error => {
    throw new Error('chdb is not installed: bench/README.md says how', { cause: error })
  })
  const session = new chdb.Session(undefined, {
    connectionArgs: [`--max_threads=${threads}`, '--output_format_arrow_compression_method=none'],
  })

  return {
    version: `ClickHouse ${JSON.parse(session.query('SELECT version()', 'JSONCompact')).data[0][0]} (chdb), ${threads} threads`,

    async load(data) {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
      try {
        const path = join(folder, 'rows')
        writeRows(path, data)
        session.query(
          `CREATE TABLE x ENGINE = Memory AS SELECT ${columnNames.map(name => selected(name, strings)).join(', ')} ` +
            `FROM file('${path}', 'RowBinary', '${columnNames.map(name => `${name} ${name === 'v3' ? 'Float64' : 'Int32'}`).join(', ')}')`,
        )
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
      return {}
    },

    async run({ id }) {
      const result = await session.queryAsync(queries[id], { format: 'ArrowStream' })
      const table = tableFromIPC(result.bytes())
      return { rowCount: table.numRows, column: name => readColumn(table.getChild(name), name) }
    },

    async close() {
      session.close()
    },
  }
}

/** A string key is written as its number, from 0. */
function selected(name, strings) {
  if (!isTextKey(name)) return name
  const text = `concat('id', leftPad(toString(${name} + 1), ${keyDigits[name]}, '0'))`
  return `${strings === 'low-cardinality' ? `toLowCardinality(${text})` : text} AS ${name}`
}

/** Row after row without any separator, little-endian: 8 int32, then v3. */
function writeRows(path, data) {
  const columns = columnNames.map(name => (isTextKey(name) ? data.columns[name].codes : data.columns[name]))
  const rowBytes = 4 * columns.length + 4
  const block = new DataView(new ArrayBuffer(rowBytes * BLOCK_ROWS))
  const file = openSync(path, 'w')
  try {
    for (let from = 0; from < data.rowCount; from += BLOCK_ROWS) {
      const to = Math.min(data.rowCount, from + BLOCK_ROWS)
      let at = 0
      for (let row = from; row < to; row++) {
        for (const column of columns) {
          if (column instanceof Float64Array) block.setFloat64(at, column[row], true)
          else block.setInt32(at, column[row], true)
          at += column.BYTES_PER_ELEMENT
        }
      }
      writeSync(file, block, 0, at)
    }
  } finally {
    closeSync(file)
  }
}

function readColumn(column, name) {
  return isTextKey(name) || column.nullCount > 0 ? Array.from(column) : column.toArray()
}
