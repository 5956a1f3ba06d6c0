// Histograms: how many values of a group lie between two edges and the next. Rows are added, or taken back, as they come.
//
//   state   i64[bins + 1] a group; the last cell counts what is in no bin, so that no row needs a branch
//   edges   f64[bins + 1], ascending, but with NaN in the place of the last, which `last` is: no value is beyond it

// @ts-ignore: decorator
@inline
const SIGN: f64 = 9223372036854775808.0

/**
 * int64 values as doubles that lie between the same edges: rounded down. One above `last`, the last edge, that would be rounded to it becomes
 * NaN instead.
 */
export function histogramFloors(values: usize, count: u32, last: f64, out: usize): void {
  let wide: u64 = 0
  for (let i: usize = 0; i < usize(count); i++) {
    const value = load<i64>(values + (i << 3))
    wide |= u64(value + (1 << 53)) >> 54
    store<f64>(out + (i << 3), f64(value))
  }
  // Up to 2^53 in magnitude all are exact.
  if (wide == 0) return
  for (let i: usize = 0; i < usize(count); i++) {
    const value = load<i64>(values + (i << 3))
    const double = f64(value)
    if (double < SIGN && i64(double) == value) continue
    const above = double == SIGN || i64(double) > value
    const floor = above ? reinterpret<f64>(reinterpret<i64>(double) + (double < 0 ? 1 : -1)) : double
    store<f64>(out + (i << 3), floor == last ? NaN : floor)
  }
}

/** Bins of two rows, none where they are not inside or not valid. */
// @ts-ignore: decorator
@inline
function masked(bins: v128, none: v128, inside: v128, validity: usize, row: u32): v128 {
  let keep = inside
  if (validity) {
    const valid = i64x2.splat(i64(load<u8>(validity + usize(row >> 3)) >> u8(row & 7)))
    keep = v128.and(keep, i64x2.ne(v128.and(valid, i64x2(1, 2)), i64x2.splat(0)))
  }
  return v128.bitselect(bins, none, keep)
}

/**
 * The bin of each value, `bins` for one in none; writes one more where `count` is odd. With a scale, (value - first edge) * scale - 0.5, rounded, is
 * at most one bin off; with 0 bins are searched for.
 */
export function histogramBins(
  values: usize, validity: usize, count: u32, edges: usize, bins: u32, last: f64, scale: f64, out: usize,
): void {
  const first = load<f64>(edges)
  const firsts = f64x2.splat(first)
  const lasts = f64x2.splat(last)
  const none = i64x2.splat(i64(bins))
  const most = f64x2.splat(f64(bins - 1))
  for (let row: u32 = 0; row < count; row += 2) {
    const x = row + 2 <= count ? v128.load(values) : v128.load64_zero(values)
    let found: v128
    if (scale > 0) {
      const near = f64x2.sub(f64x2.mul(f64x2.sub(x, firsts), f64x2.splat(scale)), f64x2.splat(0.5))
      // NaN becomes 0; behind 2^52 the last bits of a double are an integer.
      const inRange = f64x2.pmin(most, f64x2.pmax(f64x2.splat(0), near))
      found = v128.and(f64x2.add(inRange, f64x2.splat(4503599627370496)), i64x2.splat(0xffffffff))
      const a = edges + (usize(i64x2.extract_lane(found, 0)) << 3)
      const b = edges + (usize(i64x2.extract_lane(found, 1)) << 3)
      const low = v128.load64_lane(b, v128.load64_zero(a), 1)
      const high = v128.load64_lane(b, v128.load64_zero(a, 8), 1, 8)
      found = i64x2.sub(i64x2.add(found, f64x2.lt(x, low)), f64x2.ge(x, high))
    } else {
      found = i64x2(
        i64(search(f64x2.extract_lane(x, 0), edges, bins)),
        i64(search(f64x2.extract_lane(x, 1), edges, bins)),
      )
    }
    found = masked(found, none, v128.and(f64x2.ge(x, firsts), f64x2.le(x, lasts)), validity, row)
    v128.store64_lane(out, v128.shuffle<i32>(found, found, 0, 2, 0, 2), 0)
    values += 16
    out += 8
  }
}

/** The last bin that begins at x or below, else the first. */
// @ts-ignore: decorator
@inline
function search(x: f64, edges: usize, bins: u32): u32 {
  let bin: u32 = 0
  for (let length = bins; length > 1; ) {
    const half = length >> 1
    bin += x >= load<f64>(edges + (usize(bin + half) << 3)) ? half : 0
    length -= half
  }
  return bin
}

/** state[groups[i]][bins[i]] += weight; with `groups` 0 all rows are of group 0. */
export function histogramAdd(state: usize, groups: usize, bins: usize, count: u32, cells: u32, weight: i64): void {
  for (let i: u32 = 0; i < count; i++) {
    const group = groups ? usize(load<u32>(groups + (usize(i) << 2))) : 0
    const at = state + ((group * usize(cells) + usize(load<u32>(bins + (usize(i) << 2)))) << 3)
    store<i64>(at, load<i64>(at) + weight)
  }
}

/** state[groupMap[g]] += from[g], cell by cell. */
export function histogramMerge(state: usize, groupMap: usize, from: usize, groupCount: u32, cells: u32): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    let at = state + ((usize(load<u32>(groupMap + (usize(group) << 2))) * usize(cells)) << 3)
    for (const end = at + (usize(cells) << 3); at < end; at += 8) {
      store<i64>(at, load<i64>(at) + load<i64>(from))
      from += 8
    }
  }
}

/** The bins of each group, end to end, and `groupCount + 1` offsets (u32). */
export function histogramLists(state: usize, groupCount: u32, bins: u32, out: usize, offsets: usize): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const byteLength = usize(bins) << 3
    memory.copy(out, state, byteLength)
    out += byteLength
    state += byteLength + 8
    store<u32>(offsets + (usize(group) << 2), group * bins)
  }
  store<u32>(offsets + (usize(groupCount) << 2), groupCount * bins)
}
