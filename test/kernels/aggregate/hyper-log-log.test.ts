// Approximate distinct counts: every state and estimate against a model by BigInt from the published hash on, the error over many seeds.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type DataType, float64, int32, int64, utf8 } from '../../../src/columnar/type.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { makeKernels } from '../support.js'
import { bitsOfDouble, type Value } from './model.js'
import { anyDeal, mergedLane, type Row, SCALARS, SketchLane } from './sketch-lane.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const MASK = 2n ** 64n - 1n

function mix(x: bigint): bigint {
  x = (x + 0x9e3779b97f4a7c15n) & MASK
  x = ((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
  x = ((x ^ (x >> 27n)) * 0x94d049bb133111ebn) & MASK
  return x ^ (x >> 31n)
}

function hashOf(value: NonNullable<Value>): bigint {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    let hash = BigInt(bytes.length)
    for (let at = 0; at < bytes.length; at += 8) {
      const word = Buffer.alloc(8)
      bytes.copy(word, 0, at)
      hash = mix(hash ^ word.readBigUInt64LE())
    }
    return hash
  }
  if (typeof value === 'bigint') return mix(BigInt.asUintN(64, value))
  return mix(BigInt.asUintN(64, BigInt(value)))
}

function hashOfDouble(value: number): bigint {
  const bits = Number.isNaN(value) ? 0x7ff8000000000000n : bitsOfDouble(value + 0)
  return mix(bits >> 63n ? bits ^ 0x7fffffffffffffffn : bits)
}

const zeros = (bits: bigint, width: number) => width - (bits === 0n ? 0 : bits.toString(2).length)

/** The rank of each register that is not 0. */
function modelRegisters(hashes: readonly bigint[], precision: number): Map<number, number> {
  const registers = new Map<number, number>()
  for (const hash of hashes) {
    const index = Number(hash >> BigInt(64 - precision))
    const rank = zeros(hash & (2n ** BigInt(64 - precision) - 1n), 64 - precision) + 1
    registers.set(index, Math.max(rank, registers.get(index) ?? 0))
  }
  return registers
}

function sigma(x: number): number {
  if (x === 1) return Infinity
  let [y, sum, last] = [1, x, NaN]
  while (sum !== last) {
    x *= x
    last = sum
    sum += x * y
    y += y
  }
  return sum
}

function tau(x: number): number {
  if (x === 0 || x === 1) return 0
  let [y, sum, last] = [1, 1 - x, NaN]
  while (sum !== last) {
    x = Math.sqrt(x)
    last = sum
    y /= 2
    sum -= (1 - x) * (1 - x) * y
  }
  return sum / 3
}

/** Ertl's algorithm 6 over registers of hashes; of few distinct values how many tokens there are. */
function modelEstimate(hashes: readonly bigint[], precision: number): bigint {
  const tokens = new Set(hashes.map(hash => `${hash >> 38n} ${zeros(hash & (2n ** 38n - 1n), 38)}`)).size
  if (tokens <= Math.max(3, Math.floor((3 * 2 ** precision) / 32))) {
    return BigInt(Math.round(tokens + tokens ** 2 / (6 * 2 ** 26)))
  }
  const m = 2 ** precision
  const registers = modelRegisters(hashes, precision)
  const counts = new Array<number>(66 - precision).fill(0)
  counts[0] = m - registers.size
  for (const rank of registers.values()) counts[rank]++
  let sum = m * tau(1 - counts[65 - precision] / m)
  for (let rank = 64 - precision; rank > 0; rank--) sum = 0.5 * (sum + counts[rank])
  sum += m * sigma(counts[0] / m)
  return BigInt(Math.round(((1 / (2 * Math.LN2)) * m * m) / sum))
}

const modelOf = (values: readonly Value[], { kind }: DataType, precision: number): bigint =>
  modelEstimate(
    values
      .filter(value => value !== null)
      .map(value => (kind === 'float64' || kind === 'float32' ? hashOfDouble(value as number) : hashOf(value))),
    precision,
  )

const sketch = (type: DataType, precision?: number) =>
  new SketchLane(k, 'approxCountDistinct', type, precision === undefined ? {} : { precision })

interface Case {
  readonly type: DataType
  readonly precision: number
  readonly groupCount: number
  readonly rows: readonly Row[]
  readonly lanes: readonly Row[][][]
}

const anyCase: fc.Arbitrary<Case> = fc.constantFrom(...SCALARS).chain(([type, value]) =>
  fc
    .record({
      type: fc.constant(type),
      precision: fc.constantFrom(4, 5, 6, 7, 14, 18),
      groupCount: fc.integer({ min: 1, max: 4 }),
      values: fc.array(fc.oneof({ weight: 6, arbitrary: value }, fc.constant(null)), {
        maxLength: 200,
        size: 'max',
      }),
      draws: fc.array(fc.nat(), { minLength: 200, maxLength: 200 }),
    })
    .chain(({ values, draws, ...rest }) => {
      // One group has no rows.
      const rows = values.map((x, i): Row => [draws[i] % rest.groupCount, x])
      return fc.record({
        type: fc.constant(rest.type),
        precision: fc.constant(rest.precision),
        groupCount: fc.constant(rest.groupCount + 1),
        rows: fc.constant(rows),
        lanes: anyDeal(rows),
      })
    }),
)

function checkCase({ type, precision, groupCount, rows, lanes }: Case): void {
  const whole = sketch(type, precision).resize(groupCount).add(rows)
  const wanted = Array.from({ length: groupCount }, (_, group) =>
    modelOf(
      rows.filter(row => row[0] === group).map(row => row[1]),
      type,
      precision,
    ),
  )
  expect(whole.results()).toEqual(wanted)
  const parts = mergedLane(() => sketch(type, precision), groupCount, lanes)
  expect(parts.results()).toEqual(wanted)
  expect(parts.state()).toEqual(whole.state())
  whole.free()
  parts.free()
}

describe('approxCountDistinct', () => {
  test('is a function of the set of values: any type, order, chunks and merges give the same bits', () => {
    fc.assert(fc.property(anyCase, checkCase), { numRuns: 300 })
  })

  test('counts few values exactly', () => {
    for (const n of [0, 1, 2, 3, 4, 100, 1536]) {
      const rows = Array.from({ length: 2 * n }, (_, i): Row => [0, (i % n) * 0.25 - 7])
      expect(sketch(float64()).resize(1).add(rows, { keyless: true }).results()).toEqual([BigInt(n)])
    }
  })

  test('passes from tokens to registers at the same set whatever the order', () => {
    const values = Array.from({ length: 3000 }, (_, i) => i)
    for (const n of [1536, 1537, 3000]) {
      const wanted = [modelOf(values.slice(0, n), int32(), 14)]
      const rows = values.slice(0, n).map((x): Row => [0, x])
      const forth = sketch(int32()).resize(1).add(rows)
      const back = sketch(int32())
        .resize(1)
        .add([...rows].reverse())
      const halves = mergedLane(() => sketch(int32()), 1, [[rows.slice(0, 800)], [rows.slice(700)]])
      for (const each of [forth, back, halves]) {
        expect(each.results()).toEqual(wanted)
        expect(each.state()).toEqual(forth.state())
      }
    }
  })

  test('has the registers that the hashes themselves have, at every precision', () => {
    const values = Array.from({ length: 30_000 }, (_, i) => i * 3 - 40_000)
    const hashes = values.map(hashOf)
    for (let precision = 4; precision <= 18; precision++) {
      const lane = sketch(int32(), precision).resize(1)
      lane.add(values.map((x): Row => [0, x]))
      // precision, 0xffffffff tokens, and then registers.
      const registers = lane.state().subarray(8)
      expect(registers.length).toBe(2 ** precision)
      const found = [...registers.entries()].filter(([, rank]) => rank > 0)
      expect(new Map(found)).toEqual(modelRegisters(hashes, precision))
      lane.free()
    }
  })

  test('has -0 for 0 and one NaN, and no value in nulls', () => {
    const rows = [0, -0, NaN, -NaN, null, Infinity, -Infinity].map((x): Row => [0, x])
    expect(sketch(float64()).resize(2).add(rows).results()).toEqual([4n, 0n])
  })

  test('writes what is published: precision, tokens of fixed hashes', () => {
    const words = (state: Uint8Array) => [...new Uint32Array(state.slice().buffer)]
    const tokens = (hashes: bigint[]) =>
      hashes.map(hash => Number(hash >> 38n) * 64 + zeros(hash & (2n ** 38n - 1n), 38) + 1).sort((a, b) => a - b)
    // SplitMix64 seeded with 0 gives 0xe220a8397b1dcdaf first (Steele, Lea, Flood 2014).
    expect(mix(0n)).toBe(0xe220a8397b1dcdafn)
    expect(
      words(
        sketch(int64())
          .resize(1)
          .add([[0, 0n]])
          .state(),
      ),
    ).toEqual([14, 1, 0xe220a801])
    expect(
      words(
        sketch(utf8())
          .resize(2)
          .add([
            [1, 'millrace'],
            [1, 'a'],
          ])
          .state(),
      ),
    ).toEqual([14, 0, 2, ...tokens([mix(8n ^ Buffer.from('millrace').readBigUInt64LE()), mix(1n ^ 0x61n)])])
  })

  test('refuses a state of another precision', () => {
    const state = sketch(int32(), 12).resize(1).state()
    expect(() => sketch(int32(), 13).resize(1).merge(state, [0])).toThrow(/MR_VERSION_MISMATCH.*precision 12/)
  })
})

describe('the error', () => {
  /** Root of the mean square of the relative error over seeds, at growing counts of distinct values. */
  function errorsOf(precision: number, sizes: readonly number[], seeds: number): number[] {
    const block = 65_536
    const sums = sizes.map(() => 0)
    for (let seed = 0; seed < seeds; seed++) {
      const lane = sketch(int64(), precision).resize(1)
      const mark = k.memory.mark()
      const data = k.memory.scratch(8 * block)
      let n = 0
      sizes.forEach((size, i) => {
        while (n < size) {
          const length = Math.min(block, size - n)
          const { u32 } = k.memory
          for (let row = 0; row < length; row++) {
            u32[(data >>> 2) + 2 * row] = n + row
            u32[(data >>> 2) + 2 * row + 1] = seed
          }
          lane.addVector({ type: int64(), length, data, validity: 0, dictionary: null, range: null }, 0)
          n += length
        }
        sums[i] += (Number(lane.results()[0]) / size - 1) ** 2
      })
      k.memory.reset(mark)
      lane.free()
    }
    return sums.map(sum => Math.sqrt(sum / seeds))
  }

  test('over 200 seeds stays within 1.04 / sqrt(2^precision), and a tenth', () => {
    const sizes = [100, 10_000, 1_000_000]
    const errors = errorsOf(14, sizes, 200)
    console.log(`precision 14: ${sizes.map((n, i) => `${n}: ${(100 * errors[i]).toFixed(3)}%`).join('  ')}`)
    expect(errors[0]).toBe(0)
    for (const error of errors) expect(error).toBeLessThan((1.1 * 1.04) / 2 ** 7)
  })

  test('of every precision too, where tokens end and far beyond', () => {
    for (const precision of [4, 6, 10, 12, 18]) {
      const m = 2 ** precision
      const sizes = [m >> 3, m >> 2, m, 3 * m, 20 * m].filter(n => n < 1_000_000)
      const seeds = Math.min(1000, Math.ceil(20_000_000 / (20 * m)), 400)
      const errors = errorsOf(precision, sizes, seeds)
      const bound = (precision < 6 ? 1.25 : 1.15) * 1.04 * m ** -0.5
      console.log(
        `precision ${precision}, ${seeds} seeds, bound ${(104 * m ** -0.5).toFixed(3)}%: ` +
          sizes.map((n, i) => `${n}: ${(100 * errors[i]).toFixed(3)}%`).join('  '),
      )
      // The fewer the seeds, the more the measured error itself may err.
      for (const error of errors) expect(error).toBeLessThan(bound * (1 + 2 / Math.sqrt(2 * seeds)))
    }
  })
})

describe('memory', () => {
  test('is a few bytes for a group of few values', () => {
    const groupCount = 100_000
    const lane = sketch(int32())
    const before = k.memory.usedBytes
    lane.resize(groupCount)
    for (let value = 0; value < 3; value++) {
      for (let from = 0; from < groupCount; from += 50_000) {
        lane.add(Array.from({ length: 50_000 }, (_, i): Row => [from + i, value * 1000 + (i % 7)]))
      }
    }
    k.memory.trim()
    const bytes = k.memory.usedBytes - before
    console.log(`${(bytes / groupCount).toFixed(1)} bytes a group of 3 values`)
    expect(bytes / groupCount).toBeLessThan(45)
    expect(new Set(lane.results())).toEqual(new Set([3n]))
  })

  test('beyond 2 GiB is as good as any', () => {
    k.memory.allocate(2 ** 31)
    for (const each of fc.sample(anyCase, { numRuns: 20, seed: 8 })) checkCase(each)
  })

  test('is given back', () => {
    const before = k.memory.usedBytes
    for (const each of fc.sample(anyCase, { numRuns: 20, seed: 7 })) checkCase(each)
    k.memory.trim()
    expect(k.memory.usedBytes).toBe(before)
  })
})
