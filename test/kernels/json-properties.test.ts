// Rows from JSON of every sort against the model's: many cases.

import * as fc from 'fast-check'
import { test } from 'vitest'
import { cases, document } from './json-cases.js'
import { expectLikeModel } from './json-rows.js'
import { damage, damaged } from './json-texts.js'
import { makeKernels } from './support.js'

const k = await makeKernels()

test('records in any order, with keys unknown, missing and given twice, are read as the model reads them', () => {
  fc.assert(
    fc.property(cases, fc.array(fc.nat(2000), { maxLength: 2 }), ({ shape, records, gap }, places) => {
      const text = document(shape.layout, records, gap)
      const cuts = places.map(place => place % (Buffer.byteLength(text) + 1)).sort((a, b) => a - b)
      expectLikeModel(k, shape, text, cuts)
    }),
    { numRuns: 1500 },
  )
})

test('damaged records are refused where the model refuses them, and no others', () => {
  fc.assert(
    fc.property(cases, damage, fc.array(fc.nat(2000), { maxLength: 2 }), ({ shape, records, gap }, changes, places) => {
      const bytes = damaged(document(shape.layout, records, gap), changes)
      const cuts = places.map(place => place % (bytes.length + 1)).sort((a, b) => a - b)
      expectLikeModel(k, shape, bytes, cuts)
    }),
    { numRuns: 3000 },
  )
})

test('thousands of rows, mostly alike and some damaged', () => {
  fc.assert(
    fc.property(
      cases,
      damage,
      fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }),
      fc.nat(1_000_000),
      ({ shape, records, gap }, changes, order, place) => {
        // For long one record, or all in turn, those that are alike among them.
        const kinds = records.length === 0 ? ['{}'] : records
        const all = order.flatMap((length, i) =>
          Array.from({ length: length * length }, (_, j) => kinds[(i + (i % 3 ? j : 0)) % kinds.length]),
        )
        const text = document(shape.layout, all, gap)
        const bytes = damaged(
          text,
          changes.map(change => ({ ...change, at: change.at * 97 })),
        )
        expectLikeModel(k, shape, bytes, [place % (bytes.length + 1)])
      },
    ),
    { numRuns: 40 },
  )
})
