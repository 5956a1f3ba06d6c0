// The group table against a Map from printed keys to indices. What is done with the groups is tested in aggregate/.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  bool,
  type DataType,
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
} from '../../src/columnar/type.js'
import { createGroupTable, type GroupTable } from '../../src/kernels/group.js'
import type { Kernels } from '../../src/kernels/instance.js'
import type { LaneVector } from '../../src/kernels/lane-vector.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { laneVector, makeKernels, valuesOf } from './support.js'

type Value = number | bigint | boolean | string | null

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

/** One column of a batch; strings get codes of `dictionary`. */
function columnOf(type: DataType, values: readonly Value[], dictionary: LaneDictionary): LaneVector {
  if (type.kind !== 'utf8') return laneVector(k, type, values as (number | bigint | boolean | null)[])
  const codes = dictionary.internStrings(values.map(value => (value ?? values.find(v => v !== null) ?? '') as string))
  return {
    ...laneVector(
      k,
      type,
      values.map((value, i) => (value === null ? null : codes[i])),
    ),
    dictionary,
  }
}

/** What makes two key values one: their type's equality, with one zero and one NaN. */
const keyOf = (values: readonly Value[]): string =>
  values.map(value => (value === null ? 'null' : `${typeof value} ${Object.is(value, -0) ? 0 : value}`)).join('\u0000')

/** Feeds batches to a table and to a Map, and holds one against the other after every batch. */
function check(
  types: readonly DataType[],
  batches: readonly (readonly Value[])[][],
  table = createGroupTable(k, types),
): GroupTable {
  const dictionaries = types.map(() => new LaneDictionary(k))
  /** By key; indices follow where the table moves them. */
  let indices = new Map<string, number>()
  const firsts: (readonly Value[])[] = []
  for (const rows of batches) {
    const mark = k.memory.mark()
    const columns = types.map((type, i) =>
      columnOf(
        type,
        rows.map(row => row[i]),
        dictionaries[i],
      ),
    )
    const move = table.cover(columns, rows.length)
    if (move !== null) {
      expect(move.count).toBe(indices.size)
      const moved = new Map(listOf(move.from, move.count).map((from, i) => [from, listOf(move.to, move.count)[i]]))
      indices = new Map([...indices].map(([key, index]) => [key, moved.get(index) as number]))
    }
    const pointer = table.find(columns, rows.length)
    const found = [...k.memory.u32.subarray(pointer >>> 2, (pointer >>> 2) + rows.length)]
    for (const [i, row] of rows.entries()) {
      const key = keyOf(row)
      if (!indices.has(key)) {
        expect([...indices.values()]).not.toContain(found[i])
        indices.set(key, found[i])
        firsts.push(row)
      }
      expect(found[i]).toBe(indices.get(key))
      expect(found[i]).toBeLessThan(table.indexCount)
    }
    expect(listOf(table.order, table.length)).toEqual([...indices.values()])
    k.memory.reset(mark)
  }
  const mark = k.memory.mark()
  const keys = table.keys().map(vector => valuesOf(k, vector))
  expect(firsts.map((_, g) => keyOf(keys.map(values => values[g])))).toEqual(firsts.map(keyOf))
  for (const values of keys) expect(values.some(value => Object.is(value, -0))).toBe(false)
  k.memory.reset(mark)
  for (const dictionary of dictionaries) dictionary.free()
  return table
}

/** `count` indices at a pointer, or with 0 the first. */
const listOf = (pointer: number, count: number): number[] =>
  pointer === 0
    ? Array.from({ length: count }, (_, i) => i)
    : [...k.memory.u32.subarray(pointer >>> 2, (pointer >>> 2) + count)]

/** The places in order of first appearance of the groups found for rows. */
function placesOf(table: GroupTable, columns: readonly LaneVector[], rowCount: number): number[] {
  table.cover(columns, rowCount)
  const found = table.find(columns, rowCount)
  const places = new Map(listOf(table.order, table.length).map((index, place) => [index, place]))
  return listOf(found, rowCount).map(index => places.get(index) as number)
}

const column = (values: readonly Value[]) => values.map(value => [value])

const small = fc.integer({ min: 0, max: 3 })
const arbitraries: readonly (readonly [DataType, fc.Arbitrary<Value>])[] = [
  [bool(), fc.boolean()],
  [int8(), fc.oneof(small, fc.integer({ min: -128, max: 127 }))],
  [uint8(), fc.oneof(small, fc.integer({ min: 0, max: 255 }))],
  [int16(), fc.oneof(small, fc.integer({ min: -32768, max: 32767 }))],
  [uint16(), fc.oneof(small, fc.integer({ min: 0, max: 65535 }))],
  [
    int32(),
    fc.oneof(small, fc.integer({ min: -1000, max: 1000 }), fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)),
  ],
  [uint32(), fc.oneof(small, fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(2 ** 32 - 1))],
  [date(), fc.oneof(small, fc.integer({ min: -800_000, max: 800_000 }))],
  [
    int64(),
    fc.oneof(
      small.map(BigInt),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom(-1n, -(2n ** 63n)),
    ),
  ],
  [timestamp('us'), fc.oneof(small.map(BigInt), fc.constantFrom(1_700_000_000_000_000n, 1_700_000_000_000_001n, -1n))],
  [float32(), fc.oneof(small, fc.float(), fc.constantFrom(NaN, 0, -0, Infinity, -Infinity))],
  [float64(), fc.oneof(small, fc.double(), fc.constantFrom(NaN, 0, -0, Infinity, -Infinity))],
  [utf8(), fc.oneof(fc.constantFrom('', 'a', 'b', 'ab'), fc.string({ unit: 'grapheme' }))],
]
const anyKey = fc.constantFrom(...arbitraries).chain(([type, value]) =>
  fc.boolean().map(mayBeNull => ({
    type: mayBeNull ? nullable(type) : type,
    value: mayBeNull ? fc.oneof({ weight: 5, arbitrary: value }, fc.constant(null)) : value,
  })),
)

test('more strings than may be indexed directly move to a hash table, and none is lost', () => {
  const table = createGroupTable(k, [utf8()])
  const dictionary = new LaneDictionary(k)
  const rowCount = 60_000
  for (let from = 0; from < 300_000; from += rowCount) {
    const mark = k.memory.mark()
    const names = Array.from({ length: rowCount }, (_, i) => `name ${from + i}`)
    const keys = [columnOf(utf8(), names, dictionary)]
    table.cover(keys, rowCount)
    table.find(keys, rowCount)
    expect(table.length).toBe(from + rowCount)
    // Few of many strings span little.
    const few = [columnOf(utf8(), ['name 7', 'name 9'], dictionary)]
    table.cover(few, 2)
    table.find(few, 2)
    expect(table.length).toBe(from + rowCount)
    k.memory.reset(mark)
  }
  expect(table.kernel).toBe('hash 32')
  table.free()
  dictionary.free()
})

test('where no slots are wanted, keys of the smallest domains are hashed too', () => {
  for (const [type, values] of [
    [bool(), [false, true, false]],
    [int8(), [3, 3, -4]],
    [nullable(bool()), [null, false, null]],
  ] as const) {
    const table = check([type], [column(values)], createGroupTable(k, [type], 0))
    expect(table.kernel).toMatch(/^hash/)
    expect(table.length).toBe(2)
    table.free()
  }
})

test('words of keys are laid out anew only where they do not hold, with groups or without', () => {
  const types = [int32(), int32()]
  const table = createGroupTable(k, types, 0)
  const cover = (most: number) => {
    const columns = types.map(type => ({ ...laneVector(k, type, [0, most]), range: { min: 0n, max: BigInt(most) } }))
    table.cover(columns, 2)
    return table.layout
  }
  const narrow = cover(1000)
  expect(narrow.fields.map(({ bits }) => bits)).toEqual([10, 10])
  expect(cover(1000)).toBe(narrow)
  expect(cover(500)).toBe(narrow)
  const wide = cover(5000)
  expect(wide.fields.map(({ bits }) => bits)).toEqual([32, 32])
  expect(cover(1000)).toBe(wide)
  table.free()
})

describe('finds the groups that a Map finds', () => {
  test('for any one key, over several batches', () => {
    fc.assert(
      fc.property(
        anyKey.chain(({ type, value }) =>
          fc.tuple(fc.constant(type), fc.array(fc.array(fc.tuple(value), { maxLength: 80 }), { maxLength: 5 })),
        ),
        ([type, batches]) => check([type], batches).free(),
      ),
      { numRuns: 300 },
    )
  })

  test('for any two to six keys, over several batches', () => {
    fc.assert(
      fc.property(
        fc
          .array(anyKey, { minLength: 2, maxLength: 6 })
          .chain(keys =>
            fc.tuple(
              fc.constant(keys.map(({ type }) => type)),
              fc.array(fc.array(fc.tuple(...keys.map(({ value }) => value)), { maxLength: 60 }), { maxLength: 5 }),
            ),
          ),
        ([types, batches]) => check(types, batches).free(),
      ),
      { numRuns: 200 },
    )
  })
})

test('pointers beyond 2 GiB are as good as any', () => {
  k.memory.allocate(2 ** 31)
  check([int32()], [column([5, 7, 5])]).free()
  check([float64()], [column([5, 7, 5])]).free()
  check(
    [nullable(int64()), utf8()],
    [
      [
        [1n, 'a'],
        [null, 'b'],
        [2n ** 60n, 'a'],
      ],
    ],
  ).free()
  expect(k.memory.scratch(16)).toBeGreaterThan(2 ** 31)
})

test('without keys there is one group, from the start', () => {
  const table = createGroupTable(k, [])
  expect([table.length, table.kernel, table.find([], 10), table.keys()]).toEqual([1, 'single', 0, []])
})

test('nulls are one group, NaNs of all sorts another, both zeros a third', () => {
  const nan = laneVector(k, nullable(float64()), [NaN, null, 0, NaN, null, -0, NaN])
  k.memory.i64[(nan.data >>> 3) + 3] = 0x7ff8dead00000001n
  k.memory.i64[(nan.data >>> 3) + 6] = -1n
  const table = createGroupTable(k, [nan.type])
  expect(placesOf(table, [nan], 7)).toEqual([0, 1, 2, 0, 1, 2, 0])
  const [keys] = table.keys()
  expect(k.memory.i64[keys.data >>> 3]).toBe(0x7ff8000000000000n)
  expect(k.memory.i64[(keys.data >>> 3) + 2]).toBe(0n)
})

test('small domains are indexed directly, also of several keys', () => {
  expect(check([int32()], [column([5, 7, 5])]).kernel).toBe('direct')
  expect(
    check(
      [utf8(), nullable(bool())],
      [
        [
          ['a', true],
          ['b', null],
          ['a', true],
        ],
      ],
    ).kernel,
  ).toBe('direct composite')
  expect(check([timestamp('us')], [column([1_700_000_000_000_000n, 1_700_000_000_000_009n])]).kernel).toBe('direct')
})

test('wide domains are hashed, with as many words as the keys take', () => {
  expect(check([int32()], [column([0, 2 ** 30])]).kernel).toBe('hash 32')
  expect(check([nullable(int32())], [column([0, 2 ** 30])]).kernel).toBe('hash 64')
  expect(check([float64()], [column([0.5])]).kernel).toBe('hash 64')
  expect(check([nullable(int64())], [column([0n, 2n ** 62n, null])]).kernel).toBe('hash 2 words')
  expect(check([int32(), int64(), float32(), nullable(int16())], [[[1, 2n ** 40n, 3, null]]]).kernel).toBe(
    'hash 3 words',
  )
})

test('a domain grows upwards and downwards', () => {
  const batches = [[0], [10, 0], [-5, 10], [100, -5], [-100, 0, 100], [300], [-300]]
  expect(check([int32()], batches.map(column)).kernel).toBe('direct')
  const pairs = [0, 1, -1, 4, -4, 9, -9].map(n => [[n, n] as const, [0, n] as const, [n, null] as const])
  expect(
    check(
      [int32(), nullable(int16())],
      pairs.map(rows => rows.map(row => [...row])),
    ).kernel,
  ).toBe('direct composite')
})

test('a domain that stops fitting becomes a hash table', () => {
  const batches = [
    [0, 1, 2],
    [3, null, 1],
    [1_000_000, 2, null],
    [-1_000_000, 4],
  ]
  expect(check([nullable(int32())], batches.map(column)).kernel).toBe('hash 64')
  expect(
    check(
      [int32(), int32()],
      [
        [[1, 2]],
        [
          [600, 600],
          [1, 2],
        ],
        [
          [2, 1],
          [0, 0],
        ],
      ],
    ).kernel,
  ).toBe('hash 64')
})

test('several keys that leave for a hash table are those that they were, whatever is known of what follows', () => {
  const table = createGroupTable(k, [int32(), int32()])
  const known = (from: number) =>
    [from, 0].map(first => ({
      ...laneVector(k, int32(), [first, first + 1, first + 2]),
      range: { min: BigInt(first), max: BigInt(first + 2) },
    }))
  for (const from of [-1, 10 ** 9]) {
    table.cover(known(from), 3)
    table.find(known(from), 3)
  }
  expect(table.kernel).toBe('hash 64')
  const keys = table.keys().map(vector => valuesOf(k, vector))
  expect(keys).toEqual([
    [-1, 0, 1, 10 ** 9, 10 ** 9 + 1, 10 ** 9 + 2],
    [0, 1, 2, 0, 1, 2],
  ])
  table.free()
})

test('a key that is null throughout at first does not spoil the domain', () => {
  expect(check([nullable(int64())], [column([null, null]), column([10n ** 15n, null])]).kernel).toBe('direct')
  expect(check([nullable(utf8())], [column([null, null]), column(['x', null])]).kernel).toBe('direct')
})

test('a dictionary may grow while its column is a key', () => {
  const batches = Array.from({ length: 30 }, (_, b) =>
    column(Array.from({ length: 100 }, (_, i) => `k${(b * b + i * 7) % 1500}`)),
  )
  expect(check([utf8()], batches).kernel).toBe('direct')
})

test('a dictionary may outgrow what can be indexed directly, while its column is a key and before', () => {
  const dictionary = new LaneDictionary(k)
  // Later tables begin with codes of a dictionary that is too large from the start.
  for (const first of [0, 200_000]) {
    const table = createGroupTable(k, [utf8()])
    const rows = 50_000
    for (let from = first; from < 300_000; from += rows) {
      const mark = k.memory.mark()
      const texts = Array.from({ length: rows }, (_, i) => `text ${from + i}`)
      const column = columnOf(utf8(), texts, dictionary)
      table.cover([column], rows)
      const groups = table.find([column], rows)
      const wrong = listOf(groups, rows).filter((group, i) => group !== from - first + i)
      expect([from, wrong.length]).toEqual([from, 0])
      k.memory.reset(mark)
    }
    expect([table.length, table.kernel]).toEqual([300_000 - first, 'hash 32'])
    table.free()
  }
  dictionary.free()
})

test('what a known range promises is not looked at, and a promise too wide is looked into', () => {
  const table = createGroupTable(k, [int32()])
  const vector = laneVector(k, int32(), [5, 6, 5])
  placesOf(table, [{ ...vector, range: { min: 0n, max: 100n } }], 3)
  placesOf(table, [{ ...vector, range: { min: -(2n ** 31n), max: 2n ** 31n - 1n } }], 3)
  expect([table.length, table.kernel]).toEqual([2, 'direct'])
})

describe('many groups', () => {
  const many = 150_000
  const patterns: readonly (readonly [string, DataType, (i: number) => Value])[] = [
    ['consecutive integers', int64(), i => BigInt(i)],
    ['multiples of a power of two', int64(), i => BigInt(i) << 40n],
    ['high and low halves alike', int64(), i => (BigInt(i) << 32n) | BigInt(i)],
    ['doubles', float64(), i => i * 0.1],
    ['integers far apart', int32(), i => (i * 0x9e3779b1) | 0],
  ]
  test.each(patterns)('of %s', (_, type, value) => {
    const table = createGroupTable(k, [type])
    const rows = 30_000
    for (let pass = 0; pass < 2; pass++) {
      for (let from = 0; from < many; from += rows) {
        const mark = k.memory.mark()
        const vector = laneVector(
          k,
          type,
          Array.from({ length: rows }, (_, i) => value(from + i) as number),
        )
        table.cover([vector], rows)
        const groups = table.find([vector], rows) >>> 2
        let wrong = 0
        for (let i = 0; i < rows; i++) if (k.memory.u32[groups + i] !== from + i) wrong++
        expect(wrong).toBe(0)
        k.memory.reset(mark)
      }
      expect(table.length).toBe(many)
    }
    table.free()
  })

  test('of two strings and an integer', () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => [`a${i % 700}`, `b${i % 900}`, i % 4])
    expect(check([utf8(), utf8(), int32()], [rows.slice(0, 9000), rows.slice(9000)]).kernel).toBe('hash 64')
  })
})

test('the seed shows in no index', async () => {
  const found: number[][] = []
  for (const seed of [0, 1, 0xffffffff]) {
    k = await makeKernels({ seed })
    const vector = laneVector(
      k,
      float64(),
      Array.from({ length: 5000 }, (_, i) => Math.sin(i % 3000)),
    )
    found.push(placesOf(createGroupTable(k, [float64()]), [vector], 5000))
  }
  expect(found[1]).toEqual(found[0])
  expect(found[2]).toEqual(found[0])
})

test('everything is given back', () => {
  const before = k.memory.usedBytes
  for (const types of [[int32()], [int64(), float64()]]) {
    const table = check(types, [types.length === 1 ? column([1, 2, 2 ** 30]) : [[1n, 0.5]]])
    table.free()
  }
  k.memory.trim()
  expect(k.memory.usedBytes).toBe(before)
})
