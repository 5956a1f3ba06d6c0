// Decimal digits eight at a time: a word holds eight characters, the first in its lowest byte. What they spell is int.ts's and float.ts's.

/** The `count` (1 to 8) characters at `at` as digits 0 to 9, in the upper bytes and zeros below, so that they read as if zeros led them. */
// @ts-ignore: decorator
@inline
export function digitsAt(at: usize, count: usize): u64 {
  const shift = u64(64 - (count << 3))
  return (load<u64>(at) << shift) ^ (0x3030303030303030 << shift)
}

/** Bit 7 of every byte that is not 0 to 9; above the lowest such byte other bits 7 may be set too. */
// @ts-ignore: decorator
@inline
export function othersIn(digits: u64): u64 {
  return ((digits + 0x7676767676767676) | digits) & 0x8080808080808080
}

/** Whether all eight bytes are 0 to 9. */
// @ts-ignore: decorator
@inline
export function areDigits(digits: u64): bool {
  return othersIn(digits) == 0
}

/** The number that eight digits 0 to 9 spell: pairs, then fours, then all, by three multiplications (after D. Lemire, 2018). */
// @ts-ignore: decorator
@inline
export function numberOf(digits: u64): u64 {
  const pairs = digits * 10 + (digits >> 8)
  return ((pairs & 0xff000000ff) * 0xf424000000064 + ((pairs >> 16) & 0xff000000ff) * 0x271000000001) >> 32
}

/** 10^k, k from 0 to 8, as the bits of k say and without a branch: modules of parts share one memory, so they have no tables in it. */
// @ts-ignore: decorator
@inline
export function smallPowerOfTen(k: u64): u64 {
  const low = (1 + ((0 - (k & 1)) & 9)) * (1 + ((0 - ((k >> 1) & 1)) & 99))
  return low * (1 + ((0 - ((k >> 2) & 1)) & 9999)) + ((0 - (k >> 3)) & 99999999)
}

/** The first byte of [at, end) that is no digit, or `end`. */
export function endOfDigits(at: usize, end: usize): usize {
  while (at < end) {
    const others = othersIn(load<u64>(at) ^ 0x3030303030303030)
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
  while (count > 8) {
    number = number * 100000000 + numberOf(load<u64>(at) ^ 0x3030303030303030)
    at += 8
    count -= 8
  }
  return count ? number * smallPowerOfTen(u64(count)) + numberOf(digitsAt(at, count)) : number
}
