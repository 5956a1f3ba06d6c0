// All values of every group in the order of their rows, as lists or as strings joined to one. Rows are kept as they come and put side by side by
// by-group.ts; here are their places, which bring rows of several lanes in order.
//
//   places    u32[], what to add to the base of the part; or, where that does not do, u64[]: positions themselves

/** out[i] = start + rows[i], or with `rows` 0 start + i. */
export function listPlaces(rows: usize, count: u32, start: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + (usize(i) << 2), start + (rows ? load<u32>(rows + (usize(i) << 2)) : i))
  }
}

/** out[i] = base + places[i] */
export function listWiden(places: usize, count: u32, base: f64, out: usize): void {
  const first = u64(base)
  for (let i: u32 = 0; i < count; i++) store<u64>(out + (usize(i) << 3), first + u64(load<u32>(places + (usize(i) << 2))))
}

/** Writes what to add to the least of `count` positions, its return value, to get each; or, where that is beyond u32, gives -1. */
export function listNarrow(positions: usize, count: u32, out: usize): f64 {
  let least = u64.MAX_VALUE
  let greatest: u64 = 0
  for (let at = positions, end = positions + (usize(count) << 3); at < end; at += 8) {
    least = min(least, load<u64>(at))
    greatest = max(greatest, load<u64>(at))
  }
  if (count == 0) return 0
  if (greatest - least > u64(u32.MAX_VALUE)) return -1
  for (let i: u32 = 0; i < count; i++) store<u32>(out + (usize(i) << 2), u32(load<u64>(positions + (usize(i) << 3)) - least))
  return f64(least)
}

/** So few values of a group are sorted by insertion. */
// @ts-ignore: decorator
@inline
const SHORT: u32 = 48

/**
 * Sorts the positions of each group, which lie side by side as `offsets` say, and moves `indices` along. Room to work is as much of both again. Those of
 * one lane ascend already, so there are as many runs as lanes, and these are merged.
 */
export function listSort(
  positions: usize, indices: usize, otherPositions: usize, otherIndices: usize, offsets: usize, count: u32,
): void {
  for (let group: u32 = 0; group < count; group++) {
    const from = usize(load<u32>(offsets + (usize(group) << 2)))
    const length = u32(usize(load<u32>(offsets + (usize(group) << 2), 4)) - from)
    const keys = positions + (from << 3)
    const values = indices + (from << 2)
    if (length <= SHORT) insertionSort(keys, values, length)
    else mergeSort(keys, values, otherPositions, otherIndices, length)
  }
}

/** Merges ascending runs, two and two, until there is one. */
function mergeSort(keys: usize, values: usize, otherKeys: usize, otherValues: usize, count: u32): void {
  let source = keys
  let sourceValues = values
  let target = otherKeys
  let targetValues = otherValues
  while (runEnd(source, 0, count) < count) {
    for (let from: u32 = 0; from < count; ) {
      const middle = runEnd(source, from, count)
      const end = middle < count ? runEnd(source, middle, count) : count
      let left = from
      let right = middle
      for (let to = from; to < end; to++) {
        let at = left
        if (left == middle || (right < end && load<u64>(source + (usize(right) << 3)) < load<u64>(source + (usize(left) << 3)))) at = right++
        else left++
        store<u64>(target + (usize(to) << 3), load<u64>(source + (usize(at) << 3)))
        store<u32>(targetValues + (usize(to) << 2), load<u32>(sourceValues + (usize(at) << 2)))
      }
      from = end
    }
    const swap = source
    source = target
    target = swap
    const swapValues = sourceValues
    sourceValues = targetValues
    targetValues = swapValues
  }
  if (source == keys) return
  memory.copy(values, otherValues, usize(count) << 2)
  memory.copy(keys, otherKeys, usize(count) << 3)
}

/** Behind the last of the keys that ascend from `from` on. */
function runEnd(keys: usize, from: u32, count: u32): u32 {
  let at = from + 1
  while (at < count && load<u64>(keys + (usize(at - 1) << 3)) <= load<u64>(keys + (usize(at) << 3))) at++
  return at
}

function insertionSort(keys: usize, values: usize, count: u32): void {
  for (let i: u32 = 1; i < count; i++) {
    const key = load<u64>(keys + (usize(i) << 3))
    const value = load<u32>(values + (usize(i) << 2))
    let j = i
    for (; j > 0 && load<u64>(keys + (usize(j - 1) << 3)) > key; j--) {
      store<u64>(keys + (usize(j) << 3), load<u64>(keys + (usize(j - 1) << 3)))
      store<u32>(values + (usize(j) << 2), load<u32>(values + (usize(j - 1) << 2)))
    }
    store<u64>(keys + (usize(j) << 3), key)
    store<u32>(values + (usize(j) << 2), value)
  }
}

/**
 * Numbers codes in the order in which they come: local[i] is the number of codes[i], distinct[n] the code of number n. `numbers` is u32 per entry of the
 * dictionary, all ones. Returns how many distinct ones there are.
 */
export function listDistinct(codes: usize, count: u32, numbers: usize, local: usize, distinct: usize): u32 {
  let next: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const code = load<u32>(codes + (usize(i) << 2))
    const at = numbers + (usize(code) << 2)
    let number = load<u32>(at)
    if (number == u32.MAX_VALUE) {
      number = next++
      store<u32>(at, number)
      store<u32>(distinct + (usize(number) << 2), code)
    }
    store<u32>(local + (usize(i) << 2), number)
  }
  return next
}

/** out[g] = where the joined string of group g begins, out[count] where the last ends: the return value, of which out has the low 32 bits. */
export function listJoinOffsets(
  codes: usize, lists: usize, count: u32, offsets: usize, separatorLength: u32, out: usize,
): f64 {
  let end: u64 = 0
  for (let group: u32 = 0; group < count; group++) {
    store<u32>(out + (usize(group) << 2), u32(end))
    const from = load<u32>(lists + (usize(group) << 2))
    const to = load<u32>(lists + (usize(group) << 2), 4)
    for (let i = from; i < to; i++) {
      const entry = offsets + (usize(load<u32>(codes + (usize(i) << 2))) << 2)
      end += u64(load<u32>(entry, 4) - load<u32>(entry))
    }
    if (to > from) end += u64(separatorLength) * u64(to - from - 1)
  }
  store<u32>(out + (usize(count) << 2), u32(end))
  return f64(end)
}

/** Copies 8 bytes at a time, up to 7 more than `length`. */
// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, length: u32): usize {
  for (let i: usize = 0; i < usize(length); i += 8) store<u64>(to + i, load<u64>(from + i))
  return to + usize(length)
}

/** Writes the joined strings, end to end, and up to 7 bytes more. */
export function listJoinBytes(
  codes: usize, lists: usize, count: u32, offsets: usize, bytes: usize, separator: usize, separatorLength: u32, out: usize,
): void {
  for (let group: u32 = 0; group < count; group++) {
    const from = load<u32>(lists + (usize(group) << 2))
    const to = load<u32>(lists + (usize(group) << 2), 4)
    for (let i = from; i < to; i++) {
      if (i > from) out = copy(out, separator, separatorLength)
      const entry = offsets + (usize(load<u32>(codes + (usize(i) << 2))) << 2)
      const start = load<u32>(entry)
      out = copy(out, bytes + usize(start), load<u32>(entry, 4) - start)
    }
  }
}
