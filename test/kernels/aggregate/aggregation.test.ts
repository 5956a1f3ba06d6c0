// Any aggregates over any types against a model over arrays: sharing, nulls, filters, chunks, merges. Sums of doubles have more of
// their own in sum-float.test.ts.

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
  isFloat,
  isNumber,
  nullable,
  timestamp,
  uint8,
  uint16,
  uint32,
  utf8,
} from '../../../src/columnar/type.js'
import type { MillraceError } from '../../../src/errors.js'
import type { AggregateFunction, AggregateSpec } from '../../../src/kernels/aggregate/accumulator.js'
import { type Aggregation, createAggregation } from '../../../src/kernels/aggregate/aggregation.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import type { LaneVector } from '../../../src/kernels/lane-vector.js'
import { rangeOf } from '../../../src/kernels/stats.js'
import { LaneDictionary } from '../../../src/kernels/text.js'
import {
  accumulatorContext,
  anyDouble,
  anyInt32,
  anyInt64,
  bitmap,
  laneVector,
  makeKernels,
  valuesOf,
} from '../support.js'
import {
  bitsOfDouble,
  columnOf,
  compareBytes,
  compareNumbers,
  groupPointer,
  modelBest,
  modelFloat,
  modelIntMean,
  type Value,
} from './model.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const arbitraries: readonly (readonly [DataType, fc.Arbitrary<Value>])[] = [
  [bool(), fc.boolean()],
  [int8(), fc.integer({ min: -128, max: 127 })],
  [uint8(), fc.integer({ min: 0, max: 255 })],
  [int16(), fc.integer({ min: -32768, max: 32767 })],
  [uint16(), fc.integer({ min: 0, max: 65535 })],
  [int32(), fc.oneof(anyInt32, fc.integer({ min: -1000, max: 1000 }))],
  [int32(), fc.integer({ min: -9, max: 9 })],
  [uint32(), fc.integer({ min: 0, max: 2 ** 32 - 1 })],
  [date(), anyInt32],
  [int64(), anyInt64],
  [timestamp('us'), anyInt64],
  [float32(), anyDouble.map(Math.fround)],
  [float64(), anyDouble],
  [utf8(), fc.oneof(fc.constantFrom('', 'a', 'ab', 'b', '\u{10000}', '\uffff'), fc.string({ unit: 'grapheme' }))],
]

interface Input {
  readonly type: DataType
  readonly functions: readonly AggregateFunction[]
  readonly nulls: boolean
  readonly filtered: boolean
  readonly value: fc.Arbitrary<Value>
}

const anyInput: fc.Arbitrary<Input> = fc.constantFrom(...arbitraries).chain(([type, value]) =>
  fc.record({
    type: fc.constant(type),
    functions: fc.subarray<AggregateFunction>(
      isNumber(type.kind) ? ['count', 'sum', 'mean', 'min', 'max'] : ['count', 'min', 'max'],
      { minLength: 1 },
    ),
    nulls: fc.boolean(),
    filtered: fc.boolean(),
    value: fc.constant(value),
  }),
)

interface Row {
  readonly group: number
  readonly values: readonly Value[]
  readonly kept: readonly boolean[]
}

const anyRow = (inputs: readonly Input[]): fc.Arbitrary<Row> =>
  fc.record({
    group: fc.integer({ min: 0, max: 5 }),
    values: fc.tuple(
      ...inputs.map(({ value, nulls }) =>
        nulls ? fc.oneof({ weight: 3, arbitrary: value }, fc.constant(null)) : value,
      ),
    ),
    kept: fc.tuple(...inputs.map(() => fc.boolean())),
  })

interface Case {
  readonly inputs: readonly Input[]
  /** Per part, merged in the end, its batches. */
  readonly parts: readonly (readonly (readonly Row[])[])[]
}

const anyCase: fc.Arbitrary<Case> = fc.array(anyInput, { minLength: 1, maxLength: 4 }).chain(inputs =>
  fc.record({
    inputs: fc.constant(inputs),
    parts: fc.array(fc.array(fc.array(anyRow(inputs), { maxLength: 50 }), { maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
)

const specsOf = (inputs: readonly Input[]): AggregateSpec[] => [
  ...inputs.flatMap(({ type, functions, nulls }, inputIndex) =>
    functions.map(name => ({
      function: name,
      inputs: [nulls ? nullable(type) : type],
      inputIndex,
      parameters: {},
      label: `${name}(#${inputIndex})`,
    })),
  ),
  { function: 'count', inputs: [], inputIndex: inputs.length, parameters: {}, label: 'count()' },
]

/** One lane's: its own groups, in order of appearance, and its own dictionaries. */
class Lane {
  readonly groups: number[] = []
  readonly aggregation: Aggregation
  private readonly inputs: readonly Input[]
  private readonly dictionaries: LaneDictionary[]

  constructor(inputs: readonly Input[]) {
    this.inputs = inputs
    this.aggregation = createAggregation(accumulatorContext(k), specsOf(inputs))
    this.dictionaries = inputs.map(() => new LaneDictionary(k))
  }

  index(group: number): number {
    return this.groups.includes(group) ? this.groups.indexOf(group) : this.groups.push(group) - 1
  }

  update(rows: readonly Row[], keyed: boolean): void {
    const columns = this.inputs.map(({ type, filtered }, i) => {
      const vector = columnOf(
        k,
        type,
        rows.map(({ values }) => values[i]),
        this.dictionaries[i],
      )
      const counts = rows.map(({ values, kept }) => values[i] !== null && (!filtered || kept[i]))
      return { vectors: [ranged(vector)], validity: filtered ? bitmap(k, counts) : vector.validity }
    })
    const indices = rows.map(({ group }) => this.index(keyed ? group : 0))
    this.aggregation.resize(keyed ? this.groups.length : 1)
    this.aggregation.update(
      keyed ? groupPointer(k, indices) : 0,
      [...columns, { vectors: [], validity: 0 }],
      rows.length,
      0,
    )
    if (rows.length > 0) this.aggregation.open(0, keyed ? this.groups.length : 1)
  }

  merge(other: Lane, forLane: boolean): void {
    const groupMap = groupPointer(
      k,
      other.groups.map(group => this.index(group)),
    )
    this.aggregation.resize(this.groups.length)
    const { length } = other.groups
    this.aggregation.merge(
      forLane ? other.aggregation.laneState(0, length, true) : other.aggregation.state(0, length),
      groupMap,
      length,
      1,
    )
    this.aggregation.open(0, this.groups.length)
  }

  free(): void {
    this.aggregation.free()
    for (const dictionary of this.dictionaries) dictionary.free()
  }
}

/** Every second integer column comes with its bounds, as held rows do: sums may then be packed. */
function ranged(vector: LaneVector): LaneVector {
  const { kind } = vector.type
  return kind.startsWith('int') && vector.length % 2 === 0 ? { ...vector, range: rangeOf(k, vector) } : vector
}

function modelOf(name: AggregateFunction, type: DataType | null, values: readonly Exclude<Value, null>[]): Value {
  if (name === 'count') return BigInt(values.length)
  if (values.length === 0 || type === null) return null
  if (name === 'min' || name === 'max') {
    const wanted = name === 'max' ? 1 : -1
    if (type.kind === 'utf8') return modelBest(values as string[], compareBytes, wanted)
    const best = modelBest(values as number[], compareNumbers, wanted)
    return Object.is(best, -0) ? 0 : best
  }
  if (isFloat(type.kind)) return modelFloat(values as number[], name === 'mean')
  const integers = values.map(value => BigInt(value as number))
  return name === 'mean' ? modelIntMean(integers) : integers.reduce((sum, x) => sum + x, 0n)
}

/** A value that tells -0 from 0 and is equal to itself where NaN. */
const shown = (value: Value) => (typeof value === 'number' ? bitsOfDouble(value).toString(16) : value)

function checkCase({ inputs, parts }: Case, keyed: boolean): void {
  const lanes = parts.map(batches => {
    const lane = new Lane(inputs)
    if (!keyed) lane.index(0)
    for (const rows of batches) lane.update(rows, keyed)
    if (batches.length === 0) lane.aggregation.resize(lane.groups.length)
    return lane
  })
  const [first, ...others] = lanes
  for (const [i, other] of others.entries()) first.merge(other, i % 2 === 0)
  const specs = specsOf(inputs)
  const rows = parts.flat(2)
  const expected = specs.map(({ function: name, inputs: [input = null], inputIndex }) =>
    first.groups.map(group => {
      const mine = rows.filter(row => !keyed || row.group === group)
      if (inputIndex === inputs.length) return BigInt(mine.length)
      const { filtered } = inputs[inputIndex]
      return modelOf(
        name,
        input,
        mine.filter(({ kept }) => !filtered || kept[inputIndex]).flatMap(({ values }) => values[inputIndex] ?? []),
      )
    }),
  )
  const overflows = expected.some(
    (values, i) => specs[i].function === 'sum' && values.some(x => typeof x === 'bigint' && BigInt.asIntN(64, x) !== x),
  )
  if (overflows) {
    expect(() => first.aggregation.evaluate(first.groups.length)).toThrow(/MR_INTEGER_OVERFLOW: sum\(#\d\)/)
  } else {
    const results = first.aggregation.evaluate(first.groups.length).map(vector => valuesOf(k, vector).map(shown))
    expect(results).toEqual(expected.map(values => values.map(shown)))
  }
  for (const lane of lanes) lane.free()
  k.memory.reset(0)
}

describe('any aggregates of any inputs', () => {
  test('by group, over batches and lanes', () => {
    fc.assert(
      fc.property(anyCase, each => checkCase(each, true)),
      { numRuns: 500 },
    )
  })

  test('without groups, over batches and lanes, of which some may have no rows', () => {
    fc.assert(
      fc.property(anyCase, each => checkCase(each, false)),
      { numRuns: 300 },
    )
  })
})

test('pointers beyond 2 GiB are as good as any', () => {
  k.memory.allocate(2 ** 31)
  fc.assert(
    fc.property(anyCase, fc.boolean(), (each, keyed) => {
      checkCase(each, keyed)
      expect(k.memory.scratch(16)).toBeGreaterThan(2 ** 31)
      k.memory.reset(0)
    }),
    { numRuns: 50 },
  )
})

test('a merged sum beyond every addend keeps its high bits when a lower base comes', () => {
  const input = {
    type: float64(),
    functions: ['sum', 'mean'],
    nulls: false,
    filtered: false,
    value: fc.constant(0),
  } as const
  const part = (value: number) => [[{ group: 0, values: [value], kept: [true] }]]
  checkCase({ inputs: [input], parts: [part(2), part(-(2 ** 53)), part(-(2 ** -60))] }, true)
})

const one = (name: AggregateFunction, input: DataType | null): AggregateSpec => ({
  function: name,
  inputs: input === null ? [] : [input],
  inputIndex: 0,
  parameters: {},
  label: `${name}(x)`,
})

describe('sums of integers', () => {
  const summed = (batches: readonly (readonly bigint[])[], names: readonly AggregateFunction[] = ['sum']) => {
    const aggregation = createAggregation(
      accumulatorContext(k),
      names.map(name => one(name, int64())),
    )
    for (const values of batches) {
      aggregation.resize(1)
      const vector = laneVector(k, int64(), values)
      aggregation.update(
        groupPointer(
          k,
          values.map(() => 0),
        ),
        [{ vectors: [vector], validity: 0 }],
        values.length,
        0,
      )
      aggregation.open(0, 1)
    }
    return aggregation
  }
  const most = 2n ** 63n - 1n

  test('are judged at the end: a total that came back is no error', () => {
    const aggregation = summed([[most, most, 5n], [-most], [-most, 2n]])
    expect(valuesOf(k, aggregation.evaluate(1)[0])).toEqual([7n])
    expect(aggregation.kernels).toEqual(['sum int64 128'])
  })

  test('beyond int64 are an error that names the aggregate', () => {
    for (const values of [
      [most, 1n],
      [-most, -2n],
      [most, most, most],
    ]) {
      expect(() => summed([values]).evaluate(1)).toThrow(/MR_INTEGER_OVERFLOW: sum\(x\)/)
    }
    expect(valuesOf(k, summed([[-most, -1n]]).evaluate(1)[0])).toEqual([-(2n ** 63n)])
  })

  test('beyond int64 have a mean all the same', () => {
    expect(valuesOf(k, summed([[most, most, most - 3n]], ['mean']).evaluate(1)[0])).toEqual([2 ** 63])
  })

  test('stay in one limb while the values seen cannot overflow it', () => {
    expect(summed([[1n, 2n ** 50n]]).kernels).toEqual(['sum int64'])
  })
})

describe('min and max', () => {
  const extremes = (values: readonly (number | null)[]) => {
    const aggregation = createAggregation(accumulatorContext(k), [
      one('min', nullable(float64())),
      one('max', nullable(float64())),
    ])
    aggregation.resize(1)
    const vector = laneVector(k, nullable(float64()), values)
    aggregation.update(0, [{ vectors: [vector], validity: vector.validity }], values.length, 0)
    aggregation.open(0, 1)
    return aggregation.evaluate(1).map(result => valuesOf(k, result)[0])
  }

  test('NaN is greatest, and least only where all are NaN', () => {
    expect(extremes([NaN, 1, Infinity])).toEqual([1, NaN])
    expect(extremes([NaN, null, NaN])).toEqual([NaN, NaN])
  })

  test('there is one zero', () => {
    expect(extremes([-0])).toEqual([0, 0])
    expect(extremes([-0, 0])).toEqual([0, 0])
  })

  test('of some groups are what they are of all', () => {
    for (const [type, values] of arbitraries) {
      const rows = fc.sample(fc.tuple(fc.nat({ max: 40 }), fc.option(values, { freq: 2 })), { numRuns: 90, seed: 11 })
      const aggregation = createAggregation(accumulatorContext(k), [
        one('min', nullable(type)),
        one('max', nullable(type)),
      ])
      aggregation.resize(41)
      const vector = columnOf(
        k,
        nullable(type),
        rows.map(([, value]) => value),
        new LaneDictionary(k),
      )
      const groups = rows.map(([group]) => group)
      aggregation.update(groupPointer(k, groups), [{ vectors: [vector], validity: vector.validity }], rows.length, 0)
      aggregation.open(0, 41)
      const all = aggregation.evaluate(41).map(result => valuesOf(k, result).map(shown))
      const places = [40, 3, 3, 0, 17]
      const some = aggregation.evaluateAt(groupPointer(k, places), places.length)
      expect(some?.map(result => valuesOf(k, result).map(shown))).toEqual(
        all.map(results => places.map(place => results[place])),
      )
      expect(all[0]).toContain(null)
    }
  })

  test('of some groups are not to be had where something is counted beside', () => {
    const aggregation = createAggregation(accumulatorContext(k), [one('min', int32()), one('mean', int32())])
    aggregation.resize(1)
    expect(aggregation.evaluateAt(groupPointer(k, [0]), 1)).toBe(null)
  })

  test('of strings follow bytes while the dictionary grows, and merge across dictionaries', () => {
    const words = Array.from({ length: 400 }, (_, i) => `${(i * 7919) % 1000}-${i}`)
    const lanes = [new LaneDictionary(k), new LaneDictionary(k)].map((dictionary, part) => {
      const aggregation = createAggregation(accumulatorContext(k), [one('min', utf8()), one('max', utf8())])
      aggregation.resize(2)
      for (let from = part * 200; from < part * 200 + 200; from += 20) {
        const batch = words.slice(from, from + 20)
        const vector = columnOf(k, utf8(), batch, dictionary)
        aggregation.update(
          groupPointer(
            k,
            batch.map((_, i) => i % 2),
          ),
          [{ vectors: [vector], validity: 0 }],
          batch.length,
          0,
        )
        aggregation.open(0, 2)
      }
      return aggregation
    })
    lanes[0].merge(lanes[1].state(0, 2), groupPointer(k, [1, 0]), 2, 1)
    const even = words.filter((_, i) => (i % 2 === 0) === i < 200)
    const odd = words.filter((_, i) => (i % 2 === 1) === i < 200)
    expect(lanes[0].evaluate(2).map(vector => valuesOf(k, vector))).toEqual([
      [modelBest(even, compareBytes, -1), modelBest(odd, compareBytes, -1)],
      [modelBest(even, compareBytes, 1), modelBest(odd, compareBytes, 1)],
    ])
  })
})

describe('equal state is kept once', () => {
  test('the sum, mean and count of one input cost what the mean alone costs', () => {
    const kernels = (names: readonly AggregateFunction[]) => {
      const before = k.memory.usedBytes
      const aggregation = createAggregation(
        accumulatorContext(k),
        names.map(name => one(name, int32())),
      )
      aggregation.resize(100_000)
      return k.memory.usedBytes - before
    }
    expect(kernels(['sum', 'mean', 'count'])).toBe(kernels(['mean']))
    expect(kernels(['mean', 'mean', 'min', 'min'])).toBe(kernels(['mean', 'min']))
  })
})

describe('a state', () => {
  const stateOf = (specs: readonly AggregateSpec[]) => {
    const aggregation = createAggregation(accumulatorContext(k), specs)
    aggregation.resize(1)
    return aggregation.state(0, 1)
  }
  const codeOf = (act: () => void) => {
    try {
      act()
    } catch (error) {
      return (error as MillraceError).code
    }
    return undefined
  }
  const merged = (bytes: Uint8Array, groupCount = 1) => {
    const aggregation = createAggregation(accumulatorContext(k), [one('mean', float64()), one('max', int32())])
    aggregation.resize(1)
    aggregation.merge(bytes, groupPointer(k, [0]), groupCount, 1)
  }
  const whole = () => stateOf([one('mean', float64()), one('max', int32())])

  test('of other aggregates is refused', () => {
    expect(codeOf(() => merged(whole()))).toBe(undefined)
    expect(codeOf(() => merged(stateOf([one('sum', float64()), one('max', int32())])))).toBe('MR_VERSION_MISMATCH')
    expect(codeOf(() => merged(stateOf([one('mean', float64()), one('max', int64())])))).toBe('MR_VERSION_MISMATCH')
    expect(codeOf(() => merged(stateOf([one('mean', float64())])))).toBe('MR_VERSION_MISMATCH')
  })

  test('of another version, or of something else, is refused', () => {
    const other = whole()
    other[4]++
    expect(codeOf(() => merged(other))).toBe('MR_VERSION_MISMATCH')
    other[0]++
    expect(codeOf(() => merged(other))).toBe('MR_FORMAT_ERROR')
    expect(codeOf(() => merged(whole(), 2))).toBe('MR_FORMAT_ERROR')
  })

  test('cut short anywhere is refused', () => {
    const bytes = whole()
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => merged(bytes.subarray(0, length)))).toBe('MR_FORMAT_ERROR')
    }
  })

  test('is the same bytes whatever the order and the chunks of the rows', () => {
    const values = [0.1, 1e10, -7, 0.1, 3.5, 1e-5]
    const bytesOf = (batches: readonly (readonly number[])[]) => {
      const aggregation = createAggregation(accumulatorContext(k), [one('mean', float64()), one('max', float64())])
      for (const batch of batches) {
        aggregation.resize(1)
        const vector = laneVector(k, float64(), batch)
        aggregation.update(
          groupPointer(
            k,
            batch.map(() => 0),
          ),
          [{ vectors: [vector], validity: 0 }],
          batch.length,
          0,
        )
        aggregation.open(0, 2)
      }
      return [...aggregation.state(0, 1)]
    }
    expect(bytesOf([[...values].reverse()])).toEqual(bytesOf([values]))
    expect(bytesOf(values.map(x => [x]))).toEqual(bytesOf([values]))
    // Passing through wide chunks shows no more.
    expect(bytesOf([[...values, 1e300], [-1e300]]).length).toBe(bytesOf([values]).length)
  })
})

test('everything is given back', () => {
  const before = k.memory.usedBytes
  for (const each of fc.sample(anyCase, { numRuns: 20, seed: 7 })) checkCase(each, true)
  k.memory.trim()
  expect(k.memory.usedBytes).toBe(before)
})
