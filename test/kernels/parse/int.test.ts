// Integers and truth from text.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bools, ints } from './module.js'

/** What BigInt makes of it. */
function model(text: string): bigint | { code: number } {
  if (!/^[+-]?[0-9]+$/.test(text)) return { code: 1 }
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text.replace('+', ''))
  return BigInt.asIntN(64, value) === value ? value : { code: 2 }
}

const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 24 })
const nearly = fc.string({ unit: fc.constantFrom(...'0123456789+-. /:e'), maxLength: 24 })
const anyText = fc.oneof(
  digits,
  nearly,
  fc.tuple(fc.constantFrom('-', '+', '000000000000000000000'), digits).map(parts => parts.join('')),
)

test('integers of any length are what BigInt says, or refused', () => {
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 200 }), texts => {
      expect(ints(texts)).toEqual(texts.map(model))
    }),
    { numRuns: 150 },
  )
})

test('every count of digits, at every edge of int64 and of a word', () => {
  const edges: string[] = []
  for (let power = 0n; power <= 21n; power++) {
    for (const value of [10n ** power, 2n ** 63n, 2n ** 64n, 2n ** 31n, 2n ** 32n]) {
      for (let by = -2n; by <= 2n; by++) {
        for (const sign of ['', '-', '+']) {
          for (const zeros of [0, 1, 7, 8, 30, 5000]) {
            if (value + by >= 0n) edges.push(sign + '0'.repeat(zeros) + String(value + by))
          }
        }
      }
    }
  }
  expect(ints(edges)).toEqual(edges.map(model))
})

test('one wrong byte anywhere makes it no integer', () => {
  for (const text of ['7', '12345678', '-123456789', '00000000000000000000000001', '9'.repeat(40)]) {
    const broken: string[] = []
    for (let i = 0; i < text.length; i++) {
      for (let byte = 0; byte < 128; byte++)
        broken.push(text.slice(0, i) + String.fromCharCode(byte) + text.slice(i + 1))
      broken.push(`${text.slice(0, i)}é${text.slice(i + 1)}`)
    }
    expect(ints(broken)).toEqual(broken.map(model))
  }
  expect(ints(['', '+', '-', '--1', '+-1', '1-', ' 1', '1 ', '0x1', '1_000'])).toEqual(new Array(10).fill({ code: 1 }))
})

test('true, false, t, f in any case, 1 and 0, and nothing else', () => {
  const cases = (word: string): string[] =>
    word === '' ? [''] : cases(word.slice(1)).flatMap(rest => [word[0] + rest, word[0].toUpperCase() + rest])
  expect(bools([...cases('true'), ...cases('t'), '1'])).toEqual(new Array(19).fill(1))
  expect(bools([...cases('false'), ...cases('f'), '0'])).toEqual(new Array(35).fill(0))
  const others = [
    '',
    '2',
    '10',
    '01',
    'yes',
    'tr',
    'tru',
    'truee',
    'fals',
    'falsee',
    ' true',
    'true ',
    '-1',
    '+1',
    'null',
  ]
  for (const word of ['true', 'false', 't', 'f', '1', '0']) {
    for (let i = 0; i < word.length; i++) {
      for (let byte = 0; byte < 128; byte++) {
        const text = word.slice(0, i) + String.fromCharCode(byte) + word.slice(i + 1)
        if (!/^(true|false|t|f|1|0)$/i.test(text)) others.push(text)
      }
    }
  }
  expect(bools(others)).toEqual(others.map(() => 2))
})
