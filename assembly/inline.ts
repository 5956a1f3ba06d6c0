// Inlined helpers that several kernels share. The module exports none of them, so index.ts does not name this file.

import { textCompare } from './text'

// @ts-ignore: decorator
@inline
export function isValid(validity: usize, row: u32): bool {
  return validity == 0 || ((load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1) != 0
}

/** Bits row .. row + 64 of `validity` below `count`; all of them where it is 0. */
// @ts-ignore: decorator
@inline
export function wordAt(validity: usize, row: u32, count: u32): u64 {
  const word = validity ? load<u64>(validity + usize(row >> 3)) : u64.MAX_VALUE
  return count - row < 64 ? word & (u64.MAX_VALUE >> u64(64 - (count - row))) : word
}

/** Element `row` of a column of `bits` (1 to 64) bits an element, zeros above. Reads up to 8 bytes past it. */
// @ts-ignore: decorator
@inline
export function elementAt(data: usize, row: u32, bits: u32): u64 {
  const at = usize(row) * usize(bits)
  return (load<u64>(data + (at >> 3)) >> u64(at & 7)) & (u64.MAX_VALUE >> u64(64 - bits))
}

// @ts-ignore: decorator
@inline
export function mulOverflows(a: i64, b: i64): bool {
  // With x bits beside the sign in one factor and y in the other, x + y <= 62 cannot overflow: no division for those.
  if (clz(a ^ (a >> 63)) + clz(b ^ (b >> 63)) >= 66) return false
  const product = a * b
  return a != 0 && ((a == -1 && b == i64.MIN_VALUE) || product / a != b)
}

/**
 * -1 or 1 as entry a of a dictionary is before or behind entry b, which is another: by their ranks (u32) where both are below `ranked`,
 * else by their bytes.
 */
// @ts-ignore: decorator
@inline
export function textOrder(a: u32, b: u32, ranks: usize, ranked: u32, offsets: usize, bytes: usize): i32 {
  if (a < ranked && b < ranked) {
    return load<u32>(ranks + (usize(a) << 2)) < load<u32>(ranks + (usize(b) << 2)) ? -1 : 1
  }
  const atA = offsets + (usize(a) << 2)
  const atB = offsets + (usize(b) << 2)
  const startA = load<u32>(atA)
  const startB = load<u32>(atB)
  return textCompare(bytes + usize(startA), load<u32>(atA, 4) - startA, bytes + usize(startB), load<u32>(atB, 4) - startB)
}

/** Two doubles or floats of a column, as doubles. */
// @ts-ignore: decorator
@inline
export function pairAt<T>(data: usize, row: u32): v128 {
  if (sizeof<T>() == 8) return v128.load(data + (usize(row) << 3))
  return f64x2.promote_low_f32x4(v128.load64_zero(data + (usize(row) << 2)))
}

/** The last of an odd number of them. */
// @ts-ignore: decorator
@inline
export function lastAt<T>(data: usize, row: u32): v128 {
  if (sizeof<T>() == 8) return v128.load64_zero(data + (usize(row) << 3))
  return f64x2.promote_low_f32x4(v128.load32_zero(data + (usize(row) << 2)))
}

/** All bits of a row's lane where its validity bit is set; `row` is even. */
// @ts-ignore: decorator
@inline
export function maskAt(validity: usize, row: u32): v128 {
  const bits = i64x2.splat(i64(load<u8>(validity + usize(row >> 3)) >> u8(row & 7)))
  return i64x2.ne(v128.and(bits, i64x2(1, 2)), i64x2.splat(0))
}

/** So many rows' addends, at most 16 bytes each, stay at hand between their being written and added; room for them is 16 bytes more. */
// @ts-ignore: decorator
@inline
export const ADDENDS: u32 = 128

// @ts-ignore: decorator
@inline
export function groupAt(groups: usize, row: u32): usize {
  return usize(load<u32>(groups + (usize(row) << 2)))
}

// @ts-ignore: decorator
@inline
export function addLane(at: usize, addend: i64): void {
  store<i64>(at, load<i64>(at) + addend)
}

// @ts-ignore: decorator
@inline
export function addSlot(at: usize, addend: v128): void {
  v128.store(at, i64x2.add(v128.load(at), addend))
}

/** Adds int64 to a lane of each row's group, `stride` bytes from group to group: replicas are as aggregate/slots.ts has them. */
// @ts-ignore: decorator
@inline
export function addLanes(state: usize, stride: usize, replica: usize, groups: usize, addends: usize, count: u32): void {
  if (stride == 8) lanesOf(state, 8, replica, groups, addends, count)
  else lanesOf(state, stride, replica, groups, addends, count)
}

// @ts-ignore: decorator
@inline
function lanesOf(state: usize, stride: usize, replica: usize, groups: usize, addends: usize, count: u32): void {
  const state1 = state + replica
  const state2 = state1 + replica
  const state3 = state2 + replica
  let row: u32 = 0
  for (; row + 4 <= count; row += 4) {
    // Two indices a load: half as many loads.
    const first = load<u64>(groups + (usize(row) << 2))
    const second = load<u64>(groups + (usize(row) << 2), 8)
    addLane(state + usize(u32(first)) * stride, load<i64>(addends))
    addLane(state1 + usize(u32(first >> 32)) * stride, load<i64>(addends, 8))
    addLane(state2 + usize(u32(second)) * stride, load<i64>(addends, 16))
    addLane(state3 + usize(u32(second >> 32)) * stride, load<i64>(addends, 24))
    addends += 32
  }
  for (; row < count; row++) {
    addLane(state + groupAt(groups, row) * stride, load<i64>(addends))
    addends += 8
  }
}

/** Adds a block's addends of whole slots to the groups'. */
// @ts-ignore: decorator
@inline
export function addSlots(state: usize, replica: usize, groups: usize, addends: usize, count: u32): void {
  const state1 = state + replica
  let row: u32 = 0
  for (; row + 2 <= count; row += 2) {
    addSlot(state + (groupAt(groups, row) << 4), v128.load(addends))
    addSlot(state1 + (groupAt(groups, row + 1) << 4), v128.load(addends, 16))
    addends += 32
  }
  if (row < count) addSlot(state + (groupAt(groups, row) << 4), v128.load(addends))
}

/** Adds a block's addends of one slot to one group's. */
// @ts-ignore: decorator
@inline
export function reduceSlots(slot: usize, addends: usize, count: u32): void {
  let sum = v128.load(slot)
  let other = i64x2.splat(0)
  const end = addends + (usize(count & ~1) << 4)
  for (; addends < end; addends += 32) {
    sum = i64x2.add(sum, v128.load(addends))
    other = i64x2.add(other, v128.load(addends, 16))
  }
  if (count & 1) sum = i64x2.add(sum, v128.load(addends))
  v128.store(slot, i64x2.add(sum, other))
}

/** Adds a block's addends of a lone lane to one group's. */
// @ts-ignore: decorator
@inline
export function reduceLane(lane: usize, addends: usize, count: u32): void {
  let sum = i64x2.splat(0)
  const end = addends + (usize(count & ~1) << 3)
  for (; addends < end; addends += 16) sum = i64x2.add(sum, v128.load(addends))
  let total = i64x2.extract_lane(sum, 0) + i64x2.extract_lane(sum, 1)
  if (count & 1) total += load<i64>(addends)
  addLane(lane, total)
}
