// Inlined helpers that several kernels share. The module exports none of them, so index.ts does not name this file.

// @ts-ignore: decorator
@inline
export function isValid(validity: usize, row: u32): bool {
  return validity == 0 || ((load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1) != 0
}

// @ts-ignore: decorator
@inline
export function mulOverflows(a: i64, b: i64): bool {
  // With x bits beside the sign in one factor and y in the other, x + y <= 62 cannot overflow: no division for those.
  if (clz(a ^ (a >> 63)) + clz(b ^ (b >> 63)) >= 66) return false
  const product = a * b
  return a != 0 && ((a == -1 && b == i64.MIN_VALUE) || product / a != b)
}
