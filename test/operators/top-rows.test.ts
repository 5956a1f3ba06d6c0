// Of rows that are to be sorted, the first: the same as of all rows sorted, whatever goes meanwhile.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  bool,
  type DataType,
  float32,
  float64,
  int8,
  int32,
  int64,
  nullable,
  type SchemaShape,
  uint32,
  utf8,
} from '../../src/columnar/type.js'
import { RowStore } from '../../src/operators/row-store.js'
import { createSort } from '../../src/operators/sort.js'
import { createTopRows } from '../../src/operators/top-rows.js'
import { batchOf, type Context, emitted, makeContext, morselOf } from './support.js'

const kinds: Record<string, { type: DataType; values: fc.Arbitrary<unknown> }> = {
  float64: { type: float64(), values: fc.constantFrom(-Infinity, -1.5, -0, 0, 2, 1e300, Infinity, NaN) },
  float32: { type: float32(), values: fc.constantFrom(-Infinity, -1.5, -0, 0, 2, Infinity, NaN) },
  int64: { type: int64(), values: fc.constantFrom(1n - 2n ** 53n, -(2n ** 32n), -1n, 0n, 5n, 2n ** 53n - 1n) },
  int32: { type: int32(), values: fc.constantFrom(-(2 ** 31), -1, 0, 7, 2 ** 31 - 1) },
  int8: { type: int8(), values: fc.constantFrom(-128, -1, 0, 127) },
  uint32: { type: uint32(), values: fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1) },
  bool: { type: bool(), values: fc.boolean() },
  utf8: { type: utf8(), values: fc.constantFrom('', 'a', 'b', 'é', '\u{1f600}') },
}
const kind = fc.constantFrom(...Object.keys(kinds))
const order = fc.record({
  descending: fc.boolean(),
  nulls: fc.constantFrom('first' as const, 'last' as const),
})

it('gives what sorting all rows gives', { timeout: 60_000 }, async () => {
  const context: Context = await makeContext()
  let dropped = 0
  const cases = fc.tuple(kind, kind, fc.constantFrom(1, 8)).chain(([one, two, weight]) => {
    const valuesOf = (name: string) =>
      fc.oneof(
        { weight, arbitrary: (kinds[name] as (typeof kinds)[string]).values },
        { weight: 2, arbitrary: fc.constant(null) },
      )
    return fc.record({
      kinds: fc.constant([one, two]),
      orders: fc.tuple(order, order),
      top: fc.integer({ min: 0, max: 6 }),
      leastRows: fc.integer({ min: 1, max: 30 }),
      morsels: fc.array(
        fc.record({
          split: fc.integer({ min: 0, max: 4 }),
          rows: fc.array(fc.tuple(valuesOf(one), valuesOf(two)), { maxLength: 20 }),
        }),
        { maxLength: 12 },
      ),
    })
  })
  fc.assert(
    fc.property(cases, given => {
      const [one, two] = given.kinds.map(name => nullable((kinds[name] as (typeof kinds)[string]).type))
      const shape = { one, two, id: int32() } as SchemaShape
      const orders = given.orders.map((each, i) => ({ name: i === 0 ? 'one' : 'two', ...each }))
      const sorter = () => createSort(context, { kind: 'sort', orders, top: null, output: shape }, shape)
      const store = new RowStore(context)
      const tops = createTopRows(
        context,
        store,
        given.orders.map((each, column) => ({ column, ...each })),
        given.top,
        given.leastRows,
      )
      const [all, first] = [sorter(), sorter()]
      let id = 0
      for (const { split, rows } of given.morsels) {
        const mark = context.k.memory.mark()
        const columns = { one: rows.map(row => row[0]), two: rows.map(row => row[1]), id: rows.map(() => id++) }
        const morsel = morselOf(context, batchOf(columns as never, shape))
        all.consume(morsel, split)
        tops.add(morsel, split)
        context.k.memory.reset(mark)
      }
      tops.cut()
      expect(store.rowCount).toBe(Math.min(given.top, id))
      dropped += id - store.rowCount
      for (const { batch, split } of store.drain()) first.consume({ ...batch, rows: 0 }, split)
      const ids = (sorted: typeof all) => emitted(context, sorted, shape).map(row => row.id)
      expect(ids(first)).toEqual(ids(all).slice(0, given.top))
      for (const each of [all, first, store]) each.free()
    }),
    { numRuns: 600 },
  )
  expect(dropped).toBeGreaterThan(1000)
  context.loader.close()
  expect(context.usedBytes()).toBe(0)
})
