// What double and float columns add to their groups' slots (slots.ts): exact fixed-point addends of one or two limbs, two rows at
// a time; the span of bits that chooses among them; and the count of what cannot be added. Values that no two limbs hold go to
// wide.ts; limbs are drawn in exact.ts.
//
// Adding 1.5 * 2^(52 + e) to x rounds x to a multiple of 2^e, which then stands, as an integer, in the low bits of the sum
// (Demmel and Nguyen; Rump). So for |x| < 2^(e + 51):
//
//   integer = bits(x + magic) - bits(magic)          rounded = (x + magic) - magic          exact where rounded == x
//
//   one limb     e = base
//   two limbs    high with e = base + width; low = x - rounded, which is exact, with e = base

import { ADDENDS, addLanes, addSlots, lastAt, maskAt, pairAt, reduceLane, reduceSlots } from '../inline'

/** Of two values: which bits of `sum - magic` are lost, as a mask. */
// @ts-ignore: decorator
@inline
function lost(sum: v128, magic: v128, x: v128): v128 {
  return f64x2.ne(f64x2.sub(sum, magic), x)
}

/**
 * Writes one limb a row to `out`, side by side; a row whose `mask` bit is 0 (where there is a mask) adds 0.
 * Returns whether every value is below `cap` in magnitude and a multiple of the unit that `magic` stands for; else nothing may be
 * used. Writes a limb past an odd `count`.
 */
// @ts-ignore: decorator
@inline
function one<T>(out: usize, data: usize, mask: usize, count: u32, magic: f64, cap: f64): bool {
  const magics = f64x2.splat(magic)
  let largest = f64x2.splat(0)
  let inexact = i64x2.splat(0)
  let row: u32 = 0
  for (const end = count & ~3; row < end; row += 4) {
    let x = pairAt<T>(data, row)
    let y = pairAt<T>(data, row + 2)
    if (mask) {
      x = v128.and(x, maskAt(mask, row))
      y = v128.and(y, maskAt(mask, row + 2))
    }
    const sumX = f64x2.add(x, magics)
    const sumY = f64x2.add(y, magics)
    inexact = v128.or(inexact, v128.or(lost(sumX, magics, x), lost(sumY, magics, y)))
    largest = f64x2.pmax(f64x2.pmax(largest, f64x2.abs(x)), f64x2.abs(y))
    const limbsX = i64x2.sub(sumX, magics)
    const limbsY = i64x2.sub(sumY, magics)
    v128.store(out, limbsX)
    v128.store(out, limbsY, 16)
    out += 32
  }
  for (; row < count; row += 2) {
    let x = row + 2 <= count ? pairAt<T>(data, row) : lastAt<T>(data, row)
    if (mask) x = v128.and(x, maskAt(mask, row))
    const sum = f64x2.add(x, magics)
    inexact = v128.or(inexact, lost(sum, magics, x))
    largest = f64x2.pmax(largest, f64x2.abs(x))
    v128.store(out, i64x2.sub(sum, magics))
    out += 16
  }
  return !v128.any_true(v128.or(inexact, f64x2.ge(largest, f64x2.splat(cap))))
}

/** As `one`, writing two limbs, low and high, in one slot a row. */
// @ts-ignore: decorator
@inline
function two<T>(out: usize, data: usize, mask: usize, count: u32, magic: f64, highMagic: f64, cap: f64): bool {
  const magics = f64x2.splat(magic)
  const highMagics = f64x2.splat(highMagic)
  let largest = f64x2.splat(0)
  let inexact = i64x2.splat(0)
  let row: u32 = 0
  for (const end = count & ~3; row < end; row += 4) {
    let x = pairAt<T>(data, row)
    let y = pairAt<T>(data, row + 2)
    if (mask) {
      x = v128.and(x, maskAt(mask, row))
      y = v128.and(y, maskAt(mask, row + 2))
    }
    const highX = f64x2.add(x, highMagics)
    const highY = f64x2.add(y, highMagics)
    const restX = f64x2.sub(x, f64x2.sub(highX, highMagics))
    const restY = f64x2.sub(y, f64x2.sub(highY, highMagics))
    const lowX = f64x2.add(restX, magics)
    const lowY = f64x2.add(restY, magics)
    inexact = v128.or(inexact, v128.or(lost(lowX, magics, restX), lost(lowY, magics, restY)))
    largest = f64x2.pmax(f64x2.pmax(largest, f64x2.abs(x)), f64x2.abs(y))
    storeTwo(out, i64x2.sub(lowX, magics), i64x2.sub(highX, highMagics))
    storeTwo(out + 32, i64x2.sub(lowY, magics), i64x2.sub(highY, highMagics))
    out += 64
  }
  for (; row < count; row += 2) {
    let x = row + 2 <= count ? pairAt<T>(data, row) : lastAt<T>(data, row)
    if (mask) x = v128.and(x, maskAt(mask, row))
    const high = f64x2.add(x, highMagics)
    const rest = f64x2.sub(x, f64x2.sub(high, highMagics))
    const low = f64x2.add(rest, magics)
    inexact = v128.or(inexact, lost(low, magics, rest))
    largest = f64x2.pmax(largest, f64x2.abs(x))
    storeTwo(out, i64x2.sub(low, magics), i64x2.sub(high, highMagics))
    out += 32
  }
  return !v128.any_true(v128.or(inexact, f64x2.ge(largest, f64x2.splat(cap))))
}

/** Two rows' low and high limbs as two slots. */
// @ts-ignore: decorator
@inline
function storeTwo(out: usize, low: v128, high: v128): void {
  v128.store(out, v128.shuffle<i64>(low, high, 0, 2))
  v128.store(out, v128.shuffle<i64>(low, high, 1, 3), 16)
}

/** As `one`: doubles as integers of the unit that `magic` stands for. */
export function sumFloatIntegers(out: usize, data: usize, count: u32, magic: f64, cap: f64): bool {
  return one<f64>(out, data, 0, count, magic, cap)
}

/**
 * Adds rows as one limb each to the lanes at `state`, `stride` bytes (8 or 16) from group to group, with replicas as slots.ts has them; with `groups` 0
 * all to the lane at `state`. Returns how many, all or the whole blocks before one that `one` refuses. `room` is for a block's addends.
 */
// @ts-ignore: decorator
@inline
function addOne<T>(
  state: usize, stride: usize, replica: usize, groups: usize, data: usize, mask: usize, count: u32, magic: f64, cap: f64, room: usize,
): u32 {
  for (let from: u32 = 0; from < count; from += ADDENDS) {
    const rows = min(ADDENDS, count - from)
    const bits = mask ? mask + usize(from >> 3) : 0
    if (!one<T>(room, data + usize(from) * sizeof<T>(), bits, rows, magic, cap)) return from
    if (!groups) reduceLane(state, room, rows)
    else addLanes(state, stride, replica, groups + (usize(from) << 2), room, rows)
  }
  return count
}

/** As `addOne`, as two limbs in a slot each. */
// @ts-ignore: decorator
@inline
function addTwo<T>(
  state: usize, replica: usize, groups: usize, data: usize, mask: usize, count: u32, magic: f64, highMagic: f64, cap: f64, room: usize,
): u32 {
  for (let from: u32 = 0; from < count; from += ADDENDS) {
    const rows = min(ADDENDS, count - from)
    const bits = mask ? mask + usize(from >> 3) : 0
    if (!two<T>(room, data + usize(from) * sizeof<T>(), bits, rows, magic, highMagic, cap)) return from
    if (groups) addSlots(state, replica, groups + (usize(from) << 2), room, rows)
    else reduceSlots(state, room, rows)
  }
  return count
}

export function sumFloatOneF64(
  state: usize, stride: usize, replica: usize, groups: usize, data: usize, mask: usize, count: u32, magic: f64, cap: f64, room: usize,
): u32 {
  return addOne<f64>(state, stride, replica, groups, data, mask, count, magic, cap, room)
}

export function sumFloatOneF32(
  state: usize, stride: usize, replica: usize, groups: usize, data: usize, mask: usize, count: u32, magic: f64, cap: f64, room: usize,
): u32 {
  return addOne<f32>(state, stride, replica, groups, data, mask, count, magic, cap, room)
}

export function sumFloatTwoF64(
  state: usize, replica: usize, groups: usize, data: usize, mask: usize, count: u32, magic: f64, highMagic: f64, cap: f64, room: usize,
): u32 {
  return addTwo<f64>(state, replica, groups, data, mask, count, magic, highMagic, cap, room)
}

export function sumFloatTwoF32(
  state: usize, replica: usize, groups: usize, data: usize, mask: usize, count: u32, magic: f64, highMagic: f64, cap: f64, room: usize,
): u32 {
  return addTwo<f32>(state, replica, groups, data, mask, count, magic, highMagic, cap, room)
}

/**
 * What the values of the rows that `validity` allows span. out[0] the lowest bit that is set in any, out[1] the lowest bit of
 * any's 53-bit significand, out[2] the least b such that all are below 2^b in magnitude (i32, exponents of two; i32.MAX_VALUE,
 * the same and i32.MIN_VALUE where all are zero), out[3] how many are NaN or infinite. `finite` gets a bitmap of the allowed
 * rows that are finite, in whole bytes.
 */
// @ts-ignore: decorator
@inline
function span<T>(data: usize, validity: usize, count: u32, finite: usize, out: usize): void {
  let lowest = i32.MAX_VALUE
  let least = i32.MAX_VALUE
  let top = i32.MIN_VALUE
  let special: u32 = 0
  for (let row: u32 = 0; row < count; row += 8) {
    let byte = validity ? u32(load<u8>(validity + usize(row >> 3))) : 0xff
    const end = min(8, count - row)
    byte &= (1 << end) - 1
    for (let j: u32 = 0; j < end; j++) {
      if ((byte & (1 << j)) == 0) continue
      const bits = reinterpret<u64>(f64(load<T>(data + usize(row + j) * sizeof<T>())))
      const exponent = i32(bits >> 52) & 0x7ff
      if (exponent == 0x7ff) {
        byte ^= 1 << j
        special++
        continue
      }
      const significand = (bits & 0xfffffffffffff) | (u64(exponent != 0) << 52)
      if (significand == 0) continue
      const unit = exponent + i32(exponent == 0) - 1075
      lowest = min(lowest, unit + i32(ctz(significand)))
      least = min(least, unit)
      top = max(top, unit + 64 - i32(clz(significand)))
    }
    store<u8>(finite + usize(row >> 3), u8(byte))
  }
  store<i32>(out, lowest)
  store<i32>(out, least, 4)
  store<i32>(out, top, 8)
  store<u32>(out, special, 12)
}

export function sumFloatSpanF64(data: usize, validity: usize, count: u32, finite: usize, out: usize): void {
  span<f64>(data, validity, count, finite, out)
}

export function sumFloatSpanF32(data: usize, validity: usize, count: u32, finite: usize, out: usize): void {
  span<f32>(data, validity, count, finite, out)
}

/** Counts NaN, +infinity and -infinity of the allowed rows in i64[3] a group; `groups` may be 0. */
// @ts-ignore: decorator
@inline
function specials<T>(counts: usize, groups: usize, data: usize, validity: usize, count: u32): void {
  for (let row: u32 = 0; row < count; row++) {
    const x = f64(load<T>(data + usize(row) * sizeof<T>()))
    if (x - x == 0) continue
    if (validity && ((load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1) == 0) continue
    const group = groups ? usize(load<u32>(groups + (usize(row) << 2))) : 0
    const at = counts + group * 24 + (x != x ? 0 : x > 0 ? 8 : 16)
    store<i64>(at, load<i64>(at) + 1)
  }
}

export function sumFloatSpecialsF64(counts: usize, groups: usize, data: usize, validity: usize, count: u32): void {
  specials<f64>(counts, groups, data, validity, count)
}

export function sumFloatSpecialsF32(counts: usize, groups: usize, data: usize, validity: usize, count: u32): void {
  specials<f32>(counts, groups, data, validity, count)
}

/** counts of groupMap[g] += from[g], three each. */
export function sumFloatMergeSpecials(counts: usize, groupMap: usize, from: usize, groupCount: u32): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const to = counts + usize(load<u32>(groupMap + (usize(group) << 2))) * 24
    for (let i: usize = 0; i < 24; i += 8) store<i64>(to + i, load<i64>(to + i) + load<i64>(from + i))
    from += 24
  }
}

/** Puts NaN or an infinity in the place of the sums and means of groups that have any. */
export function sumFloatApplySpecials(counts: usize, groupCount: u32, out: usize): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const nan = load<i64>(counts)
    const plus = load<i64>(counts, 8)
    const minus = load<i64>(counts, 16)
    if (nan | plus | minus) {
      const value = nan || (plus && minus) ? 0x7ff8000000000000 : plus ? 0x7ff0000000000000 : 0xfff0000000000000
      store<u64>(out, value)
    }
    counts += 24
    out += 8
  }
}
