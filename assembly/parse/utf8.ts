// Whether bytes are UTF-8, as the Encoding Standard has it: no overlong forms, no surrogates, nothing above U+10FFFF, nothing cut short.

/**
 * The offset of the first ill-formed sequence, where a decoder would put its first U+FFFD, or `length`. Up to 16 bytes behind are read
 * and mean nothing.
 */
export function firstIllFormed(at: usize, length: u32): u32 {
  const start = at
  const end = at + usize(length)
  while (at < end) {
    const high = u32(i8x16.bitmask(v128.load(at)))
    if (high == 0) {
      at += 16
      continue
    }
    at += usize(ctz(high))
    // What is not ASCII mostly comes in runs.
    while (at < end && load<u8>(at) >= 0x80) {
      const size = usize(sequenceSize(load<u32>(at)))
      if (size == 0 || end - at < size) return u32(at - start)
      at += size
    }
  }
  return length
}

/** Bytes of the well-formed sequence of more than one that four bytes, the first lowest, begin with; 0: it is ill-formed. */
// @ts-ignore: decorator
@inline
function sequenceSize(word: u32): u32 {
  if ((word & 0xc0c0f0) == 0x8080e0) {
    // The five bits that must not all be 0 (overlong), nor 11011 with the four before them (a surrogate).
    const bits = word & 0x200f
    return bits != 0 && bits != 0x200d ? 3 : 0
  }
  if ((word & 0xc0e0) == 0x80c0) return word & 0x1e ? 2 : 0
  if ((word & 0xc0c0c0f8) != 0x808080f0) return 0
  // 0 overlong; 4 and nothing more the last plane, U+10xxxx.
  const bits = word & 0x3007
  return bits != 0 && ((bits & 4) == 0 || bits == 4) ? 4 : 0
}
