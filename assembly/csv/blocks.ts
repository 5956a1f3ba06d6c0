// Blocks of 64 bytes: bitmaps of a byte in them, and the addresses of the bits.

// @ts-ignore: decorator
@inline
export function bitsOf(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    u64(u32(i8x16.bitmask(a)) | (u32(i8x16.bitmask(b)) << 16)) | (u64(u32(i8x16.bitmask(c)) | (u32(i8x16.bitmask(d)) << 16)) << 32)
  )
}

/** Where a byte is in a block. */
// @ts-ignore: decorator
@inline
export function placesOf(at: usize, byte: v128): u64 {
  return bitsOf(
    i8x16.eq(v128.load(at), byte), i8x16.eq(v128.load(at, 16), byte), i8x16.eq(v128.load(at, 32), byte), i8x16.eq(v128.load(at, 48), byte),
  )
}

/** Bit i: whether an odd number of bits up to and with i are set. */
// @ts-ignore: decorator
@inline
export function prefixXor(x: u64): u64 {
  x ^= x << 1
  x ^= x << 2
  x ^= x << 4
  x ^= x << 8
  x ^= x << 16
  return x ^ (x << 32)
}

// @ts-ignore: decorator
@inline
function writePlace(at: usize, mask: u64, out: usize): u64 {
  store<u32>(out, u32(at + usize(ctz(mask))))
  return mask & (mask - 1)
}

/** Writes the address of each bit; up to 14 words beyond the last are written too. Most blocks of numbers have some ten. */
// @ts-ignore: decorator
@inline
export function writePlaces(at: usize, mask: u64, count: u32, out: usize): void {
  mask = writePlace(at, mask, out)
  mask = writePlace(at, mask, out + 4)
  mask = writePlace(at, mask, out + 8)
  mask = writePlace(at, mask, out + 12)
  mask = writePlace(at, mask, out + 16)
  mask = writePlace(at, mask, out + 20)
  mask = writePlace(at, mask, out + 24)
  mask = writePlace(at, mask, out + 28)
  if (count <= 8) return
  mask = writePlace(at, mask, out + 32)
  mask = writePlace(at, mask, out + 36)
  mask = writePlace(at, mask, out + 40)
  mask = writePlace(at, mask, out + 44)
  mask = writePlace(at, mask, out + 48)
  mask = writePlace(at, mask, out + 52)
  while (mask) {
    mask = writePlace(at, mask, out + 56)
    mask = writePlace(at, mask, out + 60)
    out += 8
  }
}
