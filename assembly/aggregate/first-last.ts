// The value of the first or of the last row of a group, in the order of their positions whatever the order they come in.
//
//   state     | place u64 | value u64 |       16 bytes a group
//   place     position of the row, below 2^53. All ones before the first row: unsigned behind every other, signed before.
//   value     the element's bits, zeros above; of a string its code

import { elementAt, wordAt } from '../inline'

// @ts-ignore: decorator
@inline
function take(state: usize, groups: usize, row: u32, place: u64, data: usize, bits: u32, last: bool): void {
  const at = state + (groups ? usize(load<u32>(groups + (usize(row) << 2))) << 4 : 0)
  if (last ? i64(place) > load<i64>(at) : place < load<u64>(at)) {
    v128.store(at, i64x2.replace_lane(i64x2.splat(i64(place)), 1, i64(elementAt(data, row, bits))))
  }
}

// @ts-ignore: decorator
@inline
function update(state: usize, groups: usize, validity: usize, count: u32, data: usize, bits: u32, position: u64, last: bool): void {
  for (let row: u32 = 0; row < count; row += 64) {
    let word = wordAt(validity, row, count)
    if (word == u64.MAX_VALUE) {
      for (let i = row, end = row + 64; i < end; i++) take(state, groups, i, position + u64(i), data, bits, last)
    } else while (word) {
      const i = row + u32(ctz(word))
      take(state, groups, i, position + u64(i), data, bits, last)
      word &= word - 1
    }
  }
}

/** For rows that are not null, row i's place being `position + i`: keeps those before what the state has. */
export function firstUpdate(state: usize, groups: usize, validity: usize, count: u32, data: usize, bits: u32, position: f64): void {
  update(state, groups, validity, count, data, bits, u64(position), false)
}

/** The same with those behind. */
export function lastUpdate(state: usize, groups: usize, validity: usize, count: u32, data: usize, bits: u32, position: f64): void {
  update(state, groups, validity, count, data, bits, u64(position), true)
}

/** For a single group: the first row that is not null, or with `last` the last one. One there is. */
export function firstLastOne(state: usize, validity: usize, count: u32, data: usize, bits: u32, position: f64, last: bool): void {
  let row: u32 = last ? (count - 1) & ~63 : 0
  let word = wordAt(validity, row, count)
  while (!word) {
    row = last ? row - 64 : row + 64
    word = wordAt(validity, row, count)
  }
  row += u32(last ? 63 - clz(word) : ctz(word))
  const place = u64(position) + u64(row)
  if (last) take(state, 0, row, place, data, bits, true)
  else take(state, 0, row, place, data, bits, false)
}

/** State g of `places` and `values` (`bits` each) to group groupMap[g]. */
export function firstLastMerge(state: usize, groupMap: usize, places: usize, count: u32, values: usize, bits: u32, last: bool): void {
  for (let row: u32 = 0; row < count; row++) {
    const place = load<u64>(places + (usize(row) << 3))
    if (last) take(state, groupMap, row, place, values, bits, true)
    else take(state, groupMap, row, place, values, bits, false)
  }
}
