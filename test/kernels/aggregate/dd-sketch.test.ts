// Approximate quantiles: within their error over many distributions, and a function of the multiset whatever comes and goes.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type DataType, float64, int32, int64, isNumber } from '../../../src/columnar/type.js'
import type { Kernels } from '../../../src/kernels/instance.js'
import { anyDouble, makeKernels } from '../support.js'
import { compareNumbers } from './model.js'
import { anyDeal, mergedLane, type Row, SCALARS, SketchLane } from './sketch-lane.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const NUMBERS = SCALARS.filter(([type]) => isNumber(type.kind))
const QUANTILES = [0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1]
const ERRORS = [0.9, 0.5, 0.1, 0.01, 0.001, 1e-6]

const sketch = (type: DataType, error?: number) =>
  new SketchLane(k, 'approxQuantile', type, error === undefined ? {} : { error })

const quantilesOf = (lane: SketchLane, group = 0): number[] =>
  QUANTILES.map(q => lane.results({ ...lane.spec.parameters, q })[group] as number)

/** Holds estimates against the values of their ranks. */
function checkWithin(estimates: readonly number[], values: readonly number[], error: number): void {
  const sorted = [...values].sort(compareNumbers)
  QUANTILES.forEach((q, i) => {
    const exact = sorted[Math.floor(q * (sorted.length - 1))]
    const estimate = estimates[i]
    const context = `q ${q} of ${values.length}, error ${error}: ${estimate} for ${exact}`
    if (!Number.isFinite(exact)) expect(estimate, context).toBe(exact)
    else if (Math.abs(exact) < 2 ** -1022) expect(estimate, context).toBe(0)
    else expect(Math.abs(estimate / exact - 1), context).toBeLessThanOrEqual(error)
  })
}

interface Case {
  readonly type: DataType
  readonly error: number
  readonly groupCount: number
  readonly rows: readonly Row[]
  readonly lanes: readonly Row[][][]
  /** Rows that come and go again. */
  readonly passing: readonly Row[]
}

const anyCase: fc.Arbitrary<Case> = fc.constantFrom(...NUMBERS).chain(([type, value]) =>
  fc
    .record({
      error: fc.constantFrom(...ERRORS),
      groupCount: fc.integer({ min: 1, max: 4 }),
      values: fc.array(fc.oneof({ weight: 6, arbitrary: value }, fc.constant(null)), { maxLength: 150, size: 'max' }),
      passing: fc.array(value, { maxLength: 50 }),
      draws: fc.array(fc.nat(), { minLength: 150, maxLength: 150 }),
    })
    .chain(({ values, passing, draws, groupCount, error }) => {
      const rows = values.map((x, i): Row => [draws[i] % groupCount, x])
      return anyDeal(rows).map(lanes => ({
        type,
        error,
        groupCount: groupCount + 1,
        rows,
        lanes,
        passing: passing.map((x, i): Row => [draws[i] % groupCount, x]),
      }))
    }),
)

function checkCase({ type, error, groupCount, rows, lanes, passing }: Case): void {
  const whole = sketch(type, error).resize(groupCount).add(rows)
  for (let group = 0; group < groupCount; group++) {
    const values = rows.flatMap(([of, x]) => (of === group && x !== null ? [Number(x)] : []))
    if (values.length > 0) checkWithin(quantilesOf(whole, group), values, error)
  }
  const parts = mergedLane(() => sketch(type, error), groupCount, lanes)
  expect(parts.state()).toEqual(whole.state())
  expect(parts.results({ error, q: 0.3 })).toEqual(whole.results({ error, q: 0.3 }))
  // What came and went leaves nothing, in whatever order; in the end nothing is left at all.
  parts.add(passing)
  parts.add([...passing].reverse(), { retract: true })
  expect(parts.state()).toEqual(whole.state())
  for (const batch of lanes.flat().reverse()) parts.add(batch, { retract: true })
  const empty = sketch(type, error).resize(groupCount)
  expect(parts.state()).toEqual(empty.state())
  for (const lane of [whole, parts, empty]) lane.free()
}

describe('approxQuantile', () => {
  test('of any numbers is within its error, whatever order, chunks, merges and retractions', () => {
    fc.assert(fc.property(anyCase, checkCase), { numRuns: 200 })
  })

  test('is within its error at the edges of buckets and of doubles', () => {
    const around = (x: number) => [x * (1 - 2 ** -53), x, x * (1 + 2 ** -52)]
    for (const error of ERRORS) {
      const gamma = (1 + error) / (1 - error)
      const edges = Array.from({ length: 400 }, (_, i) => gamma ** (i - 200)).filter(x => Number.isFinite(x))
      const powers = Array.from({ length: 2046 }, (_, i) => 2 ** (i - 1022))
      const values = [...[...edges, ...powers].flatMap(around), Number.MAX_VALUE, 2 ** -1022].filter(
        x => x >= 2 ** -1022,
      )
      const rows = values.flatMap((x, i): Row[] => [
        [2 * i, x],
        [2 * i + 1, -x],
      ])
      const lane = sketch(float64(), error).resize(rows.length).add(rows)
      const results = lane.results({ error, q: 0.5 }) as number[]
      values.forEach((x, i) => {
        expect(Math.abs(results[2 * i] / x - 1), `${x}, error ${error}`).toBeLessThanOrEqual(error)
        expect(results[2 * i + 1]).toBe(-results[2 * i])
      })
      lane.free()
    }
  })

  test('has NaN greatest, infinities apart, and one 0 for what is below normal doubles', () => {
    const lane = sketch(float64()).resize(1)
    const values = [NaN, 5e-324, -Infinity, 0, Infinity, -0, -1e-310]
    lane.add(values.map((x): Row => [0, x]))
    expect(values.map((_, i) => lane.results({ q: i / 6 })[0])).toEqual([-Infinity, 0, 0, 0, 0, Infinity, NaN])
    const ends = sketch(float64(), 1e-6)
      .resize(1)
      .add([Infinity, Number.MAX_VALUE, -Number.MAX_VALUE].map((x): Row => [0, x]))
    expect(ends.results({ q: 1 })).toEqual([Infinity])
    checkWithin(quantilesOf(ends), [Infinity, Number.MAX_VALUE, -Number.MAX_VALUE], 1e-6)
  })

  test('counts beyond 32 bits in one bucket, up and down', () => {
    const counts = (lane: SketchLane) => {
      const words = new Int32Array(lane.state().slice().buffer)
      const length = words[2]
      return Array.from({ length }, (_, i) => words[3 + 2 * i])
    }
    let lane = sketch(int32())
      .resize(1)
      .add([
        [0, 7],
        [0, -7],
      ])
    // Doubling by merging with itself.
    for (let i = 0; i < 29; i++) lane.merge(lane.state(), [0])
    expect(counts(lane)).toEqual([2 ** 29, 2 ** 29])
    lane.merge(lane.state(), [0])
    expect(counts(lane)).toEqual([1, 1])
    const before = lane.state()
    lane.add(
      [
        [0, 7],
        [0, 7],
        [0, -7],
      ],
      { retract: true },
    )
    expect(counts(lane)).toEqual([2 ** 30 - 1, 2 ** 30 - 2])
    lane.add([
      [0, 7],
      [0, -7],
      [0, 7],
    ])
    expect(lane.state()).toEqual(before)
    for (let i = 30; i < 45; i++) lane.merge(lane.state(), [0])
    expect(counts(lane)).toEqual([2 ** 15, 2 ** 15])
    lane.add([[0, 7]])
    expect(counts(lane)).toEqual([2 ** 15, 1, 2 ** 15])
    expect(lane.results({ q: 0.499 })[0]).toBeLessThan(0)
    expect(lane.results({ q: 0.501 })[0]).toBeGreaterThan(0)
    const other = sketch(int32()).resize(1).merge(lane.state(), [0])
    expect(other.state()).toEqual(lane.state())
    lane = other
    lane.add([[0, 7]], { retract: true })
    expect(counts(lane)).toEqual([2 ** 15, 2 ** 15])
  })

  test('refuses a state of another error', () => {
    const state = sketch(int32(), 0.02).resize(1).state()
    expect(() => sketch(int32(), 0.01).resize(1).merge(state, [0])).toThrow(/MR_VERSION_MISMATCH/)
  })
})

describe('the error over seeds', () => {
  const distributions: Readonly<Record<string, (uniform: () => number, i: number) => number>> = {
    uniform: uniform => uniform() * 1000,
    'normal, both signs': uniform => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    exponential: uniform => -Math.log(1 - uniform()),
    'Pareto, heavy tail': uniform => (1 - uniform()) ** -3,
    lognormal: uniform => Math.exp(4 * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())),
    'all magnitudes': uniform => (uniform() - 0.5) * 10 ** (600 * uniform() - 300),
    'few values': uniform => Math.floor(uniform() * 5),
    ascending: (_, i) => i + 1,
    descending: (_, i) => 1 / (i + 1),
    'all equal': () => 42.42,
  }

  test('holds for every quantile of every distribution', () => {
    const seed = 0xdd5e
    for (const [name, draw] of Object.entries(distributions)) {
      let worst = 0
      for (const error of [0.1, 0.01, 0.001]) {
        for (let run = 0; run < 5; run++) {
          let state = seed + 7919 * run
          const uniform = () => {
            // Mulberry32.
            state = (state + 0x6d2b79f5) | 0
            let x = Math.imul(state ^ (state >>> 15), 1 | state)
            x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
            return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
          }
          const values = Array.from({ length: 5000 }, (_, i) => draw(uniform, i))
          const lane = sketch(float64(), error)
            .resize(1)
            .add(
              values.map((x): Row => [0, x]),
              { keyless: true },
            )
          const estimates = quantilesOf(lane)
          checkWithin(estimates, values, error)
          const sorted = [...values].sort(compareNumbers)
          QUANTILES.forEach((q, i) => {
            const exact = sorted[Math.floor(q * (values.length - 1))]
            if (exact !== 0) worst = Math.max(worst, Math.abs(estimates[i] / exact - 1) / error)
          })
          lane.free()
        }
      }
      console.log(`${name}, seed ${seed}: at worst ${worst.toFixed(4)} of the error allowed`)
    }
  })
})

describe('memory', () => {
  test('is a few bytes for a group of few values, and does not grow with what passes through', () => {
    const groupCount = 100_000
    const lane = sketch(int64())
    const before = k.memory.usedBytes
    lane.resize(groupCount)
    const rows = (from: number, value: number) =>
      Array.from({ length: 50_000 }, (_, i): Row => [from + i, BigInt(value * 1000 + (i % 7) + 1)])
    for (let value = 0; value < 3; value++)
      for (let from = 0; from < groupCount; from += 50_000) lane.add(rows(from, value))
    k.memory.trim()
    const bytes = k.memory.usedBytes - before
    console.log(`${(bytes / groupCount).toFixed(1)} bytes a group of 3 values`)
    expect(bytes / groupCount).toBeLessThan(90)
    const one = sketch(float64()).resize(1)
    const passing = fc.sample(anyDouble, { numRuns: 4000, seed: 3 })
    const use = () => {
      k.memory.trim()
      return k.memory.usedBytes
    }
    const at = use()
    for (let i = 0; i < passing.length; i += 20) {
      const batch = passing.slice(i, i + 20).map((x): Row => [0, x])
      one.add(batch).add(batch, { retract: true })
    }
    expect(use() - at).toBeLessThanOrEqual(65_536)
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
