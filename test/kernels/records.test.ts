// Columns put together row by row, and rows of columns moved side by side, against plain arrays.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bool, float64, int8, int16, int32, int64, nullable } from '../../src/columnar/type.js'
import { compact } from '../../src/kernels/compact.js'
import { putRecords, recordLayout, takeFields } from '../../src/kernels/records.js'
import { selection, take } from '../../src/kernels/select.js'
import { bitmap, laneVector, makeKernels, ROW_COUNTS, valuesOf } from './support.js'

const k = await makeKernels()
const types = [int8(), int16(), int32(), int64(), float64()]
const sample = (kind: string, i: number) =>
  kind === 'int64' ? BigInt(i) << 33n : kind === 'float64' ? i / 4 : kind === 'bool' ? i % 3 === 0 : (i * 7) % 101

test('fields lie at multiples of their widths, and records of up to 64 bytes within a line where that costs little', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...types), { minLength: 1, maxLength: 20 }), some => {
      const { offsets, stride } = recordLayout(some)
      const taken = new Set<number>()
      some.forEach(({ kind }, i) => {
        const width = { int8: 1, int16: 2, int32: 4 }[kind as 'int8'] ?? 8
        expect(offsets[i] % width).toBe(0)
        for (let at = offsets[i]; at < offsets[i] + width; at++) {
          expect(taken.has(at)).toBe(false)
          taken.add(at)
        }
      })
      expect(stride % 8).toBe(0)
      expect(stride).toBeGreaterThan(Math.max(...taken))
      expect(stride).toBeLessThan(Math.max(8, 1.4 * taken.size) + 8)
    }),
  )
  expect(recordLayout([int32(), int32(), float64(), int32(), int32(), int32()])).toEqual({
    offsets: [8, 12, 0, 16, 20, 24],
    stride: 32,
  })
})

test('what is taken of records is what was put there, in any order, of some fields', () => {
  const of = fc.array(fc.constantFrom(...types), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(of, fc.nat(5000), fc.nat(5000), fc.infiniteStream(fc.nat(9999)), (some, first, second, places) => {
      const mark = k.memory.mark()
      const values = some.map(({ kind }) => Array.from({ length: first + second }, (_, i) => sample(kind, i)))
      const part = (from: number, to: number) => values.map((own, i) => laneVector(k, some[i], own.slice(from, to)))
      const total = first + second
      const layout = recordLayout(some)
      const records = { ...layout, data: k.memory.scratch(layout.stride * total + 8) }
      if (first > 0) putRecords(k, records, part(0, first), 0)
      if (second > 0) putRecords(k, records, part(first, total), first)
      const rows = total === 0 ? [] : [...places.take(3000)].map(place => place % total)
      const pointer = k.memory.scratch(4 * rows.length)
      k.memory.u32.set(rows, pointer >>> 2)
      const fields = some.map((type, field) => ({ type, field })).reverse()
      const data = takeFields(k, records, fields, pointer, rows.length)
      fields.forEach(({ type, field }, i) => {
        const taken = { type, length: rows.length, data: data[i], validity: 0, dictionary: null, range: null }
        expect(valuesOf(k, taken)).toEqual(rows.map(row => values[field][row]))
      })
      k.memory.reset(mark)
    }),
    { numRuns: 40 },
  )
})

test('rows whose bits are set, side by side, are those that their indices gather, nulls too, within the room given', () => {
  const all = [...types, bool()].map(type => nullable(type))
  const density = fc.constantFrom(0, 0.1, 0.9, 1)
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.constantFrom(...ROW_COUNTS), density, fc.nat(), (type, n, share, seed) => {
      const mark = k.memory.mark()
      const random = (i: number) => ((Math.imul(i + seed, 2_654_435_761) >>> 8) % 1000) / 1000
      const values = Array.from({ length: n }, (_, i) => (i % 7 === 3 ? null : sample(type.kind, i)))
      const vector = laneVector(k, type, values)
      const bits = bitmap(
        k,
        values.map((_, i) => random(i) < share),
      )
      const { indices, count } = selection(k, bits, n)
      const moved = compact(k, vector, bits, indices, count)
      const guard = k.memory.scratch(16)
      k.memory.bytes(guard, 16).fill(0xee)
      compact(k, vector, bits, indices, count)
      expect(k.memory.bytes(guard, 16).every(byte => byte === 0xee)).toBe(true)
      expect(valuesOf(k, moved)).toEqual(valuesOf(k, take(k, vector, indices, count)))
      k.memory.reset(mark)
    }),
    { numRuns: 200 },
  )
})
