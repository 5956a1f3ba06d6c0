// Sums of values, squares and products: what a block of rows adds to its groups' lanes (slots.ts adds it), rows that no lane holds, and
// lanes on their way into the exact sums of ../wide.ts. What is made of the sums is moment-results.ts's.
//
//   narrow   integers of few bits, as int32 or int64: X, X^2, XY are int64 lanes by themselves
//              one column     | X, X^2 |                                   16 bytes a slot
//              two columns    | A, B | A^2, B^2 | AB, 0 |
//              packed         | A + B << p + A^2 << q, B^2 + AB << r |     while nothing is negative and no field can run over
//   bins     doubles: x as two limbs (sum-float.ts), x^2 and xy as four, the first of unit 2^unit, each 2^width times the one before
//              one column     | x | x^2 limbs 0, 1 | x^2 limbs 2, 3 |
//
// A product is p + e, two doubles, exactly (Dekker 1971, who splits both factors in halves). p is cut at the units of limbs 3, 2 and 1, e at
// those of 2 and 1: it is below half a unit of limb 3. Cutting is Demmel and Nguyen's, as in sum-float.ts.

import { isValid, lastAt, maskAt, pairAt } from '../inline'

/** Four integers that fit int32, of a column of int32 or int64. */
// @ts-ignore: decorator
@inline
function quadAt<T>(data: usize, row: u32): v128 {
  const at = data + usize(row) * sizeof<T>()
  if (sizeof<T>() == 4) return v128.load(at)
  return v128.shuffle<i32>(v128.load(at), v128.load(at, 16), 0, 2, 4, 6)
}

/** Lanes of rows i and i + 1 as two slots. */
// @ts-ignore: decorator
@inline
function storeSlots(out: usize, first: v128, second: v128): void {
  v128.store(out, v128.shuffle<i64>(first, second, 0, 2))
  v128.store(out, v128.shuffle<i64>(first, second, 1, 3), 16)
}

/** All fills may write up to three rows past an odd `count`. */
// @ts-ignore: decorator
@inline
function narrowOne<T>(out: usize, data: usize, count: u32): void {
  for (let row: u32 = 0; row < count; row += 4) {
    const x = quadAt<T>(data, row)
    storeSlots(out, i64x2.extend_low_i32x4_s(x), i64x2.extmul_low_i32x4_s(x, x))
    storeSlots(out + 32, i64x2.extend_high_i32x4_s(x), i64x2.extmul_high_i32x4_s(x, x))
    out += 64
  }
}

export function momentsOneI32(out: usize, data: usize, count: u32): void {
  narrowOne<i32>(out, data, count)
}

export function momentsOneI64(out: usize, data: usize, count: u32): void {
  narrowOne<i64>(out, data, count)
}

// @ts-ignore: decorator
@inline
function narrowTwo<T>(out: usize, pitch: usize, a: usize, b: usize, count: u32): void {
  const third = pitch << 1
  for (let row: u32 = 0; row < count; row += 4) {
    const x = quadAt<T>(a, row)
    const y = quadAt<T>(b, row)
    storeSlots(out, i64x2.extend_low_i32x4_s(x), i64x2.extend_low_i32x4_s(y))
    storeSlots(out + 32, i64x2.extend_high_i32x4_s(x), i64x2.extend_high_i32x4_s(y))
    storeSlots(out + pitch, i64x2.extmul_low_i32x4_s(x, x), i64x2.extmul_low_i32x4_s(y, y))
    storeSlots(out + pitch + 32, i64x2.extmul_high_i32x4_s(x, x), i64x2.extmul_high_i32x4_s(y, y))
    storeSlots(out + third, i64x2.extmul_low_i32x4_s(x, y), i64x2.splat(0))
    storeSlots(out + third + 32, i64x2.extmul_high_i32x4_s(x, y), i64x2.splat(0))
    out += 64
  }
}

export function momentsTwoI32(out: usize, pitch: usize, a: usize, b: usize, count: u32): void {
  narrowTwo<i32>(out, pitch, a, b, count)
}

export function momentsTwoI64(out: usize, pitch: usize, a: usize, b: usize, count: u32): void {
  narrowTwo<i64>(out, pitch, a, b, count)
}

// @ts-ignore: decorator
@inline
function packed<T>(out: usize, a: usize, b: usize, count: u32, shiftB: i32, shiftAA: i32, shiftAB: i32): void {
  for (let row: u32 = 0; row < count; row += 4) {
    const x = quadAt<T>(a, row)
    const y = quadAt<T>(b, row)
    const low = i64x2.add(
      i64x2.add(i64x2.extend_low_i32x4_u(x), i64x2.shl(i64x2.extend_low_i32x4_u(y), shiftB)),
      i64x2.shl(i64x2.extmul_low_i32x4_u(x, x), shiftAA),
    )
    const high = i64x2.add(
      i64x2.add(i64x2.extend_high_i32x4_u(x), i64x2.shl(i64x2.extend_high_i32x4_u(y), shiftB)),
      i64x2.shl(i64x2.extmul_high_i32x4_u(x, x), shiftAA),
    )
    storeSlots(out, low, i64x2.add(i64x2.extmul_low_i32x4_u(y, y), i64x2.shl(i64x2.extmul_low_i32x4_u(x, y), shiftAB)))
    storeSlots(
      out + 32, high, i64x2.add(i64x2.extmul_high_i32x4_u(y, y), i64x2.shl(i64x2.extmul_high_i32x4_u(x, y), shiftAB)),
    )
    out += 64
  }
}

export function momentsPackedI32(
  out: usize, a: usize, b: usize, count: u32, shiftB: i32, shiftAA: i32, shiftAB: i32,
): void {
  packed<i32>(out, a, b, count, shiftB, shiftAA, shiftAB)
}

export function momentsPackedI64(
  out: usize, a: usize, b: usize, count: u32, shiftB: i32, shiftAA: i32, shiftAB: i32,
): void {
  packed<i64>(out, a, b, count, shiftB, shiftAA, shiftAB)
}

/** The rounding constant that cuts at 2^unit: 1.5 * 2^(52 + unit). */
// @ts-ignore: decorator
@inline
function magicOf(unit: i32): v128 {
  return i64x2.splat((i64(unit + 1075) << 52) | 0x8000000000000)
}

/** The double less what `sum`, it and the constant, has cut from it. */
// @ts-ignore: decorator
@inline
function cut(x: v128, sum: v128, magic: v128): v128 {
  return f64x2.sub(x, f64x2.sub(sum, magic))
}

/** 2^27 + 1 splits a double in two halves of 26 bits, their signs apart. */
// @ts-ignore: decorator
@inline
function upperHalf(x: v128): v128 {
  const spread = f64x2.mul(x, f64x2.splat(134217729))
  return f64x2.sub(spread, f64x2.sub(spread, x))
}

// @ts-ignore: decorator
@inline
function products<Square>(out: usize, pitch: usize, a: usize, b: usize, count: u32, unit: i32, width: i32): void {
  const magic0 = magicOf(unit)
  const magic1 = magicOf(unit + width)
  const magic2 = magicOf(unit + 2 * width)
  const magic3 = magicOf(unit + 3 * width)
  // What is left of two sums with one constant each.
  const twice0 = i64x2.add(magic0, magic0)
  const twice1 = i64x2.add(magic1, magic1)
  const twice2 = i64x2.add(magic2, magic2)
  for (let row: u32 = 0; row < count; row += 2) {
    const x = v128.load(a)
    const xHigh = upperHalf(x)
    const xLow = f64x2.sub(x, xHigh)
    let p: v128
    let e: v128
    if (sizeof<Square>() == 1) {
      p = f64x2.mul(x, x)
      e = f64x2.add(f64x2.sub(f64x2.mul(xHigh, xHigh), p), f64x2.mul(f64x2.add(xHigh, xHigh), xLow))
      e = f64x2.add(e, f64x2.mul(xLow, xLow))
    } else {
      const y = v128.load(b)
      const yHigh = upperHalf(y)
      const yLow = f64x2.sub(y, yHigh)
      p = f64x2.mul(x, y)
      e = f64x2.add(f64x2.sub(f64x2.mul(xHigh, yHigh), p), f64x2.mul(xHigh, yLow))
      e = f64x2.add(f64x2.add(e, f64x2.mul(xLow, yHigh)), f64x2.mul(xLow, yLow))
    }
    const p3 = f64x2.add(p, magic3)
    p = cut(p, p3, magic3)
    const p2 = f64x2.add(p, magic2)
    p = cut(p, p2, magic2)
    const p1 = f64x2.add(p, magic1)
    p = cut(p, p1, magic1)
    const p0 = f64x2.add(p, magic0)
    const e2 = f64x2.add(e, magic2)
    e = cut(e, e2, magic2)
    const e1 = f64x2.add(e, magic1)
    e = cut(e, e1, magic1)
    const e0 = f64x2.add(e, magic0)
    storeSlots(out, i64x2.sub(i64x2.add(p0, e0), twice0), i64x2.sub(i64x2.add(p1, e1), twice1))
    storeSlots(out + pitch, i64x2.sub(i64x2.add(p2, e2), twice2), i64x2.sub(p3, magic3))
    a += 16
    b += 16
    out += 32
  }
}

/** The squares of a column as four limbs; see `products` above for what must hold of `unit` and `width`. */
export function momentsSquares(out: usize, pitch: usize, data: usize, count: u32, unit: i32, width: i32): void {
  products<u8>(out, pitch, data, data, count, unit, width)
}

export function momentsProducts(out: usize, pitch: usize, a: usize, b: usize, count: u32, unit: i32, width: i32): void {
  products<u16>(out, pitch, a, b, count, unit, width)
}

/** Turns addends into what takes them back; `count` slots. */
export function momentsNegate(addends: usize, count: u32): void {
  for (const end = addends + (usize(count) << 4); addends < end; addends += 16) {
    v128.store(addends, i64x2.neg(v128.load(addends)))
  }
}

// @ts-ignore: decorator
@inline
function masked<T>(data: usize, mask: usize, count: u32, out: usize): void {
  for (let row: u32 = 0; row < count; row += 2) {
    let x = row + 2 <= count ? pairAt<T>(data, row) : lastAt<T>(data, row)
    if (mask) x = v128.and(x, maskAt(mask, row))
    v128.store(out, x)
    out += 16
  }
}

/** Copies doubles, 0 where a `mask` (a bitmap, or 0) has no bit. `out` may be `data`. */
export function momentsMaskF64(data: usize, mask: usize, count: u32, out: usize): void {
  masked<f64>(data, mask, count, out)
}

/** As `momentsMaskF64`, from floats. */
export function momentsMaskF32(data: usize, mask: usize, count: u32, out: usize): void {
  masked<f32>(data, mask, count, out)
}

/** int64 of at most 53 bits as doubles. */
export function momentsDoubles(data: usize, count: u32, out: usize): void {
  for (let row: u32 = 0; row < count; row++) {
    store<f64>(out, f64(load<i64>(data)))
    data += 8
    out += 8
  }
}

/** A bitmap, in whole bytes, of which finite doubles are below `cap` in magnitude and multiples of 2^unit. Returns how many. */
export function momentsFitting(data: usize, count: u32, unit: i32, cap: f64, out: usize): u32 {
  const least = unit + 1075
  let fitting: u32 = 0
  for (let row: u32 = 0; row < count; row += 8) {
    let byte: u32 = 0
    for (let j: u32 = 0, end = min(8, count - row); j < end; j++) {
      const bits = load<u64>(data)
      const exponent = i32(bits >> 52) & 0x7ff
      const significand = (bits & 0xfffffffffffff) | (u64(exponent != 0) << 52)
      // ctz(0) is 64: a zero is a multiple of anything.
      const fits = abs(reinterpret<f64>(bits)) < cap && (significand == 0 || max(exponent, 1) + i32(ctz(significand)) >= least)
      byte |= u32(fits) << j
      data += 8
    }
    fitting += popcnt(byte)
    store<u8>(out++, u8(byte))
  }
  return fitting
}

/** counts[groups[i]] += delta for each row without its bit in `finite`; `groups` may be 0. */
export function momentsSpecials(counts: usize, groups: usize, finite: usize, count: u32, delta: i32): void {
  for (let row: u32 = 0; row < count; row++) {
    if (isValid(finite, row)) continue
    const at = counts + (groups ? usize(load<u32>(groups + (usize(row) << 2))) << 3 : 0)
    store<i64>(at, load<i64>(at) + i64(delta))
  }
}

/** Magnitude of an int64, or the significand of a double. */
// @ts-ignore: decorator
@inline
function magnitudeOf(bits: u64, integer: bool): u64 {
  if (integer) return i64(bits) < 0 ? 0 - bits : bits
  return (bits & 0xfffffffffffff) | (u64(((bits >> 52) & 0x7ff) != 0) << 52)
}

// @ts-ignore: decorator
@inline
function unitOf(bits: u64, integer: bool): i32 {
  return integer ? 0 : max(i32(bits >> 52) & 0x7ff, 1) - 1075
}

/**
 * Adds a * b, or a where `b` is 0, to the chunks of ../wide.ts, or takes it back where `negative`; int64 or doubles, of rows whose bit in
 * `mask` (0: all) is set. Each row adds less than 2^32 to five chunks, which the window must hold.
 */
export function momentsWide(
  chunks: usize, chunkCount: u32, base: i32, groups: usize,
  a: usize, aInteger: bool, b: usize, bInteger: bool, mask: usize, count: u32, negative: bool,
): void {
  for (let row: u32 = 0; row < count; row++) {
    if (!isValid(mask, row)) continue
    const aBits = load<u64>(a + (usize(row) << 3))
    const bBits = b ? load<u64>(b + (usize(row) << 3)) : 0
    const x = magnitudeOf(aBits, aInteger)
    const y = b ? magnitudeOf(bBits, bInteger) : 1
    if (x == 0 || y == 0) continue
    const sign = i64(aBits ^ bBits) >> 63 ^ -i64(negative)
    const at = unitOf(aBits, aInteger) + (b ? unitOf(bBits, bInteger) : 0) - base
    // 128 bits from four products of 32.
    const xLow = x & 0xffffffff
    const yLow = y & 0xffffffff
    const xHigh = x >> 32
    const yHigh = y >> 32
    const lowest = xLow * yLow
    const middle = xHigh * yLow + (lowest >> 32)
    const other = xLow * yHigh + (middle & 0xffffffff)
    let low = (other << 32) | (lowest & 0xffffffff)
    let high = xHigh * yHigh + (middle >> 32) + (other >> 32)
    let top: u64 = 0
    const shift = u64(at & 31)
    if (shift) {
      top = high >> (64 - shift)
      high = (high << shift) | (low >> (64 - shift))
      low <<= shift
    }
    const group = groups ? usize(load<u32>(groups + (usize(row) << 2))) : 0
    const chunk = chunks + ((group * usize(chunkCount) + usize(at >> 5)) << 3)
    store<i64>(chunk, load<i64>(chunk) + ((i64(low & 0xffffffff) ^ sign) - sign))
    store<i64>(chunk, load<i64>(chunk, 8) + ((i64(low >> 32) ^ sign) - sign), 8)
    store<i64>(chunk, load<i64>(chunk, 16) + ((i64(high & 0xffffffff) ^ sign) - sign), 16)
    store<i64>(chunk, load<i64>(chunk, 24) + ((i64(high >> 32) ^ sign) - sign), 24)
    store<i64>(chunk, load<i64>(chunk, 32) + ((i64(top) ^ sign) - sign), 32)
  }
}

/**
 * Adds one lane of groups `groups[0..count)`, or with `groups` 0 of the first `count`, to chunks, group after group: its `width` bits from
 * `offset` on (without a sign), or all 64 (with one), times 2^at of the chunks' unit.
 */
export function momentsGather(
  lane: usize, stride: usize, groups: usize, count: u32, offset: u32, width: u32, at: u32, chunks: usize, chunkCount: u32,
): void {
  const shift = u64(at & 31)
  const mask = u64.MAX_VALUE >> u64(64 - width)
  chunks += usize(at >> 5) << 3
  for (let i: u32 = 0; i < count; i++) {
    let value = load<i64>(lane + (groups ? usize(load<u32>(groups + (usize(i) << 2))) : usize(i)) * stride)
    if (width < 64) value = i64((u64(value) >> u64(offset)) & mask)
    const low = u64(value << shift)
    const high = shift ? value >> (64 - shift) : value >> 63
    store<i64>(chunks, load<i64>(chunks) + i64(low & 0xffffffff))
    store<i64>(chunks, load<i64>(chunks, 8) + i64(low >> 32), 8)
    store<i64>(chunks, load<i64>(chunks, 16) + high, 16)
    chunks += usize(chunkCount) << 3
  }
}

/** out = the bits that any of `count` slots has set. */
export function momentsUnion(slots: usize, count: u32, out: usize): void {
  let bits = i64x2.splat(0)
  for (const end = slots + (usize(count) << 4); slots < end; slots += 16) bits = v128.or(bits, v128.load(slots))
  v128.store(out, bits)
}
