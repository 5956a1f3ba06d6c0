// Wide chunks against big integers. That sums of doubles end up in them is tested in aggregate/sum-float.test.ts.

import * as fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { spanOfDigits } from '../../src/kernels/exact.js'
import type { Kernels } from '../../src/kernels/instance.js'
import { createWideSums, type DoubleSpan } from '../../src/kernels/wide.js'
import { bitsOfDouble, exactly, groupPointer, nearest } from './aggregate/model.js'
import { makeKernels } from './support.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const EVERYTHING: DoubleSpan = { low: -1074, top: 1024 }
const finite = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -Number.MIN_VALUE, 1, -1, 0, -0),
)

function put(values: readonly number[]): number {
  const pointer = k.memory.scratch(8 * values.length + 16)
  k.memory.f64.set(values, pointer >>> 3)
  return pointer
}

const bits = (values: Iterable<number>) => [...values].map(x => bitsOfDouble(x).toString(16))

function rounded(
  sums: ReturnType<typeof createWideSums>,
  groupCount: number,
  counts: readonly bigint[] = [],
): string[] {
  const pointer = counts.length === 0 ? 0 : k.memory.scratch(8 * counts.length)
  k.memory.i64.set(counts, pointer >>> 3)
  const out = sums.round(pointer) >>> 3
  return bits(k.memory.f64.subarray(out, out + groupCount))
}

test('sums and means are the nearest doubles, of any counts', () => {
  const anyCount = fc.oneof(fc.bigInt({ min: 1n, max: 99n }), fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), finite), { maxLength: 60 }),
      fc.array(anyCount, { minLength: 4, maxLength: 4 }),
      (rows, counts) => {
        const sums = createWideSums(k, EVERYTHING)
        sums.resize(4)
        const groups = groupPointer(
          k,
          rows.map(([group]) => group),
        )
        expect(sums.add('float64', put(rows.map(([, x]) => x)), 0, groups, 0, rows.length)).toBe(rows.length)
        const totals = counts.map((_, g) =>
          rows.reduce((sum, [group, x]) => (group === g ? sum + exactly(x) : sum), 0n),
        )
        expect(rounded(sums, 4)).toEqual(bits(totals.map(total => nearest(total))))
        expect(rounded(sums, 4, counts)).toEqual(bits(totals.map((total, g) => nearest(total, counts[g]))))
        sums.free()
        k.memory.reset(0)
      },
    ),
    { numRuns: 500 },
  )
})

test('a window refuses what it does not hold, keeps what it has when it widens, and is no wider than it must be', () => {
  const sums = createWideSums(k, { low: -60, top: 10 })
  sums.resize(1)
  const narrow = sums.chunkCount
  expect(narrow).toBeLessThan(12)
  const values = [1, 0.1, -700.25, 1e200, 1e-200, NaN, 3]
  const data = put(values)
  expect(sums.add('float64', data, 0, 0, 0, 7)).toBe(3)
  sums.cover({ low: -60, top: 700 })
  expect(sums.add('float64', data, 0, 0, 3, 7)).toBe(4)
  sums.cover({ low: -760, top: 700 })
  expect(sums.chunkCount).toBeGreaterThan(narrow)
  expect(sums.add('float64', data, 0, 0, 4, 7)).toBe(5)
  expect(sums.add('float64', data, 0, 0, 6, 7)).toBe(7)
  expect(rounded(sums, 1)).toEqual(
    bits([nearest(values.reduce((sum, x) => (Number.isNaN(x) ? sum : sum + exactly(x)), 0n))]),
  )
})

test('the widest window refuses infinities and NaN, and holds the greatest and the least double', () => {
  const sums = createWideSums(k, EVERYTHING)
  sums.resize(1)
  const data = put([Number.MAX_VALUE, -Number.MIN_VALUE, Infinity, NaN])
  expect(sums.add('float64', data, 0, 0, 0, 4)).toBe(2)
  expect(sums.add('float64', data, 0, 0, 3, 4)).toBe(3)
  expect(rounded(sums, 1)).toEqual(bits([Number.MAX_VALUE]))
})

test('groups added later begin at 0', () => {
  const sums = createWideSums(k, EVERYTHING)
  sums.resize(2)
  sums.add('float64', put([5, 6]), 0, groupPointer(k, [0, 1]), 0, 2)
  sums.resize(40)
  expect(rounded(sums, 40)).toEqual(bits([5, 6, ...Array(38).fill(0)]))
})

test('digits carry sums from one window to another', () => {
  fc.assert(
    fc.property(
      fc.array(finite, { minLength: 1, maxLength: 5 }),
      fc.array(finite, { minLength: 5, maxLength: 5 }),
      (theirs, mine) => {
        const from = createWideSums(k, EVERYTHING)
        from.resize(theirs.length)
        const order = theirs.map((_, g) => 4 - g)
        from.add('float64', put(theirs), 0, groupPointer(k, [...theirs.keys()]), 0, theirs.length)
        const to = createWideSums(k, { low: -1074, top: 1024 })
        to.resize(5)
        to.add('float64', put(mine), 0, groupPointer(k, [0, 1, 2, 3, 4]), 0, 5)
        const digits = from.digits(0, theirs.length)
        to.cover(spanOfDigits(k, digits) ?? EVERYTHING)
        to.addDigits(digits, groupPointer(k, order))
        const expected = mine.map(exactly)
        for (const [g, x] of theirs.entries()) expected[order[g]] += exactly(x)
        expect(rounded(to, 5)).toEqual(bits(expected.map(total => nearest(total))))
        from.free()
        to.free()
        k.memory.reset(0)
      },
    ),
    { numRuns: 300 },
  )
})
