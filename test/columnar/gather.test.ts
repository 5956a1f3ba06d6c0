import fc from 'fast-check'
import { expect, it } from 'vitest'
import { gatherBatch } from '../../src/columnar/gather-batch.js'
import {
  bool,
  float64,
  int64,
  list,
  nullable,
  type RecordBatch,
  rows,
  schema,
  timestamp,
  utf8,
} from '../../src/index.js'

const shape = schema({
  flag: nullable(bool()),
  word: nullable(utf8()),
  whole: int64(),
  part: nullable(float64()),
  when: nullable(timestamp()),
  items: nullable(list(nullable(utf8()))),
})

it('gives the rows that are asked for, as often as they are', async () => {
  const row = fc.record({
    flag: fc.option(fc.boolean()),
    word: fc.option(fc.constantFrom('', 'a', 'ä', 'long enough')),
    whole: fc.bigInt({ min: -9n, max: 9n }),
    part: fc.option(fc.double({ noNaN: true })),
    when: fc.option(fc.integer({ min: -99, max: 99 }).map(ms => new Date(ms))),
    items: fc.option(fc.array(fc.option(fc.constantFrom('x', 'yz')), { maxLength: 3 })),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat(1e6), { maxLength: 40 }),
      fc.nat(29),
      async (all, picks, from) => {
        const [whole] = (await rows(all as never, shape as never).collect({ lanes: 0 }))
          .batches as readonly RecordBatch[]
        // Also of a slice, whose bitmaps and offsets do not begin at 0.
        const batch = (whole as RecordBatch).slice(Math.min(from, all.length - 1), all.length) as RecordBatch
        const places = Uint32Array.from(picks.map(pick => pick % batch.rowCount))
        const expected = batch.toRows({ bigint: true })
        expect(gatherBatch(batch, places).toRows({ bigint: true })).toEqual([...places].map(place => expected[place]))
      },
    ),
    { numRuns: 300 },
  )
})
