/** Rows that come to stay: whatever splits and morsels they come in, and whatever room was made, they are held as they came, and freed without a trace. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { bool, float64, int32, int64, list, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import { MemoryAccount } from '../../src/kernels/memory-account.js'
import { createBatchLoader } from '../../src/operators/batch-loader.js'
import { createHeldRows } from '../../src/workers/held-rows.js'
import { type HeldTable, releaseTable, reportTable } from '../../src/workers/held-table.js'
import { batchOf, makeContext, type Row, rowsOf } from '../operators/support.js'

const plain = {
  flag: nullable(bool()),
  sure: bool(),
  small: nullable(int32()),
  wide: int64(),
  value: nullable(float64()),
  text: nullable(utf8()),
} satisfies SchemaShape
const nested = { ...plain, words: nullable(list(utf8())) } satisfies SchemaShape

const anyRow = (hasNulls: boolean): fc.Arbitrary<Row> => {
  const maybe = <T>(value: fc.Arbitrary<T>) => (hasNulls ? fc.option(value) : value)
  return fc.record({
    flag: maybe(fc.boolean()),
    sure: fc.boolean(),
    small: maybe(fc.integer()),
    wide: fc.maxSafeInteger(),
    value: maybe(fc.double({ noNaN: true })),
    text: maybe(fc.constantFrom('', 'a', 'b', 'longer than that')),
    words: maybe(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 })),
  })
}

/** Morsels of a split are mostly of one size, and splits of like length, so that room is made; nulls come in some of them only. */
const anySplits = fc.array(
  fc.record({
    sizes: fc.oneof(
      fc.constant([130, 130, 130]),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }),
    ),
    nulls: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    /** A morsel whose strings are coded by another dictionary. */
    turn: fc.integer({ min: 0, max: 9 }),
    some: fc.array(anyRow(true), { minLength: 1, maxLength: 7 }),
    none: fc.array(anyRow(false), { minLength: 1, maxLength: 7 }),
  }),
  { minLength: 1, maxLength: 5 },
)

it('holds rows as they came, and leaves nothing behind', async () => {
  const context = await makeContext()
  const loaders = [context.loader, createBatchLoader(context)]
  fc.assert(
    fc.property(anySplits, fc.boolean(), fc.boolean(), (splits, hasLists, isBounded) => {
      const schema: SchemaShape = hasLists ? nested : plain
      const names = Object.keys(schema)
      const table: HeldTable = { schema, chunks: [], users: 1, ranges: null }
      const { memory } = context.k
      memory.account = isBounded ? new MemoryAccount(2 ** 30, 2 ** 30, 'load') : null
      const held = createHeldRows(context, table)
      const wanted: Row[][] = []
      for (const [i, { sizes, nulls, turn, some, none }] of splits.entries()) {
        const rows: Row[] = []
        for (const [j, size] of sizes.entries()) {
          const from = nulls[j] ? some : none
          const given = Array.from({ length: size }, (_, r) => {
            const row = from[(r * 7 + j) % from.length]
            return Object.fromEntries(names.map(name => [name, row[name]]))
          })
          const mark = memory.mark()
          const data = Object.fromEntries(names.map(name => [name, given.map(row => row[name])]))
          held.add(loaders[j === turn ? 1 : 0].load(batchOf(data as never, schema)), 3 * i)
          memory.reset(mark)
          rows.push(...given)
        }
        wanted.push(rows)
      }
      held.end()
      expect(reportTable(table).splits).toEqual(wanted.map((rows, i) => ({ split: 3 * i, rowCount: rows.length })))
      for (const [i, rows] of wanted.entries()) {
        const chunks = table.chunks.filter(({ split }) => split === 3 * i)
        expect(chunks.map(({ firstRow }) => firstRow)).toEqual(
          chunks.map((_, j) => chunks.slice(0, j).reduce((sum, { batch }) => sum + batch.rowCount, 0)),
        )
        expect(chunks.flatMap(({ batch }) => rowsOf(context, batch, schema))).toEqual(rows)
      }
      releaseTable(context, table)
      memory.account = null
    }),
    { numRuns: 60 },
  )
  for (const loader of loaders) loader.close()
  expect(context.usedBytes()).toBe(0)
})
