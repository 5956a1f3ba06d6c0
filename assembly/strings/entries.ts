// Which entries of a dictionary a morsel has that have not been asked for yet, and tables of what has been found for each: a key is an entry, or
// several entries packed into one number.

import { isValid } from '../inline'

/** Lists the keys of valid rows whose mark is 0, each once, and marks them; returns how many. */
export function stringsUnmet(keys: usize, validity: usize, rowCount: u32, marks: usize, list: usize): u32 {
  let count: u32 = 0
  for (let row: u32 = 0; row < rowCount; row++) {
    const key = load<u32>(keys + (usize(row) << 2))
    // Written always, kept where it is news.
    store<u32>(list + (usize(count) << 2), key)
    if (load<u8>(marks + usize(key)) == 0 && isValid(validity, row)) {
      store<u8>(marks + usize(key), 1)
      count++
    }
  }
  return count
}

/** Lists the keys from `from` to before `length` whose mark is 0, and marks them. */
export function stringsUnmarked(marks: usize, from: u32, length: u32, list: usize): u32 {
  let count: u32 = 0
  for (let key = from; key < length; key++) {
    if (load<u8>(marks + usize(key)) == 0) {
      store<u8>(marks + usize(key), 1)
      store<u32>(list + (usize(count++) << 2), key)
    }
  }
  return count
}

/** keys[i] = keys[i] << shift | codes[i] */
export function stringsPack(keys: usize, shift: u32, codes: usize, count: u32, out: usize): void {
  for (let at: usize = 0, end = usize(count) << 2; at < end; at += 4) {
    store<u32>(out + at, (load<u32>(keys + at) << shift) | load<u32>(codes + at))
  }
}

/** out[i] = the bits of keys[i] from `shift` on, as `mask` says. */
export function stringsUnpack(keys: usize, shift: u32, mask: u32, count: u32, out: usize): void {
  for (let at: usize = 0, end = usize(count) << 2; at < end; at += 4) store<u32>(out + at, (load<u32>(keys + at) >> shift) & mask)
}

/** table[keys[i]] = values[i], of `width` bytes. */
export function stringsScatter(width: u32, keys: usize, count: u32, values: usize, table: usize): void {
  if (width == 1) {
    for (let i: u32 = 0; i < count; i++) store<u8>(table + usize(load<u32>(keys + (usize(i) << 2))), load<u8>(values + usize(i)))
  } else if (width == 4) {
    for (let i: usize = 0; i < usize(count); i++) store<u32>(table + (usize(load<u32>(keys + (i << 2))) << 2), load<u32>(values + (i << 2)))
  } else {
    for (let i: usize = 0; i < usize(count); i++) store<u64>(table + (usize(load<u32>(keys + (i << 2))) << 3), load<u64>(values + (i << 3)))
  }
}

/** out[i] = table[keys[i]], of 4 or 8 bytes. */
export function stringsGather(width: u32, keys: usize, count: u32, table: usize, out: usize): void {
  if (width == 4) {
    for (let i: usize = 0; i < usize(count); i++) store<u32>(out + (i << 2), load<u32>(table + (usize(load<u32>(keys + (i << 2))) << 2)))
  } else {
    for (let i: usize = 0; i < usize(count); i++) store<u64>(out + (i << 3), load<u64>(table + (usize(load<u32>(keys + (i << 2))) << 3)))
  }
}

/** A bitmap of bytes that are 0 or 1, whole bytes of 8 rows, zero beyond the last; up to 8 bytes behind them are read. */
export function stringsBits(bytes: usize, count: u32, out: usize): void {
  let row: u32 = 0
  for (; row + 8 <= count; row += 8) store<u8>(out + usize(row >> 3), u8(gathered(load<u64>(bytes + usize(row)))))
  if (row < count) {
    const rest = load<u64>(bytes + usize(row)) & (u64.MAX_VALUE >> (64 - (u64(count - row) << 3)))
    store<u8>(out + usize(row >> 3), u8(gathered(rest)))
  }
}

/** Bit 0 of every byte, the lowest byte's lowest. */
// @ts-ignore: decorator
@inline
function gathered(word: u64): u64 {
  return ((word & 0x0101010101010101) * 0x0102040810204080) >> 56
}
