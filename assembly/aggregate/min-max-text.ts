// Least and greatest of strings by their bytes: a state is a code into the column's dictionary, -1 before the first. Other types
// are min-max.ts's.
//
// Codes below `ranked` have a rank (u32 each) that orders them; what the dictionary has gained since is compared by bytes.

import { textOrder } from '../inline'

/** state[groups[i]] = the better of itself and codes[i], for rows that are not null; `groups` may be 0. `wanted` is 1 for max, -1 for min. */
export function minMaxText(
  state: usize, groups: usize, codes: usize, validity: usize, count: u32,
  ranks: usize, ranked: u32, offsets: usize, bytes: usize, wanted: i32,
): void {
  for (let row: u32 = 0; row < count; row++) {
    if (validity && ((load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1) == 0) continue
    const at = state + (groups ? usize(load<u32>(groups + (usize(row) << 2))) << 2 : 0)
    const code = load<u32>(codes + (usize(row) << 2))
    const best = load<u32>(at)
    if (code == best) continue
    if (best == u32.MAX_VALUE || textOrder(code, best, ranks, ranked, offsets, bytes) == wanted) store<u32>(at, code)
  }
}

/** A bitmap of which states are codes; the others become code 0, so that all are in range. Returns how many are. */
export function minMaxTextBits(codes: usize, count: u32, out: usize): u32 {
  let set: u32 = 0
  for (let i: u32 = 0; i < count; i += 8) {
    let byte: u32 = 0
    for (let j: u32 = 0, end = min(8, count - i); j < end; j++) {
      if (load<u32>(codes) == u32.MAX_VALUE) store<u32>(codes, 0)
      else byte |= 1 << j
      codes += 4
    }
    set += popcnt(byte)
    store<u8>(out++, u8(byte))
  }
  return set
}
