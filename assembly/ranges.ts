// Rows parted by ranges of their sort images (sort.ts), so that what is sorted at a time fits the caches.
//
//   images    u64 a row, order-preserving
//   bounds    u64[2^bits - 1], ascending; a row is in the partition of as many bounds as are not above its image
//   ids       u16 a row: its partition

/** ids[i] = `first` + how many of the bounds are at most images[i]. */
export function rangeFind(images: usize, count: u32, bounds: usize, bits: u32, first: u32, ids: usize): void {
  // Of the rest of the bounds the upper half is left or the lower one: the same steps for every row, and no branch.
  const top = usize(1) << (bits + 2)
  for (const end = images + (usize(count) << 3); images < end; images += 8) {
    const image = load<u64>(images)
    let at = bounds
    for (let step = top; step > 4; step >>= 1) at += select<usize>(step, 0, image >= load<u64>(at + step - 8))
    store<u16>(ids, u16(first + u32((at - bounds) >> 3)))
    ids += 2
  }
}

/** The partition of rows that are null is `id`. */
export function rangeNulls(ids: usize, validity: usize, count: u32, id: u32): void {
  for (let row: u32 = 0; row < count; row++) {
    const isValid = (load<u8>(validity + usize(row >> 3)) >> u8(row & 7)) & 1
    if (!isValid) store<u16>(ids + (usize(row) << 1), u16(id))
  }
}

/** Rows in the order of their partitions, stably; `starts` (u32[partitions + 1]) gets where each begins, and the end. */
export function rangeOrder(ids: usize, count: u32, partitions: u32, starts: usize, rows: usize): void {
  memory.fill(starts, 0, usize(partitions + 1) << 2)
  const end = ids + (usize(count) << 1)
  for (let at = ids; at < end; at += 2) {
    const slot = starts + (usize(load<u16>(at)) << 2)
    store<u32>(slot, load<u32>(slot) + 1)
  }
  let next: u32 = 0
  for (let p: u32 = 0; p <= partitions; p++) {
    const slot = starts + (usize(p) << 2)
    const own = load<u32>(slot)
    store<u32>(slot, next)
    next += own
  }
  let row: u32 = 0
  for (let at = ids; at < end; at += 2) {
    const slot = starts + (usize(load<u16>(at)) << 2)
    const to = load<u32>(slot)
    store<u32>(slot, to + 1)
    store<u32>(rows + (usize(to) << 2), row++)
  }
  // Starts have moved to the ends of their rows, where the next begins.
  memory.copy(starts + 4, starts, usize(partitions) << 2)
  store<u32>(starts, 0)
}
