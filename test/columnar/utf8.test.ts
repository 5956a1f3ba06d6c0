// Facts about UTF-8 to and from strings.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8Into, wellFormed } from '../../src/columnar/utf8.js'

test('well-formed text survives, short and long, whatever lies around it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(9), (text, before) => {
      const bytes = new Uint8Array(before + text.length * 3 + 5).fill(65)
      const written = encodeUtf8Into(text, bytes, before)
      expect(decodeUtf8(bytes, before, before + written)).toBe(text)
    }),
  )
})

test('a byte order mark is a character like any other', () => {
  const bytes = new TextEncoder().encode('\ufeffa')
  expect(decodeUtf8(bytes, 0, bytes.length)).toBe('\ufeffa')
})

test('ill-formed bytes decode to U+FFFD', () => {
  expect(decodeUtf8(Uint8Array.of(65, 0xff, 66), 0, 3)).toBe('A\ufffdB')
})

test('a lone surrogate becomes U+FFFD, a pair stays', () => {
  expect(wellFormed('a\ud800b\udc00')).toBe('a\ufffdb\ufffd')
  expect(wellFormed('\ud83d\ude00')).toBe('\ud83d\ude00')
})
