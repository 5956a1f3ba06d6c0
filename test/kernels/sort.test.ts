// A stable order by keys, against Array.sort with a comparator that says what SEMANTICS says.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DataType, type Kind, timestamp } from '../../src/columnar/type.js'
import { argsort, type SortKey } from '../../src/kernels/sort.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { anyDouble, anyInt32, anyInt64, laneVector, makeKernels } from './support.js'

type Cell = number | bigint | boolean | string | null

interface Key {
  readonly kind: Kind
  readonly descending: boolean
  readonly nulls: 'first' | 'last'
  readonly values: readonly Cell[]
}

const k = await makeKernels()

const typeOf = (kind: Kind): DataType => (kind === 'timestamp' ? timestamp() : { kind, nullable: true })

const ARBITRARIES: Partial<Record<Kind, fc.Arbitrary<Cell>>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  uint8: fc.integer({ min: 0, max: 255 }),
  int16: fc.integer({ min: -32_768, max: 32_767 }),
  uint16: fc.integer({ min: 0, max: 65_535 }),
  int32: anyInt32,
  uint32: anyInt32.map(x => x >>> 0),
  date: anyInt32,
  float32: anyDouble.map(Math.fround),
  float64: anyDouble,
  int64: anyInt64,
  timestamp: anyInt64,
  utf8: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', 'a', 'a\0', 'a\0b', 'abcdefg', 'abcdefgh', 'abcdefg\0', 'ab', '\u{10ffff}', '\uffff', 'é'),
  ),
}

function compareCells(a: NonNullable<Cell>, b: NonNullable<Cell>): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (a === b) return 0
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1
  if (Number.isNaN(b)) return -1
  return a < b ? -1 : 1
}

function naive(keys: readonly Key[], rowCount: number): number[] {
  return Array.from({ length: rowCount }, (_, row) => row).sort((x, y) => {
    for (const { values, descending, nulls } of keys) {
      const [a, b] = [values[x], values[y]]
      if (a === null || b === null) {
        if (a === b) continue
        return (a === null) === (nulls === 'first') ? -1 : 1
      }
      const order = compareCells(a, b)
      if (order !== 0) return descending ? -order : order
    }
    return x - y
  })
}

function sortKey({ kind, values, descending, nulls }: Key): SortKey {
  if (kind !== 'utf8')
    return { vector: laneVector(k, typeOf(kind), values as (number | bigint | boolean | null)[]), descending, nulls }
  const dictionary = new LaneDictionary(k)
  const codes = dictionary.internStrings(values.map(value => String(value ?? '')))
  const vector = laneVector(
    k,
    typeOf('utf8'),
    Array.from(codes, (code, i) => (values[i] === null ? null : code)),
  )
  return { vector: { ...vector, dictionary }, descending, nulls }
}

function check(keys: readonly Key[], rowCount: number): void {
  const mark = k.memory.mark()
  const used = k.memory.usedBytes
  const laneKeys = keys.map(sortKey)
  const sorted = argsort(k, laneKeys, rowCount)
  expect(Array.from(k.memory.u32.subarray(sorted >>> 2, (sorted >>> 2) + rowCount))).toEqual(naive(keys, rowCount))
  for (const { vector } of laneKeys) vector.dictionary?.free()
  k.memory.reset(mark)
  expect(k.memory.usedBytes - used).toBeLessThanOrEqual(8_000_000)
}

const anyKeys = (rowCount: number): fc.Arbitrary<Key[]> =>
  fc.array(
    fc.constantFrom(...(Object.keys(ARBITRARIES) as Kind[])).chain(kind =>
      fc.record({
        kind: fc.constant(kind),
        descending: fc.boolean(),
        nulls: fc.constantFrom('first' as const, 'last' as const),
        values: fc.array(
          fc.oneof({ weight: 5, arbitrary: ARBITRARIES[kind] as fc.Arbitrary<Cell> }, fc.constant(null)),
          { minLength: rowCount, maxLength: rowCount },
        ),
      }),
    ),
    { minLength: 1, maxLength: 3 },
  )

test('rows come in the order of their keys, whatever the types, directions and places of nulls', () => {
  const input = fc.nat(150).chain(rowCount => fc.tuple(anyKeys(rowCount), fc.constant(rowCount)))
  fc.assert(
    fc.property(input, ([keys, rowCount]) => check(keys, rowCount)),
    { numRuns: 300 },
  )
})

test('every type alone, ascending and descending', () => {
  for (const kind of Object.keys(ARBITRARIES) as Kind[]) {
    for (const descending of [false, true]) {
      const values = fc.sample(ARBITRARIES[kind] as fc.Arbitrary<Cell>, { numRuns: 300, seed: 7 })
      check([{ kind, descending, nulls: 'last', values }], values.length)
    }
  }
})

test('-0 and 0 are one key, so that equal rows keep their order', () => {
  check([{ kind: 'float64', descending: false, nulls: 'last', values: [0, -0, 0, -0, -1, NaN, -NaN, 0] }], 8)
  check([{ kind: 'float32', descending: true, nulls: 'last', values: [0, -0, 0, -0, -1, NaN, -NaN, 0] }], 8)
})

test('no rows and one row', () => {
  check([{ kind: 'int64', descending: false, nulls: 'last', values: [] }], 0)
  check([{ kind: 'utf8', descending: true, nulls: 'first', values: [null] }], 1)
  check([{ kind: 'utf8', descending: true, nulls: 'first', values: [null, null] }], 2)
})

test('more rows than a morsel, by two keys', () => {
  const rowCount = 200_003
  const few = Array.from({ length: rowCount }, (_, i) => (i % 11 === 0 ? null : (i * 7919) % 13))
  const many = Array.from({ length: rowCount }, (_, i) => ((i * 2_654_435_761) % 65_537) / 8 - 1000)
  check(
    [
      { kind: 'int32', descending: true, nulls: 'first', values: few },
      { kind: 'float64', descending: false, nulls: 'last', values: many },
    ],
    rowCount,
  )
})
