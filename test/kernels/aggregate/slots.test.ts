// Sums of many columns, which share arrays of lanes: whoever changes its lanes leaves those of others where they are.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { float64, int32, int64 } from '../../../src/columnar/type.js'
import { createAggregation } from '../../../src/kernels/aggregate/aggregation.js'
import { accumulatorContext, laneVector, makeKernels, valuesOf } from '../support.js'
import { groupPointer, modelFloat } from './model.js'

/** Doubles of one limb, of two, and of the full range; integers of 32 bits and of 64. */
const KINDS = ['whole', 'decimal', 'wide', 'int32', 'int64'] as const
type Column = (typeof KINDS)[number]

const typeOf = (column: Column) => (column === 'int32' ? int32() : column === 'int64' ? int64() : float64())

const valueAt = (column: Column, i: number): number | bigint => {
  if (column === 'int64') return BigInt(i) << 40n
  if (column === 'decimal') return i / 10
  if (column === 'wide') return i % 2 === 0 ? i * 1e300 : i * 1e-300
  return i
}

const sumOf = (column: Column, values: readonly (number | bigint)[]): number | bigint =>
  typeOf(column).kind === 'float64'
    ? (modelFloat(values as number[], false) as number)
    : values.reduce((sum: bigint, value) => sum + BigInt(value), 0n)

const specsOf = (columns: readonly Column[]) =>
  columns.map((column, i) => ({
    function: 'sum' as const,
    inputs: [typeOf(column)],
    inputIndex: i,
    parameters: {},
    label: `sum(${column})`,
  }))

test('columns of any kinds, in any order, have the sums that each has alone', async () => {
  const k = await makeKernels()
  const anyRow = fc.tuple(fc.nat(3), fc.nat(50))
  const anyBatches = fc.array(fc.array(anyRow, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 9 }), anyBatches, (columns, batches) => {
      const mark = k.memory.mark()
      const aggregation = createAggregation(accumulatorContext(k), specsOf(columns))
      aggregation.resize(4)
      for (const rows of batches) {
        const groups = groupPointer(
          k,
          rows.map(([group]) => group),
        )
        const inputs = columns.map(column => ({
          vectors: [
            laneVector(
              k,
              typeOf(column),
              rows.map(([, i]) => valueAt(column, i)),
            ),
          ],
          validity: 0,
        }))
        aggregation.update(groups, inputs, rows.length, 0)
        aggregation.open(0, 4)
      }
      const results = aggregation.evaluate(4).map(vector => valuesOf(k, vector))
      for (const [c, column] of columns.entries()) {
        for (const group of new Set(batches.flat().map(([each]) => each))) {
          const rows = batches.flat().filter(([each]) => each === group)
          const sum = sumOf(
            column,
            rows.map(([, i]) => valueAt(column, i)),
          )
          expect(results[c][group]).toBe(sum)
        }
      }
      aggregation.free()
      k.memory.reset(mark)
    }),
  )
})

test('what is copied grows with the number of columns, and not with its square', async () => {
  const kernels = await makeKernels()
  const copiesOf = (columns: number): number => {
    let copies = 0
    const slotsCopy = (...all: Parameters<typeof kernels.exports.slotsCopy>) => {
      copies++
      kernels.exports.slotsCopy(...all)
    }
    const k = { ...kernels, exports: { ...kernels.exports, slotsCopy } }
    const specs = specsOf(Array.from({ length: columns }, () => 'wide'))
    const aggregation = createAggregation(accumulatorContext(k), specs)
    aggregation.resize(2)
    for (const values of [
      [1, 2],
      [0.1, 0.2],
      [1e300, 1e-300],
    ]) {
      const vector = laneVector(k, float64(), values)
      aggregation.update(
        groupPointer(k, [0, 1]),
        specs.map(() => ({ vectors: [vector], validity: 0 })),
        2,
        0,
      )
      aggregation.open(0, 2)
    }
    aggregation.free()
    return copies
  }
  expect(copiesOf(40)).toBeGreaterThan(0)
  expect(copiesOf(400)).toBeLessThan(12 * copiesOf(40))
})
