/** Floats as exact integers, and their decimal expansions in full: what floats from text are held against. */

const view = new DataView(new ArrayBuffer(8))

export function fromBits(bits: bigint): number {
  view.setBigUint64(0, bits)
  return view.getFloat64(0)
}

export function fromBits32(bits: bigint): number {
  view.setUint32(0, Number(bits))
  return view.getFloat32(0)
}

export function toBits(value: number): bigint {
  view.setFloat64(0, value)
  return view.getBigUint64(0)
}

/** A binary format: bits of the fraction, and the power of two that the last bit of the least number stands for. */
interface Format {
  readonly fractionBits: bigint
  readonly least: number
  /** The bits of infinity: those below are the finite numbers from 0, in order. */
  readonly infinity: bigint
}

export const DOUBLE: Format = { fractionBits: 52n, least: -1074, infinity: 0x7ffn << 52n }
export const SINGLE: Format = { fractionBits: 23n, least: -149, infinity: 0xffn << 23n }

export const INFINITY_BITS = DOUBLE.infinity

/** value = integer * 2^exponent of the positive number of these bits; of infinity what would be the number there. */
export function split(bits: bigint, { fractionBits, least }: Format = DOUBLE): { integer: bigint; exponent: number } {
  const field = Number(bits >> fractionBits)
  const hidden = 1n << fractionBits
  const fraction = bits & (hidden - 1n)
  return field === 0
    ? { integer: fraction, exponent: least }
    : { integer: fraction | hidden, exponent: field - 1 + least }
}

/** integer * 2^exponent in digits, all of them: `digits` * 10^`tens`. */
export function decimal(integer: bigint, exponent: number): { digits: string; tens: number } {
  return exponent >= 0
    ? { digits: String(integer << BigInt(exponent)), tens: 0 }
    : { digits: String(integer * 5n ** BigInt(-exponent)), tens: exponent }
}

/** The middle between the number of these bits and the next above, in digits. */
export function middle(bits: bigint, format = DOUBLE): { digits: string; tens: number } {
  const { integer, exponent } = split(bits, format)
  return decimal(integer * 2n + 1n, exponent - 1)
}

const pow10 = (n: number): bigint => 10n ** BigInt(n)

/** The bits of the number nearest to digits * 10^tens, by a search among all of them and integers without bound. */
export function nearest(digits: string, tens: number, format = DOUBLE): bigint {
  const [up, down] = tens >= 0 ? [pow10(tens), 1n] : [1n, pow10(-tens)]
  const number = BigInt(digits) * up
  /** Below 0, 0 or above as the number is below, at or above the middle behind `bits`. */
  const order = (bits: bigint): bigint => {
    const { integer, exponent } = split(bits, format)
    const twice = (integer * 2n + 1n) * down
    const shift = BigInt(exponent - 1)
    return shift >= 0n ? number - (twice << shift) : (number << -shift) - twice
  }
  let [low, high] = [0n, format.infinity]
  while (low < high) {
    const bits = (low + high) >> 1n
    const side = order(bits)
    if (side > 0n || (side === 0n && bits & 1n)) low = bits + 1n
    else high = bits
  }
  return low
}

/** The same number in other words: with a point somewhere, zeros around it, an exponent that makes up for it. */
export function spell(digits: string, tens: number, random: () => number): string {
  const pick = (n: number): number => Math.floor(random() * n)
  switch (pick(5)) {
    case 0:
      return `${digits}e${tens}`
    case 1: {
      const at = 1 + pick(digits.length)
      return `${digits.slice(0, at)}.${digits.slice(at)}E${tens + digits.length - at}`
    }
    case 2:
      return `${'0'.repeat(pick(30))}.${'0'.repeat(pick(30))}`.replace(
        /(0*)\.(0*)/,
        (_, before: string, zeros: string) => `${before}.${zeros}${digits}e${tens + digits.length + zeros.length}`,
      )
    case 3: {
      const more = pick(40)
      return `${digits}${'0'.repeat(more)}e${tens < more ? '-' : '+'}000${Math.abs(tens - more)}`
    }
    default:
      // Without an exponent.
      if (tens >= 0) return `${digits}${'0'.repeat(tens)}.`
      if (-tens < digits.length) return `${digits.slice(0, tens)}.${digits.slice(tens)}`
      return `0.${'0'.repeat(-tens - digits.length)}${digits}`
  }
}

/** xorshift128+ of a seed: numbers in [0, 1), and float64 bits of all magnitudes. */
export function randomOf(seed: number): { random(): number; bits(): bigint } {
  let [a, b] = [BigInt.asUintN(64, BigInt(seed) * 0x9e3779b97f4a7c15n + 1n), 0x5851f42d4c957f2dn]
  const next = (): bigint => {
    let x = a
    a = b
    x ^= BigInt.asUintN(64, x << 23n)
    b = x ^ b ^ (x >> 18n) ^ (b >> 5n)
    return BigInt.asUintN(64, a + b)
  }
  return {
    random: () => Number(next() >> 11n) * 2 ** -53,
    // Positive and finite.
    bits: () => {
      while (true) {
        const bits = next() >> 1n
        if (bits < INFINITY_BITS) return bits
      }
    },
  }
}
