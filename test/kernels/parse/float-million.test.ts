// A million random float64s are read back from their text to the bit, and as many texts between two of them to the nearer. MILLRACE_RUNS
// multiplies how many, MILLRACE_SEED repeats a run.

import { expect, test } from 'vitest'
import { fromBits, middle, nearest, randomOf, spell } from './exact.js'
import { firstWrong } from './module.js'

const seed = Number(process.env.MILLRACE_SEED ?? Date.now() % 2 ** 31)
const runs = Number(process.env.MILLRACE_RUNS ?? 1)
const { random, bits } = randomOf(seed)

function expectAll(texts: string[], values: number[]): void {
  const wrong = firstWrong(texts, values)
  if (wrong !== null) expect.fail(`${wrong} (seed ${seed})`)
}

/** In batches of 8,000. */
function rounds(count: number, add: (texts: string[], values: number[]) => void): void {
  for (let done = 0; done < count; ) {
    const texts: string[] = []
    const values: number[] = []
    while (texts.length < 8000) add(texts, values)
    expectAll(texts, values)
    done += texts.length
  }
}

test('the shortest text of a million float64s, with and without an exponent', { timeout: 120_000 * runs }, () => {
  rounds(2_000_000 * runs, (texts, values) => {
    const value = fromBits(bits())
    texts.push(String(value), (-value).toExponential())
    values.push(value, -value)
  })
})

test('a million with 17 to 100 digits', { timeout: 120_000 * runs }, () => {
  rounds(1_000_000 * runs, (texts, values) => {
    const value = fromBits(bits())
    texts.push(value.toPrecision(17), value.toPrecision(18 + Math.floor(random() * 83)))
    values.push(value, value)
  })
})

// Digits that are no float64's text, so that the answer is rounded: V8 is the other reader, which counts to 772 digits.
test('a million of 1 to 25 random digits and any exponent', { timeout: 120_000 * runs }, () => {
  rounds(1_000_000 * runs, (texts, values) => {
    const count = 1 + Math.floor(random() * 25)
    let digits = ''
    while (digits.length < count) digits += String(Math.floor(random() * 1e9))
    const text = spell(digits.slice(0, count), Math.floor(random() * 60 - 40) * (random() < 0.3 ? 8 : 1), random)
    texts.push(text)
    values.push(Number(text))
  })
})

test('middles between neighbours, and a unit of their last digit beside them', { timeout: 120_000 * runs }, () => {
  rounds(100_000 * runs, (texts, values) => {
    const low = bits()
    const { digits, tens } = middle(low)
    const [below, above] = [fromBits(low), fromBits(low + 1n)]
    texts.push(
      spell(digits, tens, random),
      spell(String(BigInt(digits) + 1n), tens, random),
      spell(String(BigInt(digits) - 1n), tens, random),
    )
    values.push(low & 1n ? above : below, above, below)
  })
})

// The first 17 to 25 digits of a middle are so near it that a product of 64-bit factors is often in doubt.
test('middles cut off after some digits, against integers without bound', { timeout: 120_000 * runs }, () => {
  rounds(40_000 * runs, (texts, values) => {
    const { digits, tens } = middle(bits())
    const count = Math.min(digits.length, 15 + Math.floor(random() * 11))
    const cut = String(BigInt(digits.slice(0, count)) + BigInt(Math.floor(random() * 3) - 1))
    const rest = tens + digits.length - count
    texts.push(spell(cut, rest, random))
    values.push(fromBits(nearest(cut, rest)))
  })
})
