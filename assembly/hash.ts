// Group index by hashing, for keys of any domain: open addressing over key words (key-words.ts), linear probing, two phases a
// block: a branch-free look at two slots that lists its misses, then the misses in row order. direct.ts serves small domains.
//
//   HashTable (40 bytes)                       slots, 32-bit keys        u32 key  | i32 group                 8 bytes
//   | slots  | words | count | limit |         slots, one-word keys      u64 word | i32 group | unused       16 bytes
//   | shift  | width | a (u64)       |         slots, wider keys         u32 tag  | i32 group                 8 bytes
//   | b (u64)        |                         group -1 where empty; a slot's index is the top bits of the hash
//
//   words    u64[groups * width]: each group's key, in order of first appearance
//
// Neither slots nor words grow here: a kernel that could run out of room says how far it came.

import { HashTable, hashWord, mix } from './hash-table'

// @ts-ignore: decorator
@inline
const BLOCK: u32 = 1024

// @ts-ignore: decorator
@inline
function hashWords(at: usize, width: u32, a: u64, b: u64): u64 {
  let hash = b
  for (const end = at + (usize(width) << 3); at < end; at += 8) hash = mix(rotl(hash, 29) ^ load<u64>(at), a, b)
  return (hash ^ (hash >> 32)) * a
}

// @ts-ignore: decorator
@inline
function equalWords(a: usize, b: usize, width: u32): bool {
  for (const end = a + (usize(width) << 3); a < end; a += 8) {
    if (load<u64>(a) != load<u64>(b)) return false
    b += 8
  }
  return true
}

// @ts-ignore: decorator
@inline
function groupIn<K>(slot: usize): i32 {
  return load<i32>(slot + sizeof<K>())
}

/**
 * The groups of `count` keys that are one K each, from row `from` on; new keys open groups in row order. `misses` is room for
 * 1,024 u32. Returns `count`, or the row it stopped before because the table might get fuller than its limit.
 */
// @ts-ignore: decorator
@inline
function find<K>(tablePointer: usize, keys: usize, from: u32, count: u32, groups: usize, misses: usize): u32 {
  const table = changetype<HashTable>(tablePointer)
  const slots = table.slots
  const shift = u64(table.shift)
  const a = table.a
  const b = table.b
  const mask = (usize(1) << (64 - table.shift)) - 1
  const slotBytes = sizeof<K>() << 1
  while (from < count) {
    const to = min(from + BLOCK, count)
    if (table.count + (to - from) > table.limit) return from
    let missed = misses
    for (let i = from; i < to; i++) {
      const key = load<K>(keys + usize(i) * sizeof<K>())
      const index = usize(hashWord(u64(key), a, b) >> shift)
      const home = slots + index * slotBytes
      const next = slots + ((index + 1) & mask) * slotBytes
      const second = select<i32>(groupIn<K>(next), -1, load<K>(next) == key)
      const group = select<i32>(groupIn<K>(home), second, load<K>(home) == key)
      store<i32>(groups + (usize(i) << 2), group)
      store<u32>(missed, i)
      missed += usize(u32(group) >> 31) << 2
    }
    for (let at = misses; at < missed; at += 4) {
      const i = load<u32>(at)
      const key = load<K>(keys + usize(i) * sizeof<K>())
      let index = usize(hashWord(u64(key), a, b) >> shift)
      let slot = slots + index * slotBytes
      let group = groupIn<K>(slot)
      while (group >= 0 && load<K>(slot) != key) {
        index = (index + 1) & mask
        slot = slots + index * slotBytes
        group = groupIn<K>(slot)
      }
      if (group < 0) {
        group = i32(table.count++)
        store<K>(slot, key)
        store<i32>(slot + sizeof<K>(), group)
        store<u64>(table.words + (usize(group) << 3), u64(key))
      }
      store<i32>(groups + (usize(i) << 2), group)
    }
    from = to
  }
  return count
}

/** 32-bit keys as their columns store them. */
export function hashFindHalf(tablePointer: usize, keys: usize, from: u32, count: u32, groups: usize, misses: usize): u32 {
  return find<u32>(tablePointer, keys, from, count, groups, misses)
}

/** Keys of one word. */
export function hashFindOne(tablePointer: usize, words: usize, from: u32, count: u32, groups: usize, misses: usize): u32 {
  return find<u64>(tablePointer, words, from, count, groups, misses)
}

/** Keys of `table.width` words. */
export function hashFindMany(tablePointer: usize, words: usize, from: u32, count: u32, groups: usize, misses: usize): u32 {
  const table = changetype<HashTable>(tablePointer)
  const slots = table.slots
  const shift = u64(table.shift)
  const a = table.a
  const b = table.b
  const width = table.width
  const stride = usize(width) << 3
  const lastSlot = slots + (((usize(1) << (64 - table.shift)) - 1) << 3)
  while (from < count) {
    const to = min(from + BLOCK, count)
    if (table.count + (to - from) > table.limit) return from
    let missed = misses
    for (let i = from; i < to; i++) {
      const key = words + usize(i) * stride
      const hash = hashWords(key, width, a, b)
      const slot = slots + (usize(hash >> shift) << 3)
      const group = load<i32>(slot, 4)
      store<i32>(groups + (usize(i) << 2), group)
      const found = load<u32>(slot) == u32(hash) && group >= 0 && equalWords(table.words + usize(group) * stride, key, width)
      store<u32>(missed, i)
      missed += usize(!found) << 2
    }
    for (let at = misses; at < missed; at += 4) {
      const i = load<u32>(at)
      const key = words + usize(i) * stride
      const hash = hashWords(key, width, a, b)
      let slot = slots + (usize(hash >> shift) << 3)
      let group = load<i32>(slot, 4)
      while (group >= 0) {
        if (load<u32>(slot) == u32(hash) && equalWords(table.words + usize(group) * stride, key, width)) break
        slot = slot == lastSlot ? slots : slot + 8
        group = load<i32>(slot, 4)
      }
      if (group < 0) {
        group = i32(table.count++)
        store<u32>(slot, u32(hash))
        store<i32>(slot, group, 4)
        const words = table.words + usize(group) * stride
        for (let i: usize = 0; i < stride; i += 8) store<u64>(words + i, load<u64>(key + i))
      }
      store<i32>(groups + (usize(i) << 2), group)
    }
    from = to
  }
  return count
}

/**
 * Enters all groups there are into new slots, every byte of which is 0xff. `keyBytes` is what a slot holds of the key: all 4 or 8
 * bytes of it, or 0 where it holds a tag.
 */
export function hashFill(tablePointer: usize, keyBytes: u32): void {
  const table = changetype<HashTable>(tablePointer)
  const slots = table.slots
  const shift = u64(table.shift)
  const width = table.width
  const slotShift: usize = keyBytes == 8 ? 4 : 3
  const groupAt: usize = keyBytes == 8 ? 8 : 4
  const mask = (usize(1) << (64 - table.shift)) - 1
  for (let group: u32 = 0; group < table.count; group++) {
    const key = table.words + ((usize(group) * usize(width)) << 3)
    const word = load<u64>(key)
    const hash = keyBytes ? hashWord(word, table.a, table.b) : hashWords(key, width, table.a, table.b)
    let index = usize(hash >> shift)
    while (load<i32>(slots + (index << slotShift) + groupAt) >= 0) index = (index + 1) & mask
    const slot = slots + (index << slotShift)
    if (keyBytes == 8) store<u64>(slot, word)
    else store<u32>(slot, u32(keyBytes ? word : hash))
    store<u32>(slot + groupAt, group)
  }
}
