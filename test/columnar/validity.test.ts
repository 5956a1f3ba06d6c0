// Facts about bitmaps, against arrays of booleans.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bitmapBytes,
  bitmapOf,
  clearBit,
  copyBits,
  countBits,
  getBit,
  onesBitmap,
  setBit,
  sliceBits,
} from '../../src/columnar/validity.js'

const bits = fc.array(fc.boolean(), { maxLength: 150 })
const read = (bitmap: Uint8Array, length: number): boolean[] => Array.from({ length }, (_, i) => getBit(bitmap, i))

test('a bitmap has bit i & 7 of byte i >> 3 for row i', () => {
  const bitmap = bitmapOf([true, false, false, false, false, false, false, false, true])
  expect([...bitmap]).toEqual([1, 1])
  setBit(bitmap, 3)
  clearBit(bitmap, 0)
  expect([...bitmap]).toEqual([8, 1])
})

test('a bitmap of n rows has as many bytes as n bits need', () => {
  expect([0, 1, 8, 9, 65_536].map(bitmapBytes)).toEqual([0, 1, 1, 2, 8192])
})

test('counting ignores the bits past the last row', () => {
  expect(countBits(Uint8Array.of(255, 255), 9)).toBe(9)
  expect(countBits(onesBitmap(13), 13)).toBe(13)
  expect([...onesBitmap(13)]).toEqual([255, 31])
  fc.assert(
    fc.property(bits, fc.array(fc.boolean(), { maxLength: 300 }), fc.nat({ max: 5 }), (few, many, before) => {
      for (const values of [few, many]) {
        // Parts of others begin anywhere.
        const whole = bitmapOf([...Array(8 * before).fill(true), ...values, true])
        expect(countBits(whole.subarray(before), values.length)).toBe(values.filter(Boolean).length)
      }
    }),
  )
})

test('a slice from a multiple of 8 is a view of the same memory', () => {
  const bitmap = onesBitmap(64)
  expect(sliceBits(bitmap, 16, 40).buffer).toBe(bitmap.buffer)
  expect(sliceBits(bitmap, 17, 40).buffer).not.toBe(bitmap.buffer)
})

test('a slice holds the rows of the slice', () => {
  fc.assert(
    fc.property(bits, fc.nat(150), fc.nat(150), (values, a, b) => {
      const from = Math.min(a, b, values.length)
      const to = Math.min(Math.max(a, b), values.length)
      expect(read(sliceBits(bitmapOf(values), from, to), to - from)).toEqual(values.slice(from, to))
    }),
  )
})

test('copying bits leaves the bits around them as they were', () => {
  fc.assert(
    fc.property(bits, bits, fc.nat(150), fc.nat(150), fc.nat(150), (source, target, a, b, n) => {
      const sourceBit = Math.min(a, source.length)
      const targetBit = Math.min(b, target.length)
      const count = Math.min(n, source.length - sourceBit, target.length - targetBit)
      const bitmap = bitmapOf(target)
      copyBits(bitmapOf(source), sourceBit, bitmap, targetBit, count)
      const expected = [...target]
      expected.splice(targetBit, count, ...source.slice(sourceBit, sourceBit + count))
      expect(read(bitmap, target.length)).toEqual(expected)
    }),
  )
})
