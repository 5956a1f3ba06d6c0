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

// @ts-ignore: decorator
@inline
function subSlot(at: usize, addend: v128): void {
  v128.store(at, i64x2.sub(v128.load(at), addend))
}

/** Adds values as they are stored, integers of type T, to a lane. */
// @ts-ignore: decorator
@inline
function addValues<T>(state: usize, stride: usize, replica: usize, groups: usize, data: usize, count: u32): void {
  const state1 = state + replica
  const state2 = state1 + replica
  const state3 = state2 + replica
  let row: u32 = 0
  for (; row + 4 <= count; row += 4) {
    // Two indices a load: half as many loads.
    const first = load<u64>(groups + (usize(row) << 2))
    const second = load<u64>(groups + (usize(row) << 2), 8)
    addLane(state + usize(u32(first)) * stride, i64(load<T>(data)))
    addLane(state1 + usize(u32(first >> 32)) * stride, i64(load<T>(data + sizeof<T>())))
    addLane(state2 + usize(u32(second)) * stride, i64(load<T>(data + 2 * sizeof<T>())))
    addLane(state3 + usize(u32(second >> 32)) * stride, i64(load<T>(data + 3 * sizeof<T>())))
    data += 4 * sizeof<T>()
  }
  for (; row < count; row++) {
    addLane(state + groupAt(groups, row) * stride, i64(load<T>(data)))
    data += sizeof<T>()
  }
}

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

/**
 * Adds doubles, or with `undo` takes them away again, as the two limbs that sum-float.ts draws. Returns whether each was below `cap` in
 * magnitude and a multiple of the unit; where not, nothing of it is any good and all of it must be undone: what was added is the same again,
 * because what is too large, or no number, counts as 0.
 */
export function slotsAddLimbs(
  state: usize, stride: usize, replica: usize, groups: usize, data: usize, count: u32,
  magic: f64, highMagic: f64, cap: f64, undo: bool,
): bool {
  const state1 = state + replica
  const magics = f64x2.splat(magic)
  const highMagics = f64x2.splat(highMagic)
  const caps = f64x2.splat(cap)
  let wrong = i64x2.splat(0)
  for (let row: u32 = 0; row < count; row += 2) {
    const x = row + 2 <= count ? v128.load(data) : v128.load64_zero(data)
    const fits = f64x2.lt(f64x2.abs(x), caps)
    const value = v128.and(x, fits)
    const high = f64x2.add(value, highMagics)
    const rest = f64x2.sub(value, f64x2.sub(high, highMagics))
    const low = f64x2.add(rest, magics)
    wrong = v128.or(wrong, v128.or(v128.not(fits), f64x2.ne(f64x2.sub(low, magics), rest)))
    const lowLimbs = i64x2.sub(low, magics)
    const highLimbs = i64x2.sub(high, highMagics)
    const first = v128.shuffle<i64>(lowLimbs, highLimbs, 0, 2)
    const slot = state + groupAt(groups, row) * stride
    if (undo) subSlot(slot, first)
    else addSlot(slot, first)
    if (row + 2 <= count) {
      const second = v128.shuffle<i64>(lowLimbs, highLimbs, 1, 3)
      const next = state1 + groupAt(groups, row + 1) * stride
      if (undo) subSlot(next, second)
      else addSlot(next, second)
    }
    data += 16
  }
  return !v128.any_true(wrong)
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

export function slotsAdd(state: usize, stride: usize, replica: usize, groups: usize, addends: usize, count: u32): void {
  const state1 = state + replica
  let row: u32 = 0
  for (; row + 2 <= count; row += 2) {
    addSlot(state + groupAt(groups, row) * stride, v128.load(addends))
    addSlot(state1 + groupAt(groups, row + 1) * stride, v128.load(addends, 16))
    addends += 32
  }
  if (row < count) addSlot(state + groupAt(groups, row) * stride, v128.load(addends))
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
