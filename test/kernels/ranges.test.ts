// Rows parted by ranges of a key: each in the range that as many bounds are not above, nulls apart, and all in their order.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { int32, int64, nullable } from '../../src/columnar/type.js'
import { partitionsOf, rangeRows } from '../../src/kernels/ranges.js'
import { anyInt32, anyInt64, laneVector, makeKernels } from './support.js'

const k = await makeKernels()

test('every row is in its range, in order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
      fc.constantFrom('first' as const, 'last' as const),
      fc.oneof(
        fc.record({ type: fc.constant(int32()), values: fc.array(fc.option(anyInt32), { maxLength: 300 }) }),
        fc.record({ type: fc.constant(int64()), values: fc.array(fc.option(anyInt64), { maxLength: 300 }) }),
      ),
      (bits, descending, nulls, { type, values }) => {
        const { memory } = k
        const mark = memory.mark()
        const ascending = (a: number | bigint, b: number | bigint) => (a < b ? -1 : a > b ? 1 : 0)
        const valid = values.filter(value => value !== null)
        const bounds = [...valid].sort(ascending)
        if (descending) bounds.reverse()
        const chosen =
          valid.length === 0 ? [] : Array.from({ length: 2 ** bits - 1 }, (_, i) => bounds[(i * valid.length) >> bits])
        const { rows, starts } = rangeRows(
          k,
          { vector: laneVector(k, nullable(type), values), descending, nulls },
          laneVector(k, type, chosen),
          bits,
          values.length,
        )
        const rangeOf = (value: number | bigint | null) => {
          if (value === null) return nulls === 'first' ? 0 : partitionsOf(bits) - 1
          const notAbove = chosen.filter(bound => (descending ? bound >= value : bound <= value)).length
          return notAbove + (nulls === 'first' ? 1 : 0)
        }
        const expected = Array.from({ length: partitionsOf(bits) }, (_, range) =>
          values.flatMap((value, row) => (rangeOf(value) === range ? [row] : [])),
        )
        expect(Array.from(memory.u32.subarray(rows >>> 2, (rows >>> 2) + values.length))).toEqual(expected.flat())
        expect(Array.from(starts.slice(0, -1), (start, i) => starts[i + 1] - start)).toEqual(
          expected.map(each => each.length),
        )
        memory.reset(mark)
      },
    ),
  )
})
