// Whether bytes are UTF-8, as the Encoding Standard has it: no overlong forms, no surrogates, nothing above U+10FFFF, nothing cut short.
//
//   ASCII           16 bytes at a time, by their upper bits
//   long stretches  16 bytes at a time, each looked up with those before it: J. Keiser and D. Lemire, "Validating UTF-8 in less than one
//                   instruction per byte" (2021). It knows that a block is ill-formed, and leaves it to the last to find where
//   ends, and where something is wrong   sequence by sequence

/**
 * The offset of the first ill-formed sequence, where a decoder would put its first U+FFFD, or `length`. Up to 16 bytes behind are read
 * and mean nothing.
 */
export function firstIllFormed(at: usize, length: u32): u32 {
  const start = at
  const end = at + usize(length)
  while (at < end) {
    if (i8x16.bitmask(v128.load(at)) == 0) {
      at += 16
      continue
    }
    if (end - at >= 32) at = skipBlocks(at, end)
    at += usize(ctz(i8x16.bitmask(v128.load(at)) | 0x10000))
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

/**
 * Passes blocks from `at`, where a sequence begins, to the first that is ASCII, or ill-formed, or not whole, and from there back to where a sequence
 * begins.
 *
 * Each pair of bytes that follow one another has its possible errors looked up by three of its halves, a bit each, and has those that all three
 * agree on:
 *
 *   0x01 a lead and no continuation    0x08 above U+10FFFF      0x20 overlong, two bytes            0x80 two continuations, which is an error
 *   0x02 a continuation and no lead    0x10 a surrogate         0x40 overlong, four bytes; above         but where the byte two or three before
 *   0x04 overlong, three bytes                                       U+10FFFF                            leads three or four
 */
function skipBlocks(at: usize, end: usize): usize {
  const start = at
  let before = i8x16.splat(0)
  while (end - at >= 16) {
    const block = v128.load(at)
    if (i8x16.bitmask(block) == 0) break
    const one = i8x16.shuffle(before, block, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
    const two = i8x16.shuffle(before, block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
    const three = i8x16.shuffle(before, block, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28)
    const errors = v128.and(
      v128.and(
        i8x16.swizzle(i8x16(2, 2, 2, 2, 2, 2, 2, 2, -128, -128, -128, -128, 0x21, 1, 0x15, 0x49), i8x16.shr_u(one, 4)),
        i8x16.swizzle(
          i8x16(-25, -93, -125, -125, -117, -53, -53, -53, -53, -53, -53, -53, -53, -37, -53, -53),
          v128.and(one, i8x16.splat(15)),
        ),
      ),
      i8x16.swizzle(i8x16(1, 1, 1, 1, 1, 1, 1, 1, -26, -82, -70, -70, 1, 1, 1, 1), i8x16.shr_u(block, 4)),
    )
    // Bit 7 where the byte two before is 0xe0 or more, or the one three before 0xf0 or more.
    const longer = v128.or(i8x16.sub_sat_u(two, i8x16.splat(0x60)), i8x16.sub_sat_u(three, i8x16.splat(0x70)))
    if (v128.any_true(v128.xor(errors, v128.and(longer, i8x16.splat(-128))))) break
    before = block
    at += 16
  }
  for (let back: usize = 1; back <= 3 && back <= at - start; back++) {
    const byte = load<u8>(at - back)
    if (byte < 0x80) break
    if (byte >= 0xc0) return byte >= (back == 1 ? 0xc0 : back == 2 ? 0xe0 : 0xf0) ? at - back : at
  }
  return at
}
