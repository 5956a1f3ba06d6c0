// Exact sums and moments of v3, rounded once: the arithmetic of reference.js, which shares nothing with the library's kernels.
//
// A value of v3 is 0 or lies in 1e-6..100, so it is a whole number of 2^-72 below 2^79. Sums of such numbers, and of their squares, are kept in
// limbs, float64 that stay whole and below 2^53, and joined as big integers at the end.

/** Units: a value is a whole number times 2^-72, a square times 2^-144. */
export const VALUE_EXPONENT = -72
export const SQUARE_EXPONENT = 2 * VALUE_EXPONENT

/** Rows whose squares a run of limbs holds: a limb gets at most 2^42 a row. */
const ROWS_A_RUN = 2048

/**
 * Sums by group.
 *
 * @param {Float64Array} values each 0 or in 1e-6..100
 * @param {Int32Array} groupOf
 * @param {number} groupCount
 * @returns {(group: number) => bigint} the sum in units of 2^-72; exact where a group has fewer than 2^26 rows
 */
export function exactSums(values, groupOf, groupCount) {
  const high = new Float64Array(groupCount)
  const middle = new Float64Array(groupCount)
  const low = new Float64Array(groupCount)
  for (let i = 0; i < values.length; i++) {
    const group = groupOf[i]
    // Limbs of 27, 26 and 26 bits.
    const scaled = values[i] * 2 ** 20
    const top = Math.floor(scaled)
    const rest = (scaled - top) * 2 ** 26
    const next = Math.floor(rest)
    high[group] += top
    middle[group] += next
    low[group] += (rest - next) * 2 ** 26
  }
  return group => (BigInt(high[group]) << 52n) + (BigInt(middle[group]) << 26n) + BigInt(low[group])
}

/**
 * The sum and the sum of squares of some values.
 *
 * @param {Float64Array} values each 0 or in 1e-6..100
 * @param {number} from
 * @param {number} to
 * @returns {{ sum: bigint, squares: bigint }} in units of 2^-72 and 2^-144
 */
export function exactMoments(values, from, to) {
  let sum = 0n
  let squares = 0n
  for (let start = from; start < to; start += ROWS_A_RUN) {
    const run = momentsOfRun(values, start, Math.min(to, start + ROWS_A_RUN))
    sum += join([run.a, run.b, run.c, run.d])
    squares += join(run.squares)
  }
  return { sum, squares }
}

/** Four limbs of 20 bits a value (the highest of 19): a product of two is below 2^40, and at most four products meet in one limb of the square. */
function momentsOfRun(values, from, to) {
  let [a, b, c, d] = [0, 0, 0, 0]
  let [s0, s1, s2, s3, s4, s5, s6] = [0, 0, 0, 0, 0, 0, 0]
  for (let i = from; i < to; i++) {
    let rest = values[i] * 2 ** 12
    const p = Math.floor(rest)
    rest = (rest - p) * 2 ** 20
    const q = Math.floor(rest)
    rest = (rest - q) * 2 ** 20
    const r = Math.floor(rest)
    const s = (rest - r) * 2 ** 20
    a += p
    b += q
    c += r
    d += s
    s0 += p * p
    s1 += 2 * p * q
    s2 += 2 * p * r + q * q
    s3 += 2 * p * s + 2 * q * r
    s4 += 2 * q * s + r * r
    s5 += 2 * r * s
    s6 += s * s
  }
  return { a, b, c, d, squares: [s0, s1, s2, s3, s4, s5, s6] }
}

/** Limbs of 20 bits, the highest first. */
function join(limbs) {
  return limbs.reduce((total, limb) => (total << 20n) + BigInt(limb), 0n)
}

/**
 * numerator / denominator * 2^exponent, rounded once to the nearest float64, ties to even.
 *
 * @param {bigint} numerator not negative
 * @param {bigint} denominator positive
 * @param {number} exponent such that the result is a normal number or 0
 */
export function roundedQuotient(numerator, denominator, exponent) {
  // At least 64 significant bits, and whatever remains becomes a sticky last bit: Number() then rounds right.
  const shift = 64 + denominator.toString(2).length
  const shifted = numerator << BigInt(shift)
  const whole = shifted / denominator
  return Number(whole * denominator === shifted ? whole : whole | 1n) * 2 ** (exponent - shift)
}
