// The order in which groups first appeared, where another lane's groups join this one's. A group's place is how manieth it was for this lane's
// table; its rank is where its first row was.
//
//   ranks      f64 of every place          sequence   u32, the places by rank; 0 stands for 0, 1, 2, ...

/**
 * Puts their groups, whose ranks `theirs` ascend and whose indices are `map`, among the `own` groups there were: `ranks` has room for all `length`
 * by now, and gets the lower of two; `merged` is the sequence that follows.
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
  for (let i = own; i < length; i++) store<f64>(ranks + (usize(i) << 3), Infinity)
  // Those of their groups that came before what is known of them here, still in their order.
  let count: u32 = 0
  for (let i: u32 = 0; i < theirCount; i++) {
    const index = load<u32>(map + (usize(i) << 2))
    const place = order ? load<u32>(places + (usize(index) << 2)) : index
    const rank = load<f64>(theirs + (usize(i) << 3))
    const at = ranks + (usize(place) << 3)
    if (rank >= load<f64>(at)) continue
    store<f64>(at, rank)
    store<u8>(moved + place, 1)
    store<u32>(earlier + (usize(count) << 2), place)
    count++
  }
  let next: u32 = 0
  for (let i: u32 = 0; i < own; i++) {
    const place = sequence ? load<u32>(sequence + (usize(i) << 2)) : i
    if (load<u8>(moved + place)) continue
    const rank = load<f64>(ranks + (usize(place) << 3))
    while (next < count) {
      const other = load<u32>(earlier + (usize(next) << 2))
      if (load<f64>(ranks + (usize(other) << 3)) >= rank) break
      store<u32>(merged, other)
      merged += 4
      next++
    }
    store<u32>(merged, place)
    merged += 4
  }
  memory.copy(merged, earlier + (usize(next) << 2), usize(count - next) << 2)
}
