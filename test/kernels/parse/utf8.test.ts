// Ill-formed UTF-8 is found where a decoder finds it.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstIllFormed } from './module.js'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** Where the first U+FFFD of a decoder begins that was not in the bytes. */
function model(bytes: Uint8Array): number {
  const text = decoder.decode(bytes)
  for (let i = text.indexOf('\ufffd'); i >= 0; i = text.indexOf('\ufffd', i + 1)) {
    const at = encoder.encode(text.slice(0, i)).length
    if (bytes[at] !== 0xef || bytes[at + 1] !== 0xbf || bytes[at + 2] !== 0xbd) return at
  }
  return bytes.length
}

const codePoint = fc.oneof(fc.nat(0x7f), fc.nat(0x7ff), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10_ffff }))
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(codePoint, { maxLength }).map(points => String.fromCodePoint(...points))

/** Continues any sequence, so that one cut short looks whole to who reads on. */
const CONTINUATION = new Uint8Array(16).fill(0x80)

const check = (bytes: Uint8Array): void => {
  const [got, expected] = [firstIllFormed(bytes, CONTINUATION), model(bytes)]
  if (got !== expected) expect.fail(`[${bytes}]: ${got}, not ${expected}`)
}

test('any text, cut anywhere', () => {
  fc.assert(
    fc.property(text(60), whole => {
      const bytes = encoder.encode(whole)
      for (let cut = 0; cut <= bytes.length; cut++) check(bytes.subarray(0, cut))
    }),
    { numRuns: 300 },
  )
})

test('any bytes, and text with some of them changed', () => {
  const lead = fc.constantFrom(
    0x41,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xe1,
    0xed,
    0xef,
    0xf0,
    0xf3,
    0xf4,
    0xf5,
    0xff,
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(lead, fc.nat(255)), { maxLength: 40 }), fc.nat(40), (values, ascii) => {
      check(Uint8Array.from([...new Array(ascii).fill(0x61), ...values]))
    }),
    { numRuns: 4000 },
  )
})

test('every lead byte with every second byte', () => {
  for (let first = 0x80; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      for (const rest of [[], [0x80], [0x80, 0x80], [0xbf, 0xbf, 0x41], [0x41], [0x80, 0x41]]) {
        check(Uint8Array.from([0x61, first, second, ...rest]))
      }
    }
  }
})

test('the same within long text, wherever in a block', () => {
  const points = [...'Ünï😀c漢øðé字😃ß漢字éа😄ñ字漢ж'.repeat(2)]
  const before = points.map((_, i) => encoder.encode(points.slice(0, i).join('')))
  const behind = before[20]
  const rests = [[], [0x80], [0x80, 0xbf], [0x41, 0x80]]
  let turn = 0
  for (let first = 0x80; first < 256; first++) {
    // Each half of the second byte that matters.
    for (let second = 0; second < 256; second += second < 0x80 ? 0x41 : 9) {
      for (const start of before.slice(10, 26))
        check(Uint8Array.from([...start, first, second, ...rests[turn++ & 3], ...behind]))
    }
  }
})

test('long text, with a byte changed, left out or cut off', () => {
  fc.assert(
    fc.property(text(200), fc.nat(800), fc.nat(2), fc.nat(255), (whole, place, kind, byte) => {
      const bytes = [...encoder.encode(whole)]
      const at = place % (bytes.length + 1)
      if (kind === 0) bytes[at] = byte
      else bytes.splice(at, kind === 1 ? 1 : bytes.length)
      check(Uint8Array.from(bytes))
    }),
    { numRuns: 1000 },
  )
})

test('every code point, and no surrogate', () => {
  const bytes = new Uint8Array(4)
  for (let point = 0x80; point <= 0x11_0fff; point++) {
    // Written out as if all were allowed.
    const size = point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4
    for (let i = size - 1, rest = point; i >= 0; i--, rest >>= 6) bytes[i] = 0x80 | (rest & 63)
    bytes[0] = (0xf00 >> size) | (size === 2 ? point >> 6 : size === 3 ? point >> 12 : point >> 18)
    const isAllowed = point <= 0x10_ffff && (point < 0xd800 || point > 0xdfff)
    const got = firstIllFormed(bytes.subarray(0, size))
    if (got !== (isAllowed ? size : 0)) expect.fail(`${point.toString(16)}: ${got}`)
  }
})

test('what a strict decoder takes is well-formed, and nothing else', () => {
  const strict = new TextDecoder('utf-8', { fatal: true })
  const takes = (bytes: Uint8Array): boolean => {
    try {
      strict.decode(bytes)
      return true
    } catch {
      return false
    }
  }
  fc.assert(
    fc.property(
      fc.array(fc.oneof(text(9), fc.constantFrom(0xc1, 0x80, 0xed, 0xf4)), {
        maxLength: 6,
      }),
      parts => {
        const bytes = Uint8Array.from(
          parts.flatMap(part => (typeof part === 'number' ? [part] : [...encoder.encode(part)])),
        )
        expect(firstIllFormed(bytes) === bytes.length).toBe(takes(bytes))
      },
    ),
    { numRuns: 500 },
  )
})

test('the offset is right behind any length of ASCII', () => {
  for (const bytes of [
    [0xc0, 0x80],
    [0xe0, 0x9f, 0xbf],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe2, 0x82],
  ]) {
    for (let ascii = 0; ascii < 70; ascii++) {
      expect(firstIllFormed(Uint8Array.from([...new Array(ascii).fill(0x61), ...bytes, 0x62]))).toBe(ascii)
    }
  }
})
