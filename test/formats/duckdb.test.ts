/** Files that DuckDB wrote, see test/golden/duckdb/write.js: every type in every format that has it, read back equal. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  bool,
  csv,
  date,
  type Flow,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  json,
  list,
  ndjson,
  nullable,
  parquet,
  schema,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../src/index.js'

const path = (name: string) => fileURLToPath(new URL(`../golden/duckdb/${name}`, import.meta.url))

const kinds = schema({
  id: int32(),
  yes: nullable(bool()),
  i8: nullable(int8()),
  i16: nullable(int16()),
  i32: nullable(int32()),
  i64: nullable(int64()),
  u8: nullable(uint8()),
  u16: nullable(uint16()),
  u32: nullable(uint32()),
  f32: nullable(float32()),
  f64: nullable(float64()),
  text: nullable(utf8()),
  day: nullable(date()),
  s: nullable(timestamp('s')),
  ms: nullable(timestamp('ms')),
  us: nullable(timestamp('us')),
  ns: nullable(timestamp('ns')),
})

const expected = [
  ['id', [1, 2, 3, 4, 5]],
  ['yes', [true, false, null, true, false]],
  ['i8', [-128, 127, null, 1, -1]],
  ['i16', [-32768, 32767, null, 1, -1]],
  ['i32', [-2147483648, 2147483647, null, 1, -1]],
  ['i64', [-9223372036854775808n, 9223372036854775807n, null, 1n, -1n]],
  ['u8', [0, 255, null, 1, 2]],
  ['u16', [0, 65535, null, 1, 2]],
  ['u32', [0, 4294967295, null, 1, 2]],
  ['f32', [Math.fround(0.1), 3.4028234663852886e38, null, -1.5, 16777216]],
  ['f64', [0.1, Number.MAX_VALUE, null, Number.MIN_VALUE, -123456789.125]],
  ['text', ['plain', 'a,b "c"', null, 'two\nlines', "Zürich 😀 'quoted'"]],
  ['day', ['1970-01-01', '1969-12-31', null, '9999-12-31', '2000-02-29']],
  ['s', [0n, -1n, null, 9223372036n, 951825600n]],
  ['ms', [1n, -1n, null, 253402300799999n, 951825600500n]],
  ['us', [1n, -1n, null, 253402300799999999n, 951825600250000n]],
  ['ns', [1n, -1n, null, 9223372036854775806n, 951825600125000000n]],
] as const

/** In the column's own units: nothing of a timestamp or of an int64 is lost. */
async function columnsOf(flow: Flow, lanes: number): Promise<Record<string, unknown[]>> {
  const rows = (await flow.collect({ lanes })).toRows({ bigint: true }) as Record<string, unknown>[]
  return Object.fromEntries(Object.keys(rows[0]).map(name => [name, rows.map(row => row[name])]))
}

describe.each([0, 2])('of DuckDB, on %i lanes, is read back equal:', lanes => {
  test.each<[string, Flow]>([
    ['kinds.csv', csv(path('kinds.csv'), { schema: kinds })],
    ['kinds.tsv', csv(path('kinds.tsv'), { schema: kinds, delimiter: '\t' })],
    ['kinds.ndjson', ndjson(path('kinds.ndjson'), { schema: kinds })],
    ['kinds.json', json(path('kinds.json'), { schema: kinds })],
    ['kinds.parquet', parquet(path('kinds.parquet'))],
  ])('%s', async (file, flow) => {
    const found = await columnsOf(flow, lanes)
    for (const [name, values] of expected) {
      // Parquet has no seconds, and DuckDB writes them as microseconds.
      const inFile =
        name === 's' && file.endsWith('.parquet') ? values.map(value => value && value * 1_000_000n) : values
      expect([name, found[name]]).toEqual([name, inFile])
    }
    expect(Object.keys(found)).toEqual(expected.map(([name]) => name))
  })

  test.each<[string, Flow]>([
    [
      'lists.ndjson',
      ndjson(path('lists.ndjson'), {
        schema: schema({
          id: int32(),
          numbers: nullable(list(nullable(int32()))),
          words: nullable(list(utf8())),
          'nested.x': nullable(float64()),
          'nested.y': nullable(utf8()),
        }),
      }),
    ],
    ['lists.ndjson, inferred', ndjson(path('lists.ndjson'), { flatten: true })],
  ])('%s', async (_, flow) => {
    const found = await columnsOf(flow, lanes)
    expect(
      found.numbers.map(each => (each as unknown[] | null)?.map(one => (one === null ? null : Number(one))) ?? null),
    ).toEqual([[1, 2, null], [], null])
    expect(found.words).toEqual([['a', 'b,c'], [], null])
    expect([found['nested.x'], found['nested.y']]).toEqual([
      [1.5, null, -0.5],
      ['one', 'two', null],
    ])
  })
})

describe.each([0, 2])('lists of DuckDB in Parquet, on %i lanes,', lanes => {
  const range = (length: number) => Array.from({ length }, (_, j) => j)
  const listed = range(2500).map(i => ({
    id: i,
    numbers: i % 7 === 3 ? null : range(i % 5).map(j => ((i + j) % 4 === 1 ? null : i * j)),
    words: range(i % 3).map(j => `word ${(i + j) % 11}`),
    texts: i % 2 === 0 ? [`${i} text`, null, ''] : null,
    flags: [i % 2 === 0, null, i % 3 === 0],
    big: [BigInt(i) * 4294967296n, BigInt(-i)],
    reals: [i / 8, null],
    days: [new Date(Date.UTC(2020, 0, 1 + i)).toISOString().slice(0, 10)],
    times: [1577836800000001n + BigInt(i) * 1_000_000n],
  }))

  test('are read back equal', async () => {
    const flow = parquet(path('listed.parquet'))
    expect(await columnsOf(flow, lanes)).toEqual(
      Object.fromEntries(Object.keys(listed[0]).map(name => [name, listed.map(row => row[name as 'id'])])),
    )
  })

  test('are filtered, and their items made rows of', async () => {
    const rows = await parquet(path('listed.parquet'))
      .filter(r => r.id.gte(1000))
      .select('id', 'words')
      .explode('words')
      .collect({ lanes })
    const expected = listed
      .slice(1000)
      .flatMap(({ id, words }) => (words.length ? words : [null]).map(word => [id, word]))
    expect(rows.toRows().map(({ id, words }: Record<string, unknown>) => [id, words])).toEqual(expected)
  })
})

test('types of DuckDB are found by inference', async () => {
  const found = await columnsOf(csv(path('kinds.csv')), 0)
  expect(found.text).toEqual(expected.find(([name]) => name === 'text')?.[1])
  expect(found.i64).toEqual(expected.find(([name]) => name === 'i64')?.[1])
  expect(found.yes).toEqual(expected.find(([name]) => name === 'yes')?.[1])
})
