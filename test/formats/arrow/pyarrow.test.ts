/** Files and streams that the reference implementation wrote, see test/golden/arrow/make.py: every type, codec and kind of dictionary, read as it says. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { typeName } from '../../../src/columnar/type.js'
import { describeFile } from '../../../src/formats/arrow/file.js'
import { inputOf, readArrow } from './read-arrow.js'

const folder = new URL('../../golden/arrow/', import.meta.url)
const files = readdirSync(folder).filter(name => /\.arrows?$/.test(name))
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, folder)))

interface Expected {
  readonly rows: number
  readonly columns: Readonly<Record<string, unknown[]>>
  readonly unread: readonly string[]
}
const expectedOf = (name: string): Expected => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))

const DAY_MS = 86_400_000n

/** A value as make.py writes it. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && Number.isNaN(value)) return 'nan'
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  return Array.isArray(value) ? value.map(plain) : value
}

test('there are files', () => {
  expect(files.length).toBeGreaterThan(20)
  // That these are what they are called.
  expect(bytesOf('legacy.arrows').subarray(0, 4)).not.toEqual(Uint8Array.of(255, 255, 255, 255))
})

describe('is read as it was written:', () => {
  test.each(files)('%s', async name => {
    const { rows, columns, unread } = expectedOf(name)
    const read = await readArrow(bytesOf(name), Object.keys(columns))
    expect(read.rowCount).toBe(rows)
    expect(read.illFormedCount).toBe(0)
    for (const [column, values] of Object.entries(columns)) {
      const found = read.columns[column]?.map(value =>
        plain(column === 'date64' && value !== null ? (value as bigint) * DAY_MS : value),
      )
      expect(found, column).toEqual(values)
    }
    for (const column of unread) {
      const error = await readArrow(bytesOf(name), [column]).catch(error => error)
      const code = { uint64: 'MR_INTEGER_OVERFLOW', far_day: 'MR_INTEGER_OVERFLOW', part_of_a_day: 'MR_INEXACT_VALUE' }
      expect(error, column).toMatchObject({
        code: code[column as keyof typeof code] ?? 'MR_TYPE_MISMATCH',
        details: { column },
      })
      if (name.startsWith('beyond')) expect(error.details).toMatchObject({ row: 3, batch: 0 })
      else expect(error.message).toContain('leave it out with select or drop')
    }
  })
})

describe('the schema', () => {
  test('has the types that we have', async () => {
    const types = Object.fromEntries(
      Object.entries((await describeFile(inputOf(bytesOf('full.arrow')), null)).file.schema).map(([name, type]) => [
        name,
        typeName(type),
      ]),
    )
    expect(types).toEqual({
      bool: 'bool',
      int8: 'int8',
      int16: 'int16',
      int32: 'int32',
      int64: 'int64',
      uint8: 'uint8',
      uint16: 'uint16',
      uint32: 'uint32',
      uint64: 'int64',
      float32: 'float32',
      float64: 'float64',
      utf8: 'utf8',
      large_utf8: 'utf8',
      date32: 'date',
      date64: 'date',
      time_s: "timestamp('s')",
      time_ms: "timestamp('ms', 'Europe/Berlin')",
      time_us: "timestamp('us', 'UTC')",
      time_ns: "timestamp('ns')",
      list: 'list(nullable(int32))',
      large_list: 'list(nullable(utf8))',
      fixed_list: 'list(nullable(float64))',
      list_of_bool: 'list(nullable(bool))',
      list_of_lists: 'list(nullable(list(nullable(int8))))',
    })
  })

  test('is there without batches, with the nulls that files promise not to have', async () => {
    for (const name of ['no-batches.arrow', 'no-batches.arrows', 'types.arrow', 'full.arrow']) {
      const { file: described } = await describeFile(inputOf(bytesOf(name)), null)
      expect(Object.keys(described.schema).length).toBe(24)
      expect(described.parts.length).toBe(described.rowCount === 0 ? 0 : 1)
      expect(described.hasNoNulls('bool')).toBe(name !== 'types.arrow')
    }
  })

  test('without a type for nulls has nullable(float64)', async () => {
    const { schema } = (await describeFile(inputOf(bytesOf('unread.arrow')), null)).file
    expect(typeName(schema.nothing as never)).toBe('nullable(float64)')
    expect(typeName(schema.half as never)).toBe('nullable(float32)')
    expect(typeName(schema.decimal as never)).toBe('struct({  })')
  })

  test('names the types that it has not', async () => {
    const messages: string[] = []
    for (const column of expectedOf('unread.arrow').unread) {
      const error = await readArrow(bytesOf('unread.arrow'), [column]).catch(error => error)
      messages.push(/: it is (.*), which/.exec(error.message)?.[1] ?? error.message)
    }
    expect(messages).toEqual([
      'decimal(10, 2)',
      'decimal(40, 2)',
      'struct<x, y>',
      'map',
      'union',
      'union',
      'binary',
      'fixedSizeBinary(2)',
      'binaryView',
      'time',
      'duration',
      'interval',
      'listView<int32>',
      'runEndEncoded',
      'list<struct<x>>',
      'dictionary<bool, indices int8>',
    ])
  })
})
