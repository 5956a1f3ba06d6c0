/** Footers: the type that each Parquet column gets, which statistics are trusted, and what is refused when a file is opened or a column read. */
import { describe, expect, test } from 'vitest'
import {
  bool,
  date,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  nullable,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../../src/columnar/type.js'
import { openParquet } from '../../../src/formats/parquet/lane-extension.js'
import { type ColumnSpec, type PageSpec, type Struct, writeParquet } from './parquet-file.js'
import { readColumn, readTable } from './read-values.js'

const empty: ColumnSpec['chunks'] = [{ pages: [] }]
const open = (bytes: Uint8Array) => openParquet({ kind: 'bytes', bytes })
const inUnit = (unit: 1 | 2 | 3): Struct => ({
  8: { struct: { 1: { bool: true }, 2: { struct: { [unit]: { struct: {} } } } } },
})
const integer = (bits: number, isSigned: boolean): Struct => ({
  10: { struct: { 1: { i8: bits }, 2: { bool: isSigned } } },
})
const plain64 = (value: bigint): PageSpec => ({
  kind: 'data',
  body: new Uint8Array(BigInt64Array.of(value).buffer),
  count: 1,
  encoding: 0,
})

test('columns get the types that their annotations say', async () => {
  const columns: (Omit<ColumnSpec, 'chunks'> & { type: unknown })[] = [
    { name: 'bool', physical: 0, type: bool() },
    { name: 'int32', physical: 1, type: int32() },
    { name: 'optional', physical: 1, repetition: 1, type: nullable(int32()) },
    { name: 'int8', physical: 1, logical: integer(8, true), type: int8() },
    { name: 'int16', physical: 1, converted: 16, type: int16() },
    { name: 'uint8', physical: 1, converted: 11, type: uint8() },
    { name: 'uint16', physical: 1, logical: integer(16, false), type: uint16() },
    { name: 'uint32', physical: 1, converted: 13, type: uint32() },
    { name: 'date', physical: 1, logical: { 6: { struct: {} } }, type: date() },
    { name: 'int64', physical: 2, type: int64() },
    { name: 'signed', physical: 2, logical: integer(64, true), type: int64() },
    { name: 'uint64', physical: 2, converted: 14, type: int64() },
    { name: 'millis', physical: 2, converted: 9, type: timestamp('ms') },
    { name: 'micros', physical: 2, logical: inUnit(2), type: timestamp('us') },
    { name: 'nanos', physical: 2, logical: inUnit(3), type: timestamp('ns') },
    { name: 'int96', physical: 3, type: timestamp('ns') },
    { name: 'float', physical: 4, type: float32() },
    { name: 'double', physical: 5, type: float64() },
    { name: 'string', physical: 6, logical: { 1: { struct: {} } }, type: utf8() },
    { name: 'enum', physical: 6, converted: 4, type: utf8() },
    { name: 'json', physical: 6, logical: { 12: { struct: {} } }, type: utf8() },
    { name: 'bytes', physical: 6, type: utf8() },
    { name: '__proto__', physical: 1, type: int32() },
    { name: '', physical: 1, type: int32() },
  ]
  const reader = await open(
    writeParquet({ columns: columns.map(({ type, ...column }) => ({ ...column, chunks: empty })), rowCounts: [0] }),
  )
  expect(Object.entries(reader.schema)).toEqual(columns.map(({ name, type }) => [name, type]))
  expect(reader.unsupported.size).toBe(0)
})

describe('columns that cannot be read', () => {
  /** More digits behind the point than there are. */
  const decimal: Struct = { 5: { struct: { 1: { i32: 12 }, 2: { i32: 10 } } } }
  const file = () => {
    const leaf = (name: string, rest: Struct = {}): Struct => ({
      1: { i32: 1 },
      3: { i32: 0 },
      4: { text: name },
      ...rest,
    })
    const group = (name: string, children: number, rest: Struct = {}): Struct => ({
      3: { i32: 1 },
      4: { text: name },
      5: { i32: children },
      ...rest,
    })
    const none: ColumnSpec = { name: '', physical: 1, chunks: [{ pages: [] }] }
    return writeParquet({
      columns: [none, none, none, none, none, none, { name: '', physical: 2, chunks: [{ pages: [plain64(42n)] }] }],
      rowCounts: [1],
      schema: [
        { 4: { text: 'root' }, 5: { i32: 6 } },
        leaf('price', { 10: { struct: decimal } }),
        group('place', 2),
        leaf('x'),
        group('deep', 1),
        leaf('y'),
        group('tags', 1, { 6: { i32: 3 } }),
        group('list', 1, { 3: { i32: 2 } }),
        leaf('element', { 10: { struct: decimal } }),
        { 1: { i32: 7 }, 2: { i32: 16 }, 3: { i32: 0 }, 4: { text: 'id' } },
        { ...leaf('repeated', { 10: { struct: decimal } }), 3: { i32: 2 } },
        { 1: { i32: 2 }, 3: { i32: 0 }, 4: { text: 'after' } },
      ],
    })
  }

  test('are an error that names them and their type, and only when they are read', async () => {
    const reader = await open(file())
    expect(Object.keys(reader.schema)).toEqual(['price', 'place', 'tags', 'id', 'repeated', 'after'])
    expect([...reader.unsupported]).toEqual([
      ['price', 'DECIMAL(10, 12)'],
      ['place', 'a group of fields'],
      ['tags', 'LIST of DECIMAL(10, 12)'],
      ['id', 'FIXED_LEN_BYTE_ARRAY(16)'],
      ['repeated', 'repeated DECIMAL(10, 12)'],
    ])
    expect(await readColumn(file(), 'after')).toEqual([42n])
    await expect(readTable(file())).rejects.toMatchObject({ code: 'MR_FORMAT_ERROR', details: { column: 'price' } })
    await expect(readColumn(file(), 'price')).rejects.toThrow(
      /column "price": it is DECIMAL\(10, 12\), which this version does not read; leave it out/,
    )
  })

  test('among them are encrypted ones, ones in other files, and LZO', async () => {
    const column = (name: string, rest: Partial<ColumnSpec['chunks'][number]>, codec = 0): ColumnSpec => ({
      name,
      physical: 2,
      codec,
      chunks: [{ pages: [plain64(1n)], ...rest }],
    })
    const bytes = writeParquet({
      columns: [
        column('secret', { chunk: { 8: { struct: {} } } }),
        column('elsewhere', { chunk: { 1: { text: 'other.parquet' } } }),
        column('lzo', {}, 3),
        column('plain', {}),
      ],
      rowCounts: [1],
    })
    await expect(readColumn(bytes, 'secret')).rejects.toThrow('is encrypted')
    await expect(readColumn(bytes, 'elsewhere')).rejects.toThrow('"other.parquet"')
    await expect(readColumn(bytes, 'lzo')).rejects.toThrow('LZO')
    expect(await readColumn(bytes, 'plain')).toEqual([1n])
  })

  test('an encrypted footer is refused when the file is opened', async () => {
    const bytes = file()
    bytes.set([0x50, 0x41, 0x52, 0x45], bytes.length - 4)
    await expect(open(bytes)).rejects.toThrow('the footer is encrypted')
  })
})

test('two columns of one name are refused', async () => {
  const column: ColumnSpec = { name: 'x', physical: 1, chunks: empty }
  await expect(open(writeParquet({ columns: [column, column], rowCounts: [0] }))).rejects.toMatchObject({
    code: 'MR_DUPLICATE_COLUMN',
    details: { column: 'x' },
  })
})

test('a file of no columns has rows all the same', async () => {
  const { batches } = await readTable(writeParquet({ columns: [], rowCounts: [70_000, 3] }))
  expect(batches.map(batch => batch.rowCount)).toEqual([65_536, 4464, 3])
})

test('of many columns each is looked at a few times, not once for each other', async () => {
  const count = 300
  const names = Array.from({ length: count }, (_, i) => `column ${i}`)
  const chunks: ColumnSpec['chunks'] = [{ pages: [plain64(7n)] }, { pages: [plain64(8n)] }]
  const bytes = writeParquet({ columns: names.map(name => ({ name, physical: 2, chunks })), rowCounts: [1, 1] })
  const { metadata } = await open(bytes)
  let looks = 0
  const columns = metadata.columns.map(column => ({
    ...column,
    get name() {
      looks++
      return column.name
    },
  }))
  const reader = await openParquet({ kind: 'bytes', bytes }, null, { ...metadata, columns })
  for await (const { vectors } of reader.read(1, names)) expect(vectors).toHaveLength(count)
  expect(looks).toBeLessThan(20 * count)
  let told = 0
  const wanted = new Proxy(names, {
    get(target, key, receiver) {
      told++
      return Reflect.get(target, key, receiver)
    },
  })
  expect(reader.byteLength(0, wanted)).toBe(reader.rowGroups[0]?.byteLength)
  expect(told).toBeLessThan(20 * count)
})

describe('statistics', () => {
  const i64 = (value: bigint) => ({ text: new Uint8Array(BigInt64Array.of(value).buffer) })
  const f64 = (value: number) => ({ text: new Uint8Array(Float64Array.of(value).buffer) })
  const statistics = async (column: Partial<ColumnSpec>, raw: Struct, columnOrders = true) => {
    const bytes = writeParquet({
      columns: [{ name: 'x', physical: 2, ...column, chunks: [{ pages: [], statistics: raw }] }],
      rowCounts: [10],
      columnOrders,
    })
    return (await open(bytes)).rowGroups[0]?.statistics.get('x')
  }
  const nothing = { min: null, max: null, nullCount: null, mayHoldNaN: false }

  test('of integers are exact, old fields too', async () => {
    expect(await statistics({}, { 3: { i64: 2 }, 5: i64(2n ** 62n + 1n), 6: i64(-5n) })).toEqual({
      ...nothing,
      min: -5n,
      max: 2n ** 62n + 1n,
      nullCount: 2,
    })
    expect(await statistics({}, { 1: i64(9n), 2: i64(-9n) }, false)).toEqual({ ...nothing, min: -9n, max: 9n })
    expect(
      await statistics(
        { physical: 1, converted: 13 },
        { 5: { text: Uint8Array.of(255, 255, 255, 255) }, 6: { text: Uint8Array.of(0, 0, 0, 0) } },
      ),
    ).toEqual({
      ...nothing,
      min: 0,
      max: 4_294_967_295,
    })
  })

  test('are not trusted where their order is unknown or they contradict themselves', async () => {
    expect(await statistics({ physical: 6, converted: 0 }, { 1: { text: 'b' }, 2: { text: 'a' } })).toEqual(nothing)
    expect(await statistics({ physical: 6, converted: 0 }, { 5: { text: 'b' }, 6: { text: 'a' } }, false)).toEqual(
      nothing,
    )
    expect(await statistics({ physical: 6, converted: 0 }, { 5: { text: 'b' }, 6: { text: 'a' } })).toEqual({
      ...nothing,
      min: 'a',
      max: 'b',
    })
    expect(await statistics({ physical: 6 }, { 5: { text: 'b' }, 6: { text: 'a' } })).toEqual(nothing)
    expect(
      await statistics({ physical: 6, converted: 0 }, { 5: { text: Uint8Array.of(0x62, 0xc4) }, 6: { text: 'a' } }),
    ).toEqual({ ...nothing, min: 'a' })
    expect(await statistics({ physical: 1, converted: 13 }, { 1: { text: Uint8Array.of(9, 0, 0, 0) } })).toEqual(
      nothing,
    )
    expect(await statistics({}, { 5: i64(1n), 6: i64(2n), 3: { i64: 11 } })).toEqual(nothing)
    expect(await statistics({}, { 5: { text: Uint8Array.of(1) } })).toEqual(nothing)
  })

  test('of floats do not speak of NaN unless it is counted', async () => {
    expect(await statistics({ physical: 5 }, { 5: f64(2), 6: f64(1) })).toEqual({
      ...nothing,
      min: 1,
      max: 2,
      mayHoldNaN: true,
    })
    expect(await statistics({ physical: 5 }, { 5: f64(2), 6: f64(1), 9: { i64: 0 } })).toEqual({
      ...nothing,
      min: 1,
      max: 2,
    })
    expect(await statistics({ physical: 5 }, { 5: f64(Number.NaN), 6: f64(1) })).toEqual({
      ...nothing,
      min: 1,
      mayHoldNaN: true,
    })
  })
})
