/** Tables of random columns, nulls, codecs, page and row group sizes, written by hyparquet-writer and read back. */
import { brotliCompressSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, test } from 'vitest'
import { readTable, type Values } from './read-values.js'

type Basic = 'BOOLEAN' | 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE' | 'STRING' | 'JSON'
type Encoding =
  | 'PLAIN'
  | 'RLE'
  | 'DELTA_BINARY_PACKED'
  | 'DELTA_LENGTH_BYTE_ARRAY'
  | 'DELTA_BYTE_ARRAY'
  | 'BYTE_STREAM_SPLIT'
  | undefined

const words = ['', 'a', 'ab', 'abc', 'é', '🂡', 'New York', 'x'.repeat(70)]
const kinds: { type: Basic; value: fc.Arbitrary<unknown>; encodings: Encoding[] }[] = [
  { type: 'BOOLEAN', value: fc.boolean(), encodings: [undefined, 'PLAIN', 'RLE'] },
  { type: 'INT32', value: fc.integer(), encodings: [undefined, 'PLAIN', 'DELTA_BINARY_PACKED', 'BYTE_STREAM_SPLIT'] },
  { type: 'INT32', value: fc.integer({ min: 0, max: 5 }), encodings: [undefined, 'PLAIN', 'DELTA_BINARY_PACKED'] },
  {
    type: 'INT64',
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    encodings: [undefined, 'PLAIN', 'DELTA_BINARY_PACKED', 'BYTE_STREAM_SPLIT'],
  },
  { type: 'INT64', value: fc.bigInt({ min: -3n, max: 3n }), encodings: [undefined, 'PLAIN', 'DELTA_BINARY_PACKED'] },
  { type: 'FLOAT', value: fc.float(), encodings: [undefined, 'PLAIN', 'BYTE_STREAM_SPLIT'] },
  { type: 'DOUBLE', value: fc.double(), encodings: [undefined, 'PLAIN', 'BYTE_STREAM_SPLIT'] },
  {
    type: 'STRING',
    value: fc.string({ unit: 'grapheme' }),
    encodings: [undefined, 'PLAIN', 'DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY'],
  },
  {
    type: 'STRING',
    value: fc.constantFrom(...words),
    encodings: [undefined, 'PLAIN', 'DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY'],
  },
]
const compressors = {
  GZIP: (input: Uint8Array) => new Uint8Array(gzipSync(input)),
  BROTLI: (input: Uint8Array) => new Uint8Array(brotliCompressSync(input)),
  LZ4_RAW: lz4,
  LZ4: (input: Uint8Array) => {
    const block = lz4(input)
    const framed = new Uint8Array(8 + block.length)
    new DataView(framed.buffer).setUint32(0, input.length)
    new DataView(framed.buffer).setUint32(4, block.length)
    framed.set(block, 8)
    return framed
  },
}
const codecs = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'LZ4_RAW', 'LZ4'] as const

const column = (rowCount: number) =>
  fc
    .tuple(fc.constantFrom(...kinds), fc.nat(), fc.constantFrom(...codecs), fc.boolean())
    .chain(([{ type, value, encodings }, e, codec, nullable]) =>
      fc.record({
        type: fc.constant(type),
        encoding: fc.constant(encodings[e % encodings.length]),
        codec: fc.constant(codec),
        nullable: fc.constant(nullable),
        data: fc.array(nullable ? fc.option(value, { freq: 3 }) : value, { minLength: rowCount, maxLength: rowCount }),
      }),
    )

test('any table is read back as it was written', async () => {
  const table = fc
    .tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 4 }))
    .chain(([rowCount, columnCount]) =>
      fc.record({
        columns: fc.array(column(rowCount), { minLength: columnCount, maxLength: columnCount }),
        rowGroupSize: fc.integer({ min: 7, max: 500 }),
        pageSize: fc.integer({ min: 16, max: 4000 }),
      }),
    )
  await fc.assert(
    fc.asyncProperty(table, async ({ columns, rowGroupSize, pageSize }) => {
      const buffer = parquetWriteBuffer({
        columnData: columns.map((each, i) => ({ ...each, name: `c${i}`, data: each.data as never })),
        rowGroupSize,
        pageSize,
        compressors,
      })
      const read = await readTable(new Uint8Array(buffer))
      columns.forEach(({ data }, i) => {
        expect(read.columns[`c${i}`]).toEqual(data)
      })
    }),
    { numRuns: 120 },
  )
})

test('a large column of every kind crosses morsels, pages and row groups', async () => {
  const rowCount = 150_000
  const make = (value: (i: number) => unknown) =>
    Array.from({ length: rowCount }, (_, i) => (i % 11 === 3 ? null : value(i)))
  const data: Record<string, { type: Basic; data: unknown[] }> = {
    flag: { type: 'BOOLEAN', data: make(i => i % 5 < 2) },
    small: { type: 'INT32', data: make(i => i % 100) },
    big: { type: 'INT64', data: make(i => BigInt(i) * 1_000_003n) },
    real: { type: 'DOUBLE', data: make(i => i / 7) },
    word: { type: 'STRING', data: make(i => words[i % words.length]) },
    text: { type: 'STRING', data: make(i => `row ${i}`) },
  }
  const buffer = parquetWriteBuffer({
    columnData: Object.entries(data).map(([name, each]) => ({
      name,
      type: each.type,
      data: each.data as never,
      nullable: true,
    })),
    rowGroupSize: 100_000,
    pageSize: 50_000,
  })
  const { columns, batches } = await readTable(new Uint8Array(buffer))
  for (const [name, each] of Object.entries(data)) expect(differences(columns[name] as Values, each.data)).toBe(0)
  expect(batches.map(batch => batch.rowCount)).toEqual([65_536, 34_464, 50_000])
  expect(batches.every(batch => batch.vectors[4]?.dictionary !== null)).toBe(true)
})

const differences = (read: readonly unknown[], expected: readonly unknown[]): number =>
  expected.reduce<number>(
    (count, value, i) => count + Number(!Object.is(read[i], value)),
    Math.abs(read.length - expected.length),
  )

/** A small LZ4 encoder: matches of at least four bytes at the nearest place that a table of hashes remembers. */
function lz4(input: Uint8Array): Uint8Array {
  const out: number[] = []
  const seen = new Map<string, number>()
  let anchor = 0
  const extend = (length: number) => {
    for (length -= 15; length >= 255; length -= 255) out.push(255)
    out.push(length)
  }
  const emit = (to: number, offset: number, match: number) => {
    const literals = to - anchor
    out.push((Math.min(literals, 15) << 4) | (offset === 0 ? 0 : Math.min(match - 4, 15)))
    if (literals >= 15) extend(literals)
    out.push(...input.subarray(anchor, to))
    if (offset === 0) return
    out.push(offset & 255, offset >> 8)
    if (match - 4 >= 15) extend(match - 4)
  }
  for (let i = 0; i + 12 < input.length; ) {
    const key = input.subarray(i, i + 4).join()
    const at = seen.get(key)
    seen.set(key, i)
    if (at === undefined || i - at > 65_535) {
      i++
      continue
    }
    let match = 4
    while (i + match + 5 < input.length && input[at + match] === input[i + match]) match++
    emit(i, i - at, match)
    i += match
    anchor = i
  }
  emit(input.length, 0, 0)
  return Uint8Array.from(out)
}
