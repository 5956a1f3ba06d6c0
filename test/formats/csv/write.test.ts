// CSV as it is written, read by a naive reader of RFC 4180 that knows nothing but quotes.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bool,
  type DataType,
  date,
  float32,
  float64,
  int8,
  int32,
  int64,
  list,
  nullable,
  timestamp,
  uint32,
  utf8,
} from '../../../src/columnar/type.js'
import { type CsvWriteOptions, createCsvEncoder } from '../../../src/formats/csv/write.js'
import { cuts, errorOf, type Sample, samples } from '../../columnar/arbitraries.js'
import { batchOf, plainText, shortestFloat32, textOf } from '../written-text.js'

interface Field {
  readonly text: string
  readonly isQuoted: boolean
}

/** Records of fields, character by character. */
function readCsv(text: string, delimiter = ',', quote = '"'): Field[][] {
  const records: Field[][] = []
  let record: Field[] = []
  let at = 0
  while (at < text.length) {
    const isQuoted = text[at] === quote
    let field = ''
    if (isQuoted) {
      for (at++; ; at++) {
        if (at >= text.length) throw new Error('a quote is not closed')
        if (text[at] !== quote) field += text[at]
        else if (text[at + 1] === quote) field += text[at++]
        else break
      }
      at++
    } else {
      while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') {
        if (text[at] === quote) throw new Error('a quote within a field')
        field += text[at++]
      }
    }
    record.push({ text: field, isQuoted })
    if (text[at] === delimiter) {
      at++
      continue
    }
    if (text[at] === '\r') at++
    if (text[at] !== '\n') throw new Error(`a record ends in ${JSON.stringify(text.slice(at, at + 3))}`)
    at++
    records.push(record)
    record = []
  }
  return records
}

const write = (columns: Record<string, Sample>, options?: CsvWriteOptions) => {
  const batch = batchOf(columns)
  return textOf(createCsvEncoder(batch.schema, options), batch)
}
const column = (type: DataType, ...values: unknown[]): Record<string, Sample> => ({ x: { type, values } })
/** Fields of one column, without the header. */
const fields = (type: DataType, values: unknown[], options?: CsvWriteOptions) =>
  write(column(type, ...values), { header: false, ...options })
    .slice(0, -1)
    .split('\n')

/** What a value of a list is as JSON, and null where JSON has no word for it. */
function jsonText(type: DataType, value: unknown): string | null {
  if (value === null) return 'null'
  if (type.kind === 'list') {
    const items = (value as unknown[]).map(item => jsonText(type.item as DataType, item))
    return items.includes(null) ? null : `[${items.join(',')}]`
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  const text = plainText(type, value)
  return ['utf8', 'date', 'timestamp'].includes(type.kind) ? JSON.stringify(text) : text
}

describe('CSV, written', () => {
  const options: fc.Arbitrary<CsvWriteOptions> = fc.record(
    {
      delimiter: fc.constantFrom(',', ';', '\t', '|', ' ', ':', '-', '.', '1', 'e', '\0'),
      quote: fc.constantFrom('"', "'"),
      quoted: fc.constantFrom('needed', 'strings', 'all'),
      header: fc.boolean(),
      lineEnd: fc.constantFrom('\n', '\r\n'),
      nulls: fc.constantFrom('', 'NA', 'null', '0', 'NaN', 'é'),
    },
    { requiredKeys: [] },
  )

  it('reads back equal, whatever the values, the options and the batches', () => {
    const names = ['a', 'b,c', ' d', 'e"\n', '']
    const law = fc.property(samples(), options, fc.nat(), (given, chosen, seed) => {
      const columns = Object.fromEntries(given.samples.map((sample, i) => [names[i] as string, sample]))
      const { delimiter = ',', quote = '"', nulls = '', header = true } = chosen
      fc.pre(!nulls.includes(delimiter))
      const batch = batchOf(columns)
      const ends = fc.sample(cuts(batch.rowCount), { seed, numRuns: 1 })[0]!.slice(1)
      const whole = given.samples.every(({ type, values }) =>
        values.every(value => type.kind !== 'list' || value === null || jsonText(type, value) !== null),
      )
      if (!whole) {
        const { code, row } = errorOf(() => textOf(createCsvEncoder(batch.schema, chosen), batch, ends))
        expect(code).toBe('MR_INEXACT_VALUE')
        const refused = (i: number) =>
          given.samples.some(({ type, values }) => type.kind === 'list' && jsonText(type, values[i]) === null)
        expect(row).toBe([...Array(batch.rowCount).keys()].find(refused))
        return
      }
      const text = textOf(createCsvEncoder(batch.schema, chosen), batch, ends)
      const records = readCsv(text, delimiter, quote)
      const keys = Object.keys(batch.schema)
      if (header && keys.length > 0) expect(records.shift()?.map(field => field.text)).toEqual(keys)
      if (keys.length === 0) return
      expect(records.length).toBe(batch.rowCount)
      for (const [i, record] of records.entries()) {
        const expected = keys.map(name => {
          const { type, values } = columns[name]!
          const value = values[i]
          if (value === null) return { text: nulls, isNull: true }
          return { text: type.kind === 'list' ? jsonText(type, value) : plainText(type, value), isNull: false }
        })
        const found = record.map(field => ({ text: field.text, isNull: !field.isQuoted && field.text === nulls }))
        expect(found).toEqual(expected)
      }
    })
    fc.assert(law, { numRuns: 200 })
  })

  it('quotes what would be taken apart or for something else, and nothing more', () => {
    const texts = ['plain', 'a,b', 'a"b', 'a\nb', 'a\rb', '', ' a', 'a ', '\ta', "a'b", 'a b', '\ufeffa', 'é']
    expect(write(column(nullable(utf8()), ...texts, null), { header: false })).toBe(
      [
        'plain',
        '"a,b"',
        '"a""b"',
        '"a\nb"',
        '"a\rb"',
        '""',
        '" a"',
        '"a "',
        '"\ta"',
        "a'b",
        'a b',
        '"\ufeffa"',
        'é',
        '',
        '',
      ].join('\n'),
    )
    expect(fields(nullable(utf8()), ['NA', 'NAN', '', null], { nulls: 'NA' })).toEqual(['"NA"', 'NAN', '""', 'NA'])
    expect(fields(nullable(float64()), [Number.NaN, 1, null], { nulls: 'NaN' })).toEqual(['"NaN"', '1', 'NaN'])
    expect(fields(nullable(int8()), [-1, null], { quoted: 'all' })).toEqual(['"-1"', ''])
    expect(fields(utf8(), ['a'], { quoted: 'strings' })).toEqual(['"a"'])
    expect(fields(timestamp('s'), [0n], { delimiter: ':' })).toEqual(['"1970-01-01T00:00:00Z"'])
    expect(fields(timestamp('s'), [0n])).toEqual(['1970-01-01T00:00:00Z'])
  })

  it('numbers have the fewest digits that give them back', () => {
    const values = [0, -0, 0.1, 0.3, 1 / 3, 1e21, 1e-6, 1e-7, 123456.789, -2.5, 5e-324, 2 ** 53, 1e15, 0.1 + 0.2, 1e-5]
    expect(fields(float64(), values)).toEqual(values.map(value => (Object.is(value, -0) ? '-0' : String(value))))
    expect(fields(float64(), [Number.NaN, Infinity, -Infinity])).toEqual(['NaN', 'Infinity', '-Infinity'])
    const floats = [0.1, 16777216, 3e10, 1.5, -0, 1e-45, 3.4028234663852886e38, 123456.7].map(Math.fround)
    expect(fields(float32(), floats)).toEqual([
      '0.1',
      '16777216',
      '30000001000',
      '1.5',
      '-0',
      '1e-45',
      '3.4028235e+38',
      '123456.7',
    ])
    expect(fields(uint32(), [0, 9, 10, 99999, 999999999, 1000000000, 2 ** 32 - 1])).toEqual([
      '0',
      '9',
      '10',
      '99999',
      '999999999',
      '1000000000',
      '4294967295',
    ])
    const ints = [0n, -1n, 2n ** 53n, -(2n ** 53n) + 1n, 10n ** 15n, 2n ** 63n - 1n, -(2n ** 63n)]
    expect(fields(int64(), ints)).toEqual(ints.map(String))
  })

  it('random float64 bits, and decimals of few digits, are written as String writes them', () => {
    const bits = new Float64Array(
      new BigUint64Array(fc.sample(fc.bigInt(0n, 2n ** 64n - 1n), { numRuns: 5000, seed: 1 })).buffer,
    )
    const decimals = fc.sample(fc.tuple(fc.integer(), fc.nat(9)), { numRuns: 5000, seed: 2 })
    const values = [...bits, ...decimals.map(([digits, scale]) => Number(`${digits}e-${scale}`))].filter(
      Number.isFinite,
    )
    expect(fields(float64(), values)).toEqual(values.map(value => (Object.is(value, -0) ? '-0' : String(value))))
  })

  it('random float32 bits in the fewest digits that give them back', () => {
    const bits = fc.sample(fc.nat(2 ** 32 - 1), { numRuns: 5000, seed: 4 })
    const values = [...new Float32Array(Uint32Array.from(bits).buffer)].filter(Number.isFinite)
    const texts = fields(float32(), values)
    expect(texts).toEqual(values.map(shortestFloat32))
    expect(texts.map(text => Math.fround(Number(text)))).toEqual(values)
  })

  it('bools, days and lists', () => {
    expect(fields(bool(), [true, false])).toEqual(['true', 'false'])
    expect(fields(date(), ['2024-02-29', '-000001-12-31', '+010000-01-01'])).toEqual([
      '2024-02-29',
      '-000001-12-31',
      '+010000-01-01',
    ])
    expect(fields(list(nullable(utf8())), [['a"', null], []])).toEqual(['"[""a\\"""",null]"', '"[]"'])
    expect(fields(list(list(int32())), [[[1], [], [2, 3]]])).toEqual(['"[[1],[],[2,3]]"'])
  })

  it('a record larger than a piece comes whole', () => {
    const long = 'x,"'.repeat(360_000)
    const many = Array.from({ length: 30_000 }, (_, i) => i)
    const batch = batchOf({
      text: { type: utf8(), values: [long, 'b'] },
      items: { type: list(int32()), values: [[], many] },
    })
    const records = readCsv(textOf(createCsvEncoder(batch.schema), batch))
    expect(records[1]?.[0]?.text).toBe(long)
    expect(records[2]?.[1]?.text).toBe(JSON.stringify(many))
  })

  it('a dictionary that grows between batches is written right', () => {
    const { x } = column(utf8(), ...Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? `,${i}` : `${i % 40}`)))
    const batch = batchOf({ x: x as Sample })
    const encoder = createCsvEncoder(batch.schema, { header: false })
    expect(readCsv(textOf(encoder, batch, [10, 11, 100, 300])).map(([field]) => field?.text)).toEqual(x?.values)
  })

  it('refuses options that cannot be', () => {
    const refused: [CsvWriteOptions, string][] = [
      [{ delimiter: ',,' }, 'delimiter'],
      [{ delimiter: 'é' }, 'delimiter'],
      [{ delimiter: '\n' }, 'delimiter'],
      [{ quote: '1' }, 'quote'],
      [{ quote: ',' }, 'delimiter and quote'],
      [{ nulls: 'a,b' }, 'nulls'],
      [{ quoted: 'never' as never }, '"needed" or "strings" or "all"'],
      [{ lineEnd: '\r' as never }, 'lineEnd'],
      [{ header: 1 as never }, 'header'],
      [{ separator: ';' } as never, 'there are delimiter'],
    ]
    for (const [options, what] of refused) {
      const { code, message } = errorOf(() => write(column(int32(), 1), options))
      expect([code, message]).toEqual(['MR_INVALID_OPTION', expect.stringContaining(what)])
    }
  })
})
