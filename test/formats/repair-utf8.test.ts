/** Strings made well-formed, against the platform's own decoder, string by string. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { repairUtf8 } from '../../src/formats/repair-utf8.js'

const textsOf = (strings: readonly Uint8Array[]) => {
  const offsets = new Int32Array(strings.length + 1)
  strings.forEach((bytes, i) => {
    offsets[i + 1] = (offsets[i] as number) + bytes.length
  })
  return { offsets, bytes: new Uint8Array(Buffer.concat(strings)) }
}

test('replaces what is ill-formed as TextDecoder does, counts it, and copies nothing where there is none', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme' }).map(text => new TextEncoder().encode(text)),
    fc
      .constantFrom([0xff], [0xc3], [0xa9], [0xed, 0xa0, 0x80], [0xf0, 0x9f], [0xef, 0xbb, 0xbf], [0xc0, 0x80])
      .map(bytes => Uint8Array.from(bytes)),
  )
  fc.assert(
    fc.property(
      fc.array(fc.array(piece, { maxLength: 3 }).map(parts => new Uint8Array(Buffer.concat(parts)))),
      strings => {
        const texts = textsOf(strings)
        const repaired = repairUtf8(texts)
        const lenient = new TextDecoder('utf-8', { ignoreBOM: true })
        const expected = strings.map(bytes => new TextEncoder().encode(lenient.decode(bytes)))
        const isSame = (i: number) => Buffer.compare(expected[i] as Uint8Array, strings[i] as Uint8Array) === 0
        expect(repaired.illFormedCount).toBe(strings.filter((_, i) => !isSame(i)).length)
        expected.forEach((bytes, i) => {
          expect([...repaired.bytes.subarray(repaired.offsets[i], repaired.offsets[i + 1])]).toEqual([...bytes])
        })
        if (repaired.illFormedCount === 0) expect(repaired.bytes).toBe(texts.bytes)
      },
    ),
    { numRuns: 500 },
  )
})
