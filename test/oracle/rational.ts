/**
 * Exact arithmetic on doubles by BigInt: a finite double is an integer times 2^-1074, so a sum is one integer and a mean one
 * fraction, rounded once. Written from the definition of IEEE 754 and sharing nothing with the kernels.
 */
const UNIT_EXPONENT = 1074n
const FRACTION_BITS = 52n
const MAX_EXPONENT = 1023n

const double = new Float64Array(1)
const pattern = new BigUint64Array(double.buffer)

/** The integer `n` with `value === n * 2^-1074`. Finite values only. */
export function toUnits(value: number): bigint {
  double[0] = value
  const bits = pattern[0] as bigint
  const exponent = (bits >> FRACTION_BITS) & 0x7ffn
  const fraction = bits & ((1n << FRACTION_BITS) - 1n)
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << FRACTION_BITS)) << (exponent - 1n)
  return bits >> 63n === 1n ? -magnitude : magnitude
}

/** The double nearest to `numerator / denominator`, ties to even, subnormals and overflow to infinity included. A zero is +0. */
export function roundFraction(numerator: bigint, denominator: bigint): number {
  if (denominator < 0n) return roundFraction(-numerator, -denominator)
  if (numerator < 0n) return -roundFraction(-numerator, denominator)
  if (numerator === 0n) return 0
  // The exponent e with 2^e <= numerator / denominator < 2^(e + 1).
  let exponent = BigInt(bitLength(numerator) - bitLength(denominator))
  if (isBelow(numerator, denominator, exponent)) exponent -= 1n
  // The last place that a double of this size can hold; no double holds places below 2^-1074.
  const lastPlace = exponent - FRACTION_BITS < -UNIT_EXPONENT ? -UNIT_EXPONENT : exponent - FRACTION_BITS
  const top = lastPlace < 0n ? numerator << -lastPlace : numerator
  const bottom = lastPlace > 0n ? denominator << lastPlace : denominator
  let quotient = top / bottom
  const twice = (top % bottom) * 2n
  if (twice > bottom || (twice === bottom && quotient % 2n === 1n)) quotient += 1n
  if (bitLength(quotient) + Number(lastPlace) > Number(MAX_EXPONENT) + 1) return Infinity
  // `quotient` has at most 53 significant bits, so neither of the two steps rounds.
  return scaleExactly(Number(quotient), Number(lastPlace))
}

/** The double nearest to the exact sum of `values`; NaN, infinities and zeros as SEMANTICS says. */
export function exactSum(values: readonly number[]): number {
  return special(values) ?? roundFraction(totalUnits(values), 1n << UNIT_EXPONENT)
}

/** The double nearest to the exact sum divided by the count; `null` of nothing. Right where the sum itself would overflow. */
export function exactMean(values: readonly number[]): number | null {
  if (values.length === 0) return null
  return special(values) ?? roundFraction(totalUnits(values), BigInt(values.length) << UNIT_EXPONENT)
}

function special(values: readonly number[]): number | null {
  const up = values.includes(Infinity)
  const down = values.includes(-Infinity)
  if (values.some(Number.isNaN) || (up && down)) return NaN
  return up ? Infinity : down ? -Infinity : null
}

/** Equal values are counted first, since large tables repeat a few. */
function totalUnits(values: readonly number[]): bigint {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  let total = 0n
  for (const [value, count] of counts) total += toUnits(value) * BigInt(count)
  return total
}

function bitLength(value: bigint): number {
  return value.toString(2).length
}

/** numerator < denominator * 2^exponent, without fractions. */
function isBelow(numerator: bigint, denominator: bigint, exponent: bigint): boolean {
  return exponent >= 0n ? numerator < denominator << exponent : numerator << -exponent < denominator
}

/** In two steps near the bottom, where 2^exponent alone would already be subnormal. */
function scaleExactly(value: number, exponent: number): number {
  return exponent < -1000 ? value * 2 ** -1000 * 2 ** (exponent + 1000) : value * 2 ** exponent
}
