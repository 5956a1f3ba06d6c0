// Adding to the accumulators of groups: everything that only ever adds an int64 a row (counts, sums of one or two limbs) lies in
// slots, so that a row costs one v128 load, add and store for every two of them. The commonest columns are added as they
// are; for all others count.ts, sum-int.ts and sum-float.ts write addends first, a block of rows at a time.
//
//   state     slot of group 0 | slot of group 1 | ...     two lanes of 8 bytes each, an array for every slot; `stride` bytes a group
//   addends   slot of every row of the block              16 bytes each
//   replicas  copies of the state, `replica` bytes apart, for every fourth row each (every second where a row's addend is a whole slot): where
//             groups are few, a row need not wait for the one before. 0 where there is but one.
//
//   packed    two sums that are certain to stay below 2^31 in magnitude, as one int64: low + high * 2^32
//
// Addends are written to `room` before they are added, a block at a time, even where they are but an int32 made wider: a row would else wait for what the
// one before it that is of the same group still has to compute.
//
// A lone lane is stored by itself, 8 bytes a group and 8 a row; a lane whose neighbour is added otherwise has the slot's stride.

import { ADDENDS, addLane, addLanes, addSlots, groupAt, reduceLane, reduceSlots } from '../inline'

/** int64 values, or addends of 8 bytes a row. */
export function slotsAddLane(state: usize, stride: usize, replica: usize, groups: usize, addends: usize, count: u32): void {
  addLanes(state, stride, replica, groups, addends, count)
}

export function slotsAddI32(state: usize, stride: usize, replica: usize, groups: usize, data: usize, count: u32, room: usize): void {
  for (let left = count; left; ) {
    const rows = min(ADDENDS, left)
    for (let out = room, end = room + (usize(rows) << 3); out < end; out += 32) {
      const quad = v128.load(data)
      v128.store(out, i64x2.extend_low_i32x4_s(quad))
      v128.store(out, i64x2.extend_high_i32x4_s(quad), 16)
      data += 16
    }
    addLanes(state, stride, replica, groups, room, rows)
    groups += usize(rows) << 2
    left -= rows
  }
}

/** Adds one a row to a lane. */
export function slotsAddOne(state: usize, stride: usize, replica: usize, groups: usize, count: u32): void {
  const state1 = state + replica
  const state2 = state1 + replica
  const state3 = state2 + replica
  let row: u32 = 0
  for (; row + 4 <= count; row += 4) {
    addLane(state + groupAt(groups, row) * stride, 1)
    addLane(state1 + groupAt(groups, row + 1) * stride, 1)
    addLane(state2 + groupAt(groups, row + 2) * stride, 1)
    addLane(state3 + groupAt(groups, row + 3) * stride, 1)
  }
  for (; row < count; row++) addLane(state + groupAt(groups, row) * stride, 1)
}

/** Adds two int32 columns to the two lanes of a slot; with `other` 0 one column and 1 a row. */
export function slotsAddTwoI32(
  state: usize, replica: usize, groups: usize, data: usize, other: usize, count: u32, room: usize,
): void {
  const step: usize = other ? 8 : 0
  for (let left = count; left; ) {
    const rows = min(ADDENDS, left)
    for (let out = room, end = room + (usize(rows) << 4); out < end; out += 32) {
      const second = other ? v128.load64_zero(other) : i32x4.splat(1)
      const pairs = v128.shuffle<i32>(v128.load64_zero(data), second, 0, 4, 1, 5)
      v128.store(out, i64x2.extend_low_i32x4_s(pairs))
      v128.store(out, i64x2.extend_high_i32x4_s(pairs), 16)
      data += 8
      other += step
    }
    addSlots(state, replica, groups, room, rows)
    groups += usize(rows) << 2
    left -= rows
  }
}

/** Writes x + y * 2^shift + more of four rows, as int64. */
// @ts-ignore: decorator
@inline
function storeFour(out: usize, x: v128, y: v128, shift: u32, more: v128): void {
  const low = i64x2.add(i64x2.extend_low_i32x4_s(x), i64x2.shl(i64x2.extend_low_i32x4_s(y), shift))
  const high = i64x2.add(i64x2.extend_high_i32x4_s(x), i64x2.shl(i64x2.extend_high_i32x4_s(y), shift))
  v128.store(out, i64x2.add(low, more))
  v128.store(out, i64x2.add(high, more), 16)
}

/** Adds two int32 columns to packed sums, 8 bytes a group; with `other` 0 one column and 1 a row. */
export function slotsAddPacked(
  state: usize, replica: usize, groups: usize, data: usize, other: usize, count: u32, room: usize,
): void {
  const step: usize = other ? 16 : 0
  for (let left = count; left; ) {
    const rows = min(ADDENDS, left)
    for (let out = room, end = room + (usize(rows) << 3); out < end; out += 32) {
      storeFour(out, v128.load(data), other ? v128.load(other) : i32x4.splat(1), 32, i64x2.splat(0))
      data += 16
      other += step
    }
    addLanes(state, 8, replica, groups, room, rows)
    groups += usize(rows) << 2
    left -= rows
  }
}

/**
 * Adds two int32 columns and 1 a row to sums that lie side by side in 8 bytes a group: x, y from bit `middle` on, and the rows from bit `high`
 * on, each of which is certain to stay within its bits.
 */
export function slotsAddThree(
  state: usize, replica: usize, groups: usize, x: usize, y: usize, count: u32, middle: u32, high: u32, room: usize,
): void {
  const one = i64x2.splat(i64(1) << high)
  for (let left = count; left; ) {
    const rows = min(ADDENDS, left)
    for (let out = room, end = room + (usize(rows) << 3); out < end; out += 32) {
      storeFour(out, v128.load(x), v128.load(y), middle, one)
      x += 16
      y += 16
    }
    addLanes(state, 8, replica, groups, room, rows)
    groups += usize(rows) << 2
    left -= rows
  }
}

/** Adds what `slotsAddThree` made, of `low` bits, `middle` bits and the rest, to a slot (or packed sums) and a lane of every group. */
export function slotsTakeThree(
  sums: usize, count: u32, low: u32, middle: u32, pair: usize, packed: bool, lane: usize, stride: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const all = load<i64>(sums)
    const x = (all << (64 - low)) >> (64 - low)
    const rest = (all - x) >> low
    const y = (rest << (64 - middle)) >> (64 - middle)
    if (packed) {
      addLane(pair, x + (y << 32))
      pair += 8
    } else {
      addLane(pair, x)
      addLane(pair + 8, y)
      pair += 16
    }
    addLane(lane, (rest - y) >> middle)
    sums += 8
    lane += stride
  }
}

/** Slots of two lanes as packed sums. */
export function slotsPack(slots: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<i64>(out, load<i64>(slots) + (load<i64>(slots, 8) << 32))
    slots += 16
    out += 8
  }
}

/** Packed sums as slots of two lanes. */
export function slotsUnpack(packed: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const both = load<i64>(packed)
    const low = i64(i32(both))
    store<i64>(out, low)
    store<i64>(out, (both - low) >> 32, 8)
    packed += 8
    out += 16
  }
}

/** Adds a block's addends of whole slots to the groups'. */
export function slotsAdd(state: usize, replica: usize, groups: usize, addends: usize, count: u32): void {
  addSlots(state, replica, groups, addends, count)
}

/** Adds a block's addends of one slot to one group's. */
export function slotsReduce(slot: usize, addends: usize, count: u32): void {
  reduceSlots(slot, addends, count)
}

/** Adds a block's addends of a lone lane to one group's. */
export function slotsReduceLane(lane: usize, addends: usize, count: u32): void {
  reduceLane(lane, addends, count)
}

/** to[i] += from[i] for `count` int64, an even number: folds a replica into the state. */
export function slotsFold(to: usize, from: usize, count: u32): void {
  for (const end = to + (usize(count) << 3); to < end; to += 16) {
    v128.store(to, i64x2.add(v128.load(to), v128.load(from)))
    from += 16
  }
}

/** Copies a lane, stride by stride. */
export function slotsCopy(to: usize, toStride: usize, from: usize, fromStride: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    store<i64>(to, load<i64>(from))
    to += toStride
    from += fromStride
  }
}
