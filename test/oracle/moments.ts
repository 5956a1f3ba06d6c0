/**
 * Second moments by exact whole numbers: sums of squares and products as BigInt, rounded where SEMANTICS says and nowhere else. With n values
 * N(x, y) = n * sum(x * y) - sum(x) * sum(y); everything is a quotient of such.
 */
import { roundFraction, toUnits } from './rational.js'

type Real = number | bigint
type Pair = readonly [x: Real, y: Real]

/** Sample: null of fewer than two. The variance of x is its covariance with itself. */
export function exactCovariance(pairs: readonly Pair[], population: boolean): number | null {
  const n = BigInt(pairs.length)
  if (n < (population ? 1n : 2n)) return null
  if (isSpecial(pairs)) return NaN
  const { xy, xBits, yBits } = central(pairs)
  return roundFraction(xy, (population ? n * n : n * (n - 1n)) << (xBits + yBits))
}

/** Of y over x. Null where x does not vary, as in SQL (regr_slope): a vertical line has none. */
export function exactSlope(pairs: readonly Pair[]): number | null {
  if (pairs.length < 2) return null
  if (isSpecial(pairs)) return NaN
  const { xx, xy, xBits, yBits } = central(pairs)
  return xx === 0n ? null : roundFraction(xy << xBits, xx << yBits)
}

/** Null where x or y does not vary, as in SQL and PostgreSQL (corr); others give NaN. */
export function exactCorrelation(pairs: readonly Pair[]): number | null {
  if (pairs.length < 2) return null
  if (isSpecial(pairs)) return NaN
  const { xx, yy, xy } = central(pairs)
  if (xx === 0n || yy === 0n) return null
  const [above, exponent] = significand(xy)
  const [a, aExponent] = root(xx)
  const [b, bExponent] = root(yy)
  const quotient = toUnits(above / (a * b))
  const shift = exponent - aExponent - bExponent
  const value = roundFraction(shift > 0n ? quotient << shift : quotient, 1n << (1074n + (shift < 0n ? -shift : 0n)))
  return Math.min(1, Math.max(-1, value))
}

/** NaN or an infinity makes every second moment NaN. */
const isSpecial = (pairs: readonly Pair[]) =>
  pairs.some(pair => pair.some(value => typeof value === 'number' && !Number.isFinite(value)))

/** N(x, x), N(y, y) and N(x, y) in units of 2^-bits of each factor. */
function central(pairs: readonly Pair[]) {
  const xBits = bitsOf(pairs.map(([x]) => x))
  const yBits = bitsOf(pairs.map(([, y]) => y))
  // Equal pairs are counted first, since large tables repeat a few.
  const counts = new Map<string, { x: bigint; y: bigint; count: bigint }>()
  for (const [x, y] of pairs) {
    const key = `${x} ${y}`
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { x: unitsOf(x), y: unitsOf(y), count: 1n })
    else known.count += 1n
  }
  let [sx, sy, sxx, syy, sxy] = [0n, 0n, 0n, 0n, 0n]
  for (const { x, y, count } of counts.values()) {
    sx += count * x
    sy += count * y
    sxx += count * x * x
    syy += count * y * y
    sxy += count * x * y
  }
  const n = BigInt(pairs.length)
  return { xx: n * sxx - sx * sx, yy: n * syy - sy * sy, xy: n * sxy - sx * sy, xBits, yBits }
}

const bitsOf = (values: readonly Real[]): bigint => (typeof values[0] === 'bigint' ? 0n : 1074n)
const unitsOf = (value: Real): bigint => (typeof value === 'bigint' ? value : toUnits(value))

/** A whole number rounded to 53 bits, ties to even: the double without its exponent, and that. */
function significand(value: bigint): readonly [number, bigint] {
  if (value < 0n) {
    const [negated, exponent] = significand(-value)
    return [-negated, exponent]
  }
  const exponent = BigInt(Math.max(0, value.toString(2).length - 53))
  // What is left of the point is a whole number of 53 bits, and so is what it rounds to.
  return [Number(roundToWhole(value, exponent)), exponent]
}

function roundToWhole(value: bigint, exponent: bigint): bigint {
  const whole = value >> exponent
  const twice = (value - (whole << exponent)) * 2n
  const one = 1n << exponent
  return twice > one || (twice === one && whole % 2n === 1n) ? whole + 1n : whole
}

function root(value: bigint): readonly [number, bigint] {
  const [digits, exponent] = significand(value)
  return exponent % 2n === 0n ? [Math.sqrt(digits), exponent / 2n] : [Math.sqrt(2 * digits), (exponent - 1n) / 2n]
}
