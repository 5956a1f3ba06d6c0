// The value at the row with the least or the greatest of another column; of rows that tie, at the first by time, where they have one, and position.
//
//   keys      u64 a group, all ones before the first row: image of the other column (min-max.ts), its sign flipped to compare unsigned,
//             and for the greatest all other bits too: the least key wins. Of a string its code.
//   states    | place u64 | value u64 | a group, as in first-last.ts. Apart: only a key that wins or ties has to do with them.
//   times     i64 a group, the greatest before the first row; where 0, there are none. Of rows that tie the earliest wins, and of equal times the first.

import { elementAt, isValid, textOrder } from '../inline'

// @ts-ignore: decorator
@inline
function placeAt(places: usize, position: f64, row: u32): u64 {
  return places ? load<u64>(places + (usize(row) << 3)) : u64(position) + u64(row)
}

// @ts-ignore: decorator
@inline
function isBefore(place: u64, state: usize, times: usize, group: usize, instants: usize, row: u32): bool {
  if (times) {
    const time = load<i64>(instants + (usize(row) << 3))
    const best = load<i64>(times + (group << 3))
    if (time != best) return time < best
  }
  return place < load<u64>(state)
}

/**
 * A better key is rare once a group has seen some, so what it takes lies behind a branch that is hardly ever taken. Keys that tie are not, but where
 * rows come in order theirs are never better.
 */
// @ts-ignore: decorator
@inline
function update<I>(
  keys: usize, states: usize, groups: usize, images: usize, flip: u64, ties: bool, validity: usize, count: u32,
  places: usize, position: f64, data: usize, bits: u32, times: usize, instants: usize,
): void {
  for (let row: u32 = 0; row < count; row++) {
    const key = u64(i64(load<I>(images + usize(row) * sizeof<I>()))) ^ flip
    const group = groups ? usize(load<u32>(groups + (usize(row) << 2))) : 0
    const at = keys + (group << 3)
    if (ties ? key <= load<u64>(at) : key < load<u64>(at)) {
      const state = states + (group << 4)
      const place = placeAt(places, position, row)
      if ((key < load<u64>(at) || isBefore(place, state, times, group, instants, row)) && isValid(validity, row)) {
        if (times) store<i64>(times + (group << 3), load<i64>(instants + (usize(row) << 3)))
        store<u64>(at, key)
        store<u64>(state, place)
        store<u64>(state, elementAt(data, row, bits), 8)
      }
    }
  }
}

/**
 * For rows that are not null, row i's place being places[i], or with `places` 0 `position + i`; key i is `images[i] ^ flip`. Without `ties` rows that tie are
 * taken to be behind, and no key is all ones. With `times` row i's is instants[i].
 */
export function argUpdate32(
  keys: usize, states: usize, groups: usize, images: usize, flip: u64, ties: bool, validity: usize, count: u32,
  places: usize, position: f64, data: usize, bits: u32, times: usize, instants: usize,
): void {
  update<i32>(keys, states, groups, images, flip, ties, validity, count, places, position, data, bits, times, instants)
}

export function argUpdate64(
  keys: usize, states: usize, groups: usize, images: usize, flip: u64, ties: bool, validity: usize, count: u32,
  places: usize, position: f64, data: usize, bits: u32, times: usize, instants: usize,
): void {
  update<i64>(keys, states, groups, images, flip, ties, validity, count, places, position, data, bits, times, instants)
}

/** The same with strings for keys, `wanted` being 1 for the greatest, -1 for the least. */
export function argUpdateText(
  keys: usize, states: usize, groups: usize, codes: usize, wanted: i32, validity: usize, count: u32,
  places: usize, position: f64, data: usize, bits: u32, ranks: usize, ranked: u32, offsets: usize, bytes: usize,
  times: usize, instants: usize,
): void {
  for (let row: u32 = 0; row < count; row++) {
    if (!isValid(validity, row)) continue
    const code = load<u32>(codes + (usize(row) << 2))
    const group = groups ? usize(load<u32>(groups + (usize(row) << 2))) : 0
    const at = keys + (group << 3)
    const state = states + (group << 4)
    const best = load<u32>(at)
    const place = placeAt(places, position, row)
    if (code == best ? isBefore(place, state, times, group, instants, row) : best == u32.MAX_VALUE || textOrder(code, best, ranks, ranked, offsets, bytes) == wanted) {
      if (times) store<i64>(times + (group << 3), load<i64>(instants + (usize(row) << 3)))
      store<u64>(at, u64(code))
      store<u64>(state, place)
      store<u64>(state, elementAt(data, row, bits), 8)
    }
  }
}
