/**
 * Bitmaps in ordinary JavaScript memory: validity, and the data of bool columns. The same bitmaps inside a lane are
 * kernels/bitmap.ts.
 *
 * ```
 * row    7 6 5 4 3 2 1 0   15 14 ...
 * byte   [      0      ]   [   1        bit (i & 7) of byte (i >> 3), 1 = has a value (or is true)
 * ```
 * Bits past the last row are unspecified, so every count is told how many rows there are.
 */

/** Bytes of a bitmap of `length` rows. */
export const bitmapBytes = (length: number): number => Math.ceil(length / 8)

export const getBit = (bitmap: Uint8Array, i: number): boolean => ((bitmap[i >> 3] >> (i & 7)) & 1) === 1

export function setBit(bitmap: Uint8Array, i: number): void {
  bitmap[i >> 3] |= 1 << (i & 7)
}

export function clearBit(bitmap: Uint8Array, i: number): void {
  bitmap[i >> 3] &= ~(1 << (i & 7))
}

/** A new bitmap of `length` ones; the bits past the end are 0. */
export function onesBitmap(length: number): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(length)).fill(255)
  if (length % 8 !== 0) bitmap[bitmap.length - 1] = (1 << (length & 7)) - 1
  return bitmap
}

/** A new bitmap with a one where `values` has a truthy item. */
export function bitmapOf(values: ArrayLike<unknown>): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(values.length))
  for (let i = 0; i < values.length; i++) if (values[i]) setBit(bitmap, i)
  return bitmap
}

const ONES_IN_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length)

/** Ones among the bits `[0, length)`. */
export function countBits(bitmap: Uint8Array, length: number): number {
  const { buffer, byteOffset } = bitmap
  // Four bytes at a time where they are aligned, as bitmaps and their parts mostly are.
  const words = new Int32Array(buffer, byteOffset & ~3, byteOffset & 3 ? 0 : length >> 5)
  let count = 0
  for (let i = 0; i < words.length; i++) {
    let ones = words[i]
    ones -= (ones >>> 1) & 0x55555555
    ones = (ones & 0x33333333) + ((ones >>> 2) & 0x33333333)
    count += Math.imul((ones + (ones >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  const whole = length >> 3
  for (let i = 4 * words.length; i < whole; i++) count += ONES_IN_BYTE[bitmap[i]]
  if (length & 7) count += ONES_IN_BYTE[bitmap[whole] & ((1 << (length & 7)) - 1)]
  return count
}

/** Bits `[from, to)` as a bitmap of their own: a view where `from` is a multiple of 8, else a copy. */
export function sliceBits(bitmap: Uint8Array, from: number, to: number): Uint8Array {
  if ((from & 7) === 0) return bitmap.subarray(from >> 3, (from >> 3) + bitmapBytes(to - from))
  const slice = new Uint8Array(bitmapBytes(to - from))
  copyBits(bitmap, from, slice, 0, to - from)
  return slice
}

/**
 * Writes `count` bits of `source` from bit `sourceBit` into `target` from bit `targetBit`; the bits around them stay.
 * No overlap.
 */
export function copyBits(
  source: Uint8Array,
  sourceBit: number,
  target: Uint8Array,
  targetBit: number,
  count: number,
): void {
  let done = 0
  const one = () => {
    if (getBit(source, sourceBit + done)) setBit(target, targetBit + done)
    else clearBit(target, targetBit + done)
    done++
  }
  while (done < count && ((targetBit + done) & 7) !== 0) one()
  const wholeBytes = (count - done) >> 3
  const shift = (sourceBit + done) & 7
  const from = (sourceBit + done) >> 3
  const to = (targetBit + done) >> 3
  if (shift === 0) target.set(source.subarray(from, from + wholeBytes), to)
  else {
    for (let i = 0; i < wholeBytes; i++) {
      target[to + i] = (source[from + i] >> shift) | (source[from + i + 1] << (8 - shift))
    }
  }
  done += wholeBytes * 8
  while (done < count) one()
}
