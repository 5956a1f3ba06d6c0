// Facts about dictionaries and the interner that fills them.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Dictionary } from '../../src/columnar/dictionary.js'
import { textInterner } from '../../src/columnar/text-interner.js'
import { errorOf } from './arbitraries.js'

const texts = fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 300 })
const namesOf = (dictionary: Dictionary): string[] =>
  Array.from({ length: dictionary.length }, (_, code) => dictionary.get(code))

describe('a dictionary', () => {
  test('gives back its entries as they were added', () => {
    fc.assert(
      fc.property(texts, values => {
        const dictionary = new Dictionary()
        expect(values.map(text => dictionary.add(text))).toEqual(values.map((_, i) => i))
        expect(namesOf(dictionary)).toEqual(values)
        expect(dictionary.offsets.length).toBe(dictionary.length + 1)
        expect(dictionary.bytes.length).toBe(dictionary.byteLength)
      }),
    )
  })

  test('appends the entries of another, from any base, decoding none', () => {
    fc.assert(
      fc.property(texts, texts, fc.nat(300), (first, second, n) => {
        const from = Math.min(n, second.length)
        const one = new Dictionary()
        const other = new Dictionary()
        for (const text of first) one.add(text)
        for (const text of second) other.add(text)
        one.append(other.offsets.subarray(from), other.bytes)
        expect(namesOf(one)).toEqual([...first, ...second.slice(from)])
      }),
    )
  })

  test('adopts buffers without copying, and can still grow', () => {
    const bytes = new TextEncoder().encode('ATLORD')
    const dictionary = Dictionary.adopt(Int32Array.of(0, 3, 6), bytes)
    expect(dictionary.bytes.buffer).toBe(bytes.buffer)
    expect(dictionary.add('JFK')).toBe(2)
    expect(namesOf(dictionary)).toEqual(['ATL', 'ORD', 'JFK'])
  })

  test('refuses bytes beyond what 32-bit offsets reach, before it allocates', () => {
    const dictionary = Dictionary.adopt(Int32Array.of(0, 2 ** 31 - 2), new Uint8Array(0))
    expect(errorOf(() => dictionary.add('xx')).code).toBe('MR_MEMORY_LIMIT')
  })
})

describe('an interner', () => {
  test('gives equal strings one code, in order of first appearance', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', '', '__proto__', 'constructor', '\u{1f600}')), values => {
        const interner = textInterner()
        const distinct = [...new Set(values)]
        expect(values.map(text => interner.intern(text))).toEqual(values.map(text => distinct.indexOf(text)))
        expect(namesOf(interner.dictionary)).toEqual(distinct)
      }),
    )
  })

  test('counts strings that differ only in lone surrogates as one', () => {
    const interner = textInterner()
    expect(['x\ud800', 'x\udfff', 'x\ufffd', 'x\ud800'].map(text => interner.intern(text))).toEqual([0, 0, 0, 0])
    expect(namesOf(interner.dictionary)).toEqual(['x\ufffd'])
  })

  test.each([
    ['entries', 2, 1000],
    ['bytes', 1000, 6],
  ])(
    'keeps its dictionary between chunks while it is small, and begins another once it has many %s',
    (_, entries, bytes) => {
      const interner = textInterner(entries, bytes)
      const first = interner.dictionary
      for (const text of ['abc', 'def']) interner.intern(text)
      interner.renew()
      expect(interner.dictionary).toBe(first)
      interner.intern('ghi')
      interner.renew()
      expect(interner.dictionary).not.toBe(first)
      expect(interner.intern('ghi')).toBe(0)
      expect(namesOf(first)).toEqual(['abc', 'def', 'ghi'])
    },
  )
})
