// Decimal digits eight at a time: a word holds eight characters, the first in its lowest byte. What they spell is int.ts's and float.ts's.
// The parse is D. Lemire's (2018, "quickly parsing eight digits"): pairs, then fours, then the eight, by three multiplications.

/** The `count` (1 to 8) characters at `at` as digits 0 to 9, in the upper bytes and zeros below, so that they read as if zeros led them. */
// @ts-ignore: decorator
@inline
export function digitsAt(at: usize, count: usize): u64 {
  const shift = u64(64 - (count << 3))
  return (load<u64>(at) << shift) ^ (0x3030303030303030 << shift)
}

/** Whether all eight bytes are 0 to 9. */
// @ts-ignore: decorator
@inline
export function areDigits(digits: u64): bool {
  return (((digits + 0x7676767676767676) | digits) & 0x8080808080808080) == 0
}

/** The number that eight digits 0 to 9 spell. */
// @ts-ignore: decorator
@inline
export function numberOf(digits: u64): u64 {
  const pairs = digits * 10 + (digits >> 8)
  return ((pairs & 0xff000000ff) * 0xf424000000064 + ((pairs >> 16) & 0xff000000ff) * 0x271000000001) >> 32
}

/** The first byte of [at, end) that is no digit, or `end`. */
export function endOfDigits(at: usize, end: usize): usize {
  while (at < end) {
    const digits = load<u64>(at) ^ 0x3030303030303030
    // The lowest byte that is marked is right; a carry can only mark those above it wrongly.
    const others = ((digits + 0x7676767676767676) | digits) & 0x8080808080808080
    if (others) return min(at + usize(ctz(others) >> 3), end)
    at += 8
  }
  return end
}

/** The first byte of [at, end) that is not '0', or `end`. */
export function endOfZeros(at: usize, end: usize): usize {
  while (at < end) {
    const others = load<u64>(at) ^ 0x3030303030303030
    if (others) return min(at + usize(ctz(others) >> 3), end)
    at += 8
  }
  return end
}

/** `number` with the `count` digits at `at` behind it, modulo 2^64. */
export function appendDigits(number: u64, at: usize, count: usize): u64 {
  while (count >= 8) {
    number = number * 100000000 + numberOf(load<u64>(at) ^ 0x3030303030303030)
    at += 8
    count -= 8
  }
  while (count) {
    number = number * 10 + u64(load<u8>(at) & 15)
    at++
    count--
  }
  return number
}
