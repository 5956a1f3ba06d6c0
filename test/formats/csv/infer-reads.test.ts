/** That the parser in the lanes reads, as what was inferred of a sample, all that is in it. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { type CsvInferOptions, inferCsv } from '../../../src/formats/csv/infer.js'
import { createCsvParser } from '../../../src/kernels/csv.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { LaneDictionary } from '../../../src/kernels/text.js'
import type { BadRow } from '../../../src/kernels/text-rows.js'
import { makeKernels, valuesOf } from '../../kernels/support.js'
import { written } from './made-tables.js'

let k: Kernels
beforeAll(async () => {
  k = await makeKernels()
})

/** All columns as values, and what could not be read. */
function read(bytes: Uint8Array, options: CsvInferOptions) {
  const { dataOffset, report, ...found } = inferCsv(bytes, true, options)
  const { memory } = k
  const dictionaries = found.fields.map(() => new LaneDictionary(k))
  const shape = { ...found, ragged: options.ragged ?? 'error', fatal: true, collect: true } as const
  const parser = createCsvParser(k, shape, found.fields, i => dictionaries[i])
  const pointer = memory.allocate(bytes.length + 128)
  memory.u8.set(bytes, pointer)
  const columns = found.fields.map(() => [] as unknown[])
  const bad: BadRow[] = []
  for (let at = dataOffset; at < bytes.length; ) {
    const mark = memory.mark()
    const length = bytes.length - at
    const { morsel, consumed, bad: some } = parser.parse(pointer + at, length, length, true)
    for (const [i, column] of morsel.columns.entries()) columns[i].push(...valuesOf(k, column))
    bad.push(...some)
    memory.reset(mark)
    if (consumed === 0) throw new Error(`nothing is read at byte ${at} of ${bytes.length}`)
    at += consumed
  }
  parser.free()
  memory.free(pointer)
  for (const dictionary of dictionaries) dictionary.free()
  return { fields: found.fields, columns, bad, report }
}

/** No row is bad, and each column has as many nulls as the report says. */
function expectRead(bytes: Uint8Array, options: CsvInferOptions) {
  const { columns, bad, report, fields } = read(bytes, options)
  expect(bad).toEqual([])
  expect(columns.map(column => column.length)).toEqual(fields.map(() => report.rows))
  expect(columns.map(column => column.filter(value => value === null).length)).toEqual(
    report.columns.map(({ nulls }) => nulls),
  )
  return columns
}

test('tables that were made, each value as it was', () => {
  fc.assert(
    fc.property(written, ({ text, table }) => {
      const columns = expectRead(Buffer.from(text), { comment: '#' })
      for (const [c, column] of table.entries()) {
        const sorts = new Set(column.map(value => value?.sort))
        sorts.delete(undefined)
        for (const [row, value] of column.entries()) {
          if (value === null) expect(columns[c][row]).toBe(null)
          else if (sorts.size > 1 || value.sort === 'text') continue
          else if (value.sort === 'integer') expect(columns[c][row]).toBe(BigInt(value.text))
          else if (value.sort === 'float') expect(columns[c][row]).toBe(Number(value.text))
          else if (value.sort === 'bool') expect(Boolean(columns[c][row])).toBe(/^true$/i.test(value.text))
        }
        if (sorts.has('text')) expect(columns[c]).toEqual(column.map(value => (value === null ? null : value.text)))
      }
    }),
    { numRuns: 200 },
  )
})

test('anything that has columns, and what is bad of it is told', () => {
  const piece = fc.constantFrom(
    '"',
    ',',
    '\n',
    '\r\n',
    'a',
    '1',
    ' ',
    '\t',
    '.',
    '-',
    '#',
    'é',
    'true',
    '""',
    '2024-01-01',
    '007',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }),
      fc.constantFrom<CsvInferOptions>(
        {},
        { comment: '#', delimiter: ',' },
        { header: ['p', 'q'], delimiter: ',', ragged: 'pad' },
        { header: ['p'], delimiter: ',' },
      ),
      (parts, options) => {
        let inferred: ReturnType<typeof inferCsv>
        const bytes = Buffer.from(`x,y\n${parts.join('')}`)
        try {
          inferred = inferCsv(bytes, true, options)
        } catch {
          return
        }
        const { columns, bad } = read(bytes, options)
        // Rows of the wrong shape are the reader's to refuse; no value is of the wrong type.
        expect(bad.filter(({ code }) => code !== 'MR_FORMAT_ERROR')).toEqual([])
        expect(columns.map(column => column.length)).toEqual(inferred.fields.map(() => inferred.report.rows))
      },
    ),
    { numRuns: 500 },
  )
})

test.each([
  'airports.csv',
  'birdstrikes.csv',
  'seattle-weather.csv',
  'stocks.csv',
  'github.csv',
  'unemployment.tsv',
  'species.csv',
])('%s', file => {
  expectRead(readFileSync(`node_modules/vega-datasets/data/${file}`), {})
})
