// Approximate counts of distinct values: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with the 64-bit hash and the sparse form of
// HyperLogLog++ (Heule, Nunkesser, Hall 2013), and the estimator of Ertl 2017 (arXiv:1702.01284, algorithm 6), which needs no table of biases.
// A state is a function of the set of values alone.
//
//   hash    of 64 bits, the same in every engine for ever: mix(x) of an image (min-max.ts) as int64; of a string h = its length in bytes, then
//           h = mix(h ^ word) over its bytes, eight at a time, the last word filled with zeros
//           mix(x): x += 0x9e3779b97f4a7c15, x = (x ^ x >>> 30) * 0xbf58476d1ce4e5b9, x = (x ^ x >>> 27) * 0x94d049bb133111eb, x ^ x >>> 31
//   token   u32, all of a hash that any precision up to 18 needs:
//           | top 26 bits of the hash | 6 bits: leading zeros of its other 38 bits, and 1 |
//   state   a group table (group-tables.ts) of tokens, until they would take more than half of the bytes that registers do; then
//           registers u8[2^precision] in the table's block, NO_TABLE in its `used`: register i has the greatest rank (leading zeros and
//           1, behind the first `precision` bits) of the hashes that begin with i
//
// Standard error: 1.04 / sqrt(2^precision) of registers; tokens are counted, and hardly ever two values have one (in 2^27.6 pairs one).

import { isValid } from '../inline'
import {
  AHEAD, blockBits, bucketOf, chosenTable, findSlot, giveBlock, GroupTable, insertKey, matches, NO_TABLE, readAhead, slotAt, slotCount, sortEntries,
  tableAt, takeBlock,
} from './group-tables'

// @ts-ignore: decorator
@inline
function mix(x: u64): u64 {
  x += 0x9e3779b97f4a7c15
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb
  return x ^ (x >> 31)
}

// @ts-ignore: decorator
@inline
function tokenOf(hash: u64): u32 {
  return (u32(hash >> 38) << 6) | u32(clz((hash << 26) | 0x2000000) + 1)
}

/** The tokens of `count` images of `imageBytes` (4 or 8). */
export function hyperLogLogTokens(images: usize, imageBytes: u32, count: u32, out: usize): void {
  const end = out + (usize(count) << 2)
  if (imageBytes == 4) {
    for (; out < end; out += 4) {
      store<u32>(out, tokenOf(mix(u64(load<i32>(images)))))
      images += 4
    }
  } else {
    for (; out < end; out += 4) {
      store<u32>(out, tokenOf(mix(load<u64>(images))))
      images += 8
    }
  }
}

/** The tokens of entries `from` to `to` of a dictionary, to tokens[entry]. Reads up to 8 bytes past the end of a string. */
export function hyperLogLogTextTokens(offsets: usize, bytes: usize, from: u32, to: u32, tokens: usize): void {
  for (let entry = from; entry < to; entry++) {
    let at = bytes + usize(load<u32>(offsets + (usize(entry) << 2)))
    const end = bytes + usize(load<u32>(offsets + (usize(entry) << 2), 4))
    let hash = u64(end - at)
    for (; at + 8 <= end; at += 8) hash = mix(hash ^ load<u64>(at))
    if (at < end) hash = mix(hash ^ (load<u64>(at) & (u64.MAX_VALUE >> (64 - (u64(end - at) << 3)))))
    store<u32>(tokens + (usize(entry) << 2), tokenOf(hash))
  }
}

/**
 * Adds tokens[row] to the group of each row that is valid; `groups` and `validity` may be 0. Returns `count`, or the row that it stopped
 * before because the pool has no room.
 */
export function hyperLogLogAdd(
  pool: usize, tables: usize, groups: usize, tokens: usize, validity: usize, from: u32, count: u32, precision: u32,
): u32 {
  const one = changetype<GroupTable>(tables)
  if (groups == 0 && validity == 0 && one.used == NO_TABLE) {
    const registers = one.block
    for (let row = from; row < count; row++) raise(registers, load<u32>(tokens + (usize(row) << 2)), precision)
    return count
  }
  for (let row = from; row < count; row++) {
    if (groups && (row & (AHEAD - 1)) == 0) readAhead(tables, groups, tokens, row, count, 1, 32 - precision)
    if (!isValid(validity, row)) continue
    const token = load<u32>(tokens + (usize(row) << 2))
    const table = tableAt(tables, groups, row)
    if (table.used == NO_TABLE) raise(table.block, token, precision)
    else if (!addToken(pool, table, token, precision)) return row
  }
  return count
}

// @ts-ignore: decorator
@inline
function raise(registers: usize, token: u32, precision: u32): void {
  const at = registers + usize(token >> (32 - precision))
  // The guard is the top bit of the token's last six: it ends the zeros where all of the 26 bits are.
  const zeros = clz((token << precision) | (u32(32) << precision))
  const rank = zeros + select<u32>(token & 63, 1, zeros == 26 - precision)
  if (load<u8>(at) < rank) store<u8>(at, u8(rank))
}

// @ts-ignore: decorator
@inline
function addToken(pool: usize, table: GroupTable, token: u32, precision: u32): bool {
  const block = table.block
  if (block && matches<u32>(bucketOf<u32>(block, table.shift, 1, token), token)) return true
  return addNewToken(pool, table, token, precision)
}

function addNewToken(pool: usize, table: GroupTable, token: u32, precision: u32): bool {
  const slot = table.block ? findSlot<u32>(table.block, table.shift, 1, token) : 0
  if (slot && load<u32>(slot) == token) return true
  // Three quarters of a table of half as many bytes as there are registers.
  if (table.used < max(3, (u32(3) << precision) >> 5)) return insertKey<u32>(pool, table, 1, slot, token) != 0
  if (!makeRegisters(pool, table, precision)) return false
  raise(table.block, token, precision)
  return true
}

function makeRegisters(pool: usize, table: GroupTable, precision: u32): bool {
  if (table.used == NO_TABLE) return true
  const registers = takeBlock(pool, precision)
  if (registers == 0) return false
  const slots = slotCount(table)
  for (let i: u32 = 0; i < slots; i++) {
    const token = load<u32>(slotAt<u32>(table.block, 1, i))
    if (token) raise(registers, token, precision)
  }
  if (slots) giveBlock(pool, table.block, blockBits<u32>(1, table.shift))
  table.block = registers
  table.used = NO_TABLE
  return true
}

/**
 * The tokens of each chosen group to `out`, ascending where `sorted`, end to end, and to lengths[i] how many, or -1 where there are registers.
 * Writes up to one token behind the last.
 */
export function hyperLogLogTake(tables: usize, groups: usize, count: u32, lengths: usize, out: usize, sorted: bool): void {
  for (let i: u32 = 0; i < count; i++) {
    const table = chosenTable(tables, groups, i)
    store<u32>(lengths + (usize(i) << 2), table.used)
    if (table.used == NO_TABLE) continue
    const start = out
    for (let j: u32 = 0, slots = slotCount(table); j < slots; j++) {
      const token = load<u32>(slotAt<u32>(table.block, 1, j))
      store<u32>(out, token)
      out += usize(token != 0) << 2
    }
    if (sorted) sortEntries<u32, u32>(start, table.used)
  }
}

/** Registers of another state into group `group`; false where the pool has no room. */
export function hyperLogLogMerge(pool: usize, tables: usize, group: u32, registers: usize, precision: u32): bool {
  const table = chosenTable(tables, 0, group)
  if (!makeRegisters(pool, table, precision)) return false
  const to = table.block
  for (let i: usize = 0, end = usize(1) << precision; i < end; i += 16) {
    v128.store(to + i, i8x16.max_u(v128.load(to + i), v128.load(registers + i)))
  }
  return true
}

/** An int64 estimate for each group; `counts` is room for 256 u32. */
export function hyperLogLogEstimates(tables: usize, groupCount: u32, precision: u32, counts: usize, out: usize): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const table = chosenTable(tables, 0, group)
    let estimate: f64
    if (table.used == NO_TABLE) {
      estimate = ofRegisters(table.block, precision, counts)
    } else {
      // Two hashes have the same token in one of 3 * 2^26 cases.
      const tokens = f64(table.used)
      estimate = tokens + tokens * tokens * (0.5 / 3 / 0x4000000)
    }
    store<i64>(out + (usize(group) << 3), i64(nearest(estimate)))
  }
}

function ofRegisters(registers: usize, precision: u32, counts: usize): f64 {
  const most = 65 - precision
  memory.fill(counts, 0, 1024)
  for (const end = registers + (usize(1) << precision); registers < end; registers++) {
    const at = counts + (usize(load<u8>(registers)) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  const m = f64(1 << precision)
  let sum = m * tau(1 - f64(load<u32>(counts + (usize(most) << 2))) / m)
  for (let rank = most - 1; rank > 0; rank--) sum = 0.5 * (sum + f64(load<u32>(counts + (usize(rank) << 2))))
  sum += m * sigma(f64(load<u32>(counts)) / m)
  // 1 / (2 ln 2)
  return 0.7213475204444817 * m * m / sum
}

/** x + the sum over k > 0 of x^(2^k) 2^(k - 1). */
function sigma(x: f64): f64 {
  if (x == 1) return Infinity
  let y: f64 = 1
  let sum = x
  let last: f64
  do {
    x *= x
    last = sum
    sum += x * y
    y += y
  } while (sum != last)
  return sum
}

/** A third of 1 - x less the sum over k > 0 of (1 - x^(2^-k))^2 2^-k. */
function tau(x: f64): f64 {
  if (x == 0 || x == 1) return 0
  let y: f64 = 1
  let sum = 1 - x
  let last: f64
  do {
    x = sqrt(x)
    last = sum
    y *= 0.5
    sum -= (1 - x) * (1 - x) * y
  } while (sum != last)
  return sum / 3
}
