// Variances, covariances, slopes and correlations from exact sums: whole numbers of many digits, and one rounding. The sums are moments.ts's.
//
//   sums     5 x | digits u32* | first i32 | count u32 |: of a, b, a^2, b^2, ab, in the portable form of ../exact.ts, group after group
//   number   | count u32 | negative u32 | first i32 | - | digits u32[count] |: sign and magnitude, neither end of the digits 0; none for 0
//   fields   5 x | lane of group 0 u32* | offset u32 | width u32 |: where the same sums lie in the lanes of moments.ts, if each is in one of them
//
// Everything is a central moment, n Sab - Sa Sb, or the quotient of two such. Those of small integers, which are most, fit an int64.

import { roundQuotient } from '../rounding'

/** Number of the digit whose bit 0 has exponent 0, on the grid of ../exact.ts. */
// @ts-ignore: decorator
@inline
const ONE: i32 = 34
// @ts-ignore: decorator
@inline
const DIGITS: usize = 16
// @ts-ignore: decorator
@inline
const SUM: usize = 12

// @ts-ignore: decorator
@inline
const CORRELATION: u32 = 1
// @ts-ignore: decorator
@inline
const SLOPE: u32 = 2

// @ts-ignore: decorator
@inline
function countOf(number: usize): i32 {
  return load<i32>(number)
}

// @ts-ignore: decorator
@inline
function isNegative(number: usize): bool {
  return load<u32>(number, 4) != 0
}

// @ts-ignore: decorator
@inline
function firstOf(number: usize): i32 {
  return load<i32>(number, 8)
}

/** Digit i, 0 beyond both ends. */
// @ts-ignore: decorator
@inline
function digitAt(number: usize, i: i32): u64 {
  return u32(i) < u32(countOf(number)) ? u64(load<u32>(number + DIGITS + (usize(i) << 2))) : 0
}

/** Makes a number of `count` digits of two's complement, the first being number `first` of the grid; they may be its own. */
function settle(number: usize, digits: usize, first: i32, count: i32): void {
  while (count && load<u32>(digits) == 0) {
    digits += 4
    first++
    count--
  }
  const negative = count && load<i32>(digits + (usize(count - 1) << 2)) < 0
  const to = number + DIGITS
  if (negative) {
    // Only the lowest digit, which is not 0, passes the carry on.
    store<u32>(to, 0 - load<u32>(digits))
    for (let i: usize = 4, end = usize(count) << 2; i < end; i += 4) store<u32>(to + i, ~load<u32>(digits + i))
  } else {
    for (let i: usize = 0, end = usize(count) << 2; i < end; i += 4) store<u32>(to + i, load<u32>(digits + i))
  }
  while (count && load<u32>(to + (usize(count - 1) << 2)) == 0) count--
  store<i32>(number, count)
  store<u32>(number, u32(negative), 4)
  store<i32>(number, first, 8)
}

/** Adds or subtracts `count` digits times `factor` to or from `room` digits of two's complement. */
function addTimes(to: usize, room: i32, digits: usize, count: i32, factor: u64, subtract: bool): void {
  let carry: u64 = 0
  const end = to + (usize(room) << 2)
  const endDigits = digits + (usize(count) << 2)
  if (subtract) {
    for (; digits < endDigits; digits += 4, to += 4) {
      const product = u64(load<u32>(digits)) * factor + carry
      const had = u64(load<u32>(to))
      const less = product & 0xffffffff
      store<u32>(to, u32(had - less))
      carry = (product >> 32) + u64(had < less)
    }
    for (; carry && to < end; to += 4) {
      const had = u64(load<u32>(to))
      store<u32>(to, u32(had - carry))
      carry = u64(had < carry)
    }
  } else {
    for (; digits < endDigits; digits += 4, to += 4) {
      const sum = u64(load<u32>(digits)) * factor + load<u32>(to) + carry
      store<u32>(to, u32(sum))
      carry = sum >> 32
    }
    for (; carry && to < end; to += 4) {
      const sum = u64(load<u32>(to)) + carry
      store<u32>(to, u32(sum))
      carry = sum >> 32
    }
  }
}

/** out = n * ab - a * b; `out` has room for all the digits between them. */
function centre(out: usize, a: usize, b: usize, ab: usize, n: u64): void {
  const first = firstOf(a) + firstOf(b) - ONE
  const low = countOf(ab) ? min(firstOf(ab), first) : first
  const room = max(firstOf(ab) + countOf(ab) + 2, first + countOf(a) + countOf(b)) + 1 - low
  const digits = out + DIGITS
  for (let i: usize = 0; i < usize(room) << 2; i += 4) store<u32>(digits + i, 0)
  if (countOf(ab)) {
    const at = firstOf(ab) - low
    const to = digits + (usize(at) << 2)
    addTimes(to, room - at, ab + DIGITS, countOf(ab), n & 0xffffffff, isNegative(ab))
    if (n >> 32) addTimes(to + 4, room - at - 1, ab + DIGITS, countOf(ab), n >> 32, isNegative(ab))
  }
  const subtract = isNegative(a) == isNegative(b)
  for (let i = 0; i < countOf(a); i++) {
    const at = first - low + i
    addTimes(digits + (usize(at) << 2), room - at, b + DIGITS, countOf(b), digitAt(a, i), subtract)
  }
  settle(out, digits, low, room)
}

/** Writes the leading 128 bits of a number that is not 0 (high, low), whether any is below them, and the exponent of the last. */
// @ts-ignore: decorator
@inline
function lead(number: usize, out: usize): void {
  const top = countOf(number) - 1
  const shift = clz(u32(digitAt(number, top)))
  let high = (digitAt(number, top) << 32) | digitAt(number, top - 1)
  let low = (digitAt(number, top - 2) << 32) | digitAt(number, top - 3)
  const next = digitAt(number, top - 4) << 32
  if (shift) {
    high = (high << u64(shift)) | (low >> u64(64 - shift))
    low = (low << u64(shift)) | (next >> u64(64 - shift))
  }
  store<u64>(out, high)
  store<u64>(out, low, 8)
  store<u32>(out, u32(next << u64(shift) != 0 || top > 4), 16)
  store<i32>(out, ((firstOf(number) + top - ONE) << 5) - 96 - i32(shift), 20)
}

/** The double nearest to a number over a divisor, which is not 0. `work` has room for 24 bytes. */
function overSmall(number: usize, divisor: u64, work: usize): f64 {
  if (countOf(number) == 0) return 0
  lead(number, work)
  const more = load<u32>(work, 16) != 0
  return roundQuotient(isNegative(number), load<u64>(work), load<u64>(work, 8), more, load<i32>(work, 20), divisor)
}

/**
 * The double nearest to `above` / `below`, which is not 0 and positive: four digits of the quotient by long division (Knuth, The Art of Computer
 * Programming 2, 4.3.1, algorithm D) and whether anything is left. `work` has room for twice the divisor's digits, and eight more.
 */
function over(above: usize, below: usize, work: usize): f64 {
  if (countOf(above) == 0) return 0
  // At least two digits, the upper with its upper bit set.
  const pad = countOf(below) == 1 ? 1 : 0
  const count = countOf(below) + pad
  const shift = u64(clz(u32(digitAt(below, countOf(below) - 1))))
  const divisor = work
  for (let i = 0; i < count; i++) {
    store<u32>(divisor + (usize(i) << 2), u32((((digitAt(below, i - pad) << 32) | digitAt(below, i - pad - 1)) << shift) >> 32))
  }
  const rest = work + (usize(count) << 2)
  const from = countOf(above) - count - 3
  for (let i = 0; i <= count + 3; i++) {
    const j = i + from
    store<u32>(rest + (usize(i) << 2), u32((((digitAt(above, j) << 32) | digitAt(above, j - 1)) << shift) >> 32))
  }
  let more = from > 1 || u32(digitAt(above, from - 1) << shift) != 0
  const upper = u64(load<u32>(divisor + (usize(count - 1) << 2)))
  const next = u64(load<u32>(divisor + (usize(count - 2) << 2)))
  let high: u64 = 0
  let low: u64 = 0
  for (let j = 3; j >= 0; j--) {
    const at = rest + (usize(j) << 2)
    const top = at + (usize(count) << 2)
    const two = (u64(load<u32>(top)) << 32) | load<u32>(top - 4)
    let digit = min(two / upper, 0xffffffff)
    let left = two - digit * upper
    while (left >> 32 == 0 && digit * next > ((left << 32) | load<u32>(top - 8))) {
      digit--
      left += upper
    }
    addTimes(at, count + 1, divisor, count, digit, true)
    if (load<i32>(top) < 0) {
      digit--
      addTimes(at, count + 1, divisor, count, 1, false)
    }
    high = (high << 32) | (low >> 32)
    low = (low << 32) | digit
  }
  for (let i = 0; i < count; i++) more = more || load<u32>(rest + (usize(i) << 2)) != 0
  const lead = u64(clz(high))
  if (lead) {
    high = (high << lead) | (low >> (64 - lead))
    low <<= lead
  }
  const exponent = ((firstOf(above) + from - firstOf(below) + pad) << 5) - i32(lead)
  return roundQuotient(isNegative(above) != isNegative(below), high, low, more, exponent, 1)
}

/** A number rounded to 53 bits, as a double without its exponent, which goes to `exponent` (i32). */
function significandOf(number: usize, work: usize, exponent: usize): f64 {
  if (countOf(number) == 0) {
    store<i32>(exponent, 0)
    return 0
  }
  lead(number, work)
  const high = load<u64>(work)
  store<i32>(exponent, load<i32>(work, 20) + 75)
  let significand = high >> 11
  const rest = (high << 53) | u64((load<u64>(work, 8) | load<u32>(work, 16)) != 0)
  const half: u64 = 0x8000000000000000
  significand += u64(rest > half || (rest == half && (significand & 1)))
  return isNegative(number) ? -f64(significand) : f64(significand)
}

/** ab / (sqrt(aa) * sqrt(bb)), neither of these 0. */
function correlationOf(ab: usize, aa: usize, bb: usize, work: usize): f64 {
  const exponents = work + 24
  const above = significandOf(ab, work, exponents)
  let a = significandOf(aa, work, exponents + 4)
  let b = significandOf(bb, work, exponents + 8)
  const aExponent = load<i32>(exponents, 4)
  const bExponent = load<i32>(exponents, 8)
  // An odd power of two stays with the significand.
  if (aExponent & 1) a += a
  if (bExponent & 1) b += b
  const bits = reinterpret<u64>(above / (sqrt(a) * sqrt(b)))
  if (bits << 1 == 0) return 0
  const exponent = load<i32>(exponents) - (aExponent >> 1) - (bExponent >> 1) + (i32(bits >> 52) & 0x7ff) - 1075
  const value = roundQuotient(bits >> 63 != 0, (bits & 0xfffffffffffff) | 0x10000000000000, 0, false, exponent - 64, 1)
  return min(max(value, -1), 1)
}

/**
 * Writes one result a group, and a bitmap of those that there are. `kind` is 0 for the moment of a and b itself over n (n - 1), or where
 * `population` over n^2; `root` takes its square root. Where there is one column, `two` is false, and its own moment is meant.
 * `specials` are counts of rows that make a result NaN, or 0. `capacity` is the most digits that a number can have; `work` has room for ten of them.
 */
export function momentsEvaluate(
  sums: usize, kind: u32, two: bool, population: bool, root: bool,
  counts: usize, specials: usize, groupCount: u32, out: usize, validity: usize, capacity: u32, work: usize,
): void {
  const size = DIGITS + ((usize(capacity) + 8) << 2)
  const a = work
  const b = two ? a + size : a
  const product = a + 2 * size
  const ab = product + size
  const aa = ab + size
  const bb = aa + size
  const rest = bb + size
  for (let group: u32 = 0; group < groupCount; group += 8) {
    let byte: u32 = 0
    for (let j: u32 = 0, end = min(8, groupCount - group); j < end; j++) {
      const g = group + j
      const n = load<u64>(counts + (usize(g) << 3))
      const special = specials && load<i64>(specials + (usize(g) << 3)) != 0
      let value: f64 = 0
      let valid = n > u64(!population)
      if (special) {
        value = NaN
      } else if (valid) {
        read(a, sums, g)
        if (two) read(b, sums + SUM, g)
        read(product, sums + (two ? 4 * SUM : 2 * SUM), g)
        centre(ab, a, b, product, n)
        if (kind == 0) {
          const less = population ? n : n - 1
          if (n >> 32 == 0) {
            value = overSmall(ab, n * less, rest)
          } else {
            square(aa, n, less)
            value = over(ab, aa, rest)
          }
          if (root) value = sqrt(value)
        } else {
          read(product, sums + 3 * SUM, g)
          centre(bb, b, b, product, n)
          valid = countOf(bb) != 0
          if (kind == CORRELATION) {
            read(product, sums + 2 * SUM, g)
            centre(aa, a, a, product, n)
            valid = valid && countOf(aa) != 0
            if (valid) value = correlationOf(ab, aa, bb, rest)
          } else if (valid) {
            value = over(ab, bb, rest)
          }
        }
      }
      byte |= u32(valid) << j
      store<f64>(out, value)
      out += 8
    }
    store<u8>(validity++, u8(byte))
  }
}

/** A sum in 16 bytes a group. Fields of fewer than 64 bits have no sign. */
// @ts-ignore: decorator
@inline
function field(fields: usize, group: u32): i64 {
  const lane = load<i64>(load<usize>(fields) + (usize(group) << 4))
  const width = u64(load<u32>(fields, 8))
  return width == 64 ? lane : i64((u64(lane) >> u64(load<u32>(fields, 4))) & (u64.MAX_VALUE >> (64 - width)))
}

/** n * ab - a * b, or i64.MIN_VALUE where that may be beyond int64. */
// @ts-ignore: decorator
@inline
function centreSmall(n: i64, a: i64, b: i64, ab: i64): i64 {
  const most: f64 = 4611686018427387904
  const fits = abs(f64(n) * f64(ab)) < most && abs(f64(a) * f64(b)) < most
  return fits ? n * ab - a * b : i64.MIN_VALUE
}

/** The double nearest to above / below * 2^exponent. */
// @ts-ignore: decorator
@inline
function overSmallest(above: i64, below: i64, exponent: i32): f64 {
  const exact: i64 = 0x20000000000000
  const magnitude = above < 0 ? -above : above
  // Two exact doubles: their division is the one rounding.
  if (magnitude <= exact && below <= exact && exponent > -900 && exponent < 900) {
    return (f64(above) / f64(below)) * reinterpret<f64>(u64(exponent + 1023) << 52)
  }
  return roundQuotient(above < 0, 0, magnitude, false, exponent, below)
}

/**
 * As `momentsEvaluate`, for sums that are each in one lane, of values that are integers times some power of two; their quotient is in units of
 * 2^exponent. False where a group's are too large, and nothing is to be used.
 */
export function momentsEvaluateSmall(
  fields: usize, kind: u32, two: bool, population: bool, root: bool, exponent: i32,
  counts: usize, specials: usize, groupCount: u32, out: usize, validity: usize,
): bool {
  for (let group: u32 = 0; group < groupCount; group += 8) {
    let byte: u32 = 0
    for (let j: u32 = 0, end = min(8, groupCount - group); j < end; j++) {
      const g = group + j
      const n = load<i64>(counts + (usize(g) << 3))
      let value: f64 = 0
      let valid = n > i64(!population)
      if (specials && load<i64>(specials + (usize(g) << 3)) != 0) {
        value = NaN
      } else if (valid) {
        const a = field(fields, g)
        const b = two ? field(fields + SUM, g) : a
        const ab = centreSmall(n, a, b, field(fields + (two ? 4 * SUM : 2 * SUM), g))
        if (n >> 31 || ab == i64.MIN_VALUE) return false
        if (kind == 0) {
          value = overSmallest(ab, n * (population ? n : n - 1), exponent)
          if (root) value = sqrt(value)
        } else {
          const bb = centreSmall(n, b, b, field(fields + 3 * SUM, g))
          const aa = kind == CORRELATION ? centreSmall(n, a, a, field(fields + 2 * SUM, g)) : 1
          if (bb == i64.MIN_VALUE || aa == i64.MIN_VALUE) return false
          valid = bb != 0 && aa != 0
          // Rounded to 53 bits by their conversion.
          if (kind == CORRELATION) value = min(max(f64(ab) / (sqrt(f64(aa)) * sqrt(f64(bb))), -1), 1)
          else if (valid) value = overSmallest(ab, bb, exponent)
        }
      }
      byte |= u32(valid) << j
      store<f64>(out, value)
      out += 8
    }
    store<u8>(validity++, u8(byte))
  }
  return true
}

// @ts-ignore: decorator
@inline
function read(number: usize, sum: usize, group: u32): void {
  const count = load<u32>(sum, 8)
  settle(number, load<usize>(sum) + ((usize(group) * usize(count)) << 2), load<i32>(sum, 4), count)
}

/** out = x * y, neither of them 0. */
function square(out: usize, x: u64, y: u64): void {
  const digits = out + DIGITS
  memory.fill(digits, 0, 20)
  store<u64>(out + 48, y)
  addTimes(digits, 5, out + 48, 2, x & 0xffffffff, false)
  addTimes(digits + 4, 4, out + 48, 2, x >> 32, false)
  settle(out, digits, ONE, 5)
}
