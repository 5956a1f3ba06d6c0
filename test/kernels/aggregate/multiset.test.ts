// Counts of distinct values and modes of every type against maps.

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
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../../src/columnar/type.js'
import type { Accumulator, AggregateFunction, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import { multiset } from '../../../src/kernels/aggregate/multiset.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { LaneDictionary } from '../../../src/kernels/text.js'
import { accumulatorContext, anyDouble, anyInt32, anyInt64, makeKernels, valuesOf } from '../support.js'
import { anyLanes, expectedGroups, runLanes, shown } from './lanes.js'
import { bitsOfDouble, columnOf, compareBytes, compareNumbers, groupPointer, type Value } from './model.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const types: readonly (readonly [DataType, fc.Arbitrary<Value>])[] = [
  [bool(), fc.boolean()],
  [int8(), fc.integer({ min: -128, max: 127 })],
  [uint8(), fc.integer({ min: 0, max: 7 })],
  [int16(), fc.integer({ min: -32768, max: 32767 })],
  [uint16(), fc.integer({ min: 0, max: 65535 })],
  [int32(), anyInt32],
  [uint32(), fc.integer({ min: 0, max: 2 ** 32 - 1 })],
  [date(), fc.integer({ min: 20_000, max: 20_005 })],
  [int64(), anyInt64],
  [timestamp('us'), anyInt64],
  [float32(), anyDouble.map(Math.fround)],
  [float64(), anyDouble],
  [utf8(), fc.oneof(fc.constantFrom('', 'a', 'ab', 'b', '\u{10000}', '\uffff'), fc.string({ unit: 'grapheme' }))],
]

const specsOf = (type: DataType, names: readonly AggregateFunction[]): AggregateSpec[] =>
  names.map(name => ({ function: name, inputs: [type], inputIndex: 0, parameters: {}, label: `${name}(x)` }))

const keyOf = (value: Value) =>
  typeof value === 'number' ? bitsOfDouble(Number.isNaN(value) ? NaN : value + 0).toString(16) : String(value)

function occurrences(values: readonly Value[]): { value: Value; count: number }[] {
  const found = new Map<string, { value: Value; count: number }>()
  for (const value of values) {
    const entry = found.get(keyOf(value)) ?? { value: typeof value === 'number' ? value + 0 : value, count: 0 }
    entry.count++
    found.set(keyOf(value), entry)
  }
  return [...found.values()]
}

function modeOf(values: readonly Value[]): Value {
  const compare = (a: Value, b: Value) =>
    typeof a === 'string' ? compareBytes(a, b as string) : compareNumbers(a as number, b as number)
  const sorted = occurrences(values).sort((a, b) => b.count - a.count || compare(a.value, b.value))
  return sorted[0]?.value ?? null
}

const modelOf = (name: AggregateFunction, values: readonly Value[]): Value =>
  name === 'mode' ? modeOf(values) : BigInt(occurrences(values).length)

const anyNames = fc.constantFrom<AggregateFunction[]>(['countDistinct'], ['mode'], ['mode', 'countDistinct'])

describe('counts of distinct values, and modes', () => {
  test('of any type, batches, filters and lanes', () => {
    const anyCase = fc
      .constantFrom(...types)
      .chain(([type, value]) => fc.tuple(fc.constant(type), anyLanes(value), anyNames))
    fc.assert(
      fc.property(anyCase, ([type, lanes, names]) => {
        runLanes(k, type, specsOf(type, names), lanes, ({ aggregation, groups }) => {
          const expected = names.map(name => expectedGroups(lanes, groups).map(values => shown(modelOf(name, values))))
          expect(aggregation.evaluate(groups.length).map(vector => valuesOf(k, vector).map(shown))).toEqual(expected)
        })
      }),
      { numRuns: 800 },
    )
  })

  test('of few values in many groups, and of many in few', () => {
    for (const [groups, values, type] of [
      [3000, 3, int32()],
      [3, 100_000, int32()],
      [2000, 50, int64()],
      [10, 10_000, float64()],
    ] as const) {
      const value =
        type.kind === 'int64' ? fc.bigInt({ min: 0n, max: BigInt(values) }) : fc.integer({ min: 0, max: values })
      const lanes = anyLanes(value, fc.integer({ min: 0, max: groups }), 3000)
      fc.assert(
        fc.property(lanes, each => {
          const keyed = { ...each, keyed: true }
          const names: AggregateFunction[] = ['mode', 'countDistinct']
          runLanes(k, type, specsOf(type, names), keyed, ({ aggregation, groups }) => {
            const expected = names.map(name => expectedGroups(keyed, groups).map(all => modelOf(name, all)))
            expect(aggregation.evaluate(groups.length).map(vector => valuesOf(k, vector))).toEqual(expected)
          })
        }),
        { numRuns: 5 },
      )
    }
  })
})

describe('rows taken back', () => {
  /** Rows in batches, each added and some of them taken back later, in any order. */
  const check = (
    type: DataType,
    rows: readonly { group: number; value: Value; gone: boolean }[],
    batch: number,
    keyed: boolean,
  ) => {
    const context = accumulatorContext(k)
    const [spec] = specsOf(type, ['mode'])
    const accumulator = multiset.create(context, spec) as Required<Accumulator>
    const dictionary = new LaneDictionary(k)
    const pass = (some: typeof rows, apply: 'update' | 'retract') => {
      for (let from = 0; from < some.length; from += batch) {
        const mark = k.memory.mark()
        const part = some.slice(from, from + batch)
        const vector = columnOf(
          k,
          type,
          part.map(({ value }) => value),
          dictionary,
        )
        const groups = keyed
          ? groupPointer(
              k,
              part.map(({ group }) => group),
            )
          : 0
        const { length } = part
        accumulator[apply]({
          groups,
          rowCount: length,
          vectors: [vector],
          validity: 0,
          valueCount: length,
          position: 0,
        })
        k.memory.reset(mark)
      }
    }
    const groupCount = keyed ? 8 : 1
    accumulator.resize(groupCount)
    pass(rows, 'update')
    pass(rows.filter(({ gone }) => gone).reverse(), 'retract')
    const left = Array.from({ length: groupCount }, (_, group) =>
      rows.filter(row => !row.gone && (!keyed || row.group === group)).map(({ value }) => value),
    )
    const modes = valuesOf(k, accumulator.evaluate(spec, 0))
    for (const [group, values] of left.entries())
      if (values.length > 0) expect(shown(modes[group])).toBe(shown(modeOf(values)))
    const counts = valuesOf(k, accumulator.evaluate(specsOf(type, ['countDistinct'])[0], 0))
    expect(counts).toEqual(left.map(values => modelOf('countDistinct', values)))
    accumulator.free()
    dictionary.free()
    k.memory.reset(0)
  }

  test('are as if they had never come', () => {
    const anyRows = fc.constantFrom(...types).chain(([type, value]) =>
      fc.tuple(
        fc.constant(type),
        fc.array(fc.record({ group: fc.integer({ min: 0, max: 7 }), value, gone: fc.boolean() }), {
          minLength: 1,
          maxLength: 80,
        }),
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
      ),
    )
    fc.assert(
      fc.property(anyRows, ([type, rows, batch, keyed]) => check(type, rows, batch, keyed)),
      { numRuns: 300 },
    )
  })

  test('leave no more memory behind than what is left takes', () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => ({
      group: i % 8,
      value: BigInt(i) * 1_000_003n,
      gone: i % 100 !== 0,
    }))
    check(int64(), rows, 65_536, true)
    const context = accumulatorContext(k)
    const accumulator = multiset.create(context, specsOf(int32(), ['mode'])[0]) as Required<Accumulator>
    accumulator.resize(2)
    const window = (first: number, apply: 'update' | 'retract') => {
      const mark = k.memory.mark()
      const values = Array.from({ length: 1000 }, (_, i) => Math.imul(first + i, 0x9e3779b1))
      const vector = columnOf(k, int32(), values, new LaneDictionary(k))
      const groups = groupPointer(
        k,
        values.map((_, i) => i % 2),
      )
      accumulator[apply]({ groups, rowCount: 1000, vectors: [vector], validity: 0, valueCount: 1000, position: 0 })
      k.memory.reset(mark)
    }
    let used = 0
    for (let at = 0; at < 100; at++) {
      window(1000 * at, 'update')
      if (at >= 3) window(1000 * (at - 3), 'retract')
      if (at === 30) used = k.memory.usedBytes
    }
    expect(k.memory.usedBytes).toBeLessThanOrEqual(used + 20 * 65_536 * 2)
    expect(valuesOf(k, accumulator.evaluate(specsOf(int32(), ['countDistinct'])[0], 0))).toEqual([1500n, 1500n])
    accumulator.free()
  })
})

test('a mode and a count of distinct values share what is kept', () => {
  const [mode, distinct] = specsOf(utf8(), ['mode', 'countDistinct'])
  expect(multiset.share(mode)).toBe(multiset.share(distinct))
})

test('everything is given back', () => {
  k.memory.trim()
  const before = k.memory.usedBytes
  for (const [type, value] of types) {
    for (const lanes of fc.sample(anyLanes(value), { numRuns: 5, seed: 7 })) {
      runLanes(k, type, specsOf(type, ['mode', 'countDistinct']), lanes, ({ aggregation, groups }) => {
        aggregation.evaluate(groups.length)
      })
    }
  }
  k.memory.trim()
  expect(k.memory.usedBytes).toBe(before)
})
