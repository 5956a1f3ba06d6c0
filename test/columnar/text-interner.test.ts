// Codes of strings, chunk by chunk, against the strings themselves.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { textInterner } from '../../src/columnar/text-interner.js'

/** Chunks of so many strings each, of which so many of a hundred have not come before. */
const chunks = fc.array(fc.record({ rows: fc.nat(6000), fresh: fc.constantFrom(0, 30, 60, 100) }), { maxLength: 12 })

test('a code stands for its string, whether strings come again or not', () => {
  fc.assert(
    fc.property(chunks, fc.constantFrom(2 ** 20, 5000), (given, largeEntries) => {
      const interner = textInterner(largeEntries)
      let made = 0
      let draw = 1
      for (const { rows, fresh } of given) {
        const texts = Array.from({ length: rows }, () => {
          draw = (Math.imul(draw, 1_664_525) + 1_013_904_223) >>> 0
          return draw % 100 < fresh ? `string ${made++} \ud800, 'é' and more` : `s${draw % 700}`
        })
        const codes = texts.map(text => interner.intern(text))
        const { dictionary } = interner
        expect(codes.map(code => dictionary.get(code))).toEqual(texts.map(text => text.replace('\ud800', '\ufffd')))
        interner.renew()
        // What was handed out stays as it is.
        if (dictionary.isOfOneBatch) expect(interner.dictionary).not.toBe(dictionary)
      }
    }),
    { numRuns: 40 },
  )
})

test('strings that come again have one code, and where most do not they are not looked up, until it is asked again', () => {
  const interner = textInterner()
  const chunk = (texts: readonly string[]) => {
    const codes = texts.map(text => interner.intern(text))
    interner.renew()
    return new Set(codes).size
  }
  const same = Array.from({ length: 8192 }, (_, i) => `${i % 10}`)
  let made = 0
  const others = () => Array.from({ length: 8192 }, () => `new ${made++}`)
  expect(chunk(same)).toBe(10)
  expect(chunk(others())).toBe(8192)
  for (let i = 0; i < 16; i++) expect(chunk(same)).toBe(8192)
  for (let i = 0; i < 3; i++) expect(chunk(same)).toBe(10)
})
