// Facts about int64s read and written as words.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isSafe, numberAt, setNumber, wordsOf } from '../../src/columnar/int64.js'

test('an int64 is safe just where its number is the same integer', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
        fc.bigInt(-3n, 3n).map(n => 2n ** 53n + n),
        fc.bigInt(-3n, 3n).map(n => -(2n ** 53n) + n),
        fc.maxSafeInteger().map(BigInt),
      ),
      value => {
        const number = numberAt(wordsOf(BigInt64Array.of(value)), 0)
        expect(isSafe(number)).toBe(Number.isSafeInteger(Number(value)))
        if (isSafe(number)) expect(BigInt(number)).toBe(value)
      },
    ),
    { numRuns: 500 },
  )
})

test('a safe integer is written as it is', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), value => {
      const data = new BigInt64Array(2)
      setNumber(wordsOf(data), 1, value)
      expect(data[1]).toBe(BigInt(value))
      expect(data[0]).toBe(0n)
    }),
  )
})
