// Facts about tables as text.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecordBatch } from '../../src/columnar/record-batch.js'
import { schema, schemaOf } from '../../src/columnar/schema.js'
import { Table } from '../../src/columnar/table.js'
import { bool, type DataType, date, float64, int32, int64, nullable, timestamp, utf8 } from '../../src/columnar/type.js'
import { sample, vectorOf } from './arbitraries.js'

const text = (
  columns: readonly (readonly [string, DataType, unknown[]])[],
  weights: Int32Array | null = null,
): string =>
  new RecordBatch(
    schemaOf(columns.map(([name, type]) => ({ name, type }))),
    columns.map(([, type, values]) => vectorOf(type, values)),
    columns[0][2].length,
    weights,
  ).toString()

test('shows names, types and values, numbers to the right', () => {
  const shown = text([
    ['symbol', nullable(utf8()), ['ACME', null]],
    ['high', float64(), [101.25, Number.NaN]],
    ['n', int64(), [2n ** 63n - 1n, -17n]],
    ['at', timestamp('us'), [1n, 0n]],
    ['day', date(), ['2024-02-29', '1969-12-31']],
    ['ok', bool(), [true, false]],
  ])
  expect(`\n${shown}\n`).toBe(`
symbol             high                    n  at                           day         ok
nullable(utf8)  float64                int64  timestamp('us')              date        bool
--------------  -------  -------------------  ---------------------------  ----------  -----
ACME             101.25  9223372036854775807  1970-01-01T00:00:00.000001Z  2024-02-29  true
null                NaN                  -17  1970-01-01T00:00:00.000000Z  1969-12-31  false
2 rows × 6 columns
`)
})

test('shows the first and the last rows of a long table', () => {
  const lines = text([['i', int32(), Array.from({ length: 1000 }, (_, i) => i)]]).split('\n')
  expect(lines.slice(3, -1).map(line => line.trim())).toEqual([
    ...'0123456789',
    '…',
    ...Array.from({ length: 10 }, (_, i) => `${990 + i}`),
  ])
  expect(lines.at(-1)).toBe('1000 rows × 1 column')
  expect(text([['i', int32(), Array(30).fill(0)]])).not.toContain('…')
})

test('shows twenty columns and names more of them', () => {
  const shown = text(Array.from({ length: 30 }, (_, c) => [`c${c}`, int32(), [c]] as const))
  expect(shown).toContain('c19')
  expect(shown.split('\n').at(-1)).toBe('1 row × 30 columns (10 not shown: c20, c21, c22, c23, c24, …)')
})

test('shortens a megabyte of name or value, and keeps every row on one line', () => {
  const shown = text([
    ['n'.repeat(2 ** 20), utf8(), ['v'.repeat(2 ** 20), 'two\nlines\tand \u001b[31mred\u0007 \u{1f600}']],
    ['__proto__', int32(), [1, 2]],
  ])
  const lines = shown.split('\n')
  expect(lines).toHaveLength(6)
  for (const line of lines) expect(line.length).toBeLessThan(100)
  expect(lines[0]).toContain('nnn…nnn')
  expect(lines[4]).toContain('two\\nlines\\tand \\u001b[31mred\\u0007 \u{1f600}')
})

test('shows weights where a batch has them', () => {
  expect(text([['a', int32(), [1, 2]]], Int32Array.of(1, -1)).split('\n')).toEqual([
    'weight      a',
    '        int32',
    '------  -----',
    '    +1      1',
    '    -1      2',
    '2 rows × 1 column',
  ])
})

test('shows empty tables too', () => {
  expect(new Table(schema({ a: float64() }), []).toString()).toBe('      a\nfloat64\n-------\n0 rows × 1 column')
  expect(new Table(schema({}), [new RecordBatch(schema({}), [], 3)]).toString()).toBe('3 rows × 0 columns')
})

test('distinguishes -0, and shows it', () => {
  expect(text([['x', float64(), [-0]]])).toContain('-0')
})

test('never throws', () => {
  fc.assert(
    fc.property(sample(), fc.string({ unit: 'binary' }), ({ type, values }, name) => {
      const lines = text([[name, type, [...values]]]).split('\n')
      expect(lines).toHaveLength(4 + Math.min(values.length, 21))
    }),
    { numRuns: 300 },
  )
})
