/** DECIMALs of every physical type and encoding, with nulls and dictionaries: each is the float64 nearest to its digits, as JavaScript reads them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { float64, parquet, sum } from '../../../src/index.js'
import { delta, hybrid, type PageSpec, type Struct, uint32, writeParquet } from './parquet-file.js'
import { readColumn } from './read-values.js'

const [PLAIN, DELTA_BINARY, DELTA_LENGTH, DELTA_STRING, RLE_DICTIONARY, BYTE_STREAM_SPLIT] = [0, 5, 6, 7, 8, 9]
const [INT32, INT64, BYTE_ARRAY, FIXED] = [1, 2, 6, 7]

const decimal = (precision: number, scale: number): Struct => ({
  5: { struct: { 1: { i32: scale }, 2: { i32: precision } } },
})

/** In two's complement, high byte first. */
const bigEndian = (value: bigint, byteLength: number): number[] =>
  Array.from({ length: byteLength }, (_, i) => Number((value >> BigInt(8 * (byteLength - 1 - i))) & 255n))
const littleEndian = (value: bigint, byteLength: number): number[] => bigEndian(value, byteLength).reverse()
const bytesNeeded = (value: bigint): number => {
  let byteLength = 1
  while (BigInt.asIntN(8 * byteLength, value) !== value) byteLength++
  return byteLength
}

interface Layout {
  readonly physical: number
  readonly bits: number
  readonly encoding: number
  body(values: readonly bigint[], byteLength: number): number[]
}

const lengths = (values: readonly number[]): number[] => delta(values.map(BigInt), 32)
const integers = (physical: number, bits: 32 | 64): Layout[] => [
  { physical, bits, encoding: PLAIN, body: values => values.flatMap(value => littleEndian(value, bits / 8)) },
  { physical, bits, encoding: DELTA_BINARY, body: values => delta(values, bits) },
  {
    physical,
    bits,
    encoding: BYTE_STREAM_SPLIT,
    body: values =>
      Array.from({ length: bits / 8 }, (_, b) =>
        values.map(value => littleEndian(value, bits / 8)[b] as number),
      ).flat(),
  },
]
const layouts: Layout[] = [
  ...integers(INT32, 32),
  ...integers(INT64, 64),
  {
    physical: FIXED,
    bits: 256,
    encoding: PLAIN,
    body: (values, byteLength) => values.flatMap(value => bigEndian(value, byteLength)),
  },
  {
    physical: FIXED,
    bits: 256,
    encoding: DELTA_STRING,
    body: (values, byteLength) => [
      ...lengths(values.map(() => 0)),
      ...lengths(values.map(() => byteLength)),
      ...values.flatMap(value => bigEndian(value, byteLength)),
    ],
  },
  {
    physical: BYTE_ARRAY,
    bits: 256,
    encoding: PLAIN,
    body: values => values.flatMap(value => [...uint32(bytesNeeded(value)), ...bigEndian(value, bytesNeeded(value))]),
  },
  {
    physical: BYTE_ARRAY,
    bits: 256,
    encoding: DELTA_LENGTH,
    body: values => [
      ...lengths(values.map(bytesNeeded)),
      ...values.flatMap(value => bigEndian(value, bytesNeeded(value))),
    ],
  },
]

const digits = (bits: number): fc.Arbitrary<bigint> => {
  const most = (1n << BigInt(bits - 1)) - 1n
  return fc.oneof(
    fc.bigInt({ min: -1000n, max: 1000n }).map(value => BigInt.asIntN(bits, value)),
    fc.bigInt({ min: -most - 1n, max: most }),
    fc
      .tuple(fc.integer({ min: 0, max: bits - 1 }), fc.integer({ min: -2, max: 2 }), fc.boolean())
      .map(([exponent, more, isNegative]) =>
        BigInt.asIntN(bits, ((1n << BigInt(exponent)) + BigInt(more)) * (isNegative ? -1n : 1n)),
      ),
  )
}

const page = (kind: PageSpec['kind'], encoding: number, count: number, body: readonly number[]): PageSpec => ({
  kind,
  encoding,
  count,
  body: Uint8Array.from(body),
})

const cases = fc
  .tuple(fc.constantFrom(...layouts), fc.integer({ min: 1, max: 32 }), fc.integer({ min: 0, max: 40 }), fc.boolean())
  .chain(([layout, byteLength, scale, isCoded]) =>
    fc.record({
      layout: fc.constant(layout),
      byteLength: fc.constant(byteLength),
      scale: fc.constant(scale),
      isCoded: fc.constant(isCoded),
      values: fc.array(fc.option(digits(layout.physical === FIXED ? 8 * byteLength : layout.bits)), {
        minLength: 1,
        maxLength: 150,
      }),
    }),
  )

test('are the nearest float64 of their digits', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ layout, byteLength, scale, isCoded, values }) => {
      const present = values.filter(value => value !== null)
      const levels = hybrid(1, [{ packed: values.map(value => Number(value !== null)) }])
      const head = [...uint32(levels.length), ...levels]
      const entries = [...new Set(present)]
      const plain = layouts.find(
        ({ physical, encoding }) => physical === layout.physical && encoding === PLAIN,
      ) as Layout
      const width = Math.ceil(Math.log2(Math.max(2, entries.length)))
      const codes = [width, ...hybrid(width, [{ packed: present.map(value => entries.indexOf(value)) }])]
      const bytes = writeParquet({
        columns: [
          {
            name: 'x',
            physical: layout.physical,
            repetition: 1,
            typeLength: byteLength,
            logical: decimal(76, scale),
            chunks: [
              {
                pages: isCoded
                  ? [
                      page('dictionary', PLAIN, entries.length, plain.body(entries, byteLength)),
                      page('data', RLE_DICTIONARY, values.length, [...head, ...codes]),
                    ]
                  : [page('data', layout.encoding, values.length, [...head, ...layout.body(present, byteLength)])],
              },
            ],
          },
        ],
        rowCounts: [values.length],
      })
      const expected = values.map(value => (value === null ? null : Number(`${value}e-${scale}`)))
      expect(await readColumn(bytes, 'x')).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})

describe('a file of prices', () => {
  const prices = (groups: readonly (readonly bigint[])[], bound = (value: bigint) => bigEndian(value, 5)) =>
    writeParquet({
      columns: [
        {
          name: 'price',
          physical: FIXED,
          typeLength: 5,
          logical: decimal(10, 2),
          chunks: groups.map(group => ({
            pages: [
              page(
                'data',
                PLAIN,
                group.length,
                group.flatMap(value => bigEndian(value, 5)),
              ),
            ],
            statistics: {
              5: { text: Uint8Array.from(bound(group.reduce((a, b) => (a > b ? a : b)))) },
              6: { text: Uint8Array.from(bound(group.reduce((a, b) => (a < b ? a : b)))) },
            },
          })),
        },
      ],
      rowCounts: groups.map(({ length }) => length),
    })
  const groups = [
    [-995n, 1999n, 10n],
    [2000n, 123456n],
    [1001n, 99999999n],
  ]

  test('is summed and filtered as numbers', async () => {
    const flow = await parquet(prices(groups))
    const table = await flow.filter(t => t.price.gte(19.99)).collect()
    expect(table.schema.price).toEqual(float64())
    expect(table.toRows()).toEqual([{ price: 19.99 }, { price: 20 }, { price: 1234.56 }, { price: 999999.99 }])
    expect((await flow.aggregate(t => ({ sum: sum(t.price) })).collect()).toRows()).toEqual([{ sum: 1001274.7 }])
  })

  test('skips the row groups that its bounds rule out', async () => {
    const rowsRead = async (bound?: (value: bigint) => number[]) => {
      const seen: (number | null)[] = []
      await (await parquet(prices(groups, bound)))
        .filter(t => t.price.lt(10))
        .collect({ onProgress: ({ totalRows }) => seen.push(totalRows) })
      return seen.at(-1)
    }
    expect(await rowsRead()).toBe(3)
    expect(await rowsRead(() => [])).toBe(7)
    expect(await rowsRead(value => bigEndian(value, 5).slice(0, 3))).toBe(7)
    expect(await rowsRead(value => bigEndian(value, 16))).toBe(7)
  })
})
