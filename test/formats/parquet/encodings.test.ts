/** Each encoding and page version, from bytes laid out by hand in the test, and as properties against values written by naive encoders. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32 } from '../../../src/formats/parquet/compression/crc32.js'
import { deltaEnd, deltaOver, readDelta } from '../../../src/formats/parquet/delta.js'
import { hybridOver, readBits, readHybrid } from '../../../src/formats/parquet/hybrid.js'
import { parquet } from '../../../src/index.js'
import { type ColumnSpec, delta, hybrid, type PageSpec, packBits, uint32, writeParquet } from './parquet-file.js'
import { readColumn, readTable } from './read-values.js'

const PLAIN = 0
const RLE = 3
const DELTA_BINARY = 5
const DELTA_LENGTH = 6
const DELTA_STRING = 7
const RLE_DICTIONARY = 8
const BYTE_STREAM_SPLIT = 9
const [BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED] = [0, 1, 2, 3, 4, 5, 6, 7]

const bytesOf = (array: ArrayBufferView): number[] => [
  ...new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
]
const plainText = (texts: readonly (string | number[])[]): number[] =>
  texts.flatMap(text => {
    const bytes = typeof text === 'string' ? [...new TextEncoder().encode(text)] : text
    return [...uint32(bytes.length), ...bytes]
  })
const page = (
  kind: PageSpec['kind'],
  encoding: number,
  count: number,
  body: readonly number[],
  rest: Partial<PageSpec> = {},
): PageSpec => ({
  kind,
  encoding,
  count,
  body: Uint8Array.from(body),
  ...rest,
})
/** Definition levels of version 1, from which values are there. */
const levels1 = (present: readonly boolean[]): number[] => {
  const levels = hybrid(1, [{ packed: present.map(Number) }])
  return [...uint32(levels.length), ...levels]
}
const oneColumn = (column: Omit<ColumnSpec, 'name' | 'chunks'>, rowCount: number, ...pages: PageSpec[]): Uint8Array =>
  writeParquet({ columns: [{ name: 'x', chunks: [{ pages }], ...column }], rowCounts: [rowCount] })

describe('the RLE / bit-packing hybrid', () => {
  const arbitrary = fc.integer({ min: 0, max: 31 }).chain(width =>
    fc.record({
      width: fc.constant(width),
      runs: fc.array(
        fc.oneof(
          fc.record({ value: fc.integer({ min: 0, max: 2 ** width - 1 }), times: fc.integer({ min: 0, max: 200 }) }),
          fc.record({
            packed: fc
              .array(fc.integer({ min: 0, max: 2 ** width - 1 }), { maxLength: 10 })
              .map(a => a.flatMap(v => Array(8).fill(v))),
          }),
          fc.record({ packed: fc.array(fc.integer({ min: 0, max: 2 ** width - 1 }), { minLength: 8, maxLength: 8 }) }),
        ),
        { maxLength: 12 },
      ),
      steps: fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 8 }),
    }),
  )

  test('reads back every width, however it is cut into calls', () => {
    fc.assert(
      fc.property(arbitrary, ({ width, runs, steps }) => {
        const expected = runs.flatMap(run => ('value' in run ? Array<number>(run.times).fill(run.value) : run.packed))
        // The buffer ends with the data: no load may pass it.
        const bytes = Uint8Array.from(hybrid(width, runs))
        const state = hybridOver(bytes, 0, bytes.length, width)
        const out = new Int32Array(expected.length)
        for (let o = 0, step = 0; o < expected.length; step++) {
          const n = Math.min(expected.length - o, steps[step % steps.length] as number)
          readHybrid(state, out, o, n)
          o += n
        }
        expect([...out]).toEqual(expected)
        expect(() => readHybrid(state, new Int32Array(1), 0, 1)).toThrow('fewer values')
      }),
    )
  })

  test('reads levels as bits and counts them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 40 }), fc.boolean())),
        fc.integer({ min: 1, max: 50 }),
        (runs, step) => {
          const expected: number[] = []
          const encoded = runs.flatMap(([bit, times, packed]) => {
            const values = Array<number>(packed ? times * 8 : times)
              .fill(Number(bit))
              .map((v, i) => (packed && i % 3 === 0 ? 1 - v : v))
            expected.push(...values)
            return hybrid(1, [packed ? { packed: values } : { value: Number(bit), times }])
          })
          const bytes = Uint8Array.from(encoded)
          const state = hybridOver(bytes, 0, bytes.length, 1)
          const bitmap = new Uint8Array((expected.length + 7) >> 3)
          let ones = 0
          for (let o = 0; o < expected.length; o += step)
            ones += readBits(state, bitmap, o, Math.min(step, expected.length - o))
          expect(expected.map((_, i) => ((bitmap[i >> 3] as number) >> (i & 7)) & 1)).toEqual(expected)
          expect(ones).toBe(expected.reduce((a, b) => a + b, 0))
        },
      ),
    )
  })

  test('accepts a last group without its padding', () => {
    const bytes = Uint8Array.of(3, 0b11)
    const out = new Int32Array(2)
    readHybrid(hybridOver(bytes, 0, 2, 4), out, 0, 2)
    expect([...out]).toEqual([3, 0])
  })
})

describe('delta encoding', () => {
  for (const bits of [32, 64] as const) {
    test(`reads back ${bits}-bit values, wrapping ones too, and finds its end`, () => {
      const value = fc.oneof(
        fc.bigInt({ min: -1000n, max: 1000n }),
        fc.bigInt({ min: -(1n << BigInt(bits - 1)), max: (1n << BigInt(bits - 1)) - 1n }),
      )
      fc.assert(
        fc.property(
          fc.array(value, { minLength: 1, maxLength: 700 }),
          fc.constantFrom([128, 4], [256, 8], [128, 1]),
          fc.integer({ min: 1, max: 300 }),
          (values, [size, miniblocks], step) => {
            const encoded = delta(values, bits, size, miniblocks)
            const bytes = Uint8Array.from([...encoded, 99])
            const words = bits / 32
            const state = deltaOver(bytes, 0, encoded.length, values.length)
            const out = new Int32Array(values.length * words)
            for (let o = 0; o < values.length; o += step)
              readDelta(state, out, o, Math.min(step, values.length - o), words as 1 | 2)
            const read = bits === 32 ? [...out].map(BigInt) : [...new BigInt64Array(out.buffer)]
            expect(read).toEqual(values)
            expect(deltaEnd(bytes, 0, bytes.length, values.length)).toBe(encoded.length)
          },
        ),
      )
    })
  }
})

test('CRC-32 is that of zip', () => {
  expect(crc32(new TextEncoder().encode('123456789')) >>> 0).toBe(0xcbf43926)
  expect(crc32(new Uint8Array(0))).toBe(0)
})

describe('values', () => {
  const int64s = [1n, -(2n ** 63n), 2n ** 63n - 1n, 0n, -1n]
  const doubles = [1.5, -0, Number.NaN, Infinity, 5e-324]

  test('PLAIN, version 1', async () => {
    expect(
      await readColumn(
        oneColumn({ physical: INT64 }, 5, page('data', PLAIN, 5, bytesOf(BigInt64Array.from(int64s)))),
        'x',
      ),
    ).toEqual(int64s)
    expect(
      await readColumn(oneColumn({ physical: INT32 }, 2, page('data', PLAIN, 2, bytesOf(Int32Array.of(-5, 7)))), 'x'),
    ).toEqual([-5, 7])
    expect(
      await readColumn(
        oneColumn({ physical: DOUBLE }, 5, page('data', PLAIN, 5, bytesOf(Float64Array.from(doubles)))),
        'x',
      ),
    ).toEqual(doubles)
    expect(
      await readColumn(
        oneColumn({ physical: FLOAT }, 2, page('data', PLAIN, 2, bytesOf(Float32Array.of(0.1, -0)))),
        'x',
      ),
    ).toEqual([Math.fround(0.1), -0])
    expect(
      await readColumn(oneColumn({ physical: BOOLEAN }, 11, page('data', PLAIN, 11, [0b10110010, 0b101])), 'x'),
    ).toEqual([0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1].map(Boolean))
    expect(
      await readColumn(
        oneColumn(
          { physical: BYTE_ARRAY, converted: 0 },
          3,
          page('data', PLAIN, 3, plainText(['', 'é', 'long '.repeat(20)])),
        ),
        'x',
      ),
    ).toEqual(['', 'é', 'long '.repeat(20)])
  })

  test('every bit of a float is kept, also through a dictionary', async () => {
    const quiet = [0x7ff8000000000001n, 0xfff0000000000000n, 0x8000000000000000n]
    const words = bytesOf(BigUint64Array.from(quiet))
    const codes = [2, ...hybrid(2, [{ packed: [2, 1, 0] }])]
    const file = oneColumn(
      { physical: DOUBLE },
      6,
      page('dictionary', PLAIN, 3, words),
      page('data', PLAIN, 3, words),
      page('data', RLE_DICTIONARY, 3, codes),
    )
    const { batches } = await readTable(file)
    expect([...new BigUint64Array((batches[0]!.vectors[0]!.data as Float64Array).buffer)]).toEqual([
      ...quiet,
      ...quiet.toReversed(),
    ])
  })

  test('UUIDs are their text, also through a dictionary', async () => {
    const texts = [
      '00000000-0000-0000-0000-000000000000',
      '01234567-89ab-cdef-0123-456789abcdef',
      'ffffffff-ffff-ffff-ffff-fffffffffffe',
    ]
    const bytes = texts.flatMap(text => [...Buffer.from(text.replaceAll('-', ''), 'hex')])
    const codes = [2, ...hybrid(2, [{ packed: [2, 1, 0] }])]
    const uuid = { physical: FIXED, typeLength: 16, logical: { 14: { struct: {} } } }
    const present = [true, false, true, true]
    const file = oneColumn(
      { ...uuid, repetition: 1 },
      8,
      page('dictionary', PLAIN, 3, bytes),
      page('data', RLE_DICTIONARY, 4, [...levels1(present), ...codes]),
      page('data', PLAIN, 4, [...levels1(present), ...bytes]),
    )
    const [a, b, c] = texts
    expect(await readColumn(file, 'x')).toEqual([c, null, b, a, a, null, b, c])
    await expect(readColumn(oneColumn(uuid, 3, page('data', PLAIN, 3, bytes.slice(1))), 'x')).rejects.toMatchObject({
      code: 'MR_FORMAT_ERROR',
    })
  })

  test('nulls, version 1 and version 2', async () => {
    const present = [true, false, true, true, false, false, true, false, false, true]
    const values = bytesOf(Int32Array.of(1, 2, 3, 4, 5))
    const expected = [1, null, 2, 3, null, null, 4, null, null, 5]
    const levels2 = hybrid(1, [{ packed: present.map(Number) }])
    expect(
      await readColumn(
        oneColumn({ physical: INT32, repetition: 1 }, 10, page('data', PLAIN, 10, [...levels1(present), ...values])),
        'x',
      ),
    ).toEqual(expected)
    const version2 = page('data2', PLAIN, 10, [...levels2, ...values], { nulls: 5, definitionBytes: levels2.length })
    expect(await readColumn(oneColumn({ physical: INT32, repetition: 1 }, 10, version2), 'x')).toEqual(expected)
  })

  test('pages of nulls alone may hold no value bytes', async () => {
    const nothing = (encoding: number) =>
      page('data', encoding, 3, [...uint32(2), ...hybrid(1, [{ value: 0, times: 3 }])])
    for (const physical of [BOOLEAN, INT32, INT64, INT96, DOUBLE, BYTE_ARRAY]) {
      for (const encoding of [PLAIN, RLE_DICTIONARY]) {
        expect(
          await readColumn(oneColumn({ physical, repetition: 1 }, 6, nothing(encoding), nothing(PLAIN)), 'x'),
        ).toEqual(Array(6).fill(null))
      }
    }
    const empty = page('dictionary', PLAIN, 0, [])
    expect(
      await readColumn(oneColumn({ physical: BYTE_ARRAY, repetition: 1 }, 3, empty, nothing(RLE_DICTIONARY)), 'x'),
    ).toEqual([null, null, null])
    expect(await readColumn(oneColumn({ physical: BOOLEAN, repetition: 1 }, 3, nothing(RLE)), 'x')).toEqual([
      null,
      null,
      null,
    ])
  })

  test('booleans in runs, with and without nulls', async () => {
    const runs = hybrid(1, [{ value: 1, times: 9 }, { packed: [0, 1, 0, 0, 1, 1, 1, 0] }])
    const body = [...uint32(runs.length), ...runs]
    const dense = [...Array(9).fill(true), ...[0, 1, 0, 0, 1, 1, 1, 0].map(Boolean)]
    expect(await readColumn(oneColumn({ physical: BOOLEAN }, 17, page('data', RLE, 17, body)), 'x')).toEqual(dense)
    const present = Array.from({ length: 34 }, (_, i) => i % 2 === 1)
    expect(
      await readColumn(
        oneColumn({ physical: BOOLEAN, repetition: 1 }, 34, page('data', RLE, 34, [...levels1(present), ...body])),
        'x',
      ),
    ).toEqual(present.map((there, i) => (there ? dense[(i - 1) / 2] : null)))
  })

  test('a string column that leaves its dictionary becomes plain strings where it does', async () => {
    const dictionary = page('dictionary', PLAIN, 2, plainText(['a', 'bb']))
    const codes = (packed: number[], present: boolean[]) =>
      page('data', RLE_DICTIONARY, present.length, [...levels1(present), 1, ...hybrid(1, [{ packed }])])
    const plain = page('data', PLAIN, 3, [...levels1([true, false, true]), ...plainText(['ccc', ''])])
    const file = oneColumn(
      { physical: BYTE_ARRAY, repetition: 1, converted: 0 },
      11,
      dictionary,
      codes([1, 0, 1], [false, true, true, true, false]),
      plain,
      codes([0, 1], [true, false, true]),
    )
    const { columns, batches } = await readTable(file)
    expect(columns.x).toEqual([null, 'bb', 'a', 'bb', null, 'ccc', null, '', 'a', null, 'bb'])
    expect(batches[0]?.vectors[0]?.dictionary).toBeNull()
  })

  test('deltas of integers and strings, byte streams', async () => {
    const times = Array.from({ length: 300 }, (_, i) => 1_700_000_000_000_000n + BigInt(i * i) * 1001n)
    expect(
      await readColumn(
        oneColumn({ physical: INT64, converted: 10 }, 300, page('data', DELTA_BINARY, 300, delta(times, 64))),
        'x',
      ),
    ).toEqual(times)
    const small = Array.from({ length: 200 }, (_, i) => (i * 7919) % 100)
    expect(
      await readColumn(
        oneColumn(
          { physical: INT32, converted: 11 },
          200,
          page('data', DELTA_BINARY, 200, delta(small.map(BigInt), 32)),
        ),
        'x',
      ),
    ).toEqual(small)
    const texts = ['', 'Hello', 'Hel', 'Helvetica', 'é', 'élan', 'z'.repeat(100)]
    const encoded = texts.map(text => [...new TextEncoder().encode(text)])
    const lengths = [
      ...delta(
        encoded.map(text => BigInt(text.length)),
        32,
      ),
      ...encoded.flat(),
    ]
    expect(
      await readColumn(
        oneColumn({ physical: BYTE_ARRAY, converted: 0 }, 7, page('data', DELTA_LENGTH, 7, lengths)),
        'x',
      ),
    ).toEqual(texts)
    const shared = encoded.map((text, i) => (i === 0 ? 0 : text.findIndex((byte, b) => byte !== encoded[i - 1]?.[b])))
    const prefixes = shared.map((n, i) => (n < 0 ? (encoded[i]?.length ?? 0) : n))
    const suffixes = encoded.map((text, i) => text.slice(prefixes[i]))
    const strings = [
      ...delta(prefixes.map(BigInt), 32),
      ...delta(
        suffixes.map(s => BigInt(s.length)),
        32,
      ),
      ...suffixes.flat(),
    ]
    expect(
      await readColumn(
        oneColumn({ physical: BYTE_ARRAY, converted: 0 }, 7, page('data', DELTA_STRING, 7, strings)),
        'x',
      ),
    ).toEqual(texts)
    const raw = bytesOf(Float64Array.from([1.5, -2.25, 1e300]))
    const split = Array.from({ length: 8 }, (_, b) => [0, 1, 2].map(i => raw[i * 8 + b] as number)).flat()
    expect(
      await readColumn(oneColumn({ physical: DOUBLE }, 3, page('data', BYTE_STREAM_SPLIT, 3, split)), 'x'),
    ).toEqual([1.5, -2.25, 1e300])
  })

  test('INT96 is nanoseconds since 1970, or an error beyond int64', async () => {
    const day = (julian: number, nanos: bigint) => [...bytesOf(BigInt64Array.of(nanos)), ...uint32(julian)]
    const good = oneColumn(
      { physical: INT96 },
      2,
      page('data', PLAIN, 2, [...day(2_440_588, 1n), ...day(2_440_587, 86_399_999_999_999n)]),
    )
    expect(await readColumn(good, 'x')).toEqual([1n, -1n])
    const far = oneColumn({ physical: INT96 }, 1, page('data', PLAIN, 1, day(5_373_484, 0n)))
    await expect(readColumn(far, 'x')).rejects.toMatchObject({
      code: 'MR_INTEGER_OVERFLOW',
      details: { column: 'x', rowGroup: 0 },
    })
  })

  test('integers that do not fit their declared type are an error, never wrapped', async () => {
    const int8 = (value: number) =>
      oneColumn({ physical: INT32, converted: 15 }, 2, page('data', PLAIN, 2, bytesOf(Int32Array.of(-128, value))))
    expect(await readColumn(int8(127), 'x')).toEqual([-128, 127])
    await expect(readColumn(int8(128), 'x')).rejects.toMatchObject({
      code: 'MR_INTEGER_OVERFLOW',
      details: { row: 1, column: 'x' },
    })
    const uint64 = (value: bigint) =>
      oneColumn({ physical: INT64, converted: 14 }, 1, page('data', PLAIN, 1, bytesOf(BigUint64Array.of(value))))
    expect(await readColumn(uint64(2n ** 63n - 1n), 'x')).toEqual([2n ** 63n - 1n])
    await expect(readColumn(uint64(2n ** 63n), 'x')).rejects.toThrow('9223372036854775808')
    const uint32 = oneColumn(
      { physical: INT32, converted: 13 },
      1,
      page('data', PLAIN, 1, bytesOf(Uint32Array.of(4_000_000_000))),
    )
    expect(await readColumn(uint32, 'x')).toEqual([4_000_000_000])
  })

  test('strings that are not UTF-8 are repaired and counted', async () => {
    const broken = [0x61, 0xff, 0x62]
    const split = [[0xc3], [0xa9]]
    const file = oneColumn({ physical: BYTE_ARRAY }, 4, page('data', PLAIN, 4, plainText([broken, ...split, 'ok'])))
    const { columns, batches } = await readTable(file)
    expect(columns.x).toEqual(['a\ufffdb', '\ufffd', '\ufffd', 'ok'])
    expect(batches[0]?.illFormedCount).toBe(3)
    const coded = oneColumn(
      { physical: BYTE_ARRAY },
      2,
      page('dictionary', PLAIN, 2, plainText([broken, 'é'])),
      page('data', RLE_DICTIONARY, 2, [1, ...hybrid(1, [{ packed: [0, 1] }])]),
    )
    const read = await readTable(coded)
    expect(read.columns.x).toEqual(['a\ufffdb', 'é'])
    expect(read.batches[0]?.illFormedCount).toBe(1)
    for (const lanes of [0, 2]) {
      const job = parquet([file, coded]).run({ lanes })
      await job.finished
      expect(job.metrics().illFormed).toBe(4)
    }
  })

  test('a page without a run for every row spans batches of 65,536', async () => {
    const rows = 150_000
    const file = oneColumn(
      { physical: BYTE_ARRAY, converted: 0 },
      rows,
      page('dictionary', PLAIN, 1, plainText(['only'])),
      page('data', RLE_DICTIONARY, rows, [0, ...hybrid(0, [{ value: 0, times: rows }])]),
    )
    const { columns, batches } = await readTable(file)
    expect(batches.map(batch => batch.rowCount)).toEqual([65_536, 65_536, 18_928])
    expect(columns.x?.length).toBe(rows)
    expect(new Set(columns.x)).toEqual(new Set(['only']))
  })

  test('bit-packed booleans continue over pages and morsels', async () => {
    const rows = 70_001
    const bits = Array.from({ length: rows }, (_, i) => Number(i % 7 < 3))
    const half = 35_003
    const file = oneColumn(
      { physical: BOOLEAN },
      rows,
      page('data', PLAIN, half, packBits(1, bits.slice(0, half), (half + 7) >> 3)),
      page('data', PLAIN, rows - half, packBits(1, bits.slice(half), (rows - half + 7) >> 3)),
    )
    expect(await readColumn(file, 'x')).toEqual(bits.map(Boolean))
  })
})
