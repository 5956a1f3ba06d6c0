// Order statistics of signed integers, by quickselect without branches on data: a step copies its range from one buffer to the other, what is
// below the pivot from the left and the rest from the right, and goes on with the sides in which a wanted rank lies.
//
//   room    sample, 64 values of 8 bytes | stack, a frame for every rank
//   frame   | from | to | first rank | behind the last | source | target | low i64 | high i64 |     40 bytes; all values are in low .. high
//
// Pivots are taken from a sample, a little beyond the wanted rank, so that its side is mostly the small one: 1.9 visits a value. Once there
// have been more than the budget allows, they halve low .. high instead: at most one more step a bit.

// @ts-ignore: decorator
@inline
const SMALL: u32 = 24
// @ts-ignore: decorator
@inline
const SAMPLE: usize = 512
// @ts-ignore: decorator
@inline
const FRAME: usize = 40

/**
 * found[i] = the value that has ranks[i] values before it in ascending order; ranks (u32) ascend. Overwrites the values and the other buffer.
 * `room` is 512 bytes and 40 a rank; `budget` is how many visits a value are made before pivots come from halving.
 */
export function orderStatistics<I>(
  values: usize, other: usize, count: u32, ranks: usize, rankCount: u32, found: usize, room: usize, budget: u32,
): void {
  const stack = room + SAMPLE
  let top = stack
  let from: u32 = 0
  let to = count
  let first: u32 = 0
  let last = rankCount
  let source = values
  let target = other
  let low: I = sizeof<I>() == 8 ? <I>i64.MIN_VALUE : <I>i32.MIN_VALUE
  let high: I = sizeof<I>() == 8 ? <I>i64.MAX_VALUE : <I>i32.MAX_VALUE
  let visits = u64(budget) * u64(count)
  while (true) {
    const length = to - from
    if (length <= SMALL) {
      insertionSort<I>(source + usize(from) * sizeof<I>(), length)
      for (; first < last; first++) {
        store<I>(found + usize(first) * sizeof<I>(), load<I>(source + usize(rankAt(ranks, first)) * sizeof<I>()))
      }
    } else {
      const halving = visits < u64(length)
      let pivot: I
      if (halving) {
        pivot = middleOf<I>(low, high)
      } else {
        visits -= u64(length)
        pivot = sampled<I>(source + usize(from) * sizeof<I>(), length, rankAt(ranks, (first + last) >> 1) - from, room)
      }
      let split = from + part<I>(source, target, from, to, pivot, false)
      let next = first
      if (split == from && (!halving || low == high)) {
        // The pivot is the least value: a second step puts all that equal it behind us, so that equal values cannot slow this down.
        split = from + part<I>(source, target, from, to, pivot, true)
        while (first < last && rankAt(ranks, first) < split) store<I>(found + usize(first++) * sizeof<I>(), pivot)
        next = first
        if (pivot < high) pivot++
      } else {
        while (next < last && rankAt(ranks, next) < split) next++
      }
      const swap = source
      source = target
      target = swap
      if (first < next && next < last) {
        store<u32>(top, from)
        store<u32>(top, split, 4)
        store<u32>(top, first, 8)
        store<u32>(top, next, 12)
        store<u32>(top, u32(source), 16)
        store<u32>(top, u32(target), 20)
        store<i64>(top, i64(low), 24)
        store<i64>(top, i64(pivot - 1), 32)
        top += FRAME
        first = next
      }
      if (first < next) {
        to = split
        high = pivot - 1
      } else {
        from = split
        low = pivot
      }
      if (first < last) continue
    }
    if (top == stack) return
    top -= FRAME
    from = load<u32>(top)
    to = load<u32>(top, 4)
    first = load<u32>(top, 8)
    last = load<u32>(top, 12)
    source = usize(load<u32>(top, 16))
    target = usize(load<u32>(top, 20))
    low = <I>load<i64>(top, 24)
    high = <I>load<i64>(top, 32)
  }
}

// @ts-ignore: decorator
@inline
function rankAt(ranks: usize, i: u32): u32 {
  return load<u32>(ranks + (usize(i) << 2))
}

/** Above `low`, if `high` is, and at most `high`; their difference may be beyond what is signed. */
// @ts-ignore: decorator
@inline
function middleOf<I>(low: I, high: I): I {
  const half = sizeof<I>() == 8 ? <I>(u64(i64(high) - i64(low)) >> 1) : <I>(u32(i32(high) - i32(low)) >> 1)
  return low < high ? low + half + 1 : low
}

/** Copies values `from` to `to`, those below the pivot (or equal, with `equal`) first; returns how many these are. */
// @ts-ignore: decorator
@inline
function part<I>(source: usize, target: usize, from: u32, to: u32, pivot: I, equal: bool): u32 {
  const start = target + usize(from) * sizeof<I>()
  let below = start
  // Where the value goes if it is not below: as far behind `below` as there are values left.
  let left = usize(to - from) * sizeof<I>()
  for (let at = source + usize(from) * sizeof<I>(); left != 0; at += sizeof<I>()) {
    left -= sizeof<I>()
    const value = load<I>(at)
    store<I>(below, value)
    store<I>(below + left, value)
    below += usize(equal ? value <= pivot : value < pivot) * sizeof<I>()
  }
  return u32((below - start) / sizeof<I>())
}

/** A pivot for the value of rank `wanted` of these: that of a sample, moved on so far that the value is likely on the smaller side. */
// @ts-ignore: decorator
@inline
function sampled<I>(values: usize, count: u32, wanted: u32, sample: usize): I {
  const size: u32 = count < 256 ? 9 : count < 2048 ? 17 : count < 32768 ? 33 : 63
  const margin: u32 = size < 17 ? 1 : size < 33 ? 2 : 4
  const step = usize(count / size) * sizeof<I>()
  let from = values + (usize(count / size) >> 1) * sizeof<I>()
  for (let at = sample, end = sample + usize(size) * sizeof<I>(); at < end; at += sizeof<I>()) {
    store<I>(at, load<I>(from))
    from += step
  }
  insertionSort<I>(sample, size)
  const place = u32(u64(wanted) * u64(size) / u64(count))
  const moved = wanted < count >> 1 ? min(place + margin, size - 1) : max(place, margin) - margin
  return load<I>(sample + usize(moved) * sizeof<I>())
}

function insertionSort<I>(values: usize, count: u32): void {
  const end = values + usize(count) * sizeof<I>()
  for (let at = values + sizeof<I>(); at < end; at += sizeof<I>()) {
    const value = load<I>(at)
    let to = at
    while (to > values) {
      const before = load<I>(to - sizeof<I>())
      if (before <= value) break
      store<I>(to, before)
      to -= sizeof<I>()
    }
    store<I>(to, value)
  }
}
