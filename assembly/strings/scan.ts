// Within one string: code points, whitespace and search. A string is [at, end); up to 16 bytes behind its end are read.

/** Whether a byte is no continuation of a code point. */
// @ts-ignore: decorator
@inline
export function isLeading(byte: u8): bool {
  return (byte & 0xc0) != 0x80
}

/** Code points of [at, end). */
export function codePoints(at: usize, end: usize): u32 {
  let count: u32 = 0
  while (at + 16 <= end) {
    // As signed bytes, continuations are below -64.
    count += popcnt(u32(i8x16.bitmask(i8x16.ge_s(v128.load(at), i8x16.splat(-64)))))
    at += 16
  }
  while (at < end) {
    count += u32(isLeading(load<u8>(at)))
    at++
  }
  return count
}

/** `count` code points on, at most `end`. */
export function forward(at: usize, end: usize, count: u32): usize {
  while (count > 0 && at < end) {
    at++
    while (at < end && !isLeading(load<u8>(at))) at++
    count--
  }
  return at
}

/** `count` code points back from `end`, at least `at`. */
export function backward(at: usize, end: usize, count: u32): usize {
  while (count > 0 && end > at) {
    end--
    while (end > at && !isLeading(load<u8>(end))) end--
    count--
  }
  return end
}

/** Where the first code point is that is not what JavaScript's `trim` takes away. */
export function afterSpaces(at: usize, end: usize): usize {
  while (at < end) {
    const length = spaceAt(at, end)
    if (length == 0) return at
    at += usize(length)
  }
  return end
}

/** The same from behind. */
export function beforeSpaces(at: usize, end: usize): usize {
  while (end > at) {
    const last = backward(at, end, 1)
    if (spaceAt(last, end) == 0) return end
    end = last
  }
  return at
}

/** Bytes of the whitespace at `at`, 0 where there is none: Unicode's Zs, tab to carriage return, line separators and U+FEFF. */
function spaceAt(at: usize, end: usize): u32 {
  const first = u32(load<u8>(at))
  if (first < 0x80) return u32(first == 32 || first - 9 < 5)
  if (first == 0xc2) return u32(at + 1 < end && load<u8>(at, 1) == 0xa0) << 1
  if (at + 2 >= end) return 0
  const rest = (u32(load<u8>(at, 1)) << 8) | u32(load<u8>(at, 2))
  let isSpace = false
  // U+1680; U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F; U+3000; U+FEFF.
  if (first == 0xe1) isSpace = rest == 0x9a80
  else if (first == 0xe2) isSpace = rest - 0x8080 < 11 || rest == 0x80a8 || rest == 0x80a9 || rest == 0x80af || rest == 0x819f
  else if (first == 0xe3) isSpace = rest == 0x8080
  else if (first == 0xef) isSpace = rest == 0xbbbf
  return u32(isSpace) * 3
}

/**
 * Where `needle` (`length` bytes) first is in [at, end), or 0: 16 places at once are asked for its first and its last byte.
 */
export function find(at: usize, end: usize, needle: usize, length: usize): usize {
  if (length == 0) return at
  if (end - at < length) return 0
  const last = end - length
  const firstByte = i8x16.splat(load<u8>(needle))
  const lastByte = i8x16.splat(load<u8>(needle + length - 1))
  while (at <= last) {
    const both = v128.and(i8x16.eq(v128.load(at), firstByte), i8x16.eq(v128.load(at + length - 1), lastByte))
    let mask = u32(i8x16.bitmask(both))
    while (mask != 0) {
      const place = at + usize(ctz(mask))
      if (place > last) return 0
      if (length <= 2 || isSame(place, needle, length)) return place
      mask &= mask - 1
    }
    at += 16
  }
  return 0
}

export function isSame(a: usize, b: usize, length: usize): bool {
  const end = a + (length & ~7)
  while (a < end) {
    if (load<u64>(a) != load<u64>(b)) return false
    a += 8
    b += 8
  }
  const rest = length & 7
  return rest == 0 || (load<u64>(a) ^ load<u64>(b)) << (64 - (u64(rest) << 3)) == 0
}
