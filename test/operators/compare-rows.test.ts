// Two rows of two batches compare as a sort of all of them would have it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { argsort, type ColumnKey } from '../../src/kernels/sort.js'
import { compareRows } from '../../src/operators/compare-rows.js'
import { createOneDictionary } from '../../src/operators/one-dictionary.js'
import { tables, types } from '../laws/tables.js'
import { batchOfModel, makeContext } from './support.js'

const fields = fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c'), type: types }), {
  minLength: 1,
  maxLength: 3,
  selector: ({ name }) => name,
})

describe('two rows', () => {
  it('compare as they are sorted, each with a dictionary of its own', async () => {
    const context = await makeContext()
    const { k } = context
    fc.assert(
      fc.property(
        tables(
          40,
          fields.filter(each => each.every(({ type }) => type.kind !== 'list')),
        ),
        fc.array(fc.tuple(fc.boolean(), fc.constantFrom('first', 'last')), { minLength: 3, maxLength: 3 }),
        (table, told) => {
          const batch = batchOfModel(table)
          const { rowCount } = batch
          const mark = k.memory.mark()
          const [one, other] = [createOneDictionary(context), createOneDictionary(context)]
          // The other's strings get other codes.
          other.load(batchOfModel({ ...table, rows: table.rows.toReversed() }))
          const [left, right] = [one.load(batch), other.load(batch)]
          const keys = left.columns.map(
            (_, column): ColumnKey => ({
              column,
              descending: told[column][0],
              nulls: told[column][1] as 'first' | 'last',
            }),
          )
          const order = argsort(
            k,
            keys.map(key => ({ ...key, vector: left.columns[key.column] })),
            rowCount,
          )
          const sorted = [...k.memory.u32.subarray(order >>> 2, (order >>> 2) + rowCount)]
          for (let i = 1; i < rowCount; i++) {
            const compared = compareRows(k, keys, left, sorted[i - 1], right, sorted[i])
            expect(compared).toBeLessThanOrEqual(0)
            expect(Math.sign(compareRows(k, keys, right, sorted[i], left, sorted[i - 1]))).toBe(
              -Math.sign(compared) + 0,
            )
            // Equal rows keep their order, so that only those are equal which a sort does not tell apart.
            if (compared === 0) expect(sorted[i - 1]).toBeLessThan(sorted[i])
          }
          one.clear()
          other.clear()
          k.memory.reset(mark)
        },
      ),
      { numRuns: 150 },
    )
  })
})
