// Group index by direct indexing, for keys whose values fit a small domain: the key itself says its slot, and the slot is the group's
// index. hash.ts serves the rest.
//
//   slot of a row = sum over keys of (value - base) * stride         flags  i8[slots]: 0 where a group is, -1 where none is yet
//   nullable key:  0 is null, values begin at 1 (the binding lowers base by one)
//   order          u32[groups]: the slots of all groups, in order of first appearance

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
 * Notes the slots that `rows` meets for the first time: appends them to `order`, in row order, and clears their flags. `flags` has a byte a
 * slot, 0xff where nothing has come yet. `order` has room for every slot. Returns the new number of groups.
 */
export function directOpen(flags: usize, slots: usize, count: u32, order: usize, groupCount: u32): u32 {
  for (let from: u32 = 0; from < count; from += BLOCK) {
    const to = min(from + BLOCK, count)
    let missing: i32 = 0
    let i = from
    for (; i + 4 <= to; i += 4) {
      const first = load<u64>(slots + (usize(i) << 2))
      const second = load<u64>(slots + (usize(i) << 2), 8)
      missing |=
        load<i8>(flags + usize(u32(first))) | load<i8>(flags + usize(u32(first >> 32))) |
        load<i8>(flags + usize(u32(second))) | load<i8>(flags + usize(u32(second >> 32)))
    }
    for (; i < to; i++) missing |= load<i8>(flags + usize(load<u32>(slots + (usize(i) << 2))))
    if (missing >= 0) continue
    for (let i = from; i < to; i++) {
      const slot = load<u32>(slots + (usize(i) << 2))
      if (load<i8>(flags + usize(slot)) < 0) {
        store<u8>(flags + usize(slot), 0)
        store<u32>(order + (usize(groupCount++) << 2), slot)
      }
    }
  }
  return groupCount
}

/** flags[slots[g]] = 0: the groups that there are, in a new layout. */
export function directMark(flags: usize, slots: usize, groupCount: u32): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    store<u8>(flags + usize(load<u32>(slots + (usize(group) << 2))), 0)
  }
}

/**
 * One key of each slot: two words a slot, its value and whether it is null. `size` counts the key's values, null included; null is value 0
 * where `base` is lower by one for it.
 */
export function directWords(slots: usize, count: u32, stride: u32, size: u32, base: i64, nullable: bool, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    let part = load<u32>(slots + (usize(i) << 2))
    // Of one key there is nothing to divide by.
    if (stride != 1) part /= stride
    if (part >= size) part %= size
    const isNull = nullable && part == 0
    store<i64>(out, isNull ? 0 : base + i64(part))
    store<i64>(out, i64(isNull), 8)
    out += 16
  }
}
