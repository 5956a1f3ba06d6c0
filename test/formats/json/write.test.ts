// JSON as it is written, read by JSON.parse.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DataType, float32, float64, int32, int64, list, nullable, utf8 } from '../../../src/columnar/type.js'
import { createJsonEncoder, type JsonWriteOptions } from '../../../src/formats/json/write.js'
import { cuts, errorOf, type Sample, samples } from '../../columnar/arbitraries.js'
import { batchOf, plainText, textOf } from '../written-text.js'

const write = (columns: Record<string, Sample>, options?: JsonWriteOptions, layout?: 'lines' | 'array' | 'line') => {
  const batch = batchOf(columns)
  return textOf(createJsonEncoder(batch.schema, options, layout), batch)
}
const column = (type: DataType, ...values: unknown[]): Record<string, Sample> => ({ x: { type, values } })

/** What JSON.parse makes of a value; `nonFinite` where JSON has no word for it. */
function parsed(type: DataType, value: unknown, nonFinite: (value: number) => null): unknown {
  if (value === null) return null
  if (type.kind === 'list') return (value as unknown[]).map(item => parsed(type.item as DataType, item, nonFinite))
  if (typeof value === 'number') return Number.isFinite(value) ? value : nonFinite(value)
  if (type.kind === 'int64') return Number(value)
  return typeof value === 'boolean' ? value : plainText(type, value)
}

/** float32s are written so that a float32 gives them back. */
const rounded = (type: DataType, value: unknown): unknown => {
  if (type.kind === 'list' && Array.isArray(value)) return value.map(item => rounded(type.item as DataType, item))
  return type.kind === 'float32' && typeof value === 'number' ? Math.fround(value) : value
}

describe('JSON, written', () => {
  it('reads back equal, whatever the values, the layout and the batches', () => {
    const names = ['a', '__proto__', 'b.c', '"\n\ud800', '']
    const law = fc.property(
      samples(),
      fc.constantFrom('lines' as const, 'array' as const, 'line' as const),
      fc.constantFrom('error' as const, 'null' as const),
      fc.nat(),
      (given, layout, nonFinite, seed) => {
        fc.pre(given.samples.length > 0)
        const columns: Record<string, Sample> = {}
        given.samples.forEach((value, i) => {
          Object.defineProperty(columns, names[i] as string, { value, enumerable: true })
        })
        const batch = batchOf(columns)
        const ends = fc.sample(cuts(batch.rowCount), { seed, numRuns: 1 })[0]!.slice(1)
        let least = Infinity
        const rows = Array.from({ length: batch.rowCount }, (_, i) =>
          given.samples.map(({ type, values }) =>
            parsed(type, values[i], () => {
              least = Math.min(least, i)
              return null
            }),
          ),
        )
        const encode = () => textOf(createJsonEncoder(batch.schema, { nonFinite }, layout), batch, ends)
        if (least < Infinity && nonFinite === 'error') {
          expect(errorOf(encode)).toMatchObject({ code: 'MR_INEXACT_VALUE', row: least })
          return
        }
        const text = encode()
        if (layout === 'line') expect(text).not.toContain('\n')
        const records: object[] =
          layout === 'lines'
            ? text
                .split('\n')
                .slice(0, -1)
                .map(line => JSON.parse(line))
            : JSON.parse(text)
        expect(records.map(record => Object.keys(record))).toEqual(rows.map(() => Object.keys(batch.schema)))
        const found = records.map(record =>
          given.samples.map(({ type }, i) =>
            rounded(type, Object.getOwnPropertyDescriptor(record, names[i] as string)?.value),
          ),
        )
        expect(found).toEqual(rows)
      },
    )
    fc.assert(law, { numRuns: 200 })
  })

  it('strings are what JSON.stringify makes of them, wherever they lie', () => {
    const texts = fc.sample(fc.string({ unit: 'binary' }), { numRuns: 300, seed: 3 })
    texts.push('\u2028\u2029\u007f\0\b\t\n\f\r\u001f"\\/', '\u{1f600}')
    const clean = texts.map(text => text.replace(/\p{Surrogate}/gu, '\ufffd'))
    const lines = clean.map(text => `{"x":${JSON.stringify(text)}}\n`).join('')
    expect(write(column(utf8(), ...texts))).toBe(lines)
    expect(write(column(list(utf8()), texts))).toBe(`{"x":[${clean.map(text => JSON.stringify(text))}]}\n`)
  })

  it('int64s keep all their digits and -0 its sign', () => {
    expect(write(column(int64(), 2n ** 63n - 1n, -(2n ** 63n)))).toBe(
      '{"x":9223372036854775807}\n{"x":-9223372036854775808}\n',
    )
    expect(write(column(float64(), -0, 1e21))).toBe('{"x":-0}\n{"x":1e+21}\n')
    expect(Object.is(JSON.parse('-0'), -0)).toBe(true)
  })

  it('a NaN is refused with its row and column, or written as null where that is asked for', () => {
    const given = { a: { type: int32(), values: [1, 2] }, b: { type: float32(), values: [1, Number.NaN] } }
    expect(errorOf(() => write(given))).toMatchObject({ code: 'MR_INEXACT_VALUE', row: 1, column: 'b' })
    expect(write(given, { nonFinite: 'null' })).toBe('{"a":1,"b":1}\n{"a":2,"b":null}\n')
    const items = column(list(nullable(float64())), [1], [], [2, null, Infinity])
    expect(errorOf(() => write(items))).toMatchObject({ code: 'MR_INEXACT_VALUE', row: 2, column: 'x' })
  })

  it('rows are counted over all batches', () => {
    const batch = batchOf(column(float64(), ...Array(10).fill(1), Infinity))
    const encoder = createJsonEncoder(batch.schema)
    expect(errorOf(() => textOf(encoder, batch, [4, 8, 11]))).toMatchObject({ row: 10 })
  })

  it('nests names with dots, the columns of an object together', () => {
    const given = Object.fromEntries(
      ['place.city', 'id', 'place.geo.lat', 'a..b'].map((name, i) => [name, { type: int32(), values: [i] }]),
    )
    expect(write(given, { nest: true })).toBe('{"place":{"city":0,"geo":{"lat":2}},"id":1,"a":{"":{"b":3}}}\n')
    expect(write(given)).toBe('{"place.city":0,"id":1,"place.geo.lat":2,"a..b":3}\n')
    for (const names of [
      ['a', 'a.b'],
      ['a.b', 'a'],
      ['a.b.c', 'a.b'],
    ]) {
      const clashing = Object.fromEntries(names.map(name => [name, { type: int32(), values: [1] }]))
      expect(errorOf(() => write(clashing, { nest: true }))).toMatchObject({ code: 'MR_DUPLICATE_COLUMN' })
    }
  })

  it('no records are an empty file, or an empty array', () => {
    expect(write(column(int32()))).toBe('')
    expect(write(column(int32()), {}, 'array')).toBe('[]\n')
    expect(write(column(int32()), {}, 'line')).toBe('[]')
    expect(write(column(int32(), 1, 2), {}, 'array')).toBe('[\n{"x":1},\n{"x":2}\n]\n')
  })

  it('refuses options that there are not', () => {
    for (const options of [{ nest: 1 }, { nonFinite: 'NaN' }, { nested: true }])
      expect(errorOf(() => write(column(int32(), 1), options as never))).toMatchObject({ code: 'MR_INVALID_OPTION' })
  })
})
