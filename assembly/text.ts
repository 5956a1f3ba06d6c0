// The dictionary of distinct strings: interning, lookup, and predicates over its entries. Order by bytes is in rank.ts.
//
//   StringTable (36 bytes)          offsets  u32[capacity + 1]   entry c is bytes[offsets[c] .. offsets[c + 1])
//   | offsets | bytes | slots  |    bytes    u8[byteCapacity]
//   | count   | capacity       |    slots    u64[slotMask + 1]   low half: code + 1, 0 where empty; high half: hash of the entry
//   | byteCapacity | slotMask  |    probing is linear from (hash & slotMask); at most half of the slots are in use
//   | seed    | touched        |
//
// Bytes may be read up to 16 past the end of any string. The table never grows here: a kernel that runs out of room says
// how far it came, and the binding makes room and calls again.

@unmanaged
export class StringTable {
  offsets: usize
  bytes: usize
  slots: usize
  count: u32
  capacity: u32
  byteCapacity: u32
  slotMask: u32
  seed: u32
  /** What was fetched ahead: nothing is made of it. */
  touched: u32
}

// @ts-ignore: decorator
@inline
const K1: u64 = 0x9e3779b97f4a7c15
// @ts-ignore: decorator
@inline
const K2: u64 = 0xd6e8feb86659fd93

/** The `length` (1 to 8) bytes at `at`, zeros above. */
// @ts-ignore: decorator
@inline
function tail(at: usize, length: u32): u64 {
  return load<u64>(at) & (u64.MAX_VALUE >> (64 - (u64(length) << 3)))
}

/**
 * Seeded 32-bit hash: eight bytes at a time are folded by the product of two halves that both depend on the seed, so no
 * difference between two strings cancels whatever the seed (as wyhash does with 64 x 64 bits, which WebAssembly lacks). Two more
 * multiplications, since words that count upwards in some of their bits come evenly spaced out of the last fold: with one, the worst
 * of 1,500 seeds had look-ups 2.8 times as long as with random strings, now 1.04 times.
 */
export function hashBytes(at: usize, length: u32, seed: u32): u32 {
  let hash = (u64(seed) + u64(length)) * K1
  hash ^= hash >> 29
  const end = at + usize(length & ~7)
  while (at < end) {
    hash = fold(hash, load<u64>(at))
    at += 8
  }
  if (length & 7) hash = fold(hash, tail(at, length & 7))
  hash *= K2
  return u32(((hash ^ (hash >> 32)) * K1) >> 32)
}

// @ts-ignore: decorator
@inline
function fold(hash: u64, word: u64): u64 {
  const mixed = hash ^ word
  return rotl(hash, 23) + (mixed & 0xffffffff) * (mixed >> 32) + word * K1
}

// @ts-ignore: decorator
@inline
function equalBytes(a: usize, b: usize, length: u32): bool {
  const end = a + usize(length & ~7)
  while (a < end) {
    if (load<u64>(a) != load<u64>(b)) return false
    a += 8
    b += 8
  }
  const rest = length & 7
  return rest == 0 || (load<u64>(a) ^ load<u64>(b)) << (64 - (u64(rest) << 3)) == 0
}

/** The slot that holds the string, or the empty one where it would go. */
export function findSlot(table: StringTable, at: usize, length: u32, hash: u32): usize {
  let index = hash & table.slotMask
  while (true) {
    const slot = table.slots + (usize(index) << 3)
    const word = load<u64>(slot)
    if (u32(word) == 0) return slot
    if (u32(word >> 32) == hash) {
      const entry = table.offsets + (usize(u32(word) - 1) << 2)
      const start = load<u32>(entry)
      if (load<u32>(entry, 4) - start == length && equalBytes(table.bytes + usize(start), at, length)) return slot
    }
    index = (index + 1) & table.slotMask
  }
}

/** What `internBytes` returns where the table has no room for a new string. */
export const NO_ROOM: u32 = u32.MAX_VALUE

/** The code of a string, added where it is new. */
// @ts-ignore: decorator
@inline
export function internBytes(table: StringTable, at: usize, length: u32): u32 {
  return internHashed(table, at, length, hashBytes(at, length, table.seed))
}

// @ts-ignore: decorator
@inline
function internHashed(table: StringTable, at: usize, length: u32, hash: u32): u32 {
  const slot = findSlot(table, at, length, hash)
  const code = load<u32>(slot) - 1
  if (code != u32.MAX_VALUE) return code
  const count = table.count
  const end = load<u32>(table.offsets + (usize(count) << 2))
  if (count == table.capacity || (count << 1) >= table.slotMask || table.byteCapacity - end < length) return NO_ROOM
  memory.copy(table.bytes + usize(end), at, usize(length))
  store<u32>(table.offsets + (usize(count) << 2), end + length, 4)
  store<u64>(slot, (u64(hash) << 32) | u64(count + 1))
  table.count = count + 1
  return count
}

/** So many slots are not in the nearest caches. */
// @ts-ignore: decorator
@inline
const FAR_SLOTS: u32 = 32768

/** Strings whose slots are fetched together. */
// @ts-ignore: decorator
@inline
const FETCHED: u32 = 32

/**
 * Writes the hashes of strings `from` to `to`, and touches what finding them will look at: slots, then entries, then bytes. No string depends on one before
 * here, so that as many are under way as the processor can fetch at once; found one by one, each waits for memory three times.
 */
function fetchSlots(table: StringTable, offsets: usize, bytes: usize, from: u32, to: u32, hashes: usize): void {
  const slots = table.slots
  const entries = table.offsets
  let touched: u32 = 0
  const begin = usize(from) << 2
  const end = usize(to) << 2
  for (let at = begin; at < end; at += 4) {
    const start = load<u32>(offsets + at)
    const hash = hashBytes(bytes + usize(start), load<u32>(offsets + at, 4) - start, table.seed)
    store<u32>(hashes + at, hash)
    touched |= load<u32>(slots + (usize(hash & table.slotMask) << 3))
  }
  for (let at = begin; at < end; at += 4) touched |= load<u32>(entries + (firstEntry(table, load<u32>(hashes + at)) << 2))
  for (let at = begin; at < end; at += 4) {
    touched |= load<u8>(table.bytes + usize(load<u32>(entries + (firstEntry(table, load<u32>(hashes + at)) << 2))))
  }
  table.touched = touched
}

/** The entry in the slot where looking begins, 0 where it is of another hash. */
// @ts-ignore: decorator
@inline
function firstEntry(table: StringTable, hash: u32): usize {
  const word = load<u64>(table.slots + (usize(hash & table.slotMask) << 3))
  const code = u32(word)
  return usize(code != 0 && u32(word >> 32) == hash ? code - 1 : u32(0))
}

/**
 * Writes the codes of strings `from` to `to` of (offsets, bytes), adding those that are new; a null row gets code 0.
 * Returns `to`, or the row that found no room for its string.
 */
export function textIntern(tablePointer: usize, offsets: usize, bytes: usize, validity: usize, from: u32, to: u32, codes: usize): u32 {
  const table = changetype<StringTable>(tablePointer)
  const isFar = table.slotMask >= FAR_SLOTS
  let fetched = from
  for (let row = from; row < to; row++) {
    if (isFar && row == fetched) {
      fetched = min(row + FETCHED, to)
      fetchSlots(table, offsets, bytes, row, fetched, codes)
    }
    let code: u32 = 0
    if (validity == 0 || (load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1) {
      const start = load<u32>(offsets + (usize(row) << 2))
      const at = bytes + usize(start)
      const length = load<u32>(offsets + (usize(row) << 2), 4) - start
      code = internHashed(table, at, length, isFar ? load<u32>(codes + (usize(row) << 2)) : hashBytes(at, length, table.seed))
      if (code == NO_ROOM) return row
    }
    store<u32>(codes + (usize(row) << 2), code)
  }
  return to
}

/** Enters all entries into the slots, which are empty and have room for them; entries are distinct. */
export function textEnter(tablePointer: usize): void {
  const table = changetype<StringTable>(tablePointer)
  for (let code: u32 = 0; code < table.count; code++) {
    const entry = table.offsets + (usize(code) << 2)
    const start = load<u32>(entry)
    const length = load<u32>(entry, 4) - start
    const at = table.bytes + usize(start)
    const hash = hashBytes(at, length, table.seed)
    store<u64>(findSlot(table, at, length, hash), (u64(hash) << 32) | u64(code + 1))
  }
}

/** Writes the codes of `count` strings, -1 for one that is not in the table. */
export function textFind(tablePointer: usize, offsets: usize, bytes: usize, count: u32, codes: usize): void {
  const table = changetype<StringTable>(tablePointer)
  for (let row: u32 = 0; row < count; row++) {
    const start = load<u32>(offsets + (usize(row) << 2))
    const length = load<u32>(offsets + (usize(row) << 2), 4) - start
    const at = bytes + usize(start)
    store<u32>(codes + (usize(row) << 2), load<u32>(findSlot(table, at, length, hashBytes(at, length, table.seed))) - 1)
  }
}

/** Whether `count` strings of two tables are equal one by one, given at the first offset of each. */
export function textSame(a: usize, aBytes: usize, b: usize, bBytes: usize, count: u32): bool {
  const aStart = load<u32>(a)
  const bStart = load<u32>(b)
  for (let i: usize = 4, end = usize(count) << 2; i <= end; i += 4) {
    if (load<u32>(a + i) - aStart != load<u32>(b + i) - bStart) return false
  }
  return equalBytes(aBytes + usize(aStart), bBytes + usize(bStart), load<u32>(a + (usize(count) << 2)) - aStart)
}

/** lut[code] = hash of the entry, for entries `from` on. */
export function textHashes(tablePointer: usize, from: u32, lut: usize): void {
  const table = changetype<StringTable>(tablePointer)
  const bytes = table.bytes
  const seed = table.seed
  for (let code = from; code < table.count; code++) {
    const entry = table.offsets + (usize(code) << 2)
    const start = load<u32>(entry)
    store<u32>(lut + (usize(code) << 2), hashBytes(bytes + usize(start), load<u32>(entry, 4) - start, seed))
  }
}

/** Fills new, zeroed slots from the old ones; both counts are powers of two. */
export function textRehash(oldSlots: usize, oldCount: u32, newSlots: usize, newMask: u32): void {
  const end = oldSlots + (usize(oldCount) << 3)
  for (let at = oldSlots; at < end; at += 8) {
    const word = load<u64>(at)
    if (u32(word) != 0) {
      let index = u32(word >> 32) & newMask
      while (load<u32>(newSlots + (usize(index) << 3)) != 0) index = (index + 1) & newMask
      store<u64>(newSlots + (usize(index) << 3), word)
    }
  }
}

/** -1, 0 or 1 as string a is before, equal to or behind string b by unsigned bytes, a prefix first. */
export function textCompare(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
  const common = min(aLength, bLength)
  let at: u32 = 0
  while (at < common) {
    const x = load<u64>(a + usize(at))
    const y = load<u64>(b + usize(at))
    if (x != y) {
      const differing = at + u32(ctz(x ^ y) >> 3)
      if (differing >= common) break
      return load<u8>(a + usize(differing)) < load<u8>(b + usize(differing)) ? -1 : 1
    }
    at += 8
  }
  return i32(aLength > bLength) - i32(aLength < bLength)
}

/**
 * For entries `from` to `to`: lut[entry] = 1 where `entry <=> literal` is among the outcomes wanted, else 0.
 * `wanted` has bit 0 for less, bit 1 for equal, bit 2 for greater.
 */
export function textMatch(offsets: usize, bytes: usize, from: u32, to: u32, literal: usize, length: u32, wanted: u32, lut: usize): void {
  for (let entry = from; entry < to; entry++) {
    const start = load<u32>(offsets + (usize(entry) << 2))
    const entryLength = load<u32>(offsets + (usize(entry) << 2), 4) - start
    const order = textCompare(bytes + usize(start), entryLength, literal, length)
    store<u8>(lut + usize(entry), u8((wanted >> u32(order + 1)) & 1))
  }
}

/** lut[i] = 1 where codes[i] is not -1, else 0: turns what `textFind` wrote into a membership table. */
export function textFound(codes: usize, count: u32, lut: usize): void {
  for (let row: u32 = 0; row < count; row++) {
    store<u8>(lut + usize(row), u8(load<i32>(codes + (usize(row) << 2)) != -1))
  }
}

/** A bitmap of lut[code] over `count` codes, whole bytes of 8 rows, zero beyond the end of the last. */
export function textLookup(codes: usize, count: u32, lut: usize, out: usize): void {
  let row: u32 = 0
  for (const end = count & ~7; row < end; row += 8) {
    const at = codes + (usize(row) << 2)
    store<u8>(
      out + usize(row >> 3),
      load<u8>(lut + usize(load<u32>(at))) |
        (load<u8>(lut + usize(load<u32>(at, 4))) << 1) |
        (load<u8>(lut + usize(load<u32>(at, 8))) << 2) |
        (load<u8>(lut + usize(load<u32>(at, 12))) << 3) |
        (load<u8>(lut + usize(load<u32>(at, 16))) << 4) |
        (load<u8>(lut + usize(load<u32>(at, 20))) << 5) |
        (load<u8>(lut + usize(load<u32>(at, 24))) << 6) |
        (load<u8>(lut + usize(load<u32>(at, 28))) << 7),
    )
  }
  if (row < count) {
    let bits: u32 = 0
    for (let bit: u32 = 0; row + bit < count; bit++) {
      bits |= u32(load<u8>(lut + usize(load<u32>(codes + (usize(row + bit) << 2))))) << bit
    }
    store<u8>(out + usize(row >> 3), u8(bits))
  }
}

/** out[i] = map[codes[i]]. */
export function textRemap(codes: usize, count: u32, map: usize, out: usize): void {
  const end = usize(count) << 2
  for (let at: usize = 0; at < end; at += 4) {
    store<u32>(out + at, load<u32>(map + (usize(load<u32>(codes + at)) << 2)))
  }
}

/** Codes below 256 as bytes. */
export function textBytes(codes: usize, count: u32, out: usize): void {
  const end = out + count
  for (const whole = out + (count & ~15); out < whole; out += 16, codes += 64) {
    const low = i16x8.narrow_i32x4_u(v128.load(codes), v128.load(codes, 16))
    const high = i16x8.narrow_i32x4_u(v128.load(codes, 32), v128.load(codes, 48))
    v128.store(out, i8x16.narrow_i16x8_u(low, high))
  }
  for (; out < end; out++, codes += 4) store<u8>(out, load<u8>(codes))
}

/** Codes below 65,536 as 16-bit numbers. */
export function textShorts(codes: usize, count: u32, out: usize): void {
  const end = out + (usize(count) << 1)
  for (const whole = out + (usize(count & ~7) << 1); out < whole; out += 16, codes += 32) {
    v128.store(out, i16x8.narrow_i32x4_u(v128.load(codes), v128.load(codes, 16)))
  }
  for (; out < end; out += 2, codes += 4) store<u16>(out, load<u16>(codes))
}

/** out[i] = whether aMap[a[i]] <=> bMap[b[i]] (string against string, dictionaries apart) is among the outcomes wanted. */
export function textCompareColumns(
  aCodes: usize, aOffsets: usize, aBytes: usize,
  bCodes: usize, bOffsets: usize, bBytes: usize,
  count: u32, wanted: u32, out: usize,
): void {
  let bits: u32 = 0
  for (let row: u32 = 0; row < count; row++) {
    const a = aOffsets + (usize(load<u32>(aCodes + (usize(row) << 2))) << 2)
    const b = bOffsets + (usize(load<u32>(bCodes + (usize(row) << 2))) << 2)
    const aStart = load<u32>(a)
    const bStart = load<u32>(b)
    const order = textCompare(aBytes + usize(aStart), load<u32>(a, 4) - aStart, bBytes + usize(bStart), load<u32>(b, 4) - bStart)
    bits |= ((wanted >> u32(order + 1)) & 1) << (row & 7)
    if ((row & 7) == 7) {
      store<u8>(out + usize(row >> 3), u8(bits))
      bits = 0
    }
  }
  if (count & 7) store<u8>(out + usize(count >> 3), u8(bits))
}

/**
 * Renumbers codes in place by first appearance. `numbers` has a zero (u32) for each entry of the dictionary, `used` room for `count` codes: those that came, in order, and
 * `offsets` room for one more: where the bytes of each would begin. Returns how many came.
 */
export function textNumber(codes: usize, count: u32, numbers: usize, entryOffsets: usize, used: usize, offsets: usize): u32 {
  let usedCount: u32 = 0
  let end: u32 = 0
  store<u32>(offsets, 0)
  for (const last = codes + (usize(count) << 2); codes < last; codes += 4) {
    const code = load<u32>(codes)
    const at = numbers + (usize(code) << 2)
    let number = load<u32>(at)
    if (number == 0) {
      store<u32>(used + (usize(usedCount) << 2), code)
      const entry = entryOffsets + (usize(code) << 2)
      end += load<u32>(entry, 4) - load<u32>(entry)
      number = ++usedCount
      store<u32>(offsets + (usize(usedCount) << 2), end)
      store<u32>(at, number)
    }
    store<u32>(codes, number - 1)
  }
  return usedCount
}

/** The bytes of the entries `used`, end to end. */
export function textGather(entryOffsets: usize, bytes: usize, used: usize, count: u32, out: usize): void {
  for (const last = used + (usize(count) << 2); used < last; used += 4) {
    const entry = entryOffsets + (usize(load<u32>(used)) << 2)
    const from = load<u32>(entry)
    const length = usize(load<u32>(entry, 4) - from)
    const at = bytes + usize(from)
    // Short strings, as most are, by words that may reach behind them, where the next is written anyway: a call is dearer.
    if (length <= 16) {
      store<u64>(out, load<u64>(at))
      store<u64>(out, load<u64>(at, 8), 8)
    } else memory.copy(out, at, length)
    out += length
  }
}
