// Selections and gathers, against filter and map on arrays.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bool, float64, int8, int16, int32, int64, nullable } from '../../src/columnar/type.js'
import { selection, take, takeBatch } from '../../src/kernels/select.js'
import { bitmap, laneVector, makeKernels, ROW_COUNTS, valuesOf } from './support.js'

const k = await makeKernels()

function indicesOf(bits: readonly boolean[]): number[] {
  const { indices, count } = selection(k, bitmap(k, bits), bits.length)
  return Array.from(k.memory.u32.subarray(indices >>> 2, (indices >>> 2) + count))
}

test('a selection is the indices of the set bits, at any density', () => {
  const density = fc.constantFrom(0, 0.02, 0.5, 0.98, 1)
  fc.assert(
    fc.property(fc.constantFrom(...ROW_COUNTS), density, fc.integer(), (n, share, seed) => {
      const mark = k.memory.mark()
      let state = seed
      const bits = Array.from({ length: n }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
        return (state >>> 8) / 2 ** 24 < share
      })
      expect(indicesOf(bits)).toEqual(bits.flatMap((value, i) => (value ? [i] : [])))
      k.memory.reset(mark)
    }),
    { numRuns: 300 },
  )
})

test('a whole morsel, all rows, none, and one of each 64', () => {
  const n = 65_536
  expect(indicesOf(new Array(n).fill(true))).toEqual(Array.from({ length: n }, (_, i) => i))
  expect(indicesOf(new Array(n).fill(false))).toEqual([])
  expect(indicesOf(Array.from({ length: n }, (_, i) => i % 64 === 63))).toEqual(
    Array.from({ length: 1024 }, (_, i) => i * 64 + 63),
  )
})

test('selecting writes no more than it was given room for', () => {
  for (const n of ROW_COUNTS) {
    const mark = k.memory.mark()
    const bits = bitmap(k, new Array(n).fill(true))
    selection(k, bits, n)
    const guard = k.memory.scratch(16)
    k.memory.bytes(guard, 16).fill(0xee)
    k.memory.reset(mark)
    bitmap(k, new Array(n).fill(true))
    selection(k, bits, n)
    expect(k.memory.bytes(guard, 16).every(byte => byte === 0xee)).toBe(true)
  }
})

test('take gathers values and nulls of every width, in any order, with repeats', () => {
  const types = [bool(), int8(), int16(), int32(), int64(), float64()].map(type => nullable(type))
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.array(fc.option(fc.integer({ min: 0, max: 100 }), { nil: null }), { minLength: 1, maxLength: 200 }),
      fc.array(fc.nat(), { maxLength: 200 }),
      (type, values, picks) => {
        const mark = k.memory.mark()
        const vector = laneVector(
          k,
          type,
          type.kind === 'bool' ? values.map(x => (x === null ? null : x > 50)) : values,
        )
        const rows = picks.map(pick => pick % values.length)
        const indices = k.memory.scratch(4 * rows.length)
        k.memory.u32.set(rows, indices >>> 2)
        const taken = take(k, vector, indices, rows.length)
        const all = valuesOf(k, vector)
        expect(valuesOf(k, taken)).toEqual(rows.map(row => all[row]))
        expect(taken.validity === 0).toBe(vector.validity === 0)
        k.memory.reset(mark)
      },
    ),
    { numRuns: 300 },
  )
})

test('takeBatch gathers every column', () => {
  const columns = [laneVector(k, int32(), [1, 2, 3]), laneVector(k, nullable(float64()), [0.5, null, -0])]
  const indices = k.memory.scratch(8)
  k.memory.u32.set([2, 1], indices >>> 2)
  const batch = takeBatch(k, { rowCount: 3, columns }, indices, 2)
  expect(batch.rowCount).toBe(2)
  expect(batch.columns.map(column => valuesOf(k, column))).toEqual([
    [3, 2],
    [-0, null],
  ])
})
