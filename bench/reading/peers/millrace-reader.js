// Millrace reading a file, through its public interface only: into the lanes (`load`) or into a table in the calling thread (`collect`); the same in
// Node and in a page.

import { columnNames, isTextKey } from '../../groupby/questions.js'
import { named } from '../../peers/millrace-flows.js'

/**
 * @param {any} module what `import 'millrace'` gives
 * @param {{ lanes: number, way: 'load' | 'collect' }} options
 * @returns {Promise<{ read: (input: string | Blob, format: import('../files.js').Format) => Promise<import('../readers.js').Rows>, close: () => Promise<void> }>}
 */
export async function openMillraceReader(module, { lanes, way }) {
  const api = named(module)
  const engine = await api.createEngine({ lanes })
  const schema = tableSchema(api)

  return {
    async read(input, format) {
      const source = format === 'csv' ? api.csv(input, { schema }) : api.ndjson(input, { schema })
      const rows = await (way === 'load' ? source.load({ engine }) : source.collect({ engine }))
      return {
        rowCount: rows.rowCount,
        sums: () => sumsOf(api, way === 'load' ? rows : rows.flow(), engine),
        release: async () => {
          if (way === 'load') await rows.close()
        },
      }
    },

    close: () => engine.close(),
  }
}

/** The columns of the group-by table, as they are declared. */
export function tableSchema({ float64, int32, schema, utf8 }) {
  const typeOf = name => (isTextKey(name) ? utf8() : name === 'v3' ? float64() : int32())
  return schema(Object.fromEntries(columnNames.map(name => [name, typeOf(name)])))
}

async function sumsOf({ count, sum }, flow, engine) {
  const numbers = columnNames.filter(name => !isTextKey(name))
  const totals = await flow
    .aggregate(t => Object.fromEntries(numbers.map(name => [name, sum(t[name])])))
    .collect({ engine })
  const sums = Object.fromEntries(numbers.map(name => [name, totals.column(name).at(0)]))
  for (const name of columnNames.filter(isTextKey)) {
    const groups = await flow
      .groupBy(name)
      .aggregate(() => ({ rows: count() }))
      .collect({ engine })
    const rows = groups.column('rows').toArray()
    sums[name] = groups
      .column(name)
      .toArray()
      .reduce((total, text, i) => total + Number(text.slice(2)) * rows[i], 0)
  }
  return sums
}
