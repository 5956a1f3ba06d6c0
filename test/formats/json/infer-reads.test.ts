/** That the parser in the lanes reads, as what was inferred of a sample, all that is in it. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { inferJson, type JsonInferOptions } from '../../../src/formats/json/infer.js'
import { parseJson } from '../../../src/formats/json/parse.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { read } from '../../kernels/json-rows.js'
import { makeKernels } from '../../kernels/support.js'
import { made } from './made-records.js'

let k: Kernels
beforeAll(async () => {
  k = await makeKernels()
})

/** No row is bad, and each column has as many nulls as the report says. */
function expectRead(bytes: Uint8Array, options: JsonInferOptions, rowCount?: number) {
  const { fields, paths, types, layout, dataOffset, report } = inferJson(bytes, true, options)
  const { rows, bad } = read(
    k,
    { fields, paths, types, layout, fatal: true, collect: true },
    bytes.subarray(dataOffset),
  )
  expect(bad).toEqual([])
  expect(rows).toHaveLength(rowCount ?? report.rows)
  const nulls = fields.map((_, i) => rows.filter(({ values }) => values[i] === null).length)
  expect(nulls).toEqual(report.columns.map(column => column.nulls))
  return { fields, rows, types }
}

test('records that were made', () => {
  fc.assert(
    fc.property(made, fc.boolean(), fc.boolean(), ({ records, table, paths, isList }, isArray, flatten) => {
      const text = isArray ? `[${records.join(',')}]` : records.join('\n')
      const { fields, rows } = expectRead(
        Buffer.from(text),
        { flatten, layout: isArray ? 'array' : 'lines' },
        records.length,
      )
      // Whole numbers and texts come back as they were written.
      for (const [c, path] of paths.entries()) {
        const column = fields.indexOf(path.join('.'))
        if (column < 0 || isList[c]) continue
        for (const [row, value] of table[c].entries()) {
          const { values } = rows[row]
          if (value?.sort === 'text') expect(values[column]).toBe(value.text)
          if (value?.sort === 'integer' && typeof values[column] === 'bigint')
            expect(values[column]).toBe(BigInt(value.text))
        }
      }
    }),
    { numRuns: 150 },
  )
})

test.each(['flights-2k.json', 'movies.json', 'cars.json', 'weekly-weather.json', 'budget.json', 'penguins.json'])(
  '%s',
  file => {
    expectRead(readFileSync(`node_modules/vega-datasets/data/${file}`), {})
  },
)

test.each([
  ['earthquakes.json', 'features'],
  ['miserables.json', 'links'],
])('%s at %s', (file, path) => {
  const bytes = readFileSync(`node_modules/vega-datasets/data/${file}`)
  const { dataOffset, report } = inferJson(bytes, true, { path })
  expect(String.fromCharCode(bytes[dataOffset - 1])).toBe('[')
  expect(report.rows).toBeGreaterThan(200)
  // The array alone, from its bracket to that which closes it.
  const { end } = parseJson(bytes, dataOffset - 1, bytes.length)
  const { types } = inferJson(bytes, true, { path })
  expect(expectRead(bytes.subarray(dataOffset - 1, end), {}).types).toEqual(types)
})
