/**
 * Integers from the discrete Laplace and the discrete Gaussian distribution, exactly: C. L. Canonne, G. Kamath, T. Steinke, The Discrete Gaussian for Differential Privacy
 * (NeurIPS 2020), algorithms 1 to 3. All in rationals over uniform random integers. Noise made of floating-point logarithms instead betrays the value that it is added to by its
 * low bits (I. Mironov, CCS 2012).
 */

/** Fills bytes with random ones. */
export type RandomBytes = (bytes: Uint8Array<ArrayBuffer>) => void

/** A uniform integer from 0 up to `below`, without it. */
export type RandomInteger = (below: bigint) => bigint

export interface Rational {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** Random words that are asked for at a time; a secure generator gives at most 65,536 bytes. */
const WORDS = 1024

export function randomIntegers(fill: RandomBytes): RandomInteger {
  const words = new BigUint64Array(WORDS)
  let next = WORDS
  const word = (): bigint => {
    if (next === WORDS) {
      fill(new Uint8Array(words.buffer))
      next = 0
    }
    const value = words[next]
    // What has been used is nowhere to be found later.
    words[next++] = 0n
    return value
  }
  return below => {
    const bits = bitsOf(below - 1n)
    while (true) {
      let value = word()
      let have = 64
      for (; have < bits; have += 64) value = (value << 64n) | word()
      value >>= BigInt(have - bits)
      if (value < below) return value
    }
  }
}

/** Binary digits, of 0 one. */
function bitsOf(value: bigint): number {
  if (value >= 2n ** 53n) return value.toString(2).length
  const small = Number(value)
  return Math.max(1, small < 2 ** 32 ? 32 - Math.clz32(small) : 64 - Math.clz32(small / 2 ** 32))
}

/** The double as it is. @param value finite, above 0 */
export function rationalOf(value: number): Rational {
  let denominator = 1n
  let numerator = value
  // A power of two changes no digit.
  while (!Number.isInteger(numerator)) {
    numerator *= 2
    denominator *= 2n
  }
  return { numerator: BigInt(numerator), denominator }
}

/** P(y) in proportion to exp(-|y| / scale). */
export function discreteLaplace({ numerator: t, denominator: s }: Rational, random: RandomInteger): bigint {
  while (true) {
    const fraction = random(t)
    if (!isExpSmall(fraction, t, random)) continue
    let whole = 0n
    while (isExpSmall(1n, 1n, random)) whole++
    const magnitude = (fraction + t * whole) / s
    const isNegative = random(2n) === 1n
    // Zero would come twice.
    if (isNegative && magnitude === 0n) continue
    return isNegative ? -magnitude : magnitude
  }
}

/** P(y) in proportion to exp(-y^2 / (2 variance)). */
export function discreteGaussian({ numerator: n, denominator: d }: Rational, random: RandomInteger): bigint {
  const t = rootOf(n / d) + 1n
  while (true) {
    const y = discreteLaplace({ numerator: t, denominator: 1n }, random)
    const off = (y < 0n ? -y : y) * t * d - n
    if (isExp(off * off, 2n * n * d * t * t, random)) return y
  }
}

/** True with probability exp(-n / d). */
function isExp(n: bigint, d: bigint, random: RandomInteger): boolean {
  for (; n > d; n -= d) if (!isExpSmall(1n, 1n, random)) return false
  return isExpSmall(n, d, random)
}

/** The same for n <= d: how often in a row one in n / d, n / 2d, n / 3d ... is met is even with just that probability. */
function isExpSmall(n: bigint, d: bigint, random: RandomInteger): boolean {
  let k = 1n
  while (random(d * k) < n) k++
  return k % 2n === 1n
}

/** The root, rounded down. */
function rootOf(value: bigint): bigint {
  if (value < 2n) return value
  let root = 1n << BigInt((bitsOf(value) + 1) >> 1)
  while (true) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}
