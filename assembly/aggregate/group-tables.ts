// A small hash table for each group, for states whose size depends on the values that a group has seen: a group of few values takes
// few bytes, whatever others take. What keys and counts mean is the user's business: hyper-log-log.ts, dd-sketch.ts, space-saving.ts.
//
//   GroupTable (16 bytes a group)          block     2^n slots, at most 3/4 of them in use, in buckets of four: | key, key, key, key | counts |
//   | block  u32   0: none          |        key       K, 0 where the slot is empty: in the bucket of its hash or, as far as those are full, behind
//   | used   u32   slots in use     |        count     signed, as wide as K; none where a slot is 1 wide. A slot whose count has come to 0 stays
//   | shift  u32   32 - n           |                  until the table is made anew
//   | tag    u32   its user's       |        width     in K, of a slot: 1 for a set, 2 with counts
//
//   Pool (144 bytes)                       blocks    2^k bytes from 16 on, cut from chunks of lane memory that never move;
//   | next | end | wanted | unused |                 a free block's first word is the next free one of its size
//   | free blocks by k, u32[32]    |
//
// Nothing here can get memory: a kernel that finds no room notes how many bytes are wanted and says how far it came. A table's layout
// depends on the order of arrival, so nothing that can be seen may depend on the layout: what leaves a table is sorted, but for other lanes.

@unmanaged
export class GroupTable {
  block: usize
  used: u32
  shift: u32
  tag: u32
}

// @ts-ignore: decorator
@inline
const WANTED: usize = 8
// @ts-ignore: decorator
@inline
const FREE: usize = 16
/** Slots of the smallest table, as a power of two. */
// @ts-ignore: decorator
@inline
const LEAST_BITS: u32 = 2
/** In place of `used` where the block is something else than a table: it is left alone here. */
// @ts-ignore: decorator
@inline
export const NO_TABLE: u32 = u32.MAX_VALUE

/** The table of a row's group; `groups` may be 0. */
// @ts-ignore: decorator
@inline
export function tableAt(tables: usize, groups: usize, row: u32): GroupTable {
  return changetype<GroupTable>(tables + (groups ? usize(load<u32>(groups + (usize(row) << 2))) << 4 : 0))
}

/** The table of the `index`th of chosen groups, or with `groups` 0 of group `index`. */
// @ts-ignore: decorator
@inline
export function chosenTable(tables: usize, groups: usize, index: u32): GroupTable {
  return changetype<GroupTable>(tables + (usize(groups ? load<u32>(groups + (usize(index) << 2)) : index) << 4))
}

// @ts-ignore: decorator
@inline
export function slotCount(table: GroupTable): u32 {
  return table.block ? u32(1) << (32 - table.shift) : 0
}

/** Where the key of slot `index` is. */
// @ts-ignore: decorator
@inline
export function slotAt<K>(block: usize, width: u32, index: u32): usize {
  return block + (usize((index & ~3) * width) + usize(index & 3)) * sizeof<K>()
}

/** The count of a slot. */
// @ts-ignore: decorator
@inline
export function countOf<K>(slot: usize): K {
  return load<K>(slot, 4 * sizeof<K>())
}

// @ts-ignore: decorator
@inline
export function setCount<K>(slot: usize, count: K): void {
  store<K>(slot, count, 4 * sizeof<K>())
}

/** A zeroed block of 2^bits bytes, or 0 where the pool has no room. */
export function takeBlock(pool: usize, bits: u32): usize {
  const byteLength = usize(1) << bits
  const head = pool + FREE + (usize(bits) << 2)
  let block = load<usize>(head)
  if (block) {
    store<usize>(head, load<usize>(block))
  } else {
    block = load<usize>(pool)
    if (load<usize>(pool, 4) - block < byteLength) {
      store<usize>(pool, byteLength, WANTED)
      return 0
    }
    store<usize>(pool, block + byteLength)
  }
  for (let at = block, end = block + byteLength; at < end; at += 16) v128.store(at, i64x2.splat(0))
  return block
}

export function giveBlock(pool: usize, block: usize, bits: u32): void {
  const head = pool + FREE + (usize(bits) << 2)
  store<usize>(block, load<usize>(head))
  store<usize>(head, block)
}

/** Bytes of a table's block, as a power of two. */
// @ts-ignore: decorator
@inline
export function blockBits<K>(width: u32, shift: u32): u32 {
  return 32 - shift + u32(ctz(sizeof<K>())) + width - 1
}

/** Which of the four keys of a bucket are `key`, as bits. */
// @ts-ignore: decorator
@inline
export function matches<K>(bucket: usize, key: K): u32 {
  if (sizeof<K>() == 4) return u32(i32x4.bitmask(i32x4.eq(v128.load(bucket), i32x4.splat(i32(key)))))
  const wanted = i64x2.splat(i64(key))
  return (
    u32(i64x2.bitmask(i64x2.eq(v128.load(bucket), wanted))) |
    (u32(i64x2.bitmask(i64x2.eq(v128.load(bucket, 16), wanted))) << 2)
  )
}

/** Where a key's bucket is. Fibonacci hashing: it must spread neighbours, not withstand an adversary. */
// @ts-ignore: decorator
@inline
export function bucketOf<K>(block: usize, shift: u32, width: u32, key: K): usize {
  const hash = sizeof<K>() == 4 ? u32(key) * 0x9e3779b1 : u32((u64(key) * 0x9e3779b97f4a7c15) >> 32)
  return block + usize(((hash >> shift) & ~3) * width) * sizeof<K>()
}

/** So many rows are looked for in memory together, a power of two. */
// @ts-ignore: decorator
@inline
export const AHEAD: u32 = 64

/** The first word of a key's bucket; where the block is no table, a word at its byte key >> byteShift. */
// @ts-ignore: decorator
@inline
export function bucketWord<K>(table: GroupTable, key: K, width: u32, byteShift: u32): u32 {
  const block = table.block
  const at = table.used == NO_TABLE ? block + usize(key >> <K>byteShift) : bucketOf<K>(block, table.shift, width, key)
  return load<u32>(block ? at : 0)
}

/** Makes sure that what was read for nothing but to have it near is read. */
// @ts-ignore: decorator
@inline
export function noteRead(words: u32): void {
  store<u32>(0xf000, words)
}

/**
 * Reads the buckets of the next rows, from `row` on, so that those which are far away come at the same time, and not one after another as rows are
 * added.
 */
export function readAhead(tables: usize, groups: usize, keys: usize, row: u32, count: u32, width: u32, byteShift: u32): void {
  let words: u32 = 0
  for (const end = min(row + AHEAD, count); row < end; row++) {
    words |= bucketWord<u32>(tableAt(tables, groups, row), load<u32>(keys + (usize(row) << 2)), width, byteShift)
  }
  noteRead(words)
}

/** The slot of a key, or the empty one where it would go. The table has slots, and one of them is empty. */
export function findSlot<K>(block: usize, shift: u32, width: u32, key: K): usize {
  const end = block + (sizeof<K>() * usize(width) << (32 - shift))
  let bucket = bucketOf<K>(block, shift, width, key)
  while (true) {
    let found = matches<K>(bucket, key)
    if (!found) found = matches<K>(bucket, <K>0)
    if (found) return bucket + usize(ctz(found)) * sizeof<K>()
    bucket += 4 * sizeof<K>() * usize(width)
    if (bucket == end) bucket = block
  }
}

/**
 * Gives a key that has no slot the empty one that `findSlot` found, or another after the table was made anew. Returns its slot, or 0 where the
 * pool has no room.
 */
export function insertKey<K>(pool: usize, table: GroupTable, width: u32, empty: usize, key: K): usize {
  let slot = empty
  if ((table.used + 1) << 2 > slotCount(table) * 3) {
    if (!makeRoom<K>(pool, table, width)) return 0
    slot = findSlot<K>(table.block, table.shift, width, key)
  }
  store<K>(slot, key)
  table.used++
  return slot
}

/** Makes the table anew, with room for another key and then some. */
function makeRoom<K>(pool: usize, table: GroupTable, width: u32): bool {
  const from = table.block
  const slots = slotCount(table)
  let used = table.used
  if (width == 2) {
    used = 0
    for (let i: u32 = 0; i < slots; i++) used += u32(countOf<K>(slotAt<K>(from, width, i)) != 0)
  }
  let bits = LEAST_BITS
  while ((used + 1) << 1 > u32(1) << bits) bits++
  const to = takeBlock(pool, blockBits<K>(width, 32 - bits))
  if (to == 0) return false
  for (let i: u32 = 0; i < slots; i++) {
    const slot = slotAt<K>(from, width, i)
    const key = load<K>(slot)
    if (key == 0 || (width == 2 && countOf<K>(slot) == 0)) continue
    const moved = findSlot<K>(to, 32 - bits, width, key)
    store<K>(moved, key)
    if (width == 2) setCount<K>(moved, countOf<K>(slot))
  }
  if (from) giveBlock(pool, from, blockBits<K>(width, table.shift))
  table.block = to
  table.used = used
  table.shift = 32 - bits
  return true
}

/** Slots in use in all of the chosen groups: room enough for what they hold. */
export function groupTablesUsed(tables: usize, groups: usize, count: u32): u32 {
  let used: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const table = chosenTable(tables, groups, i)
    if (table.used != NO_TABLE) used += table.used
  }
  return used
}

/** The most slots in use in one group. */
export function groupTablesMost(tables: usize, groupCount: u32): u32 {
  let most: u32 = 0
  for (let group: u32 = 0; group < groupCount; group++) most = max(most, chosenTable(tables, 0, group).used)
  return most
}

/** From how many keys each of `count` states has, the group of each key: `groupMap[g]`, lengths[g] times over. Those of -1 have none. */
export function groupTablesSpread(lengths: usize, groupMap: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const group = load<u32>(groupMap + (usize(i) << 2))
    for (let n = max(0, load<i32>(lengths + (usize(i) << 2))); n > 0; n--) {
      store<u32>(out, group)
      out += 4
    }
  }
}

/** Shell's sort (with the gaps of Gonnet and Baeza-Yates 1991) of entries that begin with their key, a T. */
export function sortEntries<E, T>(at: usize, count: u32): void {
  let gap = count
  while (gap > 1) {
    gap = gap < 5 ? 1 : (gap * 5 - 1) / 11
    for (let i = gap; i < count; i++) {
      const moved = load<E>(at + usize(i) * sizeof<E>())
      const key = load<T>(at + usize(i) * sizeof<E>())
      let hole = i
      while (hole >= gap) {
        const before = at + usize(hole - gap) * sizeof<E>()
        if (load<T>(before) <= key) break
        store<E>(at + usize(hole) * sizeof<E>(), load<E>(before))
        hole -= gap
      }
      store<E>(at + usize(hole) * sizeof<E>(), moved)
    }
  }
}
