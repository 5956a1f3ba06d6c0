// Approximate most frequent values: the space-saving summary (Metwally, Agrawal, El Abbadi 2005) in the form that merges (Agarwal, Cormode,
// Huang, Phillips, Wei, Yi 2012): counters, and what all of them lack. A table may fill to twice its capacity m before it is pruned to m: the
// (m + 1)th greatest count is taken from every counter, and counters that come to 0 are dropped (Anderson, Bevan, Lang, Liberty, Rhodes,
// Thaler 2017). So a row costs a look into a table, and a pruning is paid by the m rows before it.
//
//   state    two group tables (group-tables.ts) a group: | closed | open |     keys u64 | counts i64
//            key: an image (min-max.ts, or a code) as int64, all but its sign flipped     tag of the open one: its split and 1; 0: it has had no row
//   extra    16 bytes a table: | lacking i64 | count of the image whose key would be 0, i64 |
//
// What a pruning leaves depends on the rows before it, and which splits a lane gets on how fast the others are. So only the counters of one split,
// the open ones, are pruned; they are added to the closed ones, which never are, before the rows of another. Sums have no order: a result is the
// same however splits are dealt to lanes. Of a split no more than 2 m + 1 counters are kept, of all together as many as they have values of their own.
//
// A pruning takes d from m + 1 counters at least, so (m + 1) * lacking <= N, the rows counted. Of every value
//   count <= how often it came <= count + lacking <= count + N / (m + 1)       with count 0 where it has no counter
// and count + lacking is what space-saving calls its estimate, which is never too low. While no split has more than 2 m values of a group all is exact.

import { isValid } from '../inline'
import {
  AHEAD, blockBits, bucketOf, bucketWord, chosenTable, countOf, findSlot, giveBlock, GroupTable, insertKey, matches, noteRead, setCount, slotAt,
  slotCount, sortEntries, tableAt,
} from './group-tables'

// @ts-ignore: decorator
@inline
const FLIP: i64 = i64.MAX_VALUE

// @ts-ignore: decorator
@inline
function keyOf(images: usize, imageBytes: u32, row: u32): u64 {
  const image = imageBytes == 4 ? i64(load<i32>(images + (usize(row) << 2))) : load<i64>(images + (usize(row) << 3))
  return u64(image ^ FLIP)
}

// @ts-ignore: decorator
@inline
function extraOf(extras: usize, tables: usize, table: GroupTable): usize {
  return extras + (changetype<usize>(table) - tables)
}

// @ts-ignore: decorator
@inline
function closedOf(open: GroupTable): GroupTable {
  return changetype<GroupTable>(changetype<usize>(open) - offsetof<GroupTable>())
}

// @ts-ignore: decorator
@inline
function openAt(tables: usize, groups: usize, row: u32): GroupTable {
  return changetype<GroupTable>(tables + offsetof<GroupTable>() + (groups ? usize(load<u32>(groups + (usize(row) << 2))) << 5 : 0))
}

/**
 * Counts the image of each row that is valid in its group; `groups` and `validity` may be 0. All rows are of the split that `tag` tells.
 * `room` is for 2 * capacity + 1 entries of 16 bytes. Returns `count`, or the row that it stopped before because the pool has no room.
 */
export function spaceSavingAdd(
  pool: usize, tables: usize, extras: usize, groups: usize, images: usize, imageBytes: u32, validity: usize, from: u32, count: u32,
  tag: u32, capacity: u32, room: usize,
): u32 {
  for (let row = from; row < count; row++) {
    if (groups && (row & (AHEAD - 1)) == 0) {
      let words: u32 = 0
      for (let i = row, end = min(row + AHEAD, count); i < end; i++) {
        words |= bucketWord<u64>(openAt(tables, groups, i), keyOf(images, imageBytes, i), 2, 0)
      }
      noteRead(words)
    }
    if (!isValid(validity, row)) continue
    const key = keyOf(images, imageBytes, row)
    const table = openAt(tables, groups, row)
    if (table.tag != tag) {
      if (!close(pool, table, extras, tables)) return row
      table.tag = tag
    }
    const block = table.block
    if (block && key) {
      const bucket = bucketOf<u64>(block, table.shift, 2, key)
      const found = matches<u64>(bucket, key)
      if (found) {
        const slot = bucket + (usize(ctz(found)) << 3)
        setCount<u64>(slot, countOf<u64>(slot) + 1)
        continue
      }
    }
    const extra = extraOf(extras, tables, table)
    if (key && table.used >= capacity * 2) {
      if (load<u64>(findSlot<u64>(block, table.shift, 2, key)) != key) prune(table, extra, capacity, room)
    }
    if (!addCount(pool, table, extra, key, 1)) return row
  }
  return count
}

/** Adds the counters of an open table to the closed ones, as far as there is room; those that have been added come to 0. */
function close(pool: usize, open: GroupTable, extras: usize, tables: usize): bool {
  const closed = closedOf(open)
  const from = extraOf(extras, tables, open)
  const to = extraOf(extras, tables, closed)
  for (let i: u32 = 0, slots = slotCount(open); i < slots; i++) {
    const slot = slotAt<u64>(open.block, 2, i)
    const count = countOf<u64>(slot)
    if (count == 0) continue
    if (!addCount(pool, closed, to, load<u64>(slot), count)) return false
    setCount<u64>(slot, 0)
  }
  // The next split will have about as many.
  if (open.used << 3 >= slotCount(open)) memory.fill(open.block, 0, usize(slotCount(open)) << 4)
  else {
    giveBlock(pool, open.block, blockBits<u64>(2, open.shift))
    open.block = 0
  }
  open.used = 0
  v128.store(to, i64x2.add(v128.load(to), v128.load(from)))
  v128.store(from, i64x2.splat(0))
  return true
}

/**
 * Where the tables of states that come in are to go, two a state: those that are open stay so in a group that has none open, and
 * are closed in others.
 */
export function spaceSavingPlace(tables: usize, groupMap: usize, tags: usize, count: u32, places: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const group = load<u32>(groupMap + (usize(i) << 2))
    const tag = load<u32>(tags + (usize(i) << 2))
    const open = openAt(tables, groupMap, i)
    const isFirst = open.tag == 0 && tag != 0
    if (isFirst) open.tag = tag
    store<u32>(places + (usize(i) << 3), group * 2)
    store<u32>(places + (usize(i) << 3), group * 2 + u32(isFirst), 4)
  }
}

/** Which two tables chosen groups have, and the tags of those that are open. */
export function spaceSavingTables(tables: usize, groups: usize, count: u32, chosen: usize, tags: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const group = groups ? load<u32>(groups + (usize(i) << 2)) : i
    store<u32>(chosen + (usize(i) << 3), group * 2)
    store<u32>(chosen + (usize(i) << 3), group * 2 + 1, 4)
    store<u32>(tags + (usize(i) << 2), chosenTable(tables, 0, group * 2 + 1).tag)
  }
}

/** Adds counts[i] to the counter of images[i] in the table groups[i], and prunes nothing; returns as `spaceSavingAdd` does. */
export function spaceSavingMerge(
  pool: usize, tables: usize, extras: usize, groups: usize, images: usize, imageBytes: u32, counts: usize, from: u32, count: u32,
): u32 {
  for (let i = from; i < count; i++) {
    const table = tableAt(tables, groups, i)
    const by = load<i64>(counts + (usize(i) << 3))
    if (!addCount(pool, table, extraOf(extras, tables, table), keyOf(images, imageBytes, i), by)) return i
  }
  return count
}

/** Adds lacking[i] to what table places[i] lacks. */
export function spaceSavingLack(extras: usize, places: usize, lacking: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const extra = extras + (usize(load<u32>(places + (usize(i) << 2))) << 4)
    store<i64>(extra, load<i64>(extra) + load<i64>(lacking + (usize(i) << 3)))
  }
}

function addCount(pool: usize, table: GroupTable, extra: usize, key: u64, by: i64): bool {
  if (key == 0) {
    store<i64>(extra, load<i64>(extra, 8) + by, 8)
    return true
  }
  let slot: usize = 0
  if (table.block) slot = findSlot<u64>(table.block, table.shift, 2, key)
  if (slot == 0 || load<u64>(slot) != key) {
    slot = insertKey<u64>(pool, table, 2, slot, key)
    if (slot == 0) return false
  }
  setCount<u64>(slot, countOf<u64>(slot) + by)
  return true
}

/** The counters of a table to `out`, each image i64 and count i64; with `ranks`, of codes, the rank << 32 | code in place of the image. Returns how many. */
function takeCounters(table: GroupTable, extra: usize, ranks: usize, out: usize): u32 {
  const first = out
  for (let i: u32 = 0, slots = slotCount(table); i < slots; i++) {
    const slot = slotAt<u64>(table.block, 2, i)
    if (load<u64>(slot) == 0) continue
    let image = load<i64>(slot) ^ FLIP
    if (ranks) image |= i64(load<u32>(ranks + (usize(image) << 2))) << 32
    store<i64>(out, image)
    store<i64>(out, countOf<u64>(slot), 8)
    out += 16
  }
  if (load<i64>(extra, 8)) {
    store<i64>(out, FLIP)
    store<i64>(out, load<i64>(extra, 8), 8)
    out += 16
  }
  return u32(out - first) >> 4
}

function prune(table: GroupTable, extra: usize, capacity: u32, room: usize): void {
  const count = takeCounters(table, extra, 0, room)
  const d = nthGreatest(room, count, capacity)
  store<i64>(extra, load<i64>(extra) + d)
  store<i64>(extra, 0, 8)
  memory.fill(table.block, 0, usize(slotCount(table)) << 4)
  table.used = 0
  for (let at = room, end = room + (usize(count) << 4); at < end; at += 16) {
    const left = load<i64>(at, 8) - d
    const key = u64(load<i64>(at) ^ FLIP)
    if (left <= 0) continue
    if (key == 0) {
      store<i64>(extra, left, 8)
      continue
    }
    const slot = findSlot<u64>(table.block, table.shift, 2, key)
    store<u64>(slot, key)
    setCount<u64>(slot, left)
    table.used++
  }
}

/** The count that `nth` (from 0) of the counters are ahead of or equal to; puts them in another order (Hoare's FIND, 1961). */
function nthGreatest(at: usize, count: u32, nth: u32): i64 {
  let from: i32 = 0
  let to = i32(count) - 1
  while (from < to) {
    const pivot = load<i64>(at + (usize((from + to) >> 1) << 4), 8)
    let i = from
    let j = to
    do {
      while (load<i64>(at + (usize(i) << 4), 8) > pivot) i++
      while (load<i64>(at + (usize(j) << 4), 8) < pivot) j--
      if (i <= j) {
        const other = v128.load(at + (usize(i) << 4))
        v128.store(at + (usize(i) << 4), v128.load(at + (usize(j) << 4)))
        v128.store(at + (usize(j) << 4), other)
        i++
        j--
      }
    } while (i <= j)
    if (i32(nth) <= j) to = j
    else if (i32(nth) >= i) from = i
    else break
  }
  return load<i64>(at + (usize(nth) << 4), 8)
}

/**
 * Of each chosen table, where `sorted` by ascending image (codes by ascending rank): how many counters to lengths[i], what it lacks to lacking[i], images i64
 * (codes u32 where there are ranks) and counts end to end. `room` is for the entries of the greatest table, and one. Returns how many in all.
 */
export function spaceSavingTake(
  tables: usize, extras: usize, chosen: usize, count: u32, ranks: usize, room: usize, lengths: usize, lacking: usize, images: usize, counts: usize,
  sorted: bool,
): u32 {
  const first = counts
  for (let i: u32 = 0; i < count; i++) {
    const table = chosenTable(tables, chosen, i)
    const extra = extraOf(extras, tables, table)
    const taken = takeCounters(table, extra, ranks, room)
    if (sorted) sortEntries<v128, i64>(room, taken)
    store<u32>(lengths + (usize(i) << 2), taken)
    store<i64>(lacking + (usize(i) << 3), load<i64>(extra))
    for (let at = room, end = room + (usize(taken) << 4); at < end; at += 16) {
      if (ranks) store<u32>(images, load<u32>(at))
      else store<i64>(images, load<i64>(at))
      store<i64>(counts, load<i64>(at, 8))
      images += ranks ? 4 : 8
      counts += 8
    }
  }
  return u32(counts - first) >> 3
}

/** The counters of a group, open and closed, as `takeCounters` has them. */
function takeAll(tables: usize, extras: usize, group: u32, ranks: usize, out: usize): u32 {
  const closed = chosenTable(tables, 0, group * 2)
  const open = chosenTable(tables, 0, group * 2 + 1)
  const first = takeCounters(closed, extraOf(extras, tables, closed), ranks, out)
  const taken = first + takeCounters(open, extraOf(extras, tables, open), ranks, out + (usize(first) << 4))
  if (first == 0 || first == taken) return taken
  sortEntries<v128, i64>(out, taken)
  let last = out
  for (let at = out + 16, end = out + (usize(taken) << 4); at < end; at += 16) {
    if (load<i64>(at) == load<i64>(last)) {
      store<i64>(last, load<i64>(last, 8) + load<i64>(at, 8), 8)
      continue
    }
    last += 16
    v128.store(last, v128.load(at))
  }
  return u32(last + 16 - out) >> 4
}

/**
 * The images (of `imageBytes`) of the `n` greatest counts of each group, the greatest first, of equal counts the least image (of codes the least
 * rank), end to end; to offsets[group] where they begin, and behind the last where they end. `room` is for
 * the entries of the two greatest tables, and two.
 */
export function spaceSavingTop(
  tables: usize, extras: usize, groupCount: u32, n: u32, ranks: usize, room: usize, offsets: usize, imageBytes: u32, out: usize,
): void {
  let total: u32 = 0
  store<u32>(offsets, 0)
  for (let group: u32 = 0; group < groupCount; group++) {
    const taken = takeAll(tables, extras, group, ranks, room)
    // Insertion into the first n is for few of them; what is in order already it only walks through.
    if (n > 64) sortCounters(room, taken)
    let top: u32 = 0
    for (let i: u32 = 0; i < taken; i++) {
      const counter = v128.load(room + (usize(i) << 4))
      let place = top
      while (place > 0 && isAhead(counter, v128.load(room + (usize(place - 1) << 4)))) place--
      if (place == n) continue
      if (top < n) top++
      const at = room + (usize(place) << 4)
      memory.copy(at + 16, at, usize(top - 1 - place) << 4)
      v128.store(at, counter)
    }
    for (let i: u32 = 0; i < top; i++) {
      const image = load<i64>(room + (usize(i) << 4))
      if (imageBytes == 4) store<i32>(out, i32(image))
      else store<i64>(out, image)
      out += imageBytes
    }
    total += top
    store<u32>(offsets + (usize(group) << 2), total, 4)
  }
}

/** As `sortEntries`, in the order of results. */
function sortCounters(at: usize, count: u32): void {
  let gap = count
  while (gap > 1) {
    gap = gap < 5 ? 1 : (gap * 5 - 1) / 11
    for (let i = gap; i < count; i++) {
      const moved = v128.load(at + (usize(i) << 4))
      let hole = i
      while (hole >= gap && isAhead(moved, v128.load(at + (usize(hole - gap) << 4)))) {
        v128.store(at + (usize(hole) << 4), v128.load(at + (usize(hole - gap) << 4)))
        hole -= gap
      }
      v128.store(at + (usize(hole) << 4), moved)
    }
  }
}

// @ts-ignore: decorator
@inline
function isAhead(a: v128, b: v128): bool {
  const countA = i64x2.extract_lane(a, 1)
  const countB = i64x2.extract_lane(b, 1)
  return countA != countB ? countA > countB : i64x2.extract_lane(a, 0) < i64x2.extract_lane(b, 0)
}
