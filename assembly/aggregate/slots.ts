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
// A lone lane is stored by itself, 8 bytes a group and 8 a row; a lane whose neighbour is added otherwise has the slot's stride.

import { addLane, addSlot, addSlots, addValues, groupAt, reduceLane, reduceSlots } from '../inline'

/** int64 values, or addends of 8 bytes a row. */
export function slotsAddLane(state: usize, stride: usize, replica: usize, groups: usize, addends: usize, count: u32): void {
  if (stride == 8) addValues<i64>(state, 8, replica, groups, addends, count)
  else addValues<i64>(state, stride, replica, groups, addends, count)
}

export function slotsAddI32(state: usize, stride: usize, replica: usize, groups: usize, data: usize, count: u32): void {
  if (stride == 8) addValues<i32>(state, 8, replica, groups, data, count)
  else addValues<i32>(state, stride, replica, groups, data, count)
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
  state: usize, stride: usize, replica: usize, groups: usize, data: usize, other: usize, count: u32,
): void {
  const state1 = state + replica
  const ones = i32x4.splat(1)
  let row: u32 = 0
  for (; row + 2 <= count; row += 2) {
    const at = usize(row) << 2
    const second = other ? v128.load64_zero(other + at) : ones
    const pairs = v128.shuffle<i32>(v128.load64_zero(data + at), second, 0, 4, 1, 5)
    addSlot(state + groupAt(groups, row) * stride, i64x2.extend_low_i32x4_s(pairs))
    addSlot(state1 + groupAt(groups, row + 1) * stride, i64x2.extend_high_i32x4_s(pairs))
  }
  if (row < count) {
    const at = usize(row) << 2
    const slot = state + groupAt(groups, row) * stride
    addLane(slot, i64(load<i32>(data + at)))
    addLane(slot + 8, other ? i64(load<i32>(other + at)) : 1)
  }
}

// @ts-ignore: decorator
@inline
function pack(data: usize, other: usize): i64 {
  return i64(load<i32>(data)) + (other ? i64(load<i32>(other)) << 32 : i64(1) << 32)
}

/** Adds two int32 columns to packed sums, 8 bytes a group; with `other` 0 one column and 1 a row. */
export function slotsAddPacked(state: usize, replica: usize, groups: usize, data: usize, other: usize, count: u32): void {
  const state1 = state + replica
  const state2 = state1 + replica
  const state3 = state2 + replica
  let row: u32 = 0
  for (; row + 4 <= count; row += 4) {
    const at = usize(row) << 2
    const first = load<u64>(groups + at)
    const second = load<u64>(groups + at, 8)
    const x = data + at
    const y = other + at
    addLane(state + (usize(u32(first)) << 3), pack(x, other ? y : 0))
    addLane(state1 + (usize(u32(first >> 32)) << 3), pack(x + 4, other ? y + 4 : 0))
    addLane(state2 + (usize(u32(second)) << 3), pack(x + 8, other ? y + 8 : 0))
    addLane(state3 + (usize(u32(second >> 32)) << 3), pack(x + 12, other ? y + 12 : 0))
  }
  for (; row < count; row++) {
    const at = usize(row) << 2
    addLane(state + (groupAt(groups, row) << 3), pack(data + at, other ? other + at : 0))
  }
}

/**
 * Adds two int32 columns and 1 a row to sums that lie side by side in 8 bytes a group: x, y from bit `middle` on, and the rows from bit `high`
 * on, each of which is certain to stay within its bits.
 */
export function slotsAddThree(
  state: usize, replica: usize, groups: usize, x: usize, y: usize, count: u32, middle: u32, high: u32,
): void {
  const state1 = state + replica
  const state2 = state1 + replica
  const state3 = state2 + replica
  const one = i64(1) << high
  let row: u32 = 0
  for (; row + 4 <= count; row += 4) {
    const first = load<u64>(groups)
    const second = load<u64>(groups, 8)
    addLane(state + (usize(u32(first)) << 3), i64(load<i32>(x)) + (i64(load<i32>(y)) << middle) + one)
    addLane(state1 + (usize(u32(first >> 32)) << 3), i64(load<i32>(x, 4)) + (i64(load<i32>(y, 4)) << middle) + one)
    addLane(state2 + (usize(u32(second)) << 3), i64(load<i32>(x, 8)) + (i64(load<i32>(y, 8)) << middle) + one)
    addLane(state3 + (usize(u32(second >> 32)) << 3), i64(load<i32>(x, 12)) + (i64(load<i32>(y, 12)) << middle) + one)
    groups += 16
    x += 16
    y += 16
  }
  for (; row < count; row++) {
    addLane(state + (usize(load<u32>(groups)) << 3), i64(load<i32>(x)) + (i64(load<i32>(y)) << middle) + one)
    groups += 4
    x += 4
    y += 4
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
