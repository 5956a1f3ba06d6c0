// Group index by direct indexing, for keys whose values fit a small domain: the key itself says the slot. hash.ts serves the rest.
//
//   slot of a row = sum over keys of (value - base) * stride         directory  i32[slots]: slot -> group, -1 where none yet
//   nullable key:  0 is null, values begin at 1 (the binding lowers base by one)

// @ts-ignore: decorator
@inline
const BLOCK: u32 = 2048

/** 1 or 0: whether row i is valid. */
// @ts-ignore: decorator
@inline
function validBit(validity: usize, i: u32): u32 {
  return (u32(load<u8>(validity + usize(i >> 3))) >> (i & 7)) & 1
}

/** Adds one key's part to each row's slot, or with `add` 0 begins the slots with it. A null row's part is 0. */
// @ts-ignore: decorator
@inline
function slotsOf<T>(slots: usize, data: usize, validity: usize, base: i64, stride: u32, add: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    let part = u32(i64(load<T>(data + usize(i) * sizeof<T>())) - base) * stride
    if (validity) part &= -validBit(validity, i)
    if (add) part += load<u32>(slots)
    store<u32>(slots, part)
    slots += 4
  }
}

export function directSlotsI8(slots: usize, data: usize, validity: usize, base: i64, stride: u32, add: u32, count: u32): void {
  slotsOf<i8>(slots, data, validity, base, stride, add, count)
}

export function directSlotsU8(slots: usize, data: usize, validity: usize, base: i64, stride: u32, add: u32, count: u32): void {
  slotsOf<u8>(slots, data, validity, base, stride, add, count)
}

export function directSlotsI16(slots: usize, data: usize, validity: usize, base: i64, stride: u32, add: u32, count: u32): void {
  slotsOf<i16>(slots, data, validity, base, stride, add, count)
}

export function directSlotsU16(slots: usize, data: usize, validity: usize, base: i64, stride: u32, add: u32, count: u32): void {
  slotsOf<u16>(slots, data, validity, base, stride, add, count)
}

export function directSlotsI64(slots: usize, data: usize, validity: usize, base: i64, stride: u32, add: u32, count: u32): void {
  slotsOf<i64>(slots, data, validity, base, stride, add, count)
}

/** 32-bit elements, four at a time: writes up to three slots past `count`. Differences are taken modulo 2^32. */
export function directSlots32(slots: usize, data: usize, validity: usize, base: i64, stride: u32, add: u32, count: u32): void {
  const bases = i32x4.splat(i32(base))
  const strides = i32x4.splat(i32(stride))
  const bitOf = i32x4(1, 2, 4, 8)
  const keep = add ? i32x4.splat(-1) : i32x4.splat(0)
  for (let i: u32 = 0; i < count; i += 4) {
    let part = i32x4.mul(i32x4.sub(v128.load(data), bases), strides)
    if (validity) {
      const bits = i32x4.splat(i32(load<u8>(validity + usize(i >> 3)) >> u8(i & 4)))
      part = v128.and(part, i32x4.ne(v128.and(bits, bitOf), i32x4.splat(0)))
    }
    v128.store(slots, i32x4.add(part, v128.and(v128.load(slots), keep)))
    data += 16
    slots += 16
  }
}

export function directSlotsBits(slots: usize, data: usize, validity: usize, base: i64, stride: u32, add: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    let part = (validBit(data, i) - u32(base)) * stride
    if (validity) part &= -validBit(validity, i)
    if (add) part += load<u32>(slots)
    store<u32>(slots, part)
    slots += 4
  }
}

/**
 * groups[i] = directory[slots[i]], opening a group, `groupCount` and up, for each slot met for the first time, in row order.
 * Writes the rows that opened a group to `opened` (room for `count`), and returns the new number of groups.
 */
export function directFind(directory: usize, slots: usize, count: u32, groups: usize, groupCount: u32, opened: usize): u32 {
  for (let from: u32 = 0; from < count; from += BLOCK) {
    const to = min(from + BLOCK, count)
    let missing: i32 = 0
    let i = from
    for (; i + 4 <= to; i += 4) {
      const slot = slots + (usize(i) << 2)
      const a = load<i32>(directory + (usize(load<u32>(slot)) << 2))
      const b = load<i32>(directory + (usize(load<u32>(slot, 4)) << 2))
      const c = load<i32>(directory + (usize(load<u32>(slot, 8)) << 2))
      const d = load<i32>(directory + (usize(load<u32>(slot, 12)) << 2))
      const group = groups + (usize(i) << 2)
      store<i32>(group, a)
      store<i32>(group, b, 4)
      store<i32>(group, c, 8)
      store<i32>(group, d, 12)
      missing |= a | b | c | d
    }
    for (; i < to; i++) {
      const group = load<i32>(directory + (usize(load<u32>(slots + (usize(i) << 2))) << 2))
      store<i32>(groups + (usize(i) << 2), group)
      missing |= group
    }
    if (missing < 0) {
      for (let i = from; i < to; i++) {
        if (load<i32>(groups + (usize(i) << 2)) < 0) {
          const entry = directory + (usize(load<u32>(slots + (usize(i) << 2))) << 2)
          if (load<i32>(entry) < 0) {
            store<u32>(entry, groupCount++)
            store<u32>(opened, i)
            opened += 4
          }
          store<u32>(groups + (usize(i) << 2), load<u32>(entry))
        }
      }
    }
  }
  return groupCount
}

/** directory[slots[g]] = g: fills a new directory with the groups there are. */
export function directFill(directory: usize, slots: usize, groupCount: u32): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    store<u32>(directory + (usize(load<u32>(slots + (usize(group) << 2))) << 2), group)
  }
}
