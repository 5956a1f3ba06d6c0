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
import { createMultiset, multiset } from '../../../src/kernels/aggregate/multiset.js'
import {
  createStateReader,
  createStateWriter,
  type StateReader,
  type StateWriter,
} from '../../../src/kernels/aggregate/state-bytes.js'
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

interface Row {
  readonly group: number
  readonly value: Value
  readonly gone: boolean
}

/** Rows in batches, each added and some of them taken back later; an accumulator of its own dictionary. */
class Lane {
  readonly accumulator: Required<Accumulator>
  private readonly type: DataType
  private readonly dictionary: LaneDictionary
  private readonly keyed: boolean

  constructor(type: DataType, groupCount: number, mostPairs?: number) {
    this.accumulator = createMultiset(accumulatorContext(k), type, true, mostPairs) as Required<Accumulator>
    this.type = type
    this.dictionary = new LaneDictionary(k)
    this.keyed = groupCount > 1
    this.accumulator.resize(groupCount)
  }

  pass(rows: readonly Row[], batch: number, apply: 'update' | 'retract'): void {
    for (let from = 0; from < rows.length; from += batch) {
      const mark = k.memory.mark()
      const part = rows.slice(from, from + batch)
      const values = part.map(({ value }) => value)
      const vectors = [columnOf(k, this.type, values, this.dictionary)]
      const indices = part.map(({ group }) => group)
      const groups = this.keyed ? groupPointer(k, indices) : 0
      const { length } = part
      this.accumulator[apply]({ groups, rowCount: length, vectors, validity: 0, valueCount: length, position: 0 })
      k.memory.reset(mark)
    }
  }

  merge(other: Lane, groupCount: number): void {
    const mark = k.memory.mark()
    const writer = createStateWriter(false)
    other.accumulator.write(writer, 0, groupCount)
    const map = groupPointer(
      k,
      Array.from({ length: groupCount }, (_, i) => i),
    )
    this.accumulator.merge(createStateReader(writer.finish()), map, groupCount, 1)
    k.memory.reset(mark)
  }

  expectRows(rows: readonly Row[], groupCount: number): void {
    const left = Array.from({ length: groupCount }, (_, group) =>
      rows.filter(row => !row.gone && (!this.keyed || row.group === group)).map(({ value }) => value),
    )
    const [mode, distinct] = specsOf(this.type, ['mode', 'countDistinct'])
    // Where no row has come there is no dictionary yet.
    const modes = left.some(values => values.length > 0) ? valuesOf(k, this.accumulator.evaluate(mode, 0)) : []
    for (const [group, values] of left.entries()) {
      if (values.length > 0) expect(shown(modes[group])).toBe(shown(modeOf(values)))
    }
    const counts = valuesOf(k, this.accumulator.evaluate(distinct, 0))
    expect(counts).toEqual(left.map(values => modelOf('countDistinct', values)))
    k.memory.reset(0)
  }

  free(): void {
    this.accumulator.free()
    this.dictionary.free()
  }
}

describe('pairs dealt to many tables', () => {
  test('give what one table gives: rows, merges and rows taken back', () => {
    const anyRows = fc.constantFrom(...types).chain(([type, value]) =>
      fc.record({
        type: fc.constant(type),
        rows: fc.array(fc.record({ group: fc.integer({ min: 0, max: 5 }), value, gone: fc.boolean() }), {
          minLength: 1,
          maxLength: 200,
          size: 'max',
        }),
        mine: fc.integer({ min: 0, max: 120 }),
        batch: fc.integer({ min: 1, max: 60 }),
        groupCount: fc.constantFrom(1, 6),
        mostPairs: fc.constantFrom(3, 20),
        mergeFirst: fc.boolean(),
      }),
    )
    let merges = 0
    fc.assert(
      fc.property(anyRows, ({ type, rows, mine, batch, groupCount, mostPairs, mergeFirst }) => {
        const [first, second] = [new Lane(type, groupCount, mostPairs), new Lane(type, groupCount, 3)]
        second.pass(rows.slice(mine), batch, 'update')
        if (/256 tables/.test(second.accumulator.kernel ?? '')) merges++
        if (mergeFirst) first.merge(second, groupCount)
        const before = mergeFirst ? rows.slice(mine) : []
        first.expectRows(
          before.map(row => ({ ...row, gone: false })),
          groupCount,
        )
        first.pass(rows.slice(0, mine), batch, 'update')
        first.expectRows(
          [...before, ...rows.slice(0, mine)].map(row => ({ ...row, gone: false })),
          groupCount,
        )
        if (!mergeFirst) first.merge(second, groupCount)
        first.expectRows(
          rows.map(row => ({ ...row, gone: false })),
          groupCount,
        )
        first.pass(rows.filter(({ gone }) => gone).reverse(), batch, 'retract')
        first.expectRows(rows, groupCount)
        first.free()
        second.free()
      }),
      { numRuns: 300 },
    )
    // What is merged is in many tables too.
    expect(merges).toBeGreaterThan(50)
  })

  test('of more values than one table takes', () => {
    const rows = Array.from({ length: 310_000 }, (_, i) => ({
      group: i % 3,
      value: Math.imul(i % 280_000, 0x9e3779b1),
      gone: false,
    }))
    for (const groupCount of [1, 3]) {
      const lane = new Lane(int32(), groupCount)
      lane.pass(rows, 65_536, 'update')
      expect(lane.accumulator.kernel).toMatch(/^int32 distinct hash .*, 256 tables$/)
      lane.expectRows(rows, groupCount)
      lane.free()
    }
  })
})

describe('pairs shared out among lanes', () => {
  test('give what one lane has of them all', () => {
    const anyRows = fc.constantFrom(...types.filter(([{ kind }]) => !/8|16|bool/.test(kind))).chain(([type, value]) =>
      fc.record({
        type: fc.constant(type),
        // With more lanes than there are classes of values some have no share.
        lanes: fc.constantFrom(...Array.from({ length: 20 }, (_, i) => 2 + (i % 3)), 18).chain(lanes =>
          fc.array(
            fc.record({
              rows: fc.array(fc.record({ group: fc.integer({ min: 0, max: 5 }), value, gone: fc.constant(false) }), {
                maxLength: 120,
                size: 'max',
              }),
              // Some have many tables before, and rows that wait.
              mostPairs: fc.constantFrom(3, 20, 1000),
            }),
            { minLength: lanes, maxLength: lanes },
          ),
        ),
        batch: fc.integer({ min: 1, max: 60 }),
        groupCount: fc.constantFrom(1, 6),
        /** Lane 0 may have had others' pairs handed over before, whole. */
        isHandedOver: fc.boolean(),
      }),
    )
    let pairsElsewhere = 0
    fc.assert(
      fc.property(anyRows, ({ type, lanes: given, batch, groupCount, isHandedOver }) => {
        const lanes = given.map(({ mostPairs }) => new Lane(type, groupCount, mostPairs))
        // Each lane has met the groups in an order of its own, and lists them in yet another.
        const indexIn = (lane: number, group: number) => (group * (lane % 2 === 0 ? 1 : 5)) % groupCount
        for (const [i, lane] of lanes.entries()) {
          const own = given[i].rows.map(row => ({ ...row, group: indexIn(i, row.group % groupCount) }))
          lane.pass(own, batch, 'update')
        }
        const give = (
          from: number,
          to: number,
          write: (writer: StateWriter, groups: number) => void,
          merge: (reader: StateReader, map: number) => void,
        ) => {
          const mark = k.memory.mark()
          const listed = Array.from({ length: groupCount }, (_, i) => (i + from) % groupCount)
          const writer = createStateWriter(true)
          write(
            writer,
            groupPointer(
              k,
              listed.map(group => indexIn(from, group)),
            ),
          )
          const reader = createStateReader(writer.pieces())
          reader.forLane = true
          merge(
            reader,
            groupPointer(
              k,
              listed.map(group => indexIn(to, group)),
            ),
          )
          k.memory.reset(mark)
        }
        const handOver = (from: number) =>
          give(
            from,
            0,
            (writer, groups) => lanes[from].accumulator.write(writer, groups, groupCount),
            (reader, map) => lanes[0].accumulator.merge(reader, map, groupCount, 1),
          )
        const sharing = isHandedOver ? lanes.slice(0, -1) : lanes
        const shares = sharing.map(({ accumulator }) => accumulator.shares)
        const all = { shares: shares.length, areAlike: false, count: groupCount }
        const shareOf = (share: number, groups = 0) => ({ ...all, share, groups })
        if (isHandedOver) handOver(lanes.length - 1)
        for (const i of shares.keys()) {
          for (const j of shares.keys()) {
            if (i === j) continue
            give(
              i,
              j,
              (writer, groups) => shares[i].write(writer, shareOf(j, groups)),
              (reader, map) => shares[j].merge(reader, map),
            )
          }
        }
        for (const [i, share] of shares.entries()) {
          share.end(shareOf(i), i > 0)
          if (i > 0) handOver(i)
        }
        const rows = given.flatMap(each => each.rows)
        if (given.slice(1, shares.length).some(each => each.rows.length > 0)) pairsElsewhere++
        lanes[0].expectRows(rows, groupCount)
        for (const lane of lanes) lane.free()
      }),
      { numRuns: 200 },
    )
    expect(pairsElsewhere).toBeGreaterThan(50)
  })
})

describe('a lane that had no row', () => {
  test('is sent what others have: of one group, and then of more', () => {
    const type = int32()
    const lane = createMultiset(accumulatorContext(k), type, true, 3) as Required<Accumulator>
    const all = (count: number) => ({ share: 0, shares: 1, areAlike: false, groups: 0, count })
    for (const groupCount of [1, 6]) {
      const mark = k.memory.mark()
      const other = new Lane(type, groupCount, 3)
      const rows = Array.from({ length: 24 }, (_, i) => ({ group: i % groupCount, value: i + 1, gone: false }))
      other.pass(rows, 8, 'update')
      const writer = createStateWriter(true)
      other.accumulator.shares.write(writer, all(groupCount))
      other.free()
      lane.resize(groupCount)
      const map = Array.from({ length: groupCount }, (_, i) => i)
      lane.shares.merge(createStateReader(writer.pieces()), groupPointer(k, map))
      k.memory.reset(mark)
    }
    lane.shares.end(all(6), false)
    // Of group 0 these are 1 to 24, four of which came again.
    expect(valuesOf(k, lane.evaluate(specsOf(type, ['countDistinct'])[0], 0))).toEqual([24, 4, 4, 4, 4, 4].map(BigInt))
    lane.free()
    k.memory.reset(0)
  })
})

describe('rows taken back', () => {
  const check = (type: DataType, rows: readonly Row[], batch: number, keyed: boolean) => {
    const groupCount = keyed ? 8 : 1
    const lane = new Lane(type, groupCount)
    lane.pass(rows.slice(0, rows.length >> 1), batch, 'update')
    lane.expectRows(
      rows.slice(0, rows.length >> 1).map(row => ({ ...row, gone: false })),
      groupCount,
    )
    lane.pass(rows.slice(rows.length >> 1), batch, 'update')
    lane.pass(rows.filter(({ gone }) => gone).reverse(), batch, 'retract')
    lane.expectRows(rows, groupCount)
    lane.free()
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
    const lane = new Lane(int32(), 2)
    const window = (at: number) =>
      Array.from({ length: 1000 }, (_, i) => ({
        group: i % 2,
        value: Math.imul(1000 * at + i, 0x9e3779b1),
        gone: at < 97,
      }))
    let used = 0
    for (let at = 0; at < 100; at++) {
      lane.pass(window(at), 1000, 'update')
      if (at >= 3) lane.pass(window(at - 3), 1000, 'retract')
      if (at === 30) used = k.memory.usedBytes
    }
    expect(k.memory.usedBytes).toBeLessThanOrEqual(used)
    lane.expectRows([97, 98, 99].flatMap(window), 2)
    lane.free()
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
