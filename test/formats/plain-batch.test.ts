/** Batches and errors of a lane extension, made the core's own. */
import { expect, test } from 'vitest'
import { Dictionary } from '../../src/columnar/dictionary.js'
import { nullable, utf8 } from '../../src/columnar/type.js'
import { MillraceError } from '../../src/errors.js'
import { createReviver, type PlainBatch, reviveError } from '../../src/formats/plain-batch.js'

test('one dictionary is made for all batches that share one', () => {
  const dictionary = { length: 2, offsets: Int32Array.of(0, 1, 3), bytes: new TextEncoder().encode('abc') }
  const batch = (codes: number[]): PlainBatch => ({
    rowCount: codes.length,
    vectors: [
      {
        type: nullable(utf8()),
        length: codes.length,
        nullCount: 0,
        validity: null,
        data: Int32Array.from(codes),
        dictionary,
        offsets: null,
      },
    ],
    illFormedCount: 0,
  })
  const revive = createReviver()
  const [first] = revive(batch([0, 1]))
  const [second] = revive(batch([1]))
  expect(first?.dictionary).toBeInstanceOf(Dictionary)
  expect(second?.dictionary).toBe(first?.dictionary)
  expect([first?.dictionary?.get(0), first?.dictionary?.get(1)]).toEqual(['a', 'bc'])
  expect(first?.data).toEqual(Int32Array.of(0, 1))
})

test('errors of another copy of the class become ours, others stay', () => {
  const foreign = Object.assign(new Error('MR_FORMAT_ERROR: broken', { cause: 'why' }), {
    name: 'MillraceError',
    code: 'MR_FORMAT_ERROR',
    details: { row: 5 },
  })
  const revived = reviveError(foreign)
  expect(revived).toBeInstanceOf(MillraceError)
  expect(revived).toMatchObject({
    code: 'MR_FORMAT_ERROR',
    message: 'MR_FORMAT_ERROR: broken',
    details: { row: 5 },
    cause: 'why',
  })
  const ours = new MillraceError('MR_CLOSED', 'x')
  const other = new Error('other')
  for (const error of [ours, other, 'text', null]) expect(reviveError(error)).toBe(error)
})
