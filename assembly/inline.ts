// Inlined helpers that several kernels share. The module exports none of them, so index.ts does not name this file.

import { textCompare } from './text'

// @ts-ignore: decorator
@inline
export function isValid(validity: usize, row: u32): bool {
  return validity == 0 || ((load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1) != 0
}

/** Bits row .. row + 64 of `validity` below `count`; all of them where it is 0. */
// @ts-ignore: decorator
@inline
export function wordAt(validity: usize, row: u32, count: u32): u64 {
  const word = validity ? load<u64>(validity + usize(row >> 3)) : u64.MAX_VALUE
  return count - row < 64 ? word & (u64.MAX_VALUE >> u64(64 - (count - row))) : word
}

/** Element `row` of a column of `bits` (1 to 64) bits an element, zeros above. Reads up to 8 bytes past it. */
// @ts-ignore: decorator
@inline
export function elementAt(data: usize, row: u32, bits: u32): u64 {
  const at = usize(row) * usize(bits)
  return (load<u64>(data + (at >> 3)) >> u64(at & 7)) & (u64.MAX_VALUE >> u64(64 - bits))
}

// @ts-ignore: decorator
@inline
export function mulOverflows(a: i64, b: i64): bool {
  // With x bits beside the sign in one factor and y in the other, x + y <= 62 cannot overflow: no division for those.
  if (clz(a ^ (a >> 63)) + clz(b ^ (b >> 63)) >= 66) return false
  const product = a * b
  return a != 0 && ((a == -1 && b == i64.MIN_VALUE) || product / a != b)
}

/**
 * -1 or 1 as entry a of a dictionary is before or behind entry b, which is another: by their ranks (u32) where both are below `ranked`,
 * else by their bytes.
 */
// @ts-ignore: decorator
@inline
export function textOrder(a: u32, b: u32, ranks: usize, ranked: u32, offsets: usize, bytes: usize): i32 {
  if (a < ranked && b < ranked) {
    return load<u32>(ranks + (usize(a) << 2)) < load<u32>(ranks + (usize(b) << 2)) ? -1 : 1
  }
  const atA = offsets + (usize(a) << 2)
  const atB = offsets + (usize(b) << 2)
  const startA = load<u32>(atA)
  const startB = load<u32>(atB)
  return textCompare(bytes + usize(startA), load<u32>(atA, 4) - startA, bytes + usize(startB), load<u32>(atB, 4) - startB)
}

/** Two doubles or floats of a column, as doubles. */
// @ts-ignore: decorator
@inline
export function pairAt<T>(data: usize, row: u32): v128 {
  if (sizeof<T>() == 8) return v128.load(data + (usize(row) << 3))
  return f64x2.promote_low_f32x4(v128.load64_zero(data + (usize(row) << 2)))
}

/** The last of an odd number of them. */
// @ts-ignore: decorator
@inline
export function lastAt<T>(data: usize, row: u32): v128 {
  if (sizeof<T>() == 8) return v128.load64_zero(data + (usize(row) << 3))
  return f64x2.promote_low_f32x4(v128.load32_zero(data + (usize(row) << 2)))
}

/** All bits of a row's lane where its validity bit is set; `row` is even. */
// @ts-ignore: decorator
@inline
export function maskAt(validity: usize, row: u32): v128 {
  const bits = i64x2.splat(i64(load<u8>(validity + usize(row >> 3)) >> u8(row & 7)))
  return i64x2.ne(v128.and(bits, i64x2(1, 2)), i64x2.splat(0))
}
