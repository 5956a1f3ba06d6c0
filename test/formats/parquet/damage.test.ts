/** Broken files: cut short, overwritten, lying. Each is a coded error with its place, or a table; none hangs or takes memory that it claims. */
import { readFileSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import { openParquet } from '../../../src/formats/parquet/lane-extension.js'
import { type ColumnSpec, hybrid, type PageSpec, type Struct, writeParquet } from './parquet-file.js'
import { readColumn } from './read-values.js'

const flights = new Uint8Array(
  readFileSync(new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url)),
)

interface Coded {
  readonly code: string
  readonly message: string
  readonly details: {
    readonly file?: string
    readonly byteOffset?: number
    readonly column?: string
    readonly rowGroup?: number
  }
}

/** Reads everything (or two row groups); the error, where there is one. */
async function readAll(bytes: Uint8Array, most = Infinity): Promise<Coded | null> {
  try {
    const reader = await openParquet({ kind: 'bytes', bytes })
    for (let part = 0; part < Math.min(most, reader.rowGroups.length); part++) {
      for await (const batch of reader.read(part, Object.keys(reader.schema))) {
        for (const vector of batch.vectors) expect(vector.length).toBe(batch.rowCount)
      }
    }
    return null
  } catch (error) {
    return error as Coded
  }
}

const CODES = ['MR_FORMAT_ERROR', 'MR_INTEGER_OVERFLOW', 'MR_DUPLICATE_COLUMN']
function expectCoded(error: Coded | null): void {
  if (error === null) return
  if (!CODES.includes(error.code)) throw error
  expect(error.message.startsWith(`${error.code}: parquet "`)).toBe(true)
  expect(error.details.file).toBeDefined()
}

/** One table with every kind of column, codec and encoding that the writer knows. */
function sample(): Uint8Array {
  const rowCount = 300
  const make = <T>(value: (i: number) => T) =>
    Array.from({ length: rowCount }, (_, i) => (i % 9 === 4 ? null : value(i))) as never
  const columnData = [
    { name: 'flag', type: 'BOOLEAN', data: make(i => i % 3 === 0), encoding: 'RLE' },
    { name: 'small', type: 'INT32', data: make(i => i % 20), codec: 'GZIP' },
    {
      name: 'delta',
      type: 'INT64',
      data: make(i => BigInt(i * i)),
      encoding: 'DELTA_BINARY_PACKED',
      codec: 'UNCOMPRESSED',
    },
    { name: 'split', type: 'DOUBLE', data: make(i => i / 3), encoding: 'BYTE_STREAM_SPLIT', codec: 'BROTLI' },
    { name: 'coded', type: 'STRING', data: make(i => `word ${i % 7}`) },
    { name: 'plain', type: 'STRING', data: make(i => `text ${i}`), encoding: 'PLAIN', codec: 'UNCOMPRESSED' },
    {
      name: 'lengths',
      type: 'STRING',
      data: make(i => `text ${i}`),
      encoding: 'DELTA_LENGTH_BYTE_ARRAY',
      codec: 'UNCOMPRESSED',
    },
    {
      name: 'shared',
      type: 'STRING',
      data: make(i => `text ${i}`),
      encoding: 'DELTA_BYTE_ARRAY',
      codec: 'UNCOMPRESSED',
    },
    { name: 'time', type: 'TIMESTAMP', data: make(i => new Date(i * 1000)) },
  ] as const
  const compressors = {
    GZIP: (input: Uint8Array) => new Uint8Array(gzipSync(input)),
    BROTLI: (input: Uint8Array) => new Uint8Array(brotliCompressSync(input)),
  }
  const buffer = parquetWriteBuffer({
    columnData: columnData.map(each => ({ ...each, nullable: true })),
    rowGroupSize: 160,
    pageSize: 400,
    compressors,
  })
  return new Uint8Array(buffer)
}

describe('a file cut short', () => {
  test('is refused wherever it is cut', async () => {
    const cuts = [
      0,
      1,
      3,
      4,
      8,
      12,
      13,
      100,
      65_536,
      1_000_000,
      flights.length - 65_537,
      flights.length - 20_000,
      flights.length - 9,
    ]
    for (const cut of [...cuts, flights.length - 8, flights.length - 5, flights.length - 4, flights.length - 1]) {
      const error = await readAll(flights.subarray(0, cut))
      expect(error?.code).toBe('MR_FORMAT_ERROR')
      expect(error?.message).toContain('cut short')
      expect(error?.details.byteOffset).toBeDefined()
    }
  })

  test('is refused at every byte of a small one', async () => {
    const bytes = sample()
    for (let cut = 0; cut < bytes.length; cut++)
      expect((await readAll(bytes.subarray(0, cut)))?.code).toBe('MR_FORMAT_ERROR')
  })

  test('without a middle part is refused with row group, column and offset', async () => {
    const holed = new Uint8Array(Buffer.concat([flights.subarray(0, 2_000_000), flights.subarray(2_001_000)]))
    const error = await readAll(holed, 3)
    expect(error?.code).toBe('MR_FORMAT_ERROR')
    expect(error?.details.rowGroup).toBe(1)
    expect(error?.details.column).toBeDefined()
    expect(error?.details.byteOffset).toBeGreaterThan(1_000_000)
  })
})

describe('other files', () => {
  test('are no Parquet files', async () => {
    for (const text of ['', 'PAR1', 'PAR1PAR1', 'date,delay\n2001-01-01,5\n'.repeat(9), `PAR1${'\0'.repeat(40)}PAR1`]) {
      expectCoded(await readAll(new TextEncoder().encode(text)))
      expect(await readAll(new TextEncoder().encode(text))).not.toBeNull()
    }
  })
})

describe('a damaged file', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 })

  test.each<[string, () => Uint8Array]>([
    ['every encoding', sample],
    ['lists', () => new Uint8Array(readFileSync(new URL('../../golden/duckdb/listed.parquet', import.meta.url)))],
  ])(
    'of %s is a coded error or a table',
    async (_, undamaged) => {
      const bytes = undamaged()
      expect(await readAll(bytes)).toBeNull()
      await fc.assert(
        fc.asyncProperty(damage, async changes => {
          const damaged = bytes.slice()
          for (const [at, value] of changes) damaged[at % damaged.length] = value
          const started = performance.now()
          expectCoded(await readAll(damaged))
          expect(performance.now() - started).toBeLessThan(5000)
        }),
        { numRuns: 300 },
      )
    },
    60_000,
  )

  test('whose snappy page claims a literal of four gigabytes is refused at once', async () => {
    const data = Array.from({ length: 1000 }, (_, i) => `value ${i % 50}`)
    const bytes = new Uint8Array(
      parquetWriteBuffer({ columnData: [{ name: 's', data, type: 'STRING', encoding: 'PLAIN', nullable: false }] }),
    )
    expect(await readAll(bytes)).toBeNull()
    // Every byte in turn as the tag of a literal with a length of four bytes, and those bytes all ones.
    for (let at = 4; at < 400; at++) {
      const damaged = bytes.slice()
      damaged.set([252, 255, 255, 255, 255], at)
      expectCoded(await readAll(damaged))
    }
  })

  test('in its footer is a coded error or a table', async () => {
    const bytes = sample()
    const footerLength = new DataView(bytes.buffer).getUint32(bytes.length - 8, true)
    await fc.assert(
      fc.asyncProperty(damage, async changes => {
        const damaged = bytes.slice()
        for (const [at, value] of changes) damaged[bytes.length - 1 - (at % (footerLength + 8))] = value
        expectCoded(await readAll(damaged))
      }),
      { numRuns: 500 },
    )
  }, 60_000)

  test('of three million rows is a coded error or a table', async () => {
    await fc.assert(
      fc.asyncProperty(damage, async changes => {
        // The first row group is where the damage is, so that it is met.
        const damaged = flights.slice()
        for (const [at, value] of changes) damaged[at % 1_226_000] = value
        expectCoded(await readAll(damaged, 1))
      }),
      { numRuns: 25 },
    )
  }, 60_000)
})

describe('a lying file', () => {
  const one = (
    page: Partial<PageSpec>,
    rest: Partial<ColumnSpec> = {},
    chunk: { metadata?: Struct } = {},
    rowCount = 1,
  ) =>
    writeParquet({
      columns: [
        {
          name: 'x',
          physical: 2,
          ...rest,
          chunks: [
            { pages: [{ kind: 'data', encoding: 0, count: rowCount, body: new Uint8Array(8), ...page }], ...chunk },
          ],
        },
      ],
      rowCounts: [rowCount],
    })
  const refused = async (bytes: Uint8Array, message: string) => {
    await expect(readColumn(bytes, 'x')).rejects.toMatchObject({
      code: 'MR_FORMAT_ERROR',
      details: { column: 'x', rowGroup: 0 },
    })
    await expect(readColumn(bytes, 'x')).rejects.toThrow(message)
  }

  test('about the size of a page', async () => {
    await refused(one({ compressed: 1_000_000 }), 'a page of 1000000 bytes where 8 are left')
    await refused(one({ uncompressed: 9 }), 'an uncompressed page of 9 bytes takes 8')
    await refused(one({ uncompressed: 2_000_000_000 }, { codec: 6 }), 'a page claims 2000000000 bytes from 8')
    await refused(
      one({ uncompressed: 2_000_000_000 }, {}, { metadata: { 6: { i64: 100 } } }),
      'its whole column chunk 100',
    )
    await refused(one({ compressed: -1 }), 'negative')
    await refused(one({ crc: 7 }), "a page's checksum does not match")
  })

  test('about the number of values', async () => {
    await refused(one({ count: 2 }), 'more values than its row group has rows')
    await refused(one({}, {}, {}, 2), '2 values of 8 bytes in a page of 8')
    await refused(one({ count: 0 }), 'fewer values than its row group has rows')
    await refused(one({}, {}, { metadata: { 5: { i64: 7 } } }), 'the footer counts 7 values for 1 rows')
    const bytes = one({})
    await expect(
      readColumn(writeParquet({ columns: [], rowCounts: [1], footer: { 3: { i64: 2 } } }), 'x'),
    ).rejects.toThrow('counts 2 rows')
    expect(await readColumn(bytes, 'x')).toEqual([0n])
  })

  test('about where its chunks are', async () => {
    await refused(one({}, {}, { metadata: { 9: { i64: 1_000_000 } } }), 'not all inside the file')
    await refused(one({}, {}, { metadata: { 7: { i64: 1n << 50n } } }), 'not all inside the file')
    await refused(one({}, {}, { metadata: { 9: { i64: 0 } } }), 'not all inside the file')
  })

  test('about its dictionary', async () => {
    const codes = Uint8Array.from([1, ...hybrid(1, [{ value: 1, times: 1 }])])
    await refused(one({ encoding: 8, body: codes }), 'a dictionary that there is not')
    const coded = (count: number, body: number[]): Uint8Array =>
      writeParquet({
        columns: [
          {
            name: 'x',
            physical: 6,
            chunks: [
              {
                pages: [
                  { kind: 'dictionary', encoding: 0, count, body: Uint8Array.from(body) },
                  { kind: 'data', encoding: 8, count: 1, body: codes },
                ],
              },
            ],
          },
        ],
        rowCounts: [1],
      })
    await refused(coded(1, [1, 0, 0, 0, 65]), 'code 1 in a dictionary of 1')
    await refused(coded(1_000_000_000, [1, 0, 0, 0, 65]), 'a dictionary of 1000000000 strings in 5 bytes')
    await refused(coded(1, [9, 0, 0, 0, 65]), 'a string of 9 bytes where 1 are left')
  })

  test('about billions of rows takes no memory for them', async () => {
    const rows = 3_000_000_000
    const bytes = writeParquet({
      columns: [
        {
          name: 'x',
          physical: 2,
          repetition: 1,
          chunks: [
            {
              pages: [
                {
                  kind: 'data',
                  encoding: 0,
                  count: 2_000_000_000,
                  body: Uint8Array.from([6, 0, 0, 0, ...hybrid(1, [{ value: 0, times: 2_000_000_000 }])]),
                },
              ],
            },
          ],
        },
      ],
      rowCounts: [rows],
    })
    const reader = await openParquet({ kind: 'bytes', bytes })
    let batches = 0
    const before = process.memoryUsage().arrayBuffers
    for await (const batch of reader.read(0, ['x'])) {
      expect(batch.vectors[0]?.nullCount).toBe(65_536)
      if (++batches === 20) break
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200_000_000)
  })
})
