// The order in which groups first appeared, where another lane's groups join this one's. A group's place is how manieth it was for this lane's
// table; its rank is where its first row was.
//
//   pairs      f64, a split and the first group that appeared in it, ascending in both: a lane's groups are in the order in which it met them
//   ranks      i64 of every place: split << 32 | rows of it before
//   sequence   u32, the places by rank; 0 stands for 0, 1, 2, ...

/** The ranks of groups, which follow `before` rows where their split is `start`: these had been taken before there were any groups. */
export function appearanceRanks(pairs: usize, pairCount: u32, groupCount: u32, start: f64, before: f64, ranks: usize): void {
  for (let i: u32 = 0; i < pairCount; i++) {
    const split = load<f64>(pairs)
    const group = u32(load<f64>(pairs, 8))
    const end = i + 1 < pairCount ? u32(load<f64>(pairs, 24)) : groupCount
    let rank = (i64(split) << 32) + (split == start ? i64(before) : 0)
    for (let at = ranks + (usize(group) << 3), last = ranks + (usize(end) << 3); at < last; at += 8) store<i64>(at, rank++)
    pairs += 16
  }
}

/**
 * Puts their groups, whose ranks `theirs` ascend and whose indices are `map`, among the `own` groups there were: `ranks` has room for all `length`
 * by now, and gets the lower of two; `merged` is the sequence that follows, with room for one more.
 *
 * @param order u32, the index of each place, with `places` room for a u32 of every index; 0 where index and place are the same
 * @param moved a byte of room for every place
 * @param earlier u32 of room for each of their groups
 */
export function appearanceMerge(
  ranks: usize, sequence: usize, own: u32, length: u32,
  theirs: usize, theirCount: u32, map: usize,
  order: usize, places: usize, moved: usize, earlier: usize, merged: usize,
): void {
  if (order) for (let i: u32 = 0; i < length; i++) store<u32>(places + (usize(load<u32>(order + (usize(i) << 2))) << 2), i)
  memory.fill(moved, 0, length)
  for (let i = own; i < length; i++) store<i64>(ranks + (usize(i) << 3), i64.MAX_VALUE)
  // Those of their groups that came before what is known of them here, still in their order. Which do is as good as random: no branches.
  let next = earlier
  for (let i: u32 = 0; i < theirCount; i++) {
    const index = load<u32>(map + (usize(i) << 2))
    const place = order ? load<u32>(places + (usize(index) << 2)) : index
    const rank = load<i64>(theirs + (usize(i) << 3))
    const at = ranks + (usize(place) << 3)
    const had = load<i64>(at)
    const isEarlier = rank < had
    store<i64>(at, isEarlier ? rank : had)
    store<u8>(moved + place, load<u8>(moved + place) | u8(isEarlier))
    store<u32>(next, place)
    next += usize(isEarlier) << 2
  }
  const end = next
  // Those that stay where they were lie behind as many as will come before or among them.
  const all = merged + (usize(length) << 2)
  let stayed = merged + (end - earlier)
  for (let at = stayed, i: u32 = 0; i < own; i++) {
    const place = sequence ? load<u32>(sequence + (usize(i) << 2)) : i
    store<u32>(at, place)
    at += usize(!load<u8>(moved + place)) << 2
  }
  // Of one lane's split there are many in a row.
  for (next = earlier; next < end && stayed < all; merged += 4) {
    const mine = load<u32>(stayed)
    const other = load<u32>(next)
    if (load<i64>(ranks + (usize(other) << 3)) < load<i64>(ranks + (usize(mine) << 3))) {
      store<u32>(merged, other)
      next += 4
    } else {
      store<u32>(merged, mine)
      stayed += 4
    }
  }
  memory.copy(merged, next, end - next)
}
