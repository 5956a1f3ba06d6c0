// Sums of values, squares and products: rows are added to the lanes of their groups, or taken back; rows that no lane holds are added by
// themselves to the exact sums of ../wide.ts, and so is what lanes hold. What is made of the sums is moment-results.ts's.
//
//   state    slots of 16 bytes, two int64 lanes each, an array for every slot (`pitch` bytes) of a group each; a second copy of them all,
//            `copy` bytes on, for every other row: where groups are few, a row need not wait for the one before. 0 where there is but one.
//
//   narrow   integers of few bits, as int32 or int64: X, X^2, XY are lanes by themselves
//              one column     | X, X^2 |
//              two columns    | A, B | A^2, B^2 | AB, 0 |
//              packed         | A + B << p + A^2 << q, B^2 + AB << 32 |     while nothing is negative and no field can run over
//   bins     doubles: x as two limbs (sum-float.ts), x^2 and xy as four, the first of unit 2^unit, each 2^width times the one before
//              one column     | x | x^2 limbs 0, 1 | x^2 limbs 2, 3 |
//              two columns    those of a | those of b | ab limbs 0, 1 | ab limbs 2, 3 |
//
// A product is p + e, two doubles, exactly (Dekker 1971, who splits both factors in halves). p is cut at the units of limbs 3, 2 and 1, e at
// those of 2 and 1: it is below half a unit of limb 3. Cutting is Demmel and Nguyen's, as in sum-float.ts.

import { isValid, lastAt, maskAt, pairAt } from '../inline'

/** Four integers that fit int32, of a column of int32 or int64. */
// @ts-ignore: decorator
@inline
function quadAt<T>(at: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(at)
  return v128.shuffle<i32>(v128.load(at), v128.load(at, 16), 0, 2, 4, 6)
}

// @ts-ignore: decorator
@inline
function slotAt(state: usize, groups: usize, row: u32): usize {
  return state + (usize(load<u32>(groups + (usize(row) << 2))) << 4)
}

// @ts-ignore: decorator
@inline
function addSlot(at: usize, addend: v128, undo: bool): void {
  const had = v128.load(at)
  if (undo) v128.store(at, i64x2.sub(had, addend))
  else v128.store(at, i64x2.add(had, addend))
}

/** Lanes of two rows to their slots. */
// @ts-ignore: decorator
@inline
function addSlots(slot: usize, next: usize, first: v128, second: v128, undo: bool): void {
  addSlot(slot, v128.shuffle<i64>(first, second, 0, 2), undo)
  addSlot(next, v128.shuffle<i64>(first, second, 1, 3), undo)
}

// @ts-ignore: decorator
@inline
function narrowOne<T>(state: usize, copy: usize, groups: usize, data: usize, count: u32, undo: bool): void {
  let row: u32 = 0
  for (; row + 4 <= count; row += 4) {
    const x = quadAt<T>(data)
    const low = i64x2.extend_low_i32x4_s(x)
    const high = i64x2.extend_high_i32x4_s(x)
    const slot = slotAt(state, groups, row)
    const next = slotAt(state + copy, groups, row + 1)
    addSlots(slot, next, low, i64x2.extmul_low_i32x4_s(x, x), undo)
    const third = slotAt(state, groups, row + 2)
    const fourth = slotAt(state + copy, groups, row + 3)
    addSlots(third, fourth, high, i64x2.extmul_high_i32x4_s(x, x), undo)
    data += 4 * sizeof<T>()
  }
  for (; row < count; row++) {
    const x = i64(load<T>(data))
    addSlot(slotAt(state, groups, row), i64x2.replace_lane(i64x2.splat(x), 1, x * x), undo)
    data += sizeof<T>()
  }
}

export function momentsOneI32(state: usize, copy: usize, groups: usize, data: usize, count: u32, undo: bool): void {
  narrowOne<i32>(state, copy, groups, data, count, undo)
}

export function momentsOneI64(state: usize, copy: usize, groups: usize, data: usize, count: u32, undo: bool): void {
  narrowOne<i64>(state, copy, groups, data, count, undo)
}

/** Integers of int32 or int64 that fit int32, two rows at a time. */
// @ts-ignore: decorator
@inline
function twoAt<T>(at: usize): v128 {
  if (sizeof<T>() == 4) return i64x2.extend_low_i32x4_s(v128.load64_zero(at))
  return v128.load(at)
}

// @ts-ignore: decorator
@inline
function product(x: v128, y: v128): v128 {
  // Of the lower halves, which is all there is.
  return i64x2.extmul_low_i32x4_s(v128.shuffle<i32>(x, x, 0, 2, 0, 2), v128.shuffle<i32>(y, y, 0, 2, 0, 2))
}

// @ts-ignore: decorator
@inline
function narrowTwo<T>(
  state: usize, pitch: usize, copy: usize, groups: usize, a: usize, b: usize, count: u32, undo: bool,
): void {
  for (let row: u32 = 0; row < count; row += 2) {
    const x = twoAt<T>(a)
    const y = twoAt<T>(b)
    const xx = product(x, x)
    const yy = product(y, y)
    const xy = product(x, y)
    const slot = slotAt(state, groups, row)
    addSlot(slot, v128.shuffle<i64>(x, y, 0, 2), undo)
    addSlot(slot + pitch, v128.shuffle<i64>(xx, yy, 0, 2), undo)
    addSlot(slot + pitch * 2, v128.shuffle<i64>(xy, i64x2.splat(0), 0, 2), undo)
    if (row + 2 <= count) {
      const next = slotAt(state + copy, groups, row + 1)
      addSlot(next, v128.shuffle<i64>(x, y, 1, 3), undo)
      addSlot(next + pitch, v128.shuffle<i64>(xx, yy, 1, 3), undo)
      addSlot(next + pitch * 2, v128.shuffle<i64>(xy, i64x2.splat(0), 1, 2), undo)
    }
    a += 2 * sizeof<T>()
    b += 2 * sizeof<T>()
  }
}

export function momentsTwoI32(
  state: usize, pitch: usize, copy: usize, groups: usize, a: usize, b: usize, count: u32, undo: bool,
): void {
  narrowTwo<i32>(state, pitch, copy, groups, a, b, count, undo)
}

export function momentsTwoI64(
  state: usize, pitch: usize, copy: usize, groups: usize, a: usize, b: usize, count: u32, undo: bool,
): void {
  narrowTwo<i64>(state, pitch, copy, groups, a, b, count, undo)
}

/** No addend's field crosses a word of 32 bits. */
// @ts-ignore: decorator
@inline
function packed<T>(state: usize, copy: usize, groups: usize, a: usize, b: usize, count: u32, shiftB: i32, shiftAA: i32): void {
  const shiftHigh = shiftAA - 32
  let row: u32 = 0
  for (; row + 4 <= count; row += 4) {
    const x = quadAt<T>(a)
    const y = quadAt<T>(b)
    const word0 = i32x4.add(x, i32x4.shl(y, shiftB))
    const word1 = i32x4.shl(i32x4.mul(x, x), shiftHigh)
    const word2 = i32x4.mul(y, y)
    const word3 = i32x4.mul(x, y)
    const low = v128.shuffle<i32>(word0, word1, 0, 4, 1, 5)
    const lowOther = v128.shuffle<i32>(word2, word3, 0, 4, 1, 5)
    const high = v128.shuffle<i32>(word0, word1, 2, 6, 3, 7)
    const highOther = v128.shuffle<i32>(word2, word3, 2, 6, 3, 7)
    addSlots(slotAt(state, groups, row), slotAt(state + copy, groups, row + 1), low, lowOther, false)
    addSlots(slotAt(state, groups, row + 2), slotAt(state + copy, groups, row + 3), high, highOther, false)
    a += 4 * sizeof<T>()
    b += 4 * sizeof<T>()
  }
  for (; row < count; row++) {
    const x = i64(load<T>(a))
    const y = i64(load<T>(b))
    const lane = x + (y << i64(shiftB)) + ((x * x) << i64(shiftAA))
    addSlot(slotAt(state, groups, row), i64x2.replace_lane(i64x2.splat(lane), 1, y * y + ((x * y) << 32)), false)
    a += sizeof<T>()
    b += sizeof<T>()
  }
}

export function momentsPackedI32(
  state: usize, copy: usize, groups: usize, a: usize, b: usize, count: u32, shiftB: i32, shiftAA: i32,
): void {
  packed<i32>(state, copy, groups, a, b, count, shiftB, shiftAA)
}

export function momentsPackedI64(
  state: usize, copy: usize, groups: usize, a: usize, b: usize, count: u32, shiftB: i32, shiftAA: i32,
): void {
  packed<i64>(state, copy, groups, a, b, count, shiftB, shiftAA)
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

/** Adds p + e of two rows, as four limbs, to their slots; the second row only where `both`. */
// @ts-ignore: decorator
@inline
function addProducts(
  slot: usize, next: usize, pitch: usize, p: v128, e: v128,
  magic0: v128, magic1: v128, magic2: v128, magic3: v128, both: bool, undo: bool,
): void {
  const p3 = f64x2.add(p, magic3)
  const pBelow3 = cut(p, p3, magic3)
  const p2 = f64x2.add(pBelow3, magic2)
  const pBelow2 = cut(pBelow3, p2, magic2)
  const p1 = f64x2.add(pBelow2, magic1)
  const e2 = f64x2.add(e, magic2)
  const eBelow2 = cut(e, e2, magic2)
  const e1 = f64x2.add(eBelow2, magic1)
  // Both are now below half a unit of limb 1: their sum is exact.
  const limb0 = i64x2.sub(f64x2.add(f64x2.add(cut(pBelow2, p1, magic1), cut(eBelow2, e1, magic1)), magic0), magic0)
  const limb1 = i64x2.add(i64x2.sub(p1, magic1), i64x2.sub(e1, magic1))
  const limb2 = i64x2.add(i64x2.sub(p2, magic2), i64x2.sub(e2, magic2))
  const limb3 = i64x2.sub(p3, magic3)
  addSlot(slot, v128.shuffle<i64>(limb0, limb1, 0, 2), undo)
  addSlot(slot + pitch, v128.shuffle<i64>(limb2, limb3, 0, 2), undo)
  if (both) {
    addSlot(next, v128.shuffle<i64>(limb0, limb1, 1, 3), undo)
    addSlot(next + pitch, v128.shuffle<i64>(limb2, limb3, 1, 3), undo)
  }
}

/** Adds doubles that fit (`momentsFitting`) and their squares to three slots a group, or with `undo` takes them away. */
export function momentsBins(
  state: usize, pitch: usize, copy: usize, groups: usize, data: usize, count: u32, low: i32, width: i32, undo: bool,
): void {
  const lowMagic = magicOf(low)
  const highMagic = magicOf(low + width)
  const magic0 = magicOf(2 * low)
  const magic1 = magicOf(2 * low + width)
  const magic2 = magicOf(2 * low + 2 * width)
  const magic3 = magicOf(2 * low + 3 * width)
  for (let row: u32 = 0; row < count; row += 2) {
    const both = row + 2 <= count
    const x = both ? v128.load(data) : v128.load64_zero(data)
    const high = f64x2.add(x, highMagic)
    const limb0 = i64x2.sub(f64x2.add(cut(x, high, highMagic), lowMagic), lowMagic)
    const limb1 = i64x2.sub(high, highMagic)
    const slot = slotAt(state, groups, row)
    const next = both ? slotAt(state + copy, groups, row + 1) : 0
    addSlot(slot, v128.shuffle<i64>(limb0, limb1, 0, 2), undo)
    if (both) addSlot(next, v128.shuffle<i64>(limb0, limb1, 1, 3), undo)
    const xHigh = upperHalf(x)
    const xLow = f64x2.sub(x, xHigh)
    const p = f64x2.mul(x, x)
    const e = f64x2.add(f64x2.sub(f64x2.mul(xHigh, xHigh), p), f64x2.mul(f64x2.add(xHigh, xHigh), xLow))
    addProducts(
      slot + pitch, next + pitch, pitch, p, f64x2.add(e, f64x2.mul(xLow, xLow)), magic0, magic1, magic2, magic3, both, undo,
    )
    data += 16
  }
}

/** Adds the products of two columns that fit to two slots a group. */
export function momentsProducts(
  state: usize, pitch: usize, copy: usize, groups: usize, a: usize, b: usize, count: u32, unit: i32, width: i32, undo: bool,
): void {
  const magic0 = magicOf(unit)
  const magic1 = magicOf(unit + width)
  const magic2 = magicOf(unit + 2 * width)
  const magic3 = magicOf(unit + 3 * width)
  for (let row: u32 = 0; row < count; row += 2) {
    const both = row + 2 <= count
    const x = v128.load(a)
    const y = v128.load(b)
    const xHigh = upperHalf(x)
    const xLow = f64x2.sub(x, xHigh)
    const yHigh = upperHalf(y)
    const yLow = f64x2.sub(y, yHigh)
    const p = f64x2.mul(x, y)
    let e = f64x2.add(f64x2.sub(f64x2.mul(xHigh, yHigh), p), f64x2.mul(xHigh, yLow))
    e = f64x2.add(f64x2.add(e, f64x2.mul(xLow, yHigh)), f64x2.mul(xLow, yLow))
    const slot = slotAt(state, groups, row)
    const next = both ? slotAt(state + copy, groups, row + 1) : 0
    addProducts(slot, next, pitch, p, e, magic0, magic1, magic2, magic3, both, undo)
    a += 16
    b += 16
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

/**
 * A bitmap, in whole bytes, of which doubles are below `cap` in magnitude and multiples of 2^low. What is below 2^(low + width) is cut off first, as
 * `momentsBins` does: `cap` is at most 2^(low + width + 51). Returns how many.
 */
export function momentsFitting(data: usize, count: u32, low: i32, width: i32, cap: f64, out: usize): u32 {
  const lowMagic = magicOf(low)
  const highMagic = magicOf(low + width)
  const caps = f64x2.splat(cap)
  let fitting: u32 = 0
  let row: u32 = 0
  for (; row + 8 <= count; row += 8) {
    const byte = fittingPair(data, lowMagic, highMagic, caps) | fittingPair(data + 16, lowMagic, highMagic, caps) << 2 |
      fittingPair(data + 32, lowMagic, highMagic, caps) << 4 | fittingPair(data + 48, lowMagic, highMagic, caps) << 6
    fitting += popcnt(byte)
    store<u8>(out++, u8(byte))
    data += 64
  }
  if (row < count) {
    let byte: u32 = 0
    for (let j: u32 = 0; j < count - row; j += 2) byte |= fittingPair(data + (usize(j) << 3), lowMagic, highMagic, caps) << j
    byte &= (1 << (count - row)) - 1
    fitting += popcnt(byte)
    store<u8>(out, u8(byte))
  }
  return fitting
}

// @ts-ignore: decorator
@inline
function fittingPair(data: usize, lowMagic: v128, highMagic: v128, caps: v128): u32 {
  const x = v128.load(data)
  const rest = cut(x, f64x2.add(x, highMagic), highMagic)
  const whole = f64x2.eq(f64x2.sub(f64x2.add(rest, lowMagic), lowMagic), rest)
  return u32(i64x2.bitmask(v128.and(f64x2.lt(f64x2.abs(x), caps), whole)))
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
    // The mask is of few rows: eight without one are passed over at once.
    if (mask && (row & 7) == 0 && load<u8>(mask + usize(row >> 3)) == 0) {
      row += 7
      continue
    }
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
