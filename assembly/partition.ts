// Rows of a group and a value, parted by the low byte of the group: whoever reads a partition meets few groups, and their values in cache.
// Rows are sorted by partition in blocks of some 100 KiB; a partition is a stretch of every block, and blocks are a list.
//
//   block   | next block | rows | high bytes | 0 | ends u32[256] | values, 4 or 8 bytes each | highs: group >> 8, in 0 (it is 0), 2 or 4 bytes |
//
// The stretch of partition p is from the word before its end to its end.

// @ts-ignore: decorator
@inline
const ENDS: usize = 16
// @ts-ignore: decorator
@inline
const VALUES: usize = 1040

// @ts-ignore: decorator
@inline
function sort<V>(groups: usize, values: usize, count: u32, highBytes: u32, block: usize, next: usize): void {
  const ends = block + ENDS
  const out = block + VALUES
  const highs = out + usize(count) * sizeof<V>()
  // All of it is touched in order before rows are put all over it: lines that are in no cache would cost three times as much then.
  memory.fill(block, 0, highs + usize(count) * usize(highBytes) - block)
  store<u32>(block, u32(next))
  store<u32>(block, count, 4)
  store<u32>(block, highBytes, 8)
  if (groups == 0) {
    for (let at = ends; at < out; at += 4) store<u32>(at, count)
    memory.copy(out, values, usize(count) * sizeof<V>())
    return
  }
  const end = groups + (usize(count) << 2)
  for (let at = groups; at < end; at += 4) {
    const slot = ends + (usize(load<u8>(at)) << 2)
    store<u32>(slot, load<u32>(slot) + 1)
  }
  partitionStarts(ends, 0, 256, ends)
  for (let at = groups; at < end; at += 4) {
    const group = load<u32>(at)
    const slot = ends + (usize(group & 255) << 2)
    const to = usize(load<u32>(slot))
    store<u32>(slot, u32(to) + 1)
    store<V>(out + to * sizeof<V>(), load<V>(values))
    if (highBytes == 2) store<u16>(highs + (to << 1), u16(group >> 8))
    else if (highBytes == 4) store<u32>(highs + (to << 2), group >> 8)
    values += sizeof<V>()
  }
}

/** Makes a block of rows: value i is of group groups[i], or with `groups` 0 of group 0. */
export function partitionSort32(groups: usize, values: usize, count: u32, highBytes: u32, block: usize, next: usize): void {
  sort<u32>(groups, values, count, highBytes, block, next)
}

export function partitionSort64(groups: usize, values: usize, count: u32, highBytes: u32, block: usize, next: usize): void {
  sort<u64>(groups, values, count, highBytes, block, next)
}

/** The rows of the largest partition. */
export function partitionMost(first: usize): u32 {
  let most: u32 = 0
  for (let at: usize = ENDS; at < VALUES; at += 4) {
    let total: u32 = 0
    for (let block = first; block; block = usize(load<u32>(block))) total += load<u32>(block + at) - load<u32>(block + at - 4)
    most = max(most, total)
  }
  return most
}

// @ts-ignore: decorator
@inline
function countHighs<H>(highs: usize, from: u32, to: u32, counts: usize, byteShift: usize): void {
  const end = highs + usize(to) * sizeof<H>()
  for (let at = highs + usize(from) * sizeof<H>(); at < end; at += sizeof<H>()) {
    const slot = counts + (usize(load<H>(at)) << byteShift)
    store<u32>(slot, load<u32>(slot) + 1)
  }
}

/** counts[(high << shift) + base] += 1 for each row of a partition. Returns how many there are. */
export function partitionCount(block: usize, part: u32, counts: usize, shift: u32, base: u32, valueBytes: u32): u32 {
  let total: u32 = 0
  counts += usize(base) << 2
  const byteShift = usize(shift) + 2
  for (; block; block = usize(load<u32>(block))) {
    const at = block + ENDS + (usize(part) << 2)
    const from = load<u32>(at - 4)
    const to = load<u32>(at)
    const highs = block + VALUES + usize(load<u32>(block, 4)) * usize(valueBytes)
    const highBytes = load<u32>(block, 8)
    total += to - from
    if (highBytes == 2) countHighs<u16>(highs, from, to, counts, byteShift)
    else if (highBytes == 4) countHighs<u32>(highs, from, to, counts, byteShift)
    else store<u32>(counts, load<u32>(counts) + to - from)
  }
  return total
}

// @ts-ignore: decorator
@inline
function highAt(highs: usize, highBytes: u32, i: u32): usize {
  return highBytes == 2 ? usize(load<u16>(highs + (usize(i) << 1))) : usize(load<u32>(highs + (usize(i) << 2)))
}

/** out[i] = map[group of row i] for the rows of one block, in its order: `highs` need not lie behind its values. */
export function partitionRegroup(block: usize, highs: usize, map: usize, out: usize): void {
  const highBytes = load<u32>(block, 8)
  let i: u32 = 0
  for (let part: u32 = 0; part < 256; part++) {
    const end = load<u32>(block + ENDS + (usize(part) << 2))
    for (; i < end; i++) {
      const group = (highBytes ? highAt(highs, highBytes, i) << 8 : 0) | part
      store<u32>(out + (usize(i) << 2), load<u32>(map + (group << 2)))
    }
  }
}

/** starts[groups[i]] (starts[i] with `groups` 0) = the sum of the lengths before i; returns the sum of all. `starts` may be `lengths` where `groups` is 0. */
export function partitionStarts(lengths: usize, groups: usize, count: u32, starts: usize): u32 {
  let start: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const length = load<u32>(lengths + (usize(i) << 2))
    store<u32>(starts + (usize(groups ? load<u32>(groups + (usize(i) << 2)) : i) << 2), start)
    start += length
  }
  return start
}

// @ts-ignore: decorator
@inline
function gatherHighs<V, H>(value: usize, end: usize, high: usize, starts: usize, byteShift: usize, out: usize): void {
  for (; value < end; value += sizeof<V>()) {
    const slot = starts + (usize(load<H>(high)) << byteShift)
    const start = load<u32>(slot)
    if (start != u32.MAX_VALUE) {
      store<V>(out + usize(start) * sizeof<V>(), load<V>(value))
      store<u32>(slot, start + 1)
    }
    high += sizeof<H>()
  }
}

// @ts-ignore: decorator
@inline
function gather<V>(block: usize, part: u32, starts: usize, shift: u32, base: u32, out: usize): void {
  starts += usize(base) << 2
  const byteShift = usize(shift) + 2
  for (; block; block = usize(load<u32>(block))) {
    const at = block + ENDS + (usize(part) << 2)
    const from = load<u32>(at - 4)
    const to = load<u32>(at)
    const highBytes = load<u32>(block, 8)
    const highs = block + VALUES + usize(load<u32>(block, 4)) * sizeof<V>()
    const value = block + VALUES + usize(from) * sizeof<V>()
    const end = block + VALUES + usize(to) * sizeof<V>()
    if (highBytes == 2) gatherHighs<V, u16>(value, end, highs + (usize(from) << 1), starts, byteShift, out)
    else if (highBytes == 4) gatherHighs<V, u32>(value, end, highs + (usize(from) << 2), starts, byteShift, out)
    else {
      const start = load<u32>(starts)
      if (start == u32.MAX_VALUE) continue
      memory.copy(out + usize(start) * sizeof<V>(), value, end - value)
      store<u32>(starts, start + to - from)
    }
  }
}

/** Copies a partition's values to where starts[(high << shift) + base] says, and moves that on; 0xffffffff is passed over. */
export function partitionGather32(block: usize, part: u32, starts: usize, shift: u32, base: u32, out: usize): void {
  gather<u32>(block, part, starts, shift, base, out)
}

export function partitionGather64(block: usize, part: u32, starts: usize, shift: u32, base: u32, out: usize): void {
  gather<u64>(block, part, starts, shift, base, out)
}

/** Copies a partition's rows as they are: groups >> 8 (u32) and values. Returns how many. */
export function partitionRows(block: usize, part: u32, valueBytes: u32, groups: usize, values: usize): u32 {
  let total: u32 = 0
  for (; block; block = usize(load<u32>(block))) {
    const at = block + ENDS + (usize(part) << 2)
    const from = load<u32>(at - 4)
    const count = load<u32>(at) - from
    const highBytes = load<u32>(block, 8)
    const first = block + VALUES
    const highs = first + usize(load<u32>(block, 4)) * usize(valueBytes)
    memory.copy(values, first + usize(from) * usize(valueBytes), usize(count) * usize(valueBytes))
    for (let i = from; i < from + count; i++) {
      store<u32>(groups, highBytes ? u32(highAt(highs, highBytes, i)) : 0)
      groups += 4
    }
    values += usize(count) * usize(valueBytes)
    total += count
  }
  return total
}
