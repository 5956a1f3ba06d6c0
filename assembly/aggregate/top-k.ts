// The n greatest values of every group, or the n least, as images (min-max.ts) whose sign is flipped to compare unsigned, and for the least
// all other bits too: what is wanted are always the n greatest keys. The least key is never stored: where fewer than n keys are, whoever counted
// the values knows how many of it are missing.
//
// Few of them a group lie side by side, and a row is compared with the least of them:
//
//   state     n keys u32 or u64 a group, ascending, zeros first where there are fewer
//
// Where n is great, or keys are strings, rows that may be wanted are kept as they come, until there is no more room for them; then each group's
// are put side by side and cut to the n greatest, the least of which is what further rows have to beat:
//
//   rows      groups u32[], keys u64[]          limits    u64 a group, 0 until it has had n; of strings codes, all ones until then

import { isValid, textOrder } from '../inline'

/** So few keys of a group are sorted by insertion: those of the last cut are sorted already. */
// @ts-ignore: decorator
@inline
const SHORT: u32 = 48

/** Puts `key`, greater than the first, in its place. */
// @ts-ignore: decorator
@inline
function insert<U>(at: usize, end: usize, key: U): void {
  for (at += sizeof<U>(); at < end && key > load<U>(at); at += sizeof<U>()) store<U>(at - sizeof<U>(), load<U>(at))
  store<U>(at - sizeof<U>(), key)
}

// @ts-ignore: decorator
@inline
function update<U>(state: usize, groups: usize, images: usize, flip: U, count: u32, n: u32): void {
  const width = usize(n) * sizeof<U>()
  for (let row: u32 = 0; row < count; row++) {
    const key = load<U>(images + usize(row) * sizeof<U>()) ^ flip
    const at = state + (groups ? usize(load<u32>(groups + (usize(row) << 2))) * width : 0)
    if (key > load<U>(at)) insert<U>(at, at + width, key)
  }
}

/** Row i has the key `images[i] ^ flip`; nulls have 0. */
export function topUpdate32(state: usize, groups: usize, images: usize, flip: u32, count: u32, n: u32): void {
  update<u32>(state, groups, images, flip, count, n)
}

export function topUpdate64(state: usize, groups: usize, images: usize, flip: u64, count: u32, n: u32): void {
  update<u64>(state, groups, images, flip, count, n)
}

/** The n keys g of `from` to group groupMap[g]; a key has `bytes` 4 or 8. */
export function topMerge(state: usize, groupMap: usize, from: usize, count: u32, n: u32, bytes: u32): void {
  const width = usize(n) * usize(bytes)
  for (let group: u32 = 0; group < count; group++) {
    const at = state + usize(load<u32>(groupMap + (usize(group) << 2))) * width
    for (const end = from + width; from < end; from += usize(bytes)) {
      if (bytes == 4) {
        if (load<u32>(from) > load<u32>(at)) insert<u32>(at, at + width, load<u32>(from))
      } else if (load<u64>(from) > load<u64>(at)) insert<u64>(at, at + width, load<u64>(from))
    }
  }
}

/** offsets[g + 1] = how many of the values counted in groups 0 .. g are wanted. Returns how many of all. */
export function topOffsets(counts: usize, count: u32, n: u32, offsets: usize): u32 {
  let end: u32 = 0
  store<u32>(offsets, 0)
  for (let group: u32 = 0; group < count; group++) {
    end += u32(min(load<u64>(counts + (usize(group) << 3)), u64(n)))
    store<u32>(offsets + (usize(group) << 2), end, 4)
  }
  return end
}

/** The same where no value has the key 0: how many keys are stored. */
export function topFound(state: usize, n: u32, bytes: u32, count: u32, offsets: usize): u32 {
  let end: u32 = 0
  store<u32>(offsets, 0)
  for (let group: u32 = 0; group < count; group++) {
    for (let i: u32 = 0; i < n; i++) {
      end += u32((bytes == 4 ? u64(load<u32>(state)) : load<u64>(state)) != 0)
      state += usize(bytes)
    }
    store<u32>(offsets + (usize(group) << 2), end, 4)
  }
  return end
}

/** The images of the wanted, the greatest key first, each group's from its offset on. */
export function topImages(state: usize, n: u32, bytes: u32, flip: u64, offsets: usize, count: u32, out: usize): void {
  const width = usize(n) * usize(bytes)
  const end = out + usize(load<u32>(offsets + (usize(count) << 2))) * usize(bytes)
  let next = out
  for (let group: u32 = 0; out < end; group++) {
    state += width
    next += usize(load<u32>(offsets + (usize(group) << 2), 4) - load<u32>(offsets + (usize(group) << 2))) * usize(bytes)
    for (let at = state; out < next; out += usize(bytes)) {
      at -= usize(bytes)
      if (bytes == 4) store<u32>(out, load<u32>(at) ^ u32(flip))
      else store<u64>(out, load<u64>(at) ^ flip)
    }
  }
}

/**
 * Appends the rows whose keys are above their groups' limits, and returns how many. Images are 4 or 8 `bytes`; nulls have the key 0. There must
 * be room for all.
 */
export function topAppend(
  limits: usize, groups: usize, images: usize, bytes: u32, flip: u64, count: u32, toGroups: usize, toKeys: usize,
): u32 {
  const start = toGroups
  for (let row: u32 = 0; row < count; row++) {
    const key = (bytes == 4 ? u64(load<u32>(images + (usize(row) << 2))) : load<u64>(images + (usize(row) << 3))) ^ flip
    const group = groups ? load<u32>(groups + (usize(row) << 2)) : 0
    store<u32>(toGroups, group)
    store<u64>(toKeys, key)
    const wanted = usize(key > load<u64>(limits + (usize(group) << 3)))
    toGroups += wanted << 2
    toKeys += wanted << 3
  }
  return u32((toGroups - start) >> 2)
}

/** The same with codes of strings for keys, `wanted` being 1 where the greatest are, -1 where the least are. */
export function topAppendText(
  limits: usize, groups: usize, codes: usize, validity: usize, count: u32, wanted: i32,
  ranks: usize, ranked: u32, offsets: usize, bytes: usize, toGroups: usize, toKeys: usize,
): u32 {
  const start = toGroups
  for (let row: u32 = 0; row < count; row++) {
    if (!isValid(validity, row)) continue
    const code = load<u32>(codes + (usize(row) << 2))
    const group = groups ? load<u32>(groups + (usize(row) << 2)) : 0
    const limit = load<u32>(limits + (usize(group) << 3))
    if (limit != u32.MAX_VALUE && (code == limit || textOrder(code, limit, ranks, ranked, offsets, bytes) != wanted)) continue
    store<u32>(toGroups, group)
    store<u64>(toKeys, u64(code))
    toGroups += 4
    toKeys += 8
  }
  return u32((toGroups - start) >> 2)
}

/** Codes become `(rank ^ flip) << 32 | code`, in place. */
export function topRanked(keys: usize, count: u32, ranks: usize, flip: u32): void {
  for (const end = keys + (usize(count) << 3); keys < end; keys += 8) {
    const code = load<u32>(keys)
    store<u32>(keys, load<u32>(ranks + (usize(code) << 2)) ^ flip, 4)
  }
}

/**
 * Of each group's keys, which lie side by side as `offsets` say, keeps the n greatest, greatest first, and with their groups writes them end to end, as
 * `key & mask`; a group that has n gets the last as its limit. Overwrites the keys. Returns how many are kept.
 */
export function topCut(keys: usize, offsets: usize, count: u32, n: u32, mask: u64, limits: usize, toGroups: usize, toKeys: usize): u32 {
  const start = toGroups
  for (let group: u32 = 0; group < count; group++) {
    const from = load<u32>(offsets + (usize(group) << 2))
    const length = load<u32>(offsets + (usize(group) << 2), 4) - from
    const kept = min(length, n)
    const at = keys + (usize(from) << 3)
    if (length <= SHORT) insertionSort(at, length)
    else heapSort(at, length, kept)
    if (kept == n) store<u64>(limits + (usize(group) << 3), load<u64>(at + (usize(n - 1) << 3)) & mask)
    for (let i: u32 = 0; i < kept; i++) {
      store<u32>(toGroups, group)
      store<u64>(toKeys, load<u64>(at + (usize(i) << 3)) & mask)
      toGroups += 4
      toKeys += 8
    }
  }
  return u32((toGroups - start) >> 2)
}

function insertionSort(keys: usize, count: u32): void {
  for (let i: u32 = 1; i < count; i++) {
    let at = keys + (usize(i) << 3)
    const key = load<u64>(at)
    for (; at > keys && load<u64>(at - 8) < key; at -= 8) store<u64>(at, load<u64>(at - 8))
    store<u64>(at, key)
  }
}

/** Puts the `kept` greatest first, greatest first: the least of those kept so far is on top of a heap. */
function heapSort(keys: usize, count: u32, kept: u32): void {
  for (let i = kept >> 1; i > 0; ) sift(keys, --i, kept)
  for (let i = kept; i < count; i++) {
    const key = load<u64>(keys + (usize(i) << 3))
    if (key <= load<u64>(keys)) continue
    store<u64>(keys, key)
    sift(keys, 0, kept)
  }
  for (let left = kept; left > 1; ) {
    const last = keys + (usize(--left) << 3)
    const least = load<u64>(keys)
    store<u64>(keys, load<u64>(last))
    store<u64>(last, least)
    sift(keys, 0, left)
  }
}

/** Lets entry i of a heap sink below those that are less. */
function sift(heap: usize, i: u32, count: u32): void {
  const key = load<u64>(heap + (usize(i) << 3))
  while (true) {
    let child: u32 = 2 * i + 1
    if (child >= count) break
    let least = load<u64>(heap + (usize(child) << 3))
    if (child + 1 < count) {
      const other = load<u64>(heap + (usize(child) << 3), 8)
      if (other < least) {
        least = other
        child++
      }
    }
    if (key <= least) break
    store<u64>(heap + (usize(i) << 3), least)
    i = child
  }
  store<u64>(heap + (usize(i) << 3), key)
}

/** As `topImages`, from what `topCut` kept: group g's keys are those from `kept[g]` to `kept[g + 1]`, and 0 as often as more are wanted. */
export function topKeptImages(keys: usize, kept: usize, bytes: u32, flip: u64, offsets: usize, count: u32, out: usize): void {
  for (let group: u32 = 0; group < count; group++) {
    let from = load<u32>(kept + (usize(group) << 2))
    const to = load<u32>(kept + (usize(group) << 2), 4)
    const wanted = load<u32>(offsets + (usize(group) << 2), 4) - load<u32>(offsets + (usize(group) << 2))
    for (let i: u32 = 0; i < wanted; i++) {
      const image = (from < to ? load<u64>(keys + (usize(from) << 3)) : 0) ^ flip
      from++
      if (bytes == 4) store<u32>(out, u32(image))
      else store<u64>(out, image)
      out += usize(bytes)
    }
  }
}
