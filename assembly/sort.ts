// Stable sorting of row indices by order-preserving integers ("images"): least significant digit first, eight bits at a time, bytes
// that are the same everywhere skipped. Strings are sorted by their rank (rank.ts).
//
//   64-bit keys   images u64[n] and indices u32[n] move together
//   32-bit keys   image << 32 | index in one u64

// @ts-ignore: decorator
@inline
const SIGN: u64 = 0x8000000000000000

/** 0, 1, 2, ... */
export function sortIota(rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) store<u32>(out + (usize(row) << 2), row)
}

/**
 * Stably puts the indices of valid rows and of null rows apart, the nulls first or last, and returns how many are valid.
 * `out` does not overlap `indices`.
 */
export function sortPartition(indices: usize, rowCount: u32, validity: usize, nullsFirst: bool, out: usize): u32 {
  let valid: u32 = 0
  const end = indices + (usize(rowCount) << 2)
  for (let at = indices; at < end; at += 4) {
    const row = load<u32>(at)
    valid += (u32(load<u8>(validity + usize(row >> 3))) >> (row & 7)) & 1
  }
  let toValid = nullsFirst ? out + (usize(rowCount - valid) << 2) : out
  let toNull = nullsFirst ? out : out + (usize(valid) << 2)
  for (let at = indices; at < end; at += 4) {
    const row = load<u32>(at)
    const bit = usize((u32(load<u8>(validity + usize(row >> 3))) >> (row & 7)) & 1)
    store<u32>(bit ? toValid : toNull, row)
    toValid += bit << 2
    toNull += (bit ^ 1) << 2
  }
  return valid
}

/** The image of a double: totally ordered as unsigned, one zero, one NaN above all. */
// @ts-ignore: decorator
@inline
function imageOfDouble(value: f64): u64 {
  const bits = reinterpret<u64>(value != value ? NaN : value + 0.0)
  return bits ^ (u64(i64(bits) >> 63) | SIGN)
}

/** out[i] = the image of int64 or float64 data[indices[i]], xor `flip` (all ones to descend). */
export function sortImages64(isDouble: bool, data: usize, indices: usize, count: u32, flip: u64, out: usize): void {
  for (const end = indices + (usize(count) << 2); indices < end; indices += 4) {
    const at = data + (usize(load<u32>(indices)) << 3)
    store<u64>(out, (isDouble ? imageOfDouble(load<f64>(at)) : load<u64>(at) ^ SIGN) ^ flip)
    out += 8
  }
}

/**
 * out[i] = (image of data[indices[i]] xor `flip`) << 32 | indices[i]. `kind` is the size of an integer in bytes, negative where
 * it is unsigned; 0 is a bitmap, 5 is float32, 6 is codes whose images are their `ranks`.
 */
export function sortImages32(kind: i32, data: usize, ranks: usize, indices: usize, count: u32, flip: u32, out: usize): void {
  for (const end = indices + (usize(count) << 2); indices < end; indices += 4) {
    const row = load<u32>(indices)
    let image: u32
    switch (kind) {
      case 1: image = u32(i32(load<i8>(data + usize(row)))) ^ 0x80000000; break
      case -1: image = load<u8>(data + usize(row)); break
      case 2: image = u32(i32(load<i16>(data + (usize(row) << 1)))) ^ 0x80000000; break
      case -2: image = load<u16>(data + (usize(row) << 1)); break
      case 4: image = load<u32>(data + (usize(row) << 2)) ^ 0x80000000; break
      case -4: image = load<u32>(data + (usize(row) << 2)); break
      case 5: {
        const value = load<f32>(data + (usize(row) << 2))
        const bits = reinterpret<u32>(value != value ? f32(NaN) : value + f32(0))
        image = bits ^ (u32(i32(bits) >> 31) | 0x80000000)
        break
      }
      case 6: image = load<u32>(ranks + (usize(load<u32>(data + (usize(row) << 2))) << 2)); break
      default: image = (u32(load<u8>(data + usize(row >> 3))) >> (row & 7)) & 1
    }
    store<u64>(out, (u64(image ^ flip) << 32) | u64(row))
    out += 8
  }
}

// Where the last values are put that are fewer than eight, for the time of a call.
// @ts-ignore: decorator
@inline
const ROOM: usize = 0xf000

// @ts-ignore: decorator
@inline
function within<T>(data: usize, count: u32, descends: bool, bound: usize, bits: usize): void {
  const limit = v128.splat<T>(load<T>(bound))
  for (let from: u32 = 0; from < count; from += 8) {
    if (count - from < 8) {
      memory.copy(ROOM, data, usize(count - from) * sizeof<T>())
      data = ROOM
    }
    let behind: u32 = 0
    for (let i: u32 = 0; i < 8; i += 16 / sizeof<T>()) {
      const values = v128.load(data + usize(i) * sizeof<T>())
      const is = descends ? v128.lt<T>(values, limit) : v128.gt<T>(values, limit)
      behind |= u32(sizeof<T>() == 4 ? i32x4.bitmask(is) : i64x2.bitmask(is)) << i
    }
    store<u8>(bits + usize(from >> 3), u8(~behind))
    data += 8 * sizeof<T>()
  }
}

/** Sets bit i of `bits` for each int32 (`width` 4), int64 or float64 that is not above the one at `bound`, or where `descends` not below it; NaN is neither. */
export function sortWithin(isDouble: bool, width: u32, data: usize, count: u32, descends: bool, bound: usize, bits: usize): void {
  if (isDouble) within<f64>(data, count, descends, bound, bits)
  else if (width == 4) within<i32>(data, count, descends, bound, bits)
  else within<i64>(data, count, descends, bound, bits)
}

/**
 * Counts every byte from `first` on of every key at once, `counts` being u32[8][256]. Returns whether the keys ascend already (then there is
 * nothing to sort).
 */
// @ts-ignore: decorator
@inline
function countBytes(keys: usize, count: u32, counts: usize, first: usize): bool {
  memory.fill(counts, 0, 8 * 256 * 4)
  let last: u64 = 0
  let descents: u32 = 0
  for (const end = keys + (usize(count) << 3); keys < end; keys += 8) {
    const key = load<u64>(keys)
    descents |= u32(key < last)
    last = key
    for (let byte = first; byte < 8; byte++) {
      const at = counts + (byte << 10) + (usize((key >> u64(byte << 3)) & 0xff) << 2)
      store<u32>(at, load<u32>(at) + 1)
    }
  }
  return descents == 0
}

/** Turns the counts of one byte into where each of its values begins; false where all keys share one value. */
function countsToStarts(counts: usize, keyCount: u32): bool {
  let start: u32 = 0
  for (const end = counts + 1024; counts < end; counts += 4) {
    const count = load<u32>(counts)
    if (count == keyCount) return false
    store<u32>(counts, start)
    start += count
  }
  return true
}

/** Sorts (keys, indices) by key; the other pair and `counts` (8 KiB) are room to work. Returns 1 where the result lies in the other pair. */
export function sortPairs(keys: usize, indices: usize, otherKeys: usize, otherIndices: usize, count: u32, counts: usize): i32 {
  if (countBytes(keys, count, counts, 0)) return 0
  let swapped = 0
  for (let byte: usize = 0; byte < 8; byte++) {
    const starts = counts + (byte << 10)
    if (!countsToStarts(starts, count)) continue
    for (let i: usize = 0; i < usize(count); i++) {
      const key = load<u64>(keys + (i << 3))
      const at = starts + (usize((key >> u64(byte << 3)) & 0xff) << 2)
      const to = usize(load<u32>(at))
      store<u32>(at, u32(to) + 1)
      store<u64>(otherKeys + (to << 3), key)
      store<u32>(otherIndices + (to << 2), load<u32>(indices + (i << 2)))
    }
    const swapKeys = keys
    keys = otherKeys
    otherKeys = swapKeys
    const swapIndices = indices
    indices = otherIndices
    otherIndices = swapIndices
    swapped ^= 1
  }
  return swapped
}

/** Sorts packed keys by their high halves and writes their low halves, the indices, to `out`. */
export function sortPacked(keys: usize, otherKeys: usize, count: u32, counts: usize, out: usize): void {
  if (!countBytes(keys, count, counts, 4)) {
    for (let byte: usize = 4; byte < 8; byte++) {
      const starts = counts + (byte << 10)
      if (!countsToStarts(starts, count)) continue
      for (let at = keys, end = keys + (usize(count) << 3); at < end; at += 8) {
        const key = load<u64>(at)
        const slot = starts + (usize((key >> u64(byte << 3)) & 0xff) << 2)
        const to = load<u32>(slot)
        store<u32>(slot, to + 1)
        store<u64>(otherKeys + (usize(to) << 3), key)
      }
      const swap = keys
      keys = otherKeys
      otherKeys = swap
    }
  }
  for (let i: usize = 0; i < usize(count); i++) store<u32>(out + (i << 2), load<u32>(keys + (i << 3)))
}
