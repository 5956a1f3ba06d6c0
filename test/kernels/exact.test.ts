// Limbs against big integers: rounding of sums and means of any count, carries, changes of layout, the portable digits.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  addDigitsToLimbs,
  digitsOfLimbs,
  exponentOf,
  type Lane,
  type LimbLayout,
  limbsToIntegers,
  relayLimbs,
  roundLimbs,
  spanOfDigits,
} from '../../src/kernels/exact.js'
import type { Kernels } from '../../src/kernels/instance.js'
import { bitsOfDouble, nearest } from './aggregate/model.js'
import { anyInt64, makeKernels } from './support.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

interface Sums {
  readonly layout: LimbLayout
  readonly limbs: readonly (readonly [low: bigint, high: bigint])[]
}

const limb = fc.oneof(
  anyInt64.map(n => BigInt.asIntN(62, n)),
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
  fc.constantFrom(0n, 1n, -1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n),
)

const anySums: fc.Arbitrary<Sums> = fc
  .record({
    size: fc.constantFrom(1 as const, 2 as const),
    base: fc.oneof(fc.integer({ min: -1074, max: 900 }), fc.constantFrom(-1074, -1073, -1022, -60, 0, 970)),
    width: fc.integer({ min: 32, max: 46 }),
    limbs: fc.array(fc.tuple(limb, limb), { minLength: 1, maxLength: 6 }),
  })
  .map(({ size, base, width, limbs }) => ({
    layout: {
      limbs: size,
      base: size === 2 ? Math.min(base, 970 - width) : base,
      width: size === 2 ? width : 0,
      cap: 0,
    },
    limbs: size === 2 ? limbs : limbs.map(([low]) => [low, 0n] as const),
  }))

/** The value of a group as a multiple of its unit. */
const totalOf = ({ layout }: Sums, [low, high]: readonly [bigint, bigint]) => low + (high << BigInt(layout.width))

function put({ layout, limbs }: Sums, stride = 8 * layout.limbs): Lane {
  const pointer = k.memory.scratch(stride * limbs.length)
  limbs.forEach(([low, high], g) => {
    k.memory.i64[(pointer + g * stride) >>> 3] = low
    if (layout.limbs === 2) k.memory.i64[(pointer + g * stride + 8) >>> 3] = high
  })
  return { pointer, stride }
}

function read(layout: LimbLayout, { pointer, stride }: Lane, groupCount: number): bigint[] {
  return Array.from({ length: groupCount }, (_, g) => {
    const low = k.memory.i64[(pointer + g * stride) >>> 3]
    const high = layout.limbs === 2 ? k.memory.i64[(pointer + g * stride + 8) >>> 3] : 0n
    return low + (high << BigInt(layout.width))
  })
}

const inUnits = (value: bigint, base: number) => value << BigInt(base + 1074)
const bits = (values: Iterable<number>) => [...values].map(x => bitsOfDouble(x).toString(16))
const doubles = (pointer: number, count: number) => k.memory.f64.subarray(pointer >>> 3, (pointer >>> 3) + count)

describe('rounding', () => {
  test('gives the double nearest to the sum', () => {
    fc.assert(
      fc.property(anySums, sums => {
        const out = roundLimbs(k, sums.layout, put(sums, 32), 0, sums.limbs.length)
        const expected = sums.limbs.map(limbs => nearest(inUnits(totalOf(sums, limbs), sums.layout.base)))
        expect(bits(doubles(out, sums.limbs.length))).toEqual(bits(expected))
        k.memory.reset(0)
      }),
      { numRuns: 2000 },
    )
  })

  test('gives the double nearest to the sum over any count', () => {
    const anyCount = fc.oneof(
      fc.bigInt({ min: 1n, max: 100n }),
      fc.bigInt({ min: 1n, max: 2n ** 32n }),
      fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
      fc.constantFrom(2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n),
    )
    fc.assert(
      fc.property(anySums, fc.array(anyCount, { minLength: 6, maxLength: 6 }), (sums, counts) => {
        const pointer = k.memory.scratch(48)
        k.memory.i64.set(counts, pointer >>> 3)
        const out = roundLimbs(k, sums.layout, put(sums), pointer, sums.limbs.length)
        const expected = sums.limbs.map((limbs, g) =>
          nearest(inUnits(totalOf(sums, limbs), sums.layout.base), counts[g]),
        )
        expect(bits(doubles(out, sums.limbs.length))).toEqual(bits(expected))
        k.memory.reset(0)
      }),
      { numRuns: 2000 },
    )
  })

  test('gives the double nearest to a quotient in the middle between two doubles, or hardly beside it', () => {
    const count = fc.oneof(fc.bigInt({ min: 1n, max: 64n }), fc.bigInt({ min: 1n, max: 2n ** 45n - 1n }))
    const mantissa = fc.oneof(
      fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n - 1n }),
      fc.constantFrom(2n ** 52n, 2n ** 53n - 1n),
    )
    const beside = fc.oneof(fc.bigInt({ min: -2n, max: 2n }), fc.bigInt({ min: -(2n ** 26n), max: 2n ** 26n }))
    fc.assert(
      fc.property(
        count,
        mantissa,
        beside,
        fc.boolean(),
        fc.integer({ min: -1000, max: 800 }),
        (n, m, more, minus, base) => {
          const width = 46
          const total = (((2n * m + 1n) * n) / 2n + more) * (minus ? -1n : 1n)
          const limbs = [BigInt.asUintN(width, total), total >> BigInt(width)] as const
          const sums: Sums = { layout: { limbs: 2, base, width, cap: 0 }, limbs: [limbs] }
          const counts = k.memory.scratch(8)
          k.memory.i64[counts >>> 3] = n
          const out = roundLimbs(k, sums.layout, put(sums), counts, 1)
          expect(bits(doubles(out, 1))).toEqual(bits([nearest(inUnits(total, base), n)]))
          k.memory.reset(0)
        },
      ),
      { numRuns: 5000 },
    )
  })

  test('gives 0 where the count is 0', () => {
    const sums: Sums = { layout: { limbs: 2, base: -3, width: 40, cap: 0 }, limbs: [[5n, 7n]] }
    const counts = k.memory.scratch(8)
    k.memory.i64[counts >>> 3] = 0n
    expect(bits(doubles(roundLimbs(k, sums.layout, put(sums), counts, 1), 1))).toEqual(bits([0]))
  })
})

test('integers are given where all fit, and else the first group that does not', () => {
  fc.assert(
    fc.property(anySums, ({ layout, limbs }) => {
      const sums = { layout: { ...layout, base: 0 }, limbs }
      const values = limbs.map(pair => totalOf(sums, pair))
      const { data, failed } = limbsToIntegers(k, sums.layout, put(sums), limbs.length)
      expect(failed).toBe(values.findIndex(value => BigInt.asIntN(64, value) !== value))
      if (failed < 0) expect([...k.memory.i64.subarray(data >>> 3, (data >>> 3) + values.length)]).toEqual(values)
      k.memory.reset(0)
    }),
    { numRuns: 500 },
  )
})

test('another layout holds the same values', () => {
  fc.assert(
    fc.property(anySums, fc.integer({ min: 0, max: 20 }), fc.integer({ min: 32, max: 46 }), (sums, lower, width) => {
      const { layout } = sums
      const base = Math.max(-1074, layout.base - lower)
      // What two limbs hold at the lower base: the highest may not overflow.
      const limbs = sums.limbs.map(([low, high]) => [low >> 22n, high >> 40n] as const)
      const small = { layout, limbs }
      const next: LimbLayout = { limbs: 2, base, width, cap: 0 }
      const to = { pointer: k.memory.scratch(16 * limbs.length), stride: 16 }
      relayLimbs(k, layout, put(small), next, to, limbs.length)
      expect(read(next, to, limbs.length)).toEqual(
        limbs.map(pair => totalOf(small, pair) << BigInt(layout.base - base)),
      )
      k.memory.reset(0)
    }),
    { numRuns: 500 },
  )
})

test('digits hold the values, span what they span, and add to limbs in any order of groups', () => {
  fc.assert(
    fc.property(anySums, fc.boolean(), (sums, mapped) => {
      const { layout, limbs } = sums
      const values = limbs.map(pair => totalOf(sums, pair))
      const digits = digitsOfLimbs(k, layout, put(sums), limbs.length)
      const span = spanOfDigits(k, digits)
      const units = values.map(value => inUnits(value, layout.base))
      expect(span === null).toBe(units.every(value => value === 0n))
      if (span !== null) {
        expect(units.every(value => value % (1n << BigInt(span.low + 1074)) === 0n)).toBe(true)
        expect(units.some(value => value % (1n << BigInt(span.low + 1075)) !== 0n)).toBe(true)
        const top = 1n << BigInt(span.top + 1074)
        expect(units.every(value => -top < value && value < top)).toBe(true)
        expect(units.some(value => value >= top / 4n || value <= -top / 4n)).toBe(true)
        expect(exponentOf(digits.first)).toBeLessThanOrEqual(span.low)
      }
      const empty = { layout, limbs: limbs.map(() => [1n, 0n] as const) }
      const lane = put(empty)
      const order = limbs.map((_, g) => (g + 1) % limbs.length)
      const groupMap = k.memory.scratch(4 * limbs.length)
      k.memory.u32.set(order, groupMap >>> 2)
      addDigitsToLimbs(k, layout, lane, digits, mapped ? groupMap : 0)
      const expected = values.map(() => 1n)
      values.forEach((value, g) => {
        expected[mapped ? order[g] : g] += value
      })
      expect(read(layout, lane, limbs.length)).toEqual(expected)
      k.memory.reset(0)
    }),
    { numRuns: 1000 },
  )
})
