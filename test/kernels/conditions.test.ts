// Choosing between operands by a bitmap: every width, columns and constants, with nulls and without.

import { describe, expect, it } from 'vitest'
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
  timestamp,
  uint8,
  uint16,
  uint32,
} from '../../src/columnar/type.js'
import { select } from '../../src/kernels/conditions.js'
import type { Operand, ScalarValue } from '../../src/kernels/operand.js'
import { laneVector, makeKernels, ROW_COUNTS, valuesOf } from './support.js'

const k = await makeKernels()

const isWide = ({ kind }: DataType) => kind === 'int64' || kind === 'timestamp'

/** Values that differ in every byte. */
function some(type: DataType, i: number): number | bigint | boolean {
  if (type.kind === 'bool') return i % 3 === 0
  if (isWide(type)) return BigInt.asIntN(64, BigInt(i) * 0x0102_0304_0506_0708n)
  if (type.kind === 'float64') return i * Math.PI - 7
  if (type.kind === 'float32') return i / 4 - 7
  return (i * 37) % 120
}

const TYPES = [
  bool(),
  int8(),
  uint8(),
  int16(),
  uint16(),
  int32(),
  uint32(),
  float32(),
  date(),
  int64(),
  float64(),
  timestamp(),
]

describe('select', () => {
  for (const type of TYPES) {
    it(`of ${type.kind}: the one where the mask is set, else the other, nulls included`, () => {
      for (const n of ROW_COUNTS) {
        const mark = k.memory.mark()
        const mask = Array.from({ length: n }, (_, i) => (i * 7) % 5 < 2 || i === n - 1)
        const column = (from: number, nulls: boolean) =>
          Array.from({ length: n }, (_, i) => (nulls && i % 4 === 1 ? null : some(type, from + i)))
        const operands: [Operand, readonly ScalarValue[]][] = [column(1, false), column(90, true)].map(values => [
          laneVector(k, type, values),
          values,
        ])
        for (const value of [some(type, 33), null]) operands.push([{ type, value }, Array(n).fill(value)])
        const bits = laneVector(k, bool(), mask).data
        for (const [a, ofA] of operands) {
          for (const [b, ofB] of operands) {
            const chosen = select(k, bits, a, b, type, n)
            expect(valuesOf(k, chosen)).toEqual(mask.map((isSet, i) => (isSet ? ofA[i] : ofB[i])))
            expect(chosen.type.kind).toBe(type.kind)
            // Over itself, in the place of either.
            const over = select(k, bits, b, chosen, type, n, null, chosen)
            expect(over.data).toBe(chosen.data)
            const expected = mask.map((_, i) => ofB[i])
            expect(valuesOf(k, over)).toEqual(expected)
          }
        }
        k.memory.reset(mark)
      }
    })
  }

  it('knows the bounds of what it chooses from', () => {
    const column = { ...laneVector(k, int32(), [1, 2, 3]), range: { min: 1n, max: 3n } }
    const mask = laneVector(k, bool(), [true, false, true]).data
    const of = (a: Operand, b: Operand) => select(k, mask, a, b, int32(), 3).range
    expect(of(column, { type: int32(), value: 9 })).toEqual({ min: 1n, max: 9n })
    expect(of({ type: int32(), value: -2 }, column)).toEqual({ min: -2n, max: 3n })
    expect(of(column, { type: int32(), value: null })).toEqual({ min: 1n, max: 3n })
    expect(of(column, laneVector(k, int32(), [7, 8, 9]))).toBeNull()
  })
})
