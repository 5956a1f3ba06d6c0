/** Lists: any that hyparquet-writer writes, and by hand what it does not: version 1 pages, rows over several pages, older forms, damage. */
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import { openParquet } from '../../../src/formats/parquet/lane-extension.js'
import { bool, float64, int32, int64, list, nullable, parquet, utf8 } from '../../../src/index.js'
import { ascii, hybrid, type PageSpec, type Struct, uint32, writeParquet } from './parquet-file.js'
import { readColumn, readTable } from './read-values.js'

type Encoding = 'PLAIN' | 'RLE' | 'DELTA_BINARY_PACKED' | 'DELTA_BYTE_ARRAY' | undefined
const kinds: { type: string; converted?: string; value: fc.Arbitrary<unknown>; of: object; encodings: Encoding[] }[] = [
  { type: 'BOOLEAN', value: fc.boolean(), of: bool(), encodings: [undefined, 'RLE'] },
  { type: 'INT32', value: fc.integer(), of: int32(), encodings: [undefined, 'PLAIN', 'DELTA_BINARY_PACKED'] },
  { type: 'INT64', value: fc.bigInt({ min: 0n, max: 3n }), of: int64(), encodings: [undefined, 'PLAIN'] },
  { type: 'DOUBLE', value: fc.double(), of: float64(), encodings: [undefined, 'PLAIN'] },
  {
    type: 'BYTE_ARRAY',
    converted: 'UTF8',
    value: fc.oneof(fc.constantFrom('', 'a', 'é', 'New York'), fc.string({ unit: 'grapheme' })),
    of: utf8(),
    encodings: [undefined, 'PLAIN', 'DELTA_BYTE_ARRAY'],
  },
]

const column = (rowCount: number) =>
  fc
    .record({
      kind: fc.constantFrom(...kinds),
      encoding: fc.nat(),
      isNullable: fc.boolean(),
      hasNulls: fc.boolean(),
      longest: fc.constantFrom(0, 1, 3, 40),
    })
    .chain(({ kind, encoding, isNullable, hasNulls, longest }) => {
      const items = fc.array(hasNulls ? fc.option(kind.value, { freq: 3 }) : kind.value, { maxLength: longest })
      const rows = isNullable ? fc.option(items, { freq: 3 }) : items
      return fc.record({
        kind: fc.constant(kind),
        encoding: fc.constant(kind.encodings[encoding % kind.encodings.length]),
        isNullable: fc.constant(isNullable),
        hasNulls: fc.constant(hasNulls),
        data: fc.array(rows, { minLength: rowCount, maxLength: rowCount }),
      })
    })

test('any lists are read back as they were written', async () => {
  const table = fc.integer({ min: 1, max: 200 }).chain(rowCount =>
    fc.record({
      columns: fc.array(column(rowCount), { minLength: 1, maxLength: 3 }),
      rowGroupSize: fc.integer({ min: 7, max: 250 }),
      pageSize: fc.integer({ min: 16, max: 4000 }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(table, async ({ columns, rowGroupSize, pageSize }) => {
      const schema = columns.flatMap(({ kind, isNullable, hasNulls }, i) => [
        {
          name: `c${i}`,
          repetition_type: isNullable ? 'OPTIONAL' : 'REQUIRED',
          num_children: 1,
          converted_type: 'LIST',
        },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        {
          name: 'element',
          type: kind.type,
          repetition_type: hasNulls ? 'OPTIONAL' : 'REQUIRED',
          ...(kind.converted ? { converted_type: kind.converted } : {}),
        },
      ])
      const buffer = parquetWriteBuffer({
        columnData: columns.map(({ data, encoding }, i) => ({ name: `c${i}`, data: data as never, encoding })),
        schema: [{ name: 'root', num_children: columns.length }, ...schema] as never,
        rowGroupSize,
        pageSize,
      })
      const bytes = new Uint8Array(buffer)
      const reader = await openParquet({ kind: 'bytes', bytes })
      const read = await readTable(bytes)
      columns.forEach(({ kind, isNullable, hasNulls, data }, i) => {
        const type = list((hasNulls ? nullable(kind.of as never) : kind.of) as never)
        expect(reader.schema[`c${i}`]).toEqual(isNullable ? nullable(type) : type)
        expect(read.columns[`c${i}`]).toEqual(data)
      })
      await reader.close()
    }),
    { numRuns: 80 },
  )
})

const listGroup: Struct = { 3: { i32: 1 }, 4: { text: 'tags' }, 5: { i32: 1 }, 6: { i32: 3 } }
const repeatedGroup: Struct = { 3: { i32: 2 }, 4: { text: 'list' }, 5: { i32: 1 } }
const number = (repetition: number, name = 'element'): Struct => ({
  1: { i32: 1 },
  3: { i32: repetition },
  4: { text: name },
})
const standard = [listGroup, repeatedGroup, number(1)]

/** A version 1 page: both levels, each behind its length, then int32 values. */
function page(repetition: number[], definition: number[], values: number[], width = 2): PageSpec {
  const r = hybrid(1, [{ packed: repetition }])
  const d = hybrid(width, [{ packed: definition }])
  const body = [...uint32(r.length), ...r, ...uint32(d.length), ...d, ...values.flatMap(uint32)]
  return { kind: 'data', encoding: 0, count: repetition.length, body: Uint8Array.from(body) }
}

const file = (pages: PageSpec[], rowCount: number, elements: Struct[] = standard, valueCount?: number): Uint8Array =>
  writeParquet({
    columns: [
      {
        name: '',
        physical: 1,
        chunks: [
          {
            pages,
            metadata: { 5: { i64: valueCount ?? pages.reduce((sum, { count }) => sum + count, 0) } },
            statistics: {
              3: { i64: 0 },
              5: { text: Uint8Array.from(uint32(9)) },
              6: { text: Uint8Array.from(uint32(9)) },
            },
          },
        ],
      },
    ],
    rowCounts: [rowCount],
    schema: [{ 4: { text: 'root' }, 5: { i32: 1 } }, ...elements],
  })

describe('lists', () => {
  test('go on from one page into the next, with version 1 pages', async () => {
    const pages = [page([0, 1], [3, 2], [1]), page([1, 1], [3, 3], [2, 3]), page([1, 0, 0, 0], [3, 1, 0, 3], [4, 5])]
    expect(await readColumn(file(pages, 4), 'tags')).toEqual([[1, null, 2, 3, 4], [], null, [5]])
  })

  test("that are DuckDB's arrays are null once for each item that there would be", async () => {
    const pages = [page([0, 1, 0, 1], [3, 3, 0, 0], [1, 2]), page([1, 0, 1, 1, 0, 1, 1], [0, 3, 2, 3, 0, 0, 0], [4, 6])]
    expect(await readColumn(file(pages, 4), 'tags')).toEqual([[1, 2], null, [4, null, 6], null])
  })

  test.each<[string, 1 | 2, Struct[], number[], unknown[]]>([
    ['a repeated field without a list around it', 1, [number(2, 'tags')], [1, 1, 0, 1], [[7, 8], [], [9]]],
    [
      'a repeated field in a list',
      1,
      [{ ...listGroup, 3: { i32: 0 } }, number(2, 'array')],
      [1, 1, 0, 1],
      [[7, 8], [], [9]],
    ],
    [
      'a repeated field in a list that may be null',
      2,
      [listGroup, number(2, 'array')],
      [2, 2, 0, 2],
      [[7, 8], null, [9]],
    ],
    [
      'an unusual name of the repeated group',
      2,
      [listGroup, { ...repeatedGroup, 4: { text: 'bag' } }, number(0, 'array_element')],
      [2, 2, 1, 2],
      [[7, 8], [], [9]],
    ],
  ])('are found in older forms: %s', async (_, width, elements, definition, expected) => {
    const bytes = file([page([0, 1, 0, 0], definition, [7, 8, 9], width)], 3, elements)
    expect(await readColumn(bytes, 'tags')).toEqual(expected)
  })

  test.each<[string, Struct[], number]>([
    ['LIST of LIST', [listGroup, repeatedGroup, { ...listGroup, 4: { text: 'element' } }, repeatedGroup, number(0)], 1],
    ['LIST of a group of fields', [listGroup, { ...repeatedGroup, 4: { text: 'array' } }, number(0)], 1],
    ['LIST of a group of fields', [listGroup, { ...repeatedGroup, 4: { text: 'tags_tuple' } }, number(0)], 1],
    ['LIST of a group of fields', [listGroup, { ...repeatedGroup, 5: { i32: 2 } }, number(0, 'x'), number(0, 'y')], 2],
    ['LIST of repeated INT32', [listGroup, repeatedGroup, number(2)], 1],
    ['MAP', [{ ...listGroup, 6: { i32: 1 } }, { ...repeatedGroup, 5: { i32: 2 } }, number(0, 'k'), number(1, 'v')], 2],
  ])('of what is no flat type are refused: %s', async (name, elements, leaves) => {
    const leaf = { name: '', physical: 1, chunks: [{ pages: [page([0], [3], [1])] }] }
    const bytes = writeParquet({
      columns: Array(leaves).fill(leaf),
      rowCounts: [1],
      schema: [{ 4: { text: 'root' }, 5: { i32: 1 } }, ...elements],
    })
    await expect(readColumn(bytes, 'tags')).rejects.toThrow(`column "tags": it is ${name}, which this version does not`)
  })

  test('have no statistics: those of items say nothing of rows', async () => {
    const reader = await openParquet({ kind: 'bytes', bytes: file([page([0, 0], [0, 3], [9])], 2) })
    expect(reader.rowGroups[0]?.statistics.get('tags')).toEqual({
      min: null,
      max: null,
      nullCount: null,
      mayHoldNaN: false,
    })
  })

  test('that are long come in batches of fewer rows', async () => {
    const rows = 40
    const long = Array.from({ length: rows }, (_, i) => new Array(30_000).fill(i))
    const buffer = parquetWriteBuffer({
      columnData: [
        { name: 'long', data: long as never },
        { name: 'i', data: Array.from({ length: rows }, (_, i) => i) },
      ],
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'long', repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', type: 'INT32', repetition_type: 'REQUIRED' },
        { name: 'i', type: 'INT32', repetition_type: 'REQUIRED' },
      ] as never,
    })
    const bytes = new Uint8Array(buffer)
    const { batches, columns } = await readTable(bytes)
    expect(batches.map(batch => batch.rowCount)).toEqual([32, 8])
    expect(JSON.stringify(columns.long)).toBe(JSON.stringify(long))
    const table = await parquet(bytes)
      .filter(r => r.i.mod(2).eq(1))
      .collect({ lanes: 0 })
    const odd = table.toRows().map(row => (row as { long: unknown }).long)
    expect(JSON.stringify(odd)).toBe(JSON.stringify(long.filter((_, i) => i % 2 === 1)))
  })
})

describe('damaged lists are refused:', () => {
  const refused = (bytes: Uint8Array, what: string) =>
    expect(readColumn(bytes, 'tags')).rejects.toMatchObject({
      code: 'MR_FORMAT_ERROR',
      message: expect.stringContaining(what),
      details: { column: 'tags', byteOffset: expect.any(Number) },
    })

  test.each<[string, PageSpec[], number, string]>([
    ['rows that there are not', [page([0, 1], [3, 3], [1, 2])], 2, 'fewer rows than its row group'],
    ['too many rows', [page([0, 0], [3, 3], [1, 2])], 1, 'more rows than its row group'],
    ['an item before any row', [page([1, 0], [3, 3], [1, 2])], 1, 'an item is repeated'],
    ['a null before any row', [page([1, 0], [0, 3], [1])], 1, 'an item is repeated'],
    ['a null in an empty list', [page([0, 1], [1, 0], [])], 1, 'an item is repeated'],
    ['an item of a null', [page([0, 1], [0, 3], [1])], 1, 'an item is repeated'],
    ['an item of an empty list', [page([0, 1], [1, 3], [1])], 1, 'an item is repeated'],
    ['an empty list among items', [page([0, 1], [3, 1], [1])], 1, 'an item is repeated'],
    ['values that are not there', [page([0, 1], [3, 3], [1])], 1, '2 values of 4 bytes in a page of'],
    [
      'no levels',
      [{ kind: 'data', encoding: 0, count: 1, body: Uint8Array.from(ascii('ab')) }],
      1,
      'has no repetition',
    ],
    [
      'levels that are longer than the page',
      [{ kind: 'data', encoding: 0, count: 1, body: Uint8Array.from([200, 0, 0, 0, 1]) }],
      1,
      'repetition levels of 200 bytes',
    ],
  ])('%s', async (_, pages, rowCount, what) => {
    await refused(file(pages, rowCount), what)
  })

  test('a level that the column does not have', async () => {
    const elements = [listGroup, repeatedGroup, number(0)]
    await refused(file([page([0, 1], [2, 3], [1])], 1, elements), 'a level of 3 where 2 is the highest')
  })

  test('fewer values than rows, as the footer counts', async () => {
    await expect(readColumn(file([page([0], [3], [1])], 1, standard, 0), 'tags')).rejects.toThrow(
      'the footer counts 0 values for 1 rows',
    )
  })
})
