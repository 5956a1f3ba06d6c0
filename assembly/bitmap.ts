// Bitmaps: bit (i & 7) of byte (i >> 3) is row i. Whole 16-byte blocks are read and written, so the bits beyond the last row
// are unspecified in every result, and harmless in every input. From bitmap to row indices: select.ts.

// @ts-ignore: decorator
@inline
function combine<Op>(a: usize, b: usize, rowCount: u32, out: usize): void {
  const blocks = (usize(rowCount) + 127) >> 7
  const end = out + (blocks << 4)
  while (out < end) {
    const x = v128.load(a)
    const y = v128.load(b)
    v128.store(out, sizeof<Op>() == 1 ? v128.and(x, y) : sizeof<Op>() == 2 ? v128.or(x, y) : sizeof<Op>() == 4 ? v128.andnot(x, y) : v128.xor(x, y))
    a += 16
    b += 16
    out += 16
  }
}

/** out = a & b */
export function bitmapAnd(a: usize, b: usize, rowCount: u32, out: usize): void {
  combine<u8>(a, b, rowCount, out)
}

/** out = a | b */
export function bitmapOr(a: usize, b: usize, rowCount: u32, out: usize): void {
  combine<u16>(a, b, rowCount, out)
}

/** out = a & ~b */
export function bitmapAndNot(a: usize, b: usize, rowCount: u32, out: usize): void {
  combine<u32>(a, b, rowCount, out)
}

/** out = a ^ b */
export function bitmapXor(a: usize, b: usize, rowCount: u32, out: usize): void {
  combine<u64>(a, b, rowCount, out)
}

/** out = ~a */
export function bitmapNot(a: usize, rowCount: u32, out: usize): void {
  const end = out + (((usize(rowCount) + 127) >> 7) << 4)
  while (out < end) {
    v128.store(out, v128.not(v128.load(a)))
    a += 16
    out += 16
  }
}

/** The set bits among the first `rowCount`. */
export function bitmapCount(a: usize, rowCount: u32): u32 {
  let count: u64 = 0
  const end = a + ((usize(rowCount) >> 6) << 3)
  while (a < end) {
    count += popcnt(load<u64>(a))
    a += 8
  }
  if (rowCount & 63) count += popcnt(load<u64>(a) << (64 - (rowCount & 63)))
  return u32(count)
}

/** Copies `count` bits between any two bit positions; other bits of the target stay. Source and target do not overlap. */
export function bitmapCopy(source: usize, sourceBit: u32, target: usize, targetBit: u32, count: u32): void {
  let done: u32 = 0
  // Up to the target's byte boundary, then words, then the rest.
  const head = min(count, (8 - (targetBit & 7)) & 7)
  for (; done < head; done++) copyBit(source, sourceBit + done, target, targetBit + done)
  const shift = u64((sourceBit + done) & 7)
  while (count - done >= 64) {
    const from = source + usize((sourceBit + done) >> 3)
    let word = load<u64>(from) >> shift
    if (shift) word |= u64(load<u8>(from, 8)) << (64 - shift)
    store<u64>(target + usize((targetBit + done) >> 3), word)
    done += 64
  }
  for (; done < count; done++) copyBit(source, sourceBit + done, target, targetBit + done)
}

// @ts-ignore: decorator
@inline
function copyBit(source: usize, sourceBit: u32, target: usize, targetBit: u32): void {
  const bit = (load<u8>(source + usize(sourceBit >> 3)) >> u8(sourceBit & 7)) & 1
  const at = target + usize(targetBit >> 3)
  const place = targetBit & 7
  store<u8>(at, (load<u8>(at) & ~(1 << u8(place))) | (bit << u8(place)))
}
