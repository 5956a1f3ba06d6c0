// Adding to the accumulators of groups: everything that only ever adds an int64 a row (counts, sums of one or two limbs) lies in
// the slots of its group, so that a row costs one v128 load, add and store for every two of them. What is added is written by
// count.ts, sum-int.ts and sum-float.ts, a block of rows at a time.
//
//   state     | slot 0: lane 0, lane 1 | slot 1: lane 2, lane 3 | ...     16 bytes a slot; `stride` bytes a group
//   addends   slot 0 of every row of the block | slot 1 of every row | ...  16 bytes each; `pitch` bytes from slot to slot
//   replicas  copies of the state, `replica` bytes apart, for every fourth row each: where groups are few, a row need not wait
//             for the one before. 0 where there is but one.
//
// A lone lane is stored by itself, 8 bytes a group and 8 a row.

// @ts-ignore: decorator
@inline
function groupAt(groups: usize, row: u32): usize {
  return usize(load<u32>(groups + (usize(row) << 2)))
}

// @ts-ignore: decorator
@inline
function addLane(at: usize, addend: i64): void {
  store<i64>(at, load<i64>(at) + addend)
}

// @ts-ignore: decorator
@inline
function addSlot(at: usize, addend: v128): void {
  v128.store(at, i64x2.add(v128.load(at), addend))
}

export function slotsAddLane(state: usize, replica: usize, groups: usize, addends: usize, count: u32): void {
  const state1 = state + replica
  const state2 = state1 + replica
  const state3 = state2 + replica
  let row: u32 = 0
  for (; row + 4 <= count; row += 4) {
    addLane(state + (groupAt(groups, row) << 3), load<i64>(addends))
    addLane(state1 + (groupAt(groups, row + 1) << 3), load<i64>(addends, 8))
    addLane(state2 + (groupAt(groups, row + 2) << 3), load<i64>(addends, 16))
    addLane(state3 + (groupAt(groups, row + 3) << 3), load<i64>(addends, 24))
    addends += 32
  }
  for (; row < count; row++) {
    addLane(state + (groupAt(groups, row) << 3), load<i64>(addends))
    addends += 8
  }
}

/** Adds one to a lone lane: counting alone needs no addends. */
export function slotsAddOne(state: usize, replica: usize, groups: usize, count: u32): void {
  const state1 = state + replica
  const state2 = state1 + replica
  const state3 = state2 + replica
  let row: u32 = 0
  for (; row + 4 <= count; row += 4) {
    addLane(state + (groupAt(groups, row) << 3), 1)
    addLane(state1 + (groupAt(groups, row + 1) << 3), 1)
    addLane(state2 + (groupAt(groups, row + 2) << 3), 1)
    addLane(state3 + (groupAt(groups, row + 3) << 3), 1)
  }
  for (; row < count; row++) addLane(state + (groupAt(groups, row) << 3), 1)
}

export function slotsAdd1(state: usize, stride: usize, replica: usize, groups: usize, addends: usize, count: u32): void {
  const state1 = state + replica
  const state2 = state1 + replica
  const state3 = state2 + replica
  let row: u32 = 0
  for (; row + 4 <= count; row += 4) {
    addSlot(state + groupAt(groups, row) * stride, v128.load(addends))
    addSlot(state1 + groupAt(groups, row + 1) * stride, v128.load(addends, 16))
    addSlot(state2 + groupAt(groups, row + 2) * stride, v128.load(addends, 32))
    addSlot(state3 + groupAt(groups, row + 3) * stride, v128.load(addends, 48))
    addends += 64
  }
  for (; row < count; row++) {
    addSlot(state + groupAt(groups, row) * stride, v128.load(addends))
    addends += 16
  }
}

// @ts-ignore: decorator
@inline
function addTwo(at: usize, addends: usize, pitch: usize): void {
  const other = v128.load(addends + pitch)
  v128.store(at, i64x2.add(v128.load(at), v128.load(addends)))
  v128.store(at, i64x2.add(v128.load(at, 16), other), 16)
}

export function slotsAdd2(
  state: usize, stride: usize, replica: usize, groups: usize, addends: usize, pitch: usize, count: u32,
): void {
  const state1 = state + replica
  let row: u32 = 0
  for (; row + 2 <= count; row += 2) {
    addTwo(state + groupAt(groups, row) * stride, addends, pitch)
    addTwo(state1 + groupAt(groups, row + 1) * stride, addends + 16, pitch)
    addends += 32
  }
  if (row < count) addTwo(state + groupAt(groups, row) * stride, addends, pitch)
}

// @ts-ignore: decorator
@inline
function addThree(at: usize, addends: usize, pitch: usize): void {
  const second = v128.load(addends + pitch)
  const third = v128.load(addends + (pitch << 1))
  v128.store(at, i64x2.add(v128.load(at), v128.load(addends)))
  v128.store(at, i64x2.add(v128.load(at, 16), second), 16)
  v128.store(at, i64x2.add(v128.load(at, 32), third), 32)
}

export function slotsAdd3(
  state: usize, stride: usize, replica: usize, groups: usize, addends: usize, pitch: usize, count: u32,
): void {
  const state1 = state + replica
  let row: u32 = 0
  for (; row + 2 <= count; row += 2) {
    addThree(state + groupAt(groups, row) * stride, addends, pitch)
    addThree(state1 + groupAt(groups, row + 1) * stride, addends + 16, pitch)
    addends += 32
  }
  if (row < count) addThree(state + groupAt(groups, row) * stride, addends, pitch)
}

/** Adds a block's addends of one slot to one group's. */
export function slotsReduce(slot: usize, addends: usize, count: u32): void {
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
export function slotsReduceLane(lane: usize, addends: usize, count: u32): void {
  let sum = i64x2.splat(0)
  const end = addends + (usize(count & ~1) << 3)
  for (; addends < end; addends += 16) sum = i64x2.add(sum, v128.load(addends))
  let total = i64x2.extract_lane(sum, 0) + i64x2.extract_lane(sum, 1)
  if (count & 1) total += load<i64>(addends)
  addLane(lane, total)
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
