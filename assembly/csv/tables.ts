// Constants of the kernels of CSV, in a block of their own: modules share one memory and so have none in it, and vectors that are loaded stay in
// registers, where the compiler makes those that are written in the code anew in every turn of a loop.
//
//   floats (16 KiB), by length l (1 to 15) and place p of the first point in 16 bytes, 16 where there is none; e = 32 l + p
//     16 e              u8x16: from which byte each of 16 digits comes, so that they stand at the right end without the point
//     8192 + 8 e        f64: the power of ten to divide by
//     12288 + 8 e       the same, negative
//   VECTORS             16 bytes each
//   PADS                16 bytes for each length from 0 to 12: all ones behind so many bytes

import { powerOfTen } from '../parse/powers'

// @ts-ignore: decorator
@inline
export const POWERS: usize = 8192
// @ts-ignore: decorator
@inline
export const NINES: usize = 16384
// @ts-ignore: decorator
@inline
export const LOW_BYTES: usize = NINES + 16
// @ts-ignore: decorator
@inline
export const TENS: usize = NINES + 32
// @ts-ignore: decorator
@inline
export const HUNDREDS: usize = NINES + 48
// @ts-ignore: decorator
@inline
export const TEN_THOUSANDS: usize = NINES + 64
// @ts-ignore: decorator
@inline
export const HUNDRED_MILLIONS: usize = NINES + 80
// @ts-ignore: decorator
@inline
export const ZEROS: usize = NINES + 96
// @ts-ignore: decorator
@inline
export const POINTS: usize = NINES + 112
// @ts-ignore: decorator
@inline
export const PADS: usize = NINES + 128

/** Writes them to `out`, 16 KiB and 336 bytes. */
export function csvStart(out: usize): void {
  for (let length: u32 = 1; length < 16; length++) {
    for (let place: u32 = 0; place < 17; place++) writeFloats(out, length, place)
  }
  v128.store(out + NINES, i8x16.splat(9))
  v128.store(out + LOW_BYTES, i16x8.splat(255))
  v128.store(out + TENS, i16x8.splat(10))
  v128.store(out + HUNDREDS, i32x4.splat(0x10064))
  v128.store(out + TEN_THOUSANDS, i32x4.splat(0x12710))
  v128.store(out + HUNDRED_MILLIONS, f64x2.splat(100000000))
  v128.store(out + ZEROS, i8x16.splat(48))
  v128.store(out + POINTS, i8x16.splat(46))
  memory.fill(out + PADS, 255, 208)
  for (let length: usize = 1; length < 13; length++) memory.fill(out + PADS + (length << 4), 0, length)
}

function writeFloats(out: usize, length: u32, place: u32): void {
  const hasPoint = place < length
  const count = length - u32(hasPoint)
  const entry = usize((length << 5) + place)
  for (let lane: u32 = 0; lane < 16; lane++) {
    const digit = lane + count - 16
    let from: u32 = 0x80
    if (lane + count >= 16) from = hasPoint && digit >= place ? digit + 1 : digit
    // A point alone is taken for a digit, and so refused.
    else if (count == 0) from = 0
    store<u8>(out + (entry << 4) + usize(lane), from)
  }
  const power = powerOfTen(hasPoint ? count - place : 0)
  store<f64>(out + POWERS + (entry << 3), power)
  store<f64>(out + POWERS + 4096 + (entry << 3), -power)
}
