// float32s from text are rounded as if once.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromBits32, middle, nearest, randomOf, SINGLE, spell } from './exact.js'
import { firstWrong } from './module.js'

const seed = Number(process.env.MILLRACE_SEED ?? Date.now() % 2 ** 31)
const { random } = randomOf(seed)

function expectAll(pairs: readonly (readonly [string, number])[]): void {
  const wrong = firstWrong(
    pairs.map(([text]) => text),
    pairs.map(([, value]) => value),
    'singles',
  )
  if (wrong !== null) expect.fail(`${wrong} (seed ${seed})`)
}

test('middles between neighbours and what is just beside them, nearer than a float64 is', () => {
  const pairs: [string, number][] = []
  const add = (low: bigint): void => {
    const { digits, tens } = middle(low, SINGLE)
    const [below, above] = [fromBits32(low), fromBits32(low + 1n)]
    const sign = random() < 0.5 ? '-' : ''
    const push = (text: string, value: number) => pairs.push([sign + text, sign === '' ? value : -value])
    push(spell(digits, tens, random), low & 1n ? above : below)
    const zeros = Math.floor(random() * 60)
    push(spell(`${digits}${'0'.repeat(zeros)}1`, tens - zeros - 1, random), above)
    push(spell(`${BigInt(digits) - 1n}${'9'.repeat(zeros + 1)}`, tens - zeros - 1, random), below)
  }
  for (let i = 0; i < 3000; i++) add(BigInt(Math.floor(random() * Number(SINGLE.infinity))))
  // Subnormal ones, the least and the greatest.
  for (let i = 0; i < 1000; i++) add(BigInt(Math.floor(2 ** (random() * 24))))
  for (let i = 0n; i < 8n; i++) {
    add(i)
    add((1n << 23n) - 4n + i)
    add(SINGLE.infinity - 1n - i)
  }
  expectAll(pairs)
})

test('any digits and exponent, against integers without bound', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'00123456789'), minLength: 1, maxLength: 30 })
  const exponent = fc.oneof(fc.integer({ min: -15, max: 15 }), fc.integer({ min: -80, max: 45 }))
  fc.assert(
    fc.property(fc.array(fc.tuple(digits, exponent, fc.nat()), { maxLength: 20 }), cases => {
      expectAll(
        cases.map(([text, tens, how]) => [
          spell(text, tens, randomOf(how).random),
          fromBits32(nearest(text, tens, SINGLE)),
        ]),
      )
    }),
    { numRuns: 100 },
  )
})

test('zeros, names and the ends of the range', () => {
  const most = (2 - 2 ** -23) * 2 ** 127
  expectAll([
    ['0', 0],
    ['-0', -0],
    ['-0.0e5', -0],
    ['nan', NaN],
    ['-inf', -Infinity],
    ['1e39', Infinity],
    ['-1e-60', -0],
    ['1e-400', 0],
    ['3.4028235e38', most],
    // The float64 nearest to the first is the middle between the greatest and infinity, which is the second.
    ['3.4028235677973366e38', most],
    ['340282356779733661637539395458142568448', Infinity],
    ['1e-45', 2 ** -149],
    ['7.0064923216240854e-46', 2 ** -149],
    ['7.006492321624085e-46', 0],
    ['0.1', Math.fround(0.1)],
    ['16777217', 16777216],
    ['16777217.0000000000000001', 16777218],
    ['16777218.9999999999999999', 16777218],
  ])
})
