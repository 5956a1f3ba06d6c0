// Variances, covariances, correlations and slopes against exact rationals, bit for bit: every form that sums can take, and every change of form.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type DataType, float64, type Kind, nullable } from '../../../src/columnar/type.js'
import type { Accumulator, AggregateFunction, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import { createAggregation } from '../../../src/kernels/aggregate/aggregation.js'
import { FAMILIES } from '../../../src/kernels/aggregate/families.js'
import { createStateReader, createStateWriter } from '../../../src/kernels/aggregate/state-bytes.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { accumulatorContext, bitmap, laneVector, makeKernels, valuesOf } from '../support.js'
import { anyDealing, type Some, testDealings } from './dealing.js'
import { bitsOfDouble, exactly, groupPointer, type MomentQuestion, modelMoment, nearest } from './model.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

type Number_ = number | bigint
/** Row of a group: a value of each column, or null where the row does not count. */
type Row = readonly [group: number, ...values: (Number_ | null)[]]

const question = (name: MomentQuestion['name'], population = false): MomentQuestion => ({ name, population })
const QUESTIONS: Readonly<Record<1 | 2, readonly MomentQuestion[]>> = {
  1: [question('variance'), question('variance', true), question('stddev'), question('stddev', true)],
  2: [question('covariance'), question('covariance', true), question('correlation'), question('slope')],
}

const typeOf = (kind: Kind): DataType => ({ kind, nullable: true }) as DataType

/** One accumulator and all the rows it should hold. */
class Feed {
  readonly accumulator: Accumulator
  readonly kinds: readonly Kind[]
  rows: Row[] = []
  groupCount = 0

  constructor(kinds: readonly Kind[]) {
    this.kinds = kinds
    const name = kinds.length === 1 ? 'variance' : 'correlation'
    this.accumulator = FAMILIES[name]!.create(accumulatorContext(k), this.spec(question(name)))
  }

  spec({ name, population }: MomentQuestion) {
    const inputs = this.kinds.map(typeOf)
    return { function: name as AggregateFunction, inputs, inputIndex: 0, parameters: { population }, label: name }
  }

  private resize(rows: readonly Row[]): void {
    this.groupCount = Math.max(this.groupCount, ...rows.map(([group]) => group + 1))
    this.accumulator.resize(this.groupCount)
  }

  private take(rows: readonly Row[], how: 'update' | 'retract', grouped: boolean, ranges: boolean): void {
    this.resize(rows)
    const mark = k.memory.mark()
    const counting = rows.map(row => !row.includes(null))
    if (!counting.includes(true)) return
    const vectors = this.kinds.map((kind, i) => {
      const values = rows.map(row => row[i + 1] as Number_ | null)
      const present = values.filter(value => value !== null).map(value => (typeof value === 'bigint' ? value : 0n))
      const [min, max] = [present.reduce((a, b) => (a < b ? a : b)), present.reduce((a, b) => (a > b ? a : b))]
      const vector = laneVector(k, typeOf(kind), values)
      return ranges && typeof values.find(value => value !== null) === 'bigint'
        ? { ...vector, range: { min, max } }
        : vector
    })
    this.accumulator[how]!({
      groups: grouped
        ? groupPointer(
            k,
            rows.map(([group]) => group),
          )
        : 0,
      rowCount: rows.length,
      vectors,
      validity: counting.includes(false) ? bitmap(k, counting) : 0,
      valueCount: counting.filter(Boolean).length,
      position: 0,
    })
    k.memory.reset(mark)
  }

  resizeTo(groupCount: number): this {
    this.groupCount = groupCount
    this.accumulator.resize(groupCount)
    return this
  }

  add(rows: readonly Row[], { grouped = true, ranges = true } = {}): this {
    this.take(rows, 'update', grouped, ranges)
    this.rows = [...this.rows, ...rows]
    return this
  }

  /** Takes back rows that it has. */
  retract(rows: readonly Row[], { ranges = true } = {}): this {
    this.take(rows, 'retract', true, ranges)
    const taken = new Set(rows)
    this.rows = this.rows.filter(row => !taken.has(row))
    return this
  }

  merge(other: Feed, forLane = false): this {
    const mark = k.memory.mark()
    this.rows = [...this.rows, ...other.rows]
    this.resize(other.rows)
    this.groupCount = Math.max(this.groupCount, other.groupCount)
    this.accumulator.resize(this.groupCount)
    const groups = groupPointer(
      k,
      Array.from({ length: other.groupCount }, (_, i) => i),
    )
    const reader = createStateReader(other.state(0, other.groupCount, forLane))
    reader.forLane = forLane
    this.accumulator.merge(reader, groups, other.groupCount, 1)
    k.memory.reset(mark)
    return this
  }

  state(groups = 0, count = this.groupCount, forLane = false): Uint8Array<ArrayBuffer> {
    const writer = createStateWriter(forLane)
    this.accumulator.write(writer, groups, count)
    return writer.finish()
  }

  /** Of every question, the results of every group. */
  results(): (string | null)[][] {
    const mark = k.memory.mark()
    const counts = k.memory.scratch(8 * this.groupCount)
    k.memory.i64.fill(0n, counts >>> 3, (counts >>> 3) + this.groupCount)
    for (const row of this.rows) if (!row.includes(null)) k.memory.i64[(counts >>> 3) + row[0]]++
    const results = QUESTIONS[this.kinds.length as 1 | 2].map(asked => {
      const vector = this.accumulator.evaluate(this.spec(asked), counts)
      return (valuesOf(k, vector) as (number | null)[]).map(bits)
    })
    k.memory.reset(mark)
    return results
  }

  expected(): (string | null)[][] {
    const groups: Number_[][][] = Array.from({ length: this.groupCount }, () => [])
    for (const [group, ...values] of this.rows) {
      if (!values.includes(null)) groups[group].push(values as Number_[])
    }
    return QUESTIONS[this.kinds.length as 1 | 2].map(asked =>
      groups.map(rows => bits(modelMoment(asked, rows as Number_[][]))),
    )
  }

  check(): this {
    expect(this.results()).toEqual(this.expected())
    return this
  }

  free(): void {
    this.accumulator.free()
  }
}

/** Doubles by their bits, so that -0 and NaN are told apart. */
const bits = (value: number | null) => (value === null ? null : bitsOfDouble(value).toString(16))

const doubles: readonly fc.Arbitrary<number>[] = [
  fc.integer({ min: -1000, max: 1000 }),
  fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map(n => n / 100),
  fc.integer({ min: 0, max: 10 ** 8 }).map(n => n / 10 ** 6),
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.double({ min: 2 ** 60, max: 2 ** 80, noNaN: true }),
  fc.integer({ min: 0, max: 20 }).map(n => 1e16 + 2 * n),
  fc.constantFrom(1e308, -1e308, 1e-300, -1e-300, Number.MAX_VALUE, -Number.MAX_VALUE),
  fc.integer({ min: -5, max: 5 }).map(n => n * Number.MIN_VALUE),
  fc.constantFrom(2.2250738585072014e-308, 2.225073858507201e-308, 2 ** -1060, 2 ** -1023 * 3, 2 ** -537, 2 ** -538),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0),
  fc.constantFrom(7.25),
  fc.constantFrom(NaN, Infinity, -Infinity, 1, -1, 0.1),
]

const bigs = (bitCount: bigint, signed: boolean): fc.Arbitrary<bigint> => {
  const min = signed ? -(2n ** (bitCount - 1n)) : 0n
  const max = 2n ** (signed ? bitCount - 1n : bitCount) - 1n
  return fc.oneof(fc.bigInt({ min: signed ? -9n : 0n, max: 9n }), fc.bigInt({ min, max }), fc.constantFrom(min, max))
}

const families: Readonly<Record<string, readonly fc.Arbitrary<Number_>[]>> = {
  float64: doubles,
  float32: doubles.map(family => family.map(Math.fround)),
  int8: [bigs(8n, true)],
  uint8: [bigs(8n, false)],
  int16: [bigs(16n, true)],
  uint16: [bigs(16n, false)],
  int32: [fc.bigInt({ min: 1n, max: 15n }), fc.bigInt({ min: -(2n ** 21n), max: 2n ** 21n }), bigs(32n, true)],
  uint32: [fc.bigInt({ min: 1n, max: 5n }), bigs(32n, false)],
  int64: [
    fc.bigInt({ min: 1n, max: 15n }),
    fc.bigInt({ min: 1_700_000_000_000n, max: 1_700_086_400_000n }),
    bigs(54n, true),
    bigs(64n, true),
  ],
}
const anyKind = fc.constantFrom(...(Object.keys(families) as Kind[]))

/** A batch is of one family a column, or of all at once. */
const batchOf = (kinds: readonly Kind[], maxLength = 30): fc.Arbitrary<Row[]> =>
  fc
    .tuple(...kinds.map(kind => fc.constantFrom(...families[kind], fc.oneof(...families[kind]))))
    .chain(columns =>
      fc.array(
        fc.tuple(
          fc.integer({ min: 0, max: 4 }),
          ...columns.map(value => fc.oneof({ weight: 8, arbitrary: value }, fc.constant(null))),
        ) as unknown as fc.Arbitrary<Row>,
        { maxLength },
      ),
    )
const batchesOf = (kinds: readonly Kind[], maxLength = 5) => fc.array(batchOf(kinds), { maxLength })

const oneOrTwo = fc.oneof(
  anyKind.map(kind => [kind]),
  fc.tuple(anyKind, anyKind),
  fc.constantFrom<Kind[]>(['float64'], ['float64', 'float64'], ['int32', 'int32']),
)
const feeding = oneOrTwo.chain(kinds => fc.record({ kinds: fc.constant(kinds), all: batchesOf(kinds) }))

describe('moments are the exact ones, rounded once', () => {
  test('whatever batch follows whatever other', () => {
    fc.assert(
      fc.property(feeding, fc.boolean(), ({ kinds, all }, ranges) => {
        const feed = new Feed(kinds)
        for (const rows of all) feed.add(rows, { ranges }).check()
        feed.free()
      }),
      { numRuns: 600 },
    )
  }, 120_000)

  test('of doubles, in particular', () => {
    fc.assert(
      fc.property(batchesOf(['float64'], 8), all => {
        const feed = new Feed(['float64'])
        for (const rows of all) feed.add(rows).check()
        feed.free()
      }),
      { numRuns: 200 },
    )
  })

  test('without groups', () => {
    fc.assert(
      fc.property(feeding, ({ kinds, all }) => {
        const feed = new Feed(kinds)
        for (const rows of all)
          feed.add(
            rows.map(([, ...values]): Row => [0, ...values]),
            { grouped: false },
          )
        feed.check().free()
      }),
      { numRuns: 300 },
    )
  })
})

describe('the state is a function of the rows', () => {
  test('whatever their order, their batches, and what was merged before or after them', () => {
    fc.assert(
      fc.property(feeding, fc.infiniteStream(fc.nat()), ({ kinds, all }, random) => {
        const next = (below: number) => (random.next().value as number) % below
        const one = new Feed(kinds)
        for (const rows of all) one.add(rows)
        const feeds = Array.from({ length: 3 }, () => new Feed(kinds))
        const left = all.flat()
        while (left.length > 0) {
          const some = Array.from({ length: 1 + next(5) }, () => left.splice(next(left.length), 1)).flat()
          feeds[next(3)].add(some)
        }
        const [a, b, c] = feeds
        const whole = new Feed(kinds).merge(b, next(2) === 1)
        a.merge(c, next(2) === 1)
        whole.merge(a, next(2) === 1)
        whole.accumulator.resize(one.groupCount)
        whole.groupCount = one.groupCount
        expect(whole.state()).toEqual(one.state())
        expect(whole.results()).toEqual(one.results())
        // Chosen groups alone, and in another order.
        const groups = [3, 1].filter(group => group < one.groupCount)
        const pointer = groupPointer(k, groups)
        expect(whole.state(pointer, groups.length)).toEqual(one.state(pointer, groups.length))
        const few = new Feed(kinds)
        few.resizeTo(groups.length)
        few.accumulator.merge(
          createStateReader(whole.state(pointer, groups.length)),
          groupPointer(k, [0, 1]),
          groups.length,
          1,
        )
        few.rows = one.rows
          .filter(([group]) => groups.includes(group))
          .map(([group, ...values]) => [groups.indexOf(group), ...values])
        few.check()
        for (const feed of [one, whole, few, ...feeds]) feed.free()
        k.memory.reset(0)
      }),
      { numRuns: 300 },
    )
  }, 60_000)

  test('groups that come together in a merge are one', () => {
    const feed = new Feed(['float64', 'int32'])
    const rows = Array.from({ length: 50 }, (_, i): Row => [i % 5, i / 7, BigInt(i * i)])
    feed.add(rows)
    const all = new Feed(['float64', 'int32'])
    all.add([[0, 1, 1n]])
    all.accumulator.merge(createStateReader(feed.state()), groupPointer(k, [0, 0, 0, 0, 0]), 5, 5)
    all.rows.push(...rows.map(([, ...values]): Row => [0, ...values]))
    all.check()
  })

  test('what is taken back, in any order, leaves what was not', () => {
    fc.assert(
      fc.property(feeding, fc.infiniteStream(fc.nat()), ({ kinds, all }, random) => {
        const next = (below: number) => (random.next().value as number) % below
        const feed = new Feed(kinds)
        const zero = (groupCount: number) => {
          const empty = new Feed(kinds)
          empty.resizeTo(groupCount)
          return empty.state()
        }
        for (const rows of all) {
          feed.add(rows, { ranges: next(2) === 0 })
          const left = [...feed.rows]
          const some = Array.from({ length: next(left.length + 1) }, () => left.splice(next(left.length), 1)).flat()
          feed.retract(some)
        }
        const same = new Feed(kinds).add(feed.rows)
        same.resizeTo(feed.groupCount)
        expect(feed.state()).toEqual(same.state())
        feed.check()
        feed.retract(feed.rows)
        expect(feed.state()).toEqual(zero(feed.groupCount))
        feed.free()
        same.free()
      }),
      { numRuns: 300 },
    )
  }, 60_000)
})

const SHARING: readonly (readonly AggregateFunction[])[] = [
  ['variance', 'stddev'],
  ['covariance', 'correlation', 'slope'],
]
for (const [i, names] of SHARING.entries()) {
  const dealing = anyDealing(
    i + 1,
    inputs =>
      fc
        .subarray(
          [...names].flatMap(name => [false, true].map(population => ({ name, population }))),
          { minLength: 1 },
        )
        .map(all =>
          all.map(({ name, population }) => ({
            function: name,
            inputs,
            inputIndex: 0,
            parameters: name === 'correlation' || name === 'slope' ? {} : { population },
            label: name,
          })),
        ),
    ({ kind }) => kind !== 'bool' && kind !== 'utf8',
  )
  const model = ({ function: name, parameters: { population = false } }: AggregateSpec, rows: Some[][]) =>
    modelMoment({ name: name as MomentQuestion['name'], population }, rows as Number_[][])
  testDealings(`${names.join(', ')} of every type`, () => k, dealing, model as never, 150)
}

describe('the cheapest form that holds the bits is chosen', () => {
  const kernelAfter = (kinds: readonly Kind[], ...all: Row[][]) => {
    const feed = new Feed(kinds)
    for (const rows of all) feed.add(rows)
    return feed.check().accumulator.kernel
  }
  const rows = (...values: Number_[]): Row[] => values.map((x, i) => [i % 3, x])

  test('narrow lanes for small integers', () =>
    expect(kernelAfter(['int32'], rows(1n, -5n, 1000n))).toBe('int32 narrow'))
  test('packed lanes for two columns of them, none negative', () =>
    expect(
      kernelAfter(
        ['int32', 'int32'],
        [
          [0, 1n, 15n],
          [0, 5n, 3n],
        ],
      ),
    ).toBe('int32 int32 packed'))
  test('narrow lanes where one is negative', () =>
    expect(
      kernelAfter(
        ['int32', 'int32'],
        [
          [0, 1n, 15n],
          [0, -5n, 3n],
        ],
      ),
    ).toBe('int32 int32 narrow'))
  test('narrow lanes for quarters', () =>
    expect(kernelAfter(['float64'], rows(0.25, 100.5, -3))).toBe('float64 narrow'))
  test('bins for decimals', () => expect(kernelAfter(['float64'], rows(0.01, 1234.56))).toBe('float64 bins'))
  test('bins for large integers', () => expect(kernelAfter(['int64'], rows(1_700_000_000_000n, 5n))).toBe('int64 bins'))
  test('bins once narrow lanes do not do, and what those held moves', () =>
    expect(kernelAfter(['float64'], rows(1, 2), rows(0.1))).toBe('float64 bins wide'))
  test('rows by themselves where few are beyond the others', () =>
    expect(kernelAfter(['float64'], rows(0.1, 2, 3, 1e200, 5))).toBe('float64 bins wide'))
})

describe('by hand', () => {
  const resultsOf = (kinds: readonly Kind[], rows: Row[]) => new Feed(kinds).add(rows).check()

  test('of no row, one row, equal rows', () => {
    const feed = resultsOf(
      ['float64'],
      [
        [0, null],
        [1, 0.1],
        [2, 0.1],
        [2, 0.1],
        [2, 0.1],
      ],
    )
    const zero = bits(0)
    expect(feed.results()).toEqual([
      [null, null, zero],
      [null, zero, zero],
      [null, null, zero],
      [null, zero, zero],
    ])
  })

  test('of a line, and of a constant', () => {
    const line = Array.from({ length: 10 }, (_, i): Row => [0, 3 * i + 0.1, i])
    const flat = Array.from({ length: 10 }, (_, i): Row => [1, i, 0.1])
    const feed = new Feed(['float64', 'int32']).add(line.map(([g, y, x]): Row => [g, y, BigInt(x as number)]))
    expect(Math.abs(Number(`0x${feed.results()[2][0]}`))).toBeGreaterThan(0)
    const [, , correlations, slopes] = resultsOf(['float64', 'float64'], flat).results()
    expect([correlations[1], slopes[1]]).toEqual([null, null])
    feed.check()
  })

  test('nothing cancels', () => {
    const feed = resultsOf(
      ['float64'],
      [4, 7, 13, 16].map((x): Row => [0, 1e15 + x]),
    )
    expect(feed.results()[0]).toEqual([bits(30)])
    expect(
      resultsOf(
        ['int64'],
        [4n, 7n, 13n, 16n].map((x): Row => [0, 2n ** 62n + x]),
      ).results()[0],
    ).toEqual([bits(30)])
  })

  test('a NaN or an infinity makes NaN, until it is taken back', () => {
    const bad: Row[] = [
      [0, NaN, 1],
      [0, 1, Infinity],
      [1, -Infinity, NaN],
    ]
    const good = Array.from({ length: 9 }, (_, i): Row => [i % 3, i * i, 0.1 * i])
    const feed = new Feed(['float64', 'float64']).add([...good, ...bad])
    expect(feed.check().results()[0].slice(0, 2)).toEqual([bits(NaN), bits(NaN)])
    feed.retract(bad.slice(0, 2))
    expect(feed.check().results()[0][0]).not.toBe(bits(NaN))
    expect(feed.retract(bad.slice(2)).state()).toEqual(new Feed(['float64', 'float64']).add(good).state())
  })
})

test('groups of more rows than 32 bits count', () => {
  for (const values of [
    [1, 2, 4],
    [0.1, 2e9, -3.3],
    [1e200, 5, 1e-200],
  ]) {
    const feed = new Feed(['float64']).add(values.map((x): Row => [0, x]))
    // A state is doubled by merging it with itself.
    for (let i = 0; i < 35; i++) {
      feed.accumulator.merge(createStateReader(feed.state()), groupPointer(k, [0]), 1, 1)
    }
    const counts = k.memory.scratch(8)
    k.memory.i64[counts >>> 3] = 3n << 35n
    const n = 3n << 35n
    const integers = values.map(exactly)
    const sum = integers.reduce((total, x) => total + x, 0n) << 35n
    const squares = integers.reduce((total, x) => total + x * x, 0n) << 35n
    for (const [population, less] of [
      [false, n - 1n],
      [true, n],
    ] as const) {
      const vector = feed.accumulator.evaluate(feed.spec(question('variance', population)), counts)
      const expected = nearest((n * squares - sum * sum) << 1074n, (n * less) << 2148n)
      expect((valuesOf(k, vector) as number[]).map(bits)).toEqual([bits(expected)])
    }
    feed.free()
    k.memory.reset(0)
  }
})

test('many rows in few groups, and in many, give the same', () => {
  const seed = (i: number, factor: number, modulus: number) => (i * factor) % modulus
  const rows = Array.from(
    { length: 12_000 },
    (_, i): Row => [0, BigInt(1 + seed(i, 7919, 5)), BigInt(1 + seed(i, 104_729, 15))],
  )
  const prices = Array.from(
    { length: 12_000 },
    (_, i): Row => [0, seed(i, 7919, 100_003) / 1000, seed(i, 15_485_863, 1e8) / 1e6],
  )
  for (const [kinds, all] of [
    [['int32', 'int32'], rows],
    [['float64', 'float64'], prices],
  ] as const) {
    for (const groupCount of [1, 256, 257, 2000]) {
      const grouped = all.map(([, ...values], i): Row => [(i * 31) % groupCount, ...values])
      const feed = new Feed(kinds)
      // Groups appear as they would: few, then more.
      feed.add(grouped.slice(0, 5)).add(grouped.slice(5, 6005)).add(grouped.slice(6005))
      expect(feed.results()).toEqual(feed.expected())
      const other = new Feed(kinds).add(grouped.slice(4000)).add(grouped.slice(0, 4000))
      other.resizeTo(feed.groupCount)
      expect(Buffer.compare(other.state(), feed.state())).toBe(0)
      feed.free()
      other.free()
    }
  }
}, 60_000)

/** Many times the same rows, of integers, all of group 0; and the results of `name` and of its population. */
function repeated(feed: Feed, times: number, columns: readonly (readonly bigint[])[], name: MomentQuestion['name']) {
  const [{ length: rowCount }] = columns
  const mark = k.memory.mark()
  const vectors = columns.map((values, i) => laneVector(k, typeOf(feed.kinds[i]), values))
  feed.accumulator.resize(1)
  for (let i = 0; i < times; i++) {
    feed.accumulator.update({ groups: 0, rowCount, vectors, validity: 0, valueCount: rowCount, position: 0 })
  }
  const counts = k.memory.scratch(8)
  k.memory.i64[counts >>> 3] = BigInt(times * rowCount)
  const results = [false, true].map(population =>
    bits(valuesOf(k, feed.accumulator.evaluate(feed.spec(question(name, population)), counts))[0] as number),
  )
  k.memory.reset(mark)
  return results
}

/** The same of so many times two rows. */
function expectedOfTwo(rows: number, [[a, b], [c, d] = [a, b]]: readonly (readonly bigint[])[]) {
  const half = BigInt(rows / 2)
  const n = 2n * half
  const above = n * half * (a * c + b * d) - half * half * (a + b) * (c + d)
  return [n * (n - 1n), n * n].map(below => bits(nearest(above << 1074n, below)))
}

const alternating = (two: readonly bigint[]) => Array.from({ length: 60_000 }, (_, i) => two[i & 1])

test('between lanes, lanes of one layout are added as they are, until they might run over', () => {
  const rows = Array.from({ length: 3000 }, (_, i): Row => [i % 300, BigInt(1 + (i % 5)), BigInt(1 + (i % 15))])
  const feed = new Feed(['int32', 'int32']).add(rows)
  const whole = new Feed(['int32', 'int32']).merge(feed, true).add(rows)
  for (let i = 0; i < 3; i++) whole.merge(whole, true)
  expect(whole.check().accumulator.kernel).toBe('int32 int32 packed')
  const all = new Feed(['int32', 'int32'])
  // Each group's state doubled 30 times, and then merged where all that is there is as large.
  for (let i = 0; i < 15; i++) whole.accumulator.merge(laneReader(whole), groupPointer(k, groupsOf(whole)), 300, 1)
  all.resizeTo(300).accumulator.merge(laneReader(whole), groupPointer(k, groupsOf(whole)), 300, 1)
  expect(all.state()).toEqual(whole.state())
  expect(whole.accumulator.kernel).toBe('int32 int32 packed wide')
  k.memory.reset(0)
})

const groupsOf = ({ groupCount }: Feed) => Array.from({ length: groupCount }, (_, i) => i)

function laneReader(feed: Feed) {
  const reader = createStateReader(feed.state(0, feed.groupCount, true))
  reader.forLane = true
  return reader
}

test('lanes that might run over are emptied in time', () => {
  // 21 bits: squares of 2^42, of which 2^20 fit.
  const two = [2n ** 21n - 1n, -(2n ** 21n) + 5n]
  for (const kinds of [['int32'], ['int64']] as const) {
    const feed = new Feed(kinds)
    expect(repeated(feed, 45, [alternating(two)], 'variance')).toEqual(expectedOfTwo(45 * 60_000, [two]))
    expect(feed.accumulator.kernel).toBe(`${kinds[0]} narrow wide`)
    feed.free()
  }
})

test('packed lanes that might run over are measured, and emptied only where they must be', () => {
  const twice = [
    [5n, 4n],
    [15n, 2n],
  ]
  for (const [times, kernel] of [
    [3, 'int32 int32 packed'],
    [12, 'int32 int32 packed wide'],
  ] as const) {
    const feed = new Feed(['int32', 'int32'])
    expect(repeated(feed, times, twice.map(alternating), 'covariance')).toEqual(expectedOfTwo(times * 60_000, twice))
    expect(feed.accumulator.kernel).toBe(kernel)
    feed.free()
  }
})

test('of one input, aggregates share their sums, and groups without a value are null', () => {
  const specs = (['variance', 'stddev', 'mean', 'count'] as const).map(name => ({
    function: name,
    inputs: [nullable(float64())],
    inputIndex: 0,
    parameters: {},
    label: `${name}(x)`,
  }))
  const before = k.memory.usedBytes
  const aggregation = createAggregation(accumulatorContext(k), specs)
  aggregation.resize(3)
  const vector = laneVector(k, nullable(float64()), [1, 2, 4, null, 8, null])
  aggregation.update(groupPointer(k, [0, 0, 0, 1, 2, 2]), [{ vectors: [vector], validity: vector.validity }], 6, 0)
  expect(aggregation.evaluate(3).map(result => valuesOf(k, result))).toEqual([
    [7 / 3, null, null],
    [Math.sqrt(7 / 3), null, null],
    [7 / 3, null, 8],
    [3n, 0n, 1n],
  ])
  aggregation.free()
  k.memory.reset(0)
  k.memory.trim()
  expect(k.memory.usedBytes).toBe(before)
})

test('everything is given back', () => {
  const before = k.memory.usedBytes
  const feed = new Feed(['float64', 'float64'])
    .add([[0, 1, 2]])
    .add([[1, 0.1, 1]])
    .add([[2, 1e300, 1e-300]])
    .add([[0, NaN, 1]])
    .check()
  new Feed(['float64', 'float64']).merge(feed).free()
  feed.free()
  k.memory.reset(0)
  k.memory.trim()
  expect(k.memory.usedBytes).toBe(before)
})
