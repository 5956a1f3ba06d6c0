// Least and greatest of everything but strings (min-max-text.ts): values become signed integers in the same order, their images,
// and one loop serves all types of a width. A state is one image a group, and merging is updating with another's states.
//
//   image     i32   bool, int8 .. int32, uint8, uint16, date      the value
//             i64   uint32, int64, timestamp                      the value
//             i64   float32, float64   the bits, all but the sign flipped where negative; one zero (+0), one NaN, above infinity
//   identity  of min the greatest image, of max the least: what null rows become, and what a group begins with

import { groupAt } from '../inline'

// @ts-ignore: decorator
@inline
function isNull(validity: usize, row: u32): bool {
  return ((load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1) == 0
}

/** Images of integers, as I; null rows become `identity`. */
// @ts-ignore: decorator
@inline
function images<T, I>(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  for (let row: u32 = 0; row < count; row++) {
    let image = <I>load<T>(data)
    if (validity && isNull(validity, row)) image = <I>identity
    store<I>(out, image)
    data += sizeof<T>()
    out += sizeof<I>()
  }
}

export function minMaxImagesI8(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  images<i8, i32>(out, data, validity, identity, count)
}

export function minMaxImagesU8(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  images<u8, i32>(out, data, validity, identity, count)
}

export function minMaxImagesI16(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  images<i16, i32>(out, data, validity, identity, count)
}

export function minMaxImagesU16(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  images<u16, i32>(out, data, validity, identity, count)
}

export function minMaxImagesI32(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  images<i32, i32>(out, data, validity, identity, count)
}

export function minMaxImagesU32(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  images<u32, i64>(out, data, validity, identity, count)
}

export function minMaxImagesI64(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  images<i64, i64>(out, data, validity, identity, count)
}

export function minMaxImagesBits(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  for (let row: u32 = 0; row < count; row++) {
    let image = i32((load<u8>(data + usize(row >> 3)) >> u8(row & 7)) & 1)
    if (validity && isNull(validity, row)) image = i32(identity)
    store<i32>(out, image)
    out += 4
  }
}

// @ts-ignore: decorator
@inline
function floatImages<T>(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  const nan = i64x2.splat(0x7ff8000000000000)
  const zero = f64x2.splat(0)
  const identities = i64x2.splat(identity)
  for (let row: u32 = 0; row < count; row += 2) {
    const x = sizeof<T>() == 8 ? v128.load(data) : f64x2.promote_low_f32x4(v128.load64_zero(data))
    // Adding +0 turns -0 into +0.
    const bits = v128.bitselect(f64x2.add(x, zero), nan, f64x2.eq(x, x))
    let image = v128.xor(bits, i64x2.shr_u(i64x2.lt_s(bits, i64x2.splat(0)), 1))
    if (validity) {
      const valid = i64x2.splat(i64(load<u8>(validity + usize(row >> 3)) >> u8(row & 7)))
      image = v128.bitselect(image, identities, i64x2.ne(v128.and(valid, i64x2(1, 2)), i64x2.splat(0)))
    }
    v128.store(out, image)
    data += sizeof<T>() << 1
    out += 16
  }
}

/** Writes an image past an odd `count`. */
export function minMaxImagesF32(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  floatImages<f32>(out, data, validity, identity, count)
}

/** Writes an image past an odd `count`. */
export function minMaxImagesF64(out: usize, data: usize, validity: usize, identity: i64, count: u32): void {
  floatImages<f64>(out, data, validity, identity, count)
}

/**
 * state[groups[i]] = the better of itself and images[i]. A better value is rare once a group has seen some, so a branch that is
 * hardly ever taken is cheaper than a store.
 */
// @ts-ignore: decorator
@inline
function better<I>(state: usize, groups: usize, images: usize, count: u32, max: bool): void {
  for (let row: u32 = 0; row < count; row++) {
    const image = load<I>(images)
    const at = state + groupAt(groups, row) * sizeof<I>()
    if (max ? image > load<I>(at) : image < load<I>(at)) store<I>(at, image)
    images += sizeof<I>()
  }
}

export function minMaxLeast32(state: usize, groups: usize, images: usize, count: u32): void {
  better<i32>(state, groups, images, count, false)
}

export function minMaxGreatest32(state: usize, groups: usize, images: usize, count: u32): void {
  better<i32>(state, groups, images, count, true)
}

export function minMaxLeast64(state: usize, groups: usize, images: usize, count: u32): void {
  better<i64>(state, groups, images, count, false)
}

export function minMaxGreatest64(state: usize, groups: usize, images: usize, count: u32): void {
  better<i64>(state, groups, images, count, true)
}

/** Both at once: images and groups are read but once. */
// @ts-ignore: decorator
@inline
function both<I>(greatest: usize, least: usize, groups: usize, images: usize, count: u32): void {
  for (let row: u32 = 0; row < count; row++) {
    const image = load<I>(images)
    const at = groupAt(groups, row) * sizeof<I>()
    if (image > load<I>(greatest + at)) store<I>(greatest + at, image)
    if (image < load<I>(least + at)) store<I>(least + at, image)
    images += sizeof<I>()
  }
}

export function minMaxBoth32(greatest: usize, least: usize, groups: usize, images: usize, count: u32): void {
  both<i32>(greatest, least, groups, images, count)
}

export function minMaxBoth64(greatest: usize, least: usize, groups: usize, images: usize, count: u32): void {
  both<i64>(greatest, least, groups, images, count)
}

/** The same for a single group. */
// @ts-ignore: decorator
@inline
function best<I>(state: usize, images: usize, count: u32, max: bool): void {
  let image = load<I>(state)
  const lanes = 16 / u32(sizeof<I>())
  const whole = images + usize(count & ~(lanes - 1)) * sizeof<I>()
  const end = images + usize(count) * sizeof<I>()
  if (images < whole) {
    let most = v128.load(images)
    for (images += 16; images < whole; images += 16) {
      const next = v128.load(images)
      if (sizeof<I>() == 4) most = max ? i32x4.max_s(most, next) : i32x4.min_s(most, next)
      else most = v128.bitselect(next, most, max ? i64x2.gt_s(next, most) : i64x2.lt_s(next, most))
    }
    if (sizeof<I>() == 4) {
      const other = v128.shuffle<i32>(most, most, 2, 3, 0, 1)
      most = max ? i32x4.max_s(most, other) : i32x4.min_s(most, other)
      const a = <I>i32x4.extract_lane(most, 0)
      const b = <I>i32x4.extract_lane(most, 1)
      if (max ? a > image : a < image) image = a
      if (max ? b > image : b < image) image = b
    } else {
      const a = <I>i64x2.extract_lane(most, 0)
      const b = <I>i64x2.extract_lane(most, 1)
      if (max ? a > image : a < image) image = a
      if (max ? b > image : b < image) image = b
    }
  }
  for (; images < end; images += sizeof<I>()) {
    const next = load<I>(images)
    if (max ? next > image : next < image) image = next
  }
  store<I>(state, image)
}

export function minMaxLeastOf32(state: usize, images: usize, count: u32): void {
  best<i32>(state, images, count, false)
}

export function minMaxGreatestOf32(state: usize, images: usize, count: u32): void {
  best<i32>(state, images, count, true)
}

export function minMaxLeastOf64(state: usize, images: usize, count: u32): void {
  best<i64>(state, images, count, false)
}

export function minMaxGreatestOf64(state: usize, images: usize, count: u32): void {
  best<i64>(state, images, count, true)
}

/** Low `bytes` (1, 2 or 4) of each image of `imageBytes`, end to end. */
export function minMaxNarrow(images: usize, imageBytes: usize, count: u32, out: usize, bytes: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const image = load<u32>(images)
    if (bytes == 4) store<u32>(out, image)
    else if (bytes == 2) store<u16>(out, u16(image))
    else store<u8>(out, u8(image))
    images += imageBytes
    out += bytes
  }
}

/** Images of bools to a bitmap. */
export function minMaxBits(images: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i += 8) {
    let byte: u32 = 0
    for (let j: u32 = 0, end = min(8, count - i); j < end; j++) {
      byte |= (load<u32>(images) & 1) << j
      images += 4
    }
    store<u8>(out++, u8(byte))
  }
}

/** Images of doubles to doubles, or with `bytes` 4 to floats. */
export function minMaxFloats(images: usize, count: u32, out: usize, bytes: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const image = load<i64>(images)
    const bits = image ^ i64(u64(image >> 63) >> 1)
    if (bytes == 8) {
      store<i64>(out, bits)
    } else {
      // Which NaN a conversion gives is not pinned down, so it is not left to one.
      const value = reinterpret<f64>(bits)
      store<u32>(out, value == value ? reinterpret<u32>(f32(value)) : 0x7fc00000)
    }
    images += 8
    out += bytes
  }
}
