// Rows place by place: changes of keys, and sums, means and counts of frames against big integers.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
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
  uint8,
  uint32,
} from '../../src/columnar/type.js'
import { createFrameSums, markChanges, putAtRows, startsOf } from '../../src/kernels/frames.js'
import type { Kernels } from '../../src/kernels/instance.js'
import { slice } from '../../src/kernels/select.js'
import { bitsOfDouble, modelFloat, modelIntMean } from './aggregate/model.js'
import { anyDouble, anyInt32, anyInt64, bitmap, column, laneVector, makeKernels } from './support.js'

let k: Kernels

beforeEach(async () => {
  k = await makeKernels()
})

const u32s = (values: ArrayLike<number>): number => {
  const pointer = k.memory.scratch(4 * values.length + 16)
  k.memory.u32.set(values, pointer >>> 2)
  return pointer
}

type Cell = number | bigint | boolean | null
const keys: readonly (readonly [DataType, fc.Arbitrary<Cell>])[] = [
  [bool(), fc.boolean()],
  [int8(), fc.integer({ min: -1, max: 1 })],
  [uint8(), fc.constantFrom(0, 255)],
  [int16(), fc.constantFrom(-(2 ** 15), 0, 2 ** 15 - 1)],
  [int32(), fc.constantFrom(-(2 ** 31), 0, 2 ** 31 - 1)],
  [uint32(), fc.constantFrom(0, 2 ** 32 - 1)],
  [date(), fc.constantFrom(-1, 0)],
  [int64(), fc.constantFrom(-(2n ** 63n), 2n ** 32n, 0n)],
  [float32(), fc.constantFrom(0, -0, 1.5, NaN, Infinity)],
  [float64(), fc.constantFrom(0, -0, 1.5, NaN, -Infinity)],
]

it('a change is where a key is another than that before it', () => {
  const cases = fc
    .constantFrom(...keys)
    .chain(([type, value]) =>
      fc.record({ type: fc.constant(type), values: column(value), seed: fc.integer(), isOrdered: fc.boolean() }),
    )
  fc.assert(
    fc.property(cases, ({ type, values, seed, isOrdered }) => {
      const mark = k.memory.mark()
      const n = values.length
      const order = values.map((_, i) => i).sort((a, b) => ((a * 7919 + seed) % 101) - ((b * 7919 + seed) % 101))
      const placed = isOrdered ? order.map(i => values[i] as Cell) : values
      const begins = k.memory.scratch(n + 16)
      k.memory.u8.fill(0, begins, begins + n)
      if (n > 0) k.memory.u8[begins] = 1
      markChanges(k, laneVector(k, type, values), isOrdered ? u32s(order) : 0, begins)
      // One NaN, and one zero.
      const keyOf = (cell: Cell) => (Number.isNaN(cell) ? 'NaN' : cell === 0 ? 0 : cell)
      const expected = placed.flatMap((cell, i) => (i === 0 || keyOf(cell) !== keyOf(placed[i - 1] as Cell) ? [i] : []))
      expect([...startsOf(k, begins, n)]).toEqual([...expected, n])
      k.memory.reset(mark)
    }),
    { numRuns: 500 },
  )
})

const moderate = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.integer({ min: -(2 ** 40), max: 2 ** 40 }).map(x => x / 1024),
)
const narrow = (x: number) => Math.fround(x)
const numbers: readonly (readonly [DataType, fc.Arbitrary<number | bigint>])[] = [
  [float64(), moderate],
  [float64(), moderate.map(x => x * 2 ** -1060)],
  [float64(), moderate.map(x => x * 2 ** 900)],
  [float64(), anyDouble],
  [float64(), fc.constantFrom(0, -0)],
  [float32(), moderate.map(narrow)],
  [int8(), fc.integer({ min: -128, max: 127 })],
  [uint8(), fc.integer({ min: 0, max: 255 })],
  [int16(), fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 })],
  [int32(), anyInt32],
  [uint32(), fc.constantFrom(0, 1, 2 ** 32 - 1)],
  [int64(), anyInt64],
]

describe('sums of frames', () => {
  it('are exact, and rounded once', () => {
    let [made, refused] = [0, 0]
    const cases = fc.constantFrom(...numbers).chain(([type, value]) =>
      column(value).chain(values =>
        fc.record({
          type: fc.constant(type),
          values: fc.constant(values),
          mask: fc.option(fc.array(fc.boolean(), { minLength: values.length, maxLength: values.length })),
          frames: fc.array(fc.tuple(fc.nat(values.length), fc.nat(values.length)), { minLength: 1, maxLength: 40 }),
        }),
      ),
    )
    fc.assert(
      fc.property(cases, ({ type, values, mask, frames }) => {
        const mark = k.memory.mark()
        const vector = laneVector(k, type, values)
        const isOf = (i: number) => values[i] !== null && (mask === null || (mask[i] as boolean))
        const validity = values.some((_, i) => !isOf(i))
          ? bitmap(
              k,
              values.map((_, i) => isOf(i)),
            )
          : 0
        const used = values.filter((_, i) => isOf(i))
        const sums = createFrameSums(k, type, values.length, validity !== 0, (at, count) => ({
          vector: slice(k, vector, at, at + count),
          validity: validity === 0 ? 0 : validity + at / 8,
        }))
        const isWhole = !type.kind.startsWith('float')
        if (sums === null) {
          refused++
          expect(isWhole).toBe(false)
          // Some value is none, or beyond what a limb can be a unit of, or they are far apart.
          const sizes = used.map(x => Math.abs(Number(x))).filter(x => x !== 0)
          const isFar = Math.max(...sizes) >= 2 ** 33 * Math.min(...sizes)
          expect(isFar || sizes.some(x => !(x < 2 ** 970))).toBe(true)
        } else {
          made++
          const [from, to] = [
            u32s(frames.map(([a, b]) => Math.min(a, b))),
            u32s(frames.map(([a, b]) => Math.max(a, b))),
          ]
          const rowsOf = frames.map(([a, b]) =>
            values.slice(Math.min(a, b), Math.max(a, b)).filter((_, i) => isOf(Math.min(a, b) + i)),
          )
          const counts = sums.counts(from, to, frames.length)
          expect([...k.memory.i64.subarray(counts >>> 3, (counts >>> 3) + frames.length)]).toEqual(
            rowsOf.map(rows => BigInt(rows.length)),
          )
          const doubles = (pointer: number) =>
            [...k.memory.f64.subarray(pointer >>> 3, (pointer >>> 3) + frames.length)].map(bitsOfDouble)
          const means = rowsOf.map(rows =>
            isWhole ? modelIntMean(rows.map(x => BigInt(x as number))) : modelFloat(rows as number[], true),
          )
          expect(doubles(sums.means(from, to, frames.length, counts))).toEqual(means.map(x => bitsOfDouble(x ?? 0)))
          const found = sums.sums(from, to, frames.length)
          if (isWhole) {
            const totals = rowsOf.map(rows => rows.reduce((sum: bigint, x) => sum + BigInt(x as number), 0n))
            const fits = totals.every(total => BigInt.asIntN(64, total) === total)
            if (found === null) expect(fits).toBe(false)
            else expect([...k.memory.i64.subarray(found >>> 3, (found >>> 3) + frames.length)]).toEqual(totals)
          } else {
            expect(doubles(found as number)).toEqual(
              rowsOf.map(rows => bitsOfDouble(modelFloat(rows as number[], false) ?? 0)),
            )
          }
          sums.free()
        }
        k.memory.reset(mark)
      }),
      { numRuns: 1500 },
    )
    expect(made).toBeGreaterThan(500)
    expect(refused).toBeGreaterThan(10)
  })

  it('go on from morsel to morsel, and go to their rows', () => {
    const n = 150_000
    const values = Array.from({ length: n }, (_, i) => (i % 7 === 0 ? null : ((i * 7919) % 1000) / 8))
    const vector = laneVector(k, float64(), values)
    const sums = createFrameSums(k, float64(), n, true, (at, count) => {
      const own = slice(k, vector, at, at + count)
      return { vector: own, validity: own.validity }
    })
    if (sums === null) throw new Error('they can be summed')
    const ends = [1, 65_535, 65_536, 65_537, 131_072, n]
    const [from, to] = [u32s(ends.map(() => 0)), u32s(ends)]
    const out = k.memory.scratch(8 * ends.length)
    putAtRows(
      k,
      sums.sums(from, to, ends.length) as number,
      u32s(ends.map((_, i) => ends.length - 1 - i)),
      0,
      ends.length,
      out,
    )
    expect([...k.memory.f64.subarray(out >>> 3, (out >>> 3) + ends.length)].reverse()).toEqual(
      ends.map(end => values.slice(0, end).reduce((sum: number, x) => sum + (x ?? 0), 0)),
    )
    const counts = sums.counts(from, to, ends.length)
    expect([...k.memory.i64.subarray(counts >>> 3, (counts >>> 3) + ends.length)].map(Number)).toEqual(
      ends.map(end => values.slice(0, end).filter(x => x !== null).length),
    )
    sums.free()
  })
})
