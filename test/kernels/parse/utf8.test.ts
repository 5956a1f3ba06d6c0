// Ill-formed UTF-8 is found where a decoder finds it.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstIllFormed } from './module.js'

const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

const isWell = (bytes: Uint8Array): boolean => {
  try {
    fatal.decode(bytes)
    return true
  } catch {
    return false
  }
}

/**
 * Where the first U+FFFD of a decoder stands for something else: the well-formed text before it, in bytes.
 */
function model(bytes: Uint8Array): number {
  if (isWell(bytes)) return bytes.length
  // The longest well-formed prefix that no longer one extends: a sequence cut short ends it where it begins.
  for (let at = bytes.length - 1; ; at--) if (isWell(bytes.subarray(0, at))) return at
}

/** Continues any sequence, so that one cut short looks whole to who reads on. */
const CONTINUATION = new Uint8Array(16).fill(0x80)

const check = (bytes: Uint8Array): void => {
  expect(firstIllFormed(bytes, CONTINUATION)).toBe(model(bytes))
}

test('any text, cut anywhere', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), text => {
      const bytes = new TextEncoder().encode(text)
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

test('overlong forms are none, and a decoder agrees on where each begins', () => {
  for (const bytes of [
    [0xc0, 0x80],
    [0xc1, 0xbf],
    [0xe0, 0x80, 0x80],
    [0xe0, 0x9f, 0xbf],
    [0xf0, 0x80, 0x80, 0x80],
    [0xf0, 0x8f, 0xbf, 0xbf],
  ]) {
    for (let ascii = 0; ascii < 40; ascii++) {
      const whole = Uint8Array.from([...new Array(ascii).fill(0x61), ...bytes, 0x62])
      expect(firstIllFormed(whole)).toBe(ascii)
      expect(lenient.decode(whole).indexOf('\ufffd')).toBe(ascii)
    }
  }
})
