// Arithmetic on columns of int64 and of float64. An operand is walked by a step in bytes, so that one loop serves columns (step
// 16) and constants (step 0; 16 bytes holding the value twice). What overflows is looked for only where a cheap test over the whole
// morsel says that something may: results of add, sub and mul are written first, row by row the failing one is found after.

import { isValid, mulOverflows } from './inline'

/** Where i64 lanes of the result overflow, the sign bit of the lane is set. */
// @ts-ignore: decorator
@inline
function addOverflow(a: v128, b: v128, sum: v128): v128 {
  return v128.and(v128.xor(a, sum), v128.xor(b, sum))
}

// @ts-ignore: decorator
@inline
function subOverflow(a: v128, b: v128, difference: v128): v128 {
  return v128.and(v128.xor(a, b), v128.xor(a, difference))
}

/** Nonzero high halves where a factor does not fit 32 bits, so that the product may overflow. */
// @ts-ignore: decorator
@inline
function mulMayOverflow(a: v128, b: v128): v128 {
  const bias = i64x2.splat(0x80000000)
  return v128.and(v128.or(i64x2.add(a, bias), i64x2.add(b, bias)), i64x2.splat(0xffffffff00000000))
}

/** The least valid row where a + b (op 0), a - b (1) or a * b (2) overflows, or -1. */
function firstOverflow(op: i32, a: usize, aStep: usize, b: usize, bStep: usize, validity: usize, rowCount: u32): i32 {
  aStep >>= 1
  bStep >>= 1
  for (let row: u32 = 0; row < rowCount; row++) {
    const x = load<i64>(a)
    const y = load<i64>(b)
    const overflows = op == 0 ? ((x ^ (x + y)) & (y ^ (x + y))) < 0 : op == 1 ? ((x ^ y) & (x ^ (x - y))) < 0 : mulOverflows(x, y)
    if (overflows && isValid(validity, row)) return row
    a += aStep
    b += bStep
  }
  return -1
}

// @ts-ignore: decorator
@inline
function integers<Op>(a: usize, aStep: usize, b: usize, bStep: usize, validity: usize, rowCount: u32, out: usize): i32 {
  const a0 = a
  const b0 = b
  let overflow = i64x2.splat(0)
  for (const end = out + ((usize(rowCount) + 1) >> 1 << 4); out < end; out += 16) {
    const x = v128.load(a)
    const y = v128.load(b)
    if (sizeof<Op>() == 1) {
      const sum = i64x2.add(x, y)
      overflow = v128.or(overflow, addOverflow(x, y, sum))
      v128.store(out, sum)
    } else if (sizeof<Op>() == 2) {
      const difference = i64x2.sub(x, y)
      overflow = v128.or(overflow, subOverflow(x, y, difference))
      v128.store(out, difference)
    } else {
      overflow = v128.or(overflow, mulMayOverflow(x, y))
      v128.store(out, i64x2.mul(x, y))
    }
    a += aStep
    b += bStep
  }
  const suspicious = sizeof<Op>() == 4 ? v128.any_true(overflow) : i64x2.bitmask(overflow) != 0
  return suspicious ? firstOverflow(sizeof<Op>() >> 1, a0, aStep, b0, bStep, validity, rowCount) : -1
}

/** out = a + b; returns the least valid row that overflows, or -1. */
export function arithmeticAddInt64(a: usize, aStep: usize, b: usize, bStep: usize, validity: usize, rowCount: u32, out: usize): i32 {
  return integers<u8>(a, aStep, b, bStep, validity, rowCount, out)
}

export function arithmeticSubInt64(a: usize, aStep: usize, b: usize, bStep: usize, validity: usize, rowCount: u32, out: usize): i32 {
  return integers<u16>(a, aStep, b, bStep, validity, rowCount, out)
}

export function arithmeticMulInt64(a: usize, aStep: usize, b: usize, bStep: usize, validity: usize, rowCount: u32, out: usize): i32 {
  return integers<u32>(a, aStep, b, bStep, validity, rowCount, out)
}

/**
 * The floored quotient (or, where `remainder`, what it leaves); bit i of `outValidity` is cleared where the divisor is 0 and is
 * that of `validity` elsewhere. Returns the least valid row whose quotient leaves int64, or -1.
 */
export function arithmeticDivideInt64(
  remainder: bool, a: usize, aStep: usize, b: usize, bStep: usize, validity: usize, rowCount: u32, out: usize, outValidity: usize,
): i32 {
  aStep >>= 1
  bStep >>= 1
  let failed: i32 = -1
  let bits: u32 = 0
  for (let row: u32 = 0; row < rowCount; row++) {
    const x = load<i64>(a)
    const y = load<i64>(b)
    const valid = y != 0 && isValid(validity, row)
    let result: i64 = 0
    if (y == -1) {
      // The one quotient that overflows, and would trap.
      if (!remainder) {
        result = -x
        if (valid && x == i64.MIN_VALUE && failed < 0) failed = row
      }
    } else if (y != 0) {
      const quotient = x / y
      const rest = x - quotient * y
      const adjust = rest != 0 && (rest ^ y) < 0
      result = remainder ? rest + (adjust ? y : 0) : quotient - i64(adjust)
    }
    store<i64>(out + (usize(row) << 3), result)
    bits |= u32(valid) << (row & 7)
    if ((row & 7) == 7 || row + 1 == rowCount) {
      store<u8>(outValidity + usize(row >> 3), u8(bits))
      bits = 0
    }
    a += aStep
    b += bStep
  }
  return failed
}

/** out = -a; returns the least valid row that overflows, or -1. `zero` is a constant operand of 0. */
export function arithmeticNegateInt64(a: usize, zero: usize, validity: usize, rowCount: u32, out: usize): i32 {
  return integers<u16>(zero, 0, a, 16, validity, rowCount, out)
}

// @ts-ignore: decorator
@inline
function floats<Op>(a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  for (const end = out + ((usize(rowCount) + 1) >> 1 << 4); out < end; out += 16) {
    const x = v128.load(a)
    const y = v128.load(b)
    v128.store(out, sizeof<Op>() == 1 ? f64x2.add(x, y) : sizeof<Op>() == 2 ? f64x2.sub(x, y) : sizeof<Op>() == 4 ? f64x2.mul(x, y) : f64x2.div(x, y))
    a += aStep
    b += bStep
  }
}

export function arithmeticAddFloat64(a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  floats<u8>(a, aStep, b, bStep, rowCount, out)
}

export function arithmeticSubFloat64(a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  floats<u16>(a, aStep, b, bStep, rowCount, out)
}

export function arithmeticMulFloat64(a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  floats<u32>(a, aStep, b, bStep, rowCount, out)
}

/** IEEE 754 division; that a zero divisor gives null is the binding's work. */
export function arithmeticDivFloat64(a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  floats<u64>(a, aStep, b, bStep, rowCount, out)
}

/** The quotient rounded, then floored; or the exact remainder with the divisor's sign (a zero keeps the dividend's). */
export function arithmeticDivideFloat64(remainder: bool, a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  aStep >>= 1
  bStep >>= 1
  for (const end = out + (usize(rowCount) << 3); out < end; out += 8) {
    const x = load<f64>(a)
    const y = load<f64>(b)
    if (remainder) {
      const rest = x % y
      store<f64>(out, rest != 0 && rest < 0 != y < 0 ? rest + y : rest)
    } else {
      store<f64>(out, floor(x / y))
    }
    a += aStep
    b += bStep
  }
}

/** out = -a, by its sign bit. */
export function arithmeticNegateFloat64(a: usize, rowCount: u32, out: usize): void {
  for (const end = out + ((usize(rowCount) + 1) >> 1 << 4); out < end; out += 16) {
    v128.store(out, f64x2.neg(v128.load(a)))
    a += 16
  }
}
