// Bitmaps and three-valued logic, against arrays of booleans.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bool } from '../../src/columnar/type.js'
import * as bits from '../../src/kernels/bitmap.js'
import { bit, bitmap, bitmapBytes, bitsOf, laneVector, makeKernels, ROW_COUNTS, valuesOf } from './support.js'

const k = await makeKernels()

const booleans = (n: number) => fc.array(fc.boolean(), { minLength: n, maxLength: n })
const pairs = fc.constantFrom(...ROW_COUNTS).chain(n => fc.tuple(booleans(n), booleans(n)))

test('and, or, andNot, xor and not work bit by bit', () => {
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      const mark = k.memory.mark()
      const n = a.length
      const [x, y] = [bitmap(k, a), bitmap(k, b)]
      expect(bitsOf(k, bits.and(k, x, y, n), n)).toEqual(a.map((value, i) => value && b[i]))
      expect(bitsOf(k, bits.or(k, x, y, n), n)).toEqual(a.map((value, i) => value || b[i]))
      expect(bitsOf(k, bits.andNot(k, x, y, n), n)).toEqual(a.map((value, i) => value && !b[i]))
      expect(bitsOf(k, bits.xor(k, x, y, n), n)).toEqual(a.map((value, i) => value !== b[i]))
      expect(bitsOf(k, bits.not(k, x, n), n)).toEqual(a.map(value => !value))
      k.memory.reset(mark)
    }),
  )
})

test('count sees only the rows there are, whatever the bits beyond them', () => {
  fc.assert(
    fc.property(pairs, ([a]) => {
      const mark = k.memory.mark()
      expect(bits.count(k, bitmap(k, a), a.length)).toBe(a.filter(Boolean).length)
      k.memory.reset(mark)
    }),
  )
  expect(bits.count(k, bitmap(k, new Array(65_536).fill(true)), 65_536)).toBe(65_536)
})

test('copyBits moves any stretch to any place and leaves the bits around it', () => {
  const input = fc.tuple(booleans(300), booleans(300), fc.nat(150), fc.nat(150), fc.nat(150))
  fc.assert(
    fc.property(input, ([source, target, from, to, count]) => {
      const mark = k.memory.mark()
      const [x, y] = [bitmap(k, source), bitmap(k, target)]
      bits.copyBits(k, x, from, y, to, count)
      const expected = [...target]
      for (let i = 0; i < count; i++) expected[to + i] = source[from + i]
      expect(bitsOf(k, y, 300)).toEqual(expected)
      k.memory.reset(mark)
    }),
    { numRuns: 500 },
  )
})

test('bothValid is none where neither side has nulls, else the rows valid in both', () => {
  expect(bits.bothValid(k, 0, 0, 10)).toBe(0)
  const a = bitmap(k, [true, true, false, false])
  const b = bitmap(k, [true, false, true, false])
  expect(bits.bothValid(k, a, 0, 4)).toBe(a)
  expect(bits.bothValid(k, 0, b, 4)).toBe(b)
  expect(bits.bothValid(k, a, a, 4)).toBe(a)
  expect(bitsOf(k, bits.bothValid(k, a, b, 4), 4)).toEqual([true, false, false, false])
})

test('and, or and not follow three-valued logic', () => {
  const values = [true, false, null]
  const left = values.flatMap(a => values.map(() => a))
  const right = values.flatMap(() => values)
  const and = left.map((a, i) =>
    a === false || right[i] === false ? false : a === null || right[i] === null ? null : true,
  )
  const or = left.map((a, i) =>
    a === true || right[i] === true ? true : a === null || right[i] === null ? null : false,
  )
  const [x, y] = [laneVector(k, bool(), left), laneVector(k, bool(), right)]
  expect(valuesOf(k, bits.logic(k, 'and', x, y))).toEqual(and)
  expect(valuesOf(k, bits.logic(k, 'or', x, y))).toEqual(or)
  expect(valuesOf(k, bits.negated(k, x))).toEqual(left.map(a => (a === null ? null : !a)))
  expect(valuesOf(k, bits.isNull(k, x))).toEqual(left.map(a => a === null))
  expect(bitsOf(k, bits.isTrue(k, x), 9)).toEqual(left.map(a => a === true))
})

test('three-valued logic without nulls on one side or both', () => {
  const nullable = [true, false, null, true, false, null]
  const plain = [true, true, true, false, false, false]
  const [x, y] = [laneVector(k, bool(), nullable), laneVector(k, bool(), plain)]
  expect(valuesOf(k, bits.logic(k, 'and', x, y))).toEqual([true, false, null, false, false, false])
  expect(valuesOf(k, bits.logic(k, 'or', y, x))).toEqual([true, true, true, true, false, null])
  const both = bits.logic(k, 'and', y, y)
  expect(both.validity).toBe(0)
  expect(valuesOf(k, both)).toEqual(plain)
  expect(valuesOf(k, bits.isNull(k, y))).toEqual(plain.map(() => false))
})

test('filled bitmaps hold one value', () => {
  expect(bitsOf(k, bits.filled(k, true, 130), 130).every(Boolean)).toBe(true)
  expect(bitsOf(k, bits.filled(k, false, 130), 130).some(Boolean)).toBe(false)
})

test('no kernel writes beyond the blocks of its result', () => {
  for (const n of ROW_COUNTS) {
    const a = bitmap(k, new Array(n).fill(true))
    const out = bits.not(k, a, n)
    const guard = k.memory.scratch(16)
    k.memory.bytes(guard, 16).fill(0xff)
    k.exports.bitmapNot(a, n, out)
    expect(guard).toBe(out + bitmapBytes(n))
    expect(bit(k.memory.u8, guard, 0)).toBe(true)
    expect(k.memory.bytes(guard, 16).every(byte => byte === 0xff)).toBe(true)
  }
})
