// The value at the row with the least or the greatest of another column; of rows that tie, at the first by position.
//
//   state     | key u64 | place u64 | value u64 |      24 bytes a group, all ones before the first row
//   key       image of the other column (min-max.ts), its sign flipped to compare unsigned, and for the greatest all other bits too:
//             the least key wins. Of a string its code.
//   place, value                                       as in first-last.ts

import { elementAt, isValid, textOrder } from '../inline'

// @ts-ignore: decorator
@inline
function stateAt(state: usize, groups: usize, row: u32): usize {
  return state + (groups ? usize(load<u32>(groups + (usize(row) << 2))) * 24 : 0)
}

// @ts-ignore: decorator
@inline
function placeAt(places: usize, position: f64, row: u32): u64 {
  return places ? load<u64>(places + (usize(row) << 3)) : u64(position) + u64(row)
}

// @ts-ignore: decorator
@inline
function put(at: usize, key: u64, place: u64, value: u64): void {
  store<u64>(at, key)
  store<u64>(at, place, 8)
  store<u64>(at, value, 16)
}

/** A better key is rare once a group has seen some, so what it takes lies behind a branch that is hardly ever taken. */
// @ts-ignore: decorator
@inline
function update<I>(
  state: usize, groups: usize, images: usize, flip: u64, validity: usize, count: u32,
  places: usize, position: f64, data: usize, bits: u32,
): void {
  for (let row: u32 = 0; row < count; row++) {
    const key = u64(i64(load<I>(images + usize(row) * sizeof<I>()))) ^ flip
    const at = stateAt(state, groups, row)
    if (key <= load<u64>(at)) {
      const place = placeAt(places, position, row)
      if ((key < load<u64>(at) || place < load<u64>(at, 8)) && isValid(validity, row)) {
        put(at, key, place, elementAt(data, row, bits))
      }
    }
  }
}

/** For rows that are not null, row i's place being places[i], or with `places` 0 `position + i`; key i is `images[i] ^ flip`. */
export function argUpdate32(
  state: usize, groups: usize, images: usize, flip: u64, validity: usize, count: u32,
  places: usize, position: f64, data: usize, bits: u32,
): void {
  update<i32>(state, groups, images, flip, validity, count, places, position, data, bits)
}

export function argUpdate64(
  state: usize, groups: usize, images: usize, flip: u64, validity: usize, count: u32,
  places: usize, position: f64, data: usize, bits: u32,
): void {
  update<i64>(state, groups, images, flip, validity, count, places, position, data, bits)
}

/** The same with strings for keys, `wanted` being 1 for the greatest, -1 for the least. */
export function argUpdateText(
  state: usize, groups: usize, codes: usize, wanted: i32, validity: usize, count: u32,
  places: usize, position: f64, data: usize, bits: u32, ranks: usize, ranked: u32, offsets: usize, bytes: usize,
): void {
  for (let row: u32 = 0; row < count; row++) {
    if (!isValid(validity, row)) continue
    const code = load<u32>(codes + (usize(row) << 2))
    const at = stateAt(state, groups, row)
    const best = load<u32>(at)
    const place = placeAt(places, position, row)
    if (code == best ? place < load<u64>(at, 8) : best == u32.MAX_VALUE || textOrder(code, best, ranks, ranked, offsets, bytes) == wanted) {
      put(at, u64(code), place, elementAt(data, row, bits))
    }
  }
}
